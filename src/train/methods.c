/* SPDX-License-Identifier: Apache-2.0 */
/*
 * methods.c: a method is a row.  It names the form of the network, the loss,
 * and what it changes in the defaults; nothing below this room knows it.
 */
#include <string.h>

#include "ballast/train.h"

/* Plain training with the recipe of the LDAM code. */
static const char *const ce_settings[] = {
    "schedule.warmup=ramp", "schedule.milestones=160,180", "drop-last=false",
    "sgd.flavour=plain", NULL};

static const bl_method_type ce = {
    .name = "ce",
    .summary = "plain training with softmax cross-entropy",
    .paper = "recipe: Cao et al., NeurIPS 2019, arXiv:1906.07413",
    .form = "plain",
    .loss = "ce",
    .settings = ce_settings};

/* Bilateral-branch network, the recipe of the authors' code. */
static const char *const bbn_settings[] = {
    "schedule.warmup=third", "schedule.milestones=120,160", "drop-last=true",
    "sgd.flavour=nesterov", "sampler=permutation", NULL};

static const bl_method_type bbn = {
    .name = "bbn",
    .summary = "two branches, uniform and reversed, mixed by alpha",
    .paper = "Zhou, Cui, Wei, Chen, CVPR 2020, arXiv:1912.02413",
    .form = "bbn",
    .loss = "cumulative-ce",
    .settings = bbn_settings};

static const bl_method_type *const types[] = {&ce, &bbn, NULL};

const bl_method_type *const *bl_method_types(void)
{
    return types;
}

const bl_method_type *bl_method_find(const char *name)
{
    for (int32_t i = 0; types[i]; i++)
        if (!strcmp(types[i]->name, name)) return types[i];
    return NULL;
}
