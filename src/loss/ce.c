/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ce.c: softmax cross-entropy, and BBN's mixture of two of them.
 *
 * Both are the family with no terms.  In the cumulative loss the two labels
 * of a pair judge one mixed logit; the form of the network brings the labels
 * and alpha their weights.
 */
#include "loss/loss.h"

#include <stddef.h>

const bl_loss_kind bl_loss_ce = {
    .type = {.name = "ce",
             .summary = "softmax cross-entropy, weighted mean over the batch",
             .paper = "",
             .equation = "L = sum_i w_{y_i} (-log softmax(z_i)[y_i]) / "
                         "sum_i w_{y_i}, w = 1 without class weights"}};

const bl_loss_kind bl_loss_cumulative = {
    .type = {.name = "cumulative-ce",
             .summary = "two labels on one mixed logit, weighted by alpha",
             .paper = "Zhou et al., CVPR 2020, arXiv:1912.02413, eq. 2",
             .equation = "L = l CE(z, y_c) + (1 - l) CE(z, y_r), "
                         "z = W [2 l f_c ; 2 (1 - l) f_r] + b"},
    .needs_pair = true};
