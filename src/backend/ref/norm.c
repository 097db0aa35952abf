/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm.c: batch normalisation of the reference backend; the mathematics is in
 * norm.inc.  Both passes finish a channel before the next, and read an element
 * before they write it, which is what makes them safe in place.
 */
#include <math.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"

#define KERNELS "backend/ref/norm.inc"
#include "backend/ref/each_act.h"

size_t bl_ref_norm_scratch(const bl_device *dev, const bl_norm_desc *desc)
{
    (void)dev;
    (void)desc;
    return 0;
}

bl_status bl_ref_norm_forward(bl_device *dev, const bl_norm_desc *desc,
                              const void *src, const void *add,
                              const void *gamma, const void *beta,
                              void *running_mean, void *running_var,
                              void *save_mean, void *save_rstd, void *dst,
                              void *scratch)
{
    (void)dev;
    (void)scratch;
    BL_BY_ACT(desc->act, norm_forward, desc, src, add, gamma, beta,
              running_mean, running_var, save_mean, save_rstd, dst);
    return BL_OK;
}

bl_status bl_ref_norm_again(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *gamma,
                            const void *beta, const void *mean,
                            const void *rstd, void *dst, void *scratch)
{
    (void)dev;
    (void)scratch;
    BL_BY_ACT(desc->act, norm_again, desc, src, gamma, beta, mean, rstd, dst);
    return BL_OK;
}

bl_status bl_ref_norm_infer(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *add,
                            const void *gamma, const void *beta,
                            const void *running_mean, const void *running_var,
                            void *dst)
{
    (void)dev;
    BL_BY_ACT(desc->act, norm_infer, desc, src, add, gamma, beta,
              running_mean, running_var, dst);
    return BL_OK;
}

bl_status bl_ref_norm_freeze(bl_device *dev, const bl_norm_desc *desc,
                             const void *running_mean, const void *running_var,
                             void *save_mean, void *save_rstd)
{
    (void)dev;
    BL_BY_ACT(desc->act, norm_freeze, desc, running_mean, running_var,
              save_mean, save_rstd);
    return BL_OK;
}

bl_status bl_ref_norm_backward(bl_device *dev, const bl_norm_desc *desc,
                               bool frozen, const void *src, const void *dst,
                               const void *diff_dst, const void *diff_dst2,
                               const void *gamma, const void *mean,
                               const void *rstd, void *diff_gamma,
                               void *diff_beta, bool accumulate,
                               void *diff_src, void *diff_add, void *scratch)
{
    (void)dev;
    (void)scratch;
    BL_BY_ACT(desc->act, norm_backward, desc, frozen, src, dst, diff_dst,
              diff_dst2, gamma, mean, rstd, diff_gamma, diff_beta, accumulate,
              diff_src, diff_add);
    return BL_OK;
}
