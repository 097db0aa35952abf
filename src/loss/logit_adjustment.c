/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logit_adjustment.c: the prior is added to the logits while training, so the
 * network need not learn it, and left out at test time.
 *
 *   L = CE(z + tau log pi, y)
 *
 * With tau = 1 this is the balanced softmax, whose authors write log n_c: the
 * two differ by log N, which softmax does not feel.  Over class-balanced
 * samples it would correct twice.  A class without images has log pi = -inf:
 * it takes no part in the loss.
 */
#include "loss/loss.h"

static void add_prior(bl_loss_terms *terms, const bl_loss_setting *with,
                      double tau)
{
    bl_log_prior(terms->b, with->n, with->c);
    for (int32_t j = 0; j < with->c && tau > 0; j++) terms->b[j] *= tau;
    terms->has_b = tau > 0;
}

static bl_status adjust(bl_loss_terms *terms, const bl_loss_setting *with)
{
    add_prior(terms, with, bl_config_real(with->config, "loss.tau"));
    return BL_OK;
}

static bl_status balance(bl_loss_terms *terms, const bl_loss_setting *with)
{
    add_prior(terms, with, 1);
    return BL_OK;
}

const bl_loss_kind bl_loss_logit_adjustment = {
    .type = {.name = "logit-adjustment",
             .summary = "cross-entropy of logits with the prior added",
             .paper = "Menon et al., ICLR 2021, arXiv:2007.07314, eq. 10",
             .equation = "L = CE(z + tau log pi, y)",
             .keys = "loss.tau"},
    .prepare = adjust};

const bl_loss_kind bl_loss_balanced_softmax = {
    .type = {.name = "balanced-softmax",
             .summary = "softmax weighted by the training counts",
             .paper = "Ren et al., NeurIPS 2020, arXiv:2007.10740, eq. 4",
             .equation = "L = CE(z + log n, y)"},
    .prepare = balance};
