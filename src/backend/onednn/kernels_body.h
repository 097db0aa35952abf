/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels_body.h: the inner loops, once for all instruction sets and dtypes.
 *
 * The including file defines
 *
 *   BL_VECTOR      floats in a vector register
 *   BL_NATIVE_BF16 1: AVX512-BF16 rounds to bf16
 *
 * and includes this file once with BL_BF16_STORAGE 0 and once with 1, with
 * BL_NAME(x) giving names, BL_TABLE the table's name, BL_ISA its label.
 *
 * A `quad` is four registers, the width of a full tile.  Registers are the
 * compiler's own vector types (GNU C, gcc and clang alike), which add and
 * multiply by the ordinary operators; the only other primitives are loads and
 * stores that widen bf16 to f32 and round it back to nearest even.  Sums run
 * in float over one tile, at most a few dozen rows, and in double over tiles.
 */
#include <string.h>

#include "backend/bf16.h"
#include "backend/onednn/kernels.h"

#ifndef BL_QUAD
#define BL_QUAD

enum { LANES = 4 * BL_VECTOR };

typedef float vec __attribute__((vector_size(4 * BL_VECTOR)));
typedef int32_t ivec __attribute__((vector_size(4 * BL_VECTOR)));
typedef uint32_t uvec __attribute__((vector_size(4 * BL_VECTOR)));
typedef uint16_t hvec __attribute__((vector_size(2 * BL_VECTOR)));

typedef struct quad {
    vec a, b, c, d;
} quad;

static inline quad quad_read(const float *p) // [LANES]
{
    quad q;
    memcpy(&q.a, p, sizeof q.a);
    memcpy(&q.b, p + BL_VECTOR, sizeof q.b);
    memcpy(&q.c, p + 2 * BL_VECTOR, sizeof q.c);
    memcpy(&q.d, p + 3 * BL_VECTOR, sizeof q.d);
    return q;
}

static inline void quad_write(float *p, quad q) // [LANES]
{
    memcpy(p, &q.a, sizeof q.a);
    memcpy(p + BL_VECTOR, &q.b, sizeof q.b);
    memcpy(p + 2 * BL_VECTOR, &q.c, sizeof q.c);
    memcpy(p + 3 * BL_VECTOR, &q.d, sizeof q.d);
}

static inline vec widen(const uint16_t *p) // [BL_VECTOR]
{
    hvec half;
    memcpy(&half, p, sizeof half);
    return (vec)(__builtin_convertvector(half, uvec) << 16);
}

static inline quad quad_read_bf16(const uint16_t *p) // [LANES]
{
    return (quad){widen(p), widen(p + BL_VECTOR), widen(p + 2 * BL_VECTOR),
                  widen(p + 3 * BL_VECTOR)};
}

static inline void narrow(uint16_t *p, vec x) // [BL_VECTOR]
{
#if BL_NATIVE_BF16
    const __m256bh half = _mm512_cvtneps_pbh((__m512)x);
    memcpy(p, &half, sizeof half);
#else
    const uvec bits = (uvec)x;
    const uvec nan = (uvec)((ivec)(bits & 0x7fffffffu) > 0x7f800000);
    const uvec even = bits + 0x7fffu + (bits >> 16 & 1u);
    const uvec quiet = bits | 0x00400000u;
    const uvec both = ((even & ~nan) | (quiet & nan)) >> 16;
    const hvec half = __builtin_convertvector(both, hvec);
    memcpy(p, &half, sizeof half);
#endif
}

static inline void quad_write_bf16(uint16_t *p, quad q) // [LANES]
{
    narrow(p, q.a);
    narrow(p + BL_VECTOR, q.b);
    narrow(p + 2 * BL_VECTOR, q.c);
    narrow(p + 3 * BL_VECTOR, q.d);
}

static inline quad plus(quad x, quad y)
{
    return (quad){x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
}

static inline quad minus(quad x, quad y)
{
    return (quad){x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
}

static inline quad times(quad x, quad y)
{
    return (quad){x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d};
}

/** x where y > 0, else 0. */
static inline vec gate(vec x, vec y)
{
    return (vec)((ivec)x & (ivec)(y > 0.0f));
}

static inline quad where_positive(quad x, quad y)
{
    return (quad){gate(x.a, y.a), gate(x.b, y.b), gate(x.c, y.c),
                  gate(x.d, y.d)};
}

/** max(x, 0), a NaN stays. */
static inline vec rectify(vec x)
{
    return (vec)((ivec)x & ~(ivec)(x < 0.0f));
}

static inline quad relu_of(quad x)
{
    return (quad){rectify(x.a), rectify(x.b), rectify(x.c), rectify(x.d)};
}

/** Adds the lanes of a tile's float sum to double sums. */
static inline void flush(quad q, int64_t lanes, double *sum)
{
    float part[LANES];
    quad_write(part, q);
    for (int64_t i = 0; i < lanes; i++) sum[i] += (double)part[i];
}

#endif

#if BL_BF16_STORAGE
typedef uint16_t BL_NAME(number);
#define READ quad_read_bf16
#define WRITE quad_write_bf16
#define NARROW bl_bf16_from_f32
#else
typedef float BL_NAME(number);
#define READ quad_read
#define WRITE quad_write
#define NARROW
#endif
#define NUMBER BL_NAME(number)

/** n <= LANES numbers; lanes behind them are zero. */
static inline quad BL_NAME(load)(const NUMBER *p, int64_t n)
{
    if (n == LANES) return READ(p);
    NUMBER part[LANES] = {0};
    memcpy(part, p, (size_t)n * sizeof *p);
    return READ(part);
}

static inline void BL_NAME(store)(NUMBER *p, int64_t n, quad q)
{
    if (n == LANES) {
        WRITE(p, q);
        return;
    }
    NUMBER part[LANES];
    WRITE(part, q);
    memcpy(p, part, (size_t)n * sizeof *p);
}

static void BL_NAME(sums)(bl_tile t, const void *src, const float *centre,
                          double *a, double *b)
{
    const NUMBER *x = src;
    const quad c = quad_read(centre);
    quad first = {0}, second = {0};
    for (int64_t i = 0; i < t.rows; i++, x += t.stride) {
        const quad d = minus(BL_NAME(load)(x, t.lanes), c);
        first = plus(first, d);
        second = plus(second, times(d, d));
    }
    flush(first, t.lanes, a);
    flush(second, t.lanes, b);
}

static void BL_NAME(normalise)(bl_tile t, const void *src, const void *add,
                               bool relu, const float *mean,
                               const float *scale, const float *beta,
                               void *dst)
{
    const NUMBER *x = src, *z = add;
    NUMBER *y = dst;
    const quad m = quad_read(mean), s = quad_read(scale);
    const quad h = quad_read(beta);
    for (int64_t i = 0; i < t.rows; i++, x += t.stride, y += t.stride) {
        quad q = plus(times(minus(BL_NAME(load)(x, t.lanes), m), s), h);
        if (z != NULL) {
            q = plus(q, BL_NAME(load)(z, t.lanes));
            z += t.stride;
        }
        if (relu) q = relu_of(q);
        BL_NAME(store)(y, t.lanes, q);
    }
}

/** (d1 + d2) [dst > 0] of one row at offset; d2 and dst may be NULL. */
static inline quad BL_NAME(gradient)(const NUMBER *d1, const NUMBER *d2,
                                     const NUMBER *dst, int64_t offset,
                                     int64_t lanes)
{
    quad g = BL_NAME(load)(d1 + offset, lanes);
    if (d2 != NULL) g = plus(g, BL_NAME(load)(d2 + offset, lanes));
    if (dst != NULL)
        g = where_positive(g, BL_NAME(load)(dst + offset, lanes));
    return g;
}

static void BL_NAME(grad_sums)(bl_tile t, const void *src, const void *dst,
                               const void *d1, const void *d2,
                               const float *mean, void *keep, double *a,
                               double *b)
{
    const NUMBER *const x = src;
    NUMBER *const kept = keep;
    const quad m = quad_read(mean);
    quad first = {0}, second = {0};
    for (int64_t i = 0; i < t.rows; i++) {
        const int64_t at = i * t.stride;
        const quad g = BL_NAME(gradient)(d1, d2, dst, at, t.lanes);
        const quad d = minus(BL_NAME(load)(x + at, t.lanes), m);
        if (kept != NULL) BL_NAME(store)(kept + at, t.lanes, g);
        first = plus(first, g);
        second = plus(second, times(g, d));
    }
    flush(first, t.lanes, a);
    flush(second, t.lanes, b);
}

static void BL_NAME(grad_src)(bl_tile t, const void *src, const void *dst,
                              const void *d1, const void *d2,
                              const float *mean, const float *m1,
                              const float *m2, const float *scale,
                              void *diff_src)
{
    const NUMBER *const x = src;
    NUMBER *const y = diff_src;
    const quad m = quad_read(mean), first = quad_read(m1);
    const quad second = quad_read(m2), s = quad_read(scale);
    for (int64_t i = 0; i < t.rows; i++) {
        const int64_t at = i * t.stride;
        const quad g = BL_NAME(gradient)(d1, d2, dst, at, t.lanes);
        const quad d = minus(BL_NAME(load)(x + at, t.lanes), m);
        const quad q = minus(minus(g, first), times(d, second));
        BL_NAME(store)(y + at, t.lanes, times(q, s));
    }
}

/** Lanes of the chunk at i of n. */
static inline int64_t BL_NAME(chunk)(int64_t n, int64_t i)
{
    return n - i < LANES ? n - i : LANES;
}

static void BL_NAME(convert)(int64_t n, const float *src, void *dst)
{
    NUMBER *const y = dst;
    int64_t i = 0;
    for (; n - i >= LANES; i += LANES) WRITE(y + i, quad_read(src + i));
    for (; i < n; i++) y[i] = NARROW(src[i]);
}

static void BL_NAME(relu)(int64_t n, const void *src, void *dst)
{
    const NUMBER *const x = src;
    NUMBER *const y = dst;
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t lanes = BL_NAME(chunk)(n, i);
        BL_NAME(store)(y + i, lanes, relu_of(BL_NAME(load)(x + i, lanes)));
    }
}

static void BL_NAME(relu_back)(int64_t n, const void *dst,
                               const void *diff_dst, void *diff_src)
{
    NUMBER *const y = diff_src;
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t lanes = BL_NAME(chunk)(n, i);
        BL_NAME(store)(y + i, lanes,
                       BL_NAME(gradient)(diff_dst, NULL, dst, i, lanes));
    }
}

static void BL_NAME(add)(int64_t n, const void *a, const void *b, void *dst)
{
    NUMBER *const y = dst;
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t lanes = BL_NAME(chunk)(n, i);
        BL_NAME(store)(y + i, lanes,
                       BL_NAME(gradient)(a, b, NULL, i, lanes));
    }
}

static void BL_NAME(sum_rows)(int64_t rows, int64_t c, const void *src,
                              float factor, float *dst)
{
    const NUMBER *const x = src;
    for (int64_t j = 0; j < c; j += LANES) {
        const int64_t lanes = BL_NAME(chunk)(c, j);
        quad sum = {0};
        float part[LANES];
        for (int64_t i = 0; i < rows; i++)
            sum = plus(sum, BL_NAME(load)(x + i * c + j, lanes));
        quad_write(part, sum);
        for (int64_t k = 0; k < lanes; k++) dst[j + k] = part[k] * factor;
    }
}

const bl_kernels BL_TABLE = {
    .isa = BL_ISA, .lanes = LANES,
    .sums = BL_NAME(sums), .normalise = BL_NAME(normalise),
    .grad_sums = BL_NAME(grad_sums), .grad_src = BL_NAME(grad_src),
    .convert = BL_NAME(convert), .relu = BL_NAME(relu),
    .relu_back = BL_NAME(relu_back), .add = BL_NAME(add),
    .sum_rows = BL_NAME(sum_rows),
};

#undef READ
#undef WRITE
#undef NARROW
#undef NUMBER
#undef BL_NAME
#undef BL_TABLE
#undef BL_BF16_STORAGE
