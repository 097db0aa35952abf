/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer.c: builds a run from its configuration, and releases it.
 */
#include "train/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"

bl_status bl_trainer_check_batch(const bl_config *config, int64_t n)
{
    const int64_t wanted = bl_config_integer(config, "batch");
    if (!bl_config_flag(config, "drop-last") || n >= wanted) return BL_OK;
    return BL_RAISE(BL_EINVAL, "batch: %" PRId64 " is more than the %" PRId64
                    " training images; lower --batch", wanted, n);
}

/** Cuts an epoch into steps; the last may be smaller, or dropped. */
static bl_status cut_steps(bl_trainer *t)
{
    const int64_t n = t->data->train->n;
    const int64_t wanted = bl_config_integer(t->config, "batch");
    const bool drop = bl_config_flag(t->config, "drop-last");
    BL_TRY(bl_trainer_check_batch(t->config, n));
    t->batch = n < wanted ? n : wanted;
    t->steps = drop ? n / t->batch : (n + t->batch - 1) / t->batch;
    t->last_batch = drop ? t->batch : n - (t->steps - 1) * t->batch;
    return BL_OK;
}

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

/** The test split must not choose a tau, even where there is no other. */
static bl_status check_choice(const bl_trainer *t)
{
    const char *const how = bl_config_string(t->config, "posthoc");
    if (t->holdout || !bl_trainer_rewrites(t) || !strcmp(how, "ncm") ||
        bl_config_real(t->config, "posthoc.tau") >= 0)
        return BL_OK;
    return BL_RAISE(BL_EINVAL, "posthoc.tau: it is chosen on images held out, "
                    "and there are none; give a validation split, or a tau");
}

static bl_status open_buffers(bl_trainer *t)
{
    const int32_t C = t->data->train->n_class;
    const int64_t most = t->judge->n > t->data->test->n ? t->judge->n
                                                        : t->data->test->n;
    size_t count;
    BL_TRY(bl_size_mul(&count, most, (size_t)C));
    BL_TRY(bl_calloc(&t->z, (int64_t)count, sizeof *t->z));
    BL_TRY(bl_calloc(&t->train_n, C, sizeof *t->train_n));
    bl_split_counts(t->data->train, t->train_n);
    return BL_OK;
}

/** Features are measured for result.json, behind the last epoch; room that is
 *  not there is better missed before the first. */
static bl_status open_features(bl_trainer *t)
{
    size_t count;
    BL_TRY(bl_size_mul(&count, t->data->test->n,
                       (size_t)bl_engine_width(t->engine)));
    return bl_calloc(&t->f, (int64_t)count, sizeof *t->f);
}

static bl_status read_stages(bl_trainer *t)
{
    const bl_stage *last;
    BL_TRY(bl_stages_read(t->stages, &t->n_stage, t->config, t->form));
    last = &t->stages[t->n_stage - 1];
    t->epochs = last->first + last->epochs;
    return BL_OK;
}

/** Somebody who sets a key expects it to do something. */
static void warn_of_idle_keys(const bl_trainer *t)
{
    for (const bl_param *p = bl_train_params(); p->name; p++)
        if (bl_config_origin(t->config, p->name) == BL_ORIGIN_OPTION &&
            bl_train_use(t->config, p->name) == BL_KEY_IDLE)
            bl_log_say(&t->log, BL_LOG_WARNING, "%s changes nothing here: "
                       "method %s does not read it", p->name,
                       t->method->name);
}

static bool mixes_nothing(const bl_stage *stage)
{
    const bl_config *const c = stage->config;
    const double scale = (double)stage->epochs / 200;
    const int64_t skipped =
        llround(bl_config_real(c, "mix.skip-first") * scale) +
        llround(bl_config_real(c, "mix.skip-last") * scale);
    return strcmp(stage->mix->name, "none") != 0 &&
           (skipped >= stage->epochs || bl_config_real(c, "mix.alpha") <= 0 ||
            bl_config_real(c, "mix.probability") <= 0);
}

/** A run that is short may end before what it is named for begins. */
static void warn_of_what_never_comes(const bl_trainer *t)
{
    const bl_stage *const first = &t->stages[0];
    const bl_config *const c = first->config;
    const int64_t last = first->first + first->epochs;
    const bool weighted = strcmp(bl_config_string(c, "weights"), "none") != 0;
    const bool later = *bl_config_string(c, "sampler.later") != '\0';
    if (weighted && first->weights_from >= last)
        bl_log_say(&t->log, BL_LOG_WARNING, "weights.from is behind the last "
                   "epoch here: class weights never hold");
    if (later && first->sampler_from >= last)
        bl_log_say(&t->log, BL_LOG_WARNING, "sampler.from is behind the last "
                   "epoch here: sampler.later never draws");
    if (mixes_nothing(first))
        bl_log_say(&t->log, BL_LOG_WARNING, "mix.alpha, mix.probability or "
                   "the epochs skipped leave no batch to mix");
}

static bl_status build(bl_trainer *t, const bl_config *config,
                       const bl_trainer_options *options)
{
    BL_TRY(bl_config_clone(&t->config, config));
    BL_TRY(bl_train_settle(t->config));
    BL_TRY(bl_identity_hash(t->identity, t->config, NULL, NULL));
    if (options) t->log = options->log;
    t->holdout = options && options->validation;
    t->judge = t->holdout ? options->validation : t->data->test;
    BL_TRY(check_data(t->data, t->judge));
    BL_TRY(check_data(t->data, t->data->test));
    BL_TRY(check_choice(t));
    t->method = bl_method_find(bl_config_string(t->config, "method"));
    t->form = bl_form_find(t->method->form);
    t->seed = (uint64_t)bl_config_integer(t->config, "seed");
    warn_of_idle_keys(t);
    BL_TRY(read_stages(t));
    warn_of_what_never_comes(t);
    BL_TRY(cut_steps(t));
    BL_TRY(open_buffers(t));
    BL_TRY(bl_trainer_check_stages(t));
    BL_TRY(bl_trainer_open_stage(t, 0));
    if (options && options->run_dir) BL_TRY(open_features(t));
    t->at = (bl_counters){.epoch = 1, .best_error = 2,
                          .last_alpha = (double)NAN,
                          .posthoc_tau = (double)NAN};
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

bl_status bl_trainer_create(bl_trainer **out, const bl_config *config,
                            const bl_dataset *data,
                            const bl_trainer_options *options)
{
    bl_status status;
    bl_trainer *t = NULL;
    BL_TRY(bl_trainer_build(&t, config, data, options));
    if (options && options->repeats)
        BL_CHECK(bl_trainer_compare(t, options->repeats));
    BL_CHECK(bl_trainer_init(t));
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
    bl_trainer_close_stage(trainer);
    for (int32_t i = 0; i < BL_STAGES; i++) bl_stage_free(&trainer->stages[i]);
    bl_run_free(trainer->run);
    bl_evaluation_free(trainer->last);
    bl_config_free(trainer->config);
    bl_free(trainer->train_n);
    bl_free(trainer->f);
    bl_free(trainer->z);
    bl_free(trainer);
}
