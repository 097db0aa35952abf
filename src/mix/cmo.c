/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmo.c: a patch of a rare image on the background of a common one.
 *
 *   x_i <- (1 - M) x_i + M x'_i,   M = 1 inside a box
 *   L_i  = lambda L(z_i, y_i) + (1 - lambda) L(z_i, y'_i)
 *   lambda = 1 - area of the box / area of the image
 *
 * x from the run's sampler, x' from one that favours the tail: the context of
 * the head serves the few images of the tail.  Park et al., "The majority can
 * help the minority: context-rich minority oversampling for long-tailed
 * classification", CVPR 2022 (arXiv:2112.00412), over CutMix of Yun et al.,
 * ICCV 2019 (arXiv:1905.04899).
 *
 * The box, one a batch, is CutMix's: l ~ Beta(alpha, alpha), sides sqrt(1 - l)
 * of height and width, rounded down to an even number of pixels, the centre
 * uniform over all pixels, cut at the borders.  lambda is then what the cut
 * box leaves, not l.
 */
#include "mix/mix.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Where a side of 2 `half` px about a centre lies within [0, extent). */
static void clip(int32_t *from, int32_t *length, int32_t centre, int32_t half,
                 int32_t extent)
{
    const int32_t to = centre < extent - half ? centre + half : extent;
    *from = centre > half ? centre - half : 0;
    *length = to - *from;
}

static void draw_box(bl_mix_draw *draw, const bl_mix_spec *spec, bl_rng *rng)
{
    const double side = sqrt(1 - bl_mix_beta(spec, rng));
    const int32_t y = (int32_t)bl_rng_below(rng, (uint64_t)spec->h);
    const int32_t x = (int32_t)bl_rng_below(rng, (uint64_t)spec->w);
    bl_mix_box *const box = &draw->box;
    clip(&box->top, &box->height, y, (int32_t)(spec->h * side) / 2, spec->h);
    clip(&box->left, &box->width, x, (int32_t)(spec->w * side) / 2, spec->w);
    draw->location = BL_MIX_INPUT;
    draw->lambda = 1 - (double)box->height * box->width /
                           ((double)spec->h * spec->w);
}

static void paste(float *a, const float *b, const bl_mix_spec *spec,
                  const bl_mix_draw *draw)
{
    const bl_mix_box *const box = &draw->box;
    const size_t bytes = (size_t)box->width * (size_t)spec->c * sizeof *a;
    for (int64_t row = box->top; row < box->top + box->height; row++) {
        const int64_t at = (row * spec->w + box->left) * spec->c;
        memcpy(a + at, b + at, bytes);
    }
}

const bl_mix_kind bl_mix_cmo = {
    .type = {.name = "cmo",
             .summary = "patch of a rare image on a common background",
             .paper = "arXiv:2112.00412",
             .parts = 2,
             .inside = 0,
             .equation = "x_i <- x_i outside a box, x'_i inside; L = lambda "
                         "l(z_i, y_i) + (1 - lambda) l(z_i, y'_i), lambda = "
                         "1 - area of the box / area of the image",
             .keys = "mix.alpha mix.sampler"},
    .draw = draw_box,
    .pixels = paste,
};
