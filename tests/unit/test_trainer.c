/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trainer.c: runs by the public interface: same bits whatever the number
 * of loader threads and wherever a run was stopped; holdout; divergence;
 * checkpoints that belong to another run.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "core/file.h"
#include "core/mem.h"
#include "support/bars.h"
#include "support/scratch.h"
#include "train/trainer.h"

static const char *const bbn[] = {"method=bbn", NULL};

/** Allocations that a trainer is made of. */
static int64_t allocations(const char *threads)
{
    const char *const settings[] = {"method=bbn", threads, NULL};
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    bl_trainer *t;
    const int64_t before = bl_mem_count();
    ok(bl_trainer_create(&t, config, data, NULL));
    const int64_t n = bl_mem_count() - before;
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    return n;
}

/** A thread works on a batch of its own; each is of three allocations. */
static void loader_threads_have_batches_to_make(void **state)
{
    (void)state;
    assert_int_equal(allocations("loader.threads=6"),
                     allocations("loader.threads=1") + 5 * 3);
}

static void loader_threads_change_nothing(void **state)
{
    (void)state;
    float a[21 * CLASSES], b[21 * CLASSES], c[21 * CLASSES];
    const char *const two[] = {"method=bbn", "loader.threads=2", NULL};
    const char *const seed[] = {"method=bbn", "seed=1", NULL};
    train(bbn, NULL, a);
    train(two, NULL, b);
    train(seed, NULL, c);
    assert_memory_equal(a, b, sizeof a);
    assert_true(memcmp(a, c, sizeof a) != 0);
}

static void stopping_anywhere_changes_nothing(void **state)
{
    (void)state;
    static const char *const beta[] = {"method=bbn", "bbn.adaptor=beta", NULL};
    static const char *const ce[] = {"method=ce", NULL};
    /* ce: 5 steps (the last of 8), an evaluation, then the same again */
    const int32_t calls[] = {0, 4, 5, 6};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        stop_and_resume(ce, calls[i]);
    stop_and_resume(beta, 6);
}

static void finished_runs_resume_to_their_result(void **state)
{
    (void)state;
    float z[21 * CLASSES];
    scratch at;
    scratch_make(&at);
    const char *const folder = at.folder;
    bl_dataset *const data = make_data(3);
    const bl_trainer_options options = {.run_dir = folder};
    bl_trainer *t;
    bl_result result;
    train(bbn, folder, z);
    ok(bl_trainer_resume(&t, data, &options));
    assert_int_equal(bl_trainer_step(t), BL_END);
    bl_trainer_result(t, &result);
    assert_non_null(result.last);
    assert_true(result.test_error_last == result.last->error);
    bl_trainer_free(t);
    bl_dataset_free(data);
    scratch_remove(&at);
}

static const char *const short_bbn[] = {"method=bbn", "epochs=1", NULL};

/** What the run's own machine wrote is its result, wherever it is shown. */
static void results_are_written_once(void **state)
{
    (void)state;
    static const char marker[] = "{\"backend\": \"another\"}\n";
    float z[21 * CLASSES];
    char text[4096] = "";
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    train(short_bbn, at.folder, z);
    scratch_put(scratch_path(&at, "result.json"), marker, sizeof marker);
    ok(bl_trainer_resume(&t, data, &options));
    assert_int_equal(bl_trainer_step(t), BL_END);
    bl_trainer_free(t);
    (void)scratch_get(at.path, text, sizeof text - 1);
    assert_string_equal(text, marker);
    assert_int_equal(remove(at.path), 0);
    ok(bl_trainer_resume(&t, data, &options));
    bl_trainer_free(t);
    memset(text, 0, sizeof text);
    (void)scratch_get(at.path, text, sizeof text - 1);
    assert_non_null(strstr(text, "\"holdout\": 0,"));
    bl_dataset_free(data);
    scratch_remove(&at);
}

/** Two epochs, the close of the second failing at first, since a folder
 *  stands where `name` is to be written. */
static void close_twice(const char *name)
{
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    char text[4096] = "";
    ok(bl_trainer_create(&t, config, data, &options));
    while (t->at.epoch != 2 || t->at.phase != BL_PHASE_EVAL)
        ok(bl_trainer_step(t));
    const bl_counters before = t->at;
    (void)remove(scratch_path(&at, name));
    assert_int_equal(mkdir(at.path, 0777), 0);
    assert_int_equal(bl_trainer_step(t), BL_EIO);
    assert_int_equal(t->at.phase, BL_PHASE_EVAL);
    assert_int_equal(t->at.last_epoch, 1);
    assert_true(t->at.loss_sum == before.loss_sum);
    assert_true(t->at.best_error == before.best_error);
    assert_int_equal(rmdir(at.path), 0);
    run_to_end(t);
    assert_true(t->at.last_loss == before.loss_sum / before.samples);
    assert_int_equal(access(at.path, F_OK), 0);
    (void)scratch_get(scratch_path(&at, "metrics.jsonl"), text,
                      sizeof text - 1);
    assert_null(strstr(strstr(text, "\"epoch\":2") + 1, "\"epoch\":2"));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

static void a_close_that_failed_is_done_again(void **state)
{
    (void)state;
    close_twice("last.safetensors");
    close_twice("resume.safetensors");
    close_twice("result.json");
}

/** The end of a run with a rewritten classifier fails at first: it is not
 *  rewritten once more. */
static void an_end_that_failed_is_done_again(void **state)
{
    (void)state;
    static const char *const half[] = {"posthoc=tau-norm", "posthoc.tau=0.5",
                                       NULL};
    static const char *const names[] = {"last.safetensors", "result.json"};
    float once[21 * CLASSES], twice[21 * CLASSES];
    train(half, NULL, once);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        scratch at;
        scratch_make(&at);
        bl_dataset *const data = make_data(3);
        bl_config *const config = make_config(half);
        const bl_trainer_options options = {.run_dir = at.folder};
        bl_trainer *t;
        ok(bl_trainer_create(&t, config, data, &options));
        while (t->at.phase < BL_PHASE_FINAL) ok(bl_trainer_step(t));
        (void)remove(scratch_path(&at, names[i]));
        assert_int_equal(mkdir(at.path, 0777), 0);
        assert_int_equal(bl_trainer_step(t), BL_EIO);
        assert_int_equal(rmdir(at.path), 0);
        run_to_end(t);
        ok(bl_trainer_logits(t, data->test, twice));
        assert_memory_equal(once, twice, sizeof once);
        assert_int_equal(access(at.path, F_OK), 0);
        bl_trainer_free(t);
        bl_config_free(config);
        bl_dataset_free(data);
        scratch_remove(&at);
    }
}

/** Fills [n] on the device with one value. */
static void fill(const bl_params *p, void *to, int64_t n, float value)
{
    float *const x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = value;
    ok(p->backend->upload(p->dev, to, x, (size_t)n * sizeof *x));
    free(x);
}

/** A step that failed is done again with the same images, once its caller has
 *  put right what was wrong: here weights that are no numbers. */
static void a_step_that_failed_is_done_again(void **state)
{
    (void)state;
    float once[21 * CLASSES], twice[21 * CLASSES];
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    bl_trainer *t;
    train(bbn, NULL, once);
    ok(bl_trainer_create(&t, config, data, NULL));
    bl_params *const p = t->engine->params;
    const size_t n = (size_t)p->n_trained, m = (size_t)p->n_buffered;
    float *const w = malloc(n * sizeof *w);
    float *const buffers = malloc(m * sizeof *buffers);
    assert_true(w && buffers);
    ok(bl_params_keep(p, w, buffers));
    fill(p, p->w, p->n_trained, NAN);
    p->version++;
    assert_int_equal(bl_trainer_step(t), BL_ENUMERIC);
    ok(p->backend->upload(p->dev, p->w, w, n * sizeof *w));
    ok(p->backend->upload(p->dev, p->buffers, buffers, m * sizeof *buffers));
    fill(p, p->v, p->n_trained, 0);
    p->version++;
    run_to_end(t);
    ok(bl_trainer_logits(t, data->test, twice));
    assert_memory_equal(once, twice, sizeof once);
    free(w);
    free(buffers);
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** Weights that are not numbers, met by the evaluation. */
static void evaluation_says_where_it_diverged(void **state)
{
    (void)state;
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, NULL));
    while (t->at.phase == BL_PHASE_TRAIN) ok(bl_trainer_step(t));
    bl_params *const p = t->engine->params;
    fill(p, p->w, p->n_trained, NAN);
    p->version++;
    assert_int_equal(bl_trainer_step(t), BL_ENUMERIC);
    assert_non_null(strstr(bl_error_last()->message, "epoch 1, step 4: "
                           "conv1.weight holds nan at learning rate 0.0"));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

static void other_data_are_refused(void **state)
{
    (void)state;
    float z[21 * CLASSES];
    scratch at;
    scratch_make(&at);
    const char *const folder = at.folder;
    bl_dataset *const other = make_data(8);
    const bl_trainer_options options = {.run_dir = folder};
    bl_trainer *t;
    train(bbn, folder, z);
    assert_int_equal(bl_trainer_resume(&t, other, &options), BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "fingerprint"));
    bl_dataset_free(other);
    scratch_remove(&at);
}

/** Checkpoints that somebody removed: the run's record is not started over. */
static void lost_checkpoints_are_not_overwritten(void **state)
{
    (void)state;
    float z[21 * CLASSES];
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    train(bbn, at.folder, z);
    assert_int_equal(remove(scratch_path(&at, "resume.safetensors")), 0);
    assert_int_equal(
        remove(scratch_path(&at, "resume.previous.safetensors")), 0);
    assert_int_equal(bl_trainer_resume(&t, data, &options), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message, "2 epochs are noted"));
    bl_dataset_free(data);
    scratch_remove(&at);
}

static void empty_records_are_refused(void **state)
{
    (void)state;
    scratch at;
    bl_config *config;
    scratch_make(&at);
    FILE *const file = fopen(scratch_path(&at, "run.yaml"), "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(bl_run_config(&config, at.folder), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message, "run.yaml"));
    scratch_remove(&at);
}

static void divergence_stops_with_step_and_rate(void **state)
{
    (void)state;
    const char *const hot[] = {"method=ce", "lr=1000000", "epochs=30",
                               "schedule.warmup=none", NULL};
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(hot);
    bl_trainer *t;
    bl_status status;
    ok(bl_trainer_create(&t, config, data, NULL));
    while ((status = bl_trainer_step(t)) == BL_OK) continue;
    assert_int_equal(status, BL_ENUMERIC);
    assert_non_null(strstr(bl_error_last()->message, "step"));
    assert_non_null(strstr(bl_error_last()->message, "learning rate"));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** With a holdout, epochs are judged on it and the test split once. */
static void holdout_keeps_the_test_split_for_the_end(void **state)
{
    (void)state;
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    bl_split *const validation = cut_validation(data);
    bl_trainer *t;
    bl_result result;
    bl_status status;
    const bl_trainer_options options = {.validation = validation};
    ok(bl_trainer_create(&t, config, data, &options));
    while ((status = bl_trainer_step(t)) == BL_OK) {
        bl_trainer_result(t, &result);
        if (result.last && result.last->n == data->test->n) break;
    }
    bl_progress now;
    bl_trainer_progress(t, &now);
    assert_int_equal(now.last.epoch, 2); /* not before the last epoch */
    run_to_end(t);
    bl_trainer_result(t, &result);
    assert_int_equal(result.last->n, data->test->n);
    assert_true(result.test_error_last == result.last->error);
    assert_true(isfinite(result.test_error_best));
    bl_trainer_free(t);
    bl_split_free(validation);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** Class 0 keeps its images, every other class one of them. */
static bl_split *make_tailed(const bl_split *split)
{
    int64_t rows[256], n = 0;
    bool met[CLASSES] = {false};
    bl_split *out;
    assert_true(split->n <= 256);
    for (int64_t i = 0; i < split->n; i++) {
        const int32_t y = split->labels[i];
        if (y == 0 || !met[y]) rows[n++] = i;
        met[y] = true;
    }
    assert_true(n < split->n && n > CLASSES);
    ok(bl_split_subset(&out, split, rows, n));
    return out;
}

/** alpha is that of a run of two epochs, too. */
static void held_out_images_choose_by_class(void **state)
{
    (void)state;
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    bl_split *const even = cut_validation(data);
    bl_split *const validation = make_tailed(even);
    const bl_trainer_options options = {.validation = validation};
    bl_trainer *t;
    double least = 2;
    int differs = 0;
    ok(bl_trainer_create(&t, config, data, &options));
    for (int64_t epoch = 0; epoch < 2; epoch++) {
        while (t->at.last_epoch == epoch) ok(bl_trainer_step(t));
        differs += t->last->balanced_error != t->last->error;
        least = fmin(least, t->last->balanced_error);
        assert_true(t->at.best_error == least);
        assert_true(t->at.last_test_error == t->last->error);
        assert_true(t->at.last_alpha == (epoch == 0 ? 1 : 0.75));
    }
    assert_true(differs > 0);
    bl_trainer_free(t);
    bl_split_free(validation);
    bl_split_free(even);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** The 21 test images are two batches, met by the best weights and the last;
 *  a run that stopped there needs its validation split again. */
static void the_end_of_a_holdout_stops_and_resumes(void **state)
{
    (void)state;
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    bl_split *const validation = cut_validation(data);
    const bl_trainer_options with = {.run_dir = at.folder,
                                     .validation = validation};
    const bl_trainer_options without = {.run_dir = at.folder};
    bl_trainer *t;
    int32_t calls = 1;
    ok(bl_trainer_create(&t, config, data, &with));
    while (t->at.phase != BL_PHASE_FINAL) ok(bl_trainer_step(t));
    ok(bl_trainer_step(t));
    ok(bl_trainer_checkpoint(t));
    for (; t->at.phase == BL_PHASE_FINAL; calls++) ok(bl_trainer_step(t));
    assert_int_equal(calls, 4);
    bl_trainer_free(t);
    assert_int_equal(bl_trainer_resume(&t, data, &without), BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "fingerprint"));
    ok(bl_trainer_resume(&t, data, &with));
    run_to_end(t);
    bl_trainer_free(t);
    char text[4096] = "";
    const char *const path = scratch_path(&at, "result.json");
    (void)scratch_get(path, text, sizeof text - 1);
    assert_non_null(strstr(text, "\"holdout\": 0.25,"));
    scratch_put(path, "{}", 3);
    ok(bl_trainer_resume(&t, data, &with)); /* the end again, shown only */
    run_to_end(t);
    bl_trainer_free(t);
    (void)scratch_get(path, text, sizeof text - 1);
    assert_string_equal(text, "{}");
    bl_split_free(validation);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

/** Makes a run whose only checkpoint is of phase, epoch and step, with `last`
 *  closed, and resumes it. */
static bl_status resume_at(bl_phase phase, int64_t epoch, int64_t step,
                           int64_t last)
{
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    assert_int_equal(t->steps, 4);
    t->at.phase = phase;
    t->at.epoch = epoch;
    t->at.step = step;
    t->at.last_epoch = last;
    ok(bl_trainer_checkpoint(t));
    bl_trainer_free(t);
    const bl_status status = bl_trainer_resume(&t, data, &options);
    if (status == BL_OK) bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
    return status;
}

static void checkpoints_of_no_place_are_refused(void **state)
{
    (void)state;
    const struct { int64_t phase, epoch, step, last; bl_status wanted; }
    rows[] = {
        {BL_PHASE_TRAIN, 1, 3, 0, BL_OK},
        {BL_PHASE_TRAIN, 1, 4, 0, BL_EFORMAT},
        {BL_PHASE_TRAIN, 2, 0, 1, BL_OK},
        {BL_PHASE_TRAIN, 2, 0, 0, BL_EFORMAT},
        {BL_PHASE_TRAIN, 1, 0, 1, BL_EFORMAT},
        {BL_PHASE_EVAL, 1, 4, 0, BL_OK},
        {BL_PHASE_EVAL, 1, 5, 0, BL_EFORMAT},
        {BL_PHASE_EVAL, 2, 4, 2, BL_EFORMAT},
        {BL_PHASE_FINAL, 2, 4, 2, BL_EFORMAT},
        {BL_PHASE_DONE, 2, 4, 2, BL_OK},
        {BL_PHASE_DONE, 2, 4, 1, BL_EFORMAT},
        {BL_PHASE_DONE, 1, 4, 1, BL_EFORMAT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(resume_at((bl_phase)rows[i].phase, rows[i].epoch,
                                   rows[i].step, rows[i].last),
                         rows[i].wanted);
}

static void diverged_weights_replace_no_checkpoint(void **state)
{
    (void)state;
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    ok(bl_trainer_step(t));
    ok(bl_trainer_checkpoint(t));
    const float bad = (float)INFINITY;
    const bl_params *const p = t->engine->params;
    ok(p->backend->upload(p->dev, p->w, &bad, sizeof bad));
    assert_int_equal(bl_trainer_checkpoint(t), BL_ENUMERIC);
    assert_non_null(strstr(bl_error_last()->message, "conv1.weight"));
    assert_non_null(strstr(bl_error_last()->message, "learning rate"));
    bl_trainer_free(t);
    ok(bl_trainer_resume(&t, data, &options));
    assert_int_equal(t->at.step, 1);
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

/** The last update of an epoch may overflow behind a loss that is finite: the
 *  weights and the metrics of the epoch before stay. */
static void a_diverged_epoch_writes_nothing(void **state)
{
    (void)state;
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {.run_dir = at.folder};
    const char *const names[] = {"last.safetensors", "metrics.jsonl",
                                 "best.safetensors", "resume.safetensors"};
    enum { FILES = sizeof names / sizeof *names };
    char *before[FILES], *after;
    size_t bytes[FILES], now;
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    while (t->at.last_epoch < 1) ok(bl_trainer_step(t));
    while (t->at.phase == BL_PHASE_TRAIN) ok(bl_trainer_step(t));
    for (size_t i = 0; i < FILES; i++)
        ok(bl_file_read(&before[i], &bytes[i], scratch_path(&at, names[i]),
                        1 << 24));
    const float bad = (float)NAN;
    const bl_params *const p = t->engine->params;
    ok(p->backend->upload(p->dev, p->w, &bad, sizeof bad));
    for (int32_t i = 0; i < 2; i++)
        assert_int_equal(bl_trainer_step(t), BL_ENUMERIC);
    for (size_t i = 0; i < FILES; i++) {
        ok(bl_file_read(&after, &now, scratch_path(&at, names[i]), 1 << 24));
        assert_int_equal(now, bytes[i]);
        assert_memory_equal(after, before[i], now);
        bl_free(after);
        bl_free(before[i]);
    }
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

/** Trains into a run until an epoch count is closed, and inside the next where
 *  a checkpoint is wanted there; breaks a weight, and gives whether the error
 *  says that a checkpoint stays. */
static bool breaking_names_a_checkpoint(int64_t closed, bool inside)
{
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_status status;
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    while (t->at.last_epoch < closed) ok(bl_trainer_step(t));
    if (inside) {
        ok(bl_trainer_step(t));
        ok(bl_trainer_checkpoint(t));
    }
    const float bad = (float)INFINITY;
    const bl_params *const p = t->engine->params;
    ok(p->backend->upload(p->dev, p->w, &bad, sizeof bad));
    while ((status = bl_trainer_step(t)) == BL_OK) continue;
    assert_int_equal(status, BL_ENUMERIC);
    assert_non_null(strstr(bl_error_last()->message, "loss is"));
    const bool named = strstr(bl_error_last()->message,
                              "the last checkpoint stays") != NULL;
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
    return named;
}

static void divergence_speaks_of_a_checkpoint_that_is_there(void **state)
{
    (void)state;
    assert_false(breaking_names_a_checkpoint(0, false));
    assert_true(breaking_names_a_checkpoint(0, true));
    assert_true(breaking_names_a_checkpoint(1, false));
}

static void keep_line(void *payload, bl_log_level level, const char *line)
{
    if (level == BL_LOG_WARNING)
        (void)snprintf(payload, 256, "%.200s", line);
}

/** Overwrites the first letter of the device that run.yaml notes. */
static void rename_device(scratch *at)
{
    char *yaml;
    size_t bytes;
    const char *const path = scratch_path(at, "run.yaml");
    ok(bl_file_read(&yaml, &bytes, path, 1 << 16));
    strstr(yaml, "  device: \"")[11] = 'Z';
    ok(bl_file_write(path, yaml, bytes));
    bl_free(yaml);
}

static void another_machine_is_told_of(void **state)
{
    (void)state;
    char line[256] = "";
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(bbn);
    const bl_trainer_options options = {
        .run_dir = at.folder, .log = {.write = keep_line, .payload = line}};
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    bl_trainer_free(t);
    ok(bl_trainer_resume(&t, data, &options));
    bl_trainer_free(t);
    assert_string_equal(line, "");
    rename_device(&at);
    ok(bl_trainer_resume(&t, data, &options));
    bl_trainer_free(t);
    assert_non_null(strstr(line, "begun on Z"));
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

static void count_lines(void *payload, bl_log_level level, const char *line)
{
    int *const n = payload;
    if (level == BL_LOG_DEBUG && strstr(line, "waited for images")) n[0]++;
    if (level == BL_LOG_DEBUG && strstr(line, "ref in fp32")) n[1]++;
}

static void a_run_says_what_it_runs_on_and_waits_for(void **state)
{
    (void)state;
    static const char *const on_ref[] = {"backend=ref", "batch=24", NULL};
    int n[2] = {0};
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(on_ref);
    const bl_trainer_options options = {
        .log = {.write = count_lines, .payload = n, .level = BL_LOG_DEBUG}};
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    run_to_end(t);
    assert_int_equal(n[0], 2); /* epochs */
    assert_int_equal(n[1], 1);
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** The caller's strings may go once the engine is open. */
static void an_engine_keeps_names_of_its_own(void **state)
{
    (void)state;
    char backend[] = "ref", precision[] = "fp32", form[] = "plain";
    bl_engine *e;
    const bl_engine_spec spec = {
        .network = {.model = bl_model_find("resnet20"), .form = form, .h = 6,
                    .w = 5, .c = 1, .n_class = 3},
        .compute = {backend, precision, 1},
        .normalization = {.c = 1, .mean = {0.4371}, .std = {0.2385}},
        .infer_batch = 2};
    ok(bl_engine_open(&e, &spec));
    memset(backend, 'x', 3);
    memset(precision, 'x', 4);
    memset(form, 'x', 5);
    assert_string_equal(e->spec.compute.backend, "ref");
    assert_string_equal(e->spec.compute.precision, "fp32");
    assert_string_equal(e->spec.network.form, "plain");
    bl_engine_free(e);
}

static void impossible_settings_are_refused(void **state)
{
    (void)state;
    const struct { const char *setting, *word; } rows[] = {
        {"model=resnet33", "resnet32"}, {"bbn.sampler=revresed", "reversed"},
        {"bbn.adaptor=parabolc", "parabolic"}, {"batch=100000", "batch"},
        {"schedule=stepp", "step"}, {"backend=reff", "ref"}};
    bl_dataset *const data = make_data(3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const settings[] = {"method=bbn", rows[i].setting, NULL};
        bl_config *const config = make_config(settings);
        bl_trainer *t;
        assert_int_equal(bl_trainer_create(&t, config, data, NULL), BL_EINVAL);
        if (!strstr(bl_error_last()->message, rows[i].word))
            fail_msg("%s: %s", rows[i].setting, bl_error_last()->message);
        bl_config_free(config);
    }
    bl_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loader_threads_have_batches_to_make),
        cmocka_unit_test(loader_threads_change_nothing),
        cmocka_unit_test(stopping_anywhere_changes_nothing),
        cmocka_unit_test(finished_runs_resume_to_their_result),
        cmocka_unit_test(results_are_written_once),
        cmocka_unit_test(a_close_that_failed_is_done_again),
        cmocka_unit_test(an_end_that_failed_is_done_again),
        cmocka_unit_test(a_step_that_failed_is_done_again),
        cmocka_unit_test(evaluation_says_where_it_diverged),
        cmocka_unit_test(other_data_are_refused),
        cmocka_unit_test(lost_checkpoints_are_not_overwritten),
        cmocka_unit_test(empty_records_are_refused),
        cmocka_unit_test(divergence_stops_with_step_and_rate),
        cmocka_unit_test(holdout_keeps_the_test_split_for_the_end),
        cmocka_unit_test(held_out_images_choose_by_class),
        cmocka_unit_test(the_end_of_a_holdout_stops_and_resumes),
        cmocka_unit_test(checkpoints_of_no_place_are_refused),
        cmocka_unit_test(diverged_weights_replace_no_checkpoint),
        cmocka_unit_test(a_diverged_epoch_writes_nothing),
        cmocka_unit_test(divergence_speaks_of_a_checkpoint_that_is_there),
        cmocka_unit_test(another_machine_is_told_of),
        cmocka_unit_test(a_run_says_what_it_runs_on_and_waits_for),
        cmocka_unit_test(an_engine_keeps_names_of_its_own),
        cmocka_unit_test(impossible_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
