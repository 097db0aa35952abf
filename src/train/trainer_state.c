/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_state.c: a run as a file, and back.
 *
 * A checkpoint is a safetensors file: every parameter and batch-norm buffer,
 * "momentum.<name>" for every trained one, and the counters below as metadata.
 * Sample order, augmentation and BBN's random alpha are functions of (seed,
 * epoch, step), so nothing else is needed for a resumed run to end with the
 * same bits.
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "train/trainer.h"

/* ---- counters as metadata ----------------------------------------------- */

typedef struct counter_row {
    const char *key;
    size_t offset; /* in bl_counters */
    bool whole;    /* int64_t, else double */
} counter_row;

#define WHOLE(field) {"resume." #field, offsetof(bl_counters, field), true}
#define REAL(field) {"resume." #field, offsetof(bl_counters, field), false}

static const counter_row rows[] = {
    WHOLE(phase), WHOLE(epoch), WHOLE(step), REAL(loss_sum), REAL(wrong_sum),
    REAL(alpha_sum), REAL(samples), REAL(epoch_seconds),
    REAL(epoch_train_seconds), REAL(best_error), WHOLE(best_epoch),
    REAL(seconds), REAL(train_seconds), REAL(train_samples), REAL(last_lr),
    REAL(last_alpha), REAL(last_loss), REAL(last_train_error),
    REAL(last_test_error), REAL(last_seconds), REAL(last_rate),
    WHOLE(last_epoch), REAL(posthoc_tau)};

enum { ROWS = sizeof rows / sizeof *rows };

static void write_counter(char text[32], const bl_counters *at,
                          const counter_row *row)
{
    const char *const field = (const char *)at + row->offset;
    int64_t n;
    double x;
    if (row->whole) {
        memcpy(&n, field, sizeof n);
        (void)snprintf(text, 32, "%" PRId64, n);
        return;
    }
    memcpy(&x, field, sizeof x);
    if (isfinite(x))
        bl_real_format(text, x);
    else
        (void)snprintf(text, 32, "none");
}

static bl_status read_counter(bl_counters *at, const counter_row *row,
                              const char *text)
{
    char *const field = (char *)at + row->offset;
    long long n;
    double x = (double)NAN;
    if (!text)
        return BL_RAISE(BL_EFORMAT, "checkpoint: metadata %s is missing",
                        row->key);
    if (row->whole) {
        if (!bl_integer_parse(&n, text))
            return BL_RAISE(BL_EFORMAT, "checkpoint: metadata %s: %.20s is "
                            "not a number", row->key, text);
        const int64_t value = n;
        memcpy(field, &value, sizeof value);
        return BL_OK;
    }
    if (strcmp(text, "none") && !bl_real_parse(&x, text))
        return BL_RAISE(BL_EFORMAT, "checkpoint: metadata %s: %.20s is not a "
                        "number", row->key, text);
    memcpy(field, &x, sizeof x);
    return BL_OK;
}

/** Can a run of t be at this place?  A step that is done is not at work; the
 *  epoch at work is closed in the phases after the last one alone. */
static bool is_place(const bl_trainer *t, const bl_counters *at)
{
    const bool closed = at->phase >= BL_PHASE_REWRITE;
    const bool rewrites = bl_trainer_rewrites(t);
    if (at->epoch < 1 || at->epoch > t->epochs || at->step < 0) return false;
    if (at->last_epoch != (closed ? t->epochs : at->epoch - 1)) return false;
    if (closed && at->epoch != t->epochs) return false;
    if (at->phase == BL_PHASE_TRAIN) return at->step < t->steps;
    if (at->phase == BL_PHASE_REWRITE && !rewrites) return false;
    if (at->phase == BL_PHASE_FINAL && !t->holdout && !rewrites) return false;
    return at->phase > BL_PHASE_TRAIN && at->phase <= BL_PHASE_DONE &&
           at->step <= t->steps;
}

/** The stage whose parameters a checkpoint holds: a stage is opened by its
 *  first step. */
static int32_t stage_held(const bl_trainer *t, const bl_counters *at)
{
    const int32_t k = bl_trainer_stage_of(t, at->epoch);
    const bool before = at->phase == BL_PHASE_TRAIN && at->step == 0 &&
                        at->epoch == t->stages[k].first + 1;
    return before && k > 0 ? k - 1 : k;
}

static bl_status read_counters(bl_counters *at, const bl_safetensors *file)
{
    *at = (bl_counters){0};
    for (size_t i = 0; i < ROWS; i++)
        BL_TRY(read_counter(at, &rows[i],
                            bl_safetensors_meta(file, rows[i].key)));
    return BL_OK;
}

static bl_status check_place(const bl_trainer *t, const bl_counters *at)
{
    if (is_place(t, at)) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "checkpoint: phase %" PRId64 ", epoch %"
                    PRId64 ", step %" PRId64 " with epoch %" PRId64
                    " closed is not a place in a run of %" PRId64
                    " epochs of %" PRId64 " steps", at->phase, at->epoch,
                    at->step, at->last_epoch, t->epochs, t->steps);
}

/* ---- writing ------------------------------------------------------------ */

/** Multiplies the rows of the classifier by their scales, which then are
 *  left out: the file is of the plain network.  Gives what n has become. */
static int64_t fold_scale(bl_named_tensor *tensors, int64_t n)
{
    const bl_named_tensor *const scale = &tensors[n - 1]; // [C]
    const char *const dot = strrchr(scale->name, '.');
    if (!dot || strcmp(dot, ".scale") != 0) return n;
    const size_t head = (size_t)(dot - scale->name) + 1;
    const float *const s = scale->data;
    for (int64_t i = 0; i < n - 1; i++) {
        if (strncmp(tensors[i].name, scale->name, head) != 0) continue;
        const int64_t C = tensors[i].shape[0];
        const int64_t d = tensors[i].rank > 1 ? tensors[i].shape[1] : 1;
        float *const w = (float *)(uintptr_t)tensors[i].data; // our own copy
        for (int64_t k = 0; k < C * d; k++) w[k] *= s[k / d];
    }
    return n - 1;
}

bl_status bl_trainer_write_weights(const bl_trainer *t, const char *path)
{
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    bl_engine_text text;
    bl_metadata pairs[BL_ENGINE_METADATA];
    BL_TRY(bl_params_export(t->engine->params, false, &tensors, &n, &memory));
    const int64_t m = bl_engine_metadata(t->engine, &text, pairs);
    const bl_status status = bl_safetensors_write(
        path, NULL, tensors, fold_scale(tensors, n), pairs, m);
    bl_free(tensors);
    bl_free(memory);
    return status;
}

/** Numbers that are none must not take the place of a good checkpoint. */
static bl_status check_finite(const bl_trainer *t,
                              const bl_named_tensor *tensors, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float *const x = tensors[i].data;
        for (size_t k = 0; k < tensors[i].bytes / sizeof *x; k++)
            if (!isfinite(x[k]))
                return BL_RAISE(BL_ENUMERIC, "epoch %" PRId64 ", step %"
                                PRId64 ": %s holds %g at learning rate %g; "
                                "the last checkpoint stays", t->at.epoch,
                                t->at.step, tensors[i].name, (double)x[k],
                                bl_trainer_rate(t));
    }
    return BL_OK;
}

bl_status bl_trainer_checkpoint(bl_trainer *trainer)
{
    char text[ROWS][32];
    bl_metadata pairs[ROWS];
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    if (!trainer->run) return BL_OK;
    for (size_t i = 0; i < ROWS; i++) {
        write_counter(text[i], &trainer->at, &rows[i]);
        pairs[i] = (bl_metadata){rows[i].key, text[i]};
    }
    BL_TRY(bl_params_export(trainer->engine->params, true, &tensors, &n,
                            &memory));
    bl_status status = check_finite(trainer, tensors, n);
    if (status == BL_OK)
        status = bl_run_checkpoint(trainer->run, tensors, n, pairs, ROWS);
    bl_free(tensors);
    bl_free(memory);
    trainer->checkpoint_at = bl_clock();
    return status;
}

bl_status bl_trainer_keep_best(bl_trainer *t)
{
    const bl_params *const p = t->engine->params;
    if (!t->holdout) return BL_OK;
    BL_TRY(p->backend->download(p->dev, t->best_w, p->w,
                                (size_t)p->n_trained * sizeof *t->best_w));
    return p->backend->download(
        p->dev, t->best_buffers, p->buffers,
        (size_t)p->n_buffered * sizeof *t->best_buffers);
}

/** Moves the sums of the epoch at work into the fields of the last one. */
static void note_epoch(bl_trainer *t, double test_error)
{
    bl_counters *const at = &t->at;
    at->last_epoch = at->epoch;
    at->last_lr = bl_trainer_rate(t);
    at->last_alpha = t->stage->adaptor ? at->alpha_sum / at->samples
                                       : (double)NAN;
    at->last_loss = at->loss_sum / at->samples;
    at->last_train_error = at->wrong_sum / at->samples;
    at->last_test_error = test_error;
    at->last_seconds = at->epoch_seconds;
    at->last_rate = at->samples / at->epoch_train_seconds;
    at->loss_sum = at->wrong_sum = at->alpha_sum = at->samples = 0;
    at->epoch_seconds = at->epoch_train_seconds = 0;
}

/** Writes weights and metrics of the epoch just noted. */
static bl_status write_epoch(bl_trainer *t, bool best)
{
    bl_progress progress;
    if (!t->run) return BL_OK;
    BL_TRY(bl_trainer_write_weights(t, bl_run_path(t->run,
                                                   "last.safetensors")));
    if (best)
        BL_TRY(bl_trainer_write_weights(t, bl_run_path(t->run,
                                                       "best.safetensors")));
    bl_trainer_progress(t, &progress);
    if (t->close_failed) /* its line may have been written before */
        BL_TRY(bl_run_rewind(t->run, progress.last.epoch - 1));
    return bl_run_metrics(t->run, &progress.last);
}

/** Goes to the next epoch; the best one is looked for within a stage. */
static void begin_next(bl_trainer *t)
{
    bl_counters *const at = &t->at;
    const int32_t stage = bl_trainer_stage_of(t, at->epoch);
    at->epoch++;
    at->step = 0;
    if (bl_trainer_stage_of(t, at->epoch) == stage) return;
    at->best_error = 2;
    at->best_epoch = 0;
}

/** What the best epoch has least.  Images held out are as long-tailed as those
 *  trained on, so that their plain error would listen to the head alone. */
static double chosen_by(const bl_trainer *t)
{
    return t->holdout ? t->last->balanced_error : t->last->error;
}

static bl_status close_epoch(bl_trainer *t)
{
    bl_counters *const at = &t->at;
    const bool best = chosen_by(t) < at->best_error;
    const bool end = at->epoch == t->epochs;
    note_epoch(t, t->last->error);
    bl_log_say(&t->log, BL_LOG_DEBUG, "epoch %" PRId64 ": %.3f s waited for "
               "images since the start", at->last_epoch,
               bl_loader_waited(t->loader));
    if (best) {
        at->best_error = chosen_by(t);
        at->best_epoch = at->epoch;
        BL_TRY(bl_trainer_keep_best(t));
    }
    BL_TRY(write_epoch(t, best));
    at->phase = !end                     ? BL_PHASE_TRAIN
                : bl_trainer_rewrites(t) ? BL_PHASE_REWRITE
                : t->holdout             ? BL_PHASE_FINAL
                                         : BL_PHASE_DONE;
    if (!end) begin_next(t);
    BL_TRY(bl_trainer_checkpoint(t));
    return at->phase == BL_PHASE_DONE ? bl_trainer_finish(t) : BL_OK;
}

bl_status bl_trainer_close_epoch(bl_trainer *t)
{
    const bl_counters before = t->at;
    const bl_status status = close_epoch(t);
    if (status < 0) t->at = before;
    t->close_failed = status < 0;
    return status;
}

/* ---- resuming ----------------------------------------------------------- */

bl_status bl_run_config(bl_config **out, const char *run_dir)
{
    bl_status status;
    bl_config *config = NULL;
    char *path = NULL;
    BL_CHECK(bl_path_join(&path, run_dir, "run.yaml"));
    BL_CHECK(bl_train_config(&config));
    BL_CHECK(bl_config_read(config, path));
    if (bl_config_origin(config, "method") != BL_ORIGIN_FILE)
        BL_CHECK(BL_RAISE(BL_EFORMAT, "%s: names no method: not the record of "
                          "a run, or damaged", path));
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    bl_free(path);
    return status;
}

/** Another machine goes on with the run, but not bit for bit: say so. */
static void warn_of_changes(const bl_trainer *t, const bl_run_facts *noted,
                            const bl_run_facts *now)
{
    const char *const pairs[][2] = {{noted->backend, now->backend},
                                    {noted->precision, now->precision},
                                    {noted->device, now->device}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i][0], pairs[i][1]) != 0)
            bl_log_say(&t->log, BL_LOG_WARNING, "the run was begun on %s and "
                       "goes on on %s: results will not be the same bits",
                       pairs[i][0], pairs[i][1]);
}

/** Refuses other data; warns of anything else that has changed. */
static bl_status check_facts(const bl_trainer *t, const bl_run_facts *noted)
{
    char hex[BL_FINGERPRINT_ROOM];
    bl_run_facts now;
    bl_trainer_facts(t, hex, &now);
    if (strcmp(noted->data_fingerprint, hex) != 0)
        return BL_RAISE(BL_EINVAL, "%s: the run was trained on other images: "
                        "fingerprint %s found, %s noted", t->data->name, hex,
                        noted->data_fingerprint);
    warn_of_changes(t, noted, &now);
    return BL_OK;
}

/** With a holdout, the best weights so far come from their own file. */
static bl_status load_best(bl_trainer *t)
{
    bl_safetensors *file;
    if (!t->holdout || !t->at.best_epoch) return BL_OK;
    const char *const path = bl_run_path(t->run, "best.safetensors");
    BL_TRY(bl_safetensors_open(&file, path));
    bl_status status = bl_trainer_adopt(t, file, path);
    bl_safetensors_free(file);
    if (status == BL_OK) status = bl_trainer_keep_best(t);
    return status;
}

static bl_status load_params(bl_trainer *t, const bl_safetensors *file)
{
    return bl_params_import(t->engine->params, file,
                            bl_run_path(t->run, "resume.safetensors"), true);
}

/** Reads the newest good checkpoint, or starts anew where there is none. */
static bl_status load(bl_trainer *t)
{
    bl_counters at;
    bl_safetensors *file = NULL;
    bl_status status = bl_run_load(t->run, &file, &t->log);
    if (status == BL_END) {
        BL_TRY(bl_run_rewind(t->run, 0));
        return bl_trainer_init(t);
    }
    BL_CHECK(status);
    BL_CHECK(read_counters(&at, file));
    const int32_t stage = stage_held(t, &at);
    if (stage > 0) BL_CHECK(bl_trainer_open_stage(t, stage));
    BL_CHECK(load_params(t, file)); /* first: it knows another model */
    BL_CHECK(check_place(t, &at));
    t->at = at;
    t->has_result = t->at.phase >= BL_PHASE_REWRITE &&
                    bl_path_exists(bl_run_path(t->run, "result.json"));
    BL_CHECK(load_best(t));
    BL_CHECK(load_params(t, file)); /* again, over the best */
    BL_CHECK(bl_run_rewind(t->run, t->at.last_epoch));
done:
    bl_safetensors_free(file);
    return status;
}

/** A finished run has its evaluation made again, so that it can be shown; a
 *  result that is there stays, for this machine may be another. */
static bl_status evaluate_again(bl_trainer *t)
{
    const bl_split *const test = t->data->test;
    if (t->at.phase != BL_PHASE_DONE) return BL_OK;
    if (t->holdout) {
        t->at.phase = BL_PHASE_FINAL;
        return BL_OK;
    }
    BL_TRY(bl_trainer_logits(t, test, t->z));
    BL_TRY(bl_evaluate(&t->last, t->z, test->labels, test->n, t->train_n,
                       test->n_class, NULL));
    return bl_trainer_finish(t);
}

bl_status bl_trainer_resume(bl_trainer **out, const bl_dataset *data,
                            const bl_trainer_options *options)
{
    bl_status status;
    bl_config *config = NULL;
    bl_trainer *t = NULL;
    bl_run_facts noted;
    if (!options || !options->run_dir)
        return BL_RAISE(BL_EINVAL, "resume: options name no run directory");
    BL_CHECK(bl_run_config(&config, options->run_dir));
    BL_CHECK(bl_trainer_build(&t, config, data, options));
    BL_CHECK(bl_run_open(&t->run, options->run_dir, &noted));
    BL_CHECK(check_facts(t, &noted));
    BL_CHECK(load(t));
    BL_CHECK(evaluate_again(t));
    *out = t;
    t = NULL;
done:
    bl_trainer_free(t);
    bl_config_free(config);
    return status;
}
