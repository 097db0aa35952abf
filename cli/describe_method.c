/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_method.c: a method with all that its row names.
 *
 * The row says which settings it changes; what those mean stands in the rows
 * that the settings name, so these are said as well.  "parameters" are the
 * keys that are read for being this method (bl_train_use), each with the value
 * it has when nobody sets it; tests/cli/method_pages.sh holds the pages to
 * them.
 */
#include <string.h>

#include "ballast/sampler.h"
#include "cli.h"

enum { LINE = 320, LONG_LINE = 512, WHEN = 48 };

static int has_second(const bl_config *config)
{
    return bl_config_real(config, "stage2.epochs") > 0;
}

static const bl_loss_type *find_loss(const char *name)
{
    for (int i = 0; bl_loss_types()[i]; i++)
        if (strcmp(bl_loss_types()[i]->name, name) == 0)
            return bl_loss_types()[i];
    return NULL;
}

/* ---- what is said ------------------------------------------------------- */

static void settings(cli_facts *facts, const bl_method_type *method)
{
    cli_fact_list(facts, "settings");
    for (int i = 0; method->settings && method->settings[i]; i++)
        cli_fact_item(facts, method->settings[i]);
    cli_fact_list_close(facts);
}

static void parameters(cli_facts *facts, const bl_config *config)
{
    char line[LINE];
    cli_fact_list(facts, "parameters");
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (bl_train_use(config, p->name) != BL_KEY_OWN) continue;
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
    char line[LINE / 2];
    if (!row) return;
    (void)snprintf(line, sizeof line, "%s%s%s", row->summary,
                   *row->equation ? "; " : "", row->equation);
    named(facts, fact, name, line);
}

static void loss(cli_facts *facts, const bl_config *config, const char *key,
                 const char *fact, const char *equation)
{
    const bl_loss_type *row = find_loss(bl_config_string(config, key));
    if (!row) return;
    cli_fact_string(facts, fact, row->name);
    cli_fact_string(facts, equation, row->equation);
}

/** " after epoch E of 200" where `key` defers. */
static const char *deferred(char when[WHEN], const bl_config *config,
                            const char *key)
{
    const double from = bl_config_real(config, key);
    when[0] = '\0';
    if (from > 0)
        (void)snprintf(when, WHEN, ", after epoch %g of 200", from);
    return when;
}

/** of: the key of the loss; from: that of the epoch they hold after, or
 *  NULL. */
static void weights(cli_facts *facts, const bl_config *config, const char *key,
                    const char *fact, const char *of, const char *from)
{
    static const struct {
        const char *name, *equation;
    } rows[] = {
        {"inverse", "w_c = 1 / n_c"},
        {"inverse-sqrt", "w_c = 1 / sqrt(n_c)"},
        {"effective", "w_c = (1 - beta) / (1 - beta^n_c)"},
    };
    const bl_loss_type *row = find_loss(bl_config_string(config, of));
    const char *how = bl_config_string(config, key);
    char line[LINE], when[WHEN] = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, how) != 0) continue;
        (void)snprintf(line, sizeof line,
                       "%s, scaled to mean 1%s; the loss is divided by %s",
                       rows[i].equation,
                       from ? deferred(when, config, from) : "",
                       row && row->by_batch ? "B"
                                            : "sum of w_{y_i} over the batch");
        cli_fact_string(facts, fact, line);
    }
}

static void later_sampler(cli_facts *facts, const bl_config *config)
{
    const char *name = bl_config_string(config, "sampler.later");
    const bl_sampler_type *row = bl_sampler_find(name);
    char line[LINE], when[WHEN];
    if (!row) return;
    (void)snprintf(line, sizeof line, "%s: %s%s%s%s", name, row->summary,
                   *row->equation ? "; " : "", row->equation,
                   deferred(when, config, "sampler.from"));
    cli_fact_string(facts, "later_sampler", line);
}

static void mix(cli_facts *facts, const bl_config *config)
{
    const bl_mix_type *row = bl_mix_find(bl_config_string(config, "mix"));
    if (!row || strcmp(row->name, "none") == 0) return;
    named(facts, "mix", row->name, row->summary);
    cli_fact_string(facts, "mix_equation", row->equation);
    if (row->parts > 1)
        sampler(facts, config, "mix.sampler", "sampler_of_the_second");
}

/** What the second stage trains, of a fixed trunk. */
static void trained(cli_facts *facts, const bl_config *config)
{
    static const struct {
        const char *name, *equation;
    } rows[] = {
        {"head", "z_c = W_c f + b_c, W and b trained"},
        {"scale", "z_c = s_c (W_c f + b_c), s trained, from 1"},
        {"head-scale", "z_c = s_c (W_c f + b_c), s, W and b trained, s from 1"},
    };
    const char *how = bl_config_string(config, "stage2.train");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, how) == 0)
            named(facts, "stage2_train", how, rows[i].equation);
}

static void second_stage(cli_facts *facts, const bl_config *config)
{
    if (!has_second(config)) return;
    trained(facts, config);
    sampler(facts, config, "stage2.sampler", "stage2_sampler");
    loss(facts, config, "stage2.loss", "stage2_loss", "stage2_equation");
    weights(facts, config, "stage2.weights", "stage2_weights", "stage2.loss",
            NULL);
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

static void deviations(cli_facts *facts, const bl_method_type *method)
{
    const char *at = bl_method_deviations(method);
    char line[LONG_LINE];
    cli_fact_list(facts, "deviations");
    while (*at) {
        const size_t n = strcspn(at, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)n, at);
        cli_fact_item(facts, line);
        at += n + (at[n] == '\n');
    }
    cli_fact_list_close(facts);
}

static void say(cli_facts *facts, const bl_method_type *method,
                const bl_config *config)
{
    char page[LINE];
    cli_fact_string(facts, "network_form", method->form);
    loss(facts, config, "loss", "loss", "equation");
    weights(facts, config, "weights", "weights", "loss", "weights.from");
    sampler(facts, config, "sampler", "sampler");
    if (strcmp(method->form, "bbn") == 0)
        sampler(facts, config, "bbn.sampler", "sampler_of_the_second");
    later_sampler(facts, config);
    mix(facts, config);
    second_stage(facts, config);
    rewrite(facts, config);
    settings(facts, method);
    parameters(facts, config);
    deviations(facts, method);
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
