/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer.c: builds a run from its configuration, and releases it.
 */
#include "train/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"

enum { AHEAD = 3, PAD = 4 };

/* ---- rows --------------------------------------------------------------- */

static const bl_schedule_type *find_schedule(const char *name)
{
    const bl_schedule_type *const *const all = bl_schedule_types();
    for (int32_t i = 0; all[i]; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

static const bl_adaptor_type *find_adaptor(const char *name)
{
    const bl_adaptor_type *const *const all = bl_adaptor_types();
    for (int32_t i = 0; all[i]; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

/** Reads the rows and numbers the configuration names (settled before). */
static void read_config(bl_trainer *t, const bl_form_type *form)
{
    const bl_config *const c = t->config;
    t->method = bl_method_find(bl_config_string(c, "method"));
    t->schedule = find_schedule(bl_config_string(c, "schedule"));
    if (form->branches)
        t->adaptor = find_adaptor(bl_config_string(c, "bbn.adaptor"));
    t->seed = (uint64_t)bl_config_integer(c, "seed");
    t->epochs = bl_config_integer(c, "epochs");
    t->sgd.momentum = bl_config_real(c, "sgd.momentum");
    t->sgd.weight_decay = bl_config_real(c, "sgd.weight-decay");
    t->sgd.nesterov =
        !strcmp(bl_config_string(c, "sgd.flavour"), "nesterov");
}

/** Cuts an epoch into steps; the last may be smaller, or dropped. */
static bl_status cut_steps(bl_trainer *t, int64_t *last_batch)
{
    const int64_t n = t->data->train->n;
    const int64_t wanted = bl_config_integer(t->config, "batch");
    const bool drop = bl_config_flag(t->config, "drop-last");
    if (drop && n < wanted)
        return BL_RAISE(BL_EINVAL, "batch: %" PRId64 " is more than the %"
                        PRId64 " training images; lower --batch", wanted, n);
    t->batch = n < wanted ? n : wanted;
    t->steps = drop ? n / t->batch : (n + t->batch - 1) / t->batch;
    *last_batch = drop ? t->batch : n - (t->steps - 1) * t->batch;
    return BL_OK;
}

/* ---- parts -------------------------------------------------------------- */

static bl_status check_data(const bl_dataset *data, const bl_split *judge)
{
    const bl_split *const a = data->train, *const b = judge;
    if (a->h == b->h && a->w == b->w && a->c == b->c &&
        a->n_class == b->n_class)
        return BL_OK;
    return BL_RAISE(BL_EINVAL, "%s: training images are %dx%dx%d in %d "
                    "classes, test images %dx%dx%d in %d", data->name, a->h,
                    a->w, a->c, a->n_class, b->h, b->w, b->c, b->n_class);
}

static void choose_normalization(bl_normalization *out, const bl_trainer *t)
{
    *out = t->data->published;
    if (!strcmp(bl_config_string(t->config, "normalize"), "measured") ||
        out->c != t->data->train->c)
        bl_split_measure(t->data->train, out);
}

static bl_status open_engine(bl_trainer *t, int64_t last_batch)
{
    const bl_split *const train = t->data->train;
    const bl_config *const c = t->config;
    bl_engine_spec spec = {
        .network = {.model = bl_model_find(bl_config_string(c, "model")),
                    .form = t->method->form, .h = train->h, .w = train->w,
                    .c = train->c, .n_class = train->n_class},
        .compute = {.backend = bl_config_string(c, "backend"),
                    .precision = bl_config_string(c, "precision"),
                    .threads = (int32_t)bl_config_integer(c, "threads")},
        .batch = t->batch, .last_batch = last_batch};
    spec.infer_batch = bl_engine_infer_batch(&spec.network, t->judge->n);
    choose_normalization(&spec.normalization, t);
    BL_TRY(bl_engine_open(&t->engine, &spec));
    t->sgd.n = t->engine->params->n_trained;
    t->sgd.real = t->engine->params->real;
    bl_plan_describe(t->engine->train, &t->plan_text);
    return t->plan_text.status;
}

static bl_status open_sampler(bl_trainer *t, int32_t stream, const char *key)
{
    const bl_split *const train = t->data->train;
    return bl_sampler_create(
        &t->samplers[stream],
        bl_sampler_find(bl_config_string(t->config, key)), train->labels,
        train->n, train->n_class, t->seed, (uint32_t)stream);
}

static bl_status open_loader(bl_trainer *t)
{
    const bl_config *const c = t->config;
    const bool augment = strcmp(bl_config_string(c, "augment"), "none") != 0;
    BL_TRY(open_sampler(t, 0, "sampler"));
    if (t->engine->form->streams > 1) BL_TRY(open_sampler(t, 1, "bbn.sampler"));
    const bl_loader_spec spec = {
        .split = t->data->train, .samplers = t->samplers,
        .streams = t->engine->form->streams, .batch = t->batch,
        .steps = t->steps, .normalization = t->engine->spec.normalization,
        .pad = augment ? PAD : 0, .flip = augment, .seed = t->seed,
        .threads = (int32_t)bl_config_integer(c, "loader.threads"),
        .ahead = AHEAD};
    return bl_loader_create(&t->loader, &spec);
}

static bl_status open_buffers(bl_trainer *t)
{
    const bl_params *const p = t->engine->params;
    const int32_t C = t->data->train->n_class;
    const int64_t most = t->judge->n > t->data->test->n ? t->judge->n
                                                        : t->data->test->n;
    size_t count;
    BL_TRY(bl_size_mul(&count, most, (size_t)C));
    BL_TRY(bl_calloc(&t->z, (int64_t)count, sizeof *t->z));
    BL_TRY(bl_calloc(&t->train_n, C, sizeof *t->train_n));
    bl_split_counts(t->data->train, t->train_n);
    if (!t->holdout) return BL_OK;
    BL_TRY(bl_calloc(&t->best_w, p->n_trained, sizeof *t->best_w));
    BL_TRY(bl_calloc(&t->spare, p->n_trained + p->n_buffered,
                     sizeof *t->spare));
    return bl_calloc(&t->best_buffers, p->n_buffered,
                     sizeof *t->best_buffers);
}

static bl_status build(bl_trainer *t, const bl_config *config,
                       const bl_trainer_options *options)
{
    int64_t last_batch = 0;
    BL_TRY(bl_config_clone(&t->config, config));
    BL_TRY(bl_train_settle(t->config));
    if (options) t->log = options->log;
    t->holdout = options && options->validation;
    t->judge = t->holdout ? options->validation : t->data->test;
    BL_TRY(check_data(t->data, t->judge));
    BL_TRY(check_data(t->data, t->data->test));
    const bl_method_type *const method =
        bl_method_find(bl_config_string(t->config, "method"));
    read_config(t, bl_form_find(method->form));
    BL_TRY(cut_steps(t, &last_batch));
    BL_TRY(open_engine(t, last_batch));
    BL_TRY(open_loader(t));
    BL_TRY(open_buffers(t));
    t->at = (bl_counters){.epoch = 1, .best_error = 2,
                          .last_alpha = (double)NAN};
    t->test_error_best = (double)NAN;
    t->checkpoint_at = bl_clock();
    bl_log_say(&t->log, BL_LOG_DEBUG, "%s in %s: %s", t->engine->backend->name,
               bl_engine_precision(t->engine),
               t->engine->backend->describe(t->engine->dev));
    return BL_OK;
}

bl_status bl_trainer_build(bl_trainer **out, const bl_config *config,
                           const bl_dataset *data,
                           const bl_trainer_options *options)
{
    bl_trainer *t;
    BL_TRY(bl_calloc(&t, 1, sizeof *t));
    t->data = data;
    const bl_status status = build(t, config, options);
    if (status < 0) {
        bl_trainer_free(t);
        return status;
    }
    *out = t;
    return BL_OK;
}

/* ---- create and free ---------------------------------------------------- */

void bl_trainer_facts(const bl_trainer *t, char hex[BL_FINGERPRINT_ROOM],
                      bl_run_facts *facts)
{
    const bl_backend *const b = t->engine->backend;
    const bl_split *const splits[] = {t->data->train, t->data->test, t->judge};
    for (size_t i = 0; i < (t->holdout ? 3 : 2); i++)
        (void)snprintf(hex + 16 * i, 17, "%016" PRIx64,
                       bl_split_fingerprint(splits[i]));
    *facts = (bl_run_facts){
        .data_fingerprint = hex, .backend = b->name,
        .precision = bl_engine_precision(t->engine),
        .device = b->describe(t->engine->dev)};
}

bl_status bl_trainer_create(bl_trainer **out, const bl_config *config,
                            const bl_dataset *data,
                            const bl_trainer_options *options)
{
    bl_status status;
    bl_trainer *t = NULL;
    BL_TRY(bl_trainer_build(&t, config, data, options));
    BL_CHECK(bl_params_init(t->engine->params, t->seed));
    if (options && options->run_dir) {
        char hex[BL_FINGERPRINT_ROOM];
        bl_run_facts facts;
        bl_trainer_facts(t, hex, &facts);
        BL_CHECK(bl_run_create(&t->run, options->run_dir, options->overwrite,
                               t->config, &facts));
    }
    *out = t;
    return BL_OK;
done:
    bl_trainer_free(t);
    return status;
}

void bl_trainer_free(bl_trainer *trainer)
{
    if (!trainer) return;
    bl_loader_free(trainer->loader);
    for (int32_t i = 0; i < 2; i++) bl_sampler_free(trainer->samplers[i]);
    bl_engine_free(trainer->engine);
    bl_run_free(trainer->run);
    bl_evaluation_free(trainer->last);
    bl_config_free(trainer->config);
    bl_text_free(&trainer->plan_text);
    bl_free(trainer->train_n);
    bl_free(trainer->z);
    bl_free(trainer->best_w);
    bl_free(trainer->best_buffers);
    bl_free(trainer->spare);
    bl_free(trainer);
}
