/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study_run.c: trains the cells of a study one after another in this process.
 *
 * Between two steps a signal is looked for, as in a single run; the cell at
 * work is checkpointed and the next call goes on inside it.
 */
#include <stdlib.h>

#include "study.h"

/** The cell at work. */
typedef struct cell_run {
    study_job *j;
    int64_t i;
    unsigned char *running;   /* [n], this cell alone */
    bl_config *config;
    bl_dataset *data;
    bl_split *validation;
    bl_trainer *trainer;
    cli_progress progress;
    char lead[64];
} cell_run;

static bl_status open_cell(cell_run *r)
{
    const bl_study *study = r->j->study;
    (void)snprintf(r->lead, sizeof r->lead, "cell %lld/%lld",
                   (long long)r->i + 1, (long long)r->j->n);
    r->progress.lead = r->lead;
    bl_status status = bl_study_config(&r->config, study, r->i);
    if (status == BL_OK)
        status = bl_train_data(&r->data, &r->validation, r->config);
    if (status < 0) return status;
    const bl_trainer_options with = {
        .log = {.write = cli_progress_log, .payload = &r->progress,
                .level = BL_LOG_WARNING},
        .validation = r->validation,
    };
    status = bl_study_trainer(&r->trainer, study, r->i, r->data, &with);
    if (status < 0) return status;
    cli_progress_begin(&r->progress, r->j->quiet, r->config, r->trainer);
    return BL_OK;
}

/** Seconds of the cells behind this one, by the speed it shows. */
static double later(const cell_run *r)
{
    bl_progress now;
    bl_trainer_progress(r->trainer, &now);
    study_pace_hint(r->j, r->i, now.samples_per_second);
    return study_pace_rest(r->j, r->running);
}

static bl_status iterate(cell_run *r)
{
    bl_status status;
    int64_t epoch = -1;
    while ((status = bl_trainer_step(r->trainer)) == BL_OK) {
        bl_progress now;
        bl_trainer_progress(r->trainer, &now);
        if (now.epoch != epoch || now.evaluating) {
            epoch = now.epoch;
            r->progress.later = later(r);
        }
        cli_progress_show(&r->progress, r->trainer);
        if (!cli_stop_signal()) continue;
        cli_progress_end(&r->progress);
        return bl_trainer_checkpoint(r->trainer);
    }
    cli_progress_show(&r->progress, r->trainer);
    cli_progress_end(&r->progress);
    return status;
}

static void close_cell(cell_run *r)
{
    bl_trainer_free(r->trainer);
    bl_split_free(r->validation);
    bl_dataset_free(r->data);
    bl_config_free(r->config);
}

static void run_cell(study_job *j, int64_t i, unsigned char *running)
{
    cell_run r = {.j = j, .i = i, .running = running};
    char why[512] = "";
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    if (!j->quiet)
        (void)fprintf(stderr, "cell %lld/%lld  %s\n", (long long)i + 1,
                      (long long)j->n, cell->label);
    running[i] = 1;
    bl_status status = open_cell(&r);
    if (status == BL_OK) status = iterate(&r);
    if (status < 0)
        (void)snprintf(why, sizeof why, "%s", bl_error_last()->message);
    running[i] = 0;
    close_cell(&r);
    if (bl_study_look(j->study, i) < 0 && status >= 0) {
        status = bl_error_last()->status;
        (void)snprintf(why, sizeof why, "%s", bl_error_last()->message);
    }
    if (status == BL_EBUSY) {
        study_leave(j, i);
    } else if (status < 0) {
        study_fail(j, i, why);
    } else if (status == BL_END) {
        study_pace_learn(j, i);
        study_done(j, i, study_pace_rest(j, NULL));
    }
}

int study_run(study_job *j)
{
    unsigned char *running = calloc((size_t)j->n, sizeof *running);
    if (!running) return cli_say(j->args, CLI_FAILED, "out of memory");
    for (int64_t i = 0; i < j->n && !cli_stop_signal(); i++) {
        /* Another cell may have been the same run, or another process at
         * work on it. */
        if (bl_study_cell_at(j->study, i)->state != BL_CELL_FINISHED &&
            bl_study_look(j->study, i) < 0)
            study_fail(j, i, bl_error_last()->message);
        if (!study_ready(j, i)) continue;
        if (bl_study_cell_at(j->study, i)->average)
            study_average(j, i);
        else
            run_cell(j, i, running);
    }
    free(running);
    return cli_stop_signal() ? 128 + cli_stop_signal() : CLI_DONE;
}
