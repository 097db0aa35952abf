/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of the softmax and the sigmoid family: a walk over every
 * combination of what a class may be given (scale, margin, offset, weight),
 * of focus or smoothing, of reductions, of weights for targets or for images,
 * and of the number of targets.  Some images have one label in several
 * targets; in some combinations class 0 is absent.
 */
#include "grad/check.h"

#include <stdio.h>

#include "backend/ref/ref.h"

enum { N = 5, C = 4, TARGETS = 4 };

/* Bits of a combination. */
enum {
    SCALE = 1, MARGIN = 2, OFFSET = 4, WEIGHT = 8, DIVIDE = 16, EACH = 32,
    ABSENT = 64, SMOOTH = 128, ALL = 256
};

static const bl_backend *const ref = &bl_backend_ref;

typedef bl_status (*loss_entry)(bl_device *dev, const bl_softmax_desc *desc,
                                const void *z, const int32_t *y,
                                const double *lambda,
                                const bl_class_terms *terms, double *loss,
                                double *wrong, void *diff_z);

typedef struct loss_data {
    loss_entry entry;
    bl_softmax_desc desc;
    double z[N * C];                       // [n][c]
    int32_t y[TARGETS * N];                // [targets][n]
    double lambda[TARGETS * N];            // [targets] or [targets][n]
    double s[C], m[C], b[C], w[C], e[C];   // [c]
    int bits;
} loss_data;

static double run(const loss_data *t, double *diff_z)
{
    double loss, wrong[TARGETS];
    const int bits = t->bits;
    const bl_class_terms terms = {.s = bits & SCALE ? t->s : NULL,
                                  .m = bits & MARGIN ? t->m : NULL,
                                  .b = bits & OFFSET ? t->b : NULL,
                                  .w = bits & WEIGHT ? t->w : NULL,
                                  .e = bits & SMOOTH ? t->e : NULL};
    assert_int_equal(BL_OK, t->entry(NULL, &t->desc, t->z, t->y, t->lambda,
                                     &terms, &loss, wrong, diff_z));
    return loss;
}

static double loss_of(const void *context)
{
    return run((const loss_data *)context, NULL);
}

/* Labels i of target k: all equal for one image, all apart for another. */
static void fill_data(loss_data *t)
{
    fill(t->z, N * C, 51, -1.5, 1.5);
    fill(t->lambda, TARGETS * N, 52, 0.2, 0.8);
    fill(t->s, C, 53, 2, 5);
    fill(t->m, C, 54, 0.1, 0.6);
    fill(t->b, C, 55, -2, 0);
    fill(t->w, C, 56, 0.1, 2.5);
    fill(t->e, C, 57, 0.05, 0.4);
    for (int k = 0; k < TARGETS; k++) {
        for (int i = 0; i < N; i++) {
            const int y = (3 * i + k * (i + 1)) % C;
            t->y[k * N + i] = y == 0 && (t->bits & ABSENT) != 0 ? 2 : y;
        }
    }
    if ((t->bits & ABSENT) != 0) t->b[0] = -HUGE_VAL;
}

static void check_one(loss_entry entry, int bits, double g, int32_t targets)
{
    loss_data t = {.entry = entry, .bits = bits,
                   .desc = {N, C, targets, BL_F64, g, (bits & DIVIDE) != 0,
                            (bits & EACH) != 0}};
    fill_data(&t);
    double diff_z[N * C];
    char name[80];
    (void)snprintf(name, sizeof name, "bits %d, g %g, %d targets", bits, g,
                   (int)targets);
    assert_true(isfinite(run(&t, diff_z)));
    check_grad(name, "z", loss_of, &t, t.z, diff_z, N * C);
}

/* Walks over the combinations without any of `never`. */
static void walk(loss_entry entry, int never, double g)
{
    static const int32_t targets[] = {1, 2, 4};
    for (int bits = 0; bits < ALL; bits++) {
        if ((bits & never) != 0) continue;
        if ((bits & ABSENT) != 0 && (bits & OFFSET) == 0) continue;
        if ((bits & DIVIDE) != 0 && (bits & WEIGHT) == 0) continue;
        for (int k = 0; k < 3; k++) check_one(entry, bits, g, targets[k]);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    static const double focal[] = {0.5, 1, 2.385};
    walk(ref->softmax_loss, 0, 0);
    for (int i = 0; i < 3; i++) walk(ref->softmax_loss, SMOOTH, focal[i]);
}

static void test_sigmoid(void **state)
{
    (void)state;
    static const double focal[] = {0, 0.5, 1, 2};
    for (int i = 0; i < 4; i++)
        walk(ref->sigmoid_loss, SMOOTH | MARGIN, focal[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_softmax),
                                       cmocka_unit_test(test_sigmoid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
