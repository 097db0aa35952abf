/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_idx.c: IDX images and labels.  The first byte chooses the reader, the
 * others are the file.
 */
#include <stdlib.h>

#include "data/format.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    bytes file = {data + 1, size - 1};
    bl_stream stream = bytes_stream(&file);
    bl_piece piece = {0};
    bl_member_read *const read =
        data[0] % 2 == 0 ? bl_idx_images_read : bl_idx_labels_read;
    if (read(&piece, &stream, 10) == BL_OK) {
        /* Every byte that was promised was there. */
        const uint64_t promised = data[0] % 2 == 0
                                      ? (uint64_t)piece.n_image *
                                            (uint64_t)(piece.h * piece.w) + 16
                                      : (uint64_t)piece.n_label + 8;
        if (promised != size - 1) abort();
    }
    bl_piece_free(&piece);
    return 0;
}
