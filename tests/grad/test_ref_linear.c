/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of the reference classifiers; the cosine one also with more
 * features than its routine sums at a time, and with vectors too short.
 */
#include "grad/check.h"

#include "backend/ref/ref.h"

enum { ROOM = 512 };

static const bl_backend *const ref = &bl_backend_ref;

typedef struct linear_data {
    bl_linear_desc desc;
    double src[ROOM], weights[ROOM], bias[ROOM]; // [n][d], [c][d], [c]
    double r[ROOM];                              // [n][c]
} linear_data;

static void must(bl_status status)
{
    assert_int_equal(BL_OK, status);
}

static linear_data linear_make(int64_t n, int64_t d, int64_t c)
{
    assert_true(n * d <= ROOM && c * d <= ROOM && n * c <= ROOM);
    linear_data t = {.desc = {n, d, c, BL_F64}};
    fill(t.src, n * d, 41, -1, 1);
    fill(t.weights, c * d, 42, -1, 1);
    fill(t.bias, c, 43, -1, 1);
    fill(t.r, n * c, 44, -1, 1);
    return t;
}

static void check_twice(const double *twice, const double *once, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        assert_near(twice[i], 2 * once[i], 1e-12);
    }
}

static double linear_loss(const void *context)
{
    const linear_data *const t = (const linear_data *)context;
    double dst[ROOM];
    must(ref->linear_forward(NULL, &t->desc, t->src, t->weights, t->bias,
                             dst));
    return dot(dst, t->r, t->desc.n * t->desc.c);
}

static void test_linear(void **state)
{
    (void)state;
    linear_data t = linear_make(5, 7, 4);
    double diff_src[ROOM], diff_weights[ROOM], diff_bias[ROOM];
    must(ref->linear_backward(NULL, &t.desc, t.src, t.weights, t.r, diff_src,
                              diff_weights, diff_bias, false));
    check_grad("linear", "src", linear_loss, &t, t.src, diff_src, 5 * 7);
    check_grad("linear", "weights", linear_loss, &t, t.weights, diff_weights,
               4 * 7);
    check_grad("linear", "bias", linear_loss, &t, t.bias, diff_bias, 4);

    double weights[ROOM], bias[ROOM];
    for (int i = 0; i < 4 * 7; i++) weights[i] = diff_weights[i];
    for (int i = 0; i < 4; i++) bias[i] = diff_bias[i];
    must(ref->linear_backward(NULL, &t.desc, t.src, t.weights, t.r, NULL,
                              weights, bias, true));
    check_twice(weights, diff_weights, 4 * 7);
    check_twice(bias, diff_bias, 4);
}

static double cosine_loss(const void *context)
{
    const linear_data *const t = (const linear_data *)context;
    double dst[ROOM];
    must(ref->cosine_forward(NULL, &t->desc, t->src, t->weights, dst));
    return dot(dst, t->r, t->desc.n * t->desc.c);
}

static void check_cosine(int64_t n, int64_t d, int64_t c)
{
    linear_data t = linear_make(n, d, c);
    double diff_src[ROOM], diff_weights[ROOM], twice[ROOM];
    must(ref->cosine_backward(NULL, &t.desc, t.src, t.weights, t.r, diff_src,
                              diff_weights, false));
    check_grad("cosine", "src", cosine_loss, &t, t.src, diff_src, n * d);
    check_grad("cosine", "weights", cosine_loss, &t, t.weights, diff_weights,
               c * d);
    for (int64_t i = 0; i < c * d; i++) twice[i] = diff_weights[i];
    must(ref->cosine_backward(NULL, &t.desc, t.src, t.weights, t.r, NULL,
                              twice, true));
    check_twice(twice, diff_weights, c * d);
}

static void test_cosine(void **state)
{
    (void)state;
    check_cosine(5, 7, 4);
    check_cosine(3, 64, 2);
    check_cosine(2, 131, 3);
}

/* A vector shorter than the clamp, x, has cosines x . v / 1e-12, linear in x:
 * the gradient is v / 1e-12, without the term that keeps u on the sphere. */
static void test_cosine_of_a_clamped_norm(void **state)
{
    (void)state;
    const double norm = 1e-12;
    linear_data t = linear_make(2, 3, 2);
    for (int k = 0; k < 3; k++) t.src[k] = 2.385e-13 * (k - 1);
    double dst[4], diff_src[6], diff_weights[6], want[3] = {0};
    must(ref->cosine_forward(NULL, &t.desc, t.src, t.weights, dst));
    must(ref->cosine_backward(NULL, &t.desc, t.src, t.weights, t.r, diff_src,
                              diff_weights, false));
    for (int j = 0; j < 2; j++) {
        const double *const w = t.weights + j * 3;
        const double norm_w = sqrt(dot(w, w, 3));
        assert_near(dst[j], dot(t.src, w, 3) / norm / norm_w, 1e-15);
        for (int k = 0; k < 3; k++) want[k] += t.r[j] * w[k] / norm_w / norm;
    }
    for (int k = 0; k < 3; k++) assert_near(diff_src[k] / want[k], 1, 1e-12);
    for (int i = 0; i < 6; i++) assert_true(isfinite(diff_weights[i]));
}

/* A zero vector has cosine 0 with all. */
static void test_cosine_of_zero(void **state)
{
    (void)state;
    linear_data t = linear_make(1, 3, 2);
    for (int k = 0; k < 3; k++) t.src[k] = 0;
    double dst[2];
    must(ref->cosine_forward(NULL, &t.desc, t.src, t.weights, dst));
    assert_near(dst[0], 0, 0);
    assert_near(dst[1], 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_cosine_of_a_clamped_norm),
        cmocka_unit_test(test_cosine_of_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
