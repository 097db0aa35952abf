/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.c: streams over the files of a tar archive, by libarchive.
 *
 * The official sets come as tar.gz.  They are read as they are, member after
 * member in the archive's order, and nothing is unpacked to disk: neither room
 * nor a path from inside the archive is ever used.  Only the last part of a
 * member's name counts, and only regular files.  A sparse one is refused: it
 * would let a few bytes stand for any number of images.
 *
 * The reader of the tar is given plain bytes.  gunzip.c unpacks gzip, because
 * libarchive does not look at its checksum; a second reader before the first
 * unpacks bzip2 and xz.  One reader would do both, but stops where the tar
 * ends, and checksums come later: here the rest is read as well.
 *
 * libarchive is told tar, bzip2 and xz one by one.  "All filters" would include
 * those that start a program.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "data/source.h"

enum { MAX_ENTRIES = 100000 };

/* A reader of libarchive over a stream of ours. */
typedef struct reader {
    struct archive *archive;
    bl_stream *from;
    bl_status status; /* of the last read of from              */
    const char *unit; /* what the stream over it counts: bytes */
    uint8_t bytes[1 << 14];
} reader;

/* ---- a reader ------------------------------------------------------------ */

static bl_status create(reader *r)
{
    r->archive = archive_read_new();
    if (r->archive != NULL) return BL_OK;
    return BL_RAISE(BL_ENOMEM, "%s: no memory for an archive", r->from->place);
}

/* What libarchive calls for more bytes. */
static la_ssize_t feed(struct archive *archive, void *payload,
                       const void **bytes)
{
    reader *r = payload;
    size_t got = 0;
    (void)archive;
    r->status = bl_stream_read(r->from, r->bytes, sizeof r->bytes, &got);
    *bytes = r->bytes;
    return r->status == BL_OK ? (la_ssize_t)got : ARCHIVE_FATAL;
}

/* What went wrong: in the stream below, which has said so, or in the bytes. */
static bl_status failed(const reader *r, const char *place, const char *unit,
                        int64_t at)
{
    const char *text = archive_error_string(r->archive);
    if (r->status < 0) return r->status;
    return BL_RAISE(BL_EFORMAT, "%s: %s %" PRId64 ": %s, wanted a whole tar "
                    "archive", place, unit, at,
                    text != NULL ? text : "unknown error");
}

static bl_status start(reader *r)
{
    if (archive_read_open(r->archive, r, NULL, feed, NULL) == ARCHIVE_OK)
        return BL_OK;
    return failed(r, r->from->place, r->unit, 0);
}

/* The read of a stream over the present entry. */
static bl_status read_entry(bl_stream *stream, void *bytes, size_t n,
                            size_t *got)
{
    reader *r = stream->handle;
    char *to = bytes;
    *got = 0;
    while (*got < n) {
        const la_ssize_t read =
            archive_read_data(r->archive, to + *got, n - *got);
        if (read < 0)
            return failed(r, stream->place, r->unit,
                          stream->offset + (int64_t)*got);
        if (read == 0) break;
        *got += (size_t)read;
    }
    return BL_OK;
}

/* Reads all that is left below. */
static bl_status drain(reader *r)
{
    size_t got = 0;
    do {
        BL_TRY(bl_stream_read(r->from, r->bytes, sizeof r->bytes, &got));
    } while (got > 0);
    return BL_OK;
}

/* ---- members ------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Damage of what is below is said to lie in the member that met it. */
static bl_status take_entry(reader *r, struct archive_entry *entry,
                            bl_take *take, void *payload)
{
    const char *const path = r->from->place;
    const char *name = archive_entry_pathname(entry);
    bl_text place = {0};
    bl_status status = BL_OK;
    if (name == NULL || archive_entry_filetype(entry) != AE_IFREG)
        return BL_OK;
    name = last_part(name);
    if (archive_entry_sparse_count(entry) > 0)
        return BL_RAISE(BL_EFORMAT, "%s: %s: is sparse, wanted a file without "
                        "holes", path, name);
    bl_text_printf(&place, "%s: %s", path, name);
    status = place.status;
    if (status == BL_OK) {
        bl_stream stream = {.place = place.text, .limit = BL_MEMBER_BYTES,
                            .handle = r, .read = read_entry};
        r->from->place = place.text;
        status = take(payload, name, &stream);
        r->from->place = path;
    }
    bl_text_free(&place);
    return status;
}

static bl_status each_entry(reader *r, bl_take *take, void *payload)
{
    struct archive_entry *entry = NULL;
    for (int64_t i = 0; i < MAX_ENTRIES; i++) {
        const int code = archive_read_next_header(r->archive, &entry);
        if (code == ARCHIVE_EOF) return drain(r);
        if (code == ARCHIVE_RETRY) continue;
        if (code < ARCHIVE_WARN)
            return failed(r, r->from->place, "member", i);
        const bl_status status = take_entry(r, entry, take, payload);
        if (status != BL_OK) return status;
    }
    return BL_RAISE(BL_EFORMAT, "%s: has more than %d members",
                    r->from->place, MAX_ENTRIES);
}

/* ---- archives ------------------------------------------------------------ */

bl_status bl_tar_each(bl_stream *tar, bl_take *take, void *payload)
{
    reader r = {.from = tar, .unit = "byte"};
    bl_status status = BL_OK;
    BL_CHECK(create(&r));
    archive_read_support_format_tar(r.archive);
    BL_CHECK(start(&r));
    status = each_entry(&r, take, payload);
done:
    archive_read_free(r.archive);
    return status;
}

bl_status bl_archive_each(bl_stream *archive, bl_take *take, void *payload)
{
    reader r = {.from = archive, .unit = "unpacked byte"};
    bl_stream tar = {.place = archive->place, .limit = BL_ARCHIVE_BYTES,
                     .handle = &r, .read = read_entry};
    struct archive_entry *all = NULL;
    bl_status status = BL_OK;
    BL_CHECK(create(&r));
    archive_read_support_filter_bzip2(r.archive);
    archive_read_support_filter_xz(r.archive);
    archive_read_support_format_raw(r.archive);
    BL_CHECK(start(&r));
    status = archive_read_next_header(r.archive, &all) == ARCHIVE_OK
                 ? bl_tar_each(&tar, take, payload)
                 : failed(&r, archive->place, r.unit, 0);
done:
    archive_read_free(r.archive);
    return status;
}
