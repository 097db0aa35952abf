/* SPDX-License-Identifier: Apache-2.0 */
/* Confidence, its bins, and the likelihood of labels. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/eval.h"

enum { ROOM = 64 };

static const int64_t counts[ROOM];

static bl_evaluation *evaluate(const float *z, const int32_t *labels,
                               int64_t n, int32_t n_class)
{
    bl_evaluation *e = NULL;
    assert_int_equal(bl_evaluate(&e, z, labels, n, counts, n_class, NULL),
                     BL_OK);
    return e;
}

static void near(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-15 * fabs(wanted)))
        fail_msg("found %.17g, wanted %.17g", found, wanted);
}

/* Five images of two classes; p_top = 1 / (1 + exp(-|difference|)). */
static void worked_by_hand(void **state)
{
    (void)state;
    static const float z[5][2] = {{0.375F, 0.125F}, {-1.5F, 0.75F},
                                  {2.0F, -1.25F}, {3.5F, 0.25F},
                                  {-0.5F, -0.25F}};
    static const int32_t labels[5] = {1, 1, 0, 1, 1};
    const double p_a = 1 / (1 + exp(-0.25)); /* .562: bin 8, twice */
    const double p_b = 1 / (1 + exp(-2.25)); /* .905: bin 13       */
    const double p_c = 1 / (1 + exp(-3.25)); /* .963: bin 14, twice */
    bl_evaluation *const e = evaluate(&z[0][0], labels, 5, 2);
    for (int k = 0; k < BL_RELIABILITY_BINS; k++)
        assert_int_equal(e->bins[k].n, k == 8 || k == 14 ? 2 : k == 13);
    near(e->bins[8].confidence, p_a);
    near(e->bins[8].accuracy, 0.5);
    near(e->bins[13].confidence, p_b);
    near(e->bins[13].accuracy, 1);
    near(e->bins[14].confidence, p_c);
    near(e->bins[14].accuracy, 0.5);
    assert_true(isnan(e->bins[0].confidence));
    assert_true(isnan(e->bins[0].accuracy));
    near(e->ece, (2 * (p_a - 0.5) + (1 - p_b) + 2 * (p_c - 0.5)) / 5);
    near(e->nll, -(log(1 - p_a) + log(p_b) + log(p_c) + log(1 - p_c) +
                   log(p_a)) / 5);
    bl_evaluation_free(e);
}

/* Equal logits of C classes: the confidence is 1 / C, which is a limit of
 * bins for C = 3, 5 and 15 and belongs to the lower bin. */
static void a_limit_belongs_to_the_lower_bin(void **state)
{
    (void)state;
    static const struct { int32_t n_class; int bin; } rows[] = {
        {1, 14}, {2, 7}, {3, 4}, {4, 3}, {5, 2}, {7, 2}, {15, 0}, {64, 0}};
    static const float z[ROOM];
    static const int32_t labels[1] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_evaluation *const e = evaluate(z, labels, 1, rows[i].n_class);
        assert_int_equal(e->bins[rows[i].bin].n, 1);
        near(e->ece + (e->n_class == 1), e->n_class == 1
                                             ? 1 : 1 - 1.0 / e->n_class);
        assert_true(fabs(e->nll - log(rows[i].n_class)) < 1e-15);
        bl_evaluation_free(e);
    }
}

/* Logits no exponential can be taken of, and infinite ones. */
static void extreme_logits(void **state)
{
    (void)state;
    static const float z[5][3] = {
        {1e4F, -1e4F, 0}, {-FLT_MAX, FLT_MAX, 0},
        {-INFINITY, -INFINITY, -INFINITY}, {INFINITY, 0.3F, INFINITY},
        {-INFINITY, 0.7F, -INFINITY}};
    static const int32_t labels[5] = {0, 1, 2, 2, 1};
    static const double wanted[5] = {0, 0, 1.0986122886681098,
                                     0.69314718055994531, 0};
    for (int i = 0; i < 5; i++) {
        bl_evaluation *e = evaluate(z[i], &labels[i], 1, 3);
        assert_true(fabs(e->nll - wanted[i]) < 1e-15);
        bl_evaluation_free(e);
    }
    static const int32_t never[1] = {1}; /* probability 0 */
    bl_evaluation *e = evaluate(z[3], never, 1, 3);
    assert_true(isinf(e->nll) && e->nll > 0);
    near(e->ece, 0.5);
    bl_evaluation_free(e);
    e = evaluate(z[0], never, 1, 3);
    near(e->nll, 2e4);
    near(e->ece, 1);
    bl_evaluation_free(e);
}

/* The definition, in long double and without a shift. */
static void plainly(const float *z, const int32_t *labels, int64_t n,
                    int32_t n_class, double *ece, double *nll)
{
    long double gap[BL_RELIABILITY_BINS] = {0}, sum_nll = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        long double all = 0, top = 0;
        int32_t first = 0;
        for (int32_t j = 0; j < n_class; j++) {
            const long double p = expl((long double)z[i * n_class + j]);
            all += p;
            if (p > top) top = p, first = j;
        }
        top /= all;
        int k = 0;
        while (top > (k + 1) / (long double)BL_RELIABILITY_BINS) k++;
        gap[k] += top - (first == labels[i]);
        sum_nll += logl(all) - (long double)z[i * n_class + labels[i]];
    }
    for (int k = 0; k < BL_RELIABILITY_BINS; k++) sum += fabsl(gap[k]);
    *ece = (double)(sum / n);
    *nll = (double)(sum_nll / n);
}

static void agrees_with_the_definition(void **state)
{
    (void)state;
    enum { N = 999, C = 37 };
    static float z[N][C];
    static int32_t labels[N];
    double ece, nll;
    uint32_t draw = 20240229u;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < C; j++) {
            draw = draw * 1664525u + 1013904223u;
            z[i][j] = (float)(draw >> 8) / 0x1p24F * (float)(i % 29) - 7.3F;
        }
        labels[i] = (int32_t)(draw >> 16) % C;
        if (i % 3 > 0) /* mostly right */
            for (int j = 0; j < C; j++)
                if (z[i][j] > z[i][labels[i]]) labels[i] = j;
    }
    bl_evaluation *const e = evaluate(&z[0][0], labels, N, C);
    plainly(&z[0][0], labels, N, C, &ece, &nll);
    assert_true(ece > 0.01 && ece < 0.9);
    assert_true(fabs(e->ece - ece) < 2e-15);
    assert_true(fabs(e->nll - nll) < 2e-15 * nll);
    bl_evaluation_free(e);
}

/* Cosines: what softmax makes of them is forgotten, errors are not. */
static void forgets_only_calibration(void **state)
{
    (void)state;
    static const float z[2][3] = {{0.9F, -0.2F, 0.1F}, {0.3F, 0.7F, -1}};
    static const int32_t labels[2] = {0, 0};
    bl_evaluation *const e = evaluate(z[0], labels, 2, 3);
    bl_evaluation_forget_calibration(e);
    assert_true(isnan(e->nll) && isnan(e->ece));
    for (int k = 0; k < BL_RELIABILITY_BINS; k++) {
        assert_int_equal(e->bins[k].n, 0);
        assert_true(isnan(e->bins[k].confidence));
        assert_true(isnan(e->bins[k].accuracy));
    }
    near(e->error, 0.5);
    near(e->class_error[0], 0.5);
    bl_evaluation_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_only_calibration),
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(a_limit_belongs_to_the_lower_bin),
        cmocka_unit_test(extreme_logits),
        cmocka_unit_test(agrees_with_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
