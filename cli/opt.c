/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opt.c: reads the words of a call into two configurations.
 *
 * An option is a row of the command's own table or a key of training of the
 * same name; bl_config checks the value either way, so that "--lr x" and
 * "lr: x" in a file are refused with the same words.  Forms: --name value,
 * --name=value, and for flags --name, --name=false.  "--" ends the options.
 * A value that itself begins with "--" takes the second form.
 */
#include <string.h>

#include "cli.h"

int cli_shares(const cli_command *command, const char *key)
{
    for (int i = 0; command->shared && command->shared[i]; i++)
        if (strcmp(command->shared[i], key) == 0) return 1;
    return 0;
}

static int takes_key(const cli_command *command, const char *key)
{
    return command->all_keys || cli_shares(command, key);
}

int cli_option_names(const char *names[CLI_NAMES], const cli_command *command)
{
    int n = 0;
    for (const bl_param *p = command->options; p->name; p++)
        if (n < CLI_NAMES - 1) names[n++] = p->name;
    for (const bl_param *p = bl_train_params(); p->name; p++)
        if (takes_key(command, p->name) && n < CLI_NAMES - 1)
            names[n++] = p->name;
    names[n] = NULL;
    return n;
}

static int unknown_option(const cli_args *args, const char *name)
{
    const char *names[CLI_NAMES];
    (void)cli_option_names(names, args->command);
    const char *near = bl_nearest(name, names);
    if (near)
        return cli_say(args, CLI_USAGE,
                       "no option --%s; the nearest is --%s", name, near);
    return cli_say(args, CLI_USAGE,
                   "no option --%s; see: ballast %s --help", name,
                   args->command->name);
}

/** --set and --config act on the configuration of training as they come;
 *  precedence is by origin, so their place in the call does not matter. */
static bl_status set_option(cli_args *args, const bl_param *own,
                            const char *name, const char *value)
{
    if (!own)
        return bl_config_set(args->train, name, value, BL_ORIGIN_OPTION);
    if (args->command->all_keys && strcmp(name, "set") == 0)
        return bl_config_assign(args->train, value, BL_ORIGIN_OPTION);
    if (args->command->all_keys && strcmp(name, "config") == 0) {
        args->config = value;
        return bl_config_read(args->train, value);
    }
    if (strcmp(name, "set") == 0) args->sets[args->n_sets++] = value;
    return bl_config_set(args->own, name, value, BL_ORIGIN_OPTION);
}

/** Gives the value of an option: what follows '=', or the next word.  A word
 *  that looks like an option is one: whoever forgot a value does not mean a
 *  folder named --quiet. */
static int take_value(const char **value, const cli_args *args,
                      const bl_param *row, int argc, char *const *argv,
                      int *i)
{
    const char *const equals = strchr(argv[*i], '=');
    *value = equals ? equals + 1 : row->kind == BL_PARAM_FLAG ? "true" : NULL;
    if (*value) return CLI_DONE;
    if (*i + 1 == argc)
        return cli_say(args, CLI_USAGE, "--%s needs a value: --%s %s",
                       row->name, row->name,
                       row->metavar ? row->metavar : "VALUE");
    const char *const word = argv[++*i];
    if (strncmp(word, "--", 2) == 0)
        return cli_say(args, CLI_USAGE,
                       "--%s: wanted a value, found the option %s; write "
                       "--%s=%s if that is meant", row->name, word, row->name,
                       word);
    *value = word;
    return CLI_DONE;
}

/** Reads the option at argv[*i], and the word after it if it takes one. */
static int read_option(cli_args *args, int argc, char *const *argv, int *i)
{
    const char *word = argv[*i];
    if (word[1] != '-')
        return cli_say(args, CLI_USAGE,
                       "no option %s; options are written in full, as --name",
                       word);
    const char *equals = strchr(word, '=');
    const size_t bytes = equals ? (size_t)(equals - word) - 2
                                : strlen(word) - 2;
    char name[64];
    if (bytes >= sizeof name) return unknown_option(args, word + 2);
    memcpy(name, word + 2, bytes);
    name[bytes] = '\0';

    const bl_param *own = bl_param_find(args->command->options, name);
    const bl_param *row = own;
    if (!row && takes_key(args->command, name))
        row = bl_param_find(bl_train_params(), name);
    if (!row) return unknown_option(args, name);

    const char *value;
    const int code = take_value(&value, args, row, argc, argv, i);
    if (code != CLI_DONE) return code;
    if (args->n_sets == CLI_SETS && strcmp(name, "set") == 0)
        return cli_say(args, CLI_USAGE, "--set stands more than %d times",
                       (int)CLI_SETS);
    if (set_option(args, own, name, value) < 0)
        return cli_fail(args, CLI_USAGE);
    return CLI_DONE;
}

static int read_operand(cli_args *args, int *n, const char *word)
{
    if (*n >= CLI_OPERANDS || !args->command->operands[*n])
        return cli_say(args, CLI_USAGE,
                       "the word \"%s\" is one too many; usage: ballast %s %s",
                       word, args->command->name, args->command->usage[0]);
    args->operands[(*n)++] = word;
    return CLI_DONE;
}

static int read_words(cli_args *args, int argc, char *const *argv)
{
    int n = 0, ended = 0, code = CLI_DONE;
    for (int i = 0; i < argc && code == CLI_DONE; i++) {
        const char *word = argv[i];
        if (!ended && strcmp(word, "--") == 0)
            ended = 1;
        else if (!ended && word[0] == '-' && word[1] != '\0')
            code = read_option(args, argc, argv, &i);
        else
            code = read_operand(args, &n, word);
    }
    if (code != CLI_DONE || n >= args->command->n_needed) return code;
    return cli_say(args, CLI_USAGE, "%s is missing; usage: ballast %s %s",
                   args->command->operands[n], args->command->name,
                   args->command->usage[0]);
}

/** A backend by a name that this build does not have is a wrong call, and
 *  found before any data are read. */
static int check_backend(const cli_args *args)
{
    enum { MAX = 16 };
    bl_backend_info rows[MAX];
    const char *names[MAX + 2] = {"auto"};
    const char *word = bl_config_string(args->train, "backend");
    const int32_t n = bl_backend_list(rows, MAX);
    for (int32_t i = 0; i < n && i < MAX; i++) names[i + 1] = rows[i].name;
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], word) == 0) return CLI_DONE;
    const char *near = bl_nearest(word, names);
    const char *place = bl_config_place(args->train, "backend");
    const char *colon = *place ? ": " : "";
    if (near)
        return cli_say(args, CLI_USAGE,
                       "%s%sbackend: %s is unknown; did you mean %s? (ballast "
                       "list backends)", place, colon, word, near);
    return cli_say(args, CLI_USAGE,
                   "%s%sbackend: %s is unknown; see ballast list backends",
                   place, colon, word);
}

int cli_args_parse(cli_args *args, const cli_command *command, int argc,
                   char *const *argv)
{
    memset(args, 0, sizeof *args);
    args->command = command;
    if (bl_config_create(&args->own, command->options) < 0 ||
        bl_train_config(&args->train) < 0)
        return cli_fail(args, CLI_FAILED);
    const int code = read_words(args, argc, argv);
    return code == CLI_DONE ? check_backend(args) : code;
}

void cli_args_free(cli_args *args)
{
    bl_config_free(args->own);
    bl_config_free(args->train);
    memset(args, 0, sizeof *args);
}

bl_status cli_args_apply(const cli_args *args, bl_config *config)
{
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (bl_config_origin(args->train, p->name) != BL_ORIGIN_OPTION)
            continue;
        const bl_status status =
            bl_config_set(config, p->name,
                          bl_config_text(args->train, p->name),
                          BL_ORIGIN_OPTION);
        if (status < 0) return status;
    }
    return BL_OK;
}
