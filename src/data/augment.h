/* SPDX-License-Identifier: Apache-2.0 */
/*
 * augment.h: an image of 8 bits becomes a normalised image of floats, cropped
 * and mirrored as drawn; or it is cropped, mirrored and blackened in 8 bits,
 * for what must happen in between.
 */
#ifndef BL_DATA_AUGMENT_H
#define BL_DATA_AUGMENT_H

#include <stdint.h>

#include "ballast/data.h"
#include "ballast/rng.h"

/** Normalised value of each byte in each channel. */
typedef struct bl_pixel_table {
    float of[16][256]; // [c][byte]
} bl_pixel_table;

/** of[k][v] = (v / 255 - mean_k) / std_k, in double and rounded once. */
void bl_pixel_table_set(bl_pixel_table *table,
                        const bl_normalization *normalization);

/** Normalises n_px pixels: x, pixels [n_px][c].  A step of -1 walks pixels
 *  backwards from the one given. */
void bl_pixel_run(float *x, const uint8_t *pixels, int64_t n_px, int32_t c,
                  int step, const bl_pixel_table *table);

/** Where an image is cut out of its padded self, and whether it is mirrored:
 *  (0, 0) is the upper left corner of the padding. */
typedef struct bl_crop {
    int32_t top, left; /* px, in [0, 2 pad] */
    int mirrored;
} bl_crop;

/** Draws top, then left, then the mirror bit (zero where flip is zero). */
bl_crop bl_crop_draw(bl_rng *rng, int32_t pad, int flip);

/** Writes one image x [h][w][c] from pixels [h][w][c]; the padding is zero
 *  before normalisation. */
void bl_crop_apply(float *x, const uint8_t *pixels, int32_t h, int32_t w,
                   int32_t c, int32_t pad, bl_crop crop,
                   const bl_pixel_table *table);

/** The same window before normalisation: out and pixels [h][w][c], apart. */
void bl_crop_pixels(uint8_t *restrict out, const uint8_t *restrict pixels,
                    int32_t h, int32_t w, int32_t c, int32_t pad,
                    bl_crop crop);

/** Where Cutout's square has its centre. */
typedef struct bl_hole {
    int32_t row, column;
} bl_hole;

/** Draws row, then column, uniform over the image's pixels. */
bl_hole bl_hole_draw(bl_rng *rng, int32_t h, int32_t w);

/** Blackens rows row - side / 2 ... + side - 1 and the same columns, where
 *  they lie on the image: pixels [h][w][c].
 *
 * Source   DeVries, Taylor: Improved Regularization of Convolutional Neural
 *          Networks with Cutout, arXiv:1708.04552.
 * Deviates from the authors' code where side is odd: theirs is side - 1 then.
 */
void bl_hole_apply(uint8_t *pixels, int32_t h, int32_t w, int32_t c,
                   int32_t side, bl_hole hole);

#endif
