/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h: gradients by central differences.
 *
 * A test wraps an operation as a scalar loss L of some double arrays, for a
 * tensor-valued one L = sum dst r with random r, so that r is diff_dst.  The
 * five-point formula
 *
 *   L' = (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / 12 h
 *
 * errs by h^4, so at h = 2e-4 a smooth L is good for more than eight digits.
 */
#ifndef BALLAST_TESTS_GRAD_CHECK_H
#define BALLAST_TESTS_GRAD_CHECK_H

#include "near.h"

#define GRAD_BOUND 1e-6

/** Loss of the arrays inside context. */
typedef double (*loss_fn)(const void *context);

/** Fills x [n] with reproducible values in (low, high). */
static inline void fill(double *x, int64_t n, uint64_t seed, double low,
                        double high)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 0x2385u;
    for (int64_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        x[i] = low + (high - low) * (double)(state >> 11) * 0x1p-53;
    }
}

static inline double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static inline double slope(loss_fn loss, const void *context, double *x)
{
    const double at = *x, h = 2e-4;
    double value[5];
    for (int k = -2; k <= 2; k++) {
        *x = at + k * h;
        value[k + 2] = loss(context);
    }
    *x = at;
    return (8 * (value[3] - value[1]) - (value[4] - value[0])) / (12 * h);
}

/** Largest relative error of diff [n] against differences of loss over x [n],
 *  an array inside context.  An element far below the largest is measured
 *  against a thousandth of that one. */
static inline double grad_error(loss_fn loss, const void *context, double *x,
                                const double *diff, int64_t n)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(diff[i]));
    for (int64_t i = 0; i < n; i++) {
        const double want = slope(loss, context, x + i);
        const double size = fmax(fabs(want), 1e-3 * largest) + 1e-12;
        const double error = fabs(diff[i] - want) / size;
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

/** Fails, naming the case and the array, where diff is not the gradient. */
static inline void check_grad(const char *name, const char *array,
                              loss_fn loss, const void *context, double *x,
                              const double *diff, int64_t n)
{
    const double error = grad_error(loss, context, x, diff, n);
    if (!(error <= GRAD_BOUND)) {
        fail_msg("%s: gradient by %s is off by %.3g, at most %.0e allowed",
                 name, array, error, GRAD_BOUND);
    }
}

#endif
