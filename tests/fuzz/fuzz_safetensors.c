/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a safetensors file: refused with a message, or tensors whose
 * every byte can be read.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not bl_file_write, which waits for the disk. */
static void put(const char *path, const uint8_t *data, size_t size)
{
    FILE *const file = fopen(path, "wb");
    if (file == NULL) abort();
    if (fwrite(data, 1, size, file) != size) abort();
    if (fclose(file) != 0) abort();
}

static uint8_t touch(const bl_safetensors *file)
{
    int64_t n = 0;
    uint8_t sum = 0;
    const bl_named_tensor *const list = bl_safetensors_list(file, &n);
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *const bytes = list[i].data;
        for (size_t k = 0; k < list[i].bytes; k++) sum ^= bytes[k];
        if (bl_safetensors_find(file, list[i].name) == NULL) abort();
    }
    (void)bl_safetensors_meta(file, "ballast.xxh3");
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bl_safetensors *file = NULL;
    (void)snprintf(path, sizeof path, "fuzz-safetensors-%ld", (long)getpid());
    put(path, data, size);
    const bl_status status = bl_safetensors_open(&file, path);
    (void)unlink(path);
    if (status == BL_OK) {
        volatile uint8_t sum = touch(file);
        (void)sum;
        bl_safetensors_free(file);
    } else if (bl_error_last()->message[0] == '\0') {
        abort();
    }
    return 0;
}
