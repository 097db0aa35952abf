/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_list.c: what the library's tables hold.
 */
#include "cli.h"

static const bl_param options[] = {CLI_JSON, CLI_END};

static void kind_lines(const cli_kind *kind)
{
    cli_entry entry;
    int width = 0;
    for (int i = 0; kind->entry(&entry, i); i++)
        if (cli_columns(entry.name) > width) width = cli_columns(entry.name);
    for (int i = 0; kind->entry(&entry, i); i++)
        printf("%-*s  %s%s\n", width, entry.name, entry.summary,
               entry.backend.name && !entry.backend.available
                   ? " (not usable here)" : "");
}

static void kind_json(bl_json *json, const char *key, const cli_kind *kind)
{
    cli_entry entry;
    bl_json_array(json, key);
    for (int i = 0; kind->entry(&entry, i); i++) {
        bl_json_object(json, NULL);
        bl_json_string(json, "name", entry.name);
        bl_json_string(json, "summary", entry.summary);
        if (entry.paper) bl_json_string(json, "paper", entry.paper);
        if (entry.backend.name)
            bl_json_bool(json, "available", entry.backend.available);
        bl_json_close(json);
    }
    bl_json_close(json);
}

static void all_lines(void)
{
    for (int i = 0; cli_kinds[i].one; i++)
        printf("%-10s  %s\n", cli_kinds[i].many, cli_kinds[i].summary);
}

static void all_json(bl_json *json)
{
    bl_json_object(json, NULL);
    for (int i = 0; cli_kinds[i].one; i++)
        kind_json(json, cli_kinds[i].many, &cli_kinds[i]);
    bl_json_close(json);
}

static int run(cli_args *args)
{
    const cli_kind *kind = NULL;
    bl_json *json;
    if (args->operands[0]) {
        kind = cli_kind_find(args, args->operands[0]);
        if (!kind) return CLI_USAGE;
    }
    if (!bl_config_flag(args->own, "json")) {
        if (kind)
            kind_lines(kind);
        else
            all_lines();
        return CLI_DONE;
    }
    if (bl_json_create(&json, 1) < 0) return cli_fail(args, CLI_FAILED);
    if (kind)
        kind_json(json, NULL, kind);
    else
        all_json(json);
    if (cli_json_print(json) < 0) return cli_fail(args, CLI_FAILED);
    return CLI_DONE;
}

static const char *const usage[] = {
    "[KIND] [--json]", NULL};

static const char *const examples[] = {
    "every method", "ballast list methods",
    "everything there is, for a script", "ballast list --json", NULL};

const cli_command cli_list = {
    .name = "list",
    .summary = "list methods, models, data sets and more",
    .usage = usage,
    .about =
        "Lists the entries of one KIND: methods, models, data, losses, "
        "samplers, mixes, schedules, adaptors, profiles, studies or backends; "
        "without one, the kinds.",
    .examples = examples,
    .operands = {"KIND"},
    .options = options,
    .run = run,
};
