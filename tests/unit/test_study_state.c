/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the folder of a cell decides whether it is trained, goes on
 * or is done, and nothing is taken for it that is another's.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/runs_by_hand.h"

static void states_are_found(void **state)
{
    (void)state;
    bl_study *study = written(three_seeds);
    finish(study, 0, 0.25, 0.2);
    begin(study, 1);
    put(study, 1, "metrics.jsonl",
        "{\"epoch\":1,\"samples_per_second\":11}\n"
        "{\"epoch\":2,\"samples_per_second\":22}\n{\"epoch\":3,\"sam");
    bl_study_free(study);

    study = written(three_seeds);
    const bl_cell *cell = bl_study_cell_at(study, 0);
    assert_int_equal(cell->state, BL_CELL_FINISHED);
    assert_true(cell->error_last == 0.25);
    assert_true(cell->error_best == 0.2);
    assert_int_equal(cell->best_epoch, 7);
    assert_int_equal(cell->epoch, 30);
    assert_true(cell->seconds == 12.5);
    assert_true(cell->samples_per_second == 345.25);
    cell = bl_study_cell_at(study, 1);
    assert_int_equal(cell->state, BL_CELL_BEGUN);
    assert_int_equal(cell->epoch, 2);
    assert_true(cell->samples_per_second == 22);
    assert_true(isnan(cell->error_last));
    assert_int_equal(bl_study_cell_at(study, 2)->state, BL_CELL_MISSING);
    bl_study_free(study);
}

static void another_study_shares_cells(void **state)
{
    (void)state;
    bl_study *const first = written(three_seeds);
    finish(first, 3, 0.5, 0.25);
    bl_study_free(first);
    bl_study *const second = written(
        "grid: {seed: [0, 5]}\n"
        "base: {method: bbn, data: /nowhere/set, epochs: 30}\n");
    assert_int_equal(bl_study_cell_at(second, 0)->state, BL_CELL_FINISHED);
    assert_int_equal(bl_study_cell_at(second, 1)->state, BL_CELL_MISSING);
    bl_study_free(second);
}

static void changed_run_is_told(void **state)
{
    (void)state;
    char path[1024], text[8192];
    bl_study *const study = written(three_seeds);
    finish(study, 4, 0.5, 0.5);
    (void)snprintf(path, sizeof path, "%s/run.yaml",
                   bl_study_cell_at(study, 4)->folder);
    const size_t n = scratch_get(path, text, sizeof text - 1);
    text[n] = '\0';
    char *const at = strstr(text, "\nlr: 0.1\n");
    assert_non_null(at);
    at[7] = '3';
    scratch_put(path, text, n);
    assert_int_equal(bl_study_look(study, 4), BL_OK);
    const bl_cell *const cell = bl_study_cell_at(study, 4);
    assert_int_equal(cell->state, BL_CELL_BROKEN);
    assert_non_null(strstr(cell->problem, "lr is \"0.3\", wanted \"0.1\""));
    const bl_trainer_options none = {0};
    bl_trainer *trainer = NULL;
    assert_int_equal(bl_study_trainer(&trainer, study, 4, NULL, &none),
                     BL_EEXIST);
    bl_study_free(study);
}

static void threads_do_not_part_runs(void **state)
{
    (void)state;
    bl_study *const study = written(three_seeds);
    finish(study, 0, 0.5, 0.5);
    bl_study_free(study);
    const char *const changes[] = {"threads=7", "data-dir=/elsewhere",
                                   "checkpoint.minutes=3", NULL};
    bl_study *const again = opened(scratch_path(&s, "own.yaml"), changes);
    assert_int_equal(bl_study_cell_at(again, 0)->state, BL_CELL_FINISHED);
    bl_study_free(again);
}

/* A key that a cell does not read keeps no result from it, and two cells that
 * differ in nothing else are one run. */
static void idle_keys_do_not_part_runs(void **state)
{
    (void)state;
    bl_study *const study = opened("two-stage", NULL);
    finish(study, 0, 0.5, 0.5);
    finish(study, 3, 0.5, 0.5);
    bl_study_free(study);
    const char *const changes[] = {"stage2.norm=frozen", NULL};
    bl_study *const again = opened("two-stage", changes);
    assert_int_equal(bl_study_cell_at(again, 0)->state, BL_CELL_FINISHED);
    assert_int_equal(bl_study_cell_at(again, 3)->state, BL_CELL_MISSING);
    bl_study_free(again);
    bl_study *const grid = written("base: {data: /nowhere/set}\n"
                                   "grid: {method: [ce, focal], "
                                   "loss.gamma: [1, 2]}\n");
    assert_string_equal(bl_study_cell_at(grid, 0)->folder,
                        bl_study_cell_at(grid, 1)->folder);
    assert_string_not_equal(bl_study_cell_at(grid, 2)->folder,
                            bl_study_cell_at(grid, 3)->folder);
    finish(grid, 1, 0.25, 0.25);
    assert_int_equal(bl_study_look(grid, 0), BL_OK);
    assert_int_equal(bl_study_cell_at(grid, 0)->state, BL_CELL_FINISHED);
    bl_study_free(grid);
}

/* Names counted every key once; what lies under such a name is taken. */
static void earlier_names_are_found(void **state)
{
    (void)state;
    static const char yaml[] = "base: {data: /nowhere/set, loss.gamma: 7}\n"
                               "grid: {method: ce}\n";
    char path[1024], *name = NULL;
    bl_config *config = NULL;
    bl_study *study = written(yaml);
    finish(study, 0, 0.5, 0.25);
    assert_int_equal(bl_study_config(&config, study, 0), BL_OK);
    assert_int_equal(bl_cell_name(&name, config, NULL, NULL), BL_OK);
    (void)snprintf(path, sizeof path, "%s/dir/cells/%s", s.folder, name);
    assert_string_not_equal(bl_study_cell_at(study, 0)->folder, path);
    assert_int_equal(rename(bl_study_cell_at(study, 0)->folder, path), 0);
    bl_study_free(study);
    study = written(yaml);
    assert_string_equal(bl_study_cell_at(study, 0)->folder, path);
    assert_int_equal(bl_study_cell_at(study, 0)->state, BL_CELL_FINISHED);
    bl_config_free(config);
    bl_free(name);
    bl_study_free(study);
}

static void damaged_results_are_told(void **state)
{
    (void)state;
    static const struct { const char *result, *message; } rows[] = {
        {"", "result.json"},
        {"{\"test_error_last\": 0.1", "result.json"},
        {"[]", "test_error_last is missing"},
        {"{\"test_error_last\": null}", "test_error_last is missing"},
        {"{\"test_error_last\": 1.5}", "not in [0, 1]"},
        {"{\"test_error_last\": \"0.1\"}", "test_error_last is missing"},
    };
    bl_study *const study = written(three_seeds);
    begin(study, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(study, 0, "result.json", rows[i].result);
        assert_int_equal(bl_study_look(study, 0), BL_OK);
        const bl_cell *const cell = bl_study_cell_at(study, 0);
        assert_int_equal(cell->state, BL_CELL_BROKEN);
        if (strstr(cell->problem, rows[i].message) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", cell->problem,
                     rows[i].message);
        assert_non_null(strstr(cell->problem, "; move the folder away to "));
    }
    /* The trained weights are there, so the result alone is to go. */
    put(study, 0, "resume.previous.safetensors", "");
    assert_int_equal(bl_study_look(study, 0), BL_OK);
    assert_non_null(strstr(bl_study_cell_at(study, 0)->problem,
                           "; remove that file alone, and the next start"));
    bl_study_free(study);
}

static void run_without_its_settings_is_told(void **state)
{
    (void)state;
    char path[1024];
    bl_study *const study = written(three_seeds);
    const bl_cell *const cell = bl_study_cell_at(study, 2);
    begin(study, 2);
    (void)snprintf(path, sizeof path, "%s/run.yaml", cell->folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(bl_study_look(study, 2), BL_OK);
    assert_int_equal(cell->state, BL_CELL_MISSING);
    put(study, 2, "last.safetensors", "weights");
    assert_int_equal(bl_study_look(study, 2), BL_OK);
    assert_int_equal(cell->state, BL_CELL_BROKEN);
    assert_non_null(strstr(cell->problem, "run.yaml: missing, but "
                           "last.safetensors is there; move the folder away"));
    bl_study_free(study);
}

/* Without a checkpoint its run.yaml would look for weights where the parent
 * lay.  What has noted more epochs is not thrown away. */
static void begun_second_stage_is_made_anew(void **state)
{
    (void)state;
    static const struct { const char *name, *text; int anew; } rows[] = {
        {"metrics.jsonl", "{\"epoch\": 1}\n", 1},
        {"metrics.jsonl", "{\"epoch\": 1}\n{\"epoch\": 2}\n", 0},
        {"metrics.jsonl", "", 1},
        {"resume.safetensors", "", 0},
    };
    bl_study *const study = opened("two-stage", NULL);
    const bl_cell *const cell = bl_study_cell_at(study, 5);
    finish(study, 0, 0.5, 0.5);
    begin(study, 5);
    begin(study, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(study, 5, rows[i].name, rows[i].text);
        assert_int_equal(bl_study_look(study, 5), BL_OK);
        assert_int_equal(cell->state, BL_CELL_BEGUN);
        assert_int_equal(cell->anew, rows[i].anew);
    }
    assert_int_equal(bl_study_look(study, 1), BL_OK);
    assert_int_equal(bl_study_cell_at(study, 1)->state, BL_CELL_BEGUN);
    assert_int_equal(bl_study_cell_at(study, 1)->anew, 0);
    bl_study_free(study);
}

static void second_stage_waits(void **state)
{
    (void)state;
    const bl_trainer_options none = {0};
    bl_trainer *trainer = NULL;
    bl_study *const study = opened("two-stage", NULL);
    assert_int_equal(bl_study_trainer(&trainer, study, 5, NULL, &none),
                     BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message,
                           "needs cell ce, seed 0, which is not finished"));
    finish(study, 0, 0.5, 0.5);
    finish(study, 5, 0.25, 0.25);
    bl_study_free(study);
    /* The study may lie elsewhere later, or be named otherwise. */
    char from[300], to[300];
    (void)snprintf(from, sizeof from, "%s/dir", s.folder);
    (void)snprintf(to, sizeof to, "%s/moved", s.folder);
    assert_int_equal(rename(from, to), 0);
    bl_study *moved = NULL;
    assert_int_equal(bl_study_open(&moved, "two-stage", to, NULL), BL_OK);
    assert_int_equal(bl_study_cell_at(moved, 5)->state, BL_CELL_FINISHED);
    bl_study_free(moved);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(states_are_found),
        TEST(another_study_shares_cells),
        TEST(changed_run_is_told),
        TEST(threads_do_not_part_runs),
        TEST(idle_keys_do_not_part_runs),
        TEST(earlier_names_are_found),
        TEST(damaged_results_are_told),
        TEST(run_without_its_settings_is_told),
        TEST(begun_second_stage_is_made_anew),
        TEST(second_stage_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
