/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_state.c: a run as a file, and back.
 *
 * A checkpoint is a safetensors file: every parameter and batch-norm buffer,
 * "momentum.<name>" for every trained one, and the counters below as metadata.
 * Sample order, augmentation and BBN's random alpha are functions of (seed,
 * epoch, step), so nothing else is needed for a resumed run to end with the
 * same bits.  SETTINGS is the identity of the configuration it was made under:
 * a run goes on under no other.
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
    bool later;    /* NaN where a checkpoint of an older build has none */
} counter_row;

#define WHOLE(field) {"resume." #field, offsetof(bl_counters, field), true, \
                      false}
#define REAL(field) {"resume." #field, offsetof(bl_counters, field), false, \
                     false}
#define LATER(field) {"resume." #field, offsetof(bl_counters, field), false, \
                      true}

static const counter_row rows[] = {
    WHOLE(phase), WHOLE(epoch), WHOLE(step), REAL(loss_sum), REAL(wrong_sum),
    REAL(alpha_sum), REAL(samples), REAL(epoch_seconds),
    REAL(epoch_train_seconds), REAL(best_error), WHOLE(best_epoch),
    REAL(seconds), REAL(train_seconds), REAL(train_samples), REAL(last_lr),
    REAL(last_alpha), REAL(last_loss), REAL(last_train_error),
    REAL(last_test_error), LATER(last_balanced_error), REAL(last_seconds),
    REAL(last_rate), WHOLE(last_epoch), REAL(posthoc_tau)};

enum { ROWS = sizeof rows / sizeof *rows };

#define SETTINGS "resume.settings"
#define EPOCH "ballast.epoch" /* of weights: the last that was closed */

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
    if (!text && !row->later)
        return BL_RAISE(BL_EFORMAT, "metadata %s is missing", row->key);
    if (row->whole) {
        if (!bl_integer_parse(&n, text))
            return BL_RAISE(BL_EFORMAT, "metadata %s: %.20s is not a number",
                            row->key, text);
        const int64_t value = n;
        memcpy(field, &value, sizeof value);
        return BL_OK;
    }
    if (text && strcmp(text, "none") && !bl_real_parse(&x, text))
        return BL_RAISE(BL_EFORMAT, "metadata %s: %.20s is not a number",
                        row->key, text);
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

static bl_status read_counters(bl_counters *at, const bl_safetensors *file,
                               const char *path)
{
    *at = (bl_counters){0};
    for (size_t i = 0; i < ROWS; i++)
        if (read_counter(at, &rows[i],
                         bl_safetensors_meta(file, rows[i].key)) < 0)
            return bl_error_prefix("%s", path);
    return BL_OK;
}

/** A checkpoint of an older build does not say what it was made under. */
static bl_status check_settings(const bl_trainer *t,
                                const bl_safetensors *file, const char *path)
{
    const char *const noted = bl_safetensors_meta(file, SETTINGS);
    if (!noted || !strcmp(noted, t->identity)) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: was changed since %s was written, or "
                    "that is another run's: settings %s found, wanted %.20s; "
                    "put it back, or start a new run with --config",
                    bl_run_path(t->run, "run.yaml"), path, t->identity,
                    noted);
}

static bl_status check_place(const bl_trainer *t, const bl_counters *at,
                             const char *path)
{
    if (is_place(t, at)) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: phase %" PRId64 ", epoch %"
                    PRId64 ", step %" PRId64 " with epoch %" PRId64
                    " closed is not a place in a run of %" PRId64
                    " epochs of %" PRId64 " steps", path, at->phase, at->epoch,
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
    char epoch[32];
    bl_engine_text text;
    bl_metadata pairs[BL_ENGINE_METADATA + 1];
    BL_TRY(bl_params_export(t->engine->params, false, &tensors, &n, &memory));
    int64_t m = bl_engine_metadata(t->engine, &text, pairs);
    (void)snprintf(epoch, sizeof epoch, "%" PRId64, t->at.last_epoch);
    pairs[m++] = (bl_metadata){EPOCH, epoch};
    const bl_status status = bl_safetensors_write(
        path, NULL, tensors, fold_scale(tensors, n), pairs, m);
    bl_free(tensors);
    bl_free(memory);
    return status;
}

const char *bl_trainer_kept(const bl_trainer *t)
{
    return t->run && bl_path_exists(bl_run_path(t->run, "resume.safetensors"))
               ? "; the last checkpoint stays" : "";
}

static bl_status diverged(const bl_trainer *t, const char *name, float x)
{
    char found[32];
    bl_real_format(found, (double)x);
    return BL_RAISE(BL_ENUMERIC, "epoch %" PRId64 ", step %" PRId64 ": %s "
                    "holds %s at learning rate %g; a lower --lr may help%s",
                    t->at.epoch, t->at.step, name, found, bl_trainer_rate(t),
                    bl_trainer_kept(t));
}

static bl_status all_finite(const bl_trainer *t,
                            const bl_named_tensor *tensors, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float *const x = tensors[i].data;
        for (size_t k = 0; k < tensors[i].bytes / sizeof *x; k++)
            if (!isfinite(x[k])) return diverged(t, tensors[i].name, x[k]);
    }
    return BL_OK;
}

bl_status bl_trainer_check_finite(const bl_trainer *t)
{
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    BL_TRY(bl_params_export(t->engine->params, true, &tensors, &n, &memory));
    const bl_status status = all_finite(t, tensors, n);
    bl_free(tensors);
    bl_free(memory);
    return status;
}

bl_status bl_trainer_checkpoint(bl_trainer *trainer)
{
    char text[ROWS][32];
    bl_metadata pairs[ROWS + 1];
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    if (!trainer->run) return BL_OK;
    for (size_t i = 0; i < ROWS; i++) {
        write_counter(text[i], &trainer->at, &rows[i]);
        pairs[i] = (bl_metadata){rows[i].key, text[i]};
    }
    pairs[ROWS] = (bl_metadata){SETTINGS, trainer->identity};
    BL_TRY(bl_params_export(trainer->engine->params, true, &tensors, &n,
                            &memory));
    bl_status status = all_finite(trainer, tensors, n);
    if (status == BL_OK)
        status = bl_run_checkpoint(trainer->run, tensors, n, pairs,
                                   ROWS + 1);
    bl_free(tensors);
    bl_free(memory);
    trainer->checkpoint_at = bl_clock();
    return status;
}

bl_status bl_trainer_keep_best(bl_trainer *t)
{
    if (!t->holdout) return BL_OK;
    return bl_params_keep(t->engine->params, t->best_w, t->best_buffers);
}

/** Moves the sums of the epoch at work into the fields of the last one. */
static void note_epoch(bl_trainer *t)
{
    bl_counters *const at = &t->at;
    at->last_epoch = at->epoch;
    at->last_lr = bl_trainer_rate(t);
    at->last_alpha = t->stage->adaptor ? at->alpha_sum / at->samples
                                       : (double)NAN;
    at->last_loss = at->loss_sum / at->samples;
    at->last_train_error = at->wrong_sum / at->samples;
    at->last_test_error = t->last->error;
    at->last_balanced_error = t->last->balanced_error;
    at->last_seconds = at->epoch_seconds;
    at->last_rate = at->samples / at->epoch_train_seconds;
    at->loss_sum = at->wrong_sum = at->alpha_sum = at->samples = 0;
    at->epoch_seconds = at->epoch_train_seconds = 0;
}

/** Writes weights and metrics of the epoch just noted. */
static bl_status write_epoch(bl_trainer *t)
{
    bl_progress progress;
    if (!t->run) return BL_OK;
    BL_TRY(bl_trainer_write_weights(t, bl_run_path(t->run,
                                                   "last.safetensors")));
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
    note_epoch(t);
    bl_log_say(&t->log, BL_LOG_DEBUG, "epoch %" PRId64 ": %.3f s waited for "
               "images since the start", at->last_epoch,
               bl_loader_waited(t->loader));
    if (best) {
        at->best_error = chosen_by(t);
        at->best_epoch = at->epoch;
        BL_TRY(bl_trainer_keep_best(t));
    }
    BL_TRY(write_epoch(t));
    at->phase = !end                     ? BL_PHASE_TRAIN
                : bl_trainer_rewrites(t) ? BL_PHASE_REWRITE
                : t->holdout             ? BL_PHASE_FINAL
                                         : BL_PHASE_DONE;
    if (!end) begin_next(t);
    BL_TRY(bl_trainer_checkpoint(t));
    if (best && t->run)
        BL_TRY(bl_trainer_write_weights(t, bl_run_path(t->run,
                                                       "best.safetensors")));
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
    if (bl_train_settle(config) < 0) BL_CHECK(bl_error_prefix("%s", path));
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    bl_free(path);
    return status;
}

/** Epoch whose weights a file holds; 0 where it does not say. */
static int64_t epoch_of(const bl_safetensors *file)
{
    long long n;
    const char *const text = bl_safetensors_meta(file, EPOCH);
    return text && bl_integer_parse(&n, text) ? n : 0;
}

/** Is the checkpoint that was just read the one that closed the best epoch? */
static bool holds_best(const bl_trainer *t)
{
    const bl_counters *const at = &t->at;
    const bool closing = at->phase > BL_PHASE_EVAL ||
                         (at->phase == BL_PHASE_TRAIN && at->step == 0);
    const bool rewritten = at->phase > BL_PHASE_REWRITE &&
                           bl_trainer_rewrites(t);
    return closing && !rewritten && at->best_epoch == at->last_epoch;
}

/** Writes the weights of the best epoch, which are loaded, unless they stand
 *  there: a run may have been killed before. */
static bl_status mend_best(const bl_trainer *t, const char *path)
{
    bl_safetensors *file = NULL;
    const bool stand = bl_safetensors_open(&file, path) == BL_OK &&
                       epoch_of(file) == t->at.best_epoch;
    bl_safetensors_free(file);
    return stand ? BL_OK : bl_trainer_write_weights(t, path);
}

/** The file is ahead of a checkpoint that had to be passed over.  Done again,
 *  its epoch is the best once more if it comes out the same; if not, nothing
 *  is said of weights that are gone.  After the last epoch nothing is done
 *  again, and a holdout needs the weights. */
static bl_status forget_best(bl_trainer *t, int64_t found, const char *path)
{
    bl_counters *const at = &t->at;
    const bool over = at->phase > BL_PHASE_EVAL;
    if (over && t->holdout)
        return BL_RAISE(BL_EFORMAT, "%s: weights of epoch %" PRId64 ", wanted "
                        "those of epoch %" PRId64 ", the best", path, found,
                        at->best_epoch);
    if (over || !t->holdout) { /* the error is known, the weights are gone */
        bl_log_say(&t->log, BL_LOG_WARNING, "%s: weights of epoch %" PRId64
                   ", not of epoch %" PRId64 ", the best", path, found,
                   at->best_epoch);
        return BL_OK;
    }
    bl_log_say(&t->log, BL_LOG_WARNING, "%s: weights of epoch %" PRId64 ", "
               "not of epoch %" PRId64 ", the best so far; the best is looked "
               "for from epoch %" PRId64 " on", path, found, at->best_epoch,
               at->epoch);
    at->best_error = 2;
    at->best_epoch = 0;
    return BL_OK;
}

/** Takes the best weights from their file, if they are those. */
static bl_status take_best(bl_trainer *t, const bl_safetensors *file,
                           const char *path)
{
    const int64_t found = epoch_of(file);
    if (found && found != t->at.best_epoch) return forget_best(t, found, path);
    if (!t->holdout) return BL_OK;
    BL_TRY(bl_trainer_adopt(t, file, path));
    return bl_trainer_keep_best(t);
}

/** Sees to the best weights so far: of the checkpoint, whose weights are
 *  loaded, or of their own file.  Only a holdout needs them; to others their
 *  loss is worth a warning. */
static bl_status load_best(bl_trainer *t)
{
    bl_safetensors *file = NULL;
    const char *const path = bl_run_path(t->run, "best.safetensors");
    if (!t->at.best_epoch) return BL_OK;
    if (holds_best(t)) {
        BL_TRY(mend_best(t, path));
        return bl_trainer_keep_best(t);
    }
    bl_status status = bl_safetensors_open(&file, path);
    if (status < 0 && !t->holdout) {
        bl_log_say(&t->log, BL_LOG_WARNING, "the weights of epoch %" PRId64
                   ", the best so far, are lost: %s", t->at.best_epoch,
                   bl_error_last()->message);
        return BL_OK;
    }
    if (status == BL_OK) status = take_best(t, file, path);
    bl_safetensors_free(file);
    return status;
}

static bl_status load_params(bl_trainer *t, const bl_safetensors *file)
{
    return bl_params_import(t->engine->params, file, bl_run_newest(t->run),
                            true);
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
    const char *const path = bl_run_newest(t->run);
    BL_CHECK(read_counters(&at, file, path));
    BL_CHECK(check_settings(t, file, path));
    const int32_t stage = stage_held(t, &at);
    if (stage > 0) BL_CHECK(bl_trainer_open_stage(t, stage));
    BL_CHECK(load_params(t, file)); /* first: it knows another model */
    BL_CHECK(check_place(t, &at, path));
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
    BL_TRY(bl_engine_infer(t->engine, test->pixels, test->n, t->z, t->f));
    BL_TRY(bl_trainer_evaluate(&t->last, t, test));
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
    BL_CHECK(bl_trainer_check_facts(t, &noted));
    BL_CHECK(load(t));
    BL_CHECK(evaluate_again(t));
    *out = t;
    t = NULL;
done:
    bl_trainer_free(t);
    bl_config_free(config);
    return status;
}
