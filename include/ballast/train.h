/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train.h: methods, and a trainer that is stepped by its caller.
 *
 *     bl_trainer *t;
 *     bl_trainer_create(&t, config, data, NULL);
 *     while ((status = bl_trainer_step(t)) == BL_OK)
 *         ;                       // look at bl_trainer_progress(t) if you like
 *     // BL_END: done; below zero: bl_error_last()
 *
 * A call of bl_trainer_step does one bounded piece of work (a training step, a
 * batch of the evaluation, the closing of an epoch), so a caller can stop
 * between any two and lose nothing.
 */
#ifndef BALLAST_TRAIN_H
#define BALLAST_TRAIN_H

#include <stdint.h>

#include "ballast/config.h"
#include "ballast/data.h"
#include "ballast/eval.h"
#include "ballast/log.h"
#include "ballast/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A method is a row: it names entries of other tables. */
typedef struct bl_method_type {
    const char *name;    /* "bbn"                                          */
    const char *summary; /* at most 60 characters                          */
    const char *paper;
    const char *form;    /* of the network: "plain", "cosine", "bbn"       */
    const char *loss;    /* of bl_loss_types                               */
    const char *const *settings; /* "key=value" it changes, NULL-terminated */
} bl_method_type;

BL_API const bl_method_type *const *bl_method_types(void);
BL_API const bl_method_type *bl_method_find(const char *name);

/** What the method does here otherwise than its paper or its authors' code:
 *  lines, the last without its end; "" where nothing is known. */
BL_API const char *bl_method_deviations(const bl_method_type *method);

/** A loss: one row of bl_loss_types. */
typedef struct bl_loss_type {
    const char *name;
    const char *summary;
    const char *paper;
    const char *equation; /* one line, letters of docs/notation.md */
    const char *keys;     /* of training that it reads, NULL: none */
    const char *const *settings; /* "key=value" of these where no method says
                                    otherwise, NULL-terminated; may be NULL */
    int by_batch; /* the mean divides by B, not by the batch's sum of w_{y_i} */
} bl_loss_type;

BL_API const bl_loss_type *const *bl_loss_types(void);
/** Value of a key where neither a method nor a user says one; NULL if the loss
 *  does not read it. */
BL_API const char *bl_loss_default(const bl_loss_type *loss, const char *key);

/** A learning-rate schedule: one row of bl_schedule_types. */
typedef struct bl_schedule_type {
    const char *name;
    const char *summary;
    const char *paper;
    /** Factor on the base rate at epoch e (1-based) of E. */
    double (*factor)(const bl_config *config, int64_t e, int64_t E);
} bl_schedule_type;

BL_API const bl_schedule_type *const *bl_schedule_types(void);

/** How BBN's alpha moves: one row of bl_adaptor_types. */
typedef struct bl_adaptor_type {
    const char *name;
    const char *summary;
    const char *paper;
    /** alpha for x = (e - 1) / E in [0, 1), epoch e of E. */
    double (*alpha)(double x, int64_t e, int64_t E);
    int each_step; /* drawn anew every step from Beta(0.2, 0.2) */
} bl_adaptor_type;

BL_API const bl_adaptor_type *const *bl_adaptor_types(void);

/** How two images become one: one row of bl_mix_types. */
typedef struct bl_mix_type {
    const char *name;
    const char *summary; /* at most 60 characters */
    const char *paper;
    int parts;  /* images drawn a sample: 1, mixed with another of its batch,
                   or 2, one from each of two samplers */
    int inside; /* may mix hidden maps of the network instead of pixels */
    const char *equation; /* one line, letters of docs/notation.md */
    const char *keys; /* of training that it reads, NULL: none */
} bl_mix_type;

BL_API const bl_mix_type *const *bl_mix_types(void);
BL_API const bl_mix_type *bl_mix_find(const char *name);

/** Every key of training, its default, range and help. */
BL_API const bl_param *bl_train_params(void);

/** Creates a configuration for training; see bl_config_set. */
BL_API BL_MUST_USE bl_status bl_train_config(bl_config **out);

/** Applies the rows of the keys "method" and "loss", of "stage2.loss" where
 *  there is a second stage (origin method; a method's values of its own loss
 *  stand over the loss's), and checks that every key that names a row of a
 *  table names one that is there.  Call after the
 *  last set; create calls it too.
 *  Errors BL_EINVAL, with the nearest name; or as bl_shot_limits_check. */
BL_API BL_MUST_USE bl_status bl_train_settle(bl_config *config);

/** Who reads a key of a settled configuration. */
typedef enum bl_key_use {
    BL_KEY_COMMON, /* every run                                          */
    BL_KEY_OWN,    /* this one, for its method or for another key of it  */
    BL_KEY_IDLE    /* nobody here: setting it changes nothing            */
} bl_key_use;

BL_API bl_key_use bl_train_use(const bl_config *config, const char *key);

/** Limits that the keys many-above and few-below ask for. */
BL_API bl_shot_limits bl_train_shots(const bl_config *config);

/** Opens "data", cuts "imbalance" and "profile", then "holdout", as the
 *  configuration says: with a holdout, *validation is the part cut off and
 *  data->train what is left; otherwise *validation is NULL.
 *
 * Errors   BL_EINVAL if "data" is empty, or a class has too few images for
 *          the tail or the holdout; else as bl_dataset_open.
 * Owns     the caller both, bl_dataset_free and bl_split_free.
 */
BL_API BL_MUST_USE bl_status bl_train_data(bl_dataset **data,
                                           bl_split **validation,
                                           const bl_config *config);

typedef struct bl_trainer bl_trainer;

/** Which run in the folder a new one may replace. */
typedef enum bl_overwrite {
    BL_OVERWRITE_NONE = 0,
    BL_OVERWRITE_ANY = 1,
    BL_OVERWRITE_BEGUN = 2 /* one without a checkpoint and a result */
} bl_overwrite;

/** What a trainer may use beside its configuration; zero-initialise. */
typedef struct bl_trainer_options {
    bl_log log;
    const char *run_dir;        /* NULL: nothing is written               */
    bl_overwrite overwrite;     /* which run that is there it may replace */
    const bl_split *validation; /* NULL: the test split, every epoch      */
    const char *repeats;        /* run.yaml that a new run repeats: log is  */
                                /*   told where backend, precision or       */
                                /*   device were others; NULL: none         */
} bl_trainer_options;

/** Builds network, plan, samplers and loader for one run.
 *
 * Needs    data and validation outlive the trainer; config is copied.
 * Errors   BL_EEXIST if run_dir holds a run; BL_EBUSY if another process is at
 *          work there; BL_EINVAL as bl_train_settle, or if data and settings
 *          do not go together; BL_EUNSUPPORTED if the backend does not run
 *          here, or not in that precision; BL_EIO if run_dir, init.weights or
 *          repeats cannot be read or written, BL_EFORMAT if init.weights do
 *          not fit; BL_ENOMEM, BL_EDEVICE.
 * Owns     the caller, bl_trainer_free.
 */
BL_API BL_MUST_USE bl_status
bl_trainer_create(bl_trainer **out, const bl_config *config,
                  const bl_dataset *data, const bl_trainer_options *options);

/** Reads the configuration of a run directory, for data and resume, settled.
 *
 * Errors   BL_EIO if run.yaml cannot be read; BL_EFORMAT if it is no YAML or
 *          no record of a run, BL_EINVAL if a key or a value is unknown: each
 *          with its path.
 * Owns     the caller, bl_config_free.
 */
BL_API BL_MUST_USE bl_status bl_run_config(bl_config **out,
                                           const char *run_dir);

/** Goes on with a run from its newest good checkpoint.
 *
 * Needs    data as bl_train_data gives for bl_run_config; their fingerprint
 *          is compared with the one the run noted.
 * Errors   BL_EINVAL if the data are others; BL_EFORMAT if no checkpoint is
 *          good (each is named with what is wrong), or run.yaml was changed
 *          since it was written; BL_EBUSY if another process holds the run;
 *          else as bl_run_config and bl_trainer_create.
 * Owns     the caller, bl_trainer_free.
 */
BL_API BL_MUST_USE bl_status
bl_trainer_resume(bl_trainer **out, const bl_dataset *data,
                  const bl_trainer_options *options);

/** Stops loader threads and releases; does not write. NULL is allowed. */
BL_API void bl_trainer_free(bl_trainer *trainer);

/** Does the next piece of work.
 *
 * Gives    BL_OK; BL_END when the last epoch is closed and written.
 * Errors   BL_ENUMERIC at the first loss or logit that is not finite (names
 *          epoch and learning rate; the last checkpoint stays); BL_EIO,
 *          after which the call may be repeated; BL_ENOMEM, BL_EDEVICE.
 */
BL_API BL_MUST_USE bl_status bl_trainer_step(bl_trainer *trainer);

/** Writes a checkpoint of this very moment; a no-op without run_dir. */
BL_API BL_MUST_USE bl_status bl_trainer_checkpoint(bl_trainer *trainer);

/** What happened at the close of an epoch. */
typedef struct bl_epoch {
    int64_t epoch;       /* 1-based; 0: none closed yet                     */
    double lr;
    double alpha;        /* NaN where the method has none                   */
    double train_loss;   /* mean over samples                               */
    double train_error;  /* fraction                                        */
    double test_error;   /* fraction, on the validation split if there is one */
    double balanced_error; /* mean over its classes                         */
    double seconds;      /* training and evaluation                         */
    double samples_per_second; /* training alone; BBN: pairs                */
} bl_epoch;

/** Where a trainer stands. */
typedef struct bl_progress {
    int64_t epoch, epochs;   /* epoch at work, 1-based             */
    int64_t step, steps;     /* done and total, of this phase      */
    int evaluating;          /* phase: 0 training, 1 evaluation    */
    double samples_per_second; /* recent training rate; BBN: pairs */
    double seconds_left;     /* of the whole run, estimate         */
    bl_epoch last;           /* last closed epoch                  */
} bl_progress;

BL_API void bl_trainer_progress(const bl_trainer *trainer, bl_progress *out);

/** The outcome so far, complete after BL_END.
 *
 * Without a validation split, test_error_best is the least test error of all
 * epochs, of which the test split itself chose best_epoch.  With one, the
 * validation split chooses: best_epoch is the epoch of least balanced_error
 * (see bl_epoch; images held out are as long-tailed as those trained on),
 * test_error_best the test error of its weights and test_error_last that of
 * the last weights, both measured once, at the end; before, test_error_best is
 * NaN and test_error_last the validation error of the last epoch.
 *
 * Where the classifier is rewritten after training, the last weights are those
 * with the new classifier.  No epoch had it: best_epoch is that of the network
 * as trained, and test_error_best is NaN, in result.json null.  In a run of
 * two stages the best epoch is one of the second.
 */
typedef struct bl_result {
    double test_error_last, test_error_best;
    int64_t best_epoch;         /* 0: none closed yet; first of equals */
    double seconds;             /* of the run, stops left out       */
    double samples_per_second;  /* mean of training; BBN: pairs     */
    const bl_evaluation *last;  /* borrowed; NULL before an epoch   */
    int64_t parameters;
    double train_gflop;         /* a sample; BBN: a pair            */
    double posthoc_tau;         /* of the rewritten classifier; NaN where */
                                /*   there is none                        */
    const char *backend, *precision; /* what "auto" became          */
} bl_result;

BL_API void bl_trainer_result(const bl_trainer *trainer, bl_result *out);

/** Writes the present weights where the caller likes, atomically.
 *
 * Errors   BL_EIO: path is then what it was before or the new file, each
 *          whole; BL_ENOMEM, BL_EDEVICE.
 */
BL_API BL_MUST_USE bl_status bl_trainer_save(const bl_trainer *trainer,
                                             const char *path);

/** Computes logits of a split by the present weights.
 *
 * Shapes   split->pixels raw (normalised inside), of the size trained on;
 *          z [n][C] f32, written, C of the training set.
 * Errors   BL_EINVAL if the images are of another size; BL_ENOMEM, BL_EDEVICE.
 */
BL_API BL_MUST_USE bl_status bl_trainer_logits(bl_trainer *trainer,
                                               const bl_split *split,
                                               float *z);

/** Describes the plan: one line an operation, kernels and memory.  Borrowed
 *  text, valid as long as the trainer. */
BL_API const char *bl_trainer_plan(const bl_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
