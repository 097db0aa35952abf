/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h: the files of a data set as streams, whether they lie in a folder,
 * compressed or not, or in an archive.
 */
#ifndef BL_DATA_SOURCE_H
#define BL_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ballast/status.h"

/** A file that is read once, from front to back. */
typedef struct bl_stream {
    const char *place; /* for messages: "set/train.bin", "set.tar: train.bin" */
    int64_t offset;    /* bytes read so far                                   */
    void *handle;
    /** Reads up to n bytes, less only at the end; *got is set on success. */
    bl_status (*read)(struct bl_stream *stream, void *bytes, size_t n,
                      size_t *got);
} bl_stream;

/** Reads up to n bytes, less only at the end.
 *  Errors BL_EFORMAT if the stream goes beyond 16 GiB, or as its reader. */
BL_MUST_USE bl_status bl_stream_read(bl_stream *stream, void *bytes, size_t n,
                                     size_t *got);
/** Reads n bytes; BL_EFORMAT "place: ends at byte X, wanted Y". */
BL_MUST_USE bl_status bl_stream_fill(bl_stream *stream, void *bytes, size_t n);
/** Demands the end; reading it also verifies a gzip file's checksum. */
BL_MUST_USE bl_status bl_stream_end(bl_stream *stream);

/** Called with a file: name is its last part without ".gz".  BL_END stops. */
typedef bl_status bl_take(void *payload, const char *name, bl_stream *stream);

/** Gives each of `names` that a folder holds, plain or as name.gz, in the order
 *  of names; or every regular file of an archive, in its order.
 *
 * Shapes   names: NULL-terminated.
 * Gives    BL_OK, BL_END if take stopped it.
 */
BL_MUST_USE bl_status bl_source_each(const char *path,
                                     const char *const *names, bl_take *take,
                                     void *payload);

/** The archive half of bl_source_each: tar, plain or by gzip, bzip2 or xz.
 *  file: path, open for reading. */
BL_MUST_USE bl_status bl_archive_each(const char *path, FILE *file,
                                      bl_take *take, void *payload);

#endif
