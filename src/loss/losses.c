/* SPDX-License-Identifier: Apache-2.0 */
/*
 * losses.c: the losses by name.  The arithmetic of the softmax family is one
 * kernel of the backend (backend.h, bl_softmax_desc); a row here says what it
 * is called, where it comes from and what it computes.
 */
#include <stddef.h>

#include "ballast/train.h"

static const bl_loss_type cross_entropy = {
    .name = "ce",
    .summary = "softmax cross-entropy, mean over the batch",
    .paper = "",
    .equation = "L = (1 / B) sum_i -log softmax(z_i)[y_i]"};

static const bl_loss_type cumulative = {
    .name = "cumulative-ce",
    .summary = "two labels on one mixed logit, weighted by alpha",
    .paper = "Zhou et al., CVPR 2020, arXiv:1912.02413, eq. 2",
    .equation = "L = l CE(z, y_c) + (1 - l) CE(z, y_r), "
                "z = W [2 l f_c ; 2 (1 - l) f_r] + b"};

static const bl_loss_type *const types[] = {&cross_entropy, &cumulative, NULL};

const bl_loss_type *const *bl_loss_types(void)
{
    return types;
}
