/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The softmax and sigmoid families of the reference backend: values by hand,
 * counting of errors, reductions, absent classes, a single class, and logits
 * at which a naive formula overflows.
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

/* Nobody but the label is there, far below the others' zero. */
static void test_alone(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {1, 3, 1, BL_F64, 0, false, false};
    const double z[3] = {-1e4, 0, 5}, b[3] = {0, -HUGE_VAL, -HUGE_VAL};
    const int32_t y = 0;
    double loss, wrong, diff[3];
    must(ref->softmax_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.b = b}, &loss, &wrong, diff));
    assert_near(loss, 0, 1e-12);
    for (int j = 0; j < 3; j++) assert_near(diff[j], 0, 1e-12);
}

/* t = (0.1, 0.1, 0.8), q = (0, 1/4, 3/4) where class 0 is absent: what it had
 * of t is dropped, so the rest weighs T = 0.9. */
static void test_smoothing(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {1, 3, 1, BL_F64, 0, false, false};
    const double z[3] = {5, 0, log(3)}, b[3] = {-HUGE_VAL, 0, 0};
    const double e[3] = {0.9, 0.7, 0.3};
    const int32_t y = 2;
    double loss, wrong, diff[3];
    must(ref->softmax_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.b = b, .e = e}, &loss, &wrong,
                           diff));
    assert_near(loss, -0.1 * log(0.25) - 0.8 * log(0.75), 1e-15);
    const double want[3] = {0, 0.9 * 0.25 - 0.1, 0.9 * 0.75 - 0.8};
    for (int j = 0; j < 3; j++) assert_near(diff[j], want[j], 1e-15);

    /* Logits of 1e4: -log q = (0, 2e4), t = (0.85, 0.15). */
    const bl_softmax_desc two = {1, 2, 1, BL_F64, 0, false, false};
    const double far[2] = {1e4, -1e4}, e_far[2] = {0.3, 0};
    const int32_t y_far = 0;
    must(ref->softmax_loss(NULL, &two, far, &y_far, &one,
                           &(bl_class_terms){.e = e_far}, &loss, &wrong,
                           diff));
    assert_near(loss, 3000, 1e-12);
    assert_near(diff[0], 0.15, 1e-15);
    assert_near(diff[1], -0.15, 1e-15);
}

/* p = (1/2, 3/4): class 0 against, class 1 for. */
static void test_sigmoid(void **state)
{
    (void)state;
    bl_softmax_desc desc = {1, 2, 1, BL_F64, 0, false, false};
    const double z[2] = {0, log(3)};
    const int32_t y = 1;
    double loss, wrong, diff[2];
    must(ref->sigmoid_loss(NULL, &desc, z, &y, &one, &none, &loss, &wrong,
                           diff));
    assert_near(loss, log(2) - log(0.75), 1e-15);
    assert_near(diff[0], 0.5, 1e-15);
    assert_near(diff[1], -0.25, 1e-15);
    assert_near(wrong, 0, 0);
    desc.g = 2;
    must(ref->sigmoid_loss(NULL, &desc, z, &y, &one, &none, &loss, &wrong,
                           NULL));
    assert_near(loss, 0.25 * log(2) - 0.0625 * log(0.75), 1e-15);

    /* Class 0 moved by log 3: p = (1/4, 3/4); s scales its slope alone, and
     * the weight is the label's for both classes. */
    const double s[2] = {0.5, 1}, b[2] = {log(3), 0}, w[2] = {7, 1.7};
    desc.g = 0;
    must(ref->sigmoid_loss(NULL, &desc, z, &y, &one,
                           &(bl_class_terms){.s = s, .b = b, .w = w}, &loss,
                           &wrong, diff));
    assert_near(loss, -1.7 * (log(0.25) + log(0.75)), 1e-14);
    assert_near(diff[0], 1.7 * 0.5 * 0.75, 1e-15);
    assert_near(diff[1], -1.7 * 0.25, 1e-15);
}

/* Logits of 1e4, of the label and of another, right and wrong; class 2 is
 * absent. */
static void test_sigmoid_stability(void **state)
{
    (void)state;
    static const double exponents[] = {0, 0.5, 1, 2};
    const float z[6] = {1e4f, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f};
    const float b[3] = {0, 0, -HUGE_VALF};
    const int32_t y[2] = {0, 0};
    for (size_t i = 0; i < 4; i++) {
        const bl_softmax_desc desc = {2, 3, 1, BL_F32, exponents[i], false,
                                      false};
        double loss, wrong;
        float diff[6];
        must(ref->sigmoid_loss(NULL, &desc, z, y, &one,
                               &(bl_class_terms){.b = b}, &loss, &wrong,
                               diff));
        assert_near(loss, 1e4, 1e-9);
        assert_near(wrong, 1, 0);
        const double want[6] = {0, 0, 0, -0.5, 0.5, 0};
        for (int j = 0; j < 6; j++) assert_near((double)diff[j], want[j], 0);
    }
}

/* Weights of an image's labels: (0.7, 0.3) and (0.1, 0.9), w = (0.5, 3); the
 * second image has one label twice. */
static void test_each_image(void **state)
{
    (void)state;
    bl_softmax_desc desc = {2, 2, 2, BL_F64, 0, false, true};
    const double z[4] = {0, 0, 0, log(3)}, w[2] = {0.5, 3};
    const int32_t y[4] = {1, 0, 0, 0}; // [2][2]
    const double lambda[4] = {0.7, 0.1, 0.3, 0.9}; // [2][2]
    const bl_class_terms terms = {.w = w};
    const double first = 0.7 * 3 * log(2) + 0.1 * 0.5 * log(4);
    const double second = 0.3 * 0.5 * log(2) + 0.9 * 0.5 * log(4);
    double loss, wrong[2], diff[4];
    must(ref->softmax_loss(NULL, &desc, z, y, lambda, &terms, &loss, wrong,
                           diff));
    assert_near(loss, (first + second) / 2, 1e-15);
    assert_near(diff[2], 0.25 * (0.25 - 1), 1e-15);
    assert_near(diff[3], 0.25 * 0.75, 1e-15);
    desc.divide_by_weight = true;
    must(ref->softmax_loss(NULL, &desc, z, y, lambda, &terms, &loss, wrong,
                           NULL));
    assert_near(loss, first / 3.5 + second / 1, 1e-15);
    desc.divide_by_weight = false;
    /* sigmoid(0) = 1/2 for both classes of image 0; p of image 1 is
     * (1/2, 1/4). */
    must(ref->sigmoid_loss(NULL, &desc, z, y, lambda, &none, &loss, wrong,
                           NULL));
    assert_near(loss, (2 * log(2) + log(2) + log(4)) / 2, 1e-15);
}

/* With one class there is nothing to learn. */
static void test_one_class(void **state)
{
    (void)state;
    static const double exponents[] = {0, 0.5, 1, 2.385};
    const double z = log(3), e = 0.4;
    const int32_t y = 0;
    double loss, wrong, diff;
    for (size_t i = 0; i < 4; i++) {
        const bl_softmax_desc desc = {1, 1, 1, BL_F64, exponents[i], false,
                                      false};
        const bl_class_terms terms = {.e = exponents[i] > 0 ? NULL : &e};
        must(ref->softmax_loss(NULL, &desc, &z, &y, &one, &terms, &loss,
                               &wrong, &diff));
        assert_near(loss, 0, 1e-15);
        assert_near(diff, 0, 1e-15);
    }
    const bl_softmax_desc desc = {1, 1, 1, BL_F64, 0, false, false};
    must(ref->sigmoid_loss(NULL, &desc, &z, &y, &one, &none, &loss, &wrong,
                           &diff));
    assert_near(loss, -log(0.75), 1e-15);
    assert_near(diff, -0.25, 1e-15);
}

/* A NaN or an infinity, of the label or not, must reach the loss, where
 * training looks for it. */
static void test_nan_shows(void **state)
{
    (void)state;
    static const double bad[] = {(double)NAN, HUGE_VAL};
    const int32_t y = 2;
    for (int i = 0; i < 8; i++) {
        const bl_softmax_desc desc = {1, 3, 1, BL_F64, i & 1 ? 2 : 0, false,
                                      false};
        double z[3] = {0.5, 0.2, 1}, loss, wrong;
        z[i & 2 ? 1 : 2] = bad[i / 4];
        must(ref->softmax_loss(NULL, &desc, z, &y, &one, &none, &loss,
                               &wrong, NULL));
        assert_true(!isfinite(loss));
        if (i / 4 != 0) continue; /* a coin may well be sure */
        must(ref->sigmoid_loss(NULL, &desc, z, &y, &one, &none, &loss,
                               &wrong, NULL));
        assert_true(!isfinite(loss));
    }
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
    assert_int_equal(ref->sigmoid_loss(NULL, &desc, z, y, &one, &none, &loss,
                                       wrong, NULL),
                     BL_EINVAL);
}

/* No formula for these: they say so instead of leaving a term out. */
static void test_unsupported(void **state)
{
    (void)state;
    const bl_softmax_desc desc = {1, 2, 1, BL_F64, 1.5, false, false};
    const double z[2] = {0.3, 1}, some[2] = {0.1, 0.2};
    const int32_t y = 1;
    const bl_class_terms smooth = {.e = some}, margins = {.m = some};
    double loss, wrong;
    assert_int_equal(ref->softmax_loss(NULL, &desc, z, &y, &one, &smooth,
                                       &loss, &wrong, NULL),
                     BL_EUNSUPPORTED);
    assert_int_equal(ref->sigmoid_loss(NULL, &desc, z, &y, &one, &smooth,
                                       &loss, &wrong, NULL),
                     BL_EUNSUPPORTED);
    assert_int_equal(ref->sigmoid_loss(NULL, &desc, z, &y, &one, &margins,
                                       &loss, &wrong, NULL),
                     BL_EUNSUPPORTED);
    assert_non_null(strstr(bl_error_last()->message, "margins"));
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
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_smoothing),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_sigmoid_stability),
        cmocka_unit_test(test_each_image),
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_nan_shows),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
