/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mt19937.c: NumPy's legacy generator against numbers NumPy gives, and
 * the first and last images of the long-tailed CIFAR sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mt19937.h"

/* Seed 5489 is the default of Matsumoto's own program and of C++11. */
static void words_of_the_reference(void **state)
{
    (void)state;
    bl_mt19937 mt;
    bl_mt19937_seed(&mt, 5489);
    assert_int_equal(bl_mt19937_u32(&mt), 3499211612u);
    uint32_t last = 0;
    for (int i = 1; i < 10000; i++) last = bl_mt19937_u32(&mt);
    assert_int_equal(last, 4123659995u); /* the 10000th, as C++11 demands */
}

/* RandomState(0).rand() = 0.5488135039273248: 27 and 26 bits of two words. */
static void rand_of_numpy(void **state)
{
    (void)state;
    bl_mt19937 mt;
    bl_mt19937_seed(&mt, 0);
    const uint32_t high = bl_mt19937_u32(&mt) >> 5;
    const uint32_t low = bl_mt19937_u32(&mt) >> 6;
    assert_true((high * 67108864.0 + low) / 9007199254740992.0 ==
                0.5488135039273248);
}

static void permutation_of_numpy(void **state)
{
    (void)state;
    static const int64_t wanted[10] = {2, 8, 4, 9, 1, 6, 7, 3, 0, 5};
    int64_t a[10];
    bl_mt19937 mt;
    bl_mt19937_seed(&mt, 0);
    for (int64_t i = 0; i < 10; i++) a[i] = i;
    bl_mt19937_shuffle(&mt, a, 10);
    for (int i = 0; i < 10; i++) assert_int_equal(a[i], wanted[i]);
}

/* The generator runs on over the classes: 10 of 5000, 100 of 500 images. */
static void shuffles_of_the_long_tails(void **state)
{
    (void)state;
    static const struct {
        int classes;
        int64_t images, first[8], last[5];
    } rows[] = {
        {10, 5000, {398, 3833, 4836, 4572, 636, 2545, 1161, 2230},
         {2204, 3816, 2206, 2507, 1926}},
        {100, 500, {90, 254, 283, 445, 461, 15, 316, 489},
         {348, 153, 363, 361, 299}},
    };
    static int64_t a[5000];
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        bl_mt19937 mt;
        bl_mt19937_seed(&mt, 0);
        for (int c = 0; c < rows[r].classes; c++) {
            for (int64_t i = 0; i < rows[r].images; i++) a[i] = i;
            bl_mt19937_shuffle(&mt, a, rows[r].images);
            for (int i = 0; i < 8 && c == 0; i++)
                assert_int_equal(a[i], rows[r].first[i]);
        }
        for (int i = 0; i < 5; i++) assert_int_equal(a[i], rows[r].last[i]);
    }
}

static void intervals_stay_inside(void **state)
{
    (void)state;
    static const uint32_t tops[] = {1, 2, 5, 255, 256, 0x80000000u, ~0u};
    bl_mt19937 mt, untouched;
    bl_mt19937_seed(&mt, 42);
    for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++)
        for (int i = 0; i < 200; i++)
            assert_true(bl_mt19937_interval(&mt, tops[t]) <= tops[t]);
    untouched = mt;
    assert_int_equal(bl_mt19937_interval(&mt, 0), 0);
    assert_int_equal(bl_mt19937_u32(&mt), bl_mt19937_u32(&untouched));
    bl_mt19937_shuffle(&mt, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_reference),
        cmocka_unit_test(rand_of_numpy),
        cmocka_unit_test(permutation_of_numpy),
        cmocka_unit_test(shuffles_of_the_long_tails),
        cmocka_unit_test(intervals_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
