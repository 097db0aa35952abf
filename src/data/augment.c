/* SPDX-License-Identifier: Apache-2.0 */
/*
 * augment.c: the crop, mirror and Cutout of CIFAR training.
 *
 * Pad with black, cut a window of the image's own size out at random, mirror
 * it every second time (Krizhevsky's recipe, as every code for CIFAR-LT has
 * it).  The padding is black *before* normalisation: a padded pixel becomes
 * -mean / std and not zero.
 *
 * The padded image is never made.  A row of the window is black, or it is
 * black on the left, a run of the image, black on the right; mirrored, the
 * same three from the other end.  Bytes and floats are written by the same
 * walk; floats without a detour over bytes, because most runs need no more.
 */
#include "data/augment.h"

#include <stddef.h>
#include <string.h>

bl_crop bl_crop_draw(bl_rng *rng, int32_t pad, int flip)
{
    bl_crop crop = {0};
    const uint64_t places = 2 * (uint64_t)pad + 1;
    crop.top = (int32_t)bl_rng_below(rng, places);
    crop.left = (int32_t)bl_rng_below(rng, places);
    crop.mirrored = flip && bl_rng_below(rng, 2) == 1;
    return crop;
}

/* n_px black pixels; gives the place behind them. */
static float *black(float *x, int64_t n_px, int32_t c,
                    const bl_pixel_table *table)
{
    for (int64_t i = 0; i < n_px; i++)
        for (int32_t k = 0; k < c; k++) *x++ = table->of[k][0];
    return x;
}

static int32_t clamp(int64_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : (int32_t)v;
}

/* The columns of a window that lie on the image, and where they come from. */
typedef struct span {
    int32_t left, inside; /* columns of black before them; how many     */
    int32_t from;         /* column of the image that is read first     */
} span;

static span span_of(int32_t w, int32_t pad, bl_crop crop)
{
    /* Columns [first, end) of the window lie on the image; its column j is
     * the image's j + shift. */
    const int32_t shift = crop.left - pad;
    const int32_t first = clamp(-shift, 0, w), end = clamp(w - shift, 0, w);
    const int32_t inside = end > first ? end - first : 0;
    return (span){.left = crop.mirrored ? w - first - inside : first,
                  .inside = inside,
                  .from = (crop.mirrored ? end - 1 : first) + shift};
}

void bl_crop_apply(float *x, const uint8_t *pixels, int32_t h, int32_t w,
                   int32_t c, int32_t pad, bl_crop crop,
                   const bl_pixel_table *table)
{
    const span s = span_of(w, pad, crop);
    for (int32_t i = 0; i < h; i++) {
        const int32_t row = i + crop.top - pad;
        const int on_image = row >= 0 && row < h && s.inside > 0;
        x = black(x, on_image ? s.left : w, c, table);
        if (!on_image) continue;
        bl_pixel_run(x, pixels + ((ptrdiff_t)row * w + s.from) * c, s.inside,
                     c, crop.mirrored ? -1 : 1, table);
        x = black(x + (ptrdiff_t)s.inside * c, w - s.left - s.inside, c,
                  table);
    }
}

/* n_px pixels from the one given on, to the right or (step -1) to the left. */
static void copy_run(uint8_t *restrict out, const uint8_t *restrict pixels,
                     int32_t n_px, int32_t c, int step)
{
    if (step == 1) {
        memcpy(out, pixels, (size_t)n_px * (size_t)c);
        return;
    }
    for (ptrdiff_t i = 0; i < n_px; i++)
        for (ptrdiff_t k = 0; k < c; k++) out[i * c + k] = pixels[k - i * c];
}

void bl_crop_pixels(uint8_t *restrict out, const uint8_t *restrict pixels,
                    int32_t h, int32_t w, int32_t c, int32_t pad,
                    bl_crop crop)
{
    const span s = span_of(w, pad, crop);
    const ptrdiff_t bytes = (ptrdiff_t)w * c;
    memset(out, 0, (size_t)h * (size_t)bytes);
    if (s.inside == 0) return;
    for (int32_t i = 0; i < h; i++) {
        const int32_t row = i + crop.top - pad;
        if (row < 0 || row >= h) continue;
        copy_run(out + i * bytes + (ptrdiff_t)s.left * c,
                 pixels + ((ptrdiff_t)row * w + s.from) * c, s.inside, c,
                 crop.mirrored ? -1 : 1);
    }
}

bl_hole bl_hole_draw(bl_rng *rng, int32_t h, int32_t w)
{
    bl_hole hole = {0};
    hole.row = (int32_t)bl_rng_below(rng, (uint64_t)h);
    hole.column = (int32_t)bl_rng_below(rng, (uint64_t)w);
    return hole;
}

void bl_hole_apply(uint8_t *pixels, int32_t h, int32_t w, int32_t c,
                   int32_t side, bl_hole hole)
{
    const int64_t top = hole.row - side / 2, left = hole.column - side / 2;
    const int32_t first = clamp(left, 0, w), end = clamp(left + side, 0, w);
    const int32_t bottom = clamp(top + side, 0, h);
    for (int32_t i = clamp(top, 0, h); i < bottom; i++)
        memset(pixels + ((ptrdiff_t)i * w + first) * c, 0,
               (size_t)(end - first) * (size_t)c);
}
