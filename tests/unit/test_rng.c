/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rng.c: Philox against the known answers of Random123, streams that
 * must not meet, and the distributions by their moments and by chi-square.
 *
 * Seeds are fixed, so a bound that holds once holds always; bounds are set at
 * about five standard errors.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/rng.h"

/* kat_vectors of Random123: philox4x32 10. */
static void known_answers(void **state)
{
    (void)state;
    static const struct { uint32_t counter[4], key[2], word[4]; } rows[] = {
        {{0, 0, 0, 0}, {0, 0},
         {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_rng rng = {.used = 4};
        memcpy(rng.counter, rows[i].counter, sizeof rng.counter);
        memcpy(rng.key, rows[i].key, sizeof rng.key);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(bl_rng_u32(&rng), rows[i].word[k]);
    }
}

/* First words of a stream: what every stored run depends on. */
static void streams_stay_as_they_are(void **state)
{
    (void)state;
    bl_rng rng = bl_rng_at(0x123456789abcdef0u, BL_PURPOSE_DRAW, 17,
                           ((uint64_t)3 << 40) + 12345);
    const bl_rng same = {
        .key = {0x9abcdef0, 0x12345678},
        .counter = {0, 17, 12345, (3u << 16) + (3u << 8)},
        .used = 4,
    };
    bl_rng copy = same;
    for (int i = 0; i < 11; i++)
        assert_int_equal(bl_rng_u32(&rng), bl_rng_u32(&copy));
}

static void each_part_of_the_name_counts(void **state)
{
    (void)state;
    const bl_rng streams[] = {
        bl_rng_at(5, BL_PURPOSE_DRAW, 7, 11),
        bl_rng_at(6, BL_PURPOSE_DRAW, 7, 11),
        bl_rng_at(5 + ((uint64_t)1 << 32), BL_PURPOSE_DRAW, 7, 11),
        bl_rng_at(5, BL_PURPOSE_MIX, 7, 11),
        bl_rng_at(5, BL_PURPOSE_DRAW, 8, 11),
        bl_rng_at(5, BL_PURPOSE_DRAW, 7, 12),
        bl_rng_at(5, BL_PURPOSE_DRAW, 7, 11 + ((uint64_t)1 << 32)),
        bl_rng_at(5, BL_PURPOSE_DRAW, 7, 11 + ((uint64_t)1 << 47)),
    };
    enum { COUNT = sizeof streams / sizeof streams[0] };
    uint32_t first[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        bl_rng copy = streams[i];
        first[i] = bl_rng_u32(&copy);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(first[i], first[k]);
    }
}

static void copies_go_on_alike(void **state)
{
    (void)state;
    bl_rng rng = bl_rng_at(1, BL_PURPOSE_TEST, 2, 3);
    for (int i = 0; i < 6; i++) (void)bl_rng_u32(&rng);
    bl_rng fork = rng;
    for (int i = 0; i < 9; i++)
        assert_int_equal(bl_rng_u32(&rng), bl_rng_u32(&fork));
}

/* sum (seen - expected)^2 / expected over equal cells. */
static double chi_square(const int64_t *seen, size_t cells, double expected)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++) {
        const double d = (double)seen[i] - expected;
        sum += d * d / expected;
    }
    return sum;
}

static void below_is_uniform(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {2, 3, 7, 10, 97};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const uint64_t n = sizes[s];
        int64_t seen[97] = {0};
        bl_rng rng = bl_rng_at(2385, BL_PURPOSE_TEST, 0, n);
        for (int i = 0; i < 100000; i++) {
            const uint64_t x = bl_rng_below(&rng, n);
            assert_true(x < n);
            seen[x]++;
        }
        const double free = (double)n - 1;
        const double x2 = chi_square(seen, n, 100000.0 / (double)n);
        assert_true(fabs(x2 - free) < 5 * sqrt(2 * free));
    }
}

/* A range of 3/4 of 2^64: without rejection a third of it comes twice as
 * often. */
static void below_rejects(void **state)
{
    (void)state;
    const uint64_t n = (uint64_t)3 << 62;
    bl_rng rng = bl_rng_at(1, BL_PURPOSE_TEST, 1, 0);
    int64_t seen[3] = {0};
    for (int i = 0; i < 30000; i++) seen[bl_rng_below(&rng, n) >> 62]++;
    assert_true(chi_square(seen, 3, 10000) < 20);
    assert_int_equal(bl_rng_below(&rng, 1), 0);
}

static void units_fill_the_interval(void **state)
{
    (void)state;
    int64_t seen[64] = {0}, low_bit = 0;
    double sum = 0;
    bl_rng rng = bl_rng_at(9, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 128000; i++) {
        const double u = bl_rng_unit(&rng);
        assert_true(u >= 0 && u < 1);
        seen[(size_t)(u * 64)]++;
        low_bit += (int64_t)fmod(u * 0x1p53, 2.0);
        sum += u;
    }
    assert_true(fabs(chi_square(seen, 64, 2000) - 63) < 5 * sqrt(126));
    assert_true(fabs(sum / 128000 - 0.5) < 5 * sqrt(1 / 12.0 / 128000));
    assert_true(llabs(low_bit - 64000) < 900); /* the 53rd bit moves */
}

static void normals_have_their_moments(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, beyond = 0;
    bl_rng rng = bl_rng_at(10, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        const double x = bl_rng_normal(&rng);
        assert_true(isfinite(x));
        m1 += x;
        m2 += x * x;
        m3 += x * x * x;
        m4 += x * x * x * x;
        beyond += fabs(x) > 1.959964;
    }
    const double error = 5 / sqrt(COUNT);
    assert_true(fabs(m1 / COUNT) < error);
    assert_true(fabs(m2 / COUNT - 1) < error * sqrt(2));
    assert_true(fabs(m3 / COUNT) < error * sqrt(15));
    assert_true(fabs(m4 / COUNT - 3) < error * sqrt(96));
    assert_true(fabs(beyond / COUNT - 0.05) < error * sqrt(0.05));
}

/* mean a / (a + b); variance a b / ((a + b)^2 (a + b + 1)). */
static void betas_have_their_moments(void **state)
{
    (void)state;
    static const struct { double a, b; } rows[] = {
        {0.2, 0.2}, {1, 1}, {0.3, 0.9}, {0.5, 2.385}, {4.25, 1.75},
        {1.5, 0.4}, {60, 30},
    };
    enum { COUNT = 60000 };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const double a = rows[r].a, b = rows[r].b;
        const double mean = a / (a + b);
        const double var = a * b / ((a + b) * (a + b) * (a + b + 1));
        double sum = 0, squares = 0;
        bl_rng rng = bl_rng_at(11, BL_PURPOSE_TEST, 0, r);
        for (int i = 0; i < COUNT; i++) {
            const double x = bl_rng_beta(&rng, a, b);
            assert_true(x >= 0 && x <= 1);
            sum += x;
            squares += (x - mean) * (x - mean);
        }
        assert_true(fabs(sum / COUNT - mean) < 5 * sqrt(var / COUNT));
        assert_true(fabs(squares / COUNT - var) < 0.03 * var);
    }
}

/* P(x < t) = 2 / pi asin(sqrt t) for Beta(1/2, 1/2). */
static void beta_follows_the_arcsine_law(void **state)
{
    (void)state;
    int64_t seen[20] = {0};
    const double pi = 3.141592653589793;
    bl_rng rng = bl_rng_at(12, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 40000; i++) {
        const double x = bl_rng_beta(&rng, 0.5, 0.5);
        const double p = 2 / pi * asin(sqrt(x));
        seen[p >= 1 ? 19 : (size_t)(p * 20)]++;
    }
    assert_true(fabs(chi_square(seen, 20, 2000) - 19) < 5 * sqrt(38));
}

static void tiny_betas_stay_numbers(void **state)
{
    (void)state;
    double sum = 0;
    bl_rng rng = bl_rng_at(13, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 4000; i++) {
        const double x = bl_rng_beta(&rng, 1e-4, 1e-4);
        assert_true(x >= 0 && x <= 1);
        sum += x;
    }
    assert_true(fabs(sum / 4000 - 0.5) < 5 * 0.5 / sqrt(4000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(streams_stay_as_they_are),
        cmocka_unit_test(each_part_of_the_name_counts),
        cmocka_unit_test(copies_go_on_alike),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_rejects),
        cmocka_unit_test(units_fill_the_interval),
        cmocka_unit_test(normals_have_their_moments),
        cmocka_unit_test(betas_have_their_moments),
        cmocka_unit_test(beta_follows_the_arcsine_law),
        cmocka_unit_test(tiny_betas_stay_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
