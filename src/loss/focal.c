/* SPDX-License-Identifier: Apache-2.0 */
/*
 * focal.c: well-classified images count less.
 *
 * Two forms go by one name.  The softmax form weighs cross-entropy by
 * (1 - p_y)^gamma (LDAM's code, BBN's row "Focal"); the sigmoid form is C
 * detectors, one against all, as the loss was published and as
 * class-balanced focal loss uses it.  Both divide by the batch, not by the
 * sum of weights.  LDAM's code takes p from the weighted loss when there are
 * weights; here p is the probability.
 */
#include "loss/loss.h"

static bl_status softmax(bl_loss_terms *terms, const bl_loss_setting *with)
{
    terms->g = bl_config_real(with->config, "loss.gamma");
    return BL_OK;
}

static bl_status sigmoid(bl_loss_terms *terms, const bl_loss_setting *with)
{
    terms->sigmoid = true;
    return softmax(terms, with);
}

const bl_loss_kind bl_loss_focal = {
    .type = {.name = "focal",
             .summary = "focal loss of the softmax probability",
             .paper = "Lin et al., ICCV 2017, arXiv:1708.02002; softmax form "
                      "of arXiv:1906.07413's code",
             .equation = "L = (1 / B) sum_i -w (1 - p)^gamma log p, "
                         "p = softmax(z_i)[y_i]",
             .keys = "loss.gamma",
             .settings = (const char *const[]){"loss.gamma=1", NULL},
             .by_batch = 1},
    .prepare = softmax};

const bl_loss_kind bl_loss_focal_sigmoid = {
    .type = {.name = "focal-sigmoid",
             .summary = "focal loss of C sigmoids, one against all",
             .paper = "Lin et al., ICCV 2017, arXiv:1708.02002, eq. 4",
             .equation = "L = (1 / B) sum_i w sum_j -(1 - p_j)^gamma log p_j, "
                         "p_j = sigmoid(t_j z_ij), t_j = 1 if j = y_i else "
                         "-1",
             .keys = "loss.gamma",
             .settings = (const char *const[]){"loss.gamma=2", NULL},
             .by_batch = 1},
    .prepare = sigmoid};
