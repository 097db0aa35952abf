/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study.h: what the files of the command "study" share.
 *
 *   cmd_study.c    options, the way through, the table at the end
 *   study_run.c    trains the cells one after another in this process
 *   study_jobs.c   trains several at once, each in a process of its own
 *   study_pace.c   how long cells take
 */
#ifndef BL_CLI_STUDY_H
#define BL_CLI_STUDY_H

#include "cli.h"

/** Cells of one method and model, which run at one speed. */
typedef struct study_group {
    char key[256];        /* texts of what decides the speed          */
    char method[64], model[64], precision[16];
    double rate;          /* samples a second; 0: not known           */
    double sum;           /* of the rates of n_known cells            */
    int64_t n_known;
    int timed;            /* by steps made here, not by cells of DIR  */
} study_group;

enum { STUDY_GROUPS = 128 };

/** A study at work. */
typedef struct study_job {
    const cli_args *args;
    bl_study *study;
    int64_t n;                 /* cells                                    */
    int quiet;
    int64_t jobs;
    unsigned char *failed;     /* [n] in this call                         */
    unsigned char *busy;       /* [n] another process was at work on it    */
    int64_t n_failed;
    double *work;              /* [n] samples that a whole run computes    */
    int *group;                /* [n] index of its group, -1: none         */
    study_group groups[STUDY_GROUPS];
    int n_groups;
} study_job;

/* ---- study_pace.c ------------------------------------------------------- */

/** Opens the data of every cell that is to be trained, for their sizes, and
 *  checks the cell: what is missing, and what cannot be trained, is found
 *  before anything is. */
int study_pace_open(study_job *j);
/** Takes the speed of a cell that was trained. */
void study_pace_learn(study_job *j, int64_t i);
/** Takes a speed that a cell shows, while none of its kind has finished. */
void study_pace_hint(study_job *j, int64_t i, double rate);
/** Seconds that cell i still takes; NaN where no speed is known. */
double study_pace_left(const study_job *j, int64_t i);
/** Seconds of all cells but those that run ([n], may be NULL); a speed that
 *  nobody knows is taken as the mean of the others. */
double study_pace_rest(const study_job *j, const unsigned char *running);
/** Prints cells, state and time; times what was never run. */
int study_pace_print(study_job *j);

/* ---- study_run.c, study_jobs.c ------------------------------------------ */

/** Trains what is not finished; gives CLI_DONE or 128 + a signal. */
int study_run(study_job *j);
int study_run_jobs(study_job *j);

/** Threads of one job of several where nobody says: its share of the cores. */
int64_t study_share(const study_job *j);

/** Can cell i be worked at: not finished, not failed, not left to another
 *  process, and all it needs is there?  A cell that needs a failed one, or is
 *  the same run, fails too, and says so; one that is the same run as another
 *  waits for that to finish. */
int study_ready(study_job *j, int64_t i);
/** Notes that a cell failed and says why, on one line. */
void study_fail(study_job *j, int64_t i, const char *why);
/** Notes that a cell is left to another process, and says so. */
void study_leave(study_job *j, int64_t i);
/** Says that a cell is finished, with its error and the time left. */
void study_done(study_job *j, int64_t i, double left);
/** Makes a cell that is a mean. */
void study_average(study_job *j, int64_t i);

#endif
