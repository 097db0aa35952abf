/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h: the parts of one evaluation, a file each.
 */
#ifndef BL_EVAL_PARTS_H
#define BL_EVAL_PARTS_H

#include "ballast/eval.h"

/** Adds one image to nll and bins, which hold sums until they are closed:
 *  z [C] has no NaN, its first largest is z[top]. */
void bl_calibration_add(bl_evaluation *e, const float *z, int32_t label,
                        int32_t top);
/** Turns sums into means, and works out ece. */
void bl_calibration_close(bl_evaluation *e);

#endif
