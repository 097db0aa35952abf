/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plan.c: parameter counts, shapes, memory that is shared safely, and
 * steps that allocate nothing.
 */
#include <math.h>
#include <stdlib.h>
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
#include "nn/engine.h"

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

/* ---- counts ------------------------------------------------------------- */

typedef struct count_row {
    const char *model, *form;
    int32_t n_class;
    int64_t parameters;
} count_row;

/* Figures of the reference implementations: all but running statistics. */
static const count_row counts[] = {
    {"resnet32", "plain", 10, 464154},  {"resnet32", "plain", 100, 470004},
    {"resnet32", "cosine", 10, 464144}, {"resnet32", "cosine", 100, 469904},
    {"resnet32", "bbn", 10, 538778},    {"resnet32", "bbn", 100, 550388},
    {"resnet20", "plain", 10, 269722},  {"resnet44", "plain", 10, 658586},
    {"resnet56", "plain", 10, 853018},  {"resnet110", "plain", 10, 1727962},
};

static void parameter_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const count_row *const row = &counts[i];
        const bl_network_spec spec = {.model = bl_model_find(row->model),
                                      .form = row->form, .h = 32, .w = 32,
                                      .c = 3, .n_class = row->n_class};
        bl_network_facts facts;
        ok(bl_network_measure(&facts, &spec));
        assert_int_equal(facts.parameters, row->parameters);
    }
}

static void work_of_resnet32(void **state)
{
    (void)state;
    const bl_network_spec spec = {.model = bl_model_find("resnet32"),
                                  .form = "plain", .h = 32, .w = 32, .c = 3,
                                  .n_class = 10};
    bl_network_facts facts;
    ok(bl_network_measure(&facts, &spec));
    /* 68.9 million multiply-adds a forward pass */
    assert_true(facts.forward_gflop > 0.137 && facts.forward_gflop < 0.139);
    /* three passes, but for the gradient of the images */
    assert_true(facts.train_gflop > 2.98 * facts.forward_gflop &&
                facts.train_gflop < 3 * facts.forward_gflop);
}

static void any_input_size(void **state)
{
    (void)state;
    const int32_t sizes[][3] = {{28, 28, 1}, {32, 32, 3}, {7, 19, 2},
                                {1, 1, 1},   {33, 5, 4}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const bl_network_spec spec = {
            .model = bl_model_find("resnet20"), .form = "bbn",
            .h = sizes[i][0], .w = sizes[i][1], .c = sizes[i][2],
            .n_class = 5};
        bl_network_facts facts;
        ok(bl_network_measure(&facts, &spec));
        assert_true(facts.parameters > 0);
    }
}

static void impossible_networks(void **state)
{
    (void)state;
    const bl_model_type *const model = bl_model_find("resnet20");
    const bl_network_spec bad[] = {
        {.model = model, .form = "plain", .h = 0, .w = 4, .c = 3, .n_class = 2},
        {.model = model, .form = "plane", .h = 4, .w = 4, .c = 3, .n_class = 2},
        {.model = model, .form = "plain", .h = 4, .w = 4, .c = 3, .n_class = 0},
        {.model = model, .form = "bbn", .h = 9999, .w = 4, .c = 3,
         .n_class = 2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bl_network_facts facts;
        assert_int_equal(bl_network_measure(&facts, &bad[i]), BL_EINVAL);
    }
}

/* ---- memory ------------------------------------------------------------- */

/** No two buffers that are alive together share a byte. */
static void buffers_do_not_meet(const bl_buffer *b, int32_t n, size_t bytes)
{
    for (int32_t i = 0; i < n; i++) {
        assert_true(b[i].offset + b[i].bytes <= bytes);
        for (int32_t k = 0; k < i; k++) {
            const bool together =
                b[i].first <= b[k].last && b[k].first <= b[i].last;
            const bool meet = b[i].offset < b[k].offset + b[k].bytes &&
                              b[k].offset < b[i].offset + b[i].bytes;
            assert_false(together && meet && b[i].bytes && b[k].bytes);
        }
    }
}

static void random_buffers_are_placed(void **state)
{
    (void)state;
    bl_rng rng = bl_rng_at(11, BL_PURPOSE_TEST, 0, 0);
    for (int32_t round = 0; round < 60; round++) {
        bl_buffer b[40];
        int32_t scratch[40];
        size_t sum = 0;
        for (int32_t i = 0; i < 40; i++) {
            const int32_t first = (int32_t)bl_rng_below(&rng, 50);
            b[i] = (bl_buffer){
                .bytes = (size_t)bl_rng_below(&rng, 5000), .first = first,
                .last = first + (int32_t)bl_rng_below(&rng, 12)};
            sum += b[i].bytes + 64;
        }
        const size_t bytes = bl_buffers_place(b, 40, scratch);
        assert_true(bytes <= sum);
        buffers_do_not_meet(b, 40, bytes);
    }
}

static bl_engine_spec engine_spec(const char *backend, const char *form,
                                  int64_t last, size_t again_bytes)
{
    return (bl_engine_spec){
        .network = {.model = bl_model_find("resnet20"), .form = form, .h = 8,
                    .w = 8, .c = 3, .n_class = 4},
        .compute = {.backend = backend, .precision = "fp32", .threads = 2},
        .normalization = {.c = 3, .mean = {0.5, 0.5, 0.5},
                          .std = {0.25, 0.25, 0.25}},
        .batch = 4, .last_batch = last, .infer_batch = 3, .climbs = true,
        .again_bytes = again_bytes};
}

static bl_engine *open_engine_again(const char *backend, const char *form,
                                    int64_t last, size_t again_bytes)
{
    bl_engine *engine;
    const bl_engine_spec spec = engine_spec(backend, form, last, again_bytes);
    ok(bl_engine_open(&engine, &spec));
    ok(bl_params_init(engine->params, 3));
    return engine;
}

static bl_engine *open_engine(const char *backend, const char *form,
                              int64_t last)
{
    return open_engine_again(backend, form, last, 0);
}

/* Opens with so many images a step, and in the last one; images are of
 * side x side pixels, so the last maps are a quarter of that. */
static bl_status open_with(const char *form, int64_t batch, int64_t last,
                           int32_t side, bool frozen)
{
    bl_engine *engine = NULL;
    bl_engine_spec spec = engine_spec("ref", form, last, 0);
    spec.batch = batch;
    spec.network.h = spec.network.w = side;
    spec.graph.freeze_norm = spec.graph.fix_trunk = frozen;
    const bl_status status = bl_engine_open(&engine, &spec);
    if (status == BL_OK) bl_engine_free(engine);
    return status;
}

static void batches_without_statistics_are_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {"plain", "bbn"};
    for (int32_t i = 0; i < 2; i++) {
        assert_int_equal(open_with(forms[i], 4, 1, 4, false), BL_EINVAL);
        assert_non_null(strstr(bl_error_last()->message, "batch: the last one "
                               "has 1 image, "));
        assert_non_null(strstr(bl_error_last()->message, "--drop-last"));
        assert_int_equal(open_with(forms[i], 1, 0, 4, false), BL_EINVAL);
        assert_non_null(strstr(bl_error_last()->message, "batch: found 1 "
                               "image, "));
        ok(open_with(forms[i], 4, 2, 4, false));
        ok(open_with(forms[i], 4, 1, 5, false));
        ok(open_with(forms[i], 1, 0, 5, false));
    }
    ok(open_with("plain", 4, 1, 4, true));
}

static void plans_place_their_buffers(void **state)
{
    (void)state;
    const char *const forms[] = {"plain", "bbn"};
    for (int32_t i = 0; i < 2; i++) {
        bl_engine *const e = open_engine("ref", forms[i], 0);
        const bl_plan *const p = e->train[0];
        buffers_do_not_meet(p->buffers, p->n_buffer,
                            p->bytes - p->scratch_bytes);
        bl_engine_free(e);
    }
}

/** Two uses of one parameter: how many convolutions are planned? */
static int32_t planned(int64_t stride, int64_t pad, int64_t dilation)
{
    const bl_backend *ref;
    bl_device *dev;
    bl_graph *g;
    bl_params *params;
    bl_plan *plan;
    ok(bl_backend_find(&ref, "ref"));
    ok(ref->open(&dev, 1));
    ok(bl_graph_create(&g));
    const int32_t x = bl_graph_input(g, 2, 7, 9, 3);
    const int32_t a = bl_graph_conv(g, x, "w", 5, 3, 1, 1, 1);
    const int32_t b = bl_graph_conv(g, x, "w", 5, 3, stride, pad, dilation);
    const int32_t f = bl_graph_concat(g, bl_graph_gap(g, a),
                                      bl_graph_gap(g, b));
    const bl_init init = {BL_INIT_UNIFORM, 0.3};
    bl_graph_loss(g, bl_graph_linear(g, f, "fc", 4, init), 1);
    ok(bl_params_create(&params, g, ref, dev, BL_F32, true));
    ok(bl_plan_create(&plan, g, params, BL_F32, true));
    const int32_t n = plan->n_conv;
    bl_plan_free(plan);
    bl_params_free(params);
    ref->close(dev);
    return n;
}

static void a_shared_weight_shares_equal_convolutions(void **state)
{
    (void)state;
    assert_int_equal(planned(1, 1, 1), 1);
    assert_int_equal(planned(2, 1, 1), 2);
    assert_int_equal(planned(1, 2, 1), 2);
    assert_int_equal(planned(1, 1, 2), 2);
}

/** A step on n pairs, sharpness-aware for rho above 0; gives its loss. */
static double step(bl_engine *e, int64_t n, double rho)
{
    float x[2 * 4 * 8 * 8 * 3];
    int32_t y[2 * 4];
    double scalars[BL_PLAN_SCALARS] = {0}, loss, wrong[4];
    const bl_update update = {.sgd = {.momentum = 0.9}, .rho = rho};
    bl_rng rng = bl_rng_at(2, BL_PURPOSE_TEST, 0, (uint64_t)n);
    for (size_t k = 0; k < sizeof x / sizeof *x; k++)
        x[k] = (float)bl_rng_normal(&rng);
    for (int32_t k = 0; k < 8; k++) y[k] = k % 4;
    scalars[BL_SLOT_LR] = 0.01;
    scalars[BL_SLOT_ONE] = 1;
    scalars[BL_SLOT_LAMBDA] = scalars[BL_SLOT_LAMBDA + 1] = 0.5;
    scalars[BL_SLOT_SCALE] = scalars[BL_SLOT_SCALE + 1] = 1;
    const bl_feed feed = {.n = n, .x = x, .y = y, .scalars = scalars};
    ok(bl_engine_step(e, &feed, &update, &loss, wrong));
    return loss;
}

static void steps_allocate_nothing(void **state)
{
    (void)state;
    const char *const names[] = {"ref", "onednn"};
    for (int32_t i = 0; i < 2; i++) {
        const bl_backend *found;
        if (bl_backend_find(&found, names[i]) < 0) {
            print_message("skipped: %s is not in this build\n", names[i]);
            continue;
        }
        bl_engine *const e = open_engine(names[i], "bbn", 3);
        uint8_t pixels[5 * 8 * 8 * 3] = {17};
        float z[5 * 4];
        (void)step(e, 4, 0);
        (void)step(e, 3, 0);
        ok(bl_engine_infer(e, pixels, 5, z, NULL));
        const int64_t before = bl_mem_count();
        for (int32_t k = 0; k < 3; k++) {
            (void)step(e, 4, 0);
            (void)step(e, 3, 0);
            ok(bl_engine_infer(e, pixels, 5, z, NULL));
        }
        assert_int_equal(bl_mem_count(), before);
        bl_engine_free(e);
    }
}

/** A loss that is finite here and not where the gradient is to be taken. */
static void a_climb_to_nowhere_leaves_the_parameters(void **state)
{
    (void)state;
    bl_engine *const e = open_engine("ref", "bbn", 0);
    const size_t bytes = (size_t)e->params->n_trained * sizeof(float);
    float *const before = malloc(bytes);
    assert_non_null(before);
    memcpy(before, e->params->w, bytes);
    assert_true(isfinite(step(e, 4, 1e-3)));
    assert_true(memcmp(before, e->params->w, bytes) != 0);
    memcpy(before, e->params->w, bytes);
    assert_true(!isfinite(step(e, 4, 1e38)));
    assert_memory_equal(before, e->params->w, bytes);
    free(before);
    bl_engine_free(e);
}

/** What is not kept but made again is the same, and takes less memory. */
static void made_again_is_as_kept(void **state)
{
    (void)state;
    const char *const forms[] = {"plain", "bbn"};
    const bl_backend *onednn;
    if (bl_backend_find(&onednn, "onednn") < 0) {
        print_message("skipped: onednn is not in this build\n");
        return;
    }
    for (int32_t i = 0; i < 2; i++) {
        bl_engine *const again = open_engine_again("onednn", forms[i], 3, 1);
        bl_engine *const kept =
            open_engine_again("onednn", forms[i], 3, SIZE_MAX);
        const bl_plan *const p = again->train[0];
        const size_t bytes = (size_t)kept->params->n_trained * sizeof(float);
        buffers_do_not_meet(p->buffers, p->n_buffer,
                            p->bytes - p->scratch_bytes);
        assert_true(p->bytes < kept->train[0]->bytes);
        for (int32_t k = 0; k < 6; k++) {
            const int64_t n = k % 2 ? 3 : 4;
            const double rho = k < 4 ? 0 : 0.05;
            const double a = step(again, n, rho), b = step(kept, n, rho);
            assert_memory_equal(&a, &b, sizeof a);
            assert_memory_equal(again->params->w, kept->params->w, bytes);
        }
        bl_engine_free(again);
        bl_engine_free(kept);
    }
}

static void logits_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    bl_engine *const e = open_engine("ref", "bbn", 0);
    uint8_t pixels[5 * 8 * 8 * 3];
    float together[5 * 4], alone[4], f[5 * 128], f_alone[128];
    for (size_t k = 0; k < sizeof pixels; k++)
        pixels[k] = (uint8_t)(37 * k + k / 7);
    const int64_t d = bl_engine_width(e);
    assert_true(d <= 128);
    ok(bl_engine_infer(e, pixels, 5, together, f));
    for (int32_t i = 0; i < 5; i++) {
        ok(bl_engine_infer(e, pixels + i * 8 * 8 * 3, 1, alone, NULL));
        assert_memory_equal(alone, together + 4 * i, sizeof alone);
        ok(bl_engine_infer(e, pixels + i * 8 * 8 * 3, 1, NULL, f_alone));
        assert_memory_equal(f_alone, f + d * i, (size_t)d * sizeof *f);
    }
    bl_engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts),
        cmocka_unit_test(work_of_resnet32),
        cmocka_unit_test(any_input_size),
        cmocka_unit_test(impossible_networks),
        cmocka_unit_test(random_buffers_are_placed),
        cmocka_unit_test(batches_without_statistics_are_refused),
        cmocka_unit_test(plans_place_their_buffers),
        cmocka_unit_test(a_shared_weight_shares_equal_convolutions),
        cmocka_unit_test(steps_allocate_nothing),
        cmocka_unit_test(a_climb_to_nowhere_leaves_the_parameters),
        cmocka_unit_test(made_again_is_as_kept),
        cmocka_unit_test(logits_do_not_depend_on_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
