/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_methods.c: the gradient of every method, in double, by central
 * differences.
 *
 * For each row of bl_method_types the stages are read as the trainer reads
 * them, and for each stage, place of mixing, and loss with and without class
 * weights, a small network is built on `ref` with the graph, the labels and
 * the loss terms of that stage.  Each trained parameter is moved along one
 * random direction of unit length, so every element of it takes part, and the
 * slope is compared with diff_w in that direction.  A second stage must train
 * its classifier alone, its scales alone, or both.
 *
 * The table is walked, not listed: a new row is tested by being there.  One
 * whose loss or graph this file cannot feed fails.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "core/mem.h"
#include "nn/network.h"
#include "nn/plan.h"
#include "train/stage.h"

enum { N = 3, H = 5, W = 4, C = 2, CLASSES = 4, LONGEST = 64 * 64 * 9 };

static const bl_model_type tiny = {"tiny", "", "", {1, 1, 2, 0}};
static const int64_t counts[CLASSES] = {5000, 870, 61, 5};
static const double bound = 1e-7;

/** One network under test. */
typedef struct net {
    char name[128];
    const bl_stage *stage;
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
    bl_rng rng = bl_rng_at(11, BL_PURPOSE_TEST, 5, index);
    return bl_rng_normal(&rng);
}

/* ---- what a step reads -------------------------------------------------- */

static void feed_images(const net *n)
{
    float x[N * H * W * C];
    for (int32_t i = 0; i < n->plan->n_input; i++) {
        for (int k = 0; k < N * H * W * C; k++)
            x[k] = (float)noise((uint64_t)(1000 * i + k));
        ok(bl_plan_feed(n->plan, i, x));
    }
}

/** Labels, and their weights where images are mixed: BBN has one alpha for
 *  the batch, a mix one weight an image. */
static void feed_labels(const net *n)
{
    const int32_t y[2 * N] = {0, 2, 1, 3, 2, 0};
    const double lambda[2 * N] = {0.7125, 1, 0, 0.2875, 0, 1};
    const bool mixed = strcmp(n->stage->mix->name, "none") != 0;
    ok(bl_plan_labels(n->plan, y));
    ok(bl_plan_image_lambda(n->plan, mixed ? lambda : NULL));
    ok(bl_plan_permutation(n->plan, (const int32_t[N]){2, 0, 1}));
}

static void feed_scalars(const net *n)
{
    double s[BL_PLAN_SCALARS] = {0};
    const double l = n->stage->adaptor ? 0.6375 : 1;
    s[BL_SLOT_ONE] = 1;
    s[BL_SLOT_LAMBDA] = l;
    s[BL_SLOT_LAMBDA + 1] = 1 - l;
    s[BL_SLOT_MIX] = 0.7125;
    s[BL_SLOT_SCALE] = 2 * l;
    s[BL_SLOT_SCALE + 1] = 2 * (1 - l);
    ok(bl_plan_scalars(n->plan, s));
}

/* ---- networks ----------------------------------------------------------- */

/** Parameters off their first values, where a missing factor could hide. */
static void stir(bl_params *p)
{
    double *const w = p->w, *const b = p->buffers;
    for (int64_t k = 0; k < p->n_trained; k++)
        w[k] += 0.05 * noise(100000 + (uint64_t)k);
    for (int64_t k = 0; k < p->n_buffered; k++)
        b[k] = 0.4 + 0.3 * fabs(noise(200000 + (uint64_t)k));
    p->version++;
}

static void open_net(net *n, const bl_method_type *row, int32_t place,
                     bool weighted)
{
    const bl_network_spec network = {.model = &tiny, .form = row->form,
                                     .h = H, .w = W, .c = C,
                                     .n_class = CLASSES};
    const bl_loss_setting with = {
        .config = n->stage->config, .n = counts, .c = CLASSES,
        .cosine = bl_form_find(row->form)->cosine};
    const bl_backend *const ref = &bl_backend_ref;
    bl_graph_spec spec = n->stage->graph;
    bl_loss_terms *terms;
    bl_graph *graph;
    spec.training = true;
    spec.location = place;
    ok(bl_network_graph(&graph, &network, N, &spec));
    ok(ref->open(&n->dev, 1));
    ok(bl_params_create(&n->params, graph, ref, n->dev, BL_F64, true));
    ok(bl_params_init(n->params, 5));
    ok(bl_plan_create(&n->plan, graph, n->params, BL_F64, true));
    ok(ref->alloc(n->dev, &n->memory, n->plan->bytes));
    bl_plan_bind(n->plan, n->memory);
    ok(bl_loss_terms_make(&terms, &with, weighted));
    ok(bl_plan_terms(n->plan, terms));
    bl_loss_terms_free(terms);
    stir(n->params);
    feed_images(n);
    feed_labels(n);
    feed_scalars(n);
}

static void close_net(net *n)
{
    bl_plan_free(n->plan);
    bl_params_free(n->params);
    bl_backend_ref.free(n->dev, n->memory);
    bl_backend_ref.close(n->dev);
}

/* ---- slopes ------------------------------------------------------------- */

/** Is parameter i trained in this stage? */
static bool is_trained(const net *n, int32_t i)
{
    const bl_parameter *const row = &n->params->table[i];
    const bl_graph_spec *const g = &n->stage->graph;
    const bool head = !strncmp(row->name, "fc.", 3);
    const bool scale = !strcmp(row->name, "fc.scale");
    if (row->buffer) return false;
    return !g->fix_trunk || (g->fix_head ? scale : head);
}

static double loss_along(const net *n, int32_t i, const double *u, double h)
{
    const bl_parameter *const row = &n->params->table[i];
    double *const w = (double *)n->params->w + row->offset;
    static double kept[LONGEST];
    double loss, wrong[4];
    memcpy(kept, w, (size_t)row->count * sizeof *w);
    for (int64_t k = 0; k < row->count; k++) w[k] += h * u[k];
    n->params->version++;
    ok(bl_plan_forward(n->plan));
    ok(bl_plan_loss(n->plan, &loss, wrong));
    memcpy(w, kept, (size_t)row->count * sizeof *w);
    n->params->version++;
    return loss;
}

/** A direction [count] of unit length. */
static void draw_direction(double *u, int64_t count, uint64_t seed)
{
    double square = 0;
    for (int64_t k = 0; k < count; k++) {
        u[k] = noise(seed + (uint64_t)k);
        square += u[k] * u[k];
    }
    for (int64_t k = 0; k < count; k++) u[k] /= sqrt(square);
}

/** Squared error of the slope by parameter i; adds to *size its square. */
static double error_by(const net *n, int32_t i, double *size)
{
    static double u[LONGEST];
    const bl_parameter *const row = &n->params->table[i];
    const double *const g =
        (const double *)n->params->diff_w + row->offset;
    const double h = 4e-6;
    double slope = 0;
    assert_true(row->count <= LONGEST);
    draw_direction(u, row->count, 1000000 + (uint64_t)row->offset);
    for (int64_t k = 0; k < row->count; k++) slope += g[k] * u[k];
    const double found =
        (loss_along(n, i, u, h) - loss_along(n, i, u, -h)) / (2 * h);
    *size += found * found;
    return (found - slope) * (found - slope);
}

/** Networks whose slopes were found right. */
static int32_t n_right;

/** Distance of all slopes from diff_w, over their length. */
static void check_net(const net *n)
{
    double error = 0, size = 0, loss, wrong[4];
    int32_t trained = 0;
    ok(bl_plan_forward(n->plan));
    ok(bl_plan_loss(n->plan, &loss, wrong));
    ok(bl_plan_backward(n->plan));
    if (!isfinite(loss)) fail_msg("%s: the loss is %g", n->name, loss);
    for (int32_t i = 0; i < n->params->n; i++) {
        if (!is_trained(n, i)) continue;
        error += error_by(n, i, &size);
        trained++;
    }
    if (!trained || !(size > 0))
        fail_msg("%s: nothing is trained", n->name);
    if (!(sqrt(error / size) < bound))
        fail_msg("%s: distance %.3g of slopes is above %.0e", n->name,
                 sqrt(error / size), bound);
    n_right++;
}

/* ---- rows --------------------------------------------------------------- */

static void check_stage(const bl_method_type *row, const bl_stage *stage)
{
    const bool weights =
        strcmp(bl_config_string(stage->config, "weights"), "none") != 0;
    for (int32_t place = 0; place < BL_MIX_PLACES; place++) {
        if (!(stage->locations >> place & 1)) continue;
        for (int weighted = 0; weighted <= weights; weighted++) {
            net n = {.stage = stage};
            (void)snprintf(n.name, sizeof n.name, "%s, stage %d, mixed at %d, "
                           "weights %d", row->name, stage->second ? 2 : 1,
                           (int)place, weighted);
            open_net(&n, row, place, weighted);
            check_net(&n);
            close_net(&n);
        }
    }
}

static void check_row(const bl_method_type *row)
{
    bl_stage stages[BL_STAGES] = {{0}};
    bl_config *config;
    int32_t n = 0;
    ok(bl_train_config(&config));
    ok(bl_config_set(config, "method", row->name, BL_ORIGIN_OPTION));
    if (!strcmp(row->name, "retrain")) /* never without weights to retrain */
        ok(bl_config_set(config, "init.weights", "-", BL_ORIGIN_OPTION));
    ok(bl_train_settle(config));
    ok(bl_stages_read(stages, &n, config, bl_form_find(row->form)));
    assert_true(n > 0);
    for (int32_t k = 0; k < n; k++) check_stage(row, &stages[k]);
    for (int32_t k = 0; k < n; k++) bl_stage_free(&stages[k]);
    bl_config_free(config);
}

static void every_method_has_its_gradient(void **state)
{
    (void)state;
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        n_right = 0;
        check_row(bl_method_types()[i]);
        if (n_right == 0)
            fail_msg("%s: nothing was checked", bl_method_types()[i]->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_its_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
