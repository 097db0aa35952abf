/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifold_two.c: manifold mixup between two samplers.
 *
 *   h_i <- lambda h_i + (1 - lambda) h'_i   at one place of the network
 *
 * h of image i of the run's sampler, h' of image i of a second sampler: each
 * batch of natural frequency is mixed with one that favours the tail, and no
 * permutation is drawn.  A baseline of BBN (Zhou et al., CVPR 2020,
 * arXiv:1912.02413, table 1), of which it says no more than that the two
 * samplers are its own; hence the second is `reversed` unless told otherwise.
 *
 * Places and lambda as in manifold.c.  At the input the loader mixes and hands
 * out one image a sample; at any other place it hands out both parts.
 */
#include "mix/mix.h"

const bl_mix_kind bl_mix_manifold_two = {
    .type = {.name = "manifold-two",
             .summary = "hidden maps of two samplers' images",
             .paper = "arXiv:1912.02413",
             .parts = 2,
             .inside = 1,
             .equation = "h_i <- lambda h_i + (1 - lambda) h'_i, L = lambda "
                         "l(z_i, y_i) + (1 - lambda) l(z_i, y'_i), lambda ~ "
                         "Beta(alpha, alpha)",
             .keys = "mix.alpha mix.layer mix.sampler"},
    .draw = bl_mix_draw_inside,
    .pixels = bl_mix_blend,
};
