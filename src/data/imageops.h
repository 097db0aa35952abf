/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imageops.h: what AutoAugment does to an image of 8 bits.
 *
 * Every operation is a bl_image_op: it reads `in`, writes all of `out`, and
 * takes one real, whose meaning is said below.  Results are Pillow's to the
 * byte (Checked: tests/golden/data/imageops.safetensors).
 */
#ifndef BL_DATA_IMAGEOPS_H
#define BL_DATA_IMAGEOPS_H

#include <stdint.h>

/** Extents of an image [h][w][c]: h, w >= 1; c is 1 (grey) or 3 (RGB). */
typedef struct bl_image_size {
    int32_t h, w, c;
} bl_image_size;

/** Writes an operation's image; in and out [h][w][c] do not overlap.
 *
 * Needs    value finite, |value| <= 1000.
 */
typedef void bl_image_op(uint8_t *restrict out, const uint8_t *restrict in,
                         bl_image_size size, double value);

/* ---- where pixels lie: nearest neighbour, grey 128 from outside ---------- */

/** Shows (column + value * row, row), pixel centres at halves. */
bl_image_op bl_image_shear_x;
/** Shows (column, row + value * column). */
bl_image_op bl_image_shear_y;
/** Shows (column + value * w, row): value is a part of the width. */
bl_image_op bl_image_translate_x;
/** Shows (column, row + value * h). */
bl_image_op bl_image_translate_y;
/** Turns by value degrees about the centre, counter-clockwise. */
bl_image_op bl_image_rotate;

/* ---- enhancement: value 1 gives the image, 0 what stands in brackets ----- */

/** Saturation (the grey image); an image of one channel stays as it is. */
bl_image_op bl_image_color;
/** Contrast (the mean luminance everywhere). */
bl_image_op bl_image_contrast;
/** Brightness (black). */
bl_image_op bl_image_brightness;
/** Sharpness (the image smoothed, but for its border of one pixel). */
bl_image_op bl_image_sharpness;

/* ---- each byte by itself ------------------------------------------------- */

/** Keeps the upper `value` bits, rounded and held within [1, 8]. */
bl_image_op bl_image_posterize;
/** Inverts what is not below `value`. */
bl_image_op bl_image_solarize;
/** Inverts; value is not read. */
bl_image_op bl_image_invert;

/* ---- each channel by its histogram; value is not read -------------------- */

/** Stretches each channel to 0 ... 255; one of a single value stays. */
bl_image_op bl_image_autocontrast;
/** Levels each channel's histogram. */
bl_image_op bl_image_equalize;

#endif
