/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vs.c: logits divided by a power of the counts (CDT), and with the prior
 * added as well (vector scaling).
 *
 *   CDT  L = CE(z_j / a_j, y),                   a_j = (n_max / n_j)^gamma
 *   VS   L = CE(z_j / a_j + tau log pi_j, y)
 *
 * The temperature a makes logits of rare classes small in training, so they
 * must grow; at test time the raw logits are compared.  gamma = 0 leaves
 * logit adjustment, tau = 0 CDT.  A class without images has s = 0 and takes
 * part as a constant; in VS its prior shuts it out.
 */
#include "loss/loss.h"

#include <math.h>

static void divide(bl_loss_terms *terms, const bl_loss_setting *with)
{
    const double gamma = bl_config_real(with->config, "loss.gamma");
    int64_t n_max, n_min;
    bl_count_range(with->n, with->c, &n_max, &n_min);
    for (int32_t j = 0; j < with->c; j++)
        terms->s[j] =
            gamma > 0 ? pow((double)with->n[j] / (double)n_max, gamma) : 1;
    terms->has_s = gamma > 0;
}

static bl_status cdt(bl_loss_terms *terms, const bl_loss_setting *with)
{
    divide(terms, with);
    return BL_OK;
}

static bl_status vs(bl_loss_terms *terms, const bl_loss_setting *with)
{
    divide(terms, with);
    return bl_loss_logit_adjustment.prepare(terms, with);
}

const bl_loss_kind bl_loss_cdt = {
    .type = {.name = "cdt",
             .summary = "class-dependent temperatures on the logits",
             .paper = "Ye et al., arXiv:2001.01385, eq. 5",
             .equation = "L = CE(z_j / a_j, y), a_j = (n_max / n_j)^gamma",
             .keys = "loss.gamma",
             .settings = (const char *const[]){"loss.gamma=0.2", NULL}},
    .prepare = cdt};

const bl_loss_kind bl_loss_vs = {
    .type = {.name = "vs",
             .summary = "vector scaling: temperatures and the prior",
             .paper = "Kini et al., NeurIPS 2021, arXiv:2103.01550, eq. 1",
             .equation = "L = CE(z_j / a_j + tau log pi_j, y), "
                         "a_j = (n_max / n_j)^gamma",
             .keys = "loss.gamma loss.tau",
             .settings = (const char *const[]){"loss.gamma=0.15",
                                               "loss.tau=1.25", NULL}},
    .prepare = vs};
