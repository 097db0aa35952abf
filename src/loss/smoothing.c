/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smoothing.c: label-aware smoothing.
 *
 *   e_c = e_K + (e_1 - e_K) sin(pi (n_c - n_K) / (2 (n_1 - n_K)))
 *   L   = (1 - e_y) (-log p_y) + e_y mean_j (-log p_j)
 *
 * Head classes, of which networks are too sure, are smoothed most.  e_1 is
 * the smoothing of the largest class, e_K that of the smallest.  The share
 * e_y is spread over all classes as in the authors' code; their paper spreads
 * it over the other ones.
 */
#include "loss/loss.h"

#include <math.h>

static bl_status prepare(bl_loss_terms *terms, const bl_loss_setting *with)
{
    const double half_pi = 1.57079632679489661923;
    const double e_1 = bl_config_real(with->config, "loss.smooth-head");
    const double e_K = bl_config_real(with->config, "loss.smooth-tail");
    int64_t n_1, n_K;
    bl_count_range(with->n, with->c, &n_1, &n_K);
    for (int32_t j = 0; j < with->c; j++) {
        const double above = with->n[j] > n_K ? (double)(with->n[j] - n_K) : 0;
        const double x = n_1 > n_K ? above / (double)(n_1 - n_K) : 1;
        terms->e[j] = e_K + (e_1 - e_K) * sin(half_pi * x);
    }
    terms->has_e = true;
    return BL_OK;
}

const bl_loss_kind bl_loss_smoothing = {
    .type = {.name = "label-aware-smoothing",
             .summary = "labels smoothed more for larger classes",
             .paper = "Zhong et al., CVPR 2021 (MiSLAS), arXiv:2104.00466, "
                      "eq. 3 and 6",
             .equation = "L = (1 - e_y) (-log p_y) + e_y mean_j (-log p_j), "
                         "e_c = e_K + (e_1 - e_K) sin(pi (n_c - n_K) / "
                         "(2 (n_1 - n_K)))",
             .keys = "loss.smooth-head loss.smooth-tail"},
    .prepare = prepare};
