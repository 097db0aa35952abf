/* SPDX-License-Identifier: Apache-2.0 */
/* How closely classes gather, worked out by hand. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/eval.h"
#include "support/fault.h"

/* Classes 0, 1, 2 and 4 of five; directions on the plane, lengths various. */
static const float f[8][2] = {
    {3.0F, 0.0F},    {0.0F, 0.25F},  /* 0: a right angle apart          */
    {-2.5F, 0.0F},   {7.5F, 0.0F},   /* 1: opposite                     */
    {0.0F, -5.5F},   {0.0F, -0.5F},  /* 2: one direction                */
    {0.0F, 0.0F},    {1.5F, 2.0F},   /* 4: no direction, (0.6, 0.8)     */
};
static const int32_t labels[8] = {0, 0, 1, 1, 2, 2, 4, 4};

static void worked_by_hand(void **state)
{
    (void)state;
    double found[5] = {0};
    static const double wanted[5] = {0.70710678118654752, 1, 0, 0, 0.5};
    assert_int_equal(bl_compactness(found, &f[0][0], labels, 8, 2, 5), BL_OK);
    for (int c = 0; c < 5; c++) {
        if (c == 3)
            assert_true(isnan(found[c]));
        else
            assert_true(fabs(found[c] - wanted[c]) < 1e-15);
    }
}

/* Lengths do not count, not even those whose squares float cannot hold. */
static void lengths_do_not_count(void **state)
{
    (void)state;
    static const float scales[3] = {0x1p-120F, 0x1p120F, 0.37F};
    float scaled[8][2];
    double found[5], before[5];
    assert_int_equal(bl_compactness(before, &f[0][0], labels, 8, 2, 5), BL_OK);
    for (int s = 0; s < 3; s++) {
        for (int i = 0; i < 16; i++)
            (&scaled[0][0])[i] = (&f[0][0])[i] * scales[s];
        assert_int_equal(bl_compactness(found, &scaled[0][0], labels, 8, 2, 5),
                         BL_OK);
        for (int c = 0; c < 5; c++)
            assert_true(c == 3 || fabs(found[c] - before[c]) < 1e-7);
    }
}

static void refuses_bad_input(void **state)
{
    (void)state;
    double found[5];
    float bad[8][2];
    static const float values[3] = {NAN, INFINITY, -INFINITY};
    static const int32_t outside[1] = {5};
    for (int v = 0; v < 3; v++) {
        memcpy(bad, f, sizeof f);
        bad[6][1] = values[v];
        assert_int_equal(bl_compactness(found, &bad[0][0], labels, 8, 2, 5),
                         BL_ENUMERIC);
        assert_string_equal(bl_error_last()->message,
                            "image 6: a feature is not finite");
    }
    assert_int_equal(bl_compactness(found, &f[0][0], outside, 1, 2, 5),
                     BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "image 0: label 5 is not in [0, 4]");
    assert_int_equal(bl_compactness(found, &f[0][0], labels, 8, 0, 5),
                     BL_EINVAL);
    assert_int_equal(bl_compactness(found, &f[0][0], labels, -1, 2, 5),
                     BL_EINVAL);
    assert_int_equal(bl_compactness(found, &f[0][0], labels, 8, 2, 0),
                     BL_EINVAL);
    assert_int_equal(bl_compactness(found, &f[0][0], labels, 0, 2, 5), BL_OK);
    assert_true(isnan(found[0]));
}

static bl_status measure(void *payload)
{
    return bl_compactness(payload, &f[0][0], labels, 8, 2, 5);
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    double found[5];
    assert_int_equal(fault_run(measure, found, 100), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(lengths_do_not_count),
        cmocka_unit_test(refuses_bad_input),
        cmocka_unit_test(survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
