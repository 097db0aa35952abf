/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape.c: element-wise and shape passes of the reference backend; the loops
 * are in shape.inc (activations) and mix.inc (what lies behind pooling).
 */
#include "backend/ref/ref.h"
#include "backend/ref/types.h"

#define KERNELS "backend/ref/shape.inc"
#include "backend/ref/each_act.h"

#define KERNELS "backend/ref/mix.inc"
#include "backend/ref/each_real.h"

bl_status bl_ref_relu_forward(bl_device *dev, bl_dtype act, int64_t count,
                              const void *src, void *dst)
{
    (void)dev;
    BL_BY_ACT(act, relu_forward, count, src, dst);
    return BL_OK;
}

bl_status bl_ref_relu_backward(bl_device *dev, bl_dtype act, int64_t count,
                               const void *dst, const void *diff_dst,
                               void *diff_src)
{
    (void)dev;
    BL_BY_ACT(act, relu_backward, count, dst, diff_dst, diff_src);
    return BL_OK;
}

bl_status bl_ref_add(bl_device *dev, bl_dtype act, int64_t count,
                     const void *a, const void *b, void *dst)
{
    (void)dev;
    BL_BY_ACT(act, add, count, a, b, dst);
    return BL_OK;
}

bl_status bl_ref_shortcut_forward(bl_device *dev,
                                  const bl_shortcut_desc *desc,
                                  const void *src, void *dst)
{
    (void)dev;
    BL_BY_ACT(desc->act, shortcut_forward, desc, src, dst);
    return BL_OK;
}

bl_status bl_ref_shortcut_backward(bl_device *dev,
                                   const bl_shortcut_desc *desc,
                                   const void *diff_dst, void *diff_src)
{
    (void)dev;
    BL_BY_ACT(desc->act, shortcut_backward, desc, diff_dst, diff_src);
    return BL_OK;
}

bl_status bl_ref_concat_forward(bl_device *dev, bl_dtype real, int64_t n,
                                int64_t ca, int64_t cb, const void *a,
                                const void *b, void *dst)
{
    (void)dev;
    BL_BY_REAL(real, concat_forward, n, ca, cb, a, b, dst);
    return BL_OK;
}

bl_status bl_ref_concat_backward(bl_device *dev, bl_dtype real, int64_t n,
                                 int64_t ca, int64_t cb, const void *diff_dst,
                                 void *diff_a, void *diff_b)
{
    (void)dev;
    BL_BY_REAL(real, concat_backward, n, ca, cb, diff_dst, diff_a, diff_b);
    return BL_OK;
}

bl_status bl_ref_scale(bl_device *dev, bl_dtype real, int64_t count,
                       const double *factor, const void *src, void *dst)
{
    (void)dev;
    BL_BY_REAL(real, scale, count, *factor, src, dst);
    return BL_OK;
}

bl_status bl_ref_mix_forward(bl_device *dev, bl_dtype dtype, int64_t n,
                             int64_t size, const double *lambda,
                             const int32_t *perm, const void *a,
                             const void *b, void *dst)
{
    (void)dev;
    BL_BY_ACT(dtype, mix_forward, n, size, *lambda, perm, a, b, dst);
    return BL_OK;
}

bl_status bl_ref_mix_backward(bl_device *dev, bl_dtype dtype, int64_t n,
                              int64_t size, const double *lambda,
                              const int32_t *inverse, const void *diff_dst,
                              void *diff_a, void *diff_b)
{
    (void)dev;
    BL_BY_ACT(dtype, mix_backward, n, size, *lambda, inverse, diff_dst,
              diff_a, diff_b);
    return BL_OK;
}
