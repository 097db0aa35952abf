/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax.c: the softmax family of losses; derivation in softmax.inc.
 *
 * Everything between the logits and the gradient is in double: the loss of a
 * well-fitted image, near 1e-7, still has all its digits.
 */
#include <math.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"
#include "core/error.h"

enum { MAX_TARGETS = 4 };

/* -(1 - p)^g log p */
static double focal_loss(double log_p, double g)
{
    return g == 0 ? -log_p : -pow(-expm1(log_p), g) * log_p;
}

/* (1 - p)^g - g (1 - p)^(g - 1) p log p */
static double focal_factor(double log_p, double g)
{
    if (g == 0) return 1;
    const double rest = -expm1(log_p); /* 1 - p */
    if (rest <= 0) return 0;
    const double p_log_p = exp(log_p) > 0 ? exp(log_p) * log_p : 0;
    return pow(rest, g) - g * pow(rest, g - 1) * p_log_p;
}

#define KERNELS "backend/ref/softmax.inc"
#include "backend/ref/each_real.h"

static bl_status check(const bl_softmax_desc *d, const int32_t *y)
{
    if (d->targets < 1 || d->targets > MAX_TARGETS) {
        return BL_RAISE(BL_EINVAL, "softmax loss: %d targets, not 1 to %d",
                        (int)d->targets, (int)MAX_TARGETS);
    }
    for (int64_t i = 0; i < d->targets * d->n; i++) {
        if (y[i] < 0 || y[i] >= d->c) {
            return BL_RAISE(BL_EINVAL,
                            "softmax loss: label %d of image %lld is not in "
                            "[0, %lld]", (int)y[i], (long long)(i % d->n),
                            (long long)(d->c - 1));
        }
    }
    return BL_OK;
}

bl_status bl_ref_softmax_loss(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda, const void *s,
                              const void *m, const void *b, const void *w,
                              double *loss, double *wrong, void *diff_z)
{
    (void)dev;
    BL_TRY(check(desc, y));
    BL_BY_REAL(desc->real, softmax_loss, desc, z, y, lambda, s, m, b, w, loss,
               wrong, diff_z);
    return BL_OK;
}
