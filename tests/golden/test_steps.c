/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_steps.c: ten training steps of CE and of BBN against PyTorch.
 *
 * The files hold initial weights, batches, rates, and what an independent
 * script computed in float64: loss of each step, first logits, first
 * gradients, final weights, logits of an evaluation.  Every backend and
 * precision must follow, each within its own bounds: in F64 the rounding of
 * the stored F32 tensors, in F32 and bf16 the growth of rounding over ten
 * steps of a network of twenty layers (PyTorch's own bf16 autocast strays by up
 * to 0.37 in the gradient of a norm here).
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
#include "ballast/status.h"
#include "core/mem.h"
#include "io/safetensors.h"
#include "nn/network.h"
#include "nn/plan.h"

enum { STEPS = 10, N = 6, H = 12, W = 10, C = 3, CLASSES = 7 };

/** Bounds on |found - wanted| / (|wanted| + 1) of losses and logits, and on
 *  the relative L2 distance of a whole tensor. */
typedef struct setting {
    const char *backend;
    bl_dtype act;
    double first_loss, loss, logits, grad, final;
} setting;

static const setting settings[] = {
    {"ref", BL_F64, 1e-12, 1e-10, 1e-9, 1e-7, 1e-7},
    {"ref", BL_F32, 1e-6, 1e-3, 1e-2, 1e-4, 1e-3},
    {"onednn", BL_F32, 1e-6, 1e-3, 1e-2, 1e-4, 1e-3},
    {"onednn", BL_BF16, 2e-2, 0.15, 0.5, 0.5, 0.1},
};

typedef struct bench {
    const setting *set;
    bl_safetensors *file;
    const bl_backend *backend;
    bl_device *dev;
    bl_params *params;
    bl_plan *train, *infer;
    void *memory;
    bool bbn;
} bench;

static const bl_named_tensor *find(const bench *b, const char *prefix,
                                   const char *name)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s%s", prefix, name);
    const bl_named_tensor *const t = bl_safetensors_find(b->file, full);
    if (!t) fail_msg("golden file lacks %s", full);
    return t;
}

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

static void load_params(bench *b)
{
    for (int32_t i = 0; i < b->params->n; i++) {
        const bl_parameter *const row = &b->params->table[i];
        const bl_named_tensor *const t = find(b, "init.", row->name);
        assert_int_equal(t->bytes, row->count * 4);
        const float *const src = t->data;
        double *wide;
        ok(bl_calloc(&wide, row->count, sizeof *wide));
        for (int64_t k = 0; k < row->count; k++) wide[k] = (double)src[k];
        const bool f64 = b->params->real == BL_F64;
        ok(b->backend->upload(b->dev, bl_params_value(b->params, i),
                              f64 ? (const void *)wide : src,
                              (size_t)row->count * (f64 ? 8 : 4)));
        bl_free(wide);
    }
    b->params->version++;
}

/** |found - wanted|_2 / |wanted|_2 of a tensor on the device. */
static double distance(const bench *b, const void *found, const float *wanted,
                       int64_t n)
{
    double diff = 0, norm = 1e-30;
    for (int64_t k = 0; k < n; k++) {
        const double x = b->params->real == BL_F64
                             ? ((const double *)found)[k]
                             : (double)((const float *)found)[k];
        diff += (x - (double)wanted[k]) * (x - (double)wanted[k]);
        norm += (double)wanted[k] * (double)wanted[k];
    }
    return sqrt(diff / norm);
}

static void open_bench(bench *b, const setting *set, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/golden/data/%s.safetensors",
                   BL_TEST_FILES, name);
    *b = (bench){.set = set};
    ok(bl_safetensors_open(&b->file, path));
    b->bbn = !strcmp(bl_safetensors_meta(b->file, "ballast.form"), "bbn");
    ok(bl_backend_find(&b->backend, set->backend));
    ok(b->backend->open(&b->dev, 2));
    const bl_network_spec net = {.model = bl_model_find("resnet20"),
                                 .form = b->bbn ? "bbn" : "plain", .h = H,
                                 .w = W, .c = C, .n_class = CLASSES};
    bl_graph *graph;
    ok(bl_network_graph(&graph, &net, N,
                        &(bl_graph_spec){.training = true}));
    ok(bl_params_create(&b->params, graph, b->backend, b->dev,
                        bl_dtype_real(set->act), true));
    ok(bl_plan_create(&b->train, graph, b->params, set->act, true));
    ok(bl_network_graph(&graph, &net, N, &(bl_graph_spec){0}));
    ok(bl_plan_create(&b->infer, graph, b->params, set->act, false));
    const size_t bytes = b->train->bytes > b->infer->bytes
                             ? b->train->bytes : b->infer->bytes;
    ok(b->backend->alloc(b->dev, &b->memory, bytes));
    bl_plan_bind(b->train, b->memory);
    bl_plan_bind(b->infer, b->memory);
    load_params(b);
}

static void close_bench(bench *b)
{
    bl_plan_free(b->train);
    bl_plan_free(b->infer);
    bl_params_free(b->params);
    b->backend->free(b->dev, b->memory);
    b->backend->close(b->dev);
    bl_safetensors_free(b->file);
}

static void near(double found, double wanted, double bound, const char *what,
                 int step)
{
    if (fabs(found - wanted) <= bound * (1 + fabs(wanted))) return;
    fail_msg("%s %d: found %.9g, wanted %.9g", what, step, found, wanted);
}

static void check_logits(bench *b, bl_plan *plan, const char *name)
{
    double z[N * CLASSES];
    const double *const wanted = find(b, "", name)->data;
    ok(bl_plan_logits(plan, z));
    for (int k = 0; k < N * CLASSES; k++) {
        const double x = b->params->real == BL_F64
                             ? z[k] : (double)((const float *)z)[k];
        near(x, wanted[k], b->set->logits, name, k);
    }
}

/** True for tensors the file has no room for: large gradients of layer3. */
static bool left_out(const bench *b, const char *prefix, const char *name)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s%s", prefix, name);
    return b->bbn && !strncmp(full, "grad.layer3.", 12) &&
           !bl_safetensors_find(b->file, full);
}

/** Compares all tensors of a kind; the worst distance is the message. */
static void check_tensors(bench *b, const char *prefix, double bound)
{
    for (int32_t i = 0; i < b->params->n; i++) {
        const bl_parameter *const row = &b->params->table[i];
        const bool grad = !strcmp(prefix, "grad.");
        if (grad && row->buffer) continue;
        if (left_out(b, prefix, row->name)) continue;
        const void *const found = grad ? bl_params_diff(b->params, i)
                                       : bl_params_value(b->params, i);
        const double d = distance(b, found, find(b, prefix, row->name)->data,
                                  row->count);
        if (!(d <= bound))
            fail_msg("%s%s: distance %.3g is above %.3g", prefix, row->name, d,
                     bound);
    }
}

static void feed(bench *b, int step)
{
    const int64_t image = (int64_t)N * H * W * C;
    const float *const x = find(b, "", b->bbn ? "x_c" : "x")->data;
    const int32_t *const y = find(b, "", b->bbn ? "y_c" : "y")->data;
    int32_t both[2 * N];
    memcpy(both, y + step * N, N * sizeof *y);
    ok(bl_plan_feed(b->train, 0, x + step * image));
    if (b->bbn) {
        const float *const x_r = find(b, "", "x_r")->data;
        const int32_t *const y_r = find(b, "", "y_r")->data;
        memcpy(both + N, y_r + step * N, N * sizeof *y);
        ok(bl_plan_feed(b->train, 1, x_r + step * image));
    }
    ok(bl_plan_labels(b->train, both));
}

static void set_scalars(bench *b, int step)
{
    double s[BL_PLAN_SCALARS] = {0};
    const double l =
        b->bbn ? ((const double *)find(b, "", "alpha")->data)[step] : 1;
    s[BL_SLOT_LR] = ((const double *)find(b, "", "lr")->data)[step];
    s[BL_SLOT_LAMBDA] = l;
    s[BL_SLOT_LAMBDA + 1] = 1 - l;
    s[BL_SLOT_SCALE] = 2 * l;
    s[BL_SLOT_SCALE + 1] = 2 * (1 - l);
    ok(bl_plan_scalars(b->train, s));
}

static void run(const setting *set, const char *name)
{
    bench b;
    open_bench(&b, set, name);
    const double *const losses = find(&b, "", "loss")->data;
    const bl_sgd_desc sgd = {.n = b.params->n_trained, .real = b.params->real,
                             .momentum = 0.9, .weight_decay = 2e-4,
                             .nesterov = b.bbn};
    for (int step = 0; step < STEPS; step++) {
        double loss, wrong[4];
        feed(&b, step);
        set_scalars(&b, step);
        ok(bl_plan_forward(b.train));
        ok(bl_plan_loss(b.train, &loss, wrong));
        near(loss, losses[step], step ? set->loss : set->first_loss,
             "loss of step", step + 1);
        if (!step) check_logits(&b, b.train, "first.logits");
        ok(bl_plan_backward(b.train));
        if (!step) check_tensors(&b, "grad.", set->grad);
        ok(b.backend->sgd(b.dev, &sgd, b.train->scalars + BL_SLOT_LR,
                          b.params->diff_w, b.params->v, b.params->w));
        b.params->version++;
    }
    check_tensors(&b, "final.", set->final);
    ok(bl_plan_feed(b.infer, 0, find(&b, "", "eval.x")->data));
    ok(bl_plan_forward(b.infer));
    check_logits(&b, b.infer, "eval.logits");
    close_bench(&b);
}

/** Runs a file on every setting this build and machine can run. */
static void follow(const char *name)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const bl_backend *backend;
        if (bl_backend_find(&backend, settings[i].backend) < 0 ||
            !backend->runs(settings[i].act)) {
            print_message("skipped: %s %s is not in this build or machine\n",
                          settings[i].backend, bl_dtype_name(settings[i].act));
            continue;
        }
        print_message("%s on %s %s\n", name, settings[i].backend,
                      bl_dtype_name(settings[i].act));
        run(&settings[i], name);
    }
}

static void ce_follows_pytorch(void **state)
{
    (void)state;
    follow("ce_resnet20");
}

static void bbn_follows_pytorch(void **state)
{
    (void)state;
    follow("bbn_resnet20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ce_follows_pytorch),
        cmocka_unit_test(bbn_follows_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
