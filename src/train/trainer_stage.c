/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_stage.c: opens a stage of a run, and carries a network from one to
 * the next.
 *
 * A stage has an engine of its own, for its training graph is another: a
 * trunk that is fixed needs no gradients, a scale a class adds a layer.  The
 * parameters cross over by name.  Momentum does not: what the first stage was
 * heading for is not what the second looks for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "train/trainer.h"
#include "train/weights.h"

enum { PAD = 4 };

/* ---- engine -------------------------------------------------------------- */

static void choose_normalization(bl_normalization *out, const bl_trainer *t)
{
    *out = t->data->published;
    if (!strcmp(bl_config_string(t->config, "normalize"), "measured") ||
        out->c != t->data->train->c)
        bl_split_measure(t->data->train, out);
}

static bl_status open_engine(bl_trainer *t)
{
    const bl_split *const train = t->data->train;
    const bl_config *const c = t->stage->config;
    bl_engine_spec spec = {
        .network = {.model = bl_model_find(bl_config_string(c, "model")),
                    .form = t->method->form, .h = train->h, .w = train->w,
                    .c = train->c, .n_class = train->n_class},
        .compute = {.backend = bl_config_string(c, "backend"),
                    .precision = bl_config_string(c, "precision"),
                    .threads = (int32_t)bl_config_integer(c, "threads")},
        .batch = t->batch, .last_batch = t->last_batch,
        .graph = t->stage->graph, .locations = t->stage->locations,
        .climbs = t->update.rho > 0};
    spec.infer_batch = bl_engine_infer_batch(&spec.network, t->judge->n);
    choose_normalization(&spec.normalization, t);
    BL_TRY(bl_engine_open(&t->engine, &spec));
    for (int32_t k = 0; k < BL_MIX_PLACES; k++)
        if (t->engine->train[k])
            bl_plan_describe(t->engine->train[k], &t->plan_text);
    return t->plan_text.status;
}

static void read_update(bl_trainer *t)
{
    const bl_config *const c = t->stage->config;
    t->update = (bl_update){
        .rho = bl_config_real(c, "sam.rho"),
        .sgd = {.momentum = bl_config_real(c, "sgd.momentum"),
                .weight_decay = bl_config_real(c, "sgd.weight-decay"),
                .nesterov = !strcmp(bl_config_string(c, "sgd.flavour"),
                                    "nesterov")}};
}

/* ---- samplers and loader ------------------------------------------------- */

/** Makes the sampler that a key names, if it names one. */
static bl_status open_sampler(bl_trainer *t, bl_sampler **out, uint32_t stream,
                              const char *key)
{
    const bl_split *const train = t->data->train;
    const char *const name = bl_config_string(t->stage->config, key);
    if (!*name) return BL_OK;
    const bl_status status =
        bl_sampler_create(out, bl_sampler_find(name), train->labels, train->n,
                          train->n_class, t->seed, stream);
    if (status == BL_OK)
        bl_sampler_span(*out, (uint32_t)t->stage->first,
                        (uint32_t)t->stage->epochs);
    return status;
}

static bl_status open_samplers(bl_trainer *t)
{
    const char *const second = t->form->branches ? "bbn.sampler"
                                                 : "mix.sampler";
    BL_TRY(open_sampler(t, &t->samplers[0], 0, "sampler"));
    BL_TRY(open_sampler(t, &t->later, 0, "sampler.later"));
    if (t->stage->parts < 2) return BL_OK;
    return open_sampler(t, &t->samplers[1], 1, second);
}

static int32_t mix_layer(const char *name)
{
    static const char *const names[] = {"input", "stage1", "stage2", "pool"};
    for (int32_t k = 0; k < BL_MIX_PLACES; k++)
        if (!strcmp(names[k], name)) return k;
    return BL_MIX_RANDOM;
}

static void read_mix(bl_trainer *t)
{
    const bl_config *const c = t->stage->config;
    const bl_split *const s = t->data->train;
    const double scale = (double)t->stage->epochs / 200;
    t->mix = (bl_mix_spec){
        .type = t->stage->mix, .alpha = bl_config_real(c, "mix.alpha"),
        .kappa = bl_config_real(c, "mix.kappa"),
        .tau = bl_config_real(c, "mix.tau"),
        .probability = bl_config_real(c, "mix.probability"),
        .layer = mix_layer(bl_config_string(c, "mix.layer")),
        .skip_first = llround(bl_config_real(c, "mix.skip-first") * scale),
        .skip_last = llround(bl_config_real(c, "mix.skip-last") * scale),
        .epochs = t->stage->epochs, .train_n = t->train_n,
        .n_class = s->n_class, .h = s->h, .w = s->w, .c = s->c,
        .seed = t->seed};
}

static bl_status open_loader(bl_trainer *t)
{
    const bl_config *const c = t->stage->config;
    const bool augment = strcmp(bl_config_string(c, "augment"), "none") != 0;
    const int32_t threads = (int32_t)bl_config_integer(c, "loader.threads");
    BL_TRY(open_samplers(t));
    read_mix(t);
    const bl_loader_spec spec = {
        .split = t->data->train, .samplers = t->samplers,
        .streams = t->stage->parts, .batch = t->batch, .steps = t->steps,
        .normalization = t->engine->spec.normalization,
        .pad = augment ? PAD : 0, .flip = augment,
        .autoaugment = bl_config_flag(c, "autoaugment"),
        .cutout = (int32_t)bl_config_integer(c, "cutout"), .seed = t->seed,
        .threads = threads,
        .ahead = threads + 2, /* each makes one, one is ready, one in use */
        .mix = strcmp(t->stage->mix->name, "none") ? &t->mix : NULL};
    return bl_loader_create(&t->loader, &spec);
}

/* ---- loss ---------------------------------------------------------------- */

static bl_status make_terms(bl_trainer *t)
{
    const bl_loss_setting with = {.config = t->stage->config,
                                  .n = t->train_n,
                                  .c = t->data->train->n_class,
                                  .cosine = t->form->cosine};
    BL_TRY(bl_loss_terms_make(&t->terms[0], &with, false));
    return bl_loss_terms_make(&t->terms[1], &with, true);
}

/** Room for the best weights, which a holdout chooses. */
static bl_status open_best(bl_trainer *t)
{
    const bl_params *const p = t->engine->params;
    if (!t->holdout) return BL_OK;
    BL_TRY(bl_calloc(&t->best_w, p->n_trained, sizeof *t->best_w));
    BL_TRY(bl_calloc(&t->spare, p->n_trained + p->n_buffered,
                     sizeof *t->spare));
    return bl_calloc(&t->best_buffers, p->n_buffered,
                     sizeof *t->best_buffers);
}

/* ---- stages -------------------------------------------------------------- */

int32_t bl_trainer_stage_of(const bl_trainer *t, int64_t e)
{
    int32_t k = t->n_stage - 1;
    while (k > 0 && e <= t->stages[k].first) k--;
    return k;
}

/** Leaves nothing open, and releases nothing either. */
static void forget(bl_trainer *t)
{
    for (int32_t i = 0; i < 2; i++) {
        t->samplers[i] = NULL;
        t->terms[i] = NULL;
    }
    t->loader = NULL;
    t->later = NULL;
    t->engine = NULL;
    t->best_w = t->best_buffers = t->spare = NULL;
    t->plan_text = (bl_text){0};
    t->loading = false;
    t->stage = NULL;
}

void bl_trainer_close_stage(bl_trainer *t)
{
    bl_loader_free(t->loader);
    for (int32_t i = 0; i < 2; i++) {
        bl_sampler_free(t->samplers[i]);
        bl_loss_terms_free(t->terms[i]);
    }
    bl_sampler_free(t->later);
    bl_engine_free(t->engine);
    bl_text_free(&t->plan_text);
    bl_free(t->best_w);
    bl_free(t->best_buffers);
    bl_free(t->spare);
    forget(t);
}

bl_status bl_trainer_check_stages(bl_trainer *t)
{
    bl_status status = BL_OK;
    for (int32_t k = 0; k < t->n_stage && status == BL_OK; k++) {
        t->stage = &t->stages[k];
        status = bl_stage_check_rate(t->stage);
        if (status == BL_OK) status = open_samplers(t);
        bl_trainer_close_stage(t);
    }
    return status;
}

bl_status bl_trainer_open_stage(bl_trainer *t, int32_t k)
{
    bl_trainer_close_stage(t);
    t->stage = &t->stages[k];
    read_update(t);
    BL_TRY(open_engine(t));
    BL_TRY(open_loader(t));
    BL_TRY(make_terms(t));
    return open_best(t);
}

/** A classifier of sigmoids starts by believing each class to be rare:
 *  b = -log(C - 1), so that p = 1 / C.  Source  Cui et al., CVPR 2019. */
static bl_status set_bias(bl_trainer *t)
{
    const int32_t C = t->data->train->n_class;
    const int32_t i = bl_engine_head_param(t->engine, "bias");
    float *bias = NULL; // [C]
    if (i < 0 || strcmp(bl_config_string(t->config, "head.bias"), "rare") != 0)
        return BL_OK;
    BL_TRY(bl_calloc(&bias, C, sizeof *bias));
    for (int32_t j = 0; j < C; j++)
        bias[j] = C > 2 ? (float)-log((double)C - 1) : 0;
    const bl_status status = bl_params_set(t->engine->params, i, bias);
    bl_free(bias);
    return status;
}

/** Fills the parameters of a stage just opened: what is new is drawn (the
 *  scales of classes, and the classifier where it is `redrawn`), the rest
 *  taken from tensors [n]. */
static bl_status fill(bl_trainer *t, const bl_named_tensor *tensors, int64_t n,
                      bool redrawn, const char *path)
{
    bl_params *const p = t->engine->params;
    const uint32_t turn = (uint32_t)(t->stage - t->stages);
    char prefix[BL_NAME_ROOM];
    (void)snprintf(prefix, sizeof prefix, "%s.%s",
                   bl_network_head(&t->engine->spec.network),
                   redrawn ? "" : "scale");
    BL_TRY(bl_params_draw(p, prefix, t->seed, turn));
    if (redrawn) BL_TRY(set_bias(t));
    return bl_params_adopt(p, tensors, n, prefix, path);
}

bl_status bl_trainer_adopt(bl_trainer *t, const bl_safetensors *file,
                           const char *path)
{
    int64_t n;
    const bl_named_tensor *const list = bl_safetensors_list(file, &n);
    return fill(t, list, n, false, path);
}

/** Fills the stage just opened with the parameters of the one before. */
static bl_status carry(bl_trainer *t, const bl_params *before)
{
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    BL_TRY(bl_params_export(before, false, &tensors, &n, &memory));
    const bl_status status =
        fill(t, tensors, n, t->stage->fresh_head, "first stage");
    bl_free(tensors);
    bl_free(memory);
    return status;
}

bl_status bl_trainer_enter_stage(bl_trainer *t, int32_t k)
{
    bl_trainer before = *t;
    forget(t);
    bl_status status = bl_trainer_open_stage(t, k);
    if (status == BL_OK) status = carry(t, before.engine->params);
    if (status == BL_OK) {
        bl_trainer_close_stage(&before);
        return BL_OK;
    }
    bl_trainer_close_stage(t);
    *t = before;
    return status;
}

/* ---- the first parameters ------------------------------------------------ */

static bl_status take_file(bl_trainer *t, const bl_safetensors *file,
                           const char *path)
{
    const bl_params *const p = t->engine->params;
    bl_weights w = {0};
    bl_status status =
        bl_weights_read(&w, file, path, &t->engine->spec.network,
                        bl_config_string(t->config, "init.branch"));
    if (status == BL_OK)
        status = bl_weights_check(&w, p->table, p->n, path);
    if (status == BL_OK)
        status = fill(t, w.list, w.n, t->stage->fresh_head, path);
    bl_weights_drop(&w);
    return status;
}

bl_status bl_trainer_init(bl_trainer *t)
{
    bl_safetensors *file;
    const char *const path = bl_config_string(t->config, "init.weights");
    if (!*path) {
        BL_TRY(bl_params_init(t->engine->params, t->seed));
        return set_bias(t);
    }
    BL_TRY(bl_safetensors_open(&file, path));
    const bl_status status = take_file(t, file, path);
    bl_safetensors_free(file);
    return status;
}
