/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.c: every key of training.  The command line, YAML, help, man page
 * and run.yaml are made from this table; a default stands here and nowhere
 * else.
 */
#include <stddef.h>

#include "ballast/train.h"

static const char *const profiles[] = {"exp", "step", NULL};
static const char *const precisions[] = {"auto", "fp32", "bf16", NULL};
static const char *const augments[] = {"crop-flip", "none", NULL};
static const char *const normalizes[] = {"published", "measured", NULL};
static const char *const warmups[] = {"ramp", "third", "none", NULL};
static const char *const flavours[] = {"plain", "nesterov", NULL};

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
{"sampler", STRING, "permutation", 0, 0, NULL, "NAME",
 "order of training images (ballast list samplers)"},
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
{"precision", CHOICE, "auto", 0, 0, precisions, "auto|fp32|bf16",
 "arithmetic; auto takes bf16 where the processor multiplies it natively"},
{"backend", STRING, "auto", 0, 0, NULL, "NAME",
 "auto, or one of ballast list backends"},
{"threads", INTEGER, "0", 0, 4096, NULL, "T",
 "compute threads; 0: one a core"},
{"loader.threads", INTEGER, "1", 1, 256, NULL, "T",
 "threads that prepare batches"},
{"checkpoint.minutes", REAL, "10", 0, 1e6, NULL, "X",
 "also checkpoint inside an epoch, this often; 0: only at its end"},
{NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */

const bl_param *bl_train_params(void)
{
    return params;
}
