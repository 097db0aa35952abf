/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c: device, parameters and plans of one network.
 *
 * The plans for full batches, for the last and smaller batch of an epoch and
 * for inference never run at the same time, so they share one block of memory
 * of the largest one's size.  The last batch of an inference is padded: images
 * do not see each other there.
 */
#include "nn/engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "data/loader.h"

/* ---- opening ------------------------------------------------------------ */

static bl_status choose_precision(bl_dtype *act, const bl_backend *backend,
                                  const char *precision)
{
    if (!precision || !strcmp(precision, "auto")) {
        const bool bf16 = backend->runs(BL_BF16) && backend->bf16_native();
        *act = bf16 ? BL_BF16 : BL_F32;
        return BL_OK;
    }
    if (!strcmp(precision, "fp32"))
        *act = BL_F32;
    else if (!strcmp(precision, "bf16"))
        *act = BL_BF16;
    else
        return BL_RAISE(BL_EINVAL, "precision %s is unknown, wanted auto, "
                        "fp32 or bf16", precision);
    if (backend->runs(*act)) return BL_OK;
    return BL_RAISE(BL_EUNSUPPORTED, "backend %s does not run %s on this "
                    "machine", backend->name, precision);
}

static bl_status plan(bl_engine *e, bl_plan **out, int64_t n, bool training)
{
    bl_graph *graph;
    BL_TRY(bl_network_graph(&graph, &e->spec.network, n, training));
    if (!e->params) {
        const bl_status status = bl_params_create(
            &e->params, graph, e->backend, e->dev, bl_dtype_real(e->act),
            e->spec.batch > 0);
        if (status < 0) {
            bl_graph_free(graph);
            return status;
        }
    }
    return bl_plan_create(out, graph, e->params, e->act, training);
}

static bl_status plans(bl_engine *e)
{
    const bl_engine_spec *const s = &e->spec;
    if (s->batch > 0) BL_TRY(plan(e, &e->train, s->batch, true));
    if (s->batch > 0 && s->last_batch > 0 && s->last_batch != s->batch)
        BL_TRY(plan(e, &e->last, s->last_batch, true));
    return plan(e, &e->infer, s->infer_batch, false);
}

static bl_status bind(bl_engine *e)
{
    bl_plan *const all[] = {e->train, e->last, e->infer};
    size_t bytes = 0;
    for (size_t i = 0; i < 3; i++)
        if (all[i] && bytes < all[i]->bytes) bytes = all[i]->bytes;
    BL_TRY(e->backend->alloc(e->dev, &e->memory, bytes));
    for (size_t i = 0; i < 3; i++)
        if (all[i]) bl_plan_bind(all[i], e->memory);
    return BL_OK;
}

static bl_status open(bl_engine *e)
{
    const bl_compute *const compute = &e->spec.compute;
    const bl_network_spec *const net = &e->spec.network;
    BL_TRY(bl_network_check(net));
    e->form = bl_form_find(net->form);
    e->spec.network.form = e->form->name;
    BL_TRY(bl_backend_find(&e->backend, compute->backend));
    BL_TRY(choose_precision(&e->act, e->backend, compute->precision));
    e->spec.compute.backend = e->backend->name;
    e->spec.compute.precision = bl_engine_precision(e);
    BL_TRY(e->backend->open(&e->dev, compute->threads));
    BL_TRY(plans(e));
    BL_TRY(bind(e));
    BL_TRY(bl_calloc(&e->x, e->spec.infer_batch * net->h * net->w * net->c,
                     sizeof *e->x));
    return bl_calloc(&e->z, e->spec.infer_batch * net->n_class, sizeof *e->z);
}

bl_status bl_engine_open(bl_engine **out, const bl_engine_spec *spec)
{
    bl_engine *e = NULL;
    BL_TRY(bl_calloc(&e, 1, sizeof *e));
    e->spec = *spec;
    const bl_status status = open(e);
    if (status < 0) {
        bl_engine_free(e);
        return status;
    }
    *out = e;
    return BL_OK;
}

void bl_engine_free(bl_engine *engine)
{
    if (!engine) return;
    bl_plan_free(engine->train);
    bl_plan_free(engine->last);
    bl_plan_free(engine->infer);
    bl_params_free(engine->params);
    if (engine->memory) engine->backend->free(engine->dev, engine->memory);
    if (engine->dev) engine->backend->close(engine->dev);
    bl_free(engine->x);
    bl_free(engine->z);
    bl_free(engine);
}

const char *bl_engine_precision(const bl_engine *engine)
{
    return engine->act == BL_BF16 ? "bf16" : "fp32";
}

int64_t bl_engine_infer_batch(const bl_network_spec *network, int64_t n)
{
    const int64_t budget = 256 * 32 * 32; /* px a batch */
    int64_t most = budget / ((int64_t)network->h * network->w);
    if (most < 1) most = 1;
    if (most > 256) most = 256;
    const int64_t rounds = (n + most - 1) / most;
    return rounds < 1 ? 1 : (n + rounds - 1) / rounds;
}

/* ---- inference ---------------------------------------------------------- */

bl_status bl_engine_logits(bl_engine *engine, const uint8_t *pixels, int64_t n,
                           float *z)
{
    const bl_network_spec *const net = &engine->spec.network;
    const int64_t size = (int64_t)net->h * net->w * net->c;
    const int64_t batch = engine->spec.infer_batch;
    for (int64_t i = 0; i < n; i += batch) {
        const int64_t m = n - i < batch ? n - i : batch;
        bl_normalize(engine->x, pixels + i * size, m * net->h * net->w, net->c,
                     &engine->spec.normalization);
        BL_TRY(bl_plan_feed(engine->infer, 0, engine->x));
        BL_TRY(bl_plan_forward(engine->infer));
        BL_TRY(bl_plan_logits(engine->infer, engine->z));
        memcpy(z + i * net->n_class, engine->z,
               (size_t)(m * net->n_class) * sizeof *z);
    }
    return BL_OK;
}

/* ---- training ----------------------------------------------------------- */

bl_status bl_engine_step(bl_engine *engine, const float *x, const int32_t *y,
                         int64_t n, const double *scalars,
                         const bl_sgd_desc *sgd, double *loss, double *wrong)
{
    bl_params *const p = engine->params;
    const bl_network_spec *const net = &engine->spec.network;
    bl_plan *const plan_ = n == engine->train->n ? engine->train
                                                 : engine->last;
    if (!plan_ || n != plan_->n)
        return BL_RAISE(BL_EINVAL, "engine: no plan for a batch of %lld",
                        (long long)n);
    for (int32_t s = 0; s < engine->form->streams; s++)
        BL_TRY(bl_plan_feed(plan_, s, x + s * n * net->h * net->w * net->c));
    BL_TRY(bl_plan_labels(plan_, y));
    BL_TRY(bl_plan_scalars(plan_, scalars));
    BL_TRY(bl_plan_forward(plan_));
    BL_TRY(bl_plan_loss(plan_, loss, wrong));
    if (!isfinite(*loss)) return BL_OK;
    BL_TRY(bl_plan_backward(plan_));
    BL_TRY(engine->backend->sgd(engine->dev, sgd, plan_->scalars + BL_SLOT_LR,
                                p->diff_w, p->v, p->w));
    p->version++;
    return BL_OK;
}

/* ---- metadata ----------------------------------------------------------- */

static void list(char *text, size_t room, const double *values, int32_t n)
{
    size_t at = 0;
    for (int32_t i = 0; i < n; i++) {
        char real[32];
        bl_real_format(real, values[i]);
        at += (size_t)snprintf(text + at, room - at, "%s%s", i ? "," : "",
                               real);
    }
}

int64_t bl_engine_metadata(const bl_engine *engine, bl_engine_text *text,
                           bl_metadata *pairs)
{
    const bl_network_spec *const net = &engine->spec.network;
    const bl_normalization *const norm = &engine->spec.normalization;
    (void)snprintf(text->size, sizeof text->size, "%dx%dx%d", net->h, net->w,
                   net->c);
    (void)snprintf(text->classes, sizeof text->classes, "%d", net->n_class);
    list(text->mean, sizeof text->mean, norm->mean, norm->c);
    list(text->std, sizeof text->std, norm->std, norm->c);
    const bl_metadata all[] = {
        {"format", "pt"},
        {"ballast.model", net->model->name},
        {"ballast.form", net->form},
        {"ballast.classes", text->classes},
        {"ballast.input", text->size},
        {"ballast.mean", text->mean},
        {"ballast.std", text->std},
    };
    memcpy(pairs, all, sizeof all);
    return sizeof all / sizeof *all;
}
