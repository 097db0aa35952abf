/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balanced.c: a class with equal probability, then an image of it.
 *
 *   p_c = 1 / C,   image uniform in its class, with replacement
 *
 * Class-balanced sampling, known as re-sampling (RS) and, where it begins
 * late in training, as deferred re-sampling (DRS).  An image of a tail class
 * is seen n_max / n_c times as often as one of the head.  Kang et al., ICLR
 * 2020 (arXiv:1910.09217, equation 1 with q = 0) compare it with others.
 */
#include "sampler/sampler.h"

static double weight(const bl_class_view *view)
{
    (void)view;
    return 1.0;
}

const bl_sampler_type bl_sampler_balanced = {
    .name = "balanced",
    .summary = "class uniform, then image, with replacement",
    .paper = "arXiv:1910.09217",
    .equation = "P(c) = 1 / C",
    .class_weight = weight,
    .permutes = 0,
};
