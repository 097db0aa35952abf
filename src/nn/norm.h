/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm.h: what other layers need to know of batch-norm.
 */
#ifndef BL_NN_NORM_H
#define BL_NN_NORM_H

#include "nn/plan.h"

#define BL_NORM_EPS 1e-5
#define BL_NORM_MOMENTUM 0.1

/** Folds the norm of a convolution's node (param[1..4]) into a factor and a
 *  shift per channel:
 *
 *   scale = gamma / sqrt(running_var + eps)
 *   shift = beta - running_mean scale
 *
 *  Gives device pointers [oc] of dtype real, valid until the next call. */
BL_MUST_USE bl_status bl_norm_fold(bl_plan *plan, const bl_op *op,
                                   const void **scale, const void **shift);

#endif
