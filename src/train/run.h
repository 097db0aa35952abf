/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h: the run directory.
 *
 *   run.yaml              resolved configuration; facts under "ballast:"
 *   metrics.jsonl         one object a closed epoch, a bl_epoch: with a
 *                         holdout, "test_error" and "balanced_error" are
 *                         those of the images held out
 *   last.safetensors      weights after the last closed epoch
 *   best.safetensors      weights of the best epoch: of least "test_error" in
 *                         metrics.jsonl, with a holdout "balanced_error", the
 *                         first of equals; written behind the checkpoint that
 *                         closes it
 *   resume.safetensors    weights, momentum, statistics, counters: all that
 *                         an exact resume needs, with a checksum
 *   resume.previous.safetensors   the good checkpoint before it
 *   result.json           written once, at the end
 *
 * Invariants.
 *   1. No file is ever half-written: each is written aside and renamed.
 *   2. After the first checkpoint there is a good one at every moment: the old
 *      one becomes resume.previous before the new one takes its name.
 *   3. metrics.jsonl never holds an epoch the newest good checkpoint does not
 *      know, once a run is opened again: later lines are cut.
 *   4. Nothing is written into a folder that already holds a run, unless the
 *      caller says which may be overwritten.
 */
#ifndef BL_TRAIN_RUN_H
#define BL_TRAIN_RUN_H

#include "ballast/config.h"
#include "ballast/log.h"
#include "ballast/train.h"
#include "io/safetensors.h"

typedef struct bl_run bl_run;

/** Facts of a run, noted in run.yaml under "ballast:". */
typedef struct bl_run_facts {
    const char *data_fingerprint;  /* hex: XXH3 of train, test, holdout */
    const char *backend, *precision, *device; /* threads: in device */
} bl_run_facts;

/** Fingerprint of the data that a run.yaml notes.
 *  Errors BL_EFORMAT if it notes none.  Owns the caller, bl_free. */
BL_MUST_USE bl_status bl_run_fingerprint(char **out, const char *path);

/** Makes the folder and writes run.yaml.
 *  Errors BL_EEXIST names what is there and says --resume or --overwrite;
 *  BL_EBUSY if another process holds the folder, as bl_run_open. */
BL_MUST_USE bl_status bl_run_create(bl_run **out, const char *folder,
                                    bl_overwrite overwrite,
                                    const bl_config *config,
                                    const bl_run_facts *facts);
/** Opens an existing run; facts as noted (strings owned by run). */
BL_MUST_USE bl_status bl_run_open(bl_run **out, const char *folder,
                                  bl_run_facts *facts);
void bl_run_free(bl_run *run);

/** Reads the newest good checkpoint; one that is damaged is passed over with
 *  a warning to log.  Gives BL_END if the run has none yet.
 *  Errors BL_EFORMAT if none is good; BL_EIO and BL_ENOMEM where the newest
 *  could not be read: that says nothing about it. */
BL_MUST_USE bl_status bl_run_load(bl_run *run, bl_safetensors **out,
                                  const bl_log *log);
/** Path of the checkpoint that bl_run_load gave, or that has been written
 *  since; borrowed. */
const char *bl_run_newest(const bl_run *run);
/** Writes resume.safetensors, keeping the one before. */
BL_MUST_USE bl_status bl_run_checkpoint(bl_run *run,
                                        const bl_named_tensor *tensors,
                                        int64_t n, const bl_metadata *meta,
                                        int64_t n_meta);
/** Cuts metrics.jsonl back to epochs <= epoch. */
BL_MUST_USE bl_status bl_run_rewind(bl_run *run, int64_t epoch);
/** Appends one line to metrics.jsonl and syncs it. */
BL_MUST_USE bl_status bl_run_metrics(bl_run *run, const bl_epoch *epoch);
/** Path of a file of the run, borrowed until the next call; NULL where there
 *  is no memory, which the files named above do not need. */
const char *bl_run_path(bl_run *run, const char *name);

/** What result.json says beside bl_result; see there what its errors mean
 *  with a holdout. */
typedef struct bl_result_facts {
    const char *method, *model, *data;
    double imbalance;
    double holdout; /* fraction of the training images, 0: none */
    int64_t seed, epochs;
    const char *const *class_names;
    const double *weight_norms; // [BL_ROW_PARTS][C] of the evaluation's
                                // classes, or NULL
    const double *compactness;  // [C] likewise, or NULL
} bl_result_facts;
BL_MUST_USE bl_status bl_run_result(bl_run *run, const bl_result *result,
                                    const bl_result_facts *facts);

#endif
