/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gunzip.h: a gzip file as a stream.
 */
#ifndef BL_DATA_GUNZIP_H
#define BL_DATA_GUNZIP_H

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#include "data/source.h"

/** A gzip file being unpacked; zero-initialise, and leave where it is. */
typedef struct bl_gunzip {
    FILE *file;             /* borrowed                             */
    z_stream zlib;
    int whole;              /* what was unpacked ends with a member */
    int64_t packed;         /* bytes read of file                   */
    uint8_t bytes[1 << 14]; /* of which zlib has yet to take some   */
} bl_gunzip;

/** Begins at the front of file; place is for messages. */
BL_MUST_USE bl_status bl_gunzip_begin(bl_gunzip *gunzip, FILE *file,
                                      const char *place);
/** The read of a bl_stream whose handle is a bl_gunzip.
 *
 * Gives    the end only where the file ends as well, right behind a member
 *          whose checksum and size were right.
 * Errors   BL_EFORMAT "place: packed byte X: what was found, wanted ...".
 */
bl_status bl_gunzip_read(bl_stream *stream, void *bytes, size_t n,
                         size_t *got);
/** Also for one that never began. */
void bl_gunzip_end(bl_gunzip *gunzip);

#endif
