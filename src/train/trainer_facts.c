/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_facts.c: what a run was made on, as run.yaml notes it.
 *
 * The configuration says "auto", the facts what that came to: backend,
 * precision, device with its threads, and which images.  Whoever goes on with
 * a run needs the same images; whoever does so on another machine, or repeats
 * a run there, gets other bits and is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/mem.h"
#include "train/run_parts.h"
#include "train/trainer.h"

void bl_trainer_facts(const bl_trainer *t, char hex[BL_FINGERPRINT_ROOM],
                      bl_run_facts *facts)
{
    const bl_backend *const b = t->engine->backend;
    const bl_split *const splits[] = {t->data->train, t->data->test, t->judge};
    for (size_t i = 0; i < (t->holdout ? 3 : 2); i++)
        (void)snprintf(hex + 16 * i, 17, "%016" PRIx64,
                       bl_split_fingerprint(splits[i]));
    *facts = (bl_run_facts){
        .data_fingerprint = hex, .backend = b->name,
        .precision = bl_engine_precision(t->engine),
        .device = b->describe(t->engine->dev)};
}

/** What may be another, and the key by which a user chooses it. */
typedef struct fact_pair {
    const char *key, *noted, *now;
} fact_pair;

enum { PAIRS = 3 };

static void pair_facts(fact_pair pairs[PAIRS], const bl_run_facts *noted,
                       const bl_run_facts *now)
{
    pairs[0] = (fact_pair){"backend", noted->backend, now->backend};
    pairs[1] = (fact_pair){"precision", noted->precision, now->precision};
    pairs[2] = (fact_pair){"threads", noted->device, now->device};
}

bl_status bl_trainer_check_facts(const bl_trainer *t,
                                 const bl_run_facts *noted)
{
    char hex[BL_FINGERPRINT_ROOM];
    bl_run_facts now;
    fact_pair pairs[PAIRS];
    bl_trainer_facts(t, hex, &now);
    if (strcmp(noted->data_fingerprint, hex) != 0)
        return BL_RAISE(BL_EINVAL, "%s: the run was trained on other images: "
                        "fingerprint %s found, %s noted", t->data->name, hex,
                        noted->data_fingerprint);
    pair_facts(pairs, noted, &now);
    for (int i = 0; i < PAIRS; i++)
        if (strcmp(pairs[i].noted, pairs[i].now) != 0)
            bl_log_say(&t->log, BL_LOG_WARNING, "the run was begun on %s and "
                       "goes on on %s: results will not be the same bits",
                       pairs[i].noted, pairs[i].now);
    return BL_OK;
}

/** A difference that an option asks for ends the comparison: the ones behind
 *  it follow from it. */
static void compare(const bl_trainer *t, const bl_run_facts *noted,
                    const char *path)
{
    char hex[BL_FINGERPRINT_ROOM];
    bl_run_facts now;
    fact_pair pairs[PAIRS];
    bl_trainer_facts(t, hex, &now);
    pair_facts(pairs, noted, &now);
    for (int i = 0; i < PAIRS; i++) {
        if (strcmp(pairs[i].noted, pairs[i].now) == 0) continue;
        if (bl_config_origin(t->config, pairs[i].key) == BL_ORIGIN_OPTION)
            return;
        bl_log_say(&t->log, BL_LOG_WARNING, "%s: its run was made on %s and "
                   "is repeated on %s: results will not be the same bits",
                   path, pairs[i].noted, pairs[i].now);
    }
}

bl_status bl_trainer_compare(const bl_trainer *t, const char *path)
{
    char *texts[BL_RUN_FACT_TEXTS] = {NULL};
    bl_run_facts noted;
    const bl_status status = bl_run_yaml_facts(texts, &noted, path);
    if (status == BL_OK) compare(t, &noted, path);
    for (int i = 0; i < BL_RUN_FACT_TEXTS; i++) bl_free(texts[i]);
    return status == BL_EFORMAT ? BL_OK : status; /* no record of a run */
}
