/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_step.c: what one call of bl_trainer_step does.
 *
 * Order of writing when an epoch closes: weights, the line of metrics, the
 * checkpoint, then best weights.  A run killed before the checkpoint resumes
 * from the one before, which knows nothing of the later files; they are
 * written again with the same contents.  Best weights stand behind it, for
 * those they replace are the only ones of their epoch: on another machine the
 * epoch may come out worse when it is done again.  Killed before they are
 * written, the run takes them from the checkpoint.  A write that fails leaves
 * the counters as they were: the next call evaluates once more and closes the
 * epoch again.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ballast/rng.h"
#include "core/clock.h"
#include "core/error.h"
#include "train/trainer.h"

/* ---- training ----------------------------------------------------------- */

static double alpha_at(const bl_trainer *t)
{
    const bl_counters *const at = &t->at;
    const bl_adaptor_type *const adaptor = t->stage->adaptor;
    if (!adaptor) return (double)NAN;
    if (adaptor->each_step) {
        bl_rng rng = bl_rng_at(t->seed, BL_PURPOSE_MIX, (uint32_t)at->epoch,
                               (uint64_t)at->step);
        return bl_rng_beta(&rng, 0.2, 0.2);
    }
    const double x = (double)(at->epoch - 1) / (double)t->epochs;
    return adaptor->alpha(x, at->epoch, t->epochs);
}

double bl_trainer_rate(const bl_trainer *t)
{
    return bl_stage_rate(t->stage, t->at.epoch);
}

/** Scalars of a step: BBN's l and 1 - l weigh the labels, 2 l and 2 (1 - l)
 *  the features; mixed images bring the weights of their labels along. */
static void fill_scalars(double *scalars, const bl_trainer *t, double lr,
                         double alpha, double mix)
{
    const double l = isnan(alpha) ? 1 : alpha;
    for (int32_t i = 0; i < BL_PLAN_SCALARS; i++) scalars[i] = 0;
    scalars[BL_SLOT_LR] = lr;
    scalars[BL_SLOT_RATE2] =
        t->stage->second
            ? lr * bl_config_real(t->config, "stage2.head-rate") : lr;
    scalars[BL_SLOT_LAMBDA] = l;
    scalars[BL_SLOT_LAMBDA + 1] = 1 - l;
    scalars[BL_SLOT_MIX] = mix;
    scalars[BL_SLOT_ONE] = 1;
    scalars[BL_SLOT_SCALE] = 2 * l;
    scalars[BL_SLOT_SCALE + 1] = 2 * (1 - l);
}

static bl_status diverged(const bl_trainer *t, double loss, double lr)
{
    return BL_RAISE(BL_ENUMERIC, "epoch %" PRId64 ", step %" PRId64 ": the "
                    "loss is %g at learning rate %g; a lower --lr may help%s",
                    t->at.epoch, t->at.step + 1, loss, lr,
                    bl_trainer_kept(t));
}

/** What a step came to; first: share of the first label. */
static void add_up(bl_trainer *t, int64_t images, double loss,
                   const double *wrong, double first, double alpha,
                   double seconds)
{
    bl_counters *const at = &t->at;
    const double n = (double)images;
    at->loss_sum += n * loss;
    at->wrong_sum += first * wrong[0] + (1 - first) * wrong[1];
    at->alpha_sum += n * alpha;
    at->samples += n;
    at->step++;
    at->epoch_seconds += seconds;
    at->epoch_train_seconds += seconds;
    at->seconds += seconds;
    at->train_seconds += seconds;
    at->train_samples += n;
    const double now = n / seconds;
    t->rate = t->rate > 0 ? 0.9 * t->rate + 0.1 * now : now;
}

/** Sets sampler and class weights of the epoch, and lets images be made. */
static bl_status begin_epoch(bl_trainer *t)
{
    const bl_stage *const stage = t->stage;
    const int64_t e = t->at.epoch;
    const bool late = t->later && e > stage->sampler_from;
    bl_sampler *const samplers[] = {late ? t->later : t->samplers[0],
                                    t->samplers[1]};
    BL_TRY(bl_engine_terms(t->engine, t->terms[e > stage->weights_from]));
    bl_loader_samplers(t->loader, samplers);
    BL_TRY(bl_loader_begin(t->loader, e, t->at.step));
    t->loading = true;
    return BL_OK;
}

bl_status bl_trainer_learn(bl_trainer *t, const bl_batch *batch, double start)
{
    const double alpha = alpha_at(t), lr = bl_trainer_rate(t);
    const double mix = batch->lambda ? batch->mix : 1;
    double scalars[BL_PLAN_SCALARS], wrong[4] = {0}, loss;
    fill_scalars(scalars, t, lr, alpha, mix);
    const bl_feed feed = {.n = batch->n, .x = batch->x, .y = batch->y,
                          .lambda = batch->lambda, .perm = batch->perm,
                          .location = batch->location, .scalars = scalars};
    BL_TRY(bl_engine_step(t->engine, &feed, &t->update, &loss, wrong));
    if (!isfinite(loss)) return diverged(t, loss, lr);
    add_up(t, batch->n, loss, wrong, isnan(alpha) ? mix : alpha, alpha,
           bl_clock() - start);
    return BL_OK;
}

bl_status bl_trainer_begin(bl_trainer *t)
{
    const int32_t stage = bl_trainer_stage_of(t, t->at.epoch);
    if (t->stage != &t->stages[stage]) BL_TRY(bl_trainer_enter_stage(t, stage));
    return t->loading ? BL_OK : begin_epoch(t);
}

static bl_status train_step(bl_trainer *t)
{
    bl_batch batch;
    BL_TRY(bl_trainer_begin(t));
    const double start = bl_clock();
    bl_status status = bl_loader_next(t->loader, &batch);
    if (status == BL_OK) status = bl_trainer_learn(t, &batch, start);
    if (status == BL_OK && t->at.step == t->steps) t->at.phase = BL_PHASE_EVAL;
    /* A step that failed has taken its batch: the loader begins again there. */
    t->loading = status == BL_OK && t->at.phase == BL_PHASE_TRAIN;
    return status;
}

/** Writes a checkpoint inside a long epoch when it is due. */
static bl_status checkpoint_if_due(bl_trainer *t)
{
    const double minutes = bl_config_real(t->config, "checkpoint.minutes");
    if (!t->run || minutes <= 0) return BL_OK;
    if (bl_clock() - t->checkpoint_at < 60 * minutes) return BL_OK;
    return bl_trainer_checkpoint(t);
}

/* ---- evaluation --------------------------------------------------------- */

/** Where the features of the next image go; NULL: nobody asks for them. */
static float *features_at(const bl_trainer *t, const bl_split *split)
{
    const bool last = split == t->data->test && t->at.epoch == t->epochs;
    if (!t->f || !last) return NULL;
    return t->f + t->judged_n * bl_engine_width(t->engine);
}

/** Evaluates the next batch of the split at work; *done when it is the last. */
static bl_status judge_step(bl_trainer *t, const bl_split *split, bool *done)
{
    const double start = bl_clock();
    if (t->judged != split) {
        t->judged = split;
        t->judged_n = 0;
        t->eval_seconds = 0;
    }
    const int64_t batch = t->engine->spec.infer_batch;
    const int64_t left = split->n - t->judged_n;
    const int64_t n = left < batch ? left : batch;
    const int64_t size = (int64_t)split->h * split->w * split->c;
    BL_TRY(bl_engine_infer(t->engine, split->pixels + t->judged_n * size, n,
                           t->z + t->judged_n * split->n_class,
                           features_at(t, split)));
    t->judged_n += n;
    *done = t->judged_n == split->n;
    const double seconds = bl_clock() - start;
    t->eval_seconds += seconds;
    t->at.epoch_seconds += seconds;
    t->at.seconds += seconds;
    return BL_OK;
}

bl_status bl_trainer_evaluate(bl_evaluation **out, const bl_trainer *t,
                              const bl_split *split)
{
    const bl_shot_limits shots = bl_train_shots(t->config);
    BL_TRY(bl_evaluate(out, t->z, split->labels, split->n, t->train_n,
                       split->n_class, &shots));
    if (t->form->cosine) bl_evaluation_forget_calibration(*out);
    return BL_OK;
}

/** Turns the logits of the split at work into t->last. */
static bl_status conclude(bl_trainer *t)
{
    bl_evaluation *evaluation;
    const bl_status status = bl_trainer_evaluate(&evaluation, t, t->judged);
    t->judged = NULL;
    if (status == BL_ENUMERIC)
        return bl_error_prefix("epoch %" PRId64 ", step %" PRId64 ", learning "
                               "rate %g", t->at.epoch, t->at.step,
                               bl_trainer_rate(t));
    BL_TRY(status);
    bl_evaluation_free(t->last);
    t->last = evaluation;
    return BL_OK;
}

static bl_status eval_step(bl_trainer *t)
{
    bool done;
    if (!t->judged) BL_TRY(bl_trainer_check_finite(t));
    BL_TRY(judge_step(t, t->judge, &done));
    if (!done) return BL_OK;
    BL_TRY(conclude(t));
    return bl_trainer_close_epoch(t);
}

/* ---- the end ------------------------------------------------------------ */

/** Exchanges the parameters with the kept best ones. */
static bl_status swap_best(bl_trainer *t)
{
    return bl_params_swap(t->engine->params, t->best_w, t->best_buffers,
                          t->spare);
}

/** Evaluates the next batch of the test split with the kept best weights;
 *  between two calls the present ones are always in their place. */
static bl_status judge_best_step(bl_trainer *t, bool *done)
{
    BL_TRY(swap_best(t));
    const bl_status status = judge_step(t, t->data->test, done);
    BL_TRY(swap_best(t));
    return status;
}

static bl_status rewrite_step(bl_trainer *t)
{
    const double start = bl_clock();
    BL_TRY(bl_trainer_rewrite(t));
    t->at.phase = BL_PHASE_FINAL;
    t->at.seconds += bl_clock() - start;
    return BL_OK;
}

/** Weights that were rewritten take the place of those of the last epoch. */
static bl_status finish(bl_trainer *t)
{
    if (t->run && bl_trainer_rewrites(t))
        BL_TRY(bl_trainer_write_weights(t, bl_run_path(t->run,
                                                       "last.safetensors")));
    return bl_trainer_finish(t);
}

/** The test split meets the weights a holdout has chosen, then the last. */
static bl_status final_step(bl_trainer *t)
{
    const bool best = t->holdout && !bl_trainer_rewrites(t) &&
                      isnan(t->test_error_best);
    bool done;
    BL_TRY(best ? judge_best_step(t, &done)
                : judge_step(t, t->data->test, &done));
    if (!done) return BL_OK;
    BL_TRY(conclude(t));
    if (best) {
        t->test_error_best = t->last->error;
        return BL_OK;
    }
    const bl_counters before = t->at;
    t->at.last_test_error = t->last->error;
    t->at.phase = BL_PHASE_DONE;
    const bl_status status = finish(t);
    if (status < 0) t->at = before;
    return status;
}

bl_status bl_trainer_step(bl_trainer *trainer)
{
    switch ((bl_phase)trainer->at.phase) {
    case BL_PHASE_TRAIN:
        BL_TRY(train_step(trainer));
        return checkpoint_if_due(trainer);
    case BL_PHASE_EVAL: return eval_step(trainer);
    case BL_PHASE_REWRITE: return rewrite_step(trainer);
    case BL_PHASE_FINAL: return final_step(trainer);
    case BL_PHASE_DONE: break;
    }
    return BL_END;
}
