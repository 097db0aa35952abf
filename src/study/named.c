/* SPDX-License-Identifier: Apache-2.0 */
/*
 * named.c: the studies known by name, each a table.
 *
 * Published figures are those of Zhou, Cui, Wei, Chen: BBN, CVPR 2020,
 * arXiv:1912.02413, in per cent of test error, ResNet-32, 200 epochs.  A 0
 * stands where the paper prints nothing, or only a picture.  The paper says
 * neither how many runs a figure is the mean of nor which epoch it is from.
 *
 * Where the paper leaves something open, the choice stands beside the row.
 */
#include <string.h>

#include "study/study.h"

#define PAPER "Zhou et al., BBN, CVPR 2020, arXiv:1912.02413"

/* ---- Table 1 ------------------------------------------------------------ */

static const bl_axis_spec table1_axes[] = {
    {"method", "ce,focal,mixup,manifold-mixup,manifold-mixup-two-samplers,"
               "ce-drw,ce-drs,cb-focal,ldam-drw,bbn"},
    {"data", "cifar10,cifar100"},
    {"imbalance", "100,50,10"},
    {"seed", "0"},
    {NULL, NULL},
};

static const bl_block_spec table1_blocks[] = {{.axes = table1_axes}};

/* beta and gamma of Cui et al. (2019) for each set and F; at F = 10 they give
 * none, and we go on in the direction of their others. */
static const bl_rule table1_rules[] = {
    {"method=cb-focal data=cifar10 imbalance=100",
     {"weights.beta=0.9999", "loss.gamma=1"}},
    {"method=cb-focal data=cifar10 imbalance=50",
     {"weights.beta=0.9999", "loss.gamma=2"}},
    {"method=cb-focal data=cifar10 imbalance=10",
     {"weights.beta=0.9999", "loss.gamma=1"}},
    {"method=cb-focal data=cifar100 imbalance=100",
     {"weights.beta=0.9", "loss.gamma=1"}},
    {"method=cb-focal data=cifar100 imbalance=50",
     {"weights.beta=0.99", "loss.gamma=1"}},
    {"method=cb-focal data=cifar100 imbalance=10",
     {"weights.beta=0.999", "loss.gamma=1"}},
    {NULL, {NULL}},
};

static const char *const table1_columns[BL_FIGURES] = {
    "data=cifar10 imbalance=100", "data=cifar10 imbalance=50",
    "data=cifar10 imbalance=10", "data=cifar100 imbalance=100",
    "data=cifar100 imbalance=50", "data=cifar100 imbalance=10",
};

/* clang-format off */
static const bl_figures table1_figures[] = {
{"ce",                          {29.64, 25.19, 13.61, 61.68, 56.15, 44.29}},
{"focal",                       {29.62, 23.28, 13.34, 61.59, 55.68, 44.22}},
{"mixup",                       {26.94, 22.18, 12.90, 60.46, 55.01, 41.98}},
{"manifold-mixup",              {27.04, 22.05, 12.97, 61.75, 56.91, 43.45}},
{"manifold-mixup-two-samplers", {26.90, 20.79, 13.17, 63.19, 57.95, 43.54}},
{"ce-drw",                      {23.66, 20.03, 12.44, 58.49, 54.71, 41.88}},
{"ce-drs",                      {24.39, 20.19, 12.62, 58.39, 54.52, 41.89}},
{"cb-focal",                    {25.43, 20.73, 12.90, 60.40, 54.83, 42.01}},
{"ldam-drw",                    {22.97, 18.97, 11.84, 57.96, 53.38, 41.29}},
{"bbn",                         {20.18, 17.82, 11.68, 57.44, 52.98, 40.88}},
{NULL, {0}},
};
/* clang-format on */

static const bl_study_spec table1 = {
    .type = {"bbn-table1", "ten methods on long-tailed CIFAR, BBN's Table 1",
             PAPER ", Table 1",
             "Ten methods on CIFAR-10 and CIFAR-100, each cut to a long tail "
             "with F = 100, 50 and 10.", 200},
    .blocks = table1_blocks, .n_blocks = 1, .rules = table1_rules,
    .columns_when = table1_columns, .figures = table1_figures,
};

/* ---- Table 3 and 4: sampler and adaptor --------------------------------- */

static const char *const ablation_base[] = {
    "data=cifar10", "imbalance=50", "method=bbn", NULL};

static const char *const ablation_columns[BL_FIGURES] = {
    "data=cifar10 imbalance=50"};

static const bl_axis_spec sampler_axes[] = {
    {"bbn.sampler", "uniform,balanced,reversed"}, {"seed", "0"}, {NULL, NULL}};

static const bl_block_spec sampler_blocks[] = {
    {.base = ablation_base, .axes = sampler_axes}};

static const bl_figures sampler_figures[] = {
    {"uniform", {21.31}}, {"balanced", {21.06}}, {"reversed", {17.82}},
    {NULL, {0}}};

static const bl_study_spec samplers = {
    .type = {"bbn-samplers", "what feeds BBN's re-balancing branch",
             PAPER ", section 5.5",
             "BBN on CIFAR-10 with F = 50; the re-balancing branch draws "
             "uniformly, balanced or reversed.", 200},
    .blocks = sampler_blocks, .n_blocks = 1,
    .columns_when = ablation_columns, .figures = sampler_figures,
};

static const bl_axis_spec adaptor_axes[] = {
    {"bbn.adaptor", "equal,beta,increment,linear,cosine,parabolic"},
    {"seed", "0"},
    {NULL, NULL}};

static const bl_block_spec adaptor_blocks[] = {
    {.base = ablation_base, .axes = adaptor_axes}};

static const bl_figures adaptor_figures[] = {
    {"equal", {21.56}}, {"beta", {21.75}},   {"increment", {22.70}},
    {"linear", {18.55}}, {"cosine", {18.04}}, {"parabolic", {17.82}},
    {NULL, {0}}};

static const bl_study_spec adaptors = {
    .type = {"bbn-adaptors", "how BBN's alpha moves",
             PAPER ", section 5.5",
             "BBN on CIFAR-10 with F = 50 under each schedule of alpha.",
             200},
    .blocks = adaptor_blocks, .n_blocks = 1,
    .columns_when = ablation_columns, .figures = adaptor_figures,
};

/* ---- section 3: features and classifiers -------------------------------- */

static const char *const stages_base[] = {
    "data=cifar100", "imbalance=50", NULL};

/* Schedule of the second stage: the method's row. */
static const char *const retrain_base[] = {"method=retrain", NULL};

static const bl_variant stages_variants[] = {
    {"features", "ce", {"method=ce"}},
    {"features", "rw", {"method=rw"}},
    {"features", "rs", {"method=rs"}},
    {"features", "bbn", {"method=bbn"}},
    {"features", "bbn-cb", {"init.branch=cb"}},
    {"features", "bbn-rb", {"init.branch=rb"}},
    {"classifier", "ce", {"stage2.sampler=permutation",
                          "stage2.weights=none"}},
    {"classifier", "rw", {"stage2.sampler=permutation",
                          "stage2.weights=inverse"}},
    {"classifier", "rs", {"stage2.sampler=balanced", "stage2.weights=none"}},
    {NULL, NULL, {NULL}},
};

static const bl_axis_spec features_axes[] = {
    {"features", "ce,rw,rs"}, {"seed", "0"}, {NULL, NULL}};
static const bl_axis_spec classifier_axes[] = {
    {"classifier", "ce,rw,rs"}, {NULL, NULL}};
static const bl_axis_spec whole_axes[] = {
    {"features", "bbn"}, {"seed", "0"}, {NULL, NULL}};
static const bl_axis_spec branch_axes[] = {
    {"features", "bbn-cb,bbn-rb"}, {"classifier", "ce"}, {NULL, NULL}};

static const bl_block_spec stages_blocks[] = {
    {.base = stages_base, .axes = features_axes},
    {BL_BLOCK_AFTER, 0, retrain_base, classifier_axes},
    {.base = stages_base, .axes = whole_axes},
    {BL_BLOCK_AFTER, 2, retrain_base, branch_axes},
};

/* The first column is the network as the first stage left it.  Of the grid
 * the paper prints the classifier trained by CE; the rest is a picture. */
static const char *const stages_columns[BL_FIGURES] = {
    "classifier= data=cifar100 imbalance=50",
    "classifier=ce data=cifar100 imbalance=50"};

static const bl_figures stages_figures[] = {
    {"ce", {56.15, 58.62}},   {"rw", {0, 63.17}}, {"rs", {0, 63.71}},
    {"bbn", {52.98}},         {"bbn-cb", {0, 58.89}},
    {"bbn-rb", {0, 61.09}},   {NULL, {0}}};

static const bl_study_spec stages = {
    .type = {"two-stage", "features by one method, classifier by another",
             PAPER ", section 3, Figure 2 and Table 5",
             "CIFAR-100 with F = 50: features are trained plainly (ce), "
             "re-weighted (rw) or re-sampled (rs), then frozen, and a fresh "
             "classifier is trained each way; beside them BBN's two branches. "
             "The column without a classifier is the first stage alone.",
             200},
    .blocks = stages_blocks, .n_blocks = 4, .variants = stages_variants,
    .columns_when = stages_columns, .figures = stages_figures,
};

/* ---- ensembles ---------------------------------------------------------- */

static const char *const ensembles_base[] = {"imbalance=50", NULL};

static const bl_variant ensembles_variants[] = {
    {"training", "uniform", {"method=ce", "sampler=permutation"}},
    {"training", "balanced", {"method=ce", "sampler=balanced"}},
    {"training", "reversed", {"method=ce", "sampler=reversed"}},
    {"training", "bbn", {"method=bbn"}},
    {"training", "uniform+balanced", {"uniform", "balanced"}},
    {"training", "uniform+reversed", {"uniform", "reversed"}},
    {NULL, NULL, {NULL}},
};

static const bl_axis_spec singles_axes[] = {
    {"training", "uniform,balanced,reversed,bbn"},
    {"data", "cifar10,cifar100"},
    {"seed", "0"},
    {NULL, NULL}};
static const bl_axis_spec pairs_axes[] = {
    {"training", "uniform+balanced,uniform+reversed"}, {NULL, NULL}};

static const bl_block_spec ensembles_blocks[] = {
    {.base = ensembles_base, .axes = singles_axes},
    {BL_BLOCK_AVERAGE, 0, NULL, pairs_axes},
};

static const char *const ensembles_columns[BL_FIGURES] = {
    "data=cifar10 imbalance=50", "data=cifar100 imbalance=50"};

static const bl_figures ensembles_figures[] = {
    {"uniform", {25.19, 56.15}},
    {"uniform+balanced", {19.41, 55.10}},
    {"uniform+reversed", {19.38, 54.93}},
    {"bbn", {17.82, 52.98}},
    {NULL, {0}}};

static const bl_study_spec ensembles = {
    .type = {"bbn-ensembles", "BBN against two networks averaged",
             PAPER ", supplement; CE and BBN of Table 1",
             "CIFAR-10 and CIFAR-100 with F = 50: one ResNet-32 a sampler, "
             "the logits of two of them averaged, and BBN.", 200},
    .blocks = ensembles_blocks, .n_blocks = 2, .variants = ensembles_variants,
    .columns_when = ensembles_columns, .figures = ensembles_figures,
};

/* ---- the tables --------------------------------------------------------- */

static const bl_study_spec *const specs[] = {&table1, &samplers, &adaptors,
                                             &stages, &ensembles};

static const bl_study_type *const types[] = {
    &table1.type, &samplers.type, &adaptors.type, &stages.type,
    &ensembles.type, NULL};

const bl_study_type *const *bl_study_types(void)
{
    return types;
}

const bl_study_spec *bl_study_spec_find(const char *name)
{
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        if (strcmp(specs[i]->type.name, name) == 0) return specs[i];
    return NULL;
}

const bl_study_type *bl_study_find(const char *name)
{
    const bl_study_spec *const spec = bl_study_spec_find(name);
    return spec != NULL ? &spec->type : NULL;
}
