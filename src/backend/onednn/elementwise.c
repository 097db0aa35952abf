/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elementwise.c: one pass over memory each, cut evenly over the threads.
 */
#include <string.h>

#include "backend/bf16.h"
#include "backend/onednn/onednn.h"

/** Work on numbers [from, to) of flat tensors a, b and c. */
typedef struct flat {
    const bl_kernels *kernels;
    const char *a, *b; /* inputs; b may be NULL */
    char *c;
    size_t size_in, size_out; /* bytes of a number */
} flat;

typedef void flat_work(const flat *f, int64_t n, const char *a, const char *b,
                       char *c);

static void flat_visit(const bl_device *dev, const flat *f, int64_t count,
                       flat_work *work)
{
    const int32_t threads = bl_onednn_threads(dev, count);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++) {
        const bl_stretch s = bl_stretch_of(count, threads, t);
        const size_t in = (size_t)s.from * f->size_in;
        work(f, s.to - s.from, f->a + in, f->b != NULL ? f->b + in : NULL,
             f->c + (size_t)s.from * f->size_out);
    }
}

static flat flat_of(const bl_device *dev, bl_dtype act, const void *a,
                    const void *b, void *c)
{
    const size_t size = bl_dtype_size(act);
    return (flat){bl_onednn_of(dev)->kernels[act], a, b, c, size, size};
}

static void do_convert(const flat *f, int64_t n, const char *a, const char *b,
                       char *c)
{
    (void)b;
    f->kernels->convert(n, (const float *)(const void *)a, c);
}

bl_status bl_onednn_convert(bl_device *dev, void *dst, bl_dtype act,
                            const float *src, int64_t count)
{
    flat f = flat_of(dev, act, src, NULL, dst);
    f.size_in = sizeof *src;
    flat_visit(dev, &f, count, do_convert);
    return BL_OK;
}

static void do_relu(const flat *f, int64_t n, const char *a, const char *b,
                    char *c)
{
    (void)b;
    f->kernels->relu(n, a, c);
}

bl_status bl_onednn_relu_forward(bl_device *dev, bl_dtype act, int64_t count,
                                 const void *src, void *dst)
{
    const flat f = flat_of(dev, act, src, NULL, dst);
    flat_visit(dev, &f, count, do_relu);
    return BL_OK;
}

static void do_relu_back(const flat *f, int64_t n, const char *a,
                         const char *b, char *c)
{
    f->kernels->relu_back(n, a, b, c);
}

bl_status bl_onednn_relu_backward(bl_device *dev, bl_dtype act, int64_t count,
                                  const void *dst, const void *diff_dst,
                                  void *diff_src)
{
    const flat f = flat_of(dev, act, dst, diff_dst, diff_src);
    flat_visit(dev, &f, count, do_relu_back);
    return BL_OK;
}

static void do_add(const flat *f, int64_t n, const char *a, const char *b,
                   char *c)
{
    f->kernels->add(n, a, b, c);
}

bl_status bl_onednn_add(bl_device *dev, bl_dtype act, int64_t count,
                        const void *a, const void *b, void *dst)
{
    const flat f = flat_of(dev, act, a, b, dst);
    flat_visit(dev, &f, count, do_add);
    return BL_OK;
}

/* ---- option-A shortcut -------------------------------------------------- */

/** Row i (of n oh) of dst from its row of src. */
static void shortcut_row(const bl_shortcut_desc *d, int64_t i,
                         const char *src, char *dst)
{
    const size_t size = bl_dtype_size(d->act);
    const size_t kept = (size_t)d->ic * size;
    const size_t front = (size_t)((d->oc - d->ic) / 2) * size;
    const size_t pixel = (size_t)d->oc * size;
    const int64_t n = i / d->oh, h = i % d->oh * d->stride;
    const char *from = src + (size_t)((n * d->ih + h) * d->iw) * kept;
    char *to = dst + (size_t)(i * d->ow) * pixel;
    for (int64_t w = 0; w < d->ow; w++) {
        memset(to, 0, front);
        memcpy(to + front, from, kept);
        memset(to + front + kept, 0, pixel - front - kept);
        from += (size_t)d->stride * kept;
        to += pixel;
    }
}

bl_status bl_onednn_shortcut_forward(bl_device *dev,
                                     const bl_shortcut_desc *desc,
                                     const void *src, void *dst)
{
    const int64_t rows = desc->n * desc->oh;
    const int32_t threads =
        bl_onednn_threads(dev, rows * desc->ow * desc->oc);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) shortcut_row(desc, i, src, dst);
    return BL_OK;
}

/** Row i (of n ih) of diff_src from the row of diff_dst it went to. */
static void shortcut_back_row(const bl_shortcut_desc *d, int64_t i,
                              const char *diff_dst, char *diff_src)
{
    const size_t size = bl_dtype_size(d->act);
    const size_t kept = (size_t)d->ic * size;
    const size_t front = (size_t)((d->oc - d->ic) / 2) * size;
    const size_t pixel = (size_t)d->oc * size;
    const int64_t n = i / d->ih, h = i % d->ih;
    char *const to = diff_src + (size_t)(i * d->iw) * kept;
    memset(to, 0, (size_t)d->iw * kept);
    if (h % d->stride != 0 || h / d->stride >= d->oh) return;
    const char *const from = diff_dst + front
        + (size_t)((n * d->oh + h / d->stride) * d->ow) * pixel;
    for (int64_t w = 0; w < d->ow; w++)
        memcpy(to + (size_t)(w * d->stride) * kept,
               from + (size_t)w * pixel, kept);
}

bl_status bl_onednn_shortcut_backward(bl_device *dev,
                                      const bl_shortcut_desc *desc,
                                      const void *diff_dst, void *diff_src)
{
    const int64_t rows = desc->n * desc->ih;
    const int32_t threads =
        bl_onednn_threads(dev, rows * desc->iw * desc->ic);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++)
        shortcut_back_row(desc, i, diff_dst, diff_src);
    return BL_OK;
}

/* ---- mixing ------------------------------------------------------------- */

/** Image i of dst [n][size]: p a_i + q b_{order i}; a or b may be NULL. */
typedef struct blended {
    const bl_kernels *kernels;
    size_t image; /* bytes */
    int64_t size;
    double p, q;
    const int32_t *order; /* [n], NULL: as they are */
    const char *a, *b;
    char *dst;
} blended;

/** Image i of it. */
static void blend_image(const blended *m, int64_t i)
{
    const int64_t from = m->order != NULL ? m->order[i] : i;
    const char *const b =
        m->b != NULL ? m->b + (size_t)from * m->image : NULL;
    char *const dst = m->dst + (size_t)i * m->image;
    if (m->a == NULL)
        m->kernels->blend(m->size, (float)m->q, b, 0, NULL, dst);
    else
        m->kernels->blend(m->size, (float)m->p, m->a + (size_t)i * m->image,
                          (float)m->q, b, dst);
}

static void blend(const bl_device *dev, const blended *m, int64_t n)
{
    const int32_t threads = bl_onednn_threads(dev, n * m->size);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++) blend_image(m, i);
}

bl_status bl_onednn_mix_forward(bl_device *dev, bl_dtype dtype, int64_t n,
                                int64_t size, const double *lambda,
                                const int32_t *perm, const void *a,
                                const void *b, void *dst)
{
    const blended m = {bl_onednn_of(dev)->kernels[dtype],
                       (size_t)size * bl_dtype_size(dtype), size, *lambda,
                       1 - *lambda, perm, a, b, dst};
    blend(dev, &m, n);
    return BL_OK;
}

bl_status bl_onednn_mix_backward(bl_device *dev, bl_dtype dtype, int64_t n,
                                 int64_t size, const double *lambda,
                                 const int32_t *inverse, const void *diff_dst,
                                 void *diff_a, void *diff_b)
{
    blended m = {bl_onednn_of(dev)->kernels[dtype],
                 (size_t)size * bl_dtype_size(dtype), size, *lambda,
                 1 - *lambda, inverse, diff_dst, NULL, diff_a};
    if (diff_b == diff_a) m.b = diff_dst;
    if (diff_a != NULL) blend(dev, &m, n);
    if (diff_b == diff_a || diff_b == NULL) return BL_OK;
    m.a = NULL;
    m.b = diff_dst;
    m.dst = diff_b;
    blend(dev, &m, n);
    return BL_OK;
}

/* ---- global average pooling --------------------------------------------- */

bl_status bl_onednn_gap_forward(bl_device *dev, bl_dtype act, int64_t n,
                                int64_t hw, int64_t c, const void *src,
                                void *dst)
{
    const bl_kernels *const kernels = bl_onednn_of(dev)->kernels[act];
    const int32_t threads = bl_onednn_threads(dev, n * hw * c);
    const int64_t image = hw * c * (int64_t)bl_dtype_size(act);
    const char *const from = src;
    float *const to = dst; // [n][c]
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        kernels->sum_rows(hw, c, from + i * image, 1.0f / (float)hw,
                          to + i * c);
    return BL_OK;
}

/** One image of diff_src [hw][c] from its row of diff_dst [c]. */
static void gap_back(const bl_kernels *kernels, size_t size, int64_t hw,
                     int64_t c, const float *diff_dst, char *diff_src)
{
    const float factor = 1.0f / (float)hw;
    const size_t row = (size_t)c * size;
    for (int64_t j = 0; j < c; j += BL_LANES_MAX) {
        float part[BL_LANES_MAX];
        const int64_t n = c - j < BL_LANES_MAX ? c - j : BL_LANES_MAX;
        for (int64_t k = 0; k < n; k++) part[k] = diff_dst[j + k] * factor;
        kernels->convert(n, part, diff_src + (size_t)j * size);
    }
    for (int64_t i = 1; i < hw; i++)
        memcpy(diff_src + (size_t)i * row, diff_src, row);
}

bl_status bl_onednn_gap_backward(bl_device *dev, bl_dtype act, int64_t n,
                                 int64_t hw, int64_t c, const void *diff_dst,
                                 void *diff_src)
{
    const bl_kernels *const kernels = bl_onednn_of(dev)->kernels[act];
    const size_t size = bl_dtype_size(act);
    const int32_t threads = bl_onednn_threads(dev, n * hw * c);
    const float *const from = diff_dst; // [n][c]
    char *const to = diff_src;          // act [n][hw][c]
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        gap_back(kernels, size, hw, c, from + i * c,
                 to + (size_t)(i * hw * c) * size);
    return BL_OK;
}
