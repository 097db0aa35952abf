/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mix_layer.c: mixing inside a network, on every backend and in every
 * dtype it runs: a share of 1 is the plan without mixing, bit for bit, and a
 * share of 0 is the plan of the permuted batch; what is refused; factors of
 * logits that start at 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/rng.h"
#include "nn/plan.h"

enum { N = 6, H = 5, W = 7, C = 3, WIDE = 16, CLASSES = 4 };

static const int32_t perm[N] = {2, 5, 0, 1, 3, 4};

typedef struct net {
    const bl_backend *backend;
    bl_dtype act;
    bl_device *dev;
    bl_params *params;
    bl_plan *plan;
    void *memory;
} net;

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

/** Three places to mix, or none; factors of logits, or none. */
static bl_graph *build(bool mix, bool factors)
{
    bl_graph *g;
    ok(bl_graph_create(&g));
    int32_t y = bl_graph_input(g, N, H, W, C);
    if (mix) y = bl_graph_mix(g, y, y, BL_SLOT_MIX);
    y = bl_graph_conv(g, y, "a", WIDE, 3, 1, 1, 1);
    y = bl_graph_relu(g, bl_graph_norm(g, y, "a_norm"));
    if (mix) y = bl_graph_mix(g, y, y, BL_SLOT_SCALE);
    y = bl_graph_conv(g, y, "b", WIDE, 3, 2, 1, 1);
    y = bl_graph_gap(g, bl_graph_relu(g, bl_graph_norm(g, y, "b_norm")));
    if (mix) y = bl_graph_mix(g, y, y, BL_SLOT_SCALE + 1);
    y = bl_graph_linear(g, y, "fc", CLASSES, (bl_init){BL_INIT_NORMAL, 0.3});
    if (factors) y = bl_graph_class_scale(g, y, "factors");
    bl_graph_loss(g, y, 1);
    ok(bl_graph_finish(g));
    return g;
}

static void open_net(net *n, const bl_backend *backend, bl_dtype act, bool mix,
                     bool factors)
{
    bl_graph *const graph = build(mix, factors);
    *n = (net){.backend = backend, .act = act};
    ok(backend->open(&n->dev, 2));
    ok(bl_params_create(&n->params, graph, backend, n->dev,
                        bl_dtype_real(act), true));
    ok(bl_params_init(n->params, 5));
    ok(bl_plan_create(&n->plan, graph, n->params, act, true));
    ok(backend->alloc(n->dev, &n->memory, n->plan->bytes));
    bl_plan_bind(n->plan, n->memory);
}

static void close_net(net *n)
{
    bl_plan_free(n->plan);
    bl_params_free(n->params);
    n->backend->free(n->dev, n->memory);
    n->backend->close(n->dev);
}

/** One step on images and labels in the given order; mix: share of a. */
static void step(net *n, const int32_t *order, double first, double others)
{
    const int64_t image = H * W * C;
    float x[N * H * W * C];
    int32_t y[N];
    double s[BL_PLAN_SCALARS] = {0};
    for (int32_t i = 0; i < N; i++) {
        const int32_t from = order != NULL ? order[i] : i;
        bl_rng rng = bl_rng_at(7, BL_PURPOSE_TEST, 0, (uint64_t)from);
        for (int64_t k = 0; k < image; k++)
            x[i * image + k] = (float)bl_rng_normal(&rng);
        y[i] = (3 * from + 1) % CLASSES;
    }
    s[BL_SLOT_LAMBDA] = 1;
    s[BL_SLOT_MIX] = first;
    s[BL_SLOT_SCALE] = s[BL_SLOT_SCALE + 1] = others;
    ok(bl_plan_feed(n->plan, 0, x));
    ok(bl_plan_labels(n->plan, y));
    ok(bl_plan_scalars(n->plan, s));
    ok(bl_plan_permutation(n->plan, perm));
    n->params->version++;
    ok(bl_plan_forward(n->plan));
    ok(bl_plan_backward(n->plan));
}

/** Logits and the gradients of parameters that both nets have, bit for bit. */
static void same_bits(const net *a, const net *b)
{
    double za[N * CLASSES] = {0}, zb[N * CLASSES] = {0};
    ok(bl_plan_logits(a->plan, za));
    ok(bl_plan_logits(b->plan, zb));
    assert_memory_equal(za, zb, sizeof za);
    for (int32_t i = 0; i < a->params->n; i++) {
        const bl_parameter *const row = &a->params->table[i];
        const int32_t other = bl_params_find(b->params, row->name);
        if (row->buffer || other < 0) continue;
        const size_t size = bl_dtype_size(a->plan->real);
        assert_memory_equal(bl_params_diff(a->params, i),
                            bl_params_diff(b->params, other),
                            (size_t)row->count * size);
    }
}

typedef void check_fn(const bl_backend *backend, bl_dtype act);

/** Runs check on every backend in every dtype. */
static void everywhere(check_fn *check)
{
    static const bl_dtype acts[] = {BL_F32, BL_BF16, BL_F64};
    for (const bl_backend *const *b = bl_backends(); *b != NULL; b++)
        for (int i = 0; i < 3; i++)
            if ((*b)->available() && (*b)->runs(acts[i])) check(*b, acts[i]);
}

static void check_one(const bl_backend *backend, bl_dtype act)
{
    net plain, mixed;
    open_net(&plain, backend, act, false, false);
    open_net(&mixed, backend, act, true, false);
    step(&plain, NULL, 1, 1);
    step(&mixed, NULL, 1, 1);
    same_bits(&plain, &mixed);
    step(&mixed, NULL, 0.75, 1); /* and it is felt */
    double za[N * CLASSES] = {0}, zb[N * CLASSES] = {0};
    ok(bl_plan_logits(plain.plan, za));
    ok(bl_plan_logits(mixed.plan, zb));
    assert_memory_not_equal(za, zb, sizeof za);
    close_net(&plain);
    close_net(&mixed);
}

static void share_of_one_changes_nothing(void **state)
{
    (void)state;
    everywhere(check_one);
}

/** Labels stay in place, so only logits are those of the permuted batch. */
static void check_zero(const bl_backend *backend, bl_dtype act)
{
    net plain, mixed;
    double za[N * CLASSES] = {0}, zb[N * CLASSES] = {0};
    open_net(&plain, backend, act, false, false);
    open_net(&mixed, backend, act, true, false);
    step(&plain, perm, 1, 1);
    step(&mixed, NULL, 0, 1);
    ok(bl_plan_logits(plain.plan, za));
    ok(bl_plan_logits(mixed.plan, zb));
    assert_memory_equal(za, zb, sizeof za);
    close_net(&plain);
    close_net(&mixed);
}

static void share_of_zero_is_the_other_batch(void **state)
{
    (void)state;
    everywhere(check_zero);
}

static void check_factors(const bl_backend *backend, bl_dtype act)
{
    net plain, scaled;
    open_net(&plain, backend, act, false, false);
    open_net(&scaled, backend, act, false, true);
    step(&plain, NULL, 1, 1);
    step(&scaled, NULL, 1, 1);
    same_bits(&plain, &scaled);
    const int32_t at = bl_params_find(scaled.params, "factors.scale");
    assert_true(at >= 0);
    assert_int_equal(scaled.params->table[at].count, CLASSES);
    close_net(&plain);
    close_net(&scaled);
}

static void factors_start_at_one(void **state)
{
    (void)state;
    everywhere(check_factors);
}

static void permutations_are_checked(void **state)
{
    (void)state;
    static const int32_t bad[][N] = {{0, 1, 2, 3, 4, 4}, {6, 1, 2, 3, 4, 5},
                                     {0, 1, 2, -1, 4, 5}};
    net n;
    open_net(&n, &bl_backend_ref, BL_F32, true, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bl_plan_permutation(n.plan, bad[i]), BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "image 3 is mixed with "
                                                     "-1"));
    close_net(&n);
}

static void shapes_must_agree(void **state)
{
    (void)state;
    bl_graph *g;
    ok(bl_graph_create(&g));
    const int32_t a = bl_graph_input(g, N, H, W, C);
    const int32_t b = bl_graph_input(g, N, H, W + 1, C);
    assert_int_equal(bl_graph_mix(g, a, b, BL_SLOT_MIX), -1);
    assert_int_equal(bl_graph_finish(g), BL_EINVAL);
    bl_graph_free(g);
    ok(bl_graph_create(&g));
    const int32_t map = bl_graph_input(g, N, H, W, C);
    assert_int_equal(bl_graph_class_scale(g, map, "s"), -1);
    assert_int_equal(bl_graph_finish(g), BL_EINVAL);
    bl_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_of_one_changes_nothing),
        cmocka_unit_test(share_of_zero_is_the_other_batch),
        cmocka_unit_test(factors_start_at_one),
        cmocka_unit_test(permutations_are_checked),
        cmocka_unit_test(shapes_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
