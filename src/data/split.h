/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.h: what the readers and the cutters of splits share.
 */
#ifndef BL_DATA_SPLIT_H
#define BL_DATA_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/data.h"

/** Makes a split of zeros to be filled; errors as bl_split_create. */
BL_MUST_USE bl_status bl_split_reserve(bl_split **out, int64_t n, int32_t h,
                                       int32_t w, int32_t c, int32_t n_class);
/** h w c, the bytes of one image. */
size_t bl_split_image_bytes(const bl_split *split);

/** Positions of a split sorted by class; ascending within each. */
typedef struct bl_classes {
    int32_t n_class;
    int64_t *start;  /* [C + 1]: class c has member[start[c] .. start[c + 1]) */
    int64_t *member; /* [n]                                                   */
} bl_classes;

BL_MUST_USE bl_status bl_split_group(bl_classes *out, const bl_split *split);
void bl_classes_free(bl_classes *classes);

#endif
