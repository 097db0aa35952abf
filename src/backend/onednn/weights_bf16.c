/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights_bf16.c: diff_weights of a bf16 convolution with few channels.
 *
 *   diff_weights[kh][kw][i][o] = sum_{n, oh, ow}
 *       src[n][oh sh + kh dh - ph][ow sw + kw dw - pw][i]
 *       diff_dst[n][oh][ow][o]
 *
 * is, for each tap (kh, kw), a product of matrices whose inner extent is all
 * pixels.  The instruction multiplies 16 pairs of bf16 and adds both products
 * to 16 floats, so pixels are taken two by two: `pack` lays two neighbours of
 * a row side by side, channel by channel, once for diff_dst and once for each
 * kw for src (a shift by one pixel changes who is whose neighbour; stride,
 * dilation and the border of zeros are settled there too).  Then 16 input
 * channels, each broadcast from memory, times 16 output channels in a register
 * are 16 independent sums in 16 registers: `block`.
 *
 * Each thread takes its share of images, a few at a time so that the sums stay
 * in registers for some hundred steps, into sums of its own; these are added
 * in the order of threads.
 *
 * oneDNN 2.6 transposes whole tensors for this pass and reaches a half to two
 * thirds of the machine on 16 to 64 channels, a third at stride 2; where the
 * processor has tile registers (AMX), oneDNN uses them and is preferred.
 */
#include "backend/onednn/weights_bf16.h"

#include "backend/onednn/onednn.h"

enum {
    BLOCK = 16,        /* channels of a block, lanes of a register       */
    STEPS = 128,       /* pairs of pixels wanted in one run of `block`   */
    CACHE = 512 * 1024 /* bytes of working set of a thread               */
};

#ifdef BL_KERNELS_X86

#include <immintrin.h>
#include <string.h>

/** Extents of one thread's working set. */
typedef struct sizes {
    int64_t group; /* images taken together      */
    int64_t pairs; /* of pixels in a row of dst  */
    int64_t src;   /* words of packed src        */
    int64_t dst;   /* words of packed diff_dst   */
    int64_t sums;  /* floats [kh][kw][ic][oc]    */
} sizes;

static sizes sizes_of(const bl_conv_desc *d)
{
    const int64_t pairs = (d->ow + 1) / 2;
    const int64_t wanted = STEPS / (d->oh * pairs);
    const int64_t group = wanted > d->n ? d->n : wanted > 0 ? wanted : 1;
    return (sizes){.group = group, .pairs = pairs,
                   .src = d->kw * group * d->ih * pairs * d->ic,
                   .dst = group * d->oh * pairs * d->oc,
                   .sums = d->kh * d->kw * d->ic * d->oc};
}

static int64_t words_of(const sizes *s)
{
    return s->src + s->dst + s->sums; /* each a multiple of 16 */
}

bool bl_weights_bf16_fits(const bl_conv_desc *desc, const char *kernel)
{
    const bl_kernels *const best = bl_kernels_find(BL_BF16, 0);
    if (best != &bl_kernels_avx512_native_bf16) return false;
    if (desc->act != BL_BF16 || strstr(kernel, "amx") != NULL) return false;
    if (desc->ic % BLOCK != 0 || desc->oc % BLOCK != 0) return false;
    const sizes s = sizes_of(desc);
    return words_of(&s) * (int64_t)sizeof(uint32_t) <= CACHE;
}

/* Sums of all threads come first, packed tensors behind them. */
size_t bl_weights_bf16_scratch(const bl_conv_desc *desc, int32_t threads)
{
    const sizes s = sizes_of(desc);
    return (size_t)threads * (size_t)words_of(&s) * sizeof(uint32_t);
}

void bl_weights_bf16_places(const bl_conv_desc *desc, uint32_t *place)
{
    const int64_t taps = desc->kh * desc->kw;
    for (int64_t o = 0; o < desc->oc; o++)
        for (int64_t i = 0; i < desc->ic; i++)
            for (int64_t k = 0; k < taps; k++)
                place[(o * desc->ic + i) * taps + k] =
                    (uint32_t)((k * desc->ic + i) * desc->oc + o);
}

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target( \
    "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
#endif

/** Lays 16 channels of two pixels side by side; NULL is a pixel of zeros. */
static inline void pair(const uint16_t *even, const uint16_t *odd,
                        uint32_t *to)
{
    const __m512i order = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
        22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low =
        even != NULL ? _mm256_loadu_si256((const void *)even) : zero;
    const __m256i high =
        odd != NULL ? _mm256_loadu_si256((const void *)odd) : zero;
    const __m512i both =
        _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, both));
}

/** A row of pixels to be packed, and which of them. */
typedef struct line {
    const uint16_t *row; // [width][c]
    int64_t width, c;
    int64_t first, step; /* pixels first, first + step, ...             */
    int64_t count;       /* of them; a last one without a partner has a
                            pixel of zeros, as all outside [0, width)   */
} line;

static const uint16_t *pixel(const line *l, int64_t j)
{
    const int64_t at = l->first + j * l->step;
    const bool inside = j < l->count && at >= 0 && at < l->width;
    return inside ? l->row + at * l->c : NULL;
}

/** Pairs that touch the border: with every pixel asked for. */
static void pack_border(const line *l, int64_t from, int64_t to_pair,
                        int64_t far, uint32_t *to)
{
    for (int64_t q = from; q < to_pair; q++) {
        const uint16_t *const a = pixel(l, 2 * q);
        const uint16_t *const b = pixel(l, 2 * q + 1);
        for (int64_t k = 0; k < l->c / BLOCK; k++)
            pair(a != NULL ? a + k * BLOCK : NULL,
                 b != NULL ? b + k * BLOCK : NULL,
                 to + k * far + q * BLOCK);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/** to: [c / 16] blocks, far apart, of [pairs][16] words. */
static void pack(const line *l, int64_t far, uint32_t *to)
{
    const int64_t pairs = (l->count + 1) / 2, two = 2 * l->step;
    const int64_t before =
        l->first < 0 ? least((two - 1 - l->first) / two, pairs) : 0;
    const int64_t reach = l->width - l->first - l->step; /* of even pixels */
    const int64_t whole =
        reach > 0 ? least((reach + two - 1) / two, l->count / 2) : 0;
    const int64_t after = most(whole, before);
    pack_border(l, 0, before, far, to);
    for (int64_t k = 0; k < l->c / BLOCK; k++) {
        const uint16_t *from =
            l->row + (l->first + before * two) * l->c + k * BLOCK;
        for (int64_t q = before; q < after; q++, from += two * l->c)
            pair(from, from + l->step * l->c, to + k * far + q * BLOCK);
    }
    pack_border(l, after, pairs, far, to);
}

/** Rows of pairs that one run of `block` goes through. */
typedef struct run {
    const uint32_t *src, *dst;    // [pairs][16] at the first row
    int64_t images, rows, pairs;
    int64_t src_image, src_row;   /* words from one to the next */
    int64_t dst_image, dst_row;
} run;

static inline __m512 dot(__m512 sum, const uint32_t *src, __m512i dst)
{
    const __m512i both = _mm512_set1_epi32((int)*src);
    return _mm512_dpbf16_ps(sum, (__m512bh)both, (__m512bh)dst);
}

static inline void add_to(float *sums, __m512 sum)
{
    _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), sum));
}

/** sums [16][oc], the 16 of a block of oc, += src^T dst over the run. */
static void block(const run *r, int64_t oc, float *sums)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
    __m512 a6 = zero, a7 = zero, a8 = zero, a9 = zero, a10 = zero;
    __m512 a11 = zero, a12 = zero, a13 = zero, a14 = zero, a15 = zero;
    for (int64_t g = 0; g < r->images; g++)
        for (int64_t h = 0; h < r->rows; h++) {
            const uint32_t *s = r->src + g * r->src_image + h * r->src_row;
            const uint32_t *d = r->dst + g * r->dst_image + h * r->dst_row;
            for (int64_t q = 0; q < r->pairs; q++, s += BLOCK, d += BLOCK) {
                const __m512i y = _mm512_loadu_si512(d);
                a0 = dot(a0, s, y);
                a1 = dot(a1, s + 1, y);
                a2 = dot(a2, s + 2, y);
                a3 = dot(a3, s + 3, y);
                a4 = dot(a4, s + 4, y);
                a5 = dot(a5, s + 5, y);
                a6 = dot(a6, s + 6, y);
                a7 = dot(a7, s + 7, y);
                a8 = dot(a8, s + 8, y);
                a9 = dot(a9, s + 9, y);
                a10 = dot(a10, s + 10, y);
                a11 = dot(a11, s + 11, y);
                a12 = dot(a12, s + 12, y);
                a13 = dot(a13, s + 13, y);
                a14 = dot(a14, s + 14, y);
                a15 = dot(a15, s + 15, y);
            }
        }
    add_to(sums, a0);
    add_to(sums + oc, a1);
    add_to(sums + 2 * oc, a2);
    add_to(sums + 3 * oc, a3);
    add_to(sums + 4 * oc, a4);
    add_to(sums + 5 * oc, a5);
    add_to(sums + 6 * oc, a6);
    add_to(sums + 7 * oc, a7);
    add_to(sums + 8 * oc, a8);
    add_to(sums + 9 * oc, a9);
    add_to(sums + 10 * oc, a10);
    add_to(sums + 11 * oc, a11);
    add_to(sums + 12 * oc, a12);
    add_to(sums + 13 * oc, a13);
    add_to(sums + 14 * oc, a14);
    add_to(sums + 15 * oc, a15);
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

/** One thread's memory. */
typedef struct worker {
    const bl_conv_desc *d;
    sizes s;
    uint32_t *src; // [kw][ic / 16][group][ih][pairs][16]
    uint32_t *dst; // [oc / 16][group][oh][pairs][16]
    float *sums;   // [kh][kw][ic][oc]
} worker;

/** Packs image n as the g-th of the group. */
static void image_pack(const worker *w, int64_t g, const uint16_t *src,
                       const uint16_t *diff_dst)
{
    const bl_conv_desc *const d = w->d;
    const int64_t row = w->s.pairs * BLOCK;
    const int64_t src_far = w->s.group * d->ih * row;
    const int64_t dst_far = w->s.group * d->oh * row;
    line from_src = {.width = d->iw, .c = d->ic, .step = d->sw,
                     .count = d->ow};
    line from_dst = {.width = d->ow, .c = d->oc, .step = 1, .count = d->ow};
    for (int64_t k = 0; k < d->kw; k++)
        for (int64_t h = 0; h < d->ih; h++) {
            from_src.row = src + h * d->iw * d->ic;
            from_src.first = k * d->dw - d->pw;
            pack(&from_src, src_far,
                 w->src + k * (d->ic / BLOCK) * src_far
                     + (g * d->ih + h) * row);
        }
    for (int64_t h = 0; h < d->oh; h++) {
        from_dst.row = diff_dst + h * d->ow * d->oc;
        pack(&from_dst, dst_far, w->dst + (g * d->oh + h) * row);
    }
}

/** The first row of dst whose row of src under tap row k is at least at. */
static int64_t row_from(const bl_conv_desc *d, int64_t k, int64_t at)
{
    const int64_t from = at - k * d->dh + d->ph;
    const int64_t h = from <= 0 ? 0 : (from + d->sh - 1) / d->sh;
    return h < d->oh ? h : d->oh;
}

/** All blocks of tap (kh, kw) over rows `strip` of the images packed. */
static void tap(const worker *w, int64_t images, bl_stretch strip, int64_t kh,
                int64_t kw)
{
    const bl_conv_desc *const d = w->d;
    const int64_t row = w->s.pairs * BLOCK;
    const int64_t from = most(row_from(d, kh, 0), strip.from);
    const int64_t to = least(row_from(d, kh, d->ih), strip.to);
    const int64_t src_far = w->s.group * d->ih * row;
    const int64_t dst_far = w->s.group * d->oh * row;
    const int64_t src_row = from * d->sh + kh * d->dh - d->ph;
    float *const sums = w->sums + (kh * d->kw + kw) * d->ic * d->oc;
    run r = {.images = images, .rows = to - from, .pairs = w->s.pairs,
             .src_image = d->ih * row, .src_row = d->sh * row,
             .dst_image = d->oh * row, .dst_row = row};
    for (int64_t i = 0; i < d->ic / BLOCK; i++)
        for (int64_t o = 0; o < d->oc / BLOCK; o++) {
            r.src = w->src + (kw * (d->ic / BLOCK) + i) * src_far
                + src_row * row;
            r.dst = w->dst + o * dst_far + from * row;
            if (r.rows > 0)
                block(&r, d->oc, sums + i * BLOCK * d->oc + o * BLOCK);
        }
}

/** Asks for the part-th of parts of bytes at memory. */
static void fetch(const void *memory, int64_t bytes, int64_t part,
                  int64_t parts)
{
    const char *const at = memory;
    const int64_t from = bytes * part / parts, to = bytes * (part + 1) / parts;
    for (int64_t i = from; i < to; i += 64)
        _mm_prefetch(at + i, _MM_HINT_T1);
}

/** All taps, strip by strip: what one kw needs of a strip is read kh times
 *  from the first-level cache.  Meanwhile the images to be packed next come
 *  from memory. */
static void taps(const worker *w, int64_t images, const uint16_t *next_src,
                 const uint16_t *next_dst, int64_t next)
{
    const bl_conv_desc *const d = w->d;
    const int64_t rows = most(STEPS / w->s.pairs, 1);
    const int64_t parts = (d->oh + rows - 1) / rows * d->kw * d->kh;
    const int64_t src_bytes = next * d->ih * d->iw * d->ic * 2;
    const int64_t dst_bytes = next * d->oh * d->ow * d->oc * 2;
    int64_t part = 0;
    for (int64_t h = 0; h < d->oh; h += rows) {
        const bl_stretch strip = {h, least(h + rows, d->oh)};
        for (int64_t kw = 0; kw < d->kw; kw++)
            for (int64_t kh = 0; kh < d->kh; kh++, part++) {
                fetch(next_src, src_bytes, part, parts);
                fetch(next_dst, dst_bytes, part, parts);
                tap(w, images, strip, kh, kw);
            }
    }
}

/** The thread's images [s.from, s.to). */
static void work(const worker *w, bl_stretch s, const uint16_t *src,
                 const uint16_t *diff_dst)
{
    const bl_conv_desc *const d = w->d;
    const int64_t src_image = d->ih * d->iw * d->ic;
    const int64_t dst_image = d->oh * d->ow * d->oc;
    memset(w->sums, 0, (size_t)w->s.sums * sizeof *w->sums);
    for (int64_t n = s.from; n < s.to; n += w->s.group) {
        const int64_t left = s.to - n;
        const int64_t images = left < w->s.group ? left : w->s.group;
        for (int64_t g = 0; g < images; g++)
            image_pack(w, g, src + (n + g) * src_image,
                       diff_dst + (n + g) * dst_image);
        const int64_t after = n + images;
        taps(w, images, src + after * src_image, diff_dst + after * dst_image,
             least(w->s.group, s.to - after));
    }
}

void bl_weights_bf16_run(const bl_conv_desc *desc, int32_t threads,
                         const void *src, const void *diff_dst,
                         void *scratch)
{
    const sizes s = sizes_of(desc);
    float *const sums = scratch;                            // [threads][..]
    uint32_t *const packed = (uint32_t *)scratch + threads * s.sums;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++) {
        uint32_t *const own = packed + t * (s.src + s.dst);
        const worker w = {desc, s, own, own + s.src, sums + t * s.sums};
        work(&w, bl_stretch_of(desc->n, threads, t), src, diff_dst);
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < s.sums; i++)
        for (int32_t t = 1; t < threads; t++)
            sums[i] += sums[t * s.sums + i];
}

#else

bool bl_weights_bf16_fits(const bl_conv_desc *desc, const char *kernel)
{
    (void)desc;
    (void)kernel;
    return false;
}

size_t bl_weights_bf16_scratch(const bl_conv_desc *desc, int32_t threads)
{
    (void)desc;
    (void)threads;
    return 0;
}

void bl_weights_bf16_places(const bl_conv_desc *desc, uint32_t *place)
{
    (void)desc;
    (void)place;
}

void bl_weights_bf16_run(const bl_conv_desc *desc, int32_t threads,
                         const void *src, const void *diff_dst,
                         void *scratch)
{
    (void)desc;
    (void)threads;
    (void)src;
    (void)diff_dst;
    (void)scratch;
}

#endif
