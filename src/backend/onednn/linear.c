/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.c: the linear and the cosine classifier in float, as matrix products.
 *
 * Cosine is linear over rows of length 1.  With u_i = x_i / |x_i| and
 * v_j = w_j / |w_j|, z = u v^T; back, for an image
 *
 *   diff_x_i = (s_i - u_i (u_i . s_i)) / |x_i|,   s = diff_z v
 *
 * and the same for a class with s = diff_z^T u.  Where a length is clamped it
 * is a constant, and nothing is projected.  Rows of length 1 and s lie in the
 * device's room.
 */
#include <math.h>
#include <string.h>

#include "backend/onednn/onednn.h"
#include "core/error.h"

/* ---- linear -------------------------------------------------------------- */

static bl_status product(bl_device *dev, const bl_dnnl_product *p,
                         const float *a, const float *b, float *c)
{
    return bl_dnnl_multiply(bl_onednn_of(dev)->dnnl, p, a, b, c);
}

/** Logits [n][c] from features [n][d] and rows of weights [c][d]. */
static bl_status forward(bl_device *dev, const bl_linear_desc *desc,
                         const float *x, const float *w, float *z)
{
    return product(dev,
                   &(bl_dnnl_product){.m = desc->n, .n = desc->c,
                                      .k = desc->d, .turn_b = true},
                   x, w, z);
}

/** diff_z w, [n][d] */
static bl_status back_images(bl_device *dev, const bl_linear_desc *desc,
                             const float *diff_z, const float *w,
                             float *diff_x)
{
    return product(dev,
                   &(bl_dnnl_product){.m = desc->n, .n = desc->d,
                                      .k = desc->c},
                   diff_z, w, diff_x);
}

/** [+=] diff_z^T x, [c][d] */
static bl_status back_classes(bl_device *dev, const bl_linear_desc *desc,
                              const float *diff_z, const float *x,
                              bool accumulate, float *diff_w)
{
    return product(dev,
                   &(bl_dnnl_product){.m = desc->c, .n = desc->d,
                                      .k = desc->n, .turn_a = true,
                                      .add = accumulate},
                   diff_z, x, diff_w);
}

bl_status bl_onednn_linear_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   const void *bias, void *dst)
{
    const int64_t c = desc->c;
    const float *const b = bias;
    float *const z = dst; // [n][c]
    BL_TRY(forward(dev, desc, src, weights, z));
    const int64_t n = b != NULL ? desc->n : 0;
    const int32_t threads = bl_onednn_threads(dev, n * c);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++) z[i * c + j] += b[j];
    return BL_OK;
}

static void back_bias(const bl_linear_desc *desc, const float *diff_z,
                      bool accumulate, float *diff_bias)
{
    const int64_t c = desc->c;
    if (!accumulate) memset(diff_bias, 0, (size_t)c * sizeof *diff_bias);
    for (int64_t i = 0; i < desc->n; i++)
        for (int64_t j = 0; j < c; j++) diff_bias[j] += diff_z[i * c + j];
}

bl_status bl_onednn_linear_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, void *diff_bias,
                                    bool accumulate)
{
    if (diff_src != NULL)
        BL_TRY(back_images(dev, desc, diff_dst, weights, diff_src));
    BL_TRY(back_classes(dev, desc, diff_dst, src, accumulate, diff_weights));
    if (diff_bias != NULL) back_bias(desc, diff_dst, accumulate, diff_bias);
    return BL_OK;
}

/* ---- cosine -------------------------------------------------------------- */

static const float norm_min = 1e-12f;

static float dot(const float *a, const float *b, int64_t d)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < d; k++) sum += a[k] * b[k];
    return sum;
}

/** 1 / |a|, the norm clamped. */
static float rate_of(const float *a, int64_t d)
{
    return 1.0f / fmaxf(sqrtf(dot(a, a, d)), norm_min);
}

/** u = a / |a|, row by row. */
static void unit_rows(bl_device *dev, int64_t rows, int64_t d, const float *a,
                      float *u)
{
    const int32_t threads = bl_onednn_threads(dev, rows * d);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        const float rate = rate_of(a + i * d, d);
        for (int64_t k = 0; k < d; k++) u[i * d + k] = rate * a[i * d + k];
    }
}

/** to [+]= (s - u (u . s)) / |a|, row by row. */
static void project(bl_device *dev, int64_t rows, int64_t d, const float *a,
                    const float *u, const float *s, bool accumulate, float *to)
{
    const int32_t threads = bl_onednn_threads(dev, rows * d);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        const float rate = rate_of(a + i * d, d);
        const float along =
            rate < 1.0f / norm_min ? dot(u + i * d, s + i * d, d) : 0.0f;
        for (int64_t k = i * d; k < (i + 1) * d; k++)
            to[k] = (accumulate ? to[k] : 0.0f)
                + rate * (s[k] - along * u[k]);
    }
}

/** Unit rows of images and classes, and what is projected, in one room. */
typedef struct cosine_room {
    float *u; // [n][d]
    float *v; // [c][d]
    float *s; // [max(n, c)][d]
} cosine_room;

static bl_status room_of(bl_device *dev, const bl_linear_desc *desc,
                         const float *x, const float *w, cosine_room *out)
{
    const int64_t n = desc->n, d = desc->d, c = desc->c;
    BL_TRY(bl_onednn_room(dev, (n + c + (n > c ? n : c)) * d, &out->u));
    out->v = out->u + n * d;
    out->s = out->v + c * d;
    unit_rows(dev, n, d, x, out->u);
    unit_rows(dev, c, d, w, out->v);
    return BL_OK;
}

bl_status bl_onednn_cosine_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   void *dst)
{
    cosine_room room;
    BL_TRY(room_of(dev, desc, src, weights, &room));
    return forward(dev, desc, room.u, room.v, dst);
}

bl_status bl_onednn_cosine_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, bool accumulate)
{
    cosine_room room;
    BL_TRY(room_of(dev, desc, src, weights, &room));
    if (diff_src != NULL) {
        BL_TRY(back_images(dev, desc, diff_dst, room.v, room.s));
        project(dev, desc->n, desc->d, src, room.u, room.s, false, diff_src);
    }
    BL_TRY(back_classes(dev, desc, diff_dst, room.u, false, room.s));
    project(dev, desc->c, desc->d, weights, room.v, room.s, accumulate,
            diff_weights);
    return BL_OK;
}
