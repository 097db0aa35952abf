/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h: the files of a data set as streams, whether they lie in a folder,
 * compressed or not, or in an archive.
 */
#ifndef BL_DATA_SOURCE_H
#define BL_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

/** Bytes that a file of a data set may hold, unpacked: fourteen times the
 *  largest official one, CIFAR-100's train.bin; 699,000 records of it. */
#define BL_MEMBER_BYTES (INT64_C(1) << 31)
/** Bytes that an archive may hold, unpacked. */
#define BL_ARCHIVE_BYTES (INT64_C(1) << 34)

/** A file that is read once, from front to back. */
typedef struct bl_stream {
    const char *place; /* for messages: "set/train.bin", "set.tar: train.bin" */
    int64_t limit;     /* bytes it may hold                                   */
    int64_t offset;    /* bytes read so far                                   */
    void *handle;
    /** Reads up to n bytes, less only at the end; *got is set on success. */
    bl_status (*read)(struct bl_stream *stream, void *bytes, size_t n,
                      size_t *got);
} bl_stream;

/** Reads up to n bytes, less only at the end.
 *  Errors BL_EFORMAT if the stream goes beyond its limit, or as its reader. */
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

/** The archive half of bl_source_each: a tar that is plain by now.  All of it
 *  is read, unless take stops it: checksums lie at the end. */
BL_MUST_USE bl_status bl_tar_each(bl_stream *tar, bl_take *take,
                                  void *payload);

/** bl_tar_each of a tar that may be packed by bzip2 or xz. */
BL_MUST_USE bl_status bl_archive_each(bl_stream *archive, bl_take *take,
                                      void *payload);

#endif
