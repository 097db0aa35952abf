/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c: streams over the files of a folder.
 *
 * A reader of a format sees a bl_stream and never knows where the bytes come
 * from; a test or a fuzzer hands it bytes in memory.  Streams have no size:
 * what a header or an archive says about sizes may be a lie, so readers take
 * memory as bytes arrive and not as they are promised, and a stream has a limit
 * on what may arrive.
 *
 * Whether a file is gzip is told by its first bytes and not by its name: some
 * programs unpack what they fetch and leave the name as it was.  No plain file
 * of a format begins with those bytes.
 */
#include "data/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/gunzip.h"

/* ---- any stream ---------------------------------------------------------- */

bl_status bl_stream_read(bl_stream *stream, void *bytes, size_t n, size_t *got)
{
    BL_TRY(stream->read(stream, bytes, n, got));
    if ((uint64_t)*got > (uint64_t)(stream->limit - stream->offset))
        return BL_RAISE(BL_EFORMAT, "%s: holds more than %" PRId64 " bytes",
                        stream->place, stream->limit);
    stream->offset += (int64_t)*got;
    return BL_OK;
}

bl_status bl_stream_fill(bl_stream *stream, void *bytes, size_t n)
{
    const int64_t from = stream->offset;
    size_t got = 0;
    BL_TRY(bl_stream_read(stream, bytes, n, &got));
    if (got == n) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: ends at byte %" PRId64 ", wanted at least "
                    "%" PRIu64, stream->place, stream->offset,
                    (uint64_t)from + n);
}

bl_status bl_stream_end(bl_stream *stream)
{
    const int64_t wanted = stream->offset;
    char byte = 0;
    size_t got = 0;
    BL_TRY(bl_stream_read(stream, &byte, 1, &got));
    if (got == 0) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: goes on after byte %" PRId64
                    ", wanted its end there", stream->place, wanted);
}

/* ---- files --------------------------------------------------------------- */

static bl_status refused(const char *place, int code)
{
    char reason[128];
    if (strerror_r(code, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", code);
    return BL_RAISE(BL_EIO, "%s: %s", place, reason);
}

static bl_status read_plain(bl_stream *stream, void *bytes, size_t n,
                            size_t *got)
{
    FILE *file = stream->handle;
    errno = 0;
    *got = fread(bytes, 1, n, file);
    return ferror(file) ? refused(stream->place, errno) : BL_OK;
}

/* A pipe or a device is refused unopened: it could block for ever. */
static bl_status check_regular(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return refused(path, errno);
    if (S_ISREG(info.st_mode)) return BL_OK;
    return BL_RAISE(BL_EIO, "%s: is not a regular file", path);
}

/* Tells gzip by its first two bytes; they are read again. */
static bl_status is_gzip(int *out, FILE *file, const char *path)
{
    static const uint8_t magic[] = {0x1f, 0x8b};
    uint8_t bytes[sizeof magic] = {0};
    errno = 0;
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    if (ferror(file) || fseek(file, 0, SEEK_SET) != 0)
        return refused(path, errno);
    *out = n == sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
    return BL_OK;
}

/* A file in either form, as a stream; zero-initialise. */
typedef struct opened {
    FILE *file;
    int gzip;
    bl_gunzip gunzip;
    bl_stream stream;
} opened;

static bl_status open_file(opened *o, const char *path, int64_t limit)
{
    BL_TRY(check_regular(path));
    o->file = fopen(path, "rb");
    if (o->file == NULL) return refused(path, errno);
    BL_TRY(is_gzip(&o->gzip, o->file, path));
    o->stream = (bl_stream){.place = path, .limit = limit};
    if (!o->gzip) {
        o->stream.handle = o->file;
        o->stream.read = read_plain;
        return BL_OK;
    }
    o->stream.handle = &o->gunzip;
    o->stream.read = bl_gunzip_read;
    return bl_gunzip_begin(&o->gunzip, o->file, path);
}

static void close_file(opened *o)
{
    bl_gunzip_end(&o->gunzip);
    if (o->file != NULL) fclose(o->file);
}

static bl_status take_file(const char *path, const char *name, bl_take *take,
                           void *payload)
{
    opened o = {0};
    bl_status status = open_file(&o, path, BL_MEMBER_BYTES);
    if (status == BL_OK) status = take(payload, name, &o.stream);
    close_file(&o);
    return status;
}

static bl_status take_archive(const char *path, bl_take *take, void *payload)
{
    opened o = {0};
    bl_status status = open_file(&o, path, BL_ARCHIVE_BYTES);
    if (status == BL_OK)
        status = o.gzip ? bl_tar_each(&o.stream, take, payload)
                        : bl_archive_each(&o.stream, take, payload);
    close_file(&o);
    return status;
}

/* ---- a folder ------------------------------------------------------------ */

/* BL_OK also where the folder holds name neither plain nor with ".gz". */
static bl_status folder_take(const char *folder, const char *name,
                             bl_take *take, void *payload)
{
    static const char *const suffixes[] = {"", ".gz"};
    bl_status status = BL_OK;
    int found = 0;
    for (int i = 0; i < 2 && !found; i++) {
        bl_text path = {0};
        bl_text_printf(&path, "%s/%s%s", folder, name, suffixes[i]);
        status = path.status;
        found = status != BL_OK || bl_path_exists(path.text);
        if (status == BL_OK && found)
            status = take_file(path.text, name, take, payload);
        bl_text_free(&path);
    }
    return status;
}

bl_status bl_source_each(const char *path, const char *const *names,
                         bl_take *take, void *payload)
{
    if (!bl_path_is_folder(path)) return take_archive(path, take, payload);
    for (int64_t i = 0; names[i] != NULL; i++) {
        const bl_status status = folder_take(path, names[i], take, payload);
        if (status != BL_OK) return status;
    }
    return BL_OK;
}
