/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: pooling of the reference backend; the loops are in pool.inc.
 */
#include <math.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"

#define KERNELS "backend/ref/pool.inc"
#include "backend/ref/each_act.h"

bl_status bl_ref_maxpool_forward(bl_device *dev, const bl_pool_desc *desc,
                                 const void *src, void *dst, int32_t *index)
{
    (void)dev;
    BL_BY_ACT(desc->act, maxpool_forward, desc, src, dst, index);
    return BL_OK;
}

bl_status bl_ref_maxpool_backward(bl_device *dev, const bl_pool_desc *desc,
                                  const void *diff_dst, const int32_t *index,
                                  void *diff_src)
{
    (void)dev;
    BL_BY_ACT(desc->act, maxpool_backward, desc, diff_dst, index, diff_src);
    return BL_OK;
}

bl_status bl_ref_gap_forward(bl_device *dev, bl_dtype act, int64_t n,
                             int64_t hw, int64_t c, const void *src, void *dst)
{
    (void)dev;
    BL_BY_ACT(act, gap_forward, n, hw, c, src, dst);
    return BL_OK;
}

bl_status bl_ref_gap_backward(bl_device *dev, bl_dtype act, int64_t n,
                              int64_t hw, int64_t c, const void *diff_dst,
                              void *diff_src)
{
    (void)dev;
    BL_BY_ACT(act, gap_backward, n, hw, c, diff_dst, diff_src);
    return BL_OK;
}
