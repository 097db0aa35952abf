/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_network.c: gradients of whole networks, CE's and BBN's loss, in double
 * by central differences: through fusion, shared parameters, gradients of
 * values with several readers, and memory that buffers take turns in.
 *
 * `ref` runs the layers as they are; the same table with `fuses` set runs the
 * graph that fast backends run.  Parameters are moved off their initial values
 * (gamma 1, beta 0), where a missing factor could hide.  A ReLU may switch
 * between the two points of a difference, so the bound is on all directions
 * together and single parameters may miss it now and then.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/mem.h"
#include "nn/network.h"
#include "nn/plan.h"

enum { N = 3, H = 5, W = 4, C = 2, CLASSES = 3 };

static const bl_model_type tiny = {"tiny", "", "", {2, 1, 2, 0}};

typedef struct net {
    bl_backend backend;
    bl_device *dev;
    bl_params *params;
    bl_plan *plan;
    void *memory;
} net;

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

static double noise(uint64_t index)
{
    bl_rng rng = bl_rng_at(7, BL_PURPOSE_TEST, 3, index);
    return bl_rng_normal(&rng);
}

static void feed(net *n, int32_t streams)
{
    float x[N * H * W * C];
    int32_t y[2 * N];
    double s[BL_PLAN_SCALARS] = {0};
    for (int32_t i = 0; i < streams; i++) {
        for (int k = 0; k < N * H * W * C; k++)
            x[k] = (float)noise((uint64_t)(1000 * i + k));
        ok(bl_plan_feed(n->plan, i, x));
    }
    for (int k = 0; k < 2 * N; k++) y[k] = (2 * k + k / N) % CLASSES;
    ok(bl_plan_labels(n->plan, y));
    s[BL_SLOT_LAMBDA] = streams > 1 ? 0.7125 : 1;
    s[BL_SLOT_LAMBDA + 1] = 0.2875;
    s[BL_SLOT_MIX] = 0.3825;
    s[BL_SLOT_SCALE] = 1.425;
    s[BL_SLOT_SCALE + 1] = 0.575;
    ok(bl_plan_scalars(n->plan, s));
    ok(bl_plan_permutation(n->plan, (const int32_t[N]){2, 0, 1}));
}

/** What a test trains: a known form, or layers put together by hand. */
typedef struct subject {
    const char *name;
    int32_t streams;
    int32_t (*layers)(bl_graph *g); /* NULL: the network of form `name` */
} subject;

static bl_graph *build(const subject *what)
{
    const bl_network_spec spec = {.model = &tiny, .form = what->name, .h = H,
                                  .w = W, .c = C, .n_class = CLASSES};
    bl_graph *graph;
    if (!what->layers) {
        ok(bl_network_graph(&graph, &spec, N,
                            &(bl_graph_spec){.training = true}));
        return graph;
    }
    ok(bl_graph_create(&graph));
    bl_graph_loss(graph, what->layers(graph), what->streams);
    ok(bl_graph_finish(graph));
    return graph;
}

/** Values of high entropy: running statistics, too, off 0 and 1. */
static void stir(bl_params *p)
{
    double *const w = p->w, *const b = p->buffers;
    for (int64_t k = 0; k < p->n_trained; k++)
        w[k] += 0.05 * noise(100000 + (uint64_t)k);
    for (int64_t k = 0; k < p->n_buffered; k++)
        b[k] = 0.4 + 0.3 * fabs(noise(200000 + (uint64_t)k));
}

static void open_net(net *n, const subject *what, bool fuses)
{
    bl_graph *const graph = build(what);
    *n = (net){.backend = bl_backend_ref};
    n->backend.fuses = fuses;
    ok(n->backend.open(&n->dev, 1));
    ok(bl_params_create(&n->params, graph, &n->backend, n->dev, BL_F64, true));
    ok(bl_params_init(n->params, 5));
    ok(bl_plan_create(&n->plan, graph, n->params, BL_F64, true));
    ok(n->backend.alloc(n->dev, &n->memory, n->plan->bytes));
    bl_plan_bind(n->plan, n->memory);
    stir(n->params);
    feed(n, what->streams);
}

static void close_net(net *n)
{
    bl_plan_free(n->plan);
    bl_params_free(n->params);
    n->backend.free(n->dev, n->memory);
    n->backend.close(n->dev);
}

static double loss_at(net *n, int64_t k, double w)
{
    double loss, wrong[4];
    double *const slab = n->params->w;
    const double kept = slab[k];
    slab[k] = w;
    n->params->version++;
    ok(bl_plan_forward(n->plan));
    ok(bl_plan_loss(n->plan, &loss, wrong));
    slab[k] = kept;
    return loss;
}

/** Relative L2 distance between analytic and numeric gradients over a sample
 *  of every parameter's elements. */
static void check_one(const subject *what, bool fuses)
{
    net n;
    double diff = 0, norm = 0, loss, wrong[4];
    open_net(&n, what, fuses);
    n.params->version++;
    ok(bl_plan_forward(n.plan));
    ok(bl_plan_loss(n.plan, &loss, wrong));
    ok(bl_plan_backward(n.plan));
    const double *const g = n.params->diff_w;
    for (int32_t i = 0; i < n.params->n; i++) {
        const bl_parameter *const row = &n.params->table[i];
        if (row->buffer) continue;
        const int64_t step = row->count > 12 ? row->count / 6 + 1 : 1;
        for (int64_t e = 0; e < row->count; e += step) {
            const int64_t k = row->offset + e;
            const double w = ((const double *)n.params->w)[k], h = 1e-6;
            const double numeric =
                (loss_at(&n, k, w + h) - loss_at(&n, k, w - h)) / (2 * h);
            diff += (numeric - g[k]) * (numeric - g[k]);
            norm += numeric * numeric;
        }
    }
    if (!(sqrt(diff / norm) < 1e-6))
        fail_msg("%s, fuses %d: distance %.3g", what->name, fuses,
                 sqrt(diff / norm));
    close_net(&n);
}

static void check(const subject *what)
{
    check_one(what, false);
    check_one(what, true);
}

static void plain_network(void **state)
{
    (void)state;
    check(&(const subject){.name = "plain", .streams = 1});
}

static void cosine_network(void **state)
{
    (void)state;
    check(&(const subject){.name = "cosine", .streams = 1});
}

static void bbn_network(void **state)
{
    (void)state;
    check(&(const subject){.name = "bbn", .streams = 2});
}

/** Dilation, one weight in two dilations, frozen norms with and without add,
 *  a ReLU no norm takes in, maximum pooling, a value with three readers. */
static int32_t odd_layers(bl_graph *g)
{
    const int32_t x = bl_graph_input(g, N, H, W, C);
    int32_t a = bl_graph_norm_frozen(
        g, bl_graph_conv(g, x, "a", 4, 3, 1, 1, 1), "a_norm");
    a = bl_graph_relu(g, a);
    const int32_t near = bl_graph_conv(g, a, "b", 4, 3, 1, 1, 1);
    const int32_t far = bl_graph_conv(g, a, "b", 4, 3, 1, 2, 2);
    const int32_t sum = bl_graph_relu(g, bl_graph_add(g, near, far));
    int32_t y = bl_graph_norm_frozen(
        g, bl_graph_conv(g, sum, "c", 4, 1, 1, 0, 1), "c_norm");
    y = bl_graph_relu(g, bl_graph_add(g, y, a));
    y = bl_graph_maxpool(g, y, 2, 2, 0);
    return bl_graph_linear(g, bl_graph_gap(g, y), "fc", CLASSES,
                           (bl_init){BL_INIT_NORMAL, 0.5});
}

static void odd_network(void **state)
{
    (void)state;
    check(&(const subject){.name = "odd", .streams = 1, .layers = odd_layers});
}

/** A trunk [n][H][W][3] whose weights are shared by all its uses. */
static int32_t trunk(bl_graph *g)
{
    const int32_t x = bl_graph_input(g, N, H, W, C);
    return bl_graph_relu(g, bl_graph_norm(
        g, bl_graph_conv(g, x, "trunk", 3, 3, 1, 1, 1), "trunk_norm"));
}

static int32_t tail(bl_graph *g, int32_t y)
{
    y = bl_graph_norm(g, bl_graph_conv(g, y, "tail", 4, 3, 2, 1, 1), "t_norm");
    return bl_graph_gap(g, bl_graph_relu(g, y));
}

static int32_t head(bl_graph *g, int32_t f)
{
    return bl_graph_linear(g, f, "fc", CLASSES,
                           (bl_init){BL_INIT_NORMAL, 0.5});
}

/** A batch mixed with itself: hidden maps that a shortcut reads as well, and
 *  pooled features; then factors for the logits. */
static int32_t mixed_with_itself(bl_graph *g)
{
    const int32_t a = trunk(g);
    const int32_t mixed = bl_graph_mix(g, a, a, BL_SLOT_MIX);
    const int32_t f = tail(g, bl_graph_relu(g, bl_graph_add(g, mixed, a)));
    const int32_t z = head(g, bl_graph_mix(g, f, f, BL_SLOT_SCALE + 1));
    return bl_graph_class_scale(g, z, "fc");
}

static void self_mixed_network(void **state)
{
    (void)state;
    check(&(const subject){.name = "mixed with itself", .streams = 1,
                           .layers = mixed_with_itself});
}

/** Two batches through one trunk, mixed behind it. */
static int32_t mixed_batches(bl_graph *g)
{
    const int32_t a = trunk(g), b = trunk(g);
    return head(g, tail(g, bl_graph_mix(g, a, b, BL_SLOT_MIX)));
}

/** Pooled features of two batches. */
static int32_t mixed_features(bl_graph *g)
{
    const int32_t a = tail(g, trunk(g)), b = tail(g, trunk(g));
    return head(g, bl_graph_mix(g, a, b, BL_SLOT_MIX));
}

/** One side, then the other, has no parameters behind it. */
static int32_t mixed_with_pixels(bl_graph *g)
{
    const int32_t x = bl_graph_input(g, N, H, W, C);
    int32_t y = bl_graph_conv(g, x, "first", C, 3, 1, 1, 1);
    y = bl_graph_mix(g, bl_graph_norm(g, y, "norm"), x, BL_SLOT_MIX);
    y = bl_graph_conv(g, y, "second", C, 3, 1, 1, 1);
    y = bl_graph_mix(g, x, bl_graph_norm(g, y, "norm2"), BL_SLOT_SCALE + 1);
    return head(g, tail(g, y));
}

static void two_mixed_networks(void **state)
{
    (void)state;
    check(&(const subject){.name = "mixed batches", .streams = 2,
                           .layers = mixed_batches});
    check(&(const subject){.name = "mixed features", .streams = 2,
                           .layers = mixed_features});
    check(&(const subject){.name = "mixed with pixels", .streams = 1,
                           .layers = mixed_with_pixels});
}

/** A frozen norm leaves the running statistics alone. */
static void frozen_norms_keep_their_statistics(void **state)
{
    (void)state;
    net n;
    double before[64];
    open_net(&n, &(const subject){.name = "odd", .streams = 1,
                                  .layers = odd_layers}, true);
    const size_t bytes = (size_t)n.params->n_buffered * sizeof *before;
    assert_true(bytes <= sizeof before);
    memcpy(before, n.params->buffers, bytes);
    ok(bl_plan_forward(n.plan));
    ok(bl_plan_backward(n.plan));
    assert_memory_equal(before, n.params->buffers, bytes);
    close_net(&n);
}

/** The fused graph must be the same function as the plain one. */
static void fusion_changes_nothing(void **state)
{
    (void)state;
    net a, b;
    const subject bbn = {.name = "bbn", .streams = 2};
    open_net(&a, &bbn, false);
    open_net(&b, &bbn, true);
    assert_true(b.plan->n_op < a.plan->n_op);
    double la, lb, wrong[4];
    ok(bl_plan_forward(a.plan));
    ok(bl_plan_forward(b.plan));
    ok(bl_plan_loss(a.plan, &la, wrong));
    ok(bl_plan_loss(b.plan, &lb, wrong));
    assert_true(fabs(la - lb) < 1e-12);
    ok(bl_plan_backward(a.plan));
    ok(bl_plan_backward(b.plan));
    const double *const ga = a.params->diff_w, *const gb = b.params->diff_w;
    for (int64_t k = 0; k < a.params->n_trained; k++)
        assert_true(fabs(ga[k] - gb[k]) < 1e-10);
    const double *const ra = a.params->buffers, *const rb = b.params->buffers;
    for (int64_t k = 0; k < a.params->n_buffered; k++)
        assert_true(fabs(ra[k] - rb[k]) < 1e-12);
    close_net(&a);
    close_net(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_network), cmocka_unit_test(cosine_network),
        cmocka_unit_test(bbn_network), cmocka_unit_test(odd_network),
        cmocka_unit_test(self_mixed_network),
        cmocka_unit_test(two_mixed_networks),
        cmocka_unit_test(frozen_norms_keep_their_statistics),
        cmocka_unit_test(fusion_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
