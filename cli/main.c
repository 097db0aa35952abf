/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: the table of commands, and the way from a word to its row.
 *
 * Results go to standard output, everything else to standard error.  Exit
 * status: 0 done, 1 the run failed, 2 wrong usage, 128 + n stopped by signal
 * n after a checkpoint was written.
 */
#include <locale.h>
#include <string.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &cli_train, &cli_study,    &cli_eval, &cli_plot, &cli_inspect, &cli_bench,
    &cli_list,  &cli_describe, &cli_help, &cli_man,     &cli_completion,
    NULL,
};

const bl_param cli_no_options[] = {CLI_END};

const cli_command *cli_command_find(const char *name)
{
    for (int i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0) return cli_commands[i];
    return NULL;
}

static int unknown_command(const char *word)
{
    const char *names[CLI_NAMES] = {NULL};
    int n = 0;
    for (int i = 0; cli_commands[i]; i++)
        if (!cli_commands[i]->hidden) names[n++] = cli_commands[i]->name;
    const char *near = bl_nearest(word, names);
    if (near)
        return cli_say(NULL, CLI_USAGE,
                       "no command \"%s\"; the nearest is \"%s\"", word, near);
    return cli_say(NULL, CLI_USAGE,
                   "no command \"%s\"; see: ballast --help", word);
}

static int is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int wants_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i])) return 1;
    return 0;
}

static int run_command(const cli_command *command, int argc, char *const *argv)
{
    if (wants_help(argc, argv)) {
        cli_help_command(stdout, command);
        return CLI_DONE;
    }
    cli_args args;
    int code = cli_args_parse(&args, command, argc, argv);
    if (code == CLI_DONE) code = command->run(&args);
    cli_args_free(&args);
    return code;
}

static int dispatch(int argc, char *const *argv)
{
    if (argc < 2) {
        cli_help_all(stderr);
        return CLI_USAGE;
    }
    if (is_help(argv[1])) {
        cli_help_all(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ballast %s\n", bl_version());
        return CLI_DONE;
    }
    const cli_command *command = cli_command_find(argv[1]);
    if (!command) return unknown_command(argv[1]);
    if (command->computes) cli_spin(argv);
    return run_command(command, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* text only: numbers keep their point */
    cli_signals_settle();
    const int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "ballast: standard output cannot be written\n");
        return code == CLI_DONE ? CLI_FAILED : code;
    }
    return code;
}
