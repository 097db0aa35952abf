/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dataset.c: a whole set as an archive, through bl_dataset_open.  What
 * opens must be fit for training.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ballast/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const bl_dataset *data)
{
    int64_t n_c[256];
    bl_split_counts(data->train, n_c);
    for (int32_t c = 0; c < data->train->n_class; c++)
        if (n_c[c] < 1 || data->class_names[c] == NULL) abort();
    for (int64_t i = 0; i < data->test->n; i++)
        if (data->test->labels[i] >= data->train->n_class) abort();
    if (data->published.c != data->test->c) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/ballast-fuzz-XXXXXX";
    bl_dataset *set = NULL;
    const int descriptor = mkstemp(path);
    if (descriptor < 0) return 0;
    if (write(descriptor, data, size) == (ssize_t)size &&
        bl_dataset_open(&set, path, NULL) == BL_OK)
        check(set);
    bl_dataset_free(set);
    (void)close(descriptor);
    (void)remove(path);
    return 0;
}
