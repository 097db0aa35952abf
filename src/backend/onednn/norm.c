/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm.c: batch normalisation in two sweeps over memory each way.
 *
 *   forward   sums of (src - centre) and its square; then normalise + add +
 *             ReLU.  centre is the first row: any value of the channel's own
 *             size keeps the difference of squares from cancelling.
 *   backward  g = (diff_dst + diff_dst2) [dst > 0], its sum and its product
 *             with src - mean; then diff_src.  g is kept in diff_add where
 *             that is wanted, and computed again where it is not: reading two
 *             tensors twice is cheaper than writing a third.
 *
 * Rows are cut into one stretch a thread.  The sweep for sums runs from the
 * end of its stretch to the beginning, the second one from the beginning: each
 * starts at what the operation before it left in the cache.
 *
 * A row of c channels seldom fills the registers, or overfills them.  Up to
 * `lanes` channels, as many rows as fit are taken as one long row (their
 * channels repeat); above, a row is cut into columns of `lanes` channels.
 * `grid` says which; a tile is BLOCK such rows of one column.
 *
 * Source  Ioffe, Szegedy: Batch Normalization, ICML 2015, arXiv:1502.03167.
 */
#include <math.h>
#include <string.h>

#include "backend/bf16.h"
#include "backend/onednn/onednn.h"

enum { BLOCK = 64 };

/** How rows x c numbers are cut for one dtype. */
typedef struct grid {
    const bl_kernels *kernels;
    int32_t threads;
    size_t size;     /* bytes of a number                          */
    int64_t rows, c; /* the tensor                                 */
    int64_t joined;  /* its rows in one row of the grid            */
    int64_t width;   /* numbers in one row of the grid             */
    int64_t column;  /* lanes of a column                          */
} grid;

static grid grid_of(const bl_device *dev, const bl_norm_desc *desc)
{
    grid g = {.kernels = bl_onednn_of(dev)->kernels[desc->act],
              .threads = bl_onednn_threads(dev, desc->rows * desc->c),
              .size = bl_dtype_size(desc->act),
              .rows = desc->rows, .c = desc->c};
    const int64_t lanes = g.kernels->lanes;
    g.joined = desc->c <= lanes ? lanes / desc->c : 1;
    g.width = g.joined * desc->c;
    g.column = g.width < lanes ? g.width : lanes;
    return g;
}

/** Where a tile lies. */
typedef struct spot {
    bl_tile tile;
    int64_t channel; /* of its first lane                   */
    size_t offset;   /* bytes from the start of the tensor  */
} spot;

typedef void tile_work(const grid *g, int32_t part, spot at, void *context);

/** Every column of grid rows [from, to), lanes of them in all. */
static void block_visit(const grid *g, int32_t part, int64_t from, int64_t to,
                        int64_t width, tile_work *work, void *context)
{
    for (int64_t j = 0; j < width; j += g->column) {
        const int64_t left = width - j;
        const bl_tile tile = {to - from, left < g->column ? left : g->column,
                              g->width};
        const spot at = {tile, j, (size_t)(from * g->width + j) * g->size};
        work(g, part, at, context);
    }
}

/** The tensor rows behind the last whole grid row. */
static void rest_visit(const grid *g, int32_t part, tile_work *work,
                       void *context)
{
    const int64_t whole = g->rows / g->joined, rest = g->rows % g->joined;
    if (part != g->threads - 1 || rest == 0) return;
    block_visit(g, part, whole, whole + 1, rest * g->c, work, context);
}

/** Part of the grid, first block to last or last to first. */
static void part_visit(const grid *g, int32_t part, bool backwards,
                       tile_work *work, void *context)
{
    const bl_stretch s =
        bl_stretch_of(g->rows / g->joined, g->threads, part);
    const int64_t n = (s.to - s.from + BLOCK - 1) / BLOCK;
    if (backwards) rest_visit(g, part, work, context);
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = s.from + (backwards ? n - 1 - i : i) * BLOCK;
        const int64_t to = from + BLOCK < s.to ? from + BLOCK : s.to;
        block_visit(g, part, from, to, g->width, work, context);
    }
    if (!backwards) rest_visit(g, part, work, context);
}

static void grid_visit(const grid *g, bool backwards, tile_work *work,
                       void *context)
{
    const int32_t threads = g->threads;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++)
        part_visit(g, t, backwards, work, context);
}

/** to [lanes] = from [c], its channels repeated from the tile's first. */
static void spread(const grid *g, const spot *at, const float *from,
                   float *to)
{
    for (int64_t i = 0, k = at->channel; i < at->tile.lanes; i++) {
        to[i] = from[k];
        k = k + 1 < g->c ? k + 1 : 0;
    }
}

/* ---- sums --------------------------------------------------------------- */

/* Scratch: f64 [threads][2][c] partial sums, then f32 [4][c] constants. */

static size_t sums_bytes(int32_t threads, int64_t c)
{
    return (size_t)threads * 2 * (size_t)c * sizeof(double);
}

size_t bl_onednn_norm_scratch(const bl_device *dev, const bl_norm_desc *desc)
{
    return sums_bytes(dev->threads, desc->c)
        + 4 * (size_t)desc->c * sizeof(float);
}

static float *constants_at(const grid *g, void *scratch, int which)
{
    char *const base = (char *)scratch + sums_bytes(g->threads, g->c);
    return (float *)(void *)base + which * g->c;
}

/** Adds a tile's lanes to its part's sums of channels. */
static void fold(const grid *g, int32_t part, const spot *at,
                 const double *a, const double *b, double *sums)
{
    double *const first = sums + part * 2 * g->c; // [c]
    double *const second = first + g->c;          // [c]
    for (int64_t i = 0, k = at->channel; i < at->tile.lanes; i++) {
        first[k] += a[i];
        second[k] += b[i];
        k = k + 1 < g->c ? k + 1 : 0;
    }
}

/** The sums of all parts, in their order, into the first part's. */
static void total(const grid *g, double *sums)
{
    for (int32_t t = 1; t < g->threads; t++)
        for (int64_t i = 0; i < 2 * g->c; i++)
            sums[i] += sums[t * 2 * g->c + i];
}

static float number_at(const void *src, bl_dtype act, int64_t i)
{
    return act == BL_BF16 ? bl_bf16_to_f32(((const bl_bf16 *)src)[i])
                          : ((const float *)src)[i];
}

/* ---- forward ------------------------------------------------------------ */

typedef struct forward {
    const char *src, *add; // act [rows][c]
    char *dst;             // act [rows][c]
    bool relu;
    const float *mean, *scale, *beta; // [c]
    double *sums;          // [threads][2][c]
} forward;

static void forward_sums(const grid *g, int32_t part, spot at, void *context)
{
    const forward *const f = context;
    float centre[BL_LANES_MAX] = {0};
    double a[BL_LANES_MAX] = {0}, b[BL_LANES_MAX] = {0};
    spread(g, &at, f->mean, centre);
    g->kernels->sums(at.tile, f->src + at.offset, centre, a, b);
    fold(g, part, &at, a, b, f->sums);
}

static void forward_apply(const grid *g, int32_t part, spot at, void *context)
{
    const forward *const f = context;
    float mean[BL_LANES_MAX] = {0}, scale[BL_LANES_MAX] = {0};
    float beta[BL_LANES_MAX] = {0};
    (void)part;
    spread(g, &at, f->mean, mean);
    spread(g, &at, f->scale, scale);
    spread(g, &at, f->beta, beta);
    g->kernels->normalise(at.tile, f->src + at.offset,
                          f->add != NULL ? f->add + at.offset : NULL, f->relu,
                          mean, scale, beta, f->dst + at.offset);
}

/** From sums about centre: saved and running statistics, and the factor. */
static void statistics(const bl_norm_desc *desc, const double *sums,
                       const float *centre, const float *gamma,
                       float *running_mean, float *running_var,
                       float *save_mean, float *save_rstd, float *scale)
{
    const double n = (double)desc->rows;
    const double keep = 1 - desc->momentum;
    const double unbias = desc->rows > 1 ? n / (n - 1) : 1;
    for (int64_t i = 0; i < desc->c; i++) {
        const double off = sums[i] / n;
        const double mean = (double)centre[i] + off;
        const double raw = sums[desc->c + i] / n - off * off;
        const double var = raw < 0 ? 0 : raw;
        const double rstd = 1 / sqrt(var + desc->eps);
        running_mean[i] = (float)(keep * (double)running_mean[i]
                                  + desc->momentum * mean);
        running_var[i] = (float)(keep * (double)running_var[i]
                                 + desc->momentum * unbias * var);
        save_mean[i] = (float)mean;
        save_rstd[i] = (float)rstd;
        scale[i] = (float)((double)gamma[i] * rstd);
    }
}

bl_status bl_onednn_norm_forward(bl_device *dev, const bl_norm_desc *desc,
                                 const void *src, const void *add,
                                 const void *gamma, const void *beta,
                                 void *running_mean, void *running_var,
                                 void *save_mean, void *save_rstd, void *dst,
                                 void *scratch)
{
    const grid g = grid_of(dev, desc);
    float *const centre = constants_at(&g, scratch, 0);
    float *const scale = constants_at(&g, scratch, 1);
    forward f = {.src = src, .add = desc->add ? add : NULL, .dst = dst,
                 .relu = desc->relu, .mean = centre, .scale = scale,
                 .beta = beta, .sums = scratch};
    for (int64_t i = 0; i < g.c; i++)
        centre[i] = number_at(src, desc->act, i);
    memset(scratch, 0, sums_bytes(g.threads, g.c));
    grid_visit(&g, true, forward_sums, &f);
    total(&g, f.sums);
    statistics(desc, f.sums, centre, gamma, running_mean, running_var,
               save_mean, save_rstd, scale);
    f.mean = save_mean;
    grid_visit(&g, false, forward_apply, &f);
    return BL_OK;
}

/* ---- inference ---------------------------------------------------------- */

typedef struct infer {
    forward f; /* but for scale */
    const float *gamma, *var; // [c]
    double eps;
} infer;

/* Without scratch, the factors of a tile are made anew for each. */
static void infer_apply(const grid *g, int32_t part, spot at, void *context)
{
    const infer *const c = context;
    float mean[BL_LANES_MAX] = {0}, scale[BL_LANES_MAX] = {0};
    float beta[BL_LANES_MAX] = {0}, gamma[BL_LANES_MAX] = {0};
    (void)part;
    spread(g, &at, c->f.mean, mean);
    spread(g, &at, c->f.beta, beta);
    spread(g, &at, c->gamma, gamma);
    spread(g, &at, c->var, scale);
    for (int64_t i = 0; i < at.tile.lanes; i++)
        scale[i] = (float)((double)gamma[i]
                           / sqrt((double)scale[i] + c->eps));
    g->kernels->normalise(at.tile, c->f.src + at.offset,
                          c->f.add != NULL ? c->f.add + at.offset : NULL,
                          c->f.relu, mean, scale, beta,
                          c->f.dst + at.offset);
}

bl_status bl_onednn_norm_infer(bl_device *dev, const bl_norm_desc *desc,
                               const void *src, const void *add,
                               const void *gamma, const void *beta,
                               const void *running_mean,
                               const void *running_var, void *dst)
{
    const grid g = grid_of(dev, desc);
    infer c = {.f = {.src = src, .add = desc->add ? add : NULL, .dst = dst,
                     .relu = desc->relu, .mean = running_mean, .beta = beta},
               .gamma = gamma, .var = running_var, .eps = desc->eps};
    grid_visit(&g, false, infer_apply, &c);
    return BL_OK;
}

/* ---- backward ----------------------------------------------------------- */

typedef struct backward {
    const char *src, *dst, *d1, *d2; // act [rows][c]
    char *keep, *diff_src;           // act [rows][c]
    const float *mean, *m1, *m2, *scale; // [c]
    double *sums;                    // [threads][2][c]
} backward;

static const char *moved(const char *address, size_t offset)
{
    return address != NULL ? address + offset : NULL;
}

static void backward_sums(const grid *g, int32_t part, spot at, void *context)
{
    const backward *const k = context;
    float mean[BL_LANES_MAX] = {0};
    double a[BL_LANES_MAX] = {0}, b[BL_LANES_MAX] = {0};
    spread(g, &at, k->mean, mean);
    g->kernels->grad_sums(at.tile, k->src + at.offset,
                          moved(k->dst, at.offset), k->d1 + at.offset,
                          moved(k->d2, at.offset), mean,
                          k->keep != NULL ? k->keep + at.offset : NULL, a, b);
    fold(g, part, &at, a, b, k->sums);
}

static void backward_apply(const grid *g, int32_t part, spot at,
                           void *context)
{
    const backward *const k = context;
    float mean[BL_LANES_MAX] = {0}, m1[BL_LANES_MAX] = {0};
    float m2[BL_LANES_MAX] = {0}, scale[BL_LANES_MAX] = {0};
    (void)part;
    spread(g, &at, k->mean, mean);
    spread(g, &at, k->m1, m1);
    spread(g, &at, k->m2, m2);
    spread(g, &at, k->scale, scale);
    g->kernels->grad_src(at.tile, k->src + at.offset,
                         moved(k->dst, at.offset), k->d1 + at.offset,
                         moved(k->d2, at.offset), mean, m1, m2, scale,
                         k->diff_src + at.offset);
}

/** Gradients of the parameters, and the constants of the second sweep. */
static void coefficients(const bl_norm_desc *desc, bool frozen,
                         const double *sums, const float *gamma,
                         const float *rstd, bool accumulate,
                         float *diff_gamma, float *diff_beta, float *m1,
                         float *m2, float *scale)
{
    const double n = (double)desc->rows;
    for (int64_t i = 0; i < desc->c; i++) {
        const double r = (double)rstd[i];
        const double sum_g = sums[i], sum_gh = sums[desc->c + i] * r;
        diff_beta[i] = (float)(sum_g
                               + (accumulate ? (double)diff_beta[i] : 0));
        diff_gamma[i] = (float)(sum_gh
                                + (accumulate ? (double)diff_gamma[i] : 0));
        m1[i] = frozen ? 0.0f : (float)(sum_g / n);
        m2[i] = frozen ? 0.0f : (float)(sum_gh * r / n);
        scale[i] = (float)((double)gamma[i] * r);
    }
}

bl_status bl_onednn_norm_backward(bl_device *dev, const bl_norm_desc *desc,
                                  bool frozen, const void *src,
                                  const void *dst, const void *diff_dst,
                                  const void *diff_dst2, const void *gamma,
                                  const void *mean, const void *rstd,
                                  void *diff_gamma, void *diff_beta,
                                  bool accumulate, void *diff_src,
                                  void *diff_add, void *scratch)
{
    const grid g = grid_of(dev, desc);
    float *const m1 = constants_at(&g, scratch, 0);
    float *const m2 = constants_at(&g, scratch, 1);
    float *const scale = constants_at(&g, scratch, 2);
    backward k = {.src = src, .dst = desc->relu ? dst : NULL, .d1 = diff_dst,
                  .d2 = diff_dst2, .keep = desc->add ? diff_add : NULL,
                  .diff_src = diff_src, .mean = mean, .m1 = m1, .m2 = m2,
                  .scale = scale, .sums = scratch};
    memset(scratch, 0, sums_bytes(g.threads, g.c));
    grid_visit(&g, true, backward_sums, &k);
    total(&g, k.sums);
    coefficients(desc, frozen, k.sums, gamma, rstd, accumulate, diff_gamma,
                 diff_beta, m1, m2, scale);
    if (k.keep != NULL) {
        k.d1 = k.keep;
        k.d2 = k.dst = NULL;
    }
    grid_visit(&g, false, backward_apply, &k);
    return BL_OK;
}
