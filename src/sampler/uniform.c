/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uniform.c: any image with equal probability, with replacement.
 *
 * Classes keep their natural frequency n_c / N as under `permutation`, but
 * draws are independent: an epoch misses about 1 / e of the images and meets
 * others twice.  BBN's ablation calls this "uniform sampler" where it feeds
 * the re-balancing branch (Zhou et al., CVPR 2020, arXiv:1912.02413, table 3).
 */
#include "sampler/sampler.h"

#include <stddef.h>

const bl_sampler_type bl_sampler_uniform = {
    .name = "uniform",
    .summary = "any image alike, with replacement",
    .paper = "arXiv:1912.02413",
    .equation = "P(i) = 1 / N",
    .class_weight = NULL,
    .permutes = 0,
};
