/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kinds.c: the library's tables under one view, for list, describe and
 * completion.  A new kind is a function of a line and a row below.
 */
#include <string.h>

#include "cli.h"

/** Defines NAME_entry over a NULL-terminated list of TYPE; PAPER is an
 *  expression of row. */
#define ENTRIES(NAME, TYPE, LIST, PAPER)                        \
    static int NAME##_entry(cli_entry *out, int i)              \
    {                                                           \
        const TYPE *const row = (LIST)[i];                      \
        memset(out, 0, sizeof *out);                            \
        if (!row) return 0;                                     \
        out->name = row->name;                                  \
        out->summary = row->summary;                            \
        out->paper = (PAPER);                                   \
        out->row = row;                                         \
        return 1;                                               \
    }

ENTRIES(method, bl_method_type, bl_method_types(), row->paper)
ENTRIES(model, bl_model_type, bl_model_types(), row->paper)
ENTRIES(data, bl_dataset_type, bl_dataset_types(), NULL)
ENTRIES(loss, bl_loss_type, bl_loss_types(), row->paper)
ENTRIES(sampler, bl_sampler_type, bl_sampler_types(), row->paper)
ENTRIES(mix, bl_mix_type, bl_mix_types(), row->paper)
ENTRIES(schedule, bl_schedule_type, bl_schedule_types(), row->paper)
ENTRIES(adaptor, bl_adaptor_type, bl_adaptor_types(), row->paper)
ENTRIES(profile, bl_profile, bl_profiles(), NULL)
ENTRIES(study, bl_study_type, bl_study_types(), row->paper)

static int backend_entry(cli_entry *out, int i)
{
    enum { MAX = 16 };
    bl_backend_info rows[MAX];
    const int32_t n = bl_backend_list(rows, MAX);
    memset(out, 0, sizeof *out);
    if (i >= n || i >= MAX) return 0;
    out->backend = rows[i];
    out->name = rows[i].name;
    out->summary = rows[i].summary;
    return 1;
}

/* clang-format off */
const cli_kind cli_kinds[] = {
{"method",   "methods",   "how to train: sampler, loss, network, schedule",
 method_entry,   cli_describe_method},
{"model",    "models",    "networks",
 model_entry,    cli_describe_model},
{"data",     "data",      "data sets known by name",
 data_entry,     cli_describe_data},
{"loss",     "losses",    "losses",
 loss_entry,     cli_describe_loss},
{"sampler",  "samplers",  "orders of training images",
 sampler_entry,  cli_describe_sampler},
{"mix",      "mixes",     "how two images become one",
 mix_entry,      cli_describe_mix},
{"schedule", "schedules", "learning-rate schedules",
 schedule_entry, cli_describe_schedule},
{"adaptor",  "adaptors",  "how BBN's alpha moves",
 adaptor_entry,  cli_describe_adaptor},
{"profile",  "profiles",  "shapes of a long tail",
 profile_entry,  cli_describe_profile},
{"study",    "studies",   "grids of runs that repeat tables",
 study_entry,    cli_describe_study},
{"backend",  "backends",  "what computes",
 backend_entry,  cli_describe_backend},
{NULL, NULL, NULL, NULL, NULL},
};
/* clang-format on */

const cli_kind *cli_kind_find(const cli_args *args, const char *name)
{
    const char *names[CLI_NAMES] = {NULL};
    int n = 0;
    for (const cli_kind *k = cli_kinds; k->one; k++) {
        if (strcmp(name, k->one) == 0 || strcmp(name, k->many) == 0) return k;
        names[n++] = k->one;
        names[n++] = k->many;
    }
    const char *near = bl_nearest(name, names);
    if (near)
        (void)cli_say(args, 0, "no kind \"%s\"; the nearest is \"%s\"", name,
                      near);
    else
        (void)cli_say(args, 0, "no kind \"%s\"; see: ballast list", name);
    return NULL;
}
