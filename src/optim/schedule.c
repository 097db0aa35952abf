/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.c: the learning rate by epoch.
 *
 * "step" is the schedule of both code bases, with two ways to warm up:
 *
 *   ramp   lr e / W              for e <= W   (LDAM)
 *   third  lr (1/3 + 2/3 t / W)  for t = e - 1 < W   (BBN)
 *
 * and a factor `decay` for every milestone m < e.  W and m are given for a run
 * of 200 epochs and scale with its length, so a short run has the same shape.
 */
#include <math.h>
#include <string.h>

#include "ballast/train.h"

enum { NOMINAL = 200 }; /* epochs that milestones and warm-up are given for */

static double warmup(const bl_config *config, int64_t e, double scale)
{
    const char *const kind = bl_config_string(config, "schedule.warmup");
    const double W = scale * bl_config_real(config, "schedule.warmup-epochs");
    const double t = (double)(e - 1);
    if (!strcmp(kind, "ramp") && (double)e < W) return (double)e / W;
    if (!strcmp(kind, "third") && t < W) return (1 - t / W) / 3 + t / W;
    return 1;
}

static double step_factor(const bl_config *config, int64_t e, int64_t E)
{
    const double scale = (double)E / NOMINAL;
    const double *milestones;
    const int64_t n =
        bl_config_reals(config, "schedule.milestones", &milestones);
    double factor = warmup(config, e, scale);
    for (int64_t i = 0; i < n; i++)
        if (e > llround(milestones[i] * scale))
            factor *= bl_config_real(config, "schedule.decay");
    return factor;
}

static double constant_factor(const bl_config *config, int64_t e, int64_t E)
{
    return warmup(config, e, (double)E / NOMINAL);
}

static double cosine_factor(const bl_config *config, int64_t e, int64_t E)
{
    const double pi = 3.14159265358979323846;
    return warmup(config, e, (double)E / NOMINAL) * 0.5 *
           (1 + cos(pi * (double)(e - 1) / (double)E));
}

static const bl_schedule_type step = {
    .name = "step",
    .summary = "warm-up, then a factor at each milestone",
    .paper = "arXiv:1906.07413 and arXiv:1912.02413, their code",
    .factor = step_factor};

static const bl_schedule_type constant = {
    .name = "constant",
    .summary = "warm-up, then the base rate",
    .paper = "",
    .factor = constant_factor};

static const bl_schedule_type cosine = {
    .name = "cosine",
    .summary = "warm-up, and half a cosine from the base rate to zero",
    .paper = "Loshchilov and Hutter, ICLR 2017, arXiv:1608.03983",
    .factor = cosine_factor};

static const bl_schedule_type *const types[] = {&step, &constant, &cosine,
                                                NULL};

const bl_schedule_type *const *bl_schedule_types(void)
{
    return types;
}
