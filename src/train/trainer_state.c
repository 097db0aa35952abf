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
#include "core/error.h"
#include "core/file.h"
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
    WHOLE(last_epoch)};

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

static bl_status read_counters(bl_trainer *t, const bl_safetensors *file)
{
    bl_counters at = {0};
    for (size_t i = 0; i < ROWS; i++)
        BL_TRY(read_counter(&at, &rows[i],
                            bl_safetensors_meta(file, rows[i].key)));
    if (at.phase < BL_PHASE_TRAIN || at.phase > BL_PHASE_DONE ||
        at.epoch < 1 || at.epoch > t->epochs || at.step < 0 ||
        at.step > t->steps)
        return BL_RAISE(BL_EFORMAT, "checkpoint: phase %" PRId64 ", epoch %"
                        PRId64 ", step %" PRId64 " is not a place in a run of "
                        "%" PRId64 " epochs of %" PRId64 " steps", at.phase,
                        at.epoch, at.step, t->epochs, t->steps);
    t->at = at;
    return BL_OK;
}

/* ---- writing ------------------------------------------------------------ */

bl_status bl_trainer_write_weights(const bl_trainer *t, const char *path)
{
    bl_named_tensor *tensors = NULL;
    void *memory = NULL;
    int64_t n;
    bl_engine_text text;
    bl_metadata pairs[BL_ENGINE_METADATA];
    BL_TRY(bl_params_export(t->engine->params, false, &tensors, &n, &memory));
    const int64_t m = bl_engine_metadata(t->engine, &text, pairs);
    const bl_status status =
        bl_safetensors_write(path, NULL, tensors, n, pairs, m);
    bl_free(tensors);
    bl_free(memory);
    return status;
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
    const bl_status status =
        bl_run_checkpoint(trainer->run, tensors, n, pairs, ROWS);
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
    at->last_lr = bl_config_real(t->config, "lr") *
                  t->schedule->factor(t->config, at->epoch, t->epochs);
    at->last_alpha = t->adaptor ? at->alpha_sum / at->samples : (double)NAN;
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
    return bl_run_metrics(t->run, &progress.last);
}

bl_status bl_trainer_close_epoch(bl_trainer *t, double test_error)
{
    bl_counters *const at = &t->at;
    const bool best = test_error < at->best_error;
    const bool end = at->epoch == t->epochs;
    note_epoch(t, test_error);
    if (best) {
        at->best_error = test_error;
        at->best_epoch = at->epoch;
        BL_TRY(bl_trainer_keep_best(t));
    }
    BL_TRY(write_epoch(t, best));
    at->phase = !end ? BL_PHASE_TRAIN
                : t->holdout ? BL_PHASE_FINAL : BL_PHASE_DONE;
    if (!end) {
        at->epoch++;
        at->step = 0;
    }
    BL_TRY(bl_trainer_checkpoint(t));
    return at->phase == BL_PHASE_DONE ? bl_trainer_finish(t) : BL_OK;
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
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    bl_free(path);
    return status;
}

static bl_status same_data(const bl_trainer *t, const bl_run_facts *noted)
{
    char hex[33];
    bl_run_facts facts;
    bl_trainer_facts(t, hex, &facts);
    if (noted->data_fingerprint && !strcmp(noted->data_fingerprint, hex))
        return BL_OK;
    return BL_RAISE(BL_EINVAL, "%s: the run was trained on other images: "
                    "fingerprint %s found, %s noted", t->data->name, hex,
                    noted->data_fingerprint ? noted->data_fingerprint
                                            : "none");
}

/** With a holdout, the best weights so far come from their own file. */
static bl_status load_best(bl_trainer *t)
{
    bl_safetensors *file;
    if (!t->holdout || !t->at.best_epoch) return BL_OK;
    const char *const path = bl_run_path(t->run, "best.safetensors");
    BL_TRY(bl_safetensors_open(&file, path));
    bl_status status =
        bl_params_import(t->engine->params, file, path, false);
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
    bl_safetensors *file = NULL;
    bl_status status = bl_run_load(t->run, &file, &t->log);
    if (status == BL_END) {
        BL_TRY(bl_run_rewind(t->run, 0));
        return bl_params_init(t->engine->params, t->seed);
    }
    BL_CHECK(status);
    BL_CHECK(load_params(t, file)); /* first: it knows another model */
    BL_CHECK(read_counters(t, file));
    BL_CHECK(load_best(t));
    BL_CHECK(load_params(t, file)); /* again, over the best */
    BL_CHECK(bl_run_rewind(t->run, t->at.last_epoch));
done:
    bl_safetensors_free(file);
    return status;
}

/** A finished run has its evaluation made again, so that it can be shown. */
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
                       test->n_class));
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
    BL_CHECK(same_data(t, &noted));
    BL_CHECK(load(t));
    BL_CHECK(evaluate_again(t));
    *out = t;
    t = NULL;
done:
    bl_trainer_free(t);
    bl_config_free(config);
    return status;
}
