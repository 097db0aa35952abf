/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax.c: the softmax and the sigmoid family of losses; derivations in
 * softmax.inc.
 *
 * Everything between the logits and the gradient is in double: the loss of a
 * well-fitted image, near 1e-7, still has all its digits.
 */
#include <math.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"
#include "core/error.h"

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

/* log(exp x + exp y) */
static double log_add(double x, double y)
{
    if (x == -HUGE_VAL) return y;
    const double above = y - x;
    return (above > 0 ? y : x) + log1p(exp(-fabs(above)));
}

/* rest^g, where log rest is known; the usual exponents need no exp */
static double focus_of(double rest, double log_rest, double g)
{
    if (g == 0) return 1;
    if (g == 1) return rest;
    return g == 2 ? rest * rest : exp(g * log_rest);
}

/* -(1 - p)^g log p for p = sigmoid(x), and its slope by x */
static double sigmoid_term(double x, double g, double *slope)
{
    const double tiny = exp(-fabs(x)); /* at most 1 */
    const double log_both = -log1p(tiny);
    const double log_p = (x < 0 ? x : 0) + log_both;
    const double log_rest = (x < 0 ? 0 : -x) + log_both; /* 1 - p */
    const double p = (x < 0 ? tiny : 1) / (1 + tiny);
    const double rest = (x < 0 ? 1 : tiny) / (1 + tiny);
    const double focus = focus_of(rest, log_rest, g);
    const double p_log_p = p == 0 ? 0 : p * log_p;
    *slope = focus * (g * p_log_p - rest);
    return -focus * log_p;
}

/* One target of one image; see softmax_target in softmax.inc. */
typedef struct softmax_term {
    double loss, lse, mass, hot, even;
} softmax_term;

#define KERNELS "backend/ref/softmax.inc"
#include "backend/ref/each_real.h"

static bl_status labels_check(const bl_softmax_desc *d, const int32_t *y)
{
    if (d->targets < 1 || d->targets > BL_TARGETS_MAX) {
        return BL_RAISE(BL_EINVAL, "loss: %d targets, not 1 to %d",
                        (int)d->targets, (int)BL_TARGETS_MAX);
    }
    for (int64_t i = 0; i < d->targets * d->n; i++) {
        if (y[i] < 0 || y[i] >= d->c) {
            return BL_RAISE(BL_EINVAL,
                            "loss: label %d of image %lld is not in "
                            "[0, %lld]", (int)y[i], (long long)(i % d->n),
                            (long long)(d->c - 1));
        }
    }
    return BL_OK;
}

static bl_status whole(const bl_ref_loss *family, const bl_softmax_desc *desc,
                       const void *z, const int32_t *y, const double *lambda,
                       const bl_class_terms *terms, double *loss,
                       double *wrong, void *diff_z)
{
    BL_TRY(family->check(desc, y, terms));
    family->part(desc, 0, desc->n, z, y, lambda, terms, loss, wrong, diff_z);
    return BL_OK;
}

/* ---- softmax ------------------------------------------------------------- */

static bl_status softmax_check(const bl_softmax_desc *desc, const int32_t *y,
                               const bl_class_terms *terms)
{
    BL_TRY(labels_check(desc, y));
    if (desc->g > 0 && terms->e != NULL) {
        return BL_RAISE(BL_EUNSUPPORTED, "softmax loss: no smoothed targets "
                        "with a focal exponent, found %g", desc->g);
    }
    return BL_OK;
}

static void softmax_part(const bl_softmax_desc *desc, int64_t from, int64_t to,
                         const void *z, const int32_t *y, const double *lambda,
                         const bl_class_terms *terms, double *loss,
                         double *wrong, void *diff_z)
{
    BL_BY_REAL(desc->real, softmax_part, desc, from, to, z, y, lambda, terms,
               loss, wrong, diff_z);
}

const bl_ref_loss bl_ref_softmax = {softmax_check, softmax_part};

bl_status bl_ref_softmax_loss(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z)
{
    (void)dev;
    return whole(&bl_ref_softmax, desc, z, y, lambda, terms, loss, wrong,
                 diff_z);
}

/* ---- sigmoid ------------------------------------------------------------- */

static bl_status sigmoid_check(const bl_softmax_desc *desc, const int32_t *y,
                               const bl_class_terms *terms)
{
    BL_TRY(labels_check(desc, y));
    if (terms->m != NULL || terms->e != NULL) {
        return BL_RAISE(BL_EUNSUPPORTED, "sigmoid loss: has no %s",
                        terms->m != NULL ? "margins" : "smoothed targets");
    }
    return BL_OK;
}

static void sigmoid_part(const bl_softmax_desc *desc, int64_t from, int64_t to,
                         const void *z, const int32_t *y, const double *lambda,
                         const bl_class_terms *terms, double *loss,
                         double *wrong, void *diff_z)
{
    BL_BY_REAL(desc->real, sigmoid_part, desc, from, to, z, y, lambda, terms,
               loss, wrong, diff_z);
}

const bl_ref_loss bl_ref_sigmoid = {sigmoid_check, sigmoid_part};

bl_status bl_ref_sigmoid_loss(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z)
{
    (void)dev;
    return whole(&bl_ref_sigmoid, desc, z, y, lambda, terms, loss, wrong,
                 diff_z);
}
