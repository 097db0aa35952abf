/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_parts.h: what run.c, run_yaml.c and run_record.c share; nobody else
 * includes it.
 */
#ifndef BL_TRAIN_RUN_PARTS_H
#define BL_TRAIN_RUN_PARTS_H

#include "core/text.h"
#include "train/run.h"

/** The files of a run: all that Ballast writes, and all that it removes. */
typedef enum bl_run_file {
    BL_RUN_YAML,
    BL_RUN_METRICS,
    BL_RUN_LAST,
    BL_RUN_BEST,
    BL_RUN_RESUME,
    BL_RUN_PREVIOUS,
    BL_RUN_RESULT,
    BL_RUN_FILES
} bl_run_file;

enum { BL_RUN_FACT_TEXTS = 4 };

struct bl_run {
    char *folder;
    char *paths[BL_RUN_FILES];
    char *other;     /* what bl_run_path gave last for any other name    */
    char *facts[BL_RUN_FACT_TEXTS]; /* strings of bl_run_open's facts     */
    int lock;        /* descriptor of .lock, -1 where there are no locks */
    int newest_good; /* resume.safetensors is known to be good           */
};

/** Lines of metrics.jsonl: epochs that were closed. */
BL_MUST_USE bl_status bl_run_epochs(const bl_run *run, int64_t *n);

/** Writes run.yaml into text.  Errors BL_EINVAL if a value would not read
 *  back as it is. */
BL_MUST_USE bl_status bl_run_yaml_emit(bl_text *text, const bl_config *config,
                                       const bl_run_facts *facts);
/** Reads the facts of a run.yaml back; their strings go to texts, freed by
 *  the caller also on failure.  Errors BL_EFORMAT where a fact is missing. */
BL_MUST_USE bl_status bl_run_yaml_facts(char *texts[BL_RUN_FACT_TEXTS],
                                        bl_run_facts *facts,
                                        const char *path);

#endif
