/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reversed.c: the rarer a class, the likelier it is.
 *
 *   w_c = n_max / n_c,   p_c = w_c / sum_j w_j,   image uniform in its class
 *
 * The sampler of BBN's re-balancing branch (Zhou et al., "BBN:
 * Bilateral-branch network with cumulative learning for long-tailed visual
 * recognition", CVPR 2020, arXiv:1912.02413, section 4.2).  This goes beyond
 * balance on purpose: on CIFAR-10 cut to 100 : 1, four draws of ten come from
 * the class of 50 images.  Only the ratio of counts matters, n_max cancels; it
 * is kept to show the paper's letters.
 */
#include "sampler/sampler.h"

static double weight(const bl_class_view *view)
{
    return (double)view->n_max / (double)view->n;
}

const bl_sampler_type bl_sampler_reversed = {
    .name = "reversed",
    .summary = "class by inverse frequency, then image (BBN)",
    .paper = "arXiv:1912.02413",
    .equation = "P(c) = (1 / n_c) / sum_j (1 / n_j)",
    .class_weight = weight,
    .permutes = 0,
};
