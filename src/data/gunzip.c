/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gunzip.c: unpacks gzip files, and believes only whole ones.
 *
 * A gzip file is a row of members: deflated data, their CRC-32 and their size.
 * zlib compares both when it is given them, and so it has to be asked until it
 * says Z_STREAM_END.  Its own gzread gives the last byte of data before that,
 * and calls a file that lacks part of the trailer a good one.  Here a stream
 * ends in one way only: the file ends, and a member ended just before.
 *
 * What follows a member is read as another one, so bytes that were appended to
 * a file are refused, zeros too: no official file has any.
 *
 * Source: Deutsch, "GZIP file format specification", RFC 1952.
 */
#include "data/gunzip.h"

#include <errno.h>
#include <inttypes.h>

#include "core/error.h"

enum { GZIP_ALONE = 16, PIECE = 1 << 30 /* zlib counts in unsigned int */ };

bl_status bl_gunzip_begin(bl_gunzip *gunzip, FILE *file, const char *place)
{
    gunzip->file = file;
    if (inflateInit2(&gunzip->zlib, MAX_WBITS + GZIP_ALONE) == Z_OK)
        return BL_OK;
    return BL_RAISE(BL_ENOMEM, "%s: no memory to unpack it", place);
}

void bl_gunzip_end(bl_gunzip *gunzip)
{
    (void)inflateEnd(&gunzip->zlib);
}

/* Gives zlib more of the file; nothing at its end. */
static bl_status refill(bl_gunzip *gunzip, const char *place)
{
    errno = 0;
    const size_t n =
        fread(gunzip->bytes, 1, sizeof gunzip->bytes, gunzip->file);
    if (ferror(gunzip->file)) return BL_RAISE_ERRNO(place, "read");
    gunzip->packed += (int64_t)n;
    gunzip->zlib.next_in = gunzip->bytes;
    gunzip->zlib.avail_in = (uInt)n;
    return BL_OK;
}

/* Z_BUF_ERROR: zlib has nothing left to read and nothing left to write. */
static bl_status damaged(const bl_gunzip *gunzip, const char *place, int code)
{
    const z_stream *zlib = &gunzip->zlib;
    if (code == Z_MEM_ERROR)
        return BL_RAISE(BL_ENOMEM, "%s: no memory to unpack it", place);
    return BL_RAISE(BL_EFORMAT, "%s: packed byte %" PRId64 ": %s, wanted "
                    "whole gzip data", place,
                    gunzip->packed - (int64_t)zlib->avail_in,
                    code == Z_BUF_ERROR ? "the file ends early"
                    : zlib->msg != NULL ? zlib->msg : "unknown error");
}

bl_status bl_gunzip_read(bl_stream *stream, void *bytes, size_t n,
                         size_t *got)
{
    bl_gunzip *gunzip = stream->handle;
    z_stream *zlib = &gunzip->zlib;
    uint8_t *to = bytes;
    *got = 0;
    while (*got < n) {
        const uInt room = (uInt)(n - *got < PIECE ? n - *got : PIECE);
        if (zlib->avail_in == 0) BL_TRY(refill(gunzip, stream->place));
        if (zlib->avail_in == 0 && gunzip->whole) break;
        zlib->next_out = to + *got;
        zlib->avail_out = room;
        const int code = inflate(zlib, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END)
            return damaged(gunzip, stream->place, code);
        *got += room - zlib->avail_out;
        gunzip->whole = code == Z_STREAM_END;
        if (gunzip->whole) (void)inflateReset(zlib); /* for another member */
    }
    return BL_OK;
}
