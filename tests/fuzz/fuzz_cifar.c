/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cifar.c: CIFAR records and lists of class names.  The first byte
 * chooses the reader, the others are the file.
 */
#include <stdlib.h>

#include "data/format.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bl_member_read *const read[] = {bl_cifar10_read, bl_cifar100_read,
                                           bl_names_read};
    if (size < 1) return 0;
    const int which = data[0] % 3;
    bytes file = {data + 1, size - 1};
    bl_stream stream = bytes_stream(&file);
    bl_piece piece = {0};
    char **names = NULL;
    const int32_t n_class = which == 0 ? 10 : 100;
    const bl_status status = read[which](&piece, &stream, n_class);
    for (int64_t i = 0; status == BL_OK && i < piece.n_label; i++)
        if (piece.labels[i] < 0 || piece.labels[i] >= n_class) abort();
    if (status == BL_OK && which == 2 &&
        bl_names_create(&names, "bytes", piece.text, NULL, 3) == BL_OK &&
        (names[2] == NULL || names[3] != NULL))
        abort();
    bl_names_free(names);
    bl_piece_free(&piece);
    return 0;
}
