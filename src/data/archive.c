/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.c: streams over the files of a tar archive, by libarchive.
 *
 * The official sets come as tar.gz.  They are read as they are, member after
 * member in the archive's order, and nothing is unpacked to disk: neither room
 * nor a path from inside the archive is ever used.  Only the last part of a
 * member's name counts, and only regular files.
 *
 * libarchive is told tar, gzip, bzip2 and xz one by one.  "All filters" would
 * include those that start a program.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "data/source.h"

enum { MAX_ENTRIES = 100000 };

static const char *reason(struct archive *archive)
{
    const char *text = archive_error_string(archive);
    return text != NULL ? text : "unknown error";
}

static bl_status read_entry(bl_stream *stream, void *bytes, size_t n,
                            size_t *got)
{
    struct archive *archive = stream->handle;
    char *to = bytes;
    *got = 0;
    while (*got < n) {
        const la_ssize_t read = archive_read_data(archive, to + *got, n - *got);
        if (read < 0)
            return BL_RAISE(BL_EFORMAT, "%s: byte %" PRId64 ": %s",
                            stream->place, stream->offset + (int64_t)*got,
                            reason(archive));
        if (read == 0) break;
        *got += (size_t)read;
    }
    return BL_OK;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bl_status take_entry(struct archive *archive, const char *path,
                            struct archive_entry *entry, bl_take *take,
                            void *payload)
{
    bl_text place = {0};
    bl_status status = BL_OK;
    const char *name = archive_entry_pathname(entry);
    if (name == NULL || archive_entry_filetype(entry) != AE_IFREG)
        return BL_OK;
    bl_text_printf(&place, "%s: %s", path, last_part(name));
    status = place.status;
    if (status == BL_OK) {
        bl_stream stream = {.place = place.text, .handle = archive,
                            .read = read_entry};
        status = take(payload, last_part(name), &stream);
    }
    bl_text_free(&place);
    return status;
}

static bl_status each_entry(struct archive *archive, const char *path,
                            bl_take *take, void *payload)
{
    struct archive_entry *entry = NULL;
    for (int64_t i = 0; i < MAX_ENTRIES; i++) {
        const int code = archive_read_next_header(archive, &entry);
        if (code == ARCHIVE_EOF) return BL_OK;
        if (code == ARCHIVE_RETRY) continue;
        if (code < ARCHIVE_WARN)
            return BL_RAISE(BL_EFORMAT, "%s: member %" PRId64 ": %s", path, i,
                            reason(archive));
        const bl_status status =
            take_entry(archive, path, entry, take, payload);
        if (status != BL_OK) return status;
    }
    return BL_RAISE(BL_EFORMAT, "%s: has more than %d members", path,
                    MAX_ENTRIES);
}

bl_status bl_archive_each(const char *path, FILE *file, bl_take *take,
                          void *payload)
{
    bl_status status = BL_OK;
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return BL_RAISE(BL_ENOMEM, "%s: no memory for an archive", path);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_format_tar(archive);
    if (archive_read_open_FILE(archive, file) != ARCHIVE_OK)
        status = BL_RAISE(BL_EFORMAT, "%s: %s, wanted a tar archive", path,
                          reason(archive));
    else
        status = each_entry(archive, path, take, payload);
    archive_read_free(archive);
    return status;
}
