/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixup.c: a weighted mean of two images of a batch.
 *
 *   x_i <- lambda x_i + (1 - lambda) x_perm(i),   lambda ~ Beta(alpha, alpha)
 *   L_i  = lambda L(z_i, y_i) + (1 - lambda) L(z_i, y_perm(i))
 *
 * Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018
 * (arXiv:1710.09412).  As in the authors' code lambda is drawn once a batch
 * and the partners come from a permutation of the batch itself, so that
 * nothing more is loaded.  The network sees mixed images only, and batch-norm
 * with it.
 *
 * Mixing the losses is the same as mixing the labels, since cross-entropy is
 * linear in its target.
 */
#include "mix/mix.h"

void bl_mix_draw_input(bl_mix_draw *draw, const bl_mix_spec *spec, bl_rng *rng)
{
    draw->lambda = bl_mix_beta(spec, rng);
    draw->location = BL_MIX_INPUT;
}

void bl_mix_blend(float *a, const float *b, const bl_mix_spec *spec,
                  const bl_mix_draw *draw)
{
    const int64_t size = (int64_t)spec->h * spec->w * spec->c;
    const float l = (float)draw->lambda, rest = (float)(1 - draw->lambda);
    for (int64_t k = 0; k < size; k++) a[k] = l * a[k] + rest * b[k];
}

const bl_mix_kind bl_mix_mixup = {
    .type = {.name = "mixup",
             .summary = "mean of two images of the batch",
             .paper = "arXiv:1710.09412",
             .parts = 1,
             .inside = 0,
             .equation = "x_i <- lambda x_i + (1 - lambda) x_perm(i), L = "
                         "lambda l(z_i, y_i) + (1 - lambda) l(z_i, "
                         "y_perm(i)), lambda ~ Beta(alpha, alpha)",
             .keys = "mix.alpha"},
    .draw = bl_mix_draw_input,
    .pixels = bl_mix_blend,
};
