/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldam.c: label-distribution-aware margin.
 *
 *   m_c = M (n_min / n_c)^(1/4)
 *   L   = CE(s (cos - [j = y] m_y), y)
 *
 * The rarest class gets the largest margin M.  The margin is taken off the
 * cosine before the scale s multiplies it, and only while training: at test
 * time the cosines are compared as they are.  Needs the normalised
 * classifier, for a margin means nothing beside logits of any size.
 */
#include "loss/loss.h"

#include <math.h>

static bl_status prepare(bl_loss_terms *terms, const bl_loss_setting *with)
{
    const double M = bl_config_real(with->config, "loss.margin");
    const double s = bl_config_real(with->config, "loss.scale");
    int64_t n_max, n_min;
    bl_count_range(with->n, with->c, &n_max, &n_min);
    for (int32_t j = 0; j < with->c; j++) {
        terms->s[j] = s;
        terms->m[j] = with->n[j] > 0
            ? M * pow((double)n_min / (double)with->n[j], 0.25) : 0;
    }
    terms->has_s = terms->has_m = true;
    return BL_OK;
}

const bl_loss_kind bl_loss_ldam = {
    .type = {.name = "ldam",
             .summary = "margins that grow as classes get rarer",
             .paper = "Cao et al., NeurIPS 2019, arXiv:1906.07413, eq. 13",
             .equation = "L = CE(s (cos_j - [j = y] m_j), y), "
                         "m_c = M (n_min / n_c)^(1/4)",
             .keys = "loss.scale loss.margin"},
    .needs_cosine = true,
    .prepare = prepare};
