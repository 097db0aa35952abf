/* SPDX-License-Identifier: Apache-2.0 */
/*
 * normalize.c: bytes to floats of mean zero and deviation one.
 *
 *   x = (v / 255 - mean_k) / std_k        for byte v of channel k
 *
 * A byte has 256 values, so the formula is evaluated 256 times a channel, in
 * double and rounded once, and an image is looked up.  That is as fast as a
 * multiply-add (one load a value either way, the table stays in the first
 * cache) and every path to a float gives the same bits.
 */
#include <math.h>
#include <stddef.h>

#include "data/augment.h"
#include "data/loader.h"

void bl_pixel_table_set(bl_pixel_table *table,
                        const bl_normalization *normalization)
{
    for (int32_t k = 0; k < normalization->c; k++)
        for (int v = 0; v < 256; v++)
            table->of[k][v] = (float)((v / 255.0 - normalization->mean[k]) /
                                      normalization->std[k]);
}

/* The one loop; c and step are constants where it is inlined below. */
static inline void run(float *restrict x, const uint8_t *restrict pixels,
                       int64_t n_px, int32_t c, int step,
                       const bl_pixel_table *restrict table)
{
    for (int64_t i = 0; i < n_px; i++)
        for (int32_t k = 0; k < c; k++)
            x[i * c + k] = table->of[k][pixels[i * step * c + k]];
}

void bl_pixel_run(float *x, const uint8_t *pixels, int64_t n_px, int32_t c,
                  int step, const bl_pixel_table *table)
{
    if (c == 3 && step == 1) run(x, pixels, n_px, 3, 1, table);
    else if (c == 3) run(x, pixels, n_px, 3, -1, table);
    else if (c == 1) run(x, pixels, n_px, 1, step, table);
    else run(x, pixels, n_px, c, step, table);
}

void bl_normalize(float *x, const uint8_t *pixels, int64_t n_px, int32_t c,
                  const bl_normalization *normalization)
{
    bl_pixel_table table;
    bl_pixel_table_set(&table, normalization);
    bl_pixel_run(x, pixels, n_px, c, 1, &table);
}

/* Sums are exact: they are integers below 2^63. */
void bl_split_measure(const bl_split *split, bl_normalization *out)
{
    const int64_t n_px = split->n * split->h * split->w;
    const int32_t c = split->c;
    uint64_t sum[16] = {0}, squares[16] = {0};
    for (int64_t i = 0; i < n_px; i++)
        for (int32_t k = 0; k < c; k++) {
            const uint64_t v = split->pixels[i * c + k];
            sum[k] += v;
            squares[k] += v * v;
        }
    *out = (bl_normalization){.c = c};
    for (int32_t k = 0; k < c; k++) {
        const double mean = (double)sum[k] / (double)n_px;
        const double var = (double)squares[k] / (double)n_px - mean * mean;
        out->mean[k] = mean / 255;
        /* A channel of one value is left as it is: nothing to scale. */
        out->std[k] = var > 1e-9 ? sqrt(var) / 255 : 1;
    }
}
