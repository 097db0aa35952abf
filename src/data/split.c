/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c: n labelled images in memory.
 *
 * Pixels stay the 8-bit values of the file, in the order [n][h][w][c], one
 * block for the whole split: CIFAR is 184 MB so, where floats would be 737 MB,
 * and an image is found by one multiplication.
 *
 * The fingerprint chains XXH3-64 over shape, labels and pixels: the hash of one
 * part is the seed of the next.  Integers are hashed as they lie in memory, so
 * it compares data on machines of one byte order.
 */
#include "data/split.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "core/error.h"
#include "core/group.h"
#include "core/mem.h"

enum { MAX_CHANNEL = sizeof ((bl_normalization *)0)->mean / sizeof (double) };

bl_status bl_split_reserve(bl_split **out, int64_t n, int32_t h, int32_t w,
                           int32_t c, int32_t n_class)
{
    bl_split *split = NULL;
    bl_status status = BL_OK;
    size_t bytes = 0;
    if (n < 1 || h < 1 || w < 1 || c < 1 || n_class < 1)
        return BL_RAISE(BL_EINVAL, "split of %" PRId64 " images, %" PRId32
                        " x %" PRId32 " x %" PRId32 ", %" PRId32 " classes: "
                        "wanted each >= 1", n, h, w, c, n_class);
    if (c > MAX_CHANNEL)
        return BL_RAISE(BL_EINVAL, "split of %" PRId32 " channels, wanted "
                        "<= %d", c, MAX_CHANNEL);
    BL_TRY(bl_size_mul(&bytes, (int64_t)h * w, (size_t)c));
    BL_TRY(bl_calloc(&split, 1, sizeof *split));
    *split = (bl_split){.n = n, .h = h, .w = w, .c = c, .n_class = n_class};
    BL_CHECK(bl_calloc(&split->pixels, n, bytes));
    BL_CHECK(bl_calloc(&split->labels, n, sizeof *split->labels));
    *out = split;
    split = NULL;
done:
    bl_split_free(split);
    return status;
}

size_t bl_split_image_bytes(const bl_split *split)
{
    return (size_t)split->h * (size_t)split->w * (size_t)split->c;
}

bl_status bl_split_create(bl_split **out, int64_t n, int32_t h, int32_t w,
                          int32_t c, int32_t n_class, const uint8_t *pixels,
                          const int32_t *labels)
{
    bl_split *split = NULL;
    BL_TRY(bl_split_reserve(&split, n, h, w, c, n_class));
    for (int64_t i = 0; i < n; i++) {
        if (labels[i] >= 0 && labels[i] < n_class) continue;
        bl_split_free(split);
        return BL_RAISE(BL_EINVAL, "label %" PRId64 " is %" PRId32
                        ", wanted [0, %" PRId32 "]", i, labels[i],
                        n_class - 1);
    }
    memcpy(split->labels, labels, (size_t)n * sizeof *labels);
    memcpy(split->pixels, pixels, (size_t)n * bl_split_image_bytes(split));
    *out = split;
    return BL_OK;
}

void bl_split_free(bl_split *split)
{
    if (split == NULL) return;
    bl_free(split->pixels);
    bl_free(split->labels);
    bl_free(split);
}

bl_status bl_split_subset(bl_split **out, const bl_split *split,
                          const int64_t *index, int64_t n)
{
    bl_split *subset = NULL;
    const size_t bytes = bl_split_image_bytes(split);
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= split->n)
            return BL_RAISE(BL_EINVAL, "subset: position %" PRId64 " is %"
                            PRId64 ", wanted [0, %" PRId64 "]", i, index[i],
                            split->n - 1);
    BL_TRY(bl_split_reserve(&subset, n, split->h, split->w, split->c,
                            split->n_class));
    for (int64_t i = 0; i < n; i++) {
        memcpy(subset->pixels + (size_t)i * bytes,
               split->pixels + (size_t)index[i] * bytes, bytes);
        subset->labels[i] = split->labels[index[i]];
    }
    *out = subset;
    return BL_OK;
}

void bl_split_counts(const bl_split *split, int64_t *n_c)
{
    memset(n_c, 0, (size_t)split->n_class * sizeof *n_c);
    for (int64_t i = 0; i < split->n; i++) n_c[split->labels[i]]++;
}

uint64_t bl_split_fingerprint(const bl_split *split)
{
    const int64_t shape[] = {split->n, split->h, split->w, split->c,
                             split->n_class};
    const size_t n = (size_t)split->n;
    uint64_t hash = XXH3_64bits(shape, sizeof shape);
    hash = XXH3_64bits_withSeed(split->labels, n * sizeof *split->labels,
                                hash);
    return XXH3_64bits_withSeed(split->pixels,
                                n * bl_split_image_bytes(split), hash);
}

bl_status bl_split_group(bl_classes *out, const bl_split *split)
{
    bl_classes g = {.n_class = split->n_class};
    bl_status status = BL_OK;
    BL_CHECK(bl_calloc(&g.start, (int64_t)split->n_class + 1,
                       sizeof *g.start));
    BL_CHECK(bl_calloc(&g.member, split->n, sizeof *g.member));
    bl_group(g.start, g.member, split->labels, split->n, split->n_class);
    *out = g;
    g = (bl_classes){0};
done:
    bl_classes_free(&g);
    return status;
}

void bl_classes_free(bl_classes *classes)
{
    bl_free(classes->start);
    bl_free(classes->member);
    *classes = (bl_classes){0};
}
