/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_method.c: a method with all that its row names.
 *
 * The row says which settings it changes; what those mean stands in the rows
 * that the settings name, so these are said as well.  "parameters" are the
 * keys that are read for being this method, each with the value it has when
 * nobody sets it: which ones is told by the rules below and by the rows of
 * losses and mixes, and tests/cli/method_pages.sh holds the pages to them.
 */
#include <string.h>

#include "ballast/sampler.h"
#include "cli.h"

enum { LINE = 320 };

/* ---- which keys a method reads ------------------------------------------ */

/** Where `key` is `value`, or with '!' is not, `keys` are read. */
typedef struct rule {
    const char *key, *value, *keys;
} rule;

static const rule rules[] = {
    {"weights", "!none", "weights weights.from"},
    {"weights", "effective", "weights.beta"},
    {"sampler", "!permutation", "sampler"},
    {"sampler.later", "!", "sampler.later sampler.from"},
    {"mix", "!none", "mix mix.probability mix.skip-first mix.skip-last"},
    {"head.bias", "!default", "head.bias"},
    {"posthoc", "!none", "posthoc"},
    {"posthoc", "tau-norm", "posthoc.tau holdout"},
    {"posthoc", "logit-adjustment", "posthoc.tau holdout"},
    {"stage2.epochs", "!0", "stage2.epochs stage2.train stage2.head "
                            "stage2.norm stage2.sampler stage2.loss "
                            "stage2.weights stage2.lr stage2.weight-decay "
                            "stage2.schedule stage2.warmup"},
    {"stage2.train", "!scale", "stage2.head-rate"},
    {"stage2.schedule", "step", "stage2.milestones stage2.decay"},
    {"stage2.warmup", "!none", "stage2.warmup-epochs"},
};

static const char bbn_keys[] = "bbn.sampler bbn.adaptor";

static int has_second(const bl_config *config)
{
    return bl_config_real(config, "stage2.epochs") > 0;
}

static int holds(const rule *r, const bl_config *config)
{
    const int wanted = r->value[0] != '!';
    if (strncmp(r->key, "stage2.", 7) == 0 && !has_second(config)) return 0;
    return (strcmp(bl_config_text(config, r->key),
                   r->value + !wanted) == 0) == wanted;
}

/** Is `name` one of the words of `keys`?  NULL has none. */
static int is_among(const char *keys, const char *name)
{
    const size_t length = strlen(name);
    while (keys && *keys) {
        const size_t n = strcspn(keys, " ");
        if (n == length && strncmp(keys, name, n) == 0) return 1;
        keys += n + (keys[n] == ' ');
    }
    return 0;
}

static const bl_loss_type *find_loss(const char *name)
{
    for (int i = 0; bl_loss_types()[i]; i++)
        if (strcmp(bl_loss_types()[i]->name, name) == 0)
            return bl_loss_types()[i];
    return NULL;
}

static const char *keys_of_loss(const bl_config *config, const char *key)
{
    const bl_loss_type *loss = find_loss(bl_config_string(config, key));
    return loss ? loss->keys : NULL;
}

static int is_read(const bl_method_type *method, const bl_config *config,
                   const char *name)
{
    const bl_mix_type *mix = bl_mix_find(bl_config_string(config, "mix"));
    if (is_among(keys_of_loss(config, "loss"), name)) return 1;
    if (has_second(config) &&
        is_among(keys_of_loss(config, "stage2.loss"), name))
        return 1;
    if (mix && is_among(mix->keys, name)) return 1;
    if (strcmp(method->form, "bbn") == 0 && is_among(bbn_keys, name)) return 1;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (is_among(rules[i].keys, name) && holds(&rules[i], config))
            return 1;
    return 0;
}

/* ---- what is said ------------------------------------------------------- */

static void settings(cli_facts *facts, const bl_method_type *method)
{
    cli_fact_list(facts, "settings");
    for (int i = 0; method->settings && method->settings[i]; i++)
        cli_fact_item(facts, method->settings[i]);
    cli_fact_list_close(facts);
}

static void parameters(cli_facts *facts, const bl_method_type *method,
                       const bl_config *config)
{
    char line[LINE];
    cli_fact_list(facts, "parameters");
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (!is_read(method, config, p->name)) continue;
        (void)snprintf(line, sizeof line, "%s=%s", p->name,
                       bl_config_text(config, p->name));
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
}

/** "name: summary" of a row. */
static void named(cli_facts *facts, const char *fact, const char *name,
                  const char *summary)
{
    char line[LINE];
    (void)snprintf(line, sizeof line, "%s: %s", name, summary);
    cli_fact_string(facts, fact, line);
}

static void sampler(cli_facts *facts, const bl_config *config, const char *key,
                    const char *fact)
{
    const char *name = bl_config_string(config, key);
    const bl_sampler_type *row = bl_sampler_find(name);
    if (row) named(facts, fact, name, row->summary);
}

static void loss(cli_facts *facts, const bl_config *config, const char *key,
                 const char *fact, const char *equation)
{
    const bl_loss_type *row = find_loss(bl_config_string(config, key));
    if (!row) return;
    cli_fact_string(facts, fact, row->name);
    cli_fact_string(facts, equation, row->equation);
}

static void mix(cli_facts *facts, const bl_config *config)
{
    const bl_mix_type *row = bl_mix_find(bl_config_string(config, "mix"));
    if (!row || strcmp(row->name, "none") == 0) return;
    named(facts, "mix", row->name, row->summary);
    if (row->parts > 1)
        sampler(facts, config, "mix.sampler", "sampler_of_the_second");
}

static void second_stage(cli_facts *facts, const bl_config *config)
{
    if (!has_second(config)) return;
    sampler(facts, config, "stage2.sampler", "stage2_sampler");
    loss(facts, config, "stage2.loss", "stage2_loss", "stage2_equation");
}

static void rewrite(cli_facts *facts, const bl_config *config)
{
    static const struct {
        const char *name, *equation;
    } rows[] = {
        {"tau-norm", "W_c / |W_c|^tau, no bias"},
        {"ncm", "W_c = mean over class c of f / |f|, length 1, no bias"},
        {"logit-adjustment", "b_c - tau log pi_c"},
    };
    const char *how = bl_config_string(config, "posthoc");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, how) == 0)
            cli_fact_string(facts, "classifier_at_the_end", rows[i].equation);
}

static void say(cli_facts *facts, const bl_method_type *method,
                const bl_config *config)
{
    char page[LINE];
    cli_fact_string(facts, "network_form", method->form);
    loss(facts, config, "loss", "loss", "equation");
    sampler(facts, config, "sampler", "sampler");
    if (strcmp(method->form, "bbn") == 0)
        sampler(facts, config, "bbn.sampler", "sampler_of_the_second");
    sampler(facts, config, "sampler.later", "later_sampler");
    mix(facts, config);
    second_stage(facts, config);
    rewrite(facts, config);
    settings(facts, method);
    parameters(facts, method, config);
    (void)snprintf(page, sizeof page, "docs/methods/%s.md", method->name);
    cli_fact_string(facts, "page", page);
}

bl_status cli_describe_method(cli_facts *facts, const cli_entry *entry)
{
    bl_config *config;
    bl_status status = bl_train_config(&config);
    if (status < 0) return status;
    status = bl_config_set(config, "method", entry->name, BL_ORIGIN_OPTION);
    if (status == BL_OK) status = bl_train_settle(config);
    if (status == BL_OK) say(facts, entry->row, config);
    bl_config_free(config);
    return status;
}
