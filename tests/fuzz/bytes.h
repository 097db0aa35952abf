/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h: a bl_stream over memory, for the targets that read a format.
 */
#ifndef BL_TESTS_FUZZ_BYTES_H
#define BL_TESTS_FUZZ_BYTES_H

#include <stdint.h>
#include <string.h>

#include "data/source.h"

typedef struct bytes {
    const uint8_t *at;
    size_t left;
} bytes;

static inline bl_status bytes_read(bl_stream *stream, void *to, size_t n,
                                   size_t *got)
{
    bytes *from = stream->handle;
    *got = n < from->left ? n : from->left;
    if (*got > 0) memcpy(to, from->at, *got);
    from->at += *got;
    from->left -= *got;
    return BL_OK;
}

static inline bl_stream bytes_stream(bytes *from)
{
    return (bl_stream){.place = "bytes", .limit = BL_MEMBER_BYTES,
                       .handle = from, .read = bytes_read};
}

#endif
