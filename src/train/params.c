/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.c: every key of training.  The command line, YAML, help, man page
 * and run.yaml are made from this table; a default stands here, or where it
 * depends on a method or loss, in that row, and nowhere else.
 */
#include <stddef.h>

#include "ballast/train.h"

static const char *const profiles[] = {"exp", "step", NULL};
static const char *const precisions[] = {"auto", "fp32", "bf16", NULL};
static const char *const augments[] = {"crop-flip", "none", NULL};
static const char *const normalizes[] = {"published", "measured", NULL};
static const char *const warmups[] = {"ramp", "third", "none", NULL};
static const char *const flavours[] = {"plain", "nesterov", NULL};
static const char *const weightings[] = {"none", "inverse", "inverse-sqrt",
                                         "effective", NULL};
static const char *const places[] = {"random", "input", "stage1", "stage2",
                                     "pool", NULL};
static const char *const biases[] = {"default", "rare", NULL};
static const char *const branches[] = {"cb", "rb", NULL};
static const char *const trained[] = {"head", "scale", "head-scale", NULL};
static const char *const heads[] = {"fresh", "keep", NULL};
static const char *const norms[] = {"batch", "frozen", NULL};
static const char *const rewrites[] = {"none", "tau-norm", "ncm",
                                       "logit-adjustment", NULL};

#define INTEGER BL_PARAM_INTEGER
#define REAL BL_PARAM_REAL
#define CHOICE BL_PARAM_CHOICE
#define STRING BL_PARAM_STRING
#define FLAG BL_PARAM_FLAG
#define REALS BL_PARAM_REALS

/* clang-format off */
static const bl_param params[] = {
{"data", STRING, "", 0, 0, NULL, "NAME|PATH",
 "data set by name (ballast list data), or a folder or archive"},
{"data-dir", STRING, "", 0, 0, NULL, "DIR",
 "folder to look for named data sets in first"},
{"imbalance", REAL, "1", 1, 1e9, NULL, "F",
 "cut a long tail with n_max / n_min = F; 1 leaves the set as it is"},
{"profile", CHOICE, "exp", 0, 0, profiles, "exp|step",
 "shape of the long tail"},
{"holdout", REAL, "0", 0, 0.9, NULL, "F",
 "cut this fraction of the training set for validation; test once, at the end"},
{"method", STRING, "ce", 0, 0, NULL, "M",
 "training method (ballast list methods)"},
{"model", STRING, "resnet32", 0, 0, NULL, "M",
 "network (ballast list models)"},
{"epochs", INTEGER, "200", 1, 1e6, NULL, "N",
 "passes over the training set; schedules scale with it"},
{"seed", INTEGER, "0", 0, 9007199254740992.0, NULL, "S",
 "seed of initial weights, sample order and augmentation"},
{"batch", INTEGER, "128", 1, 1e6, NULL, "B",
 "samples a step; for bbn, pairs"},
{"lr", REAL, "0.1", 0, 1e6, NULL, "X",
 "base learning rate"},
{"schedule", STRING, "step", 0, 0, NULL, "NAME",
 "learning-rate schedule (ballast list schedules)"},
{"schedule.warmup", CHOICE, "ramp", 0, 0, warmups, "ramp|third|none",
 "warm-up: e / W (LDAM), linear from a third (BBN), or none"},
{"schedule.warmup-epochs", REAL, "5", 0, 1e6, NULL, "W",
 "epochs of warm-up in a run of 200; scales with epochs"},
{"schedule.milestones", REALS, "160,180", 0, 1e6, NULL, "LIST",
 "epochs after which the rate decays, in a run of 200; scale with epochs"},
{"schedule.decay", REAL, "0.01", 0, 1, NULL, "X",
 "factor on the rate at each milestone"},
{"sgd.momentum", REAL, "0.9", 0, 0.999999, NULL, "X",
 "momentum of stochastic gradient descent"},
{"sgd.weight-decay", REAL, "2e-4", 0, 1e3, NULL, "X",
 "L2 penalty on every parameter"},
{"sgd.flavour", CHOICE, "plain", 0, 0, flavours, "plain|nesterov",
 "form of momentum"},
{"sam.rho", REAL, "0", 0, 1e3, NULL, "X",
 "sharpness-aware steps: radius in which the worst loss is taken; 0: none"},
{"loss", STRING, "ce", 0, 0, NULL, "NAME",
 "loss (ballast list losses)"},
{"loss.gamma", REAL, "0", 0, 100, NULL, "X",
 "exponent of focal losses, of the counts in cdt and vs; where nobody says, "
 "the loss's own (ballast describe loss NAME)"},
{"loss.tau", REAL, "1", 0, 100, NULL, "X",
 "factor on log pi in logit-adjustment and vs; where nobody says, the loss's"},
{"loss.scale", REAL, "30", 1e-6, 1e6, NULL, "X",
 "s of ldam: what cosines are multiplied by"},
{"loss.margin", REAL, "0.5", 0, 10, NULL, "X",
 "largest margin of ldam, that of the rarest class"},
{"loss.smooth-head", REAL, "0.3", 0, 0.999999, NULL, "X",
 "label-aware smoothing of the class with most images"},
{"loss.smooth-tail", REAL, "0", 0, 0.999999, NULL, "X",
 "label-aware smoothing of the class with fewest images"},
{"weights", CHOICE, "none", 0, 0, weightings,
 "none|inverse|inverse-sqrt|effective",
 "weight of a class in the loss: 1, 1/n, 1/sqrt(n), effective number"},
{"weights.beta", REAL, "0.9999", 0, 0.999999999, NULL, "X",
 "beta of the effective number of samples"},
{"weights.from", REAL, "0", 0, 1e6, NULL, "E",
 "weights hold after this epoch of a run of 200; scales with epochs"},
{"sampler", STRING, "permutation", 0, 0, NULL, "NAME",
 "order of training images (ballast list samplers)"},
{"sampler.later", STRING, "", 0, 0, NULL, "NAME",
 "sampler that takes over late in training; empty: none does"},
{"sampler.from", REAL, "160", 0, 1e6, NULL, "E",
 "the later sampler holds after this epoch of a run of 200; scales"},
{"mix", STRING, "none", 0, 0, NULL, "NAME",
 "how two images become one (ballast list mixes)"},
{"mix.alpha", REAL, "1", 0, 1e3, NULL, "X",
 "lambda is drawn from Beta(X, X), once a batch"},
{"mix.layer", CHOICE, "random", 0, 0, places,
 "random|input|stage1|stage2|pool",
 "where manifold mixup mixes; random: the first three, drawn a batch"},
{"mix.sampler", STRING, "reversed", 0, 0, NULL, "NAME",
 "sampler of the second image, where a mix draws it for itself"},
{"mix.kappa", REAL, "3", 1, 1e9, NULL, "X",
 "remix: ratio of counts from which the rarer label may take all"},
{"mix.tau", REAL, "0.5", 0, 1, NULL, "X",
 "remix: share below which a label may be dropped"},
{"mix.probability", REAL, "1", 0, 1, NULL, "X",
 "share of batches that are mixed"},
{"mix.skip-first", REAL, "0", 0, 1e6, NULL, "E",
 "no mixing in so many first epochs of a run of 200; scales"},
{"mix.skip-last", REAL, "0", 0, 1e6, NULL, "E",
 "no mixing in so many last epochs of a run of 200; scales"},
{"head.bias", CHOICE, "default", 0, 0, biases, "default|rare",
 "first bias of the classifier; rare: -log(C - 1), for sigmoid losses"},
{"init.weights", STRING, "", 0, 0, NULL, "FILE",
 "begin with these weights; with a second stage they replace the first"},
{"init.branch", CHOICE, "cb", 0, 0, branches, "cb|rb",
 "branch taken from BBN weights for a plain network"},
{"bbn.sampler", STRING, "reversed", 0, 0, NULL, "NAME",
 "sampler of the re-balancing branch"},
{"bbn.adaptor", STRING, "parabolic", 0, 0, NULL, "NAME",
 "how alpha moves (ballast list adaptors)"},
{"drop-last", FLAG, "false", 0, 0, NULL, NULL,
 "drop the last, smaller batch of an epoch"},
{"augment", CHOICE, "crop-flip", 0, 0, augments, "crop-flip|none",
 "augmentation of training images: pad 4, random crop, mirror"},
{"normalize", CHOICE, "published", 0, 0, normalizes, "published|measured",
 "channel mean and deviation: the literature's, or of the training set"},
{"autoaugment", FLAG, "false", 0, 0, NULL, NULL,
 "AutoAugment's policy for CIFAR, behind crop and mirror"},
{"cutout", INTEGER, "0", 0, 4096, NULL, "PX",
 "side of a square blanked out at a random place; 0: none"},
{"many-above", INTEGER, "100", 0, 1e9, NULL, "N",
 "a class of more than N training images counts as many"},
{"few-below", INTEGER, "20", 0, 1e9, NULL, "N",
 "a class of fewer than N training images counts as few"},
{"precision", CHOICE, "auto", 0, 0, precisions, "auto|fp32|bf16",
 "arithmetic; auto takes bf16 where the processor multiplies it natively"},
{"backend", STRING, "auto", 0, 0, NULL, "NAME",
 "auto, or one of ballast list backends"},
{"threads", INTEGER, "0", 0, 4096, NULL, "T",
 "compute threads, of which 8 a core or 64 are taken at most; 0: one a core"},
{"loader.threads", INTEGER, "1", 1, 256, NULL, "T",
 "threads that prepare batches; T + 2 batches are held in memory"},
{"checkpoint.minutes", REAL, "10", 0, 1e6, NULL, "X",
 "also checkpoint inside an epoch, this often; 0: only at its end"},
{"stage2.epochs", REAL, "0", 0, 1e6, NULL, "N",
 "epochs of a second stage in a run of 200, added; scales; 0: none"},
{"stage2.train", CHOICE, "head", 0, 0, trained, "head|scale|head-scale",
 "what the second stage trains: classifier, a scale a class, both"},
{"stage2.head", CHOICE, "fresh", 0, 0, heads, "fresh|keep",
 "classifier of the second stage: drawn anew, or the first stage's"},
{"stage2.norm", CHOICE, "batch", 0, 0, norms, "batch|frozen",
 "batch-norm of the frozen trunk: statistics go on moving, or stay"},
{"stage2.sampler", STRING, "balanced", 0, 0, NULL, "NAME",
 "sampler of the second stage"},
{"stage2.loss", STRING, "ce", 0, 0, NULL, "NAME",
 "loss of the second stage"},
{"stage2.weights", CHOICE, "none", 0, 0, weightings,
 "none|inverse|inverse-sqrt|effective",
 "class weights of the second stage"},
{"stage2.lr", REAL, "0.1", 0, 1e6, NULL, "X",
 "base learning rate of the second stage"},
{"stage2.head-rate", REAL, "1", 0, 1e6, NULL, "X",
 "factor on the rate of the classifier beside its scales"},
{"stage2.weight-decay", REAL, "5e-4", 0, 1e3, NULL, "X",
 "L2 penalty in the second stage"},
{"stage2.schedule", STRING, "step", 0, 0, NULL, "NAME",
 "learning-rate schedule of the second stage"},
{"stage2.warmup", CHOICE, "third", 0, 0, warmups, "ramp|third|none",
 "warm-up of the second stage"},
{"stage2.warmup-epochs", REAL, "5", 0, 1e6, NULL, "W",
 "epochs of that warm-up, of a run of 200; scales"},
{"stage2.milestones", REALS, "10,20", 0, 1e6, NULL, "LIST",
 "milestones counted from the second stage's start; scale"},
{"stage2.decay", REAL, "0.1", 0, 1, NULL, "X",
 "factor on the rate at each of these milestones"},
{"posthoc", CHOICE, "none", 0, 0, rewrites,
 "none|tau-norm|ncm|logit-adjustment",
 "rewrite the classifier once it is trained"},
{"posthoc.tau", REAL, "-1", -1, 100, NULL, "X",
 "tau of it; -1: the best on images held out of training"},
{NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */

const bl_param *bl_train_params(void)
{
    return params;
}
