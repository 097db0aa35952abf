/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.c: the linear classifier in float.
 *
 * Too small for a primitive, too large for one thread in double.  Forward is a
 * dot product for each image and class; backward adds whole rows: one image's
 * diff_src by one thread, one class's diff_weights by one thread, so that the
 * order of every sum is fixed.
 */
#include <string.h>

#include "backend/onednn/onednn.h"

static float dot(const float *a, const float *b, int64_t d)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < d; k++) sum += a[k] * b[k];
    return sum;
}

/** to += factor row */
static void add_row(float factor, const float *restrict row, int64_t d,
                    float *restrict to)
{
#pragma omp simd
    for (int64_t k = 0; k < d; k++) to[k] += factor * row[k];
}

bl_status bl_onednn_linear_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   const void *bias, void *dst)
{
    const int64_t n = desc->n, d = desc->d, c = desc->c;
    const float *const x = src, *const w = weights, *const b = bias;
    float *const z = dst; // [n][c]
    const int32_t threads = bl_onednn_threads(dev, n * d * c);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++)
            z[i * c + j] = dot(x + i * d, w + j * d, d)
                + (b != NULL ? b[j] : 0.0f);
    return BL_OK;
}

/** Row i of diff_src: sum over classes of diff_dst times weights. */
static void back_row(const bl_linear_desc *desc, int64_t i,
                     const float *weights, const float *diff_dst,
                     float *diff_src)
{
    float *const to = diff_src + i * desc->d;
    memset(to, 0, (size_t)desc->d * sizeof *to);
    for (int64_t j = 0; j < desc->c; j++)
        add_row(diff_dst[i * desc->c + j], weights + j * desc->d, desc->d,
                to);
}

/** Row j of diff_weights and of diff_bias: sum over images. */
static void back_class(const bl_linear_desc *desc, int64_t j,
                       const float *src, const float *diff_dst,
                       bool accumulate, float *diff_weights,
                       float *diff_bias)
{
    float *const to = diff_weights + j * desc->d;
    float sum = accumulate && diff_bias != NULL ? diff_bias[j] : 0.0f;
    if (!accumulate) memset(to, 0, (size_t)desc->d * sizeof *to);
    for (int64_t i = 0; i < desc->n; i++) {
        const float g = diff_dst[i * desc->c + j];
        sum += g;
        add_row(g, src + i * desc->d, desc->d, to);
    }
    if (diff_bias != NULL) diff_bias[j] = sum;
}

bl_status bl_onednn_linear_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, void *diff_bias,
                                    bool accumulate)
{
    const int32_t threads =
        bl_onednn_threads(dev, desc->n * desc->d * desc->c);
    const int64_t n = diff_src != NULL ? desc->n : 0;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        back_row(desc, i, weights, diff_dst, diff_src);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t j = 0; j < desc->c; j++)
        back_class(desc, j, src, diff_dst, accumulate, diff_weights,
                   diff_bias);
    return BL_OK;
}
