/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgd.c: ref's walks over slabs in float, the slabs cut over the threads.
 */
#include "backend/onednn/onednn.h"

/** Scalars [from, to) of the slabs. */
static void update(const bl_sgd_desc *desc, float lr, bl_stretch s,
                   const float *restrict diff, float *restrict v,
                   float *restrict w)
{
    const float decay = (float)desc->weight_decay;
    const float momentum = (float)desc->momentum;
    const bool nesterov = desc->nesterov;
#pragma omp simd
    for (int64_t i = s.from; i < s.to; i++) {
        const float g = diff[i] + decay * w[i];
        const float moved = momentum * v[i] + g;
        const float step = nesterov ? g + momentum * moved : moved;
        v[i] = moved;
        w[i] = w[i] - lr * step;
    }
}

bl_status bl_onednn_sgd(bl_device *dev, const bl_sgd_desc *desc,
                        const double *lr, const void *diff, void *v, void *w)
{
    const int32_t threads = bl_onednn_threads(dev, desc->n);
    const float rate = (float)*lr;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++)
        update(desc, rate, bl_stretch_of(desc->n, threads, t), diff, v, w);
    return BL_OK;
}

enum { PARTS = 64 }; /* of a sum, whatever the number of threads */

static double squares(bl_stretch s, const float *x)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = s.from; i < s.to; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

bl_status bl_onednn_sum_squares(bl_device *dev, bl_dtype real, int64_t n,
                                const void *x, double *out)
{
    const int32_t threads = bl_onednn_threads(dev, n);
    double part[PARTS];
    (void)real;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < PARTS; t++)
        part[t] = squares(bl_stretch_of(n, PARTS, t), x);
    *out = 0;
    for (int32_t t = 0; t < PARTS; t++) *out += part[t];
    return BL_OK;
}

static void add_scaled(bl_stretch s, float a, const float *restrict x,
                       float *restrict y)
{
#pragma omp simd
    for (int64_t i = s.from; i < s.to; i++) y[i] += a * x[i];
}

bl_status bl_onednn_axpy(bl_device *dev, bl_dtype real, int64_t n, double a,
                         const void *x, void *y)
{
    const int32_t threads = bl_onednn_threads(dev, n);
    (void)real;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++)
        add_scaled(bl_stretch_of(n, threads, t), (float)a, x, y);
    return BL_OK;
}
