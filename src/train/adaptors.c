/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adaptors.c: how BBN's alpha moves from the uniform branch (1) to the
 * re-balancing branch (0), x = (e - 1) / E.
 *
 * Deviates: the authors' code divides by 100 or 200 whatever the number of
 * epochs; here, as in the paper, by the number of epochs, so that alpha
 * reaches about zero in every run.  At 200 epochs both are the same.
 *
 * Source: Zhou et al., CVPR 2020, arXiv:1912.02413, eq. 3 and section 5.5;
 * "separated" stands in their code alone.
 */
#include <math.h>

#include "ballast/train.h"

#define PAPER "arXiv:1912.02413, table 4"

static double parabolic(double x, int64_t e, int64_t E)
{
    (void)e, (void)E;
    return 1 - x * x;
}

static double linear(double x, int64_t e, int64_t E)
{
    (void)e, (void)E;
    return 1 - x;
}

static double cosine(double x, int64_t e, int64_t E)
{
    (void)e, (void)E;
    return cos(x * 1.57079632679489661923);
}

static double equal(double x, int64_t e, int64_t E)
{
    (void)x, (void)e, (void)E;
    return 0.5;
}

static double increment(double x, int64_t e, int64_t E)
{
    (void)e, (void)E;
    return x * x;
}

static double separated(double x, int64_t e, int64_t E)
{
    (void)x;
    return 10 * e <= 6 * E ? 1 : 0;
}

static const bl_adaptor_type *const types[] = {
    &(const bl_adaptor_type){"parabolic", "alpha = 1 - x^2 (the paper's)",
                             PAPER, parabolic, 0},
    &(const bl_adaptor_type){"linear", "alpha = 1 - x", PAPER, linear, 0},
    &(const bl_adaptor_type){"cosine", "alpha = cos(pi x / 2)", PAPER, cosine,
                             0},
    &(const bl_adaptor_type){"equal", "alpha = 0.5", PAPER, equal, 0},
    &(const bl_adaptor_type){"beta", "alpha ~ Beta(0.2, 0.2), anew each step",
                             PAPER, equal, 1},
    &(const bl_adaptor_type){"increment", "alpha = x^2", PAPER, increment, 0},
    &(const bl_adaptor_type){"separated", "alpha = 1 for 0.6 E epochs, then 0",
                             "the authors' code", separated, 0},
    NULL};

const bl_adaptor_type *const *bl_adaptor_types(void)
{
    return types;
}
