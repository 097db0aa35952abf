/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h: a stretch of epochs under one recipe.
 *
 * Training is a list of one or two stages.  Each has a configuration of its
 * own, in which the keys of stage2.* have taken the places of those they
 * stand for: whoever reads a stage reads "lr" and "sampler" and never asks
 * which stage it is in.
 */
#ifndef BL_TRAIN_STAGE_H
#define BL_TRAIN_STAGE_H

#include "ballast/train.h"
#include "loss/loss.h"
#include "mix/mix.h"
#include "nn/network.h"

enum { BL_STAGES = 2 };

typedef struct bl_stage {
    bl_config *config;           /* what holds in this stage              */
    int64_t first;               /* epochs before it                      */
    int64_t epochs;              /* of its own                            */
    const bl_schedule_type *schedule;
    const bl_adaptor_type *adaptor; /* NULL where the form has no branches */
    const bl_loss_kind *loss;
    const bl_mix_type *mix;
    bool fresh_head;             /* the classifier is drawn anew           */
    bool second;                 /* trains the classifier of a fixed trunk */
    bl_graph_spec graph;         /* of training                            */
    uint32_t locations;          /* of hidden mixing, as bl_engine_spec    */
    int32_t parts;               /* images drawn a sample                  */
    int64_t weights_from, sampler_from; /* epochs of the run after which   */
                                 /*   class weights and later sampler hold */
} bl_stage;

/** Makes the stages that a settled configuration asks for.
 *
 * Shapes   stages [BL_STAGES], of which *n are filled.
 * Errors   BL_EINVAL names keys that do not go together.
 * Owns     the caller; bl_stage_free for each, also on failure.
 */
BL_MUST_USE bl_status bl_stages_read(bl_stage *stages, int32_t *n,
                                     const bl_config *config,
                                     const bl_form_type *form);
void bl_stage_free(bl_stage *stage);

/** Epochs of the second stage that a configuration asks for; 0: none. */
int64_t bl_stage2_epochs(const bl_config *config);

/** Learning rate in epoch e of the run. */
double bl_stage_rate(const bl_stage *stage, int64_t e);
/** Refuses a stage whose rate is 0 in every epoch. */
BL_MUST_USE bl_status bl_stage_check_rate(const bl_stage *stage);

/** Checks that a key which names a row of a table names one that is there;
 *  BL_OK for any other key.  Errors BL_EINVAL, with the nearest name. */
BL_MUST_USE bl_status bl_train_check_name(const bl_config *config,
                                          const char *key);

/** Checks what a configuration's rows ask of each other, without data.
 *  Errors BL_EINVAL in one line that names both keys. */
BL_MUST_USE bl_status bl_stage_check(const bl_config *config,
                                     const bl_form_type *form);

#endif
