/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mt19937.c: the Mersenne Twister as numpy.random.RandomState drives it.
 *
 * The long-tailed subsets that papers report on were drawn by it, seeded with
 * 0; to cut the same images, the same words must be used in the same way:
 * Knuth's seeding, intervals by mask and rejection, shuffles from the end.
 * Everything else in the library draws from rng.c.
 *
 * Reference: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8
 * (1998); NumPy's legacy distributions for interval and shuffle.
 */
#include "core/mt19937.h"

enum { N = 624, M = 397 };

void bl_mt19937_seed(bl_mt19937 *mt, uint32_t seed)
{
    mt->key[0] = seed;
    for (uint32_t i = 1; i < N; i++) {
        const uint32_t before = mt->key[i - 1];
        mt->key[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    mt->position = N;
}

/* The next 624 words of state. */
static void twist(uint32_t *key) // [624]
{
    for (int i = 0; i < N; i++) {
        const uint32_t y =
            (key[i] & 0x80000000u) | (key[(i + 1) % N] & 0x7FFFFFFFu);
        key[i] = key[(i + M) % N] ^ y >> 1 ^ ((y & 1) ? 0x9908B0DFu : 0);
    }
}

uint32_t bl_mt19937_u32(bl_mt19937 *mt)
{
    if (mt->position >= N) {
        twist(mt->key);
        mt->position = 0;
    }
    uint32_t y = mt->key[mt->position++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

uint32_t bl_mt19937_interval(bl_mt19937 *mt, uint32_t max)
{
    uint32_t mask = max, value;
    if (max == 0) return 0; /* draws nothing, as NumPy */
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    do {
        value = bl_mt19937_u32(mt) & mask;
    } while (value > max);
    return value;
}

void bl_mt19937_shuffle(bl_mt19937 *mt, int64_t *a, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const uint32_t j = bl_mt19937_interval(mt, (uint32_t)i);
        const int64_t swap = a[i];
        a[i] = a[j];
        a[j] = swap;
    }
}
