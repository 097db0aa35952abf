/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_describe.c: all there is to say of one entry of a table, from the
 * table.
 *
 * Functions are shown by a few of their values, computed by the library's
 * own code: a schedule by its factors, an adaptor by its alphas, a profile by
 * its counts.
 */
#include <math.h>
#include <string.h>

#include "cli.h"

static const bl_param options[] = {CLI_JSON, CLI_END};

/** Adds a fact "key" with the keys of training that start with prefix and
 *  their defaults. */
static void settings_of(cli_facts *facts, const char *prefix)
{
    char line[128];
    cli_fact_list(facts, "settings");
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (strncmp(p->name, prefix, strlen(prefix)) != 0) continue;
        (void)snprintf(line, sizeof line, "%s=%s", p->name, p->def);
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
}

bl_status cli_describe_model(cli_facts *facts, const cli_entry *entry)
{
    static const char *const forms[] = {"plain", "bbn", NULL};
    char key[64];
    cli_fact_string(facts, "input", "32x32x3, 10 classes");
    for (int i = 0; forms[i]; i++) {
        const bl_network_spec spec = {.model = entry->row, .form = forms[i],
                                      .h = 32, .w = 32, .c = 3,
                                      .n_class = 10};
        bl_network_facts measured;
        const bl_status status = bl_network_measure(&measured, &spec);
        if (status < 0) return status;
        (void)snprintf(key, sizeof key, "%s_parameters", forms[i]);
        cli_fact_integer(facts, key, measured.parameters);
        (void)snprintf(key, sizeof key, "%s_forward_gflop", forms[i]);
        cli_fact_real(facts, key, measured.forward_gflop);
        (void)snprintf(key, sizeof key, "%s_train_gflop", forms[i]);
        cli_fact_real(facts, key, measured.train_gflop);
    }
    return BL_OK;
}

static void reals(cli_facts *facts, const char *key, const double *a, int n)
{
    char text[32];
    cli_fact_list(facts, key);
    for (int i = 0; i < n; i++) {
        (void)snprintf(text, sizeof text, "%.6g", a[i]);
        cli_fact_item(facts, text);
    }
    cli_fact_list_close(facts);
}

bl_status cli_describe_data(cli_facts *facts, const cli_entry *entry)
{
    const bl_dataset_type *data = entry->row;
    cli_fact_integer(facts, "classes", data->n_class);
    cli_fact_string(facts, "folder", data->folder);
    cli_fact_string(facts, "obtain", data->obtain);
    reals(facts, "mean", data->published.mean, data->published.c);
    reals(facts, "std", data->published.std, data->published.c);
    return BL_OK;
}

/** "key=value" of what a loss reads, as it is where nobody sets it. */
static void keys_of(cli_facts *facts, const bl_loss_type *loss)
{
    char line[128];
    cli_fact_list(facts, "settings");
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        const char *value = bl_loss_default(loss, p->name);
        if (!value) continue;
        (void)snprintf(line, sizeof line, "%s=%s", p->name, value);
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
}

bl_status cli_describe_loss(cli_facts *facts, const cli_entry *entry)
{
    const bl_loss_type *loss = entry->row;
    cli_fact_string(facts, "equation", loss->equation);
    cli_fact_string(facts, "divided_by",
                    loss->by_batch ? "B" : "sum of w_{y_i} over the batch");
    keys_of(facts, loss);
    return BL_OK;
}

/* Weights of three classes at t of the way through training. */
static void weights_of(cli_facts *facts, const bl_sampler_type *sampler,
                       const char *name, double t)
{
    static const int64_t counts[] = {5000, 500, 50};
    char line[64];
    cli_fact_list(facts, name);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const bl_class_view view = {.n = counts[i], .n_max = 5000,
                                    .n_total = 5550, .n_class = 3, .t = t};
        (void)snprintf(line, sizeof line, "%.6g for %lld images of 5000",
                       sampler->class_weight(&view), (long long)counts[i]);
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
}

bl_status cli_describe_sampler(cli_facts *facts, const cli_entry *entry)
{
    const bl_sampler_type *sampler = entry->row;
    if (*sampler->equation)
        cli_fact_string(facts, "equation", sampler->equation);
    cli_fact_bool(facts, "each_image_once_an_epoch", sampler->permutes);
    if (!sampler->class_weight) return BL_OK;
    if (!sampler->moves) {
        weights_of(facts, sampler, "weight_of_a_class", 0);
        return BL_OK;
    }
    weights_of(facts, sampler, "weight_at_first", 0);
    weights_of(facts, sampler, "weight_at_last", 1);
    return BL_OK;
}

bl_status cli_describe_mix(cli_facts *facts, const cli_entry *entry)
{
    const bl_mix_type *mix = entry->row;
    if (*mix->equation) cli_fact_string(facts, "equation", mix->equation);
    cli_fact_integer(facts, "images_drawn_a_sample", mix->parts);
    cli_fact_bool(facts, "mixes_hidden_maps", mix->inside);
    return BL_OK;
}

bl_status cli_describe_schedule(cli_facts *facts, const cli_entry *entry)
{
    static const int64_t epochs[] = {1, 3, 6, 50, 100, 150, 161, 181, 200};
    const bl_schedule_type *schedule = entry->row;
    bl_config *config;
    char line[64];
    bl_status status = bl_train_config(&config);
    if (status < 0) return status;
    status = bl_config_set(config, "schedule", entry->name, BL_ORIGIN_OPTION);
    settings_of(facts, "schedule.");
    cli_fact_list(facts, "factor_in_200_epochs");
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        (void)snprintf(line, sizeof line, "%.6g in epoch %lld",
                       schedule->factor(config, epochs[i], 200),
                       (long long)epochs[i]);
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
    bl_config_free(config);
    return status;
}

bl_status cli_describe_adaptor(cli_facts *facts, const cli_entry *entry)
{
    static const int64_t epochs[] = {1, 51, 101, 151, 200};
    const bl_adaptor_type *adaptor = entry->row;
    char line[64];
    cli_fact_bool(facts, "drawn_each_step", adaptor->each_step);
    if (adaptor->each_step || !adaptor->alpha) return BL_OK;
    cli_fact_list(facts, "alpha_in_200_epochs");
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        const double x = (double)(epochs[i] - 1) / 200;
        (void)snprintf(line, sizeof line, "%.6g in epoch %lld",
                       adaptor->alpha(x, epochs[i], 200),
                       (long long)epochs[i]);
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
    return BL_OK;
}

bl_status cli_describe_profile(cli_facts *facts, const cli_entry *entry)
{
    const bl_profile *profile = entry->row;
    char line[64];
    cli_fact_list(facts, "counts_of_10_classes_F_100");
    for (int32_t i = 0; i < 10; i++) {
        (void)snprintf(line, sizeof line, "%lld",
                       (long long)profile->count(5000, 1.0 / 100, i, 10));
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
    return BL_OK;
}

bl_status cli_describe_backend(cli_facts *facts, const cli_entry *entry)
{
    const bl_backend_info *backend = &entry->backend;
    cli_fact_bool(facts, "available", backend->available);
    cli_fact_bool(facts, "fp32", backend->fp32);
    cli_fact_bool(facts, "bf16", backend->bf16);
    cli_fact_bool(facts, "bf16_native", backend->bf16_native);
    return BL_OK;
}

/* ---- the command -------------------------------------------------------- */

static int unknown_name(const cli_args *args, const cli_kind *kind)
{
    const char *names[CLI_NAMES] = {NULL};
    cli_entry entry;
    for (int i = 0; i < CLI_NAMES - 1 && kind->entry(&entry, i); i++)
        names[i] = entry.name;
    const char *near = bl_nearest(args->operands[1], names);
    if (near)
        return cli_say(args, CLI_USAGE,
                       "no %s \"%s\"; the nearest is \"%s\"", kind->one,
                       args->operands[1], near);
    return cli_say(args, CLI_USAGE, "no %s \"%s\"; see: ballast list %s",
                   kind->one, args->operands[1], kind->many);
}

static int describe(const cli_args *args, const cli_kind *kind,
                    const cli_entry *entry)
{
    cli_facts facts;
    if (cli_facts_open(&facts, bl_config_flag(args->own, "json")) < 0)
        return cli_fail(args, CLI_FAILED);
    cli_fact_string(&facts, "kind", kind->one);
    cli_fact_string(&facts, "name", entry->name);
    cli_fact_string(&facts, "summary", entry->summary);
    if (entry->paper && entry->paper[0])
        cli_fact_string(&facts, "paper", entry->paper);
    if (kind->describe(&facts, entry) < 0) {
        bl_json_free(facts.json);
        return cli_fail(args, CLI_FAILED);
    }
    if (cli_facts_close(&facts) < 0) return cli_fail(args, CLI_FAILED);
    return CLI_DONE;
}

static int run(cli_args *args)
{
    cli_entry entry;
    const cli_kind *kind = cli_kind_find(args, args->operands[0]);
    if (!kind) return CLI_USAGE;
    for (int i = 0; kind->entry(&entry, i); i++)
        if (strcmp(entry.name, args->operands[1]) == 0)
            return describe(args, kind, &entry);
    return unknown_name(args, kind);
}

static const char *const usage[] = {"KIND NAME [--json]", NULL};

static const char *const examples[] = {
    "paper, loss and settings of BBN", "ballast describe method bbn",
    "size and cost of a network, for a script",
    "ballast describe model resnet32 --json", NULL};

const cli_command cli_describe = {
    .name = "describe",
    .summary = "say all about one method, model, data set ...",
    .usage = usage,
    .about = "Describes one entry of a kind (ballast list names the kinds).",
    .examples = examples,
    .operands = {"KIND", "NAME"},
    .n_needed = 2,
    .options = options,
    .run = run,
};
