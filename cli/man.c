/* SPDX-License-Identifier: Apache-2.0 */
/*
 * man.c: the manual page and shell completion, made from the same tables as
 * help.
 *
 *   ballast man          roff, man/ballast.1
 *   ballast completion   a script for bash: . <(ballast completion)
 */
#include <string.h>

#include "cli.h"

/* ---- the manual page ---------------------------------------------------- */

/** Prints text with what roff would take as its own escaped. */
static void roff(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (c == text && (*c == '.' || *c == '\'')) (void)fputs("\\&", stdout);
        if (*c == '-')
            (void)fputs("\\-", stdout);
        else if (*c == '\\')
            (void)fputs("\\e", stdout);
        else
            (void)putchar(*c);
    }
}

static void roff_option(void *payload, const char *title, const bl_param *row)
{
    (void)payload;
    if (title && strcmp(title, "Options") != 0) {
        printf(".PP\n");
        roff(title);
        printf(":\n");
    }
    printf(".TP\n.B \\-\\-");
    roff(row->name);
    if (row->metavar) {
        printf(" \\fI");
        roff(row->metavar);
        printf("\\fR");
    }
    printf("\n");
    roff(row->doc);
    if (row->kind != BL_PARAM_FLAG && row->def[0]) {
        printf(" [");
        roff(row->def);
        printf("]");
    }
    printf("\n");
}

/** Ways to call a command, a line each; goes_on: lines stand before. */
static void roff_usage(const cli_command *command, int goes_on)
{
    for (int i = 0; command->usage[i]; i++) {
        printf("%s.B ballast %s\n", i || goes_on ? ".br\n" : "",
               command->name);
        roff(command->usage[i]);
        printf("\n");
    }
}

static void roff_command(const cli_command *command)
{
    printf(".SS ballast ");
    roff(command->name);
    printf("\n");
    roff_usage(command, 0);
    printf(".PP\n");
    roff(command->about);
    printf("\n");
    cli_options_each(command, roff_option, NULL);
    for (int i = 0; command->examples && command->examples[i]; i += 2) {
        printf(".PP\nExample: ");
        roff(command->examples[i]);
        printf("\n.PP\n.RS\n.nf\n");
        roff(command->examples[i + 1]);
        printf("\n.fi\n.RE\n");
    }
}

static const char *const after[] = {
    ".SH ENVIRONMENT",
    ".TP", ".B BALLAST_DATA",
    "Folders to look for named data sets in, separated by colons.",
    ".TP", ".B XDG_CACHE_HOME",
    "Its folder ballast (else ~/.cache/ballast) is looked in next.",
    ".TP", ".BR OMP_WAIT_POLICY \", \" GOMP_SPINCOUNT",
    "How compute threads wait for each other.",
    "Where neither is set, commands that compute set",
    ".B GOMP_SPINCOUNT",
    "to 20000 and start themselves again, so that the threads of GCC's OpenMP "
    "do not keep cores from other programs.",
    ".TP", ".B COLUMNS", "Width of charts and of the line of progress.",
    ".SH FILES",
    ".TP", ".IR /usr/local/share/datasets \", \" /usr/share/datasets",
    "Folders that named data sets are looked for in last, after",
    ".BR \\-\\-data\\-dir ,", ".B BALLAST_DATA", "and the cache.",
    ".PP",
    "A run's folder holds",
    ".BR run.yaml ,", ".BR metrics.jsonl ,", ".BR last.safetensors ,",
    ".BR best.safetensors ,", ".B result.json",
    "and the checkpoint that",
    ".B ballast train \\-\\-resume", "goes on from.",
    "Errors are fractions in files and per cent on the screen.",
    "In a run with a holdout the test_error of",
    ".B metrics.jsonl", "is the error on the validation split.",
    ".SH EXIT STATUS",
    ".TP", ".B 0", "Done.",
    ".TP", ".B 1", "The run failed; one line on standard error says why.",
    ".TP", ".B 2", "Wrong usage.",
    ".TP", ".B 3",
    "Another process is at work on the run, or on cells that a study left to "
    "it; nothing failed, and the same command goes on later.",
    ".TP", ".BR 130 \", \" 143 \", \" 129",
    "Stopped by SIGINT, SIGTERM or SIGHUP after a checkpoint was written.",
    NULL};

static int run_man(cli_args *args)
{
    (void)args;
    printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
           ".\\\" Made by \"ballast man\"; do not edit.\n"
           ".TH BALLAST 1 \"\" \"ballast %s\" \"User commands\"\n"
           ".SH NAME\n"
           "ballast \\- train recognisers on data that is out of balance\n"
           ".SH SYNOPSIS\n", bl_version());
    for (int i = 0; cli_commands[i]; i++)
        if (!cli_commands[i]->hidden)
            roff_usage(cli_commands[i], i > 0);
    printf(".SH DESCRIPTION\n"
           "Results go to standard output, everything else to standard "
           "error.\n.SH COMMANDS\n");
    for (int i = 0; cli_commands[i]; i++)
        if (!cli_commands[i]->hidden) roff_command(cli_commands[i]);
    for (int i = 0; after[i]; i++) printf("%s\n", after[i]);
    return CLI_DONE;
}

/* ---- completion --------------------------------------------------------- */

static int run_completion(cli_args *args)
{
    (void)args;
    printf("_ballast()\n{\n    local words=''\n"
           "    case ${COMP_CWORD}:${COMP_WORDS[1]} in\n    1:*) words='");
    for (int i = 0; cli_commands[i]; i++)
        if (!cli_commands[i]->hidden) printf("%s ", cli_commands[i]->name);
    printf("--help --version';;\n    2:list|2:describe) words='");
    for (const cli_kind *k = cli_kinds; k->one; k++) printf("%s ", k->many);
    printf("';;\n");
    for (int i = 0; cli_commands[i]; i++) {
        const char *names[CLI_NAMES];
        const int n = cli_option_names(names, cli_commands[i]);
        if (cli_commands[i]->hidden || n == 0) continue;
        printf("    *:%s) words='", cli_commands[i]->name);
        for (int k = 0; k < n; k++) printf("--%s ", names[k]);
        printf("--help';;\n");
    }
    printf("    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- "
           "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
           "complete -o default -F _ballast ballast\n");
    return CLI_DONE;
}

static const char *const no_operands[] = {"", NULL};

const cli_command cli_man = {
    .name = "man",
    .summary = "print the manual page, in roff",
    .usage = no_operands,
    .about = "Prints man/ballast.1.",
    .options = cli_no_options,
    .hidden = 1,
    .run = run_man,
};

const cli_command cli_completion = {
    .name = "completion",
    .summary = "print a completion script for bash",
    .usage = no_operands,
    .about = "Prints a script to source: . <(ballast completion)",
    .options = cli_no_options,
    .hidden = 1,
    .run = run_completion,
};
