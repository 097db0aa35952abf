/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.c: the linear and the cosine classifier in float.
 *
 * Too small for a primitive, too large for one thread in double.  Forward is a
 * dot product for each image and class; backward adds whole rows: one image's
 * diff_src by one thread, one class's diff_weights by one thread, so that the
 * order of every sum is fixed.
 *
 * Cosine: with u = a / |a| and v_j = p_j / |p_j|, a row a has by its partners
 * p_j and the gradients g_j of their cosines
 *
 *   diff = (s - u (u . s)) / |a|,   s = sum_j g_j v_j
 *
 * whether it is an image among classes or a class among images, so one routine
 * serves both.  Partners come in blocks, whose lengths are taken once for all
 * rows; s is projected block by block, which a linear map allows.  Where |a|
 * is clamped it is a constant, and nothing is projected.
 */
#include <math.h>
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

/* ---- cosine -------------------------------------------------------------- */

enum { BLOCK = 256 };

static const float norm_min = 1e-12f;

/** 1 / |a|, the norm clamped. */
static float rate_of(const float *a, int64_t d)
{
    return 1.0f / fmaxf(sqrtf(dot(a, a, d)), norm_min);
}

static void rates_of(bl_device *dev, int64_t rows, int64_t d,
                     const float *a, // [rows][d]
                     float *rates)   // [rows]
{
    const int32_t threads = bl_onednn_threads(dev, rows * d);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) rates[i] = rate_of(a + i * d, d);
}

static int64_t block_of(int64_t count, int64_t first)
{
    return count - first < BLOCK ? count - first : BLOCK;
}

bl_status bl_onednn_cosine_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   void *dst)
{
    const int64_t n = desc->n, d = desc->d, c = desc->c;
    const float *const x = src, *const w = weights;
    float *const z = dst; // [n][c]
    for (int64_t first = 0; first < c; first += BLOCK) {
        const int64_t room = block_of(c, first);
        float rates[BLOCK];
        rates_of(dev, room, d, w + first * d, rates);
        const int32_t threads = bl_onednn_threads(dev, n * d * room);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t i = 0; i < n; i++) {
            const float rate = rate_of(x + i * d, d);
            for (int64_t j = 0; j < room; j++)
                z[i * c + first + j] = rate * rates[j]
                    * dot(x + i * d, w + (first + j) * d, d);
        }
    }
    return BL_OK;
}

/** Rows, their partners, and the gradient by the cosine of row i and partner
 *  j: g[i * row_step + j * step]. */
typedef struct cosine_side {
    int64_t rows, partners, d, row_step, step;
    const float *row;     // [rows][d]
    const float *partner; // [partners][d]
    const float *g;
    float *diff; // [rows][d]
} cosine_side;

/** diff[i] += gradient of row i by partners first .. first + room. */
static void cosine_row(const cosine_side *side, int64_t i, int64_t first,
                       int64_t room, const float *rates)
{
    const int64_t d = side->d;
    const float *const a = side->row + i * d;
    const float *const g = side->g + i * side->row_step;
    float *const to = side->diff + i * d;
    const float rate = rate_of(a, d), before = dot(a, to, d);
    for (int64_t j = 0; j < room; j++)
        add_row(g[(first + j) * side->step] * rates[j] * rate,
                side->partner + (first + j) * d, d, to);
    if (rate < 1.0f / norm_min)
        add_row(-(dot(a, to, d) - before) * rate * rate, a, d, to);
}

static void cosine_back(bl_device *dev, const cosine_side *side,
                        bool accumulate)
{
    const int64_t rows = side->rows, d = side->d;
    if (!accumulate)
        memset(side->diff, 0, (size_t)(rows * d) * sizeof *side->diff);
    for (int64_t first = 0; first < side->partners; first += BLOCK) {
        const int64_t room = block_of(side->partners, first);
        float rates[BLOCK];
        rates_of(dev, room, d, side->partner + first * d, rates);
        const int32_t threads = bl_onednn_threads(dev, rows * d * room);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t i = 0; i < rows; i++)
            cosine_row(side, i, first, room, rates);
    }
}

bl_status bl_onednn_cosine_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, bool accumulate)
{
    const int64_t n = desc->n, d = desc->d, c = desc->c;
    if (diff_src != NULL)
        cosine_back(dev,
                    &(cosine_side){.rows = n, .partners = c, .d = d,
                                   .row_step = c, .step = 1, .row = src,
                                   .partner = weights, .g = diff_dst,
                                   .diff = diff_src},
                    false);
    cosine_back(dev,
                &(cosine_side){.rows = c, .partners = n, .d = d,
                               .row_step = 1, .step = c, .row = weights,
                               .partner = src, .g = diff_dst,
                               .diff = diff_weights},
                accumulate);
    return BL_OK;
}
