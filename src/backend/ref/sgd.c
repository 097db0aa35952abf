/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgd.c: the optimiser of the reference backend; one loop over the slab of
 * all parameters, in sgd.inc.
 */
#include "backend/ref/ref.h"
#include "backend/ref/types.h"

#define KERNELS "backend/ref/sgd.inc"
#include "backend/ref/each_real.h"

bl_status bl_ref_sgd(bl_device *dev, const bl_sgd_desc *desc, const double *lr,
                     const void *diff, void *v, void *w)
{
    (void)dev;
    BL_BY_REAL(desc->real, sgd, desc, *lr, diff, v, w);
    return BL_OK;
}
