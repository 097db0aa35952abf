/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A study trained through the public calls alone; the mean of two networks is
 * that of their logits, and is made anew when a member is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/model.h"
#include "ballast/study.h"
#include "support/sets.h"

enum { TRAIN = 40, TEST = 150, CLASSES = 4 };

static scratch s;
static bl_study *study;

static void good(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

static bl_study *opened(void)
{
    char data[300], out[300];
    const char *const changes[] = {
        "training=uniform,reversed,uniform+reversed", data, "imbalance=1",
        "epochs=6", "lr=0.02", "model=resnet20", "batch=8", "precision=fp32",
        "backend=ref", "threads=1", "augment=none", "seed=5", NULL};
    bl_study *made = NULL;
    (void)snprintf(data, sizeof data, "data=%s", s.folder);
    (void)snprintf(out, sizeof out, "%s/out", s.folder);
    good(bl_study_open(&made, "bbn-ensembles", out, changes));
    return made;
}

static int set_up(void **state)
{
    (void)state;
    scratch_make(&s);
    sets_put_idx(s.folder, "train", 0, TRAIN, CLASSES);
    sets_put_idx(s.folder, "t10k", 1, TEST, CLASSES);
    study = opened();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bl_study_free(study);
    scratch_remove(&s);
    return 0;
}

static void train(int64_t i)
{
    bl_config *config = NULL;
    bl_dataset *data = NULL;
    bl_split *validation = NULL;
    bl_trainer *trainer = NULL;
    bl_status status;
    const bl_trainer_options none = {0};
    good(bl_study_config(&config, study, i));
    good(bl_train_data(&data, &validation, config));
    good(bl_study_trainer(&trainer, study, i, data, &none));
    while ((status = bl_trainer_step(trainer)) == BL_OK) continue;
    good(status);
    bl_trainer_free(trainer);
    bl_dataset_free(data);
    bl_config_free(config);
    good(bl_study_look(study, i));
    assert_int_equal(bl_study_cell_at(study, i)->state, BL_CELL_FINISHED);
}

/* Logits of a cell's weights on the test images. */
static void logits(float z[TEST][CLASSES], int64_t i, const bl_split *test)
{
    const bl_compute compute = {"ref", "fp32", 1};
    bl_classifier *c = NULL;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/last.safetensors",
                   bl_study_cell_at(study, i)->folder);
    good(bl_classifier_open(&c, path, &compute));
    good(bl_classifier_logits(c, test->pixels, test->n, &z[0][0]));
    bl_classifier_free(c);
}

/* Error of the sum of both, counted by hand. */
static double counted_error(void)
{
    static float a[TEST][CLASSES], b[TEST][CLASSES];
    bl_dataset *data = NULL;
    int wrong = 0;
    good(bl_dataset_open(&data, s.folder, NULL));
    logits(a, 0, data->test);
    logits(b, 1, data->test);
    for (int i = 0; i < TEST; i++) {
        int top = 0;
        for (int c = 1; c < CLASSES; c++)
            if (a[i][c] + b[i][c] > a[i][top] + b[i][top]) top = c;
        wrong += top != data->test->labels[i];
    }
    bl_dataset_free(data);
    return (double)wrong / TEST;
}

static void mean_is_that_of_logits(void **state)
{
    (void)state;
    assert_int_equal(bl_study_cells(study), 3);
    assert_int_equal(bl_study_average(study, 2), BL_EINVAL);
    train(0);
    assert_int_equal(bl_study_average(study, 2), BL_EINVAL);
    train(1);
    good(bl_study_average(study, 2));
    const bl_cell *const cell = bl_study_cell_at(study, 2);
    assert_int_equal(cell->state, BL_CELL_FINISHED);
    const double wanted = counted_error();
    /* Worth nothing if the mean were one of its members. */
    assert_true(wanted != bl_study_cell_at(study, 0)->error_last);
    assert_true(wanted != bl_study_cell_at(study, 1)->error_last);
    if (cell->error_last != wanted)
        fail_msg("found %g, wanted %g", cell->error_last, wanted);
}

static void mean_of_other_results_is_stale(void **state)
{
    (void)state;
    char path[1024], text[65536];
    (void)snprintf(path, sizeof path, "%s/result.json",
                   bl_study_cell_at(study, 1)->folder);
    const size_t n = scratch_get(path, text, sizeof text - 1);
    text[n] = '\0';
    char *const at = strstr(text, "\"test_error_last\": 0.");
    assert_non_null(at);
    at[21] = at[21] == '1' ? '2' : '1';
    scratch_put(path, text, n);
    bl_study_free(study);
    study = opened();
    assert_int_equal(bl_study_cell_at(study, 1)->state, BL_CELL_FINISHED);
    assert_int_equal(bl_study_cell_at(study, 2)->state, BL_CELL_MISSING);
    good(bl_study_average(study, 2));
    assert_int_equal(bl_study_cell_at(study, 2)->state, BL_CELL_FINISHED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_is_that_of_logits),
        cmocka_unit_test(mean_of_other_results_is_stale),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
