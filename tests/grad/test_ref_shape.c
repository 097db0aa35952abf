/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of the reference element-wise, shape and pooling passes.  Inputs
 * of relu stay away from 0; inputs of the maximum are all at least 0.05 apart.
 */
#include "grad/check.h"

#include "backend/ref/ref.h"

enum { ROOM = 512 };

static const bl_backend *const ref = &bl_backend_ref;

typedef struct shape_data {
    int64_t n_src, n_dst;
    double src[ROOM], b[ROOM], r[ROOM];
    bl_shortcut_desc shortcut;
    bl_pool_desc pool;
    int64_t n, ca, cb, hw;
    double factor;
} shape_data;

static void must(bl_status status)
{
    assert_int_equal(BL_OK, status);
}

static void shape_fill(shape_data *t)
{
    assert_true(t->n_src <= ROOM && t->n_dst <= ROOM);
    fill(t->src, t->n_src, 31, -1, 1);
    fill(t->b, ROOM, 32, -1, 1);
    fill(t->r, t->n_dst, 33, -1, 1);
}

/* ---- relu ---------------------------------------------------------------- */

static double relu_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->relu_forward(NULL, BL_F64, t->n_src, t->src, dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_relu(void **state)
{
    (void)state;
    shape_data t = {.n_src = 37, .n_dst = 37};
    shape_fill(&t);
    for (int64_t i = 0; i < t.n_src; i++) {
        t.src[i] += t.src[i] < 0 ? -0.05 : 0.05;
    }
    double dst[ROOM], diff[ROOM];
    must(ref->relu_forward(NULL, BL_F64, t.n_src, t.src, dst));
    for (int64_t i = 0; i < t.n_src; i++) diff[i] = t.r[i];
    must(ref->relu_backward(NULL, BL_F64, t.n_src, dst, diff, diff));
    check_grad("relu", "src", relu_loss, &t, t.src, diff, t.n_src);
}

/* ---- option-A shortcut --------------------------------------------------- */

static double shortcut_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->shortcut_forward(NULL, &t->shortcut, t->src, dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_shortcut(void **state)
{
    (void)state;
    static const bl_shortcut_desc cases[] = {
        {2, 4, 4, 3, 2, 2, 6, 2, BL_F64},
        {2, 5, 3, 2, 3, 2, 7, 2, BL_F64},
        {1, 4, 5, 3, 4, 5, 8, 1, BL_F64},
        {1, 7, 5, 2, 3, 2, 2, 3, BL_F64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bl_shortcut_desc d = cases[i];
        shape_data t = {.n_src = d.n * d.ih * d.iw * d.ic,
                        .n_dst = d.n * d.oh * d.ow * d.oc, .shortcut = d};
        shape_fill(&t);
        double diff[ROOM];
        must(ref->shortcut_backward(NULL, &d, t.r, diff));
        check_grad("shortcut", "src", shortcut_loss, &t, t.src, diff,
                   t.n_src);
    }
}

/* ---- concat and scale ---------------------------------------------------- */

static double concat_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->concat_forward(NULL, BL_F64, t->n, t->ca, t->cb, t->src, t->b,
                             dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_concat(void **state)
{
    (void)state;
    shape_data t = {.n_src = 4 * 3, .n_dst = 4 * 8, .n = 4, .ca = 3, .cb = 5};
    shape_fill(&t);
    double diff_a[ROOM], diff_b[ROOM];
    must(ref->concat_backward(NULL, BL_F64, t.n, t.ca, t.cb, t.r, diff_a,
                              diff_b));
    check_grad("concat", "a", concat_loss, &t, t.src, diff_a, t.n * t.ca);
    check_grad("concat", "b", concat_loss, &t, t.b, diff_b, t.n * t.cb);
}

static double scale_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->scale(NULL, BL_F64, t->n_src, &t->factor, t->src, dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_scale(void **state)
{
    (void)state;
    shape_data t = {.n_src = 19, .n_dst = 19, .factor = -2.385};
    shape_fill(&t);
    double diff[ROOM];
    must(ref->scale(NULL, BL_F64, t.n_src, &t.factor, t.r, diff));
    check_grad("scale", "src", scale_loss, &t, t.src, diff, t.n_src);
}

/* ---- mix ----------------------------------------------------------------- */

static const int32_t perm[5] = {3, 0, 4, 2, 1}, inverse[5] = {1, 4, 3, 0, 2};

static double mix_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->mix_forward(NULL, BL_F64, t->n, t->ca, &t->factor, perm, t->src,
                          t->b, dst));
    return dot(dst, t->r, t->n_dst);
}

static double mix_with_itself_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->mix_forward(NULL, BL_F64, t->n, t->ca, &t->factor, perm, t->src,
                          t->src, dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_mix(void **state)
{
    (void)state;
    shape_data t = {.n_src = 5 * 7, .n_dst = 5 * 7, .n = 5, .ca = 7,
                    .factor = 0.2385};
    shape_fill(&t);
    double diff_a[ROOM], diff_b[ROOM];
    must(ref->mix_backward(NULL, BL_F64, t.n, t.ca, &t.factor, inverse, t.r,
                           diff_a, diff_b));
    check_grad("mix", "a", mix_loss, &t, t.src, diff_a, t.n_src);
    check_grad("mix", "b", mix_loss, &t, t.b, diff_b, t.n_src);
    must(ref->mix_backward(NULL, BL_F64, t.n, t.ca, &t.factor, inverse, t.r,
                           diff_a, diff_a));
    check_grad("mix with itself", "a", mix_with_itself_loss, &t, t.src,
               diff_a, t.n_src);
}

/* ---- class scale --------------------------------------------------------- */

static double class_scale_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->class_scale_forward(NULL, BL_F64, t->n, t->ca, t->b, t->src,
                                  dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_class_scale(void **state)
{
    (void)state;
    shape_data t = {.n_src = 4 * 6, .n_dst = 4 * 6, .n = 4, .ca = 6};
    shape_fill(&t);
    double diff[ROOM], diff_s[6], twice[6];
    must(ref->class_scale_backward(NULL, BL_F64, t.n, t.ca, t.b, t.src, t.r,
                                   diff, diff_s, false));
    check_grad("class scale", "src", class_scale_loss, &t, t.src, diff,
               t.n_src);
    check_grad("class scale", "s", class_scale_loss, &t, t.b, diff_s, t.ca);
    for (int j = 0; j < 6; j++) twice[j] = diff_s[j];
    must(ref->class_scale_backward(NULL, BL_F64, t.n, t.ca, t.b, t.src, t.r,
                                   NULL, twice, true));
    for (int j = 0; j < 6; j++) assert_near(twice[j], 2 * diff_s[j], 1e-14);
}

/* ---- pooling ------------------------------------------------------------- */

static double maxpool_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->maxpool_forward(NULL, &t->pool, t->src, dst, NULL));
    return dot(dst, t->r, t->n_dst);
}

static void check_maxpool(const bl_pool_desc *d)
{
    shape_data t = {.n_src = d->n * d->ih * d->iw * d->c,
                    .n_dst = d->n * d->oh * d->ow * d->c, .pool = *d};
    shape_fill(&t);
    /* A permutation of equally spaced values: 91 is prime to every n_src. */
    for (int64_t i = 0; i < t.n_src; i++) {
        t.src[i] = 0.05 * (double)(i * 91 % t.n_src) - 2;
    }
    double dst[ROOM], diff[ROOM];
    int32_t index[ROOM];
    must(ref->maxpool_forward(NULL, d, t.src, dst, index));
    must(ref->maxpool_backward(NULL, d, t.r, index, diff));
    check_grad("maxpool", "src", maxpool_loss, &t, t.src, diff, t.n_src);
}

static void test_maxpool(void **state)
{
    (void)state;
    static const bl_pool_desc cases[] = {
        {2, 6, 4, 3, 2, 2, 2, 2, 2, 2, 0, 0, BL_F64},
        {1, 8, 8, 4, 4, 3, 3, 3, 2, 2, 1, 1, BL_F64},
        {2, 5, 6, 3, 6, 1, 3, 2, 2, 1, 1, 1, BL_F64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_maxpool(&cases[i]);
    }
}

static double gap_loss(const void *context)
{
    const shape_data *const t = (const shape_data *)context;
    double dst[ROOM];
    must(ref->gap_forward(NULL, BL_F64, t->n, t->hw, t->ca, t->src, dst));
    return dot(dst, t->r, t->n_dst);
}

static void test_gap(void **state)
{
    (void)state;
    shape_data t = {.n_src = 3 * 6 * 4, .n_dst = 3 * 4, .n = 3, .hw = 6,
                    .ca = 4};
    shape_fill(&t);
    double diff[ROOM];
    must(ref->gap_backward(NULL, BL_F64, t.n, t.hw, t.ca, t.r, diff));
    check_grad("gap", "src", gap_loss, &t, t.src, diff, t.n_src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),    cmocka_unit_test(test_shortcut),
        cmocka_unit_test(test_concat),  cmocka_unit_test(test_scale),
        cmocka_unit_test(test_mix),     cmocka_unit_test(test_class_scale),
        cmocka_unit_test(test_maxpool), cmocka_unit_test(test_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
