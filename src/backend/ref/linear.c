/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.c: the classifiers of the reference backend; linear.inc has the
 * mathematics.
 */
#include <math.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"

#define NORM_MIN 1e-12 /* as PyTorch's normalize */

enum { BLOCK = 64 };

#define KERNELS "backend/ref/linear.inc"
#include "backend/ref/each_real.h"

bl_status bl_ref_linear_forward(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                const void *bias, void *dst)
{
    (void)dev;
    BL_BY_REAL(desc->real, linear_forward, desc, src, weights, bias, dst);
    return BL_OK;
}

bl_status bl_ref_linear_backward(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, void *diff_bias,
                                 bool accumulate)
{
    (void)dev;
    BL_BY_REAL(desc->real, linear_backward, desc, src, weights, diff_dst,
               diff_src, diff_weights, diff_bias, accumulate);
    return BL_OK;
}

bl_status bl_ref_cosine_forward(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                void *dst)
{
    (void)dev;
    BL_BY_REAL(desc->real, cosine_forward, desc, src, weights, dst);
    return BL_OK;
}

bl_status bl_ref_cosine_backward(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, bool accumulate)
{
    (void)dev;
    BL_BY_REAL(desc->real, cosine_backward, desc, src, weights, diff_dst,
               diff_src, diff_weights, accumulate);
    return BL_OK;
}

bl_status bl_ref_class_scale_forward(bl_device *dev, bl_dtype real, int64_t n,
                                     int64_t c, const void *s,
                                     const void *src, void *dst)
{
    (void)dev;
    BL_BY_REAL(real, class_scale_forward, n, c, s, src, dst);
    return BL_OK;
}

bl_status bl_ref_class_scale_backward(bl_device *dev, bl_dtype real,
                                      int64_t n, int64_t c, const void *s,
                                      const void *src, const void *diff_dst,
                                      void *diff_src, void *diff_s,
                                      bool accumulate)
{
    (void)dev;
    BL_BY_REAL(real, class_scale_backward, n, c, s, src, diff_dst, diff_src,
               diff_s, accumulate);
    return BL_OK;
}
