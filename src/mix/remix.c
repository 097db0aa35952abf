/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remix.c: mixup whose labels lean to the rarer class.
 *
 * Pixels as in mixup.c.  For an image of a class of n_a training images mixed
 * with one of n_b, the share of the first label is
 *
 *   0        if n_a / n_b >= kappa      and  lambda < tau
 *   1        if n_a / n_b <= 1 / kappa  and  1 - lambda < tau
 *   lambda   otherwise
 *
 * so that a picture with enough of a tail class in it is called by that class
 * alone, and the boundary moves towards the head.  Chou et al., "Remix:
 * rebalanced mixup", ECCV 2020 workshops (arXiv:2007.03943, equation 7), with
 * kappa = 3 and tau = 0.5.
 *
 * The rule looks at each pair; averaging its outcome over a batch, as some
 * code does, undoes it.  Deviates: nothing.
 */
#include "mix/mix.h"

#include <stddef.h>

#include "core/error.h"

static bl_status check(const bl_mix_spec *spec)
{
    if (!(spec->kappa >= 1))
        return BL_RAISE(BL_EINVAL, "mix.kappa: %g, wanted 1 or above",
                        spec->kappa);
    if (!(spec->tau >= 0 && spec->tau <= 1))
        return BL_RAISE(BL_EINVAL, "mix.tau: %g, wanted 0 to 1", spec->tau);
    if (spec->train_n == NULL)
        return BL_RAISE(BL_EINVAL, "mix remix: no counts of classes");
    return BL_OK;
}

static double weight(const bl_mix_spec *spec, const bl_mix_draw *draw,
                     int32_t y_0, int32_t y_1)
{
    const double n_a = (double)spec->train_n[y_0];
    const double n_b = (double)spec->train_n[y_1];
    const double l = draw->lambda;
    if (n_a >= spec->kappa * n_b && l < spec->tau) return 0;
    if (spec->kappa * n_a <= n_b && 1 - l < spec->tau) return 1;
    return l;
}

const bl_mix_kind bl_mix_remix = {
    .type = {.name = "remix",
             .summary = "mixup, labels lean to the rarer class",
             .paper = "arXiv:2007.03943",
             .parts = 1,
             .inside = 0,
             .equation = "as mixup; lambda of the labels is 0 where n_a / "
                         "n_b >= kappa and lambda < tau, 1 where n_a / n_b "
                         "<= 1 / kappa and 1 - lambda < tau; n_a, n_b the "
                         "n_c of y_i, y_perm(i)",
             .keys = "mix.alpha mix.kappa mix.tau"},
    .check = check,
    .draw = bl_mix_draw_input,
    .pixels = bl_mix_blend,
    .weight = weight,
};
