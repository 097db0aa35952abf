/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqrt.c: a class by the square root of its count, then an image of it.
 *
 *   p_c = sqrt(n_c) / sum_j sqrt(n_j),   image uniform in its class
 *
 * Half way between natural frequency and balance: a tail class is met more
 * often, and its few images are not repeated as much as `balanced` repeats
 * them.  Square-root sampling of Mahajan et al., "Exploring the limits of
 * weakly supervised pretraining", ECCV 2018 (arXiv:1805.00932, section 2.2),
 * which follows word2vec; Kang et al., ICLR 2020 (arXiv:1910.09217, equation 1
 * with q = 1/2) compare it with others.  A class without images has weight
 * zero and is never drawn.
 */
#include "sampler/sampler.h"

#include <math.h>

static double weight(const bl_class_view *view)
{
    return sqrt((double)view->n);
}

const bl_sampler_type bl_sampler_sqrt = {
    .name = "sqrt",
    .summary = "class by root of frequency, then image",
    .paper = "arXiv:1805.00932",
    .equation = "P(c) = sqrt(n_c) / sum_j sqrt(n_j)",
    .class_weight = weight,
};
