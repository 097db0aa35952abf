/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgd.c: the optimiser of the reference backend; one loop over the slab of
 * all parameters, in sgd.inc, and what else walks over such slabs.
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

bl_status bl_ref_sum_squares(bl_device *dev, bl_dtype real, int64_t n,
                             const void *x, double *out)
{
    (void)dev;
    BL_BY_REAL(real, sum_squares, n, x, out);
    return BL_OK;
}

bl_status bl_ref_axpy(bl_device *dev, bl_dtype real, int64_t n, double a,
                      const void *x, void *y)
{
    (void)dev;
    BL_BY_REAL(real, axpy, n, a, x, y);
    return BL_OK;
}
