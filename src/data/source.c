/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c: streams over the files of a folder.
 *
 * A reader of a format sees a bl_stream and never knows where the bytes come
 * from; a test or a fuzzer hands it bytes in memory.  Streams have no size:
 * what a header or an archive says about sizes may be a lie, so readers take
 * memory as bytes arrive and not as they are promised.
 *
 * zlib's gzread gives what it could unpack of a file cut short and reports it
 * only when asked.  It is asked after every short read.
 */
#include "data/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

static const int64_t limit_bytes = INT64_C(1) << 34; /* 16 GiB */

/* ---- any stream ---------------------------------------------------------- */

bl_status bl_stream_read(bl_stream *stream, void *bytes, size_t n, size_t *got)
{
    BL_TRY(stream->read(stream, bytes, n, got));
    if ((uint64_t)*got > (uint64_t)(limit_bytes - stream->offset))
        return BL_RAISE(BL_EFORMAT, "%s: holds more than %" PRId64 " bytes",
                        stream->place, limit_bytes);
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

/* ---- plain and compressed files ------------------------------------------ */

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

/* What zlib says of a file, without the path that it puts before. */
static const char *gzip_reason(const char *text, const char *place)
{
    const size_t n = strlen(place);
    return strncmp(text, place, n) == 0 && strncmp(text + n, ": ", 2) == 0
               ? text + n + 2 : text;
}

static bl_status read_gzip(bl_stream *stream, void *bytes, size_t n,
                           size_t *got)
{
    enum { PIECE = 1 << 30 }; /* gzread takes an unsigned, gives an int */
    gzFile file = stream->handle;
    char *to = bytes;
    int code = Z_OK;
    *got = 0;
    while (*got < n) {
        const size_t piece = n - *got < PIECE ? n - *got : PIECE;
        const int read = gzread(file, to + *got, (unsigned)piece);
        if (read <= 0) break;
        *got += (size_t)read;
    }
    if (*got == n) return BL_OK;
    const char *reason = gzerror(file, &code);
    if (code == Z_OK || code == Z_STREAM_END) return BL_OK;
    if (code == Z_ERRNO) return refused(stream->place, errno);
    return BL_RAISE(BL_EFORMAT, "%s: unpacked byte %" PRId64 ": %s, wanted "
                    "whole gzip data", stream->place,
                    stream->offset + (int64_t)*got,
                    code == Z_BUF_ERROR ? "the file ends early"
                                        : gzip_reason(reason, stream->place));
}

/* A pipe or a device is refused unopened: it could block for ever. */
static bl_status check_regular(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return refused(path, errno);
    if (S_ISREG(info.st_mode)) return BL_OK;
    return BL_RAISE(BL_EIO, "%s: is not a regular file", path);
}

static bl_status open_plain(FILE **out, const char *path)
{
    BL_TRY(check_regular(path));
    *out = fopen(path, "rb");
    return *out != NULL ? BL_OK : refused(path, errno);
}

static bl_status take_plain(const char *path, const char *name, bl_take *take,
                            void *payload)
{
    FILE *file = NULL;
    BL_TRY(open_plain(&file, path));
    bl_stream stream = {.place = path, .handle = file, .read = read_plain};
    const bl_status status = take(payload, name, &stream);
    fclose(file);
    return status;
}

static bl_status take_gzip(const char *path, const char *name, bl_take *take,
                           void *payload)
{
    BL_TRY(check_regular(path));
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL) return refused(path, errno != 0 ? errno : ENOMEM);
    bl_stream stream = {.place = path, .handle = file, .read = read_gzip};
    const bl_status status = take(payload, name, &stream);
    gzclose(file);
    return status;
}

/* ---- a folder ------------------------------------------------------------ */

typedef bl_status take_file(const char *path, const char *name, bl_take *take,
                            void *payload);

/* The two forms in which a folder may hold a file. */
static const struct {
    const char *suffix;
    take_file *take;
} forms[] = {{"", take_plain}, {".gz", take_gzip}};

/* BL_OK also where the folder holds name in neither form. */
static bl_status folder_take(const char *folder, const char *name,
                             bl_take *take, void *payload)
{
    bl_status status = BL_OK;
    int found = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !found; i++) {
        bl_text path = {0};
        bl_text_printf(&path, "%s/%s%s", folder, name, forms[i].suffix);
        status = path.status;
        found = status != BL_OK || bl_path_exists(path.text);
        if (status == BL_OK && found)
            status = forms[i].take(path.text, name, take, payload);
        bl_text_free(&path);
    }
    return status;
}

static bl_status archive_take(const char *path, bl_take *take, void *payload)
{
    FILE *file = NULL;
    BL_TRY(open_plain(&file, path));
    const bl_status status = bl_archive_each(path, file, take, payload);
    fclose(file);
    return status;
}

bl_status bl_source_each(const char *path, const char *const *names,
                         bl_take *take, void *payload)
{
    if (!bl_path_is_folder(path)) return archive_take(path, take, payload);
    for (int64_t i = 0; names[i] != NULL; i++) {
        const bl_status status = folder_take(path, names[i], take, payload);
        if (status != BL_OK) return status;
    }
    return BL_OK;
}
