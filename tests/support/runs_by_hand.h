/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runs_by_hand.h: cells of a study in a scratch folder, made without training:
 * run.yaml by the library, result.json and metrics.jsonl as text.
 */
#ifndef BL_TESTS_RUNS_BY_HAND_H
#define BL_TESTS_RUNS_BY_HAND_H

#include "study/study.h"
#include "support/each_scratch.h"
#include "train/run.h"

static bl_study *opened(const char *name, const char *const *changes)
{
    bl_study *study = NULL;
    char folder[300];
    (void)snprintf(folder, sizeof folder, "%s/dir", s.folder);
    if (bl_study_open(&study, name, folder, changes) < 0)
        fail_msg("%s", bl_error_last()->message);
    return study;
}

static bl_study *written(const char *yaml)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_path(&s, "own.yaml"));
    scratch_put(path, yaml, strlen(yaml));
    return opened(path, NULL);
}

static void begin(const bl_study *study, int64_t i)
{
    static const bl_run_facts facts = {"a1 b2", "ref", "fp32", "none"};
    bl_config *config = NULL;
    bl_run *run = NULL;
    assert_int_equal(bl_study_config(&config, study, i), BL_OK);
    if (bl_run_create(&run, bl_study_cell_at(study, i)->folder, 0, config,
                      &facts) < 0)
        fail_msg("%s", bl_error_last()->message);
    bl_run_free(run);
    bl_config_free(config);
}

static void put(const bl_study *study, int64_t i, const char *name,
                const char *text)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s",
                   bl_study_cell_at(study, i)->folder, name);
    scratch_put(path, text, strlen(text));
}

static void finish(bl_study *study, int64_t i, double last, double best)
{
    char text[256];
    begin(study, i);
    (void)snprintf(text, sizeof text, "{\"test_error_last\": %.17g, "
                   "\"test_error_best\": %.17g, \"best_epoch\": 7, "
                   "\"seconds\": 12.5, \"samples_per_second\": 345.25}\n",
                   last, best);
    put(study, i, "result.json", text);
    assert_int_equal(bl_study_look(study, i), BL_OK);
    assert_int_equal(bl_study_cell_at(study, i)->state, BL_CELL_FINISHED);
}

static const char three_seeds[] =
    "base: {data: /nowhere/set, epochs: 30}\n"
    "grid: {method: [ce, bbn], seed: [0, 1, 2]}\n";

#endif
