/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c: a counting sort.
 *
 * While it runs, start[c + 1] is the next free place of class c; afterwards
 * it is the end of c, which is the start of c + 1.  So it needs no memory
 * beside its results.
 */
#include "core/group.h"

#include <string.h>

void bl_group(int64_t *start, int64_t *member, const int32_t *labels,
              int64_t n, int32_t n_class)
{
    int64_t before = 0;
    memset(start, 0, ((size_t)n_class + 1) * sizeof *start);
    for (int64_t i = 0; i < n; i++) start[labels[i] + 1]++;
    for (int32_t c = 0; c < n_class; c++) {
        const int64_t n_c = start[c + 1];
        start[c + 1] = before;
        before += n_c;
    }
    for (int64_t i = 0; i < n; i++) member[start[labels[i] + 1]++] = i;
}
