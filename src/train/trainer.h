/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer.h: the state of a run, shared by the files of the trainer.
 *
 *   trainer.c        builds and releases it
 *   trainer_stage.c  opens a stage: engine, samplers, loader, loss
 *   trainer_step.c   one piece of work: training step, evaluation, closing
 *   trainer_state.c  checkpoint and resume
 *   trainer_facts.c  what a run was made on, noted and compared
 *   trainer_report.c progress, result, weights and logits for the caller
 *   posthoc.c        rewrites a trained classifier
 *
 * Phases.  TRAIN (step 0 .. steps) -> EVAL (images 0 .. n) -> the epoch is
 * closed -> TRAIN of the next epoch.  After the last one REWRITE, where the
 * classifier is rewritten, then FINAL, where the test split is met with a
 * holdout or a rewritten classifier, then DONE.
 *
 * Stages.  A stage is opened by the first step of its first epoch, so that a
 * checkpoint between two stages still holds the parameters of the earlier.
 */
#ifndef BL_TRAIN_TRAINER_H
#define BL_TRAIN_TRAINER_H

#include "ballast/train.h"
#include "core/text.h"
#include "data/loader.h"
#include "nn/engine.h"
#include "train/identity.h"
#include "train/run.h"
#include "train/stage.h"

typedef enum bl_phase {
    BL_PHASE_TRAIN = 0,
    BL_PHASE_EVAL = 1,
    BL_PHASE_REWRITE = 2,
    BL_PHASE_FINAL = 3,
    BL_PHASE_DONE = 4
} bl_phase;

/** What an exact resume must know beside the tensors. */
typedef struct bl_counters {
    int64_t phase, epoch, step;       /* 1-based epoch; step: done in it  */
    double loss_sum, wrong_sum, alpha_sum, samples; /* of this epoch       */
    double epoch_seconds, epoch_train_seconds;
    double best_error;                /* least that chooses; > 1: none    */
    int64_t best_epoch;
    double seconds, train_seconds, train_samples; /* of the whole run     */
    double last_lr, last_alpha, last_loss, last_train_error,
        last_test_error, last_balanced_error, last_seconds,
        last_rate;                    /* last closed epoch                */
    int64_t last_epoch;
    double posthoc_tau;               /* by which the classifier was      */
                                      /*   rewritten; NaN: it was not     */
} bl_counters;

struct bl_trainer {
    bl_config *config;
    char identity[BL_IDENTITY_ROOM]; /* of it                             */
    const bl_dataset *data;
    const bl_split *judge;      /* evaluated every epoch                  */
    bool holdout;               /* judge is not the test split            */
    bl_log log;
    const bl_method_type *method;
    const bl_form_type *form;
    uint64_t seed;
    int64_t epochs, batch, steps, last_batch; /* epochs: of all stages    */
    bl_stage stages[BL_STAGES];
    int32_t n_stage;
    const bl_stage *stage;      /* the one that is open                   */
    bl_mix_spec mix;            /* of it                                  */
    bl_update update;
    bl_loss_terms *terms[2];    /* without and with class weights         */
    int64_t *train_n;           /* [C] training counts                    */
    bl_sampler *samplers[2];
    bl_sampler *later;          /* NULL unless sampler.later is there      */
    bl_loader *loader;
    bool loading;               /* the loader is in this epoch            */
    bl_engine *engine;
    bl_run *run;                /* NULL: nothing is written               */
    bl_counters at;
    const bl_split *judged;     /* split at work in EVAL and FINAL        */
    float *z;                   /* [largest n][C] logits                  */
    float *f;                   /* [test n][D] features behind the last   */
                                /*   epoch; NULL without a run            */
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
/** Is the classifier to be rewritten after the last epoch? */
bool bl_trainer_rewrites(const bl_trainer *t);
/** Rewrites it: the parameters are other ones then. */
BL_MUST_USE bl_status bl_trainer_rewrite(bl_trainer *t);

/** Do n images give a whole batch, where a smaller one is dropped? */
BL_MUST_USE bl_status bl_trainer_check_batch(const bl_config *config,
                                             int64_t n);

/** Closes the stage that is open and opens number k: engine, samplers, loader
 *  and terms, parameters not drawn. */
BL_MUST_USE bl_status bl_trainer_open_stage(bl_trainer *t, int32_t k);
void bl_trainer_close_stage(bl_trainer *t);
/** Finds what would keep a stage from drawing images, before any training. */
BL_MUST_USE bl_status bl_trainer_check_stages(bl_trainer *t);
/** Goes on from one stage to the next: parameters stay, momentum does not.
 *  Where it fails the stage before is still open. */
BL_MUST_USE bl_status bl_trainer_enter_stage(bl_trainer *t, int32_t k);
/** Number of the stage that epoch e lies in. */
int32_t bl_trainer_stage_of(const bl_trainer *t, int64_t e);
/** Takes the weights of a file that bl_trainer_write_weights wrote. */
BL_MUST_USE bl_status bl_trainer_adopt(bl_trainer *t,
                                       const bl_safetensors *file,
                                       const char *path);
/** First parameters of a run: drawn, or taken from init.weights. */
BL_MUST_USE bl_status bl_trainer_init(bl_trainer *t);

/** Gets ready for the epoch at work, once: opens its stage, sets sampler and
 *  class weights, lets images be made. */
BL_MUST_USE bl_status bl_trainer_begin(bl_trainer *t);
/** Trains on a batch that has been waited for since `start` (bl_clock). */
BL_MUST_USE bl_status bl_trainer_learn(bl_trainer *t, const bl_batch *batch,
                                       double start);

/** Writes a file of the run: weights with metadata. */
BL_MUST_USE bl_status bl_trainer_write_weights(const bl_trainer *t,
                                               const char *path);
/** Closes the epoch that t->last judges: metrics, weights, best, checkpoint,
 *  next phase.  Where it fails the counters are as before, so that it can be
 *  done again. */
BL_MUST_USE bl_status bl_trainer_close_epoch(bl_trainer *t);
/** Evaluates the logits t->z of a split.  Owns the caller. */
BL_MUST_USE bl_status bl_trainer_evaluate(bl_evaluation **out,
                                          const bl_trainer *t,
                                          const bl_split *split);
/** Writes result.json, unless the run was finished before. */
BL_MUST_USE bl_status bl_trainer_finish(bl_trainer *t);
/** Copies the parameters to best_w and best_buffers, with a holdout. */
BL_MUST_USE bl_status bl_trainer_keep_best(bl_trainer *t);

/** Shared by create and resume: everything but the parameters' values. */
BL_MUST_USE bl_status bl_trainer_build(bl_trainer **out,
                                       const bl_config *config,
                                       const bl_dataset *data,
                                       const bl_trainer_options *options);
/** BL_ENUMERIC, with step and learning rate, if a parameter, a statistic or a
 *  momentum is not finite: nothing that is good may be replaced by it. */
BL_MUST_USE bl_status bl_trainer_check_finite(const bl_trainer *t);
/** What to add to the news that numbers diverged; "" where there is no
 *  checkpoint to go back to. */
const char *bl_trainer_kept(const bl_trainer *t);
/** Facts noted in run.yaml; hex receives the fingerprint. */
enum { BL_FINGERPRINT_ROOM = 3 * 16 + 1 };
void bl_trainer_facts(const bl_trainer *t, char hex[BL_FINGERPRINT_ROOM],
                      bl_run_facts *facts);
/** Refuses other data than a run has noted; warns of another machine. */
BL_MUST_USE bl_status bl_trainer_check_facts(const bl_trainer *t,
                                             const bl_run_facts *noted);
/** Warns where the run whose run.yaml lies at path was made on another
 *  machine, unless an option asks for what differs.  A file that no run has
 *  written is passed over. */
BL_MUST_USE bl_status bl_trainer_compare(const bl_trainer *t,
                                         const char *path);

#endif
