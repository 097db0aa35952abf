/* SPDX-License-Identifier: Apache-2.0 */
/*
 * augment.c: the crop and mirror of CIFAR training.
 *
 * Pad with black, cut a window of the image's own size out at random, mirror
 * it every second time (Krizhevsky's recipe, as every code for CIFAR-LT has
 * it).  The padding is black *before* normalisation: a padded pixel becomes
 * -mean / std and not zero.
 *
 * The padded image is never made.  A row of the window is black, or it is
 * black on the left, a run of the image, black on the right; mirrored, the
 * same three from the other end.
 */
#include "data/augment.h"

#include <stddef.h>

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

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

void bl_crop_apply(float *x, const uint8_t *pixels, int32_t h, int32_t w,
                   int32_t c, int32_t pad, bl_crop crop,
                   const bl_pixel_table *table)
{
    /* Columns [first, end) of the window lie on the image; its column j is
     * the image's j + shift. */
    const int32_t shift = crop.left - pad;
    const int32_t first = clamp(-shift, 0, w), end = clamp(w - shift, 0, w);
    const int32_t inside = end > first ? end - first : 0;
    const int32_t left = crop.mirrored ? w - first - inside : first;
    const int32_t from = crop.mirrored ? end - 1 : first; /* read first */
    for (int32_t i = 0; i < h; i++) {
        const int32_t row = i + crop.top - pad;
        const int on_image = row >= 0 && row < h && inside > 0;
        x = black(x, on_image ? left : w, c, table);
        if (!on_image) continue;
        bl_pixel_run(x, pixels + ((ptrdiff_t)row * w + from + shift) * c,
                     inside, c, crop.mirrored ? -1 : 1, table);
        x = black(x + (ptrdiff_t)inside * c, w - left - inside, c, table);
    }
}
