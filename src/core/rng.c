/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.c: Philox4x32-10.
 *
 * A counter-based generator is a keyed bijection: block = philox(key, counter)
 * with no state to advance, so any place of any stream is reached at once.
 * Here the key is the seed and the counter names the stream and the block:
 *
 *   key[0..1]   seed, low word first
 *   counter[0]  block, from 0        counter[1]  epoch
 *   counter[2]  index, low 32 bits   counter[3]  purpose << 16 | index >> 32
 *
 * Streams are disjoint by construction; each holds 2^34 words before it
 * repeats.  Ten rounds pass BigCrush (the paper's table 2).
 *
 * Gamma: Marsaglia and Tsang, "A simple method for generating gamma
 * variables", ACM TOMS 26 (2000).  Beta: Johnk, Metrika 8 (1964).
 */
#include "ballast/rng.h"

#include <math.h>

enum { ROUNDS = 10, WORDS = 4 };

/* Multipliers and Weyl increments of the paper. */
static const uint32_t mul0 = 0xD2511F53u, mul1 = 0xCD9E8D57u;
static const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

static const double tau = 6.283185307179586; /* 2 pi */

static void philox(uint32_t word[WORDS], const uint32_t counter[WORDS],
                   const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2],
             c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t p0 = (uint64_t)mul0 * c0, p1 = (uint64_t)mul1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += weyl0;
        k1 += weyl1;
    }
    word[0] = c0;
    word[1] = c1;
    word[2] = c2;
    word[3] = c3;
}

bl_rng bl_rng_at(uint64_t seed, bl_purpose purpose, uint32_t epoch,
                 uint64_t index)
{
    const bl_rng rng = {
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, epoch, (uint32_t)index,
                    (uint32_t)purpose << 16 | (uint32_t)(index >> 32)},
        .used = WORDS,
    };
    return rng;
}

uint32_t bl_rng_u32(bl_rng *rng)
{
    if (rng->used >= WORDS) {
        philox(rng->word, rng->counter, rng->key);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->word[rng->used++];
}

static uint64_t next_u64(bl_rng *rng)
{
    const uint64_t high = bl_rng_u32(rng);
    return high << 32 | bl_rng_u32(rng);
}

double bl_rng_unit(bl_rng *rng)
{
    return (double)(next_u64(rng) >> 11) * 0x1p-53;
}

uint64_t bl_rng_below(bl_rng *rng, uint64_t n)
{
    if (n <= 1) return 0;
    const uint64_t surplus = (0 - n) % n; /* 2^64 mod n: reject these few */
    uint64_t x;
    do {
        x = next_u64(rng);
    } while (x < surplus);
    return x % n;
}

double bl_rng_normal(bl_rng *rng)
{
    const double u = 1.0 - bl_rng_unit(rng); /* (0, 1]: its log is finite */
    const double v = bl_rng_unit(rng);
    return sqrt(-2.0 * log(u)) * cos(tau * v);
}

/* Gamma(a, 1); below a = 1 by Gamma(a + 1) U^(1 / a). */
static double gamma_variate(bl_rng *rng, double a)
{
    const double d = (a < 1.0 ? a + 1.0 : a) - 1.0 / 3.0;
    const double c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = bl_rng_normal(rng);
        const double t = 1.0 + c * x;
        if (t <= 0.0) continue;
        const double v = t * t * t;
        const double u = 1.0 - bl_rng_unit(rng);
        if (log(u) >= 0.5 * x * x + d * (1.0 - v + log(v))) continue;
        if (a >= 1.0) return d * v;
        return d * v * pow(1.0 - bl_rng_unit(rng), 1.0 / a);
    }
}

/* x / (x + y) of x = U^(1/a), y = V^(1/b), given x + y <= 1; by logarithms,
 * since for a = 0.01 both underflow. */
static double johnk(bl_rng *rng, double a, double b)
{
    for (;;) {
        const double log_x = log(1.0 - bl_rng_unit(rng)) / a;
        const double log_y = log(1.0 - bl_rng_unit(rng)) / b;
        if (exp(log_x) + exp(log_y) > 1.0) continue;
        return 1.0 / (1.0 + exp(log_y - log_x));
    }
}

double bl_rng_beta(bl_rng *rng, double a, double b)
{
    if (a <= 1.0 && b <= 1.0) return johnk(rng, a, b);
    const double x = gamma_variate(rng, a);
    const double y = gamma_variate(rng, b);
    return x / (x + y);
}
