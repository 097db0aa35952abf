/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.c: help texts, made from the tables of commands and options.
 *
 * Order of options: what every user meets first, then the command's own, then
 * the other keys by group ("sgd.momentum" belongs to "sgd").
 */
#include <ctype.h>
#include <string.h>

#include "cli.h"

enum { TEXT = 80, DOC = 30 }; /* columns of a line; where docs begin */

/* ---- visiting options --------------------------------------------------- */

/** Length of the group's name in a key; 0 for a key without a group.
 *  "schedule" is in the group of "schedule.decay". */
static size_t group_of(const char *key)
{
    const char *dot = strchr(key, '.');
    if (dot) return (size_t)(dot - key);
    const size_t n = strlen(key);
    for (const bl_param *p = bl_train_params(); p->name; p++)
        if (strncmp(p->name, key, n) == 0 && p->name[n] == '.') return n;
    return 0;
}

/** Rows of one group that the command does not count as common. */
static void visit_group(const cli_command *command, const char *key,
                        size_t group, cli_option_visit *visit, void *payload)
{
    char title[64];
    const char *first = title;
    if (group > 0)
        (void)snprintf(title, sizeof title, "Options of %.*s", (int)group,
                       key);
    else
        (void)snprintf(title, sizeof title, "More options");
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (cli_shares(command, p->name) || group_of(p->name) != group ||
            strncmp(p->name, key, group) != 0)
            continue;
        visit(payload, first, p);
        first = NULL;
    }
}

/** Whether key is the first of its group among the rows not common. */
static int opens_group(const cli_command *command, const bl_param *row)
{
    const size_t group = group_of(row->name);
    for (const bl_param *p = bl_train_params(); p != row; p++)
        if (!cli_shares(command, p->name) && group_of(p->name) == group &&
            strncmp(p->name, row->name, group) == 0)
            return 0;
    return 1;
}

void cli_options_each(const cli_command *command, cli_option_visit *visit,
                      void *payload)
{
    const char *title = "Options";
    for (int i = 0; command->shared && command->shared[i]; i++) {
        visit(payload, title,
              bl_param_find(bl_train_params(), command->shared[i]));
        title = NULL;
    }
    for (const bl_param *p = command->options; p->name; p++) {
        visit(payload, title, p);
        title = NULL;
    }
    if (!command->all_keys) return;
    for (const bl_param *p = bl_train_params(); p->name; p++)
        if (!cli_shares(command, p->name) && opens_group(command, p))
            visit_group(command, p->name, group_of(p->name), visit, payload);
}

/* ---- text --------------------------------------------------------------- */

/** Prints words from column on, wrapped, each further line indented. */
static void wrap(FILE *out, const char *text, int column, int indent)
{
    while (*text) {
        const int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > TEXT) {
            (void)fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

static void option_text(void *payload, const char *title, const bl_param *row)
{
    FILE *out = payload;
    char left[128], doc[256];
    if (title) (void)fprintf(out, "\n%s\n", title);
    int n = snprintf(left, sizeof left, "  --%s%s%s", row->name,
                     row->metavar ? " " : "", row->metavar ? row->metavar : "");
    if (row->kind != BL_PARAM_FLAG && row->def[0])
        (void)snprintf(doc, sizeof doc, "%s [%s]", row->doc, row->def);
    else
        (void)snprintf(doc, sizeof doc, "%s", row->doc);
    (void)fputs(left, out);
    if (n + 2 > DOC) {
        (void)fputc('\n', out);
        n = 0;
    }
    (void)fprintf(out, "%*s", DOC - n, "");
    wrap(out, doc, DOC, DOC);
}

void cli_help_command(FILE *out, const cli_command *command)
{
    (void)fprintf(out, "ballast %s: %s\n\n", command->name, command->summary);
    for (int i = 0; command->usage[i]; i++)
        (void)fprintf(out, "%s ballast %s%s%s\n", i ? "      " : "usage:",
                      command->name, command->usage[i][0] ? " " : "",
                      command->usage[i]);
    (void)fputc('\n', out);
    wrap(out, command->about, 0, 0);
    cli_options_each(command, option_text, out);
    if (!command->examples) return;
    (void)fprintf(out, "\nExamples\n");
    for (int i = 0; command->examples[i]; i += 2) {
        (void)fprintf(out, "  # %s\n  ", command->examples[i]);
        (void)fprintf(out, "%s\n", command->examples[i + 1]);
    }
}

void cli_help_all(FILE *out)
{
    (void)fprintf(out, "ballast %s: trains recognisers on data that is out of "
                       "balance\n\nusage: ballast COMMAND [options]\n\n"
                       "Commands\n", bl_version());
    for (int i = 0; cli_commands[i]; i++)
        if (!cli_commands[i]->hidden)
            (void)fprintf(out, "  %-10s %s\n", cli_commands[i]->name,
                          cli_commands[i]->summary);
    (void)fprintf(out,
                  "\nFirst steps\n"
                  "  ballast inspect fashion-mnist --imbalance 100\n"
                  "  ballast train --data fashion-mnist --imbalance 100 "
                  "--method bbn --out runs/1\n"
                  "\nballast help COMMAND has options and examples of each; "
                  "ballast --version.\n");
}

/* ---- the command -------------------------------------------------------- */

static int run(cli_args *args)
{
    const char *name = args->operands[0];
    if (!name) {
        cli_help_all(stdout);
        return CLI_DONE;
    }
    const cli_command *command = cli_command_find(name);
    if (command) {
        cli_help_command(stdout, command);
        return CLI_DONE;
    }
    const char *names[CLI_NAMES] = {NULL};
    for (int i = 0; cli_commands[i]; i++) names[i] = cli_commands[i]->name;
    const char *near = bl_nearest(name, names);
    if (near)
        return cli_say(args, CLI_USAGE,
                       "no command \"%s\"; the nearest is \"%s\"", name, near);
    return cli_say(args, CLI_USAGE, "no command \"%s\"; see: ballast --help",
                   name);
}

static const char *const usage[] = {"[COMMAND]", NULL};

const cli_command cli_help = {
    .name = "help",
    .summary = "explain a command",
    .usage = usage,
    .about = "Prints the help of a command, as ballast COMMAND --help does.",
    .operands = {"COMMAND"},
    .options = cli_no_options,
    .run = run,
};
