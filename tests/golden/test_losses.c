/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The softmax and sigmoid families of every backend of this build against
 * PyTorch's autograd in double: the cases of data/losses.safetensors, made by
 * tools/golden/losses.py, to 1e-12 of each tensor's largest value.
 */
#include "near.h"

#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "io/safetensors.h"

enum { N = 5, C = 7, TARGETS = 4, CASES = 35 };

typedef struct golden {
    const bl_safetensors *file;
    const char *name; /* of the case */
} golden;

/* Tensor `part` of the case as dtype [count], or NULL where it has none. */
static const void *part(const golden *g, const char *what, const char *dtype,
                        int64_t count, size_t size)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s.%s", g->name, what);
    const bl_named_tensor *const t = bl_safetensors_find(g->file, name);
    if (t == NULL) return NULL;
    assert_string_equal(t->dtype, dtype);
    assert_int_equal(t->bytes, (size_t)count * size);
    return t->data;
}

/* Copies, because a file's data need not be aligned. */
static const double *reals(const golden *g, const char *what, int64_t count,
                           double *room)
{
    const void *const data = part(g, what, "F64", count, sizeof *room);
    if (data == NULL) return NULL;
    memcpy(room, data, (size_t)count * sizeof *room);
    return room;
}

static double must_real(const golden *g, const char *what)
{
    double value;
    assert_non_null(reals(g, what, 1, &value));
    return value;
}

static bool flag(const golden *g, const char *what)
{
    int32_t value;
    const void *const data = part(g, what, "I32", 1, sizeof value);
    assert_non_null(data);
    memcpy(&value, data, sizeof value);
    return value != 0;
}

/* lambda [targets][n] where each image has its own, else [targets]. */
static bool each_image(const golden *g)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s.lambda", g->name);
    const bl_named_tensor *const t = bl_safetensors_find(g->file, name);
    assert_non_null(t);
    return t->rank == 2;
}

static int32_t targets_of(const golden *g)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s.y", g->name);
    const bl_named_tensor *const t = bl_safetensors_find(g->file, name);
    assert_non_null(t);
    assert_int_equal(t->rank, 2);
    assert_in_range(t->shape[0], 1, TARGETS);
    return (int32_t)t->shape[0];
}

/* got and want [n] agree to 1e-12 of the largest wanted value. */
static void check(const golden *g, const char *what, const double *got,
                  const double *want, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        if (fabs(got[i] - want[i]) <= 1e-12 * largest) continue;
        fail_msg("%s: %s[%d] is %.17g, wanted %.17g", g->name, what, (int)i,
                 got[i], want[i]);
    }
}

static void check_case(const bl_backend *backend, bl_device *dev,
                       const golden *g)
{
    const int32_t k = targets_of(g);
    double z[N * C], s[C], m[C], b[C], w[C], e[C], lambda[TARGETS * N];
    int32_t y[TARGETS * N];
    memcpy(y, part(g, "y", "I32", k * N, 4), (size_t)k * N * sizeof *y);
    assert_non_null(reals(g, "z", N * C, z));
    assert_non_null(reals(g, "lambda", each_image(g) ? k * N : k, lambda));
    const bl_softmax_desc desc = {N, C, k, BL_F64, must_real(g, "g"),
                                  flag(g, "divide"), each_image(g)};
    const bl_class_terms terms = {
        .s = reals(g, "s", C, s), .m = reals(g, "m", C, m),
        .b = reals(g, "b", C, b), .w = reals(g, "w", C, w),
        .e = reals(g, "e", C, e)};

    double loss, wrong[TARGETS], diff_z[N * C];
    assert_int_equal(BL_OK, (flag(g, "sigmoid") ? backend->sigmoid_loss
                                                : backend->softmax_loss)(
                                dev, &desc, z, y, lambda, &terms, &loss,
                                wrong, diff_z));

    double want[N * C];
    const double want_loss = must_real(g, "loss");
    check(g, "loss", &loss, &want_loss, 1);
    assert_non_null(reals(g, "wrong", k, want));
    check(g, "wrong", wrong, want, k);
    assert_non_null(reals(g, "diff_z", N * C, want));
    check(g, "diff_z", diff_z, want, N * C);
}

static int walk(const bl_backend *backend, const bl_safetensors *file)
{
    bl_device *dev = NULL;
    assert_int_equal(BL_OK, backend->open(&dev, 1));
    const char *const list = bl_safetensors_meta(file, "golden.cases");
    assert_non_null(list);
    int n = 0;
    for (const char *at = list; *at != '\0'; n++) {
        char name[64];
        const size_t length = strcspn(at, ",");
        assert_true(length > 0 && length < sizeof name);
        memcpy(name, at, length);
        name[length] = '\0';
        check_case(backend, dev, &(golden){file, name});
        at += length + (at[length] == ',');
    }
    backend->close(dev);
    return n;
}

static void test_losses(void **state)
{
    (void)state;
    bl_safetensors *file = NULL;
    assert_int_equal(BL_OK, bl_safetensors_open(
                                &file, BL_TEST_FILES
                                "/golden/data/losses.safetensors"));
    for (const bl_backend *const *b = bl_backends(); *b != NULL; b++) {
        if (!(*b)->available() || !(*b)->runs(BL_F64)) continue;
        assert_int_equal(walk(*b, file), CASES);
    }
    bl_safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
