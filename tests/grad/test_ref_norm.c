/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of the reference batch norm, training and frozen, with relu and
 * addition fused or not, and with its gradient in one part or two.  What
 * enters relu is kept away from its kink.
 */
#include "grad/check.h"

#include <stdio.h>
#include <string.h>

#include "backend/ref/ref.h"

enum { ROWS = 7, C = 3, N = ROWS * C };

static const bl_backend *const ref = &bl_backend_ref;

typedef struct norm_data {
    bl_norm_desc desc;
    bool frozen;
    double src[N], add[N];                                    // [rows][c]
    double gamma[C], beta[C];                                 // [c]
    double running_mean[C], running_var[C];                   // [c]
    double save_mean[C], save_rstd[C];                        // [c]
    double dst[N];                                            // [rows][c]
    double r1[N], r2[N], r[N];                                // r = r1 + r2
} norm_data;

typedef struct norm_diff {
    double src[N], add[N], gamma[C], beta[C];
} norm_diff;

static void norm_run(norm_data *t)
{
    bl_status status;
    if (t->frozen) {
        status = ref->norm_infer(NULL, &t->desc, t->src, t->add, t->gamma,
                                 t->beta, t->running_mean, t->running_var,
                                 t->dst);
        for (int c = 0; c < C; c++) {
            t->save_mean[c] = t->running_mean[c];
            t->save_rstd[c] = 1 / sqrt(t->running_var[c] + t->desc.eps);
        }
    } else {
        status = ref->norm_forward(NULL, &t->desc, t->src, t->add, t->gamma,
                                   t->beta, t->running_mean, t->running_var,
                                   t->save_mean, t->save_rstd, t->dst, NULL);
    }
    assert_int_equal(BL_OK, status);
}

static double norm_loss(const void *context)
{
    norm_data copy = *(const norm_data *)context;
    norm_run(&copy);
    return dot(copy.dst, copy.r, N);
}

/* Smallest distance of any value before relu from 0. */
static double kink_distance(const norm_data *t)
{
    norm_data copy = *t;
    copy.desc.relu = false;
    norm_run(&copy);
    double least = HUGE_VAL;
    for (int i = 0; i < N; i++) least = fmin(least, fabs(copy.dst[i]));
    return least;
}

static void norm_fill(norm_data *t, uint64_t seed)
{
    t->desc = (bl_norm_desc){.rows = ROWS, .c = C, .act = BL_F64,
                             .eps = 1e-5, .momentum = 0.1};
    fill(t->src, N, seed, -2, 3);
    fill(t->add, N, seed + 1, -1, 1);
    fill(t->gamma, C, seed + 2, 0.4, 1.7);
    fill(t->beta, C, seed + 3, -0.3, 0.3);
    fill(t->running_mean, C, seed + 4, -1, 1);
    fill(t->running_var, C, seed + 5, 0.5, 2);
    fill(t->r1, N, seed + 6, -1, 1);
    fill(t->r2, N, seed + 7, -1, 1);
}

static void backward(norm_data *t, bool accumulate, const double *diff_dst,
                     const double *diff_dst2, norm_diff *diff,
                     double *diff_src, double *diff_add)
{
    assert_int_equal(
        BL_OK, ref->norm_backward(NULL, &t->desc, t->frozen, t->src, t->dst,
                                  diff_dst, diff_dst2, t->gamma, t->save_mean,
                                  t->save_rstd, diff->gamma, diff->beta,
                                  accumulate, diff_src, diff_add, NULL));
}

/* The same bits when the outputs lie on the inputs, in the two ways that are
 * allowed; and accumulated parameters on top of the first ones. */
static void check_in_place(norm_data *t, const norm_diff *want)
{
    double a[N], b[N];
    norm_diff again = *want;
    memcpy(a, t->r1, sizeof a);
    memcpy(b, t->r2, sizeof b);
    backward(t, true, a, b, &again, b, a);
    assert_memory_equal(b, want->src, sizeof b);
    if (t->desc.add) assert_memory_equal(a, want->add, sizeof a);
    for (int c = 0; c < C; c++) {
        assert_near(again.gamma[c], 2 * want->gamma[c], 1e-12);
        assert_near(again.beta[c], 2 * want->beta[c], 1e-12);
    }
    memcpy(a, t->r1, sizeof a);
    memcpy(b, t->r2, sizeof b);
    backward(t, false, a, b, &again, a, b);
    assert_memory_equal(a, want->src, sizeof a);
    if (t->desc.add) assert_memory_equal(b, want->add, sizeof b);
}

static void check_norm(bool frozen, bool relu, bool add, bool two)
{
    norm_data t = {.frozen = frozen};
    uint64_t seed = 21;
    do {
        norm_fill(&t, seed += 8);
        t.frozen = frozen;
        t.desc.add = add;
    } while (kink_distance(&t) < 0.01);
    t.desc.relu = relu;
    for (int i = 0; i < N; i++) t.r[i] = t.r1[i] + (two ? t.r2[i] : 0);
    norm_run(&t);

    norm_diff diff = {0};
    backward(&t, false, t.r1, two ? t.r2 : NULL, &diff, diff.src, diff.add);
    char name[64];
    (void)snprintf(name, sizeof name, "norm%s%s%s%s", frozen ? " frozen" : "",
                   relu ? " relu" : "", add ? " add" : "", two ? " two" : "");
    check_grad(name, "src", norm_loss, &t, t.src, diff.src, N);
    check_grad(name, "gamma", norm_loss, &t, t.gamma, diff.gamma, C);
    check_grad(name, "beta", norm_loss, &t, t.beta, diff.beta, C);
    if (add) check_grad(name, "add", norm_loss, &t, t.add, diff.add, N);
    if (two) check_in_place(&t, &diff);
}

static void test_norm(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        check_norm(bits & 1u, bits & 2u, bits & 4u, bits & 8u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_norm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
