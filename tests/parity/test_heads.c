/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_heads.c: what follows the layers in oneDNN's backend, classifiers,
 * losses and the optimiser, against ref; problems and guards as in
 * test_onednn.c.  All of it is f32 in every plan: 1e-5 of the norm, 1e-6 where
 * sums are in double.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/backend.h"
#include "ballast/status.h"
#include "loss/loss.h"

#ifdef BL_WITH_ONEDNN

#include "parity/guarded.h"

/* ---- classifiers --------------------------------------------------------- */

static void linear_case(bench *b, const char *text, bool accumulate)
{
    const bl_linear_desc d = {number_of(text, "n", 1),
                              number_of(text, "d", 1),
                              number_of(text, "c", 1), BL_F32};
    const buffer *const src = noise(b, BL_F32, d.n * d.d, 0.1, 1);
    const buffer *const w = noise(b, BL_F32, d.c * d.d, 0, 1);
    const buffer *const bias = noise(b, BL_F32, d.c, 0, 1);
    const buffer *const diff = noise(b, BL_F32, d.n * d.c, 0, 1);
    buffer *out[2][5];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, BL_F32, d.n * d.c);
        out[k][1] = blank(b, BL_F32, d.n * d.d);
        out[k][2] = twin(b, w);
        out[k][3] = twin(b, bias);
        out[k][4] = twin(b, w);
        ok(e->linear_forward(b->dev[k], &d, src->at, w->at,
                             accumulate ? bias->at : NULL, out[k][0]->at));
        ok(e->linear_backward(b->dev[k], &d, src->at, w->at, diff->at,
                              out[k][1]->at, out[k][2]->at, out[k][3]->at,
                              accumulate));
        ok(e->linear_backward(b->dev[k], &d, src->at, w->at, diff->at, NULL,
                              out[k][4]->at, NULL, accumulate));
    }
    for (int i = 0; i < 5; i++)
        compare("linear", text, BL_F32, out[0][i], out[1][i], 1e-5);
    finish(b);
}

static void test_linear(void **state)
{
    static const char *const problems[] = {"n1d1c1", "n7d33c3", "n64d128c100",
                                           "n128d64c10"};
    for (int i = 0; i < 8; i++) linear_case(*state, problems[i / 2], i & 1);
}

/* tiny: image 0 and class 0 are shorter than 1e-12, where lengths are clamped
 * and gradients 1e12 times those of the cosines. */
static void cosine_case(bench *b, const char *text, bool accumulate, bool tiny)
{
    const bl_linear_desc d = {number_of(text, "n", 1),
                              number_of(text, "d", 1),
                              number_of(text, "c", 1), BL_F32};
    const buffer *const src = noise(b, BL_F32, d.n * d.d, 0.1, 1);
    const buffer *const w = noise(b, BL_F32, d.c * d.d, 0, 1);
    const buffer *const diff = noise(b, BL_F32, d.n * d.c, 0, 1);
    buffer *out[2][4];
    if (tiny) {
        float *const x_0 = src->at, *const w_0 = w->at, *const g = diff->at;
        for (int64_t k = 0; k < d.d; k++) x_0[k] *= 1e-13f;
        for (int64_t k = 0; k < d.d; k++) w_0[k] *= 1e-13f;
        for (int64_t j = 0; j < d.c; j++) g[j] *= 1e-12f;
        for (int64_t i = 0; i < d.n; i++) g[i * d.c] *= 1e-12f;
    }
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, BL_F32, d.n * d.c);
        out[k][1] = blank(b, BL_F32, d.n * d.d);
        out[k][2] = twin(b, w);
        out[k][3] = twin(b, w);
        ok(e->cosine_forward(b->dev[k], &d, src->at, w->at, out[k][0]->at));
        ok(e->cosine_backward(b->dev[k], &d, src->at, w->at, diff->at,
                              out[k][1]->at, out[k][2]->at, accumulate));
        ok(e->cosine_backward(b->dev[k], &d, src->at, w->at, diff->at, NULL,
                              out[k][3]->at, accumulate));
    }
    for (int i = 0; i < 4; i++)
        compare("cosine", text, BL_F32, out[0][i], out[1][i], 1e-5);
    finish(b);
}

static void test_cosine(void **state)
{
    static const char *const problems[] = {"n1d2c1", "n7d33c3",
                                           "n64d128c100", "n128d64c10",
                                           "n300d64c17", "n5d64c1031"};
    for (int i = 0; i < 12; i++)
        cosine_case(*state, problems[i / 2], i & 1, false);
    cosine_case(*state, "n5d7c3", false, true);
    cosine_case(*state, "n2d19c260", true, true);
}

/* ---- losses -------------------------------------------------------------- */

/** Labels in [0, c). */
static int32_t *labels(bench *b, int64_t n, int64_t c)
{
    int32_t *const y = blank(b, BL_F32, n)->at;
    for (int64_t i = 0; i < n; i++)
        y[i] = (int32_t)((uniform(b) + 1) / 2 * (double)c) % (int32_t)c;
    return y;
}

/* Class 1 is absent, and no label where there are others. */
static const void *offsets(bench *b, int64_t c, int32_t *y, int64_t n)
{
    const buffer *const out = noise(b, BL_F32, c, -1, 1);
    if (c < 3) return out->at;
    number_set(out, 1, -HUGE_VAL);
    for (int64_t i = 0; i < n; i++) y[i] += y[i] == 1;
    return out->at;
}

/* One family with all the class terms it has; mixed: two targets, a weight
 * for each image. */
static void loss_case(bench *b, const char *text, bool sigmoid, double g,
                      bool mixed)
{
    const int64_t n = number_of(text, "n", 1), c = number_of(text, "c", 1);
    const int32_t targets = mixed ? 2 : 1;
    const bl_softmax_desc d = {n, c, targets, BL_F32, g, mixed, mixed};
    int32_t *const y = labels(b, n * targets, c);
    const buffer *const z = noise(b, BL_F32, n * c, 0, 20);
    const double *const lambda =
        noise(b, BL_F64, mixed ? n * targets : 1, 0.5, 0.4)->at;
    const bl_class_terms terms = {
        .s = noise(b, BL_F32, c, 1, 0.5)->at,
        .m = sigmoid ? NULL : noise(b, BL_F32, c, 0.3, 0.2)->at,
        .b = offsets(b, c, y, n * targets),
        .w = noise(b, BL_F32, c, 1, 0.9)->at,
        .e = sigmoid || g > 0 ? NULL : noise(b, BL_F32, c, 0.2, 0.1)->at};
    buffer *out[2][3];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, BL_F32, n * c);
        out[k][1] = blank(b, BL_F64, 1);
        out[k][2] = blank(b, BL_F64, targets);
        ok((sigmoid ? e->sigmoid_loss : e->softmax_loss)(
            b->dev[k], &d, z->at, y, lambda, &terms, out[k][1]->at,
            out[k][2]->at, out[k][0]->at));
    }
    static const char *const names[] = {"diff_z", "loss", "wrong"};
    for (int i = 0; i < 3; i++)
        compare(names[i], text, BL_F32, out[0][i], out[1][i], 1e-6);
    finish(b);
}

enum { FAR_C = 6, FAR_N = 32 };

/** The terms of a loss as training makes them, weights and all. */
static bl_loss_terms *terms_of(const bl_loss_type *type)
{
    static const int64_t n[FAR_C] = {500, 120, 40, 9, 1, 0};
    bl_config *config = NULL;
    bl_loss_terms *terms = NULL;
    ok(bl_train_config(&config));
    ok(bl_config_set(config, "loss", type->name, BL_ORIGIN_OPTION));
    ok(bl_config_set(config, "weights", "effective", BL_ORIGIN_OPTION));
    for (int i = 0; type->settings != NULL && type->settings[i] != NULL; i++)
        ok(bl_config_assign(config, type->settings[i], BL_ORIGIN_OPTION));
    const bl_loss_setting with = {.config = config, .n = n, .c = FAR_C};
    ok(bl_loss_terms_make(&terms, &with, true));
    bl_config_free(config);
    return terms;
}

static const void *term(bench *b, const double *x, bool has)
{
    if (!has) return NULL;
    const buffer *const out = blank(b, BL_F32, FAR_C);
    for (int64_t j = 0; j < FAR_C; j++) number_set(out, j, x[j]);
    return out->at;
}

/* Logits of 1e4 in either sign for two mixed labels; no image is of the last
 * class.  Numbers that are not finite would not compare. */
static void far_case(bench *b, const bl_loss_type *type)
{
    bl_loss_terms *const t = terms_of(type);
    const bl_softmax_desc d = {FAR_N, FAR_C, 2, BL_F32, t->g,
                               t->divide_by_weight, false};
    const int32_t *const y = labels(b, 2 * FAR_N, FAR_C - 1);
    const buffer *const z = noise(b, BL_F32, FAR_N * FAR_C, 0, 1);
    const double lambda[2] = {0.7, 0.3};
    const bl_class_terms terms = {
        .s = term(b, t->s, t->has_s), .m = term(b, t->m, t->has_m),
        .b = term(b, t->b, t->has_b), .w = term(b, t->w, t->has_w),
        .e = term(b, t->e, t->has_e)};
    for (int64_t i = 0; i < z->count; i++)
        number_set(z, i, copysign(1e4, number_at(z, i)));
    buffer *out[2][3];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, BL_F32, FAR_N * FAR_C);
        out[k][1] = blank(b, BL_F64, 1);
        out[k][2] = blank(b, BL_F64, 2);
        ok((t->sigmoid ? e->sigmoid_loss : e->softmax_loss)(
            b->dev[k], &d, z->at, y, lambda, &terms, out[k][1]->at,
            out[k][2]->at, out[k][0]->at));
        assert_true(number_at(out[k][1], 0) > 0);
    }
    for (int i = 0; i < 3; i++)
        compare(type->name, "logits of 1e4", BL_F32, out[0][i], out[1][i],
                1e-6);
    bl_loss_terms_free(t);
    finish(b);
}

static void test_far_logits(void **state)
{
    const bl_loss_type *const *const types = bl_loss_types();
    for (int i = 0; types[i] != NULL; i++) far_case(*state, types[i]);
}

static void test_losses(void **state)
{
    static const char *const problems[] = {"n1c2", "n7c3", "n128c10",
                                           "n37c1031", "n3c8142"};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 8; k++)
            loss_case(*state, problems[i], k & 1, k & 2 ? 2.385 : 0, k & 4);
}

/* What ref refuses is refused in the same words. */
static void test_losses_refuse(void **state)
{
    const bench *const b = *state;
    const bl_softmax_desc d = {2, 3, 1, BL_F32, 0, false, false};
    const float z[6] = {0}, m[3] = {0};
    const int32_t far[2] = {0, 3}, near[2] = {0, 2};
    const double one = 1;
    for (int k = 0; k < 2; k++) {
        double loss, wrong;
        assert_int_equal(BL_EINVAL, b->backend[k]->softmax_loss(
            b->dev[k], &d, z, far, &one, &(bl_class_terms){0}, &loss, &wrong,
            NULL));
        assert_string_equal("loss: label 3 of image 1 is not in [0, 2]",
                            bl_error_last()->message);
        assert_int_equal(BL_EUNSUPPORTED, b->backend[k]->sigmoid_loss(
            b->dev[k], &d, z, near, &one, &(bl_class_terms){.m = m}, &loss,
            &wrong, NULL));
        assert_string_equal("sigmoid loss: has no margins",
                            bl_error_last()->message);
    }
}

/* ---- optimiser ----------------------------------------------------------- */

static void sgd_case(bench *b, int64_t n, bool nesterov)
{
    const bl_sgd_desc d = {n, BL_F32, 0.87, 2.385e-3, nesterov};
    const double lr = 0.137;
    const buffer *const diff = noise(b, BL_F32, n, 0, 1);
    const buffer *const v = noise(b, BL_F32, n, 0, 1);
    const buffer *const w = noise(b, BL_F32, n, 0, 1);
    buffer *out[2][2];
    for (int k = 0; k < 2; k++) {
        out[k][0] = twin(b, v);
        out[k][1] = twin(b, w);
        for (int i = 0; i < 3; i++)
            ok(b->backend[k]->sgd(b->dev[k], &d, &lr, diff->at,
                                  out[k][0]->at, out[k][1]->at));
    }
    compare("sgd, v", "n", BL_F32, out[0][0], out[1][0], 1e-6);
    compare("sgd, w", "n", BL_F32, out[0][1], out[1][1], 1e-6);
    finish(b);
}

static void slab_case(bench *b, int64_t n)
{
    const buffer *const x = noise(b, BL_F32, n, 0.2, 1);
    const buffer *const y = noise(b, BL_F32, n, 0, 1);
    buffer *out[2];
    double sum[2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k] = twin(b, y);
        ok(e->axpy(b->dev[k], BL_F32, n, -0.2385, x->at, out[k]->at));
        ok(e->sum_squares(b->dev[k], BL_F32, n, x->at, &sum[k]));
    }
    compare("axpy", "n", BL_F32, out[0], out[1], 1e-6);
    if (!(fabs(sum[1] - sum[0]) <= 1e-12 * sum[0]))
        fail_msg("sum of squares of %d: %.17g and %.17g", (int)n, sum[0],
                 sum[1]);
    finish(b);
}

static void test_slabs(void **state)
{
    static const int64_t counts[] = {1, 3, 63, 65, 4096, 40001};
    for (int i = 0; i < 6; i++) slab_case(*state, counts[i]);
}

static void test_sgd(void **state)
{
    sgd_case(*state, 1, false);
    sgd_case(*state, 40001, false);
    sgd_case(*state, 7777, true);
}

static int run(const char *name, CMFixtureFunction open)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear), cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_losses), cmocka_unit_test(test_losses_refuse),
        cmocka_unit_test(test_far_logits),
        cmocka_unit_test(test_sgd), cmocka_unit_test(test_slabs),
    };
    return _cmocka_run_group_tests(name, tests, sizeof tests / sizeof *tests,
                                   open, shut);
}

int main(void)
{
    return run("1 thread", open_one) + run("2 threads", open_two);
}

#else

int main(void)
{
    print_message("skipped: this build has no oneDNN\n");
    return 0;
}

#endif
