/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifold.c: mixup of hidden maps.
 *
 *   h_i <- lambda h_i + (1 - lambda) h_perm(i)   at one place of the network
 *
 * Verma et al., "Manifold mixup: better representations by interpolating
 * hidden states", ICML 2019 (arXiv:1806.05236).  The place is drawn each
 * batch from the input, behind stage 1 and behind stage 2, as the authors do
 * for residual networks, or is always the same; "pool", the vector that the
 * classifier sees, is a choice of later code.
 *
 * At the input the loader mixes, as in mixup.c.  At any other place it hands
 * the images out as they are, with lambda and the permutation, and the
 * network mixes.  Deviates: the loss is cross-entropy with soft labels, where
 * the authors' code takes binary cross-entropy of softmax outputs.
 */
#include "mix/mix.h"

void bl_mix_draw_inside(bl_mix_draw *draw, const bl_mix_spec *spec,
                        bl_rng *rng)
{
    draw->location = spec->layer == BL_MIX_RANDOM
                         ? (int32_t)bl_rng_below(rng, BL_MIX_STAGE2 + 1)
                         : spec->layer;
    draw->lambda = bl_mix_beta(spec, rng);
}

const bl_mix_kind bl_mix_manifold = {
    .type = {.name = "manifold",
             .summary = "mean of two images' hidden maps",
             .paper = "arXiv:1806.05236",
             .parts = 1,
             .inside = 1,
             .equation = "h_i <- lambda h_i + (1 - lambda) h_perm(i), L = "
                         "lambda l(z_i, y_i) + (1 - lambda) l(z_i, "
                         "y_perm(i)), lambda ~ Beta(alpha, alpha)",
             .keys = "mix.alpha mix.layer"},
    .draw = bl_mix_draw_inside,
    .pixels = bl_mix_blend,
};
