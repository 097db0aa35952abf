/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_resume.c: what a resumed run is told where its folder is not as it was
 * left: settings changed, checkpoints of another run, best weights missing or
 * of another epoch.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "core/file.h"
#include "support/bars.h"
#include "support/scratch.h"
#include "train/trainer.h"

static const char *const bbn[] = {"method=bbn", NULL};

static void says(const char *part)
{
    if (strstr(bl_error_last()->message, part) == NULL)
        fail_msg("'%s' is not in: %s", part, bl_error_last()->message);
}

/** A run in a folder of its own, stopped after a step with a checkpoint. */
typedef struct stopped {
    scratch at;
    bl_dataset *data;
    bl_split *validation; /* NULL without a holdout */
    bl_trainer_options options;
} stopped;

static bl_trainer *begin(stopped *s, bool holdout)
{
    bl_config *const config = make_config(bbn);
    bl_trainer *t;
    *s = (stopped){.data = make_data(3)};
    scratch_make(&s->at);
    if (holdout) s->validation = cut_validation(s->data);
    s->options = (bl_trainer_options){.run_dir = s->at.folder,
                                      .validation = s->validation};
    ok(bl_trainer_create(&t, config, s->data, &s->options));
    bl_config_free(config);
    return t;
}

static void stop(stopped *s)
{
    bl_trainer *const t = begin(s, false);
    ok(bl_trainer_step(t));
    ok(bl_trainer_checkpoint(t));
    bl_trainer_free(t);
}

static bl_status resume(stopped *s)
{
    bl_trainer *t;
    const bl_status status = bl_trainer_resume(&t, s->data, &s->options);
    if (status == BL_OK) bl_trainer_free(t);
    return status;
}

static void clean(stopped *s)
{
    bl_split_free(s->validation);
    bl_dataset_free(s->data);
    scratch_remove(&s->at);
}

/** Puts `to` in place of `from` in run.yaml. */
static void alter(stopped *s, const char *from, const char *to)
{
    char *yaml, altered[8192];
    size_t bytes;
    const char *const path = scratch_path(&s->at, "run.yaml");
    ok(bl_file_read(&yaml, &bytes, path, sizeof altered - 100));
    const char *const found = strstr(yaml, from);
    assert_non_null(found);
    const int n = snprintf(altered, sizeof altered, "%.*s%s%s",
                           (int)(found - yaml), yaml, to,
                           found + strlen(from));
    ok(bl_file_write(path, altered, (size_t)n));
    bl_free(yaml);
}

/** Gives another name to an entry of metadata, of the same length. */
static void rename_entry(char *header, const char *name)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    char *const entry = strstr(header, quoted);
    assert_non_null(entry);
    memcpy(entry + 1, "before", 6);
}

/** Takes from a checkpoint what older builds did not write. */
static void make_old(const char *path)
{
    static const char check[] = "\"ballast.xxh3\":\"";
    char *bytes, hex[17];
    size_t n;
    ok(bl_file_read(&bytes, &n, path, 1 << 24));
    char *const digits = strstr(bytes + 8, check) + sizeof check - 1;
    rename_entry(bytes + 8, "resume.settings");
    rename_entry(bytes + 8, "resume.last_balanced_error");
    memset(digits, '0', 16);
    (void)snprintf(hex, sizeof hex, "%016" PRIx64,
                   (uint64_t)XXH3_64bits(bytes + 8, n - 8));
    memcpy(digits, hex, 16);
    ok(bl_file_write(path, bytes, n));
    bl_free(bytes);
}

/* ---- settings ------------------------------------------------------------ */

static void changed_settings_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\nlr: 0.05\n", "\nlr: 0.06\n"}, {"\nseed: 0\n", "\nseed: 4\n"},
        {"\nepochs: 2\n", "\nepochs: 3\n"}};
    stopped s;
    stop(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        alter(&s, rows[i][0], rows[i][1]);
        assert_int_equal(resume(&s), BL_EFORMAT);
        says("run.yaml: was changed since ");
        says("resume.safetensors was written");
        says("start a new run with --config");
        alter(&s, rows[i][1], rows[i][0]);
        ok(resume(&s));
    }
    clean(&s);
}

static void how_a_run_is_made_may_change(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\nloader.threads: 1\n", "\nloader.threads: 2\n"},
        {"\ncheckpoint.minutes: 0\n", "\ncheckpoint.minutes: 7\n"},
        {"\nmany-above: 100\n", "\nmany-above: 50\n"},
        {"\nfew-below: 20\n", "\nfew-below: 21\n"},
        {"\ndata-dir: \"\"\n", "\ndata-dir: elsewhere\n"}};
    stopped s;
    stop(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        alter(&s, rows[i][0], rows[i][1]);
    ok(resume(&s));
    clean(&s);
}

static void older_checkpoints_go_on(void **state)
{
    (void)state;
    stopped s;
    stop(&s);
    make_old(scratch_path(&s.at, "resume.safetensors"));
    ok(resume(&s));
    alter(&s, "\nlr: 0.05\n", "\nlr: 0.06\n");
    ok(resume(&s));
    clean(&s);
}

/** A checkpoint of another run and model in place of the run's own. */
static void other_runs_are_refused(void **state)
{
    (void)state;
    static const char *const plain[] = {"method=ce", "epochs=1", NULL};
    char folder[600], theirs[700];
    float z[21 * CLASSES];
    stopped s;
    stop(&s);
    (void)snprintf(folder, sizeof folder, "%s/other", s.at.folder);
    (void)snprintf(theirs, sizeof theirs, "%s/resume.safetensors", folder);
    train(plain, folder, z);
    const char *const mine = scratch_path(&s.at, "resume.safetensors");
    assert_int_equal(rename(theirs, mine), 0);
    assert_int_equal(resume(&s), BL_EFORMAT);
    says("or that is another run's");
    make_old(mine);
    assert_int_equal(resume(&s), BL_EFORMAT);
    says("another model");
    clean(&s);
}

static void unknown_settings_name_their_file(void **state)
{
    (void)state;
    stopped s;
    stop(&s);
    alter(&s, "\nsampler: permutation\n", "\nsampler: permu\n");
    assert_int_equal(resume(&s), BL_EINVAL);
    says("/run.yaml:");
    says(": sampler: permu is unknown");
    assert_null(strstr(bl_error_last()->message, "run.yaml: "));
    clean(&s);
}

/** The newest is damaged, the one before it of no place in the run. */
static void the_checkpoint_taken_is_named(void **state)
{
    (void)state;
    stopped s;
    bl_trainer *const t = begin(&s, false);
    t->at.phase = BL_PHASE_DONE;
    ok(bl_trainer_checkpoint(t));
    ok(bl_trainer_checkpoint(t));
    bl_trainer_free(t);
    scratch_put(scratch_path(&s.at, "resume.safetensors"), "", 0);
    assert_int_equal(resume(&s), BL_EFORMAT);
    says("/resume.previous.safetensors: phase 4");
    clean(&s);
}

/* ---- best weights -------------------------------------------------------- */

/** Copies the best weights that a trainer keeps. */
static float *copy_best(const bl_trainer *t)
{
    const size_t bytes =
        (size_t)t->engine->params->n_trained * sizeof(float);
    float *const copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, t->best_w, bytes);
    return copy;
}

/** Killed behind the checkpoint that closes the best epoch: its weights stand
 *  in that checkpoint, and not yet in their own file. */
static void best_weights_come_from_their_checkpoint(void **state)
{
    (void)state;
    static const char *const lost[] = {NULL, "", "not safetensors"};
    stopped s;
    char *before, *after;
    size_t n, m;
    bl_trainer *t = begin(&s, true);
    while (t->at.last_epoch < 1) ok(bl_trainer_step(t));
    float *const kept = copy_best(t);
    bl_trainer_free(t);
    ok(bl_file_read(&before, &n, scratch_path(&s.at, "best.safetensors"),
                    1 << 24));
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        const char *const path = scratch_path(&s.at, "best.safetensors");
        assert_int_equal(remove(path), 0);
        if (lost[i]) scratch_put(path, lost[i], strlen(lost[i]));
        ok(bl_trainer_resume(&t, s.data, &s.options));
        assert_int_equal(t->at.best_epoch, 1);
        assert_memory_equal(t->best_w, kept,
                            (size_t)t->engine->params->n_trained *
                                sizeof *kept);
        bl_trainer_free(t);
        ok(bl_file_read(&after, &m, path, 1 << 24));
        assert_int_equal(m, n);
        assert_memory_equal(after, before, n);
        bl_free(after);
    }
    bl_free(before);
    free(kept);
    clean(&s);
}

static void keep_warning(void *payload, bl_log_level level, const char *line)
{
    if (level == BL_LOG_WARNING)
        (void)snprintf(payload, 512, "%.400s", line);
}

/** Best weights of an epoch that the checkpoint knows nothing of. */
static void other_best_weights_are_not_taken(bool holdout)
{
    char line[512] = "";
    stopped s;
    bl_trainer *t = begin(&s, holdout);
    while (t->at.last_epoch < 1) ok(bl_trainer_step(t));
    ok(bl_trainer_step(t));
    ok(bl_trainer_checkpoint(t));
    t->at.last_epoch = 2;
    ok(bl_trainer_save(t, scratch_path(&s.at, "best.safetensors")));
    bl_trainer_free(t);
    s.options.log = (bl_log){.write = keep_warning, .payload = line};
    ok(bl_trainer_resume(&t, s.data, &s.options));
    assert_non_null(strstr(line, "weights of epoch 2, not of epoch 1"));
    assert_int_equal(t->at.best_epoch, holdout ? 0 : 1);
    run_to_end(t);
    if (holdout) assert_int_equal(t->at.best_epoch, 2);
    bl_trainer_free(t);
    clean(&s);
}

static void best_weights_of_another_epoch_are_not_taken(void **state)
{
    (void)state;
    other_best_weights_are_not_taken(true);
    other_best_weights_are_not_taken(false);
}

/** Without a holdout they are for the user alone: the run goes on. */
static void lost_best_weights_are_told(void **state)
{
    (void)state;
    char line[512] = "";
    stopped s;
    bl_trainer *t = begin(&s, false);
    while (t->at.last_epoch < 1) ok(bl_trainer_step(t));
    ok(bl_trainer_step(t));
    ok(bl_trainer_checkpoint(t));
    bl_trainer_free(t);
    assert_int_equal(remove(scratch_path(&s.at, "best.safetensors")), 0);
    s.options.log = (bl_log){.write = keep_warning, .payload = line};
    ok(bl_trainer_resume(&t, s.data, &s.options));
    assert_non_null(strstr(line, "weights of epoch 1, the best so far, are "
                                 "lost: "));
    assert_int_equal(t->at.best_epoch, 1);
    run_to_end(t);
    bl_trainer_free(t);
    clean(&s);
}

/** With the last epoch closed, no other can take its place. */
static void best_weights_of_another_epoch_end_a_finished_run(void **state)
{
    (void)state;
    stopped s;
    bl_trainer *t = begin(&s, true);
    while (t->at.phase < BL_PHASE_FINAL) ok(bl_trainer_step(t));
    t->at.best_epoch = 1;
    ok(bl_trainer_checkpoint(t));
    ok(bl_trainer_save(t, scratch_path(&s.at, "best.safetensors")));
    bl_trainer_free(t);
    assert_int_equal(resume(&s), BL_EFORMAT);
    says("best.safetensors: weights of epoch 2, wanted those of epoch 1");
    clean(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_settings_are_refused),
        cmocka_unit_test(how_a_run_is_made_may_change),
        cmocka_unit_test(older_checkpoints_go_on),
        cmocka_unit_test(other_runs_are_refused),
        cmocka_unit_test(unknown_settings_name_their_file),
        cmocka_unit_test(the_checkpoint_taken_is_named),
        cmocka_unit_test(best_weights_come_from_their_checkpoint),
        cmocka_unit_test(best_weights_of_another_epoch_are_not_taken),
        cmocka_unit_test(lost_best_weights_are_told),
        cmocka_unit_test(best_weights_of_another_epoch_end_a_finished_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
