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
#include "nn/layer.h"

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

bl_status bl_engine_check(const bl_compute *compute)
{
    const bl_backend *backend;
    bl_dtype act;
    BL_TRY(bl_backend_find(&backend, compute->backend));
    return choose_precision(&act, backend, compute->precision);
}

/** Refuses a batch of one value a channel in the words of whoever has cut the
 *  batches. */
static bl_status check_batch(const bl_engine *e, const bl_graph *graph)
{
    for (int32_t i = 0; i < graph->n_node; i++) {
        const bl_node *const node = &graph->nodes[i];
        if (node->type != &bl_layer_norm || node->frozen) continue;
        const bl_value *const v = &graph->values[node->dst];
        if (v->n * v->h * v->w > 1) continue;
        return BL_RAISE(BL_EINVAL, "batch: %s 1 image, and the maps end at 1 "
                        "x 1: batch-norm takes no statistics of one value; "
                        "give %s",
                        e->spec.batch > 1 ? "the last one has" : "found",
                        e->spec.batch > 1 ? "--drop-last, or another --batch"
                                          : "a larger --batch");
    }
    return BL_OK;
}

static bl_status plan(bl_engine *e, bl_plan **out, int64_t n,
                      const bl_graph_spec *spec)
{
    bl_graph *graph;
    BL_TRY(bl_network_graph(&graph, &e->spec.network, n, spec));
    graph->again_bytes =
        e->spec.again_bytes ? e->spec.again_bytes : BL_AGAIN_BYTES;
    bl_status status = spec->training ? check_batch(e, graph) : BL_OK;
    if (status == BL_OK && !e->params)
        status = bl_params_create(&e->params, graph, e->backend, e->dev,
                                  bl_dtype_real(e->act), e->spec.batch > 0);
    if (status < 0) {
        bl_graph_free(graph);
        return status;
    }
    return bl_plan_create(out, graph, e->params, e->act, spec->training);
}

/** Training plans for one place of mixing. */
static bl_status plans_at(bl_engine *e, int32_t place)
{
    const bl_engine_spec *const s = &e->spec;
    bl_graph_spec graph = s->graph;
    graph.training = true;
    graph.location = place;
    BL_TRY(plan(e, &e->train[place], s->batch, &graph));
    if (s->last_batch <= 0 || s->last_batch == s->batch) return BL_OK;
    return plan(e, &e->last[place], s->last_batch, &graph);
}

static bl_status plans(bl_engine *e)
{
    const bl_engine_spec *const s = &e->spec;
    const uint32_t locations = s->locations ? s->locations : 1;
    const bl_graph_spec infer = {.scale = s->graph.scale};
    for (int32_t k = 0; k < BL_MIX_PLACES && s->batch > 0; k++)
        if (locations >> k & 1) BL_TRY(plans_at(e, k));
    return plan(e, &e->infer, s->infer_batch, &infer);
}

/** Number i of all plans; NULL where there is none. */
static bl_plan *plan_number(const bl_engine *e, int32_t i)
{
    if (i == 0) return e->infer;
    return i <= BL_MIX_PLACES ? e->train[i - 1]
                              : e->last[i - 1 - BL_MIX_PLACES];
}

enum { PLANS = 1 + 2 * BL_MIX_PLACES };

static bl_status bind(bl_engine *e)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < PLANS; i++) {
        const bl_plan *const p = plan_number(e, i);
        if (p && bytes < p->bytes) bytes = p->bytes;
    }
    BL_TRY(e->backend->alloc(e->dev, &e->memory, bytes));
    for (int32_t i = 0; i < PLANS; i++)
        if (plan_number(e, i)) bl_plan_bind(plan_number(e, i), e->memory);
    return BL_OK;
}

int32_t bl_engine_head_param(const bl_engine *engine, const char *suffix)
{
    char name[BL_NAME_ROOM];
    (void)snprintf(name, sizeof name, "%s.%s",
                   bl_network_head(&engine->spec.network), suffix);
    return bl_params_find(engine->params, name);
}

/** First scalar of a part of the classifier, or none. */
static int64_t head_offset(const bl_engine *e, const char *suffix,
                           int64_t none)
{
    const int32_t i = bl_engine_head_param(e, suffix);
    return i < 0 ? none : e->params->table[i].offset;
}

/** The stretches that are trained: all; or the classifier, by its own rate,
 *  and its scales, which stand last. */
static void set_groups(bl_engine *e)
{
    const bl_graph_spec *const g = &e->spec.graph;
    const int64_t end = e->params->n_trained;
    const int64_t head = head_offset(e, "weight", 0);
    const int64_t scale = head_offset(e, "scale", end);
    if (!g->fix_trunk) {
        e->groups[e->n_group++] = (bl_engine_group){0, end, BL_SLOT_LR};
        return;
    }
    if (!g->fix_head)
        e->groups[e->n_group++] =
            (bl_engine_group){head, scale - head, BL_SLOT_RATE2};
    if (scale < end)
        e->groups[e->n_group++] =
            (bl_engine_group){scale, end - scale, BL_SLOT_LR};
}

static bl_status open(bl_engine *e)
{
    const bl_compute *const compute = &e->spec.compute;
    const bl_network_spec *const net = &e->spec.network;
    BL_TRY(bl_network_check(net));
    e->spec.network.form = bl_form_find(net->form)->name;
    BL_TRY(bl_backend_find(&e->backend, compute->backend));
    BL_TRY(choose_precision(&e->act, e->backend, compute->precision));
    e->spec.compute.backend = e->backend->name;
    e->spec.compute.precision = bl_engine_precision(e);
    BL_TRY(e->backend->open(&e->dev, compute->threads));
    BL_TRY(plans(e));
    BL_TRY(bind(e));
    set_groups(e);
    if (e->spec.climbs)
        BL_TRY(e->backend->alloc(e->dev, &e->kept_w,
                                 (size_t)e->params->n_trained *
                                     bl_dtype_size(e->params->real)));
    BL_TRY(bl_calloc(&e->x, e->spec.infer_batch * net->h * net->w * net->c,
                     sizeof *e->x));
    const int64_t D = bl_engine_width(e), C = net->n_class;
    return bl_calloc(&e->rows, e->spec.infer_batch * (C > D ? C : D),
                     sizeof *e->rows);
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
    for (int32_t i = 0; i < PLANS; i++) bl_plan_free(plan_number(engine, i));
    bl_params_free(engine->params);
    if (engine->memory) engine->backend->free(engine->dev, engine->memory);
    if (engine->kept_w) engine->backend->free(engine->dev, engine->kept_w);
    if (engine->dev) engine->backend->close(engine->dev);
    bl_free(engine->x);
    bl_free(engine->rows);
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

int64_t bl_engine_width(const bl_engine *engine)
{
    const bl_graph *const g = engine->infer->graph;
    return g->values[g->features].c;
}

/** Reads m of a whole batch of rows [c] into out, if it is wanted. */
typedef bl_status read_batch(bl_plan *plan, void *out);
static bl_status read_rows(float *out, bl_engine *e, read_batch *read,
                           int64_t m, int64_t c)
{
    if (!out) return BL_OK;
    BL_TRY(read(e->infer, e->rows));
    memcpy(out, e->rows, (size_t)(m * c) * sizeof *out);
    return BL_OK;
}

bl_status bl_engine_infer(bl_engine *e, const uint8_t *pixels, int64_t n,
                          float *z, float *f)
{
    const bl_network_spec *const net = &e->spec.network;
    const int64_t size = (int64_t)net->h * net->w * net->c;
    const int64_t batch = e->spec.infer_batch;
    const int64_t C = net->n_class, D = bl_engine_width(e);
    for (int64_t i = 0; i < n; i += batch) {
        const int64_t m = n - i < batch ? n - i : batch;
        bl_normalize(e->x, pixels + i * size, m * net->h * net->w, net->c,
                     &e->spec.normalization);
        BL_TRY(bl_plan_feed(e->infer, 0, e->x));
        BL_TRY(bl_plan_forward(e->infer));
        BL_TRY(read_rows(z ? z + i * C : NULL, e, bl_plan_logits, m, C));
        BL_TRY(read_rows(f ? f + i * D : NULL, e, bl_plan_features, m, D));
    }
    return BL_OK;
}

/* ---- training ----------------------------------------------------------- */

bl_status bl_engine_terms(bl_engine *engine, const bl_loss_terms *terms)
{
    for (int32_t i = 1; i < PLANS; i++)
        if (plan_number(engine, i))
            BL_TRY(bl_plan_terms(plan_number(engine, i), terms));
    return BL_OK;
}

static bl_status find_plan(bl_plan **out, const bl_engine *e,
                           const bl_feed *feed)
{
    const int32_t at = feed->location;
    bl_plan *const full = e->train[at], *const less = e->last[at];
    *out = full && full->n == feed->n ? full : less;
    if (*out && (*out)->n == feed->n) return BL_OK;
    return BL_RAISE(BL_EINVAL, "engine: no plan for a batch of %lld mixed at "
                    "place %d", (long long)feed->n, (int)at);
}

static bl_status give_plan(bl_engine *e, bl_plan *p, const bl_feed *feed)
{
    const bl_network_spec *const net = &e->spec.network;
    const int64_t size = feed->n * net->h * net->w * net->c;
    for (int32_t i = 0; i < p->n_input; i++)
        BL_TRY(bl_plan_feed(p, i, feed->x + i * size));
    BL_TRY(bl_plan_labels(p, feed->y));
    BL_TRY(bl_plan_image_lambda(p, feed->lambda));
    if (feed->perm) BL_TRY(bl_plan_permutation(p, feed->perm));
    return bl_plan_scalars(p, feed->scalars);
}

/** Goes to w + rho g / |g|; kept_w keeps w. */
static bl_status climb(bl_engine *e, const bl_plan *p, double rho)
{
    const bl_params *const w = e->params;
    const bl_backend *const b = e->backend;
    double squares;
    BL_TRY(b->scale(e->dev, w->real, w->n_trained, p->scalars + BL_SLOT_ONE,
                    w->w, e->kept_w));
    BL_TRY(b->sum_squares(e->dev, w->real, w->n_trained, w->diff_w, &squares));
    if (!(squares > 0)) return BL_OK;
    return b->axpy(e->dev, w->real, w->n_trained, rho / sqrt(squares),
                   w->diff_w, w->w);
}

/** The loss and gradient at the point climbed to, then back to w. */
static bl_status look_from_above(bl_engine *e, bl_plan *p, double rho,
                                 double *loss)
{
    double wrong[4];
    bl_params *const w = e->params;
    BL_TRY(climb(e, p, rho));
    w->version++;
    p->hold_statistics = true;
    bl_status status = bl_plan_forward(p);
    if (status == BL_OK) status = bl_plan_loss(p, loss, wrong);
    if (status == BL_OK) status = bl_plan_backward(p);
    p->hold_statistics = false;
    BL_TRY(e->backend->scale(e->dev, w->real, w->n_trained,
                             p->scalars + BL_SLOT_ONE, e->kept_w, w->w));
    w->version++;
    return status;
}

static bl_status update_groups(bl_engine *e, const bl_plan *p,
                               const bl_sgd_desc *sgd)
{
    bl_params *const w = e->params;
    const size_t size = bl_dtype_size(w->real);
    for (int32_t i = 0; i < e->n_group; i++) {
        const bl_engine_group *const g = &e->groups[i];
        const size_t at = (size_t)g->offset * size;
        bl_sgd_desc desc = *sgd;
        desc.n = g->n;
        desc.real = w->real;
        BL_TRY(e->backend->sgd(e->dev, &desc, p->scalars + g->slot,
                               (char *)w->diff_w + at, (char *)w->v + at,
                               (char *)w->w + at));
    }
    w->version++;
    return BL_OK;
}

bl_status bl_engine_step(bl_engine *engine, const bl_feed *feed,
                         const bl_update *update, double *loss, double *wrong)
{
    bl_plan *p;
    double above = 0;
    BL_TRY(find_plan(&p, engine, feed));
    BL_TRY(give_plan(engine, p, feed));
    BL_TRY(bl_plan_forward(p));
    BL_TRY(bl_plan_loss(p, loss, wrong));
    if (!isfinite(*loss)) return BL_OK;
    BL_TRY(bl_plan_backward(p));
    if (update->rho > 0)
        BL_TRY(look_from_above(engine, p, update->rho, &above));
    if (isfinite(above)) return update_groups(engine, p, &update->sgd);
    *loss = above;
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
