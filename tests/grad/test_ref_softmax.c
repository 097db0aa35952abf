/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradient of the softmax family: a walk over a table of its settings, the
 * rows being the losses that methods are made of and their combinations.
 */
#include "grad/check.h"

#include "backend/ref/ref.h"

enum { N = 5, C = 4, TARGETS = 4 };

static const bl_backend *const ref = &bl_backend_ref;

typedef struct softmax_case {
    const char *name;
    bool s, m, b, w;         /* which parameters are given */
    double g;
    int32_t targets;
    bool divide_by_weight;
    bool absent;             /* class 0 has b = -inf and no images */
} softmax_case;

static const softmax_case cases[] = {
    {"cross-entropy", 0, 0, 0, 0, 0, 1, 0, 0},
    {"weighted, by n", 0, 0, 0, 1, 0, 1, 0, 0},
    {"weighted, by weight", 0, 0, 0, 1, 0, 1, 1, 0},
    {"focal 0.5", 0, 0, 0, 0, 0.5, 1, 0, 0},
    {"focal 1", 0, 0, 0, 0, 1, 1, 0, 0},
    {"focal 2.385, weighted", 0, 0, 0, 1, 2.385, 1, 0, 0},
    {"margins", 0, 1, 0, 0, 0, 1, 0, 0},
    {"margins and scale", 1, 1, 0, 0, 0, 1, 0, 0},
    {"margins, scale, weighted", 1, 1, 0, 1, 0, 1, 1, 0},
    {"scale alone", 1, 0, 0, 0, 0, 1, 0, 0},
    {"adjusted", 0, 0, 1, 0, 0, 1, 0, 0},
    {"scale and adjusted", 1, 0, 1, 0, 0, 1, 0, 0},
    {"adjusted, absent class", 0, 0, 1, 0, 0, 1, 0, 1},
    {"focal, absent class", 1, 1, 1, 1, 1.7, 1, 0, 1},
    {"mixed", 0, 0, 0, 0, 0, 2, 0, 0},
    {"mixed, margins, weighted", 1, 1, 0, 1, 0, 2, 1, 0},
    {"mixed, focal", 0, 0, 0, 1, 1.3, 2, 0, 0},
    {"all, three targets", 1, 1, 1, 1, 0.8, 3, 1, 0},
    {"all, four targets", 1, 1, 1, 1, 2.2, 4, 0, 0},
};

typedef struct softmax_data {
    bl_softmax_desc desc;
    double z[N * C];                  // [n][c]
    int32_t y[TARGETS * N];           // [targets][n]
    double lambda[TARGETS];           // [targets]
    double s[C], m[C], b[C], w[C];    // [c]
    const softmax_case *row;
} softmax_data;

static double softmax_run(const softmax_data *t, double *diff_z)
{
    double loss, wrong[TARGETS];
    const softmax_case *const row = t->row;
    const bl_class_terms terms = {.s = row->s ? t->s : NULL,
                                  .m = row->m ? t->m : NULL,
                                  .b = row->b ? t->b : NULL,
                                  .w = row->w ? t->w : NULL};
    assert_int_equal(BL_OK,
                     ref->softmax_loss(NULL, &t->desc, t->z, t->y, t->lambda,
                                       &terms, &loss, wrong, diff_z));
    return loss;
}

static double softmax_loss(const void *context)
{
    return softmax_run((const softmax_data *)context, NULL);
}

static void softmax_fill(softmax_data *t)
{
    fill(t->z, N * C, 51, -1.5, 1.5);
    fill(t->lambda, TARGETS, 52, 0.2, 0.8);
    fill(t->s, C, 53, 2, 5);
    fill(t->m, C, 54, 0.1, 0.6);
    fill(t->b, C, 55, -2, 0);
    fill(t->w, C, 56, 0.1, 2.5);
    for (int i = 0; i < TARGETS * N; i++) t->y[i] = i * 7 % 5 % C;
    if (!t->row->absent) return;
    t->b[0] = -HUGE_VAL;
    for (int i = 0; i < TARGETS * N; i++) {
        if (t->y[i] == 0) t->y[i] = 2;
    }
}

static void test_softmax(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const softmax_case *const row = &cases[i];
        softmax_data t = {.desc = {N, C, row->targets, BL_F64, row->g,
                                   row->divide_by_weight, false}, .row = row};
        softmax_fill(&t);
        double diff_z[N * C];
        assert_true(isfinite(softmax_run(&t, diff_z)));
        check_grad(row->name, "z", softmax_loss, &t, t.z, diff_z, N * C);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_softmax)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
