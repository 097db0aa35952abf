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
 * stores that widen bf16 to f32 and round it back to nearest even.
 *
 * A word of 32 bits holds two bf16.  Shifted left it is the even one as f32,
 * masked it is the odd one: two cheap operations widen a register, if the even
 * and the odd numbers may lie in different registers.  So they do, and
 * `lane_of` tells the caller, who orders its constants that way once.
 *
 * Sums run in float over one tile, at most a few dozen rows, and in double
 * over tiles.  Their sweep goes backwards (norm.c), so their rows do too: one
 * unbroken stream, which the processor fetches ahead.
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
typedef int16_t svec __attribute__((vector_size(4 * BL_VECTOR)));
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

static inline uvec words_read(const uint16_t *p) // [2 BL_VECTOR]
{
    uvec words;
    memcpy(&words, p, sizeof words);
    return words;
}

static inline vec even_of(uvec words)
{
    return (vec)(words << 16);
}

static inline vec odd_of(uvec words)
{
    return (vec)(words & 0xffff0000u);
}

static inline quad quad_of(uvec first, uvec second)
{
    return (quad){even_of(first), odd_of(first), even_of(second),
                  odd_of(second)};
}

static inline quad quad_read_bf16(const uint16_t *p) // [LANES]
{
    return quad_of(words_read(p), words_read(p + 2 * BL_VECTOR));
}

/** Numbers of p where gate > 0, as integers are (a NaN counts as > 0). */
static inline uvec words_gated(const uint16_t *p, const uint16_t *gate)
{
    const svec open = (svec)words_read(gate) > 0;
    return words_read(p) & (uvec)open;
}

static inline quad quad_gated_bf16(const uint16_t *p, const uint16_t *gate)
{
    return quad_of(words_gated(p, gate),
                   words_gated(p + 2 * BL_VECTOR, gate + 2 * BL_VECTOR));
}

/** The rounded number in the upper half of each word, fraction below. */
static inline uvec rounded(vec x)
{
    const uvec bits = (uvec)x;
    const uvec nan = (uvec)((ivec)(bits & 0x7fffffffu) > 0x7f800000);
    const uvec even = bits + 0x7fffu + (bits >> 16 & 1u);
    const uvec quiet = bits | 0x00400000u;
    return (even & ~nan) | (quiet & nan);
}

static inline void words_write(uint16_t *p, vec even, vec odd)
{
#if BL_NATIVE_BF16
    const __m512i order = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
        22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512bh both = _mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    const __m512i words = _mm512_permutexvar_epi16(order, (__m512i)both);
#else
    const uvec words = rounded(even) >> 16 | (rounded(odd) & 0xffff0000u);
#endif
    memcpy(p, &words, sizeof words);
}

static inline void quad_write_bf16(uint16_t *p, quad q) // [LANES]
{
    words_write(p, q.a, q.b);
    words_write(p + 2 * BL_VECTOR, q.c, q.d);
}

/** Lane of number i of a row of bf16. */
static inline int64_t lane_of_bf16(int64_t i)
{
    const int64_t pair = i / (2 * BL_VECTOR) * (2 * BL_VECTOR);
    return pair + i % 2 * BL_VECTOR + (i - pair) / 2;
}

static inline int64_t lane_of_f32(int64_t i)
{
    return i;
}

static inline void narrow_bf16(uint16_t *p, vec x) // [BL_VECTOR]
{
    const hvec half = __builtin_convertvector(rounded(x) >> 16, hvec);
    memcpy(p, &half, sizeof half);
}

static inline void narrow_f32(float *p, vec x) // [BL_VECTOR]
{
    memcpy(p, &x, sizeof x);
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

static inline quad scaled(quad x, float factor)
{
    return (quad){x.a * factor, x.b * factor, x.c * factor, x.d * factor};
}

/** x where y > 0, else 0. */
static inline vec gate(vec x, vec y)
{
    return (vec)((ivec)x & (ivec)(y > 0.0f));
}

static inline quad quad_gated(const float *p, const float *g) // [LANES]
{
    const quad x = quad_read(p), y = quad_read(g);
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

#endif

#if BL_BF16_STORAGE
typedef uint16_t BL_NAME(number);
#define READ quad_read_bf16
#define GATED quad_gated_bf16
#define WRITE quad_write_bf16
#define NARROW narrow_bf16
#define NARROW_ONE bl_bf16_from_f32
#define LANE_OF lane_of_bf16
#else
typedef float BL_NAME(number);
#define READ quad_read
#define GATED quad_gated
#define WRITE quad_write
#define NARROW narrow_f32
#define NARROW_ONE
#define LANE_OF lane_of_f32
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

/** The same of p where gate > 0; without a gate all of p. */
static inline quad BL_NAME(load_gated)(const NUMBER *p, const NUMBER *gate,
                                       int64_t n)
{
    if (gate == NULL) return BL_NAME(load)(p, n);
    if (n == LANES) return GATED(p, gate);
    NUMBER part[LANES] = {0}, part_gate[LANES] = {0};
    memcpy(part, p, (size_t)n * sizeof *p);
    memcpy(part_gate, gate, (size_t)n * sizeof *gate);
    return GATED(part, part_gate);
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

/** Adds float sums over a tile to double sums [LANES]; only lanes that have
 *  numbers: constants stand in the others too. */
static inline void BL_NAME(flush)(quad q, int64_t n, double *sum)
{
    float part[LANES];
    quad_write(part, q);
    if (n == LANES) {
        for (int i = 0; i < LANES; i++) sum[i] += (double)part[i];
        return;
    }
    for (int64_t i = 0; i < n; i++)
        sum[LANE_OF(i)] += (double)part[LANE_OF(i)];
}

static void BL_NAME(sums)(bl_tile t, const void *src, const float *centre,
                          double *a, double *b)
{
    const NUMBER *const x = src;
    const quad c = quad_read(centre);
    quad first = {0}, second = {0};
    for (int64_t i = t.rows - 1; i >= 0; i--) {
        const quad d = minus(BL_NAME(load)(x + i * t.stride, t.lanes), c);
        first = plus(first, d);
        second = plus(second, times(d, d));
    }
    BL_NAME(flush)(first, t.lanes, a);
    BL_NAME(flush)(second, t.lanes, b);
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
    const NUMBER *const gate = dst != NULL ? dst + offset : NULL;
    const quad g = BL_NAME(load_gated)(d1 + offset, gate, lanes);
    if (d2 == NULL) return g;
    return plus(g, BL_NAME(load_gated)(d2 + offset, gate, lanes));
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
    for (int64_t i = t.rows - 1; i >= 0; i--) {
        const int64_t at = i * t.stride;
        const quad g = BL_NAME(gradient)(d1, d2, dst, at, t.lanes);
        const quad d = minus(BL_NAME(load)(x + at, t.lanes), m);
        if (kept != NULL) BL_NAME(store)(kept + at, t.lanes, g);
        first = plus(first, g);
        second = plus(second, times(g, d));
    }
    BL_NAME(flush)(first, t.lanes, a);
    BL_NAME(flush)(second, t.lanes, b);
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
    for (; n - i >= BL_VECTOR; i += BL_VECTOR) {
        vec x;
        memcpy(&x, src + i, sizeof x);
        NARROW(y + i, x);
    }
    for (; i < n; i++) y[i] = NARROW_ONE(src[i]);
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

static void BL_NAME(blend)(int64_t n, float p, const void *a, float q,
                           const void *b, void *dst)
{
    const NUMBER *const x = a, *const z = b;
    NUMBER *const y = dst;
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t lanes = BL_NAME(chunk)(n, i);
        quad sum = scaled(BL_NAME(load)(x + i, lanes), p);
        if (z != NULL)
            sum = plus(sum, scaled(BL_NAME(load)(z + i, lanes), q));
        BL_NAME(store)(y + i, lanes, sum);
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
        for (int64_t k = 0; k < lanes; k++)
            dst[j + k] = part[LANE_OF(k)] * factor;
    }
}

static int64_t BL_NAME(lane_of_number)(int64_t i)
{
    return LANE_OF(i);
}

const bl_kernels BL_TABLE = {
    .isa = BL_ISA, .lanes = LANES, .lane_of = BL_NAME(lane_of_number),
    .sums = BL_NAME(sums), .normalise = BL_NAME(normalise),
    .grad_sums = BL_NAME(grad_sums), .grad_src = BL_NAME(grad_src),
    .convert = BL_NAME(convert), .relu = BL_NAME(relu),
    .relu_back = BL_NAME(relu_back), .add = BL_NAME(add),
    .blend = BL_NAME(blend), .sum_rows = BL_NAME(sum_rows),
};

#undef READ
#undef GATED
#undef WRITE
#undef NARROW
#undef NARROW_ONE
#undef LANE_OF
#undef NUMBER
#undef BL_NAME
#undef BL_TABLE
#undef BL_BF16_STORAGE
