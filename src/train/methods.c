/* SPDX-License-Identifier: Apache-2.0 */
/*
 * methods.c: a method is a row.  It names the form of the network, the loss,
 * and what it changes in the defaults; nothing below this room knows it.
 *
 * Rows of one network share the recipe of the LDAM code, so that they differ
 * in what they are named for and in nothing else.  Epochs are those of a run
 * of 200 and scale with it.
 */
#include <string.h>

#include "ballast/train.h"

/** Recipe of the LDAM code; a row adds its own settings behind it. */
#define LDAM_RECIPE                                                     \
    "schedule.warmup=ramp", "schedule.milestones=160,180",              \
    "drop-last=false", "sgd.flavour=plain"

/** Address of an anonymous row; its settings, a list that ends with NULL. */
#define ROW &(const bl_method_type)
#define SETTINGS(...) (const char *const[]){__VA_ARGS__, NULL}

/** Deferral: what begins when the learning rate first drops. */
#define DEFERRED_WEIGHTS "weights=effective", "weights.beta=0.9999",    \
    "weights.from=160"

/** Second stage after Kang et al. and the same group as BBN's: the classifier
 *  alone, 30 epochs, class-balanced. */
#define CLASSIFIER_STAGE "stage2.epochs=30", "stage2.sampler=balanced"

/** The second stage of MiSLAS as for CIFAR-100 at F = 100: the classifier goes
 *  on, a scale a class is learnt, batch-norm moves to the new distribution. */
#define MISLAS_STAGE                                                    \
    "stage2.epochs=10", "stage2.train=head-scale", "stage2.head=keep",  \
    "stage2.sampler=balanced", "stage2.loss=label-aware-smoothing",     \
    "stage2.schedule=cosine", "stage2.warmup=none",                     \
    "stage2.weight-decay=2e-4", "stage2.head-rate=0.2",                 \
    "loss.smooth-head=0.4", "loss.smooth-tail=0.1"

#define LDAM_PAPER "Cao et al., NeurIPS 2019, arXiv:1906.07413"
#define KANG_PAPER "Kang et al., ICLR 2020, arXiv:1910.09217"
#define CUI_PAPER "Cui et al., CVPR 2019, arXiv:1901.05555"
#define BBN_PAPER "Zhou, Cui, Wei, Chen, CVPR 2020, arXiv:1912.02413"
#define MENON_PAPER "Menon et al., ICLR 2021, arXiv:2007.07314"

static const bl_method_type *const types[] = {
    ROW{.name = "ce",
     .summary = "plain training with softmax cross-entropy",
     .paper = "recipe: " LDAM_PAPER,
     .form = "plain", .loss = "ce", .settings = SETTINGS(LDAM_RECIPE)},

    /* ---- other losses --------------------------------------------------- */
    ROW{.name = "focal",
     .summary = "focal loss of the softmax probability",
     .paper = "Lin et al., ICCV 2017, arXiv:1708.02002",
     .form = "plain", .loss = "focal",
     .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "focal-sigmoid",
     .summary = "focal loss of C sigmoids, one against all",
     .paper = "Lin et al., ICCV 2017, arXiv:1708.02002",
     .form = "plain", .loss = "focal-sigmoid",
     .settings = SETTINGS(LDAM_RECIPE, "head.bias=rare")},
    ROW{.name = "cb-focal",
     .summary = "sigmoid focal loss, weighted by effective numbers",
     .paper = CUI_PAPER,
     .form = "plain", .loss = "focal-sigmoid",
     .settings = SETTINGS(LDAM_RECIPE, "loss.gamma=1", "head.bias=rare",
                          "weights=effective", "weights.beta=0.9999")},
    ROW{.name = "ldam",
     .summary = "margins that grow as classes get rarer",
     .paper = LDAM_PAPER,
     .form = "cosine", .loss = "ldam", .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "logit-adjustment",
     .summary = "the prior added to the logits while training",
     .paper = MENON_PAPER,
     .form = "plain", .loss = "logit-adjustment",
     .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "balanced-softmax",
     .summary = "softmax weighted by the training counts",
     .paper = "Ren et al., NeurIPS 2020, arXiv:2007.10740",
     .form = "plain", .loss = "balanced-softmax",
     .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "vs",
     .summary = "vector scaling: temperatures and the prior",
     .paper = "Kini et al., NeurIPS 2021, arXiv:2103.01550",
     .form = "plain", .loss = "vs",
     .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "cdt",
     .summary = "class-dependent temperatures on the logits",
     .paper = "Ye et al., arXiv:2001.01385",
     .form = "plain", .loss = "cdt",
     .settings = SETTINGS(LDAM_RECIPE)},
    ROW{.name = "label-aware-smoothing",
     .summary = "labels smoothed more for larger classes",
     .paper = "Zhong et al., CVPR 2021, arXiv:2104.00466",
     .form = "plain", .loss = "label-aware-smoothing",
     .settings = SETTINGS(LDAM_RECIPE)},

    /* ---- class weights and sampling ------------------------------------- */
    ROW{.name = "rw",
     .summary = "re-weighting by inverse frequency",
     .paper = "",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "weights=inverse")},
    ROW{.name = "rw-sqrt",
     .summary = "re-weighting by the root of inverse frequency",
     .paper = "",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "weights=inverse-sqrt")},
    ROW{.name = "rw-effective",
     .summary = "re-weighting by effective numbers of samples",
     .paper = CUI_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "weights=effective")},
    ROW{.name = "rs",
     .summary = "re-sampling: every class alike",
     .paper = "",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "sampler=balanced")},
    ROW{.name = "rs-sqrt",
     .summary = "re-sampling by the root of frequency",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "sampler=sqrt")},
    ROW{.name = "rs-progressive",
     .summary = "re-sampling that turns from natural to balanced",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "sampler=progressive")},
    ROW{.name = "ce-drw",
     .summary = "class weights from the first rate drop on",
     .paper = LDAM_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, DEFERRED_WEIGHTS)},
    ROW{.name = "ce-drs",
     .summary = "balanced sampling from the first rate drop on",
     .paper = LDAM_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "sampler.later=balanced",
                          "sampler.from=160")},
    ROW{.name = "ldam-drw",
     .summary = "LDAM, weighted from the first rate drop on",
     .paper = LDAM_PAPER,
     .form = "cosine", .loss = "ldam",
     .settings = SETTINGS(LDAM_RECIPE, DEFERRED_WEIGHTS)},

    /* ---- mixed images --------------------------------------------------- */
    ROW{.name = "mixup",
     .summary = "images and labels mixed in pairs",
     .paper = "Zhang et al., ICLR 2018, arXiv:1710.09412",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=mixup")},
    ROW{.name = "manifold-mixup",
     .summary = "hidden maps mixed in pairs, at a random depth",
     .paper = "Verma et al., ICML 2019, arXiv:1806.05236",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=manifold")},
    ROW{.name = "manifold-mixup-two-samplers",
     .summary = "uniform and reversed images mixed at a random depth",
     .paper = BBN_PAPER ", table 1",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=manifold-two",
                          "mix.sampler=reversed")},
    ROW{.name = "remix",
     .summary = "mixup whose labels lean to the rarer class",
     .paper = "Chou et al., ECCV 2020 workshops, arXiv:2007.03943",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=remix")},
    ROW{.name = "cmo",
     .summary = "patches of balanced images pasted on uniform ones",
     .paper = "Park et al., CVPR 2022, arXiv:2112.00412",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=cmo", "mix.sampler=balanced",
                          "mix.probability=0.5", "mix.skip-first=4",
                          "mix.skip-last=3")},

    /* ---- two stages ----------------------------------------------------- */
    ROW{.name = "crt",
     .summary = "classifier retrained on balanced samples",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, CLASSIFIER_STAGE)},
    ROW{.name = "lws",
     .summary = "a scale a class learnt on balanced samples",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, CLASSIFIER_STAGE,
                          "stage2.train=scale", "stage2.head=keep")},
    ROW{.name = "mislas",
     .summary = "mixup, then label-aware smoothing on balanced samples",
     .paper = "Zhong et al., CVPR 2021, arXiv:2104.00466",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "mix=mixup", MISLAS_STAGE)},
    ROW{.name = "retrain",
     .summary = "a fresh classifier on the features of given weights",
     .paper = BBN_PAPER ", section 3",
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, CLASSIFIER_STAGE)},

    /* ---- classifiers rewritten ------------------------------------------ */
    ROW{.name = "tau-norm",
     .summary = "rows of the classifier divided by a power of their norm",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "posthoc=tau-norm", "holdout=0.1")},
    ROW{.name = "ncm",
     .summary = "nearest class mean of the features",
     .paper = KANG_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "posthoc=ncm")},
    ROW{.name = "logit-adjustment-posthoc",
     .summary = "the prior taken off the logits of a trained network",
     .paper = MENON_PAPER,
     .form = "plain", .loss = "ce",
     .settings = SETTINGS(LDAM_RECIPE, "posthoc=logit-adjustment",
                          "holdout=0.1")},

    /* ---- two branches: the recipe of the authors' code ------------------ */
    ROW{.name = "bbn",
     .summary = "two branches, uniform and reversed, mixed by alpha",
     .paper = BBN_PAPER,
     .form = "bbn", .loss = "cumulative-ce",
     .settings = SETTINGS("schedule.warmup=third",
                          "schedule.milestones=120,160", "drop-last=true",
                          "sgd.flavour=nesterov", "sampler=permutation")},
    NULL};

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
