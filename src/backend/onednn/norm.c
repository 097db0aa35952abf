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
 * `grid` says which; a tile is a block of such rows of one column.  Constants
 * are spread over the lanes of a grid row before a sweep, in the order that
 * the kernels want, and sums over lanes are folded into channels behind it.
 *
 * Source  Ioffe, Szegedy: Batch Normalization, ICML 2015, arXiv:1502.03167.
 */
#include <math.h>
#include <string.h>

#include "backend/bf16.h"
#include "backend/onednn/onednn.h"

enum { BLOCK = 64, LONG_BLOCK = 1024 }; /* rows; the long one sums nothing */

/** How rows x c numbers are cut for one dtype. */
typedef struct grid {
    const bl_kernels *kernels;
    int32_t threads;
    size_t size;     /* bytes of a number                          */
    int64_t rows, c; /* the tensor                                 */
    int64_t joined;  /* its rows in one row of the grid            */
    int64_t width;   /* numbers in one row of the grid             */
    int64_t column;  /* lanes of a column                          */
    int64_t padded;  /* lanes of all columns, each filled up       */
    int64_t block;   /* grid rows of a tile                        */
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
    g.padded = (g.width + lanes - 1) / lanes * lanes;
    g.block = BLOCK;
    return g;
}

/** Where a tile lies. */
typedef struct spot {
    bl_tile tile;
    int64_t lane;   /* its first, of the grid row          */
    size_t offset;  /* bytes from the start of the tensor  */
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
    const int64_t n = (s.to - s.from + g->block - 1) / g->block;
    if (backwards) rest_visit(g, part, work, context);
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = s.from + (backwards ? n - 1 - i : i) * g->block;
        const int64_t to = from + g->block < s.to ? from + g->block : s.to;
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

/** Lane of number i of a grid row. */
static int64_t lane_at(const grid *g, int64_t i)
{
    const int64_t within = i % g->kernels->lanes;
    return i - within + g->kernels->lane_of(within);
}

/** to [padded] = from [c], each channel wherever it occurs. */
static void spread(const grid *g, const float *from, float *to)
{
    memset(to, 0, (size_t)g->padded * sizeof *to);
    for (int64_t i = 0; i < g->width; i++)
        to[lane_at(g, i)] = from[i % g->c];
}

/* ---- scratch ------------------------------------------------------------ */

enum { CONSTANTS = 4 };

/** What a sweep needs, laid out in the caller's scratch. */
typedef struct room {
    double *sums;              // [threads][2][padded]
    double *channel_sums;      // [2][c]
    float *constant[CONSTANTS]; // [padded]
    float *channel[CONSTANTS];  // [c]
} room;

static size_t room_bytes(const grid *g)
{
    const size_t padded = (size_t)g->padded, c = (size_t)g->c;
    return ((size_t)g->threads * padded + c) * 2 * sizeof(double)
        + CONSTANTS * (padded + c) * sizeof(float);
}

size_t bl_onednn_norm_scratch(const bl_device *dev, const bl_norm_desc *desc)
{
    const grid g = grid_of(dev, desc);
    return room_bytes(&g);
}

/** The room, its sums zero. */
static room room_of(const grid *g, void *scratch)
{
    room r = {.sums = scratch};
    const int64_t sums = (int64_t)g->threads * 2 * g->padded;
    r.channel_sums = r.sums + sums;
    float *at = (float *)(void *)(r.channel_sums + 2 * g->c);
    for (int i = 0; i < CONSTANTS; i++) {
        r.constant[i] = at;
        r.channel[i] = at + g->padded;
        at += g->padded + g->c;
    }
    memset(scratch, 0, (size_t)(sums + 2 * g->c) * sizeof(double));
    return r;
}

static double *sums_at(const grid *g, const room *r, int32_t part, int which)
{
    return r->sums + (part * 2 + which) * g->padded;
}

/** channel_sums: all parts in their order, then the lanes of each channel. */
static void fold(const grid *g, const room *r)
{
    for (int which = 0; which < 2; which++) {
        double *const lanes = sums_at(g, r, 0, which);
        double *const sums = r->channel_sums + which * g->c;
        for (int32_t t = 1; t < g->threads; t++)
            for (int64_t i = 0; i < g->padded; i++)
                lanes[i] += sums_at(g, r, t, which)[i];
        for (int64_t i = 0; i < g->width; i++)
            sums[i % g->c] += lanes[lane_at(g, i)];
    }
}

static float number_at(const void *src, bl_dtype act, int64_t i)
{
    return act == BL_BF16 ? bl_bf16_to_f32(((const bl_bf16 *)src)[i])
                          : ((const float *)src)[i];
}

/* ---- forward ------------------------------------------------------------ */

enum { MEAN, SCALE, BETA, CENTRE }; /* constants of the forward sweeps */

typedef struct forward {
    const char *src, *add; // act [rows][c]
    char *dst;             // act [rows][c]
    bool relu;
    room room;
} forward;

static const char *moved(const char *address, size_t offset)
{
    return address != NULL ? address + offset : NULL;
}

static void forward_sums(const grid *g, int32_t part, spot at, void *context)
{
    const forward *const f = context;
    g->kernels->sums(at.tile, f->src + at.offset,
                     f->room.constant[CENTRE] + at.lane,
                     sums_at(g, &f->room, part, 0) + at.lane,
                     sums_at(g, &f->room, part, 1) + at.lane);
}

static void forward_apply(const grid *g, int32_t part, spot at, void *context)
{
    const forward *const f = context;
    (void)part;
    g->kernels->normalise(at.tile, f->src + at.offset,
                          moved(f->add, at.offset), f->relu,
                          f->room.constant[MEAN] + at.lane,
                          f->room.constant[SCALE] + at.lane,
                          f->room.constant[BETA] + at.lane,
                          f->dst + at.offset);
}

/** From sums about centre: saved and running statistics. */
static void statistics(const bl_norm_desc *desc, const double *sums,
                       const float *centre, float *running_mean,
                       float *running_var, float *save_mean, float *save_rstd)
{
    const double n = (double)desc->rows;
    const double keep = 1 - desc->momentum;
    const double unbias = desc->rows > 1 ? n / (n - 1) : 1;
    for (int64_t i = 0; i < desc->c; i++) {
        const double off = sums[i] / n;
        const double mean = (double)centre[i] + off;
        const double raw = sums[desc->c + i] / n - off * off;
        const double var = raw < 0 ? 0 : raw;
        running_mean[i] = (float)(keep * (double)running_mean[i]
                                  + desc->momentum * mean);
        running_var[i] = (float)(keep * (double)running_var[i]
                                 + desc->momentum * unbias * var);
        save_mean[i] = (float)mean;
        save_rstd[i] = (float)(1 / sqrt(var + desc->eps));
    }
}

/** The second sweep, from saved statistics. */
static void normalise(const grid *g, forward *f, const float *gamma,
                      const float *beta, const float *mean, const float *rstd)
{
    const room *const r = &f->room;
    for (int64_t i = 0; i < g->c; i++)
        r->channel[SCALE][i] = (float)((double)gamma[i] * (double)rstd[i]);
    spread(g, mean, r->constant[MEAN]);
    spread(g, r->channel[SCALE], r->constant[SCALE]);
    spread(g, beta, r->constant[BETA]);
    grid_visit(g, false, forward_apply, f);
}

bl_status bl_onednn_norm_forward(bl_device *dev, const bl_norm_desc *desc,
                                 const void *src, const void *add,
                                 const void *gamma, const void *beta,
                                 void *running_mean, void *running_var,
                                 void *save_mean, void *save_rstd, void *dst,
                                 void *scratch)
{
    const grid g = grid_of(dev, desc);
    forward f = {.src = src, .add = desc->add ? add : NULL, .dst = dst,
                 .relu = desc->relu, .room = room_of(&g, scratch)};
    const room *const r = &f.room;
    for (int64_t i = 0; i < g.c; i++)
        r->channel[CENTRE][i] = number_at(src, desc->act, i);
    spread(&g, r->channel[CENTRE], r->constant[CENTRE]);
    grid_visit(&g, true, forward_sums, &f);
    fold(&g, r);
    statistics(desc, r->channel_sums, r->channel[CENTRE], running_mean,
               running_var, save_mean, save_rstd);
    normalise(&g, &f, gamma, beta, save_mean, save_rstd);
    return BL_OK;
}

bl_status bl_onednn_norm_again(bl_device *dev, const bl_norm_desc *desc,
                               const void *src, const void *gamma,
                               const void *beta, const void *mean,
                               const void *rstd, void *dst, void *scratch)
{
    const grid g = grid_of(dev, desc);
    forward f = {.src = src, .dst = dst, .relu = desc->relu,
                 .room = room_of(&g, scratch)};
    normalise(&g, &f, gamma, beta, mean, rstd);
    return BL_OK;
}

/* ---- inference ---------------------------------------------------------- */

typedef struct infer {
    const char *src, *add; // act [rows][c]
    char *dst;             // act [rows][c]
    bool relu;
    const float *gamma, *beta, *mean, *var; // [c]
    double eps;
} infer;

/* There is no scratch: the constants of a tile are made on its stack, and
 * tiles are long. */
static void infer_apply(const grid *g, int32_t part, spot at, void *context)
{
    const infer *const f = context;
    float mean[BL_LANES_MAX] = {0}, scale[BL_LANES_MAX] = {0};
    float beta[BL_LANES_MAX] = {0};
    (void)part;
    for (int64_t i = 0; i < at.tile.lanes; i++) {
        const int64_t to = g->kernels->lane_of(i);
        const int64_t c = (at.lane + i) % g->c;
        mean[to] = f->mean[c];
        beta[to] = f->beta[c];
        scale[to] = (float)((double)f->gamma[c]
                            / sqrt((double)f->var[c] + f->eps));
    }
    g->kernels->normalise(at.tile, f->src + at.offset,
                          moved(f->add, at.offset), f->relu, mean, scale,
                          beta, f->dst + at.offset);
}

bl_status bl_onednn_norm_infer(bl_device *dev, const bl_norm_desc *desc,
                               const void *src, const void *add,
                               const void *gamma, const void *beta,
                               const void *running_mean,
                               const void *running_var, void *dst)
{
    grid g = grid_of(dev, desc);
    infer f = {.src = src, .add = desc->add ? add : NULL, .dst = dst,
               .relu = desc->relu, .gamma = gamma, .beta = beta,
               .mean = running_mean, .var = running_var, .eps = desc->eps};
    if (g.width == g.column) g.block = LONG_BLOCK;
    grid_visit(&g, false, infer_apply, &f);
    return BL_OK;
}

/* ---- backward ----------------------------------------------------------- */

enum { CENTRED = MEAN, FACTOR = SCALE, M1, M2 }; /* of the backward sweeps */

typedef struct backward {
    const char *src, *dst, *d1, *d2; // act [rows][c]
    char *keep, *diff_src;           // act [rows][c]
    room room;
} backward;

static void backward_sums(const grid *g, int32_t part, spot at, void *context)
{
    const backward *const k = context;
    g->kernels->grad_sums(at.tile, k->src + at.offset,
                          moved(k->dst, at.offset), k->d1 + at.offset,
                          moved(k->d2, at.offset),
                          k->room.constant[CENTRED] + at.lane,
                          k->keep != NULL ? k->keep + at.offset : NULL,
                          sums_at(g, &k->room, part, 0) + at.lane,
                          sums_at(g, &k->room, part, 1) + at.lane);
}

static void backward_apply(const grid *g, int32_t part, spot at,
                           void *context)
{
    const backward *const k = context;
    (void)part;
    g->kernels->grad_src(at.tile, k->src + at.offset,
                         moved(k->dst, at.offset), k->d1 + at.offset,
                         moved(k->d2, at.offset),
                         k->room.constant[CENTRED] + at.lane,
                         k->room.constant[M1] + at.lane,
                         k->room.constant[M2] + at.lane,
                         k->room.constant[FACTOR] + at.lane,
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
    backward k = {.src = src, .dst = desc->relu ? dst : NULL, .d1 = diff_dst,
                  .d2 = diff_dst2, .keep = desc->add ? diff_add : NULL,
                  .diff_src = diff_src, .room = room_of(&g, scratch)};
    const room *const r = &k.room;
    spread(&g, mean, r->constant[CENTRED]);
    grid_visit(&g, true, backward_sums, &k);
    fold(&g, r);
    coefficients(desc, frozen, r->channel_sums, gamma, rstd, accumulate,
                 diff_gamma, diff_beta, r->channel[M1], r->channel[M2],
                 r->channel[FACTOR]);
    for (int i = FACTOR; i < CONSTANTS; i++)
        spread(&g, r->channel[i], r->constant[i]);
    if (k.keep != NULL) {
        k.d1 = k.keep;
        k.d2 = k.dst = NULL;
    }
    grid_visit(&g, false, backward_apply, &k);
    return BL_OK;
}
