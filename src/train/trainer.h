/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer.h: the state of a run, shared by the files of the trainer.
 *
 *   trainer.c        builds and releases it
 *   trainer_step.c   one piece of work: training step, evaluation, closing
 *   trainer_state.c  checkpoint and resume
 *   trainer_report.c progress, result, weights and logits for the caller
 *
 * Phases.  TRAIN (step 0 .. steps) -> EVAL (images 0 .. n) -> the epoch is
 * closed -> TRAIN of the next epoch, or after the last one, with a holdout,
 * FINAL (the test split, once), then DONE.
 */
#ifndef BL_TRAIN_TRAINER_H
#define BL_TRAIN_TRAINER_H

#include "ballast/train.h"
#include "core/text.h"
#include "data/loader.h"
#include "nn/engine.h"
#include "train/run.h"

typedef enum bl_phase {
    BL_PHASE_TRAIN = 0,
    BL_PHASE_EVAL = 1,
    BL_PHASE_FINAL = 2,
    BL_PHASE_DONE = 3
} bl_phase;

/** What an exact resume must know beside the tensors. */
typedef struct bl_counters {
    int64_t phase, epoch, step;       /* 1-based epoch; step: done in it  */
    double loss_sum, wrong_sum, alpha_sum, samples; /* of this epoch       */
    double epoch_seconds, epoch_train_seconds;
    double best_error;                /* of the epochs so far; > 1: none  */
    int64_t best_epoch;
    double seconds, train_seconds, train_samples; /* of the whole run     */
    double last_lr, last_alpha, last_loss, last_train_error,
        last_test_error, last_seconds, last_rate;  /* last closed epoch    */
    int64_t last_epoch;
} bl_counters;

struct bl_trainer {
    bl_config *config;
    const bl_dataset *data;
    const bl_split *judge;      /* evaluated every epoch                  */
    bool holdout;               /* judge is not the test split            */
    bl_log log;
    const bl_method_type *method;
    const bl_schedule_type *schedule;
    const bl_adaptor_type *adaptor; /* NULL where the form has no branches */
    uint64_t seed;
    int64_t epochs, batch, steps;
    bl_sgd_desc sgd;
    int64_t *train_n;           /* [C] training counts                    */
    bl_sampler *samplers[2];
    bl_loader *loader;
    bool loading;               /* the loader is in this epoch            */
    bl_engine *engine;
    bl_run *run;                /* NULL: nothing is written               */
    bl_counters at;
    const bl_split *judged;     /* split at work in EVAL and FINAL        */
    float *z;                   /* [largest n][C] logits                  */
    int64_t judged_n;           /* images done                            */
    bl_evaluation *last;        /* of the last evaluation                 */
    double test_error_best;     /* with holdout: test error of best       */
    float *best_w, *best_buffers; /* holdout: host copies of best         */
    float *spare;               /* of the larger one's size               */
    double rate;                /* recent training rate, samples a second */
    double eval_seconds;        /* of the last evaluation                 */
    double checkpoint_at;       /* clock of the last checkpoint           */
    bool close_failed;          /* the epoch is to be closed once more    */
    bool has_result;            /* a finished run: result.json stays      */
    bl_text plan_text;
};

/** Learning rate of the epoch at work. */
double bl_trainer_rate(const bl_trainer *t);

/** Writes a file of the run: weights with metadata. */
BL_MUST_USE bl_status bl_trainer_write_weights(const bl_trainer *t,
                                               const char *path);
/** Closes the epoch: metrics, weights, best, checkpoint, next phase.  Where it
 *  fails the counters are as before, so that it can be done again. */
BL_MUST_USE bl_status bl_trainer_close_epoch(bl_trainer *t, double test_error);
/** Writes result.json, unless the run was finished before. */
BL_MUST_USE bl_status bl_trainer_finish(bl_trainer *t);
/** Copies the parameters to best_w and best_buffers, with a holdout. */
BL_MUST_USE bl_status bl_trainer_keep_best(bl_trainer *t);

/** Shared by create and resume: everything but the parameters' values. */
BL_MUST_USE bl_status bl_trainer_build(bl_trainer **out,
                                       const bl_config *config,
                                       const bl_dataset *data,
                                       const bl_trainer_options *options);
/** Facts noted in run.yaml; hex receives the fingerprint. */
enum { BL_FINGERPRINT_ROOM = 3 * 16 + 1 };
void bl_trainer_facts(const bl_trainer *t, char hex[BL_FINGERPRINT_ROOM],
                      bl_run_facts *facts);

#endif
