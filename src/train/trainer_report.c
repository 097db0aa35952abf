/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_report.c: what a caller may ask of a run.
 */
#include <math.h>

#include "core/error.h"
#include "core/mem.h"
#include "train/trainer.h"

/** Images of the split the evaluation at work goes through. */
static int64_t judged_total(const bl_trainer *t)
{
    return t->at.phase >= BL_PHASE_REWRITE ? t->data->test->n : t->judge->n;
}

/** Training steps and evaluations still to come, at the recent speed. */
static double seconds_left(const bl_trainer *t)
{
    const bl_counters *const at = &t->at;
    if (at->phase == BL_PHASE_DONE || t->rate <= 0) return 0;
    const double epochs = (double)(t->epochs - at->epoch);
    const double steps = at->phase == BL_PHASE_TRAIN
                             ? (double)(t->steps - at->step) : 0;
    const double samples =
        (epochs * (double)t->steps + steps) * (double)t->batch;
    return samples / t->rate + (epochs + 1) * t->eval_seconds;
}

void bl_trainer_progress(const bl_trainer *trainer, bl_progress *out)
{
    const bl_counters *const at = &trainer->at;
    const bool training = at->phase == BL_PHASE_TRAIN;
    *out = (bl_progress){
        .epoch = at->epoch, .epochs = trainer->epochs,
        .step = training ? at->step : trainer->judged_n,
        .steps = training ? trainer->steps : judged_total(trainer),
        .evaluating = !training,
        .samples_per_second = trainer->rate,
        .seconds_left = seconds_left(trainer),
        .last = {.epoch = at->last_epoch, .lr = at->last_lr,
                 .alpha = at->last_alpha, .train_loss = at->last_loss,
                 .train_error = at->last_train_error,
                 .test_error = at->last_test_error,
                 .balanced_error = at->last_balanced_error,
                 .seconds = at->last_seconds,
                 .samples_per_second = at->last_rate}};
}

/** NaN where there is none yet, or never will be: a rewritten classifier is
 *  that of no epoch. */
static double best_error(const bl_trainer *t)
{
    if (bl_trainer_rewrites(t)) return (double)NAN;
    if (t->holdout) return t->test_error_best;
    return t->at.best_epoch == 0 ? (double)NAN /* a stage begins anew */
                                 : t->at.best_error;
}

void bl_trainer_result(const bl_trainer *trainer, bl_result *out)
{
    const bl_counters *const at = &trainer->at;
    const bl_engine *const e = trainer->engine;
    bl_network_facts facts = {0};
    const bl_status measured = bl_network_measure(&facts, &e->spec.network);
    const bool none = at->last_epoch == 0;
    *out = (bl_result){
        .test_error_last = none ? (double)NAN : at->last_test_error,
        .test_error_best = best_error(trainer),
        .best_epoch = at->best_epoch,
        .seconds = at->seconds,
        .samples_per_second =
            at->train_seconds > 0 ? at->train_samples / at->train_seconds : 0,
        .last = trainer->last,
        .parameters = e->params->n_trained,
        .train_gflop = measured == BL_OK ? facts.train_gflop : (double)NAN,
        .posthoc_tau = at->posthoc_tau,
        .backend = e->backend->name,
        .precision = bl_engine_precision(e)};
}

/** The fraction asked for, or what a caller's own split comes to. */
static double holdout_fraction(const bl_trainer *t)
{
    const double asked = bl_config_real(t->config, "holdout");
    if (!t->holdout || asked > 0) return t->holdout ? asked : 0;
    return (double)t->judge->n / (double)(t->judge->n + t->data->train->n);
}

static bl_status write_result(bl_trainer *t, const double *norms,
                              const double *compactness)
{
    bl_result result;
    bl_trainer_result(t, &result);
    const bl_result_facts facts = {
        .method = t->method->name,
        .model = t->engine->spec.network.model->name,
        .data = t->data->name,
        .imbalance = bl_config_real(t->config, "imbalance"),
        .holdout = holdout_fraction(t),
        .seed = bl_config_integer(t->config, "seed"),
        .epochs = t->epochs,
        .class_names = (const char *const *)t->data->class_names,
        .weight_norms = norms, .compactness = compactness};
    return bl_run_result(t->run, &result, &facts);
}

bl_status bl_trainer_finish(bl_trainer *t)
{
    bl_status status;
    const bl_split *const test = t->data->test;
    double *norms = NULL;       // [BL_ROW_PARTS][C]
    double *compactness = NULL; // [C]
    if (!t->run || t->has_result) return BL_OK;
    BL_CHECK(bl_calloc(&norms, test->n_class,
                       BL_ROW_PARTS * sizeof *norms));
    BL_CHECK(bl_calloc(&compactness, test->n_class, sizeof *compactness));
    BL_CHECK(bl_engine_norms(t->engine, norms));
    BL_CHECK(bl_compactness(compactness, t->f, test->labels, test->n,
                            bl_engine_width(t->engine), test->n_class));
    status = write_result(t, norms, compactness);
done:
    bl_free(compactness);
    bl_free(norms);
    return status;
}

bl_status bl_trainer_save(const bl_trainer *trainer, const char *path)
{
    return bl_trainer_write_weights(trainer, path);
}

bl_status bl_trainer_logits(bl_trainer *trainer, const bl_split *split,
                            float *z)
{
    const bl_network_spec *const net = &trainer->engine->spec.network;
    if (split->h != net->h || split->w != net->w || split->c != net->c)
        return BL_RAISE(BL_EINVAL, "images are %dx%dx%d, the network takes "
                        "%dx%dx%d", split->h, split->w, split->c, net->h,
                        net->w, net->c);
    return bl_engine_infer(trainer->engine, split->pixels, split->n, z, NULL);
}

const char *bl_trainer_plan(const bl_trainer *trainer)
{
    return trainer->plan_text.text;
}
