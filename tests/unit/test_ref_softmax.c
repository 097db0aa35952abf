/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The softmax family of the reference backend: values by hand, counting of
 * errors, reductions, and logits at which a naive formula overflows.
 */
#include "near.h"

#include <string.h>

#include "backend/ref/ref.h"

static const bl_backend *const ref = &bl_backend_ref;
static const bl_class_terms none = {0};
static const double one = 1;

static void must(bl_status status)
{
    assert_int_equal(status, BL_OK);
}

/* Uniform logits cost log C; the gradient is (1 / C - [j = y]) / n. */
static void test_uniform(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {2, 4, 1, BL_F64, 0, false, false};
    const double z[8] = {0};
    const int32_t y[2] = {0, 3};
    double loss, wrong, diff[8];
    must(ref->softmax_loss(NULL, &desc, z, y, &one, &none, &loss,
                           &wrong, diff));
    assert_near(loss, log(4), 1e-15);
    assert_near(wrong, 1, 0); /* a tie goes to class 0 */
    for (int i = 0; i < 8; i++) {
        assert_near(diff[i], i == 0 || i == 7 ? -0.375 : 0.125, 1e-15);
    }
}

/* z = (0, log 3): p = (1/4, 3/4). */
static void test_focal_and_margin(void **state)
{
    (void)state;
    bl_softmax_desc desc = {1, 2, 1, BL_F64, 2, false, false};
    const double z[2] = {0, log(3)};
    const int32_t y = 1;
    double loss, wrong;
    must(ref->softmax_loss(NULL, &desc, z, &y, &one, &none, &loss,
                           &wrong, NULL));
    assert_near(loss, -0.0625 * log(0.75), 1e-15);

    /* s (z_1 - m_1) = 2 (log 3 - log 3 / 2) = log 3, and s z_0 = 0; of the
     * margins only the target's counts. */
    const double s[2] = {2, 2}, m[2] = {5.5, log(3) / 2};
    desc.g = 0;
    must(ref->softmax_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.s = s, .m = m}, &loss,
                           &wrong, NULL));
    assert_near(loss, -log(0.75), 1e-15);

    /* b = (log 9, 0): q = (9, 3) / 12. */
    const double b[2] = {log(9), 0};
    must(ref->softmax_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.b = b}, &loss, &wrong, NULL));
    assert_near(loss, log(4), 1e-15);
    assert_near(wrong, 0, 0); /* errors are counted by z, not by a */
}

/* Losses of the two images are log 2 and log 4, weights 3 and 0.5. */
static void test_reductions(void **state)
{
    (void)state;
    bl_softmax_desc desc = {2, 2, 1, BL_F64, 0, false, false};
    const double z[4] = {0, 0, 0, log(3)}, w[2] = {0.5, 3};
    const int32_t y[2] = {1, 0};
    const double sum = 3 * log(2) + 0.5 * log(4);
    double loss, wrong;
    must(ref->softmax_loss(NULL, &desc, z, y, &one,
                           &(bl_class_terms){.w = w}, &loss, &wrong, NULL));
    assert_near(loss, sum / 2, 1e-15);
    assert_near(wrong, 2, 0);
    desc.divide_by_weight = true;
    must(ref->softmax_loss(NULL, &desc, z, y, &one,
                           &(bl_class_terms){.w = w}, &loss, &wrong, NULL));
    assert_near(loss, sum / 3.5, 1e-15);
    must(ref->softmax_loss(NULL, &desc, z, y, &one, &none, &loss,
                           &wrong, NULL));
    assert_near(loss, (log(2) + log(4)) / 2, 1e-15);
}

static void test_two_targets(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {2, 2, 2, BL_F64, 0, false, false};
    const double z[4] = {0, 0, 0, log(3)};
    const int32_t y[4] = {1, 0, 0, 1}; // [2][2]
    const double lambda[2] = {0.7, 0.3};
    double loss, wrong[2], diff[4];
    must(ref->softmax_loss(NULL, &desc, z, y, lambda, &none,
                           &loss, wrong, diff));
    assert_near(loss, 0.5 * (log(2) + 0.7 * log(4) - 0.3 * log(0.75)), 1e-15);
    assert_near(wrong[0], 2, 0);
    assert_near(wrong[1], 0, 0);
    /* soft labels (0.3, 0.7) and (0.7, 0.3) */
    const double want[4] = {0.1, -0.1, -0.225, 0.225};
    for (int i = 0; i < 4; i++) assert_near(diff[i], want[i], 1e-15);
}

/* Logits of 1e4 in both signs in f32, with s = 30 on top. */
static void test_stability(void **state)
{
    (void)state;
    static const double exponents[] = {0, 0.5, 1, 2.385};
    const float z[4] = {1e4f, -1e4f, 1e4f, -1e4f}, s[2] = {30, 30};
    const int32_t y[2] = {0, 1};
    for (size_t i = 0; i < 4; i++) {
        const bl_softmax_desc desc = {2, 2, 1, BL_F32, exponents[i], false,
                                      false};
        double loss, wrong;
        float diff[4];
        must(ref->softmax_loss(NULL, &desc, z, y, &one,
                               &(bl_class_terms){.s = s},
                               &loss, &wrong, diff));
        assert_near(loss, 3e5, 1e-9);
        assert_near(wrong, 1, 0);
        const double want[4] = {0, 0, 15, -15};
        for (int j = 0; j < 4; j++) assert_near((double)diff[j], want[j], 0);
    }
}

/* A class without training images: b = log 0. */
static void test_absent_class(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {1, 3, 1, BL_F64, 0, false, false};
    const double z[3] = {1e4, 0, log(3)}, b[3] = {-HUGE_VAL, 0, 0};
    const double w[3] = {0, 1, 1};
    const int32_t y = 2;
    double loss, wrong, diff[3];
    must(ref->softmax_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.b = b, .w = w}, &loss,
                           &wrong, diff));
    assert_near(loss, -log(0.75), 1e-15);
    assert_near(wrong, 1, 0);
    const double want[3] = {0, 0.25, -0.25};
    for (int j = 0; j < 3; j++) assert_near(diff[j], want[j], 1e-15);
}

/* A NaN must reach the loss, where training looks for it. */
static void test_nan_shows(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {1, 3, 1, BL_F64, 0, false, false};
    const double z[3] = {0.5, (double)NAN, 1};
    const int32_t y = 2;
    double loss, wrong;
    must(ref->softmax_loss(NULL, &desc, z, &y, &one, &none, &loss,
                           &wrong, NULL));
    assert_true(isnan(loss));
}

static void test_refuses(void **state)
{
    (void)state;
    bl_softmax_desc desc = {2, 3, 1, BL_F64, 0, false, false};
    const double z[6] = {0};
    int32_t y[2] = {1, 3};
    double loss, wrong[5];
    assert_int_equal(ref->softmax_loss(NULL, &desc, z, y, &one, &none, &loss,
                                       wrong, NULL),
                     BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message,
                           "label 3 of image 1 is not in [0, 2]"));
    y[1] = -1;
    assert_int_equal(ref->softmax_loss(NULL, &desc, z, y, &one, &none, &loss,
                                       wrong, NULL),
                     BL_EINVAL);
    desc.targets = 5;
    assert_int_equal(ref->softmax_loss(NULL, &desc, z, y, &one, &none, &loss,
                                       wrong, NULL),
                     BL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_focal_and_margin),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_two_targets),
        cmocka_unit_test(test_stability),
        cmocka_unit_test(test_absent_class),
        cmocka_unit_test(test_nan_shows),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
