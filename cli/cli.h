/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h: the command line, a client of include/ballast alone.
 *
 * A command is a row (main.c lists them): its options are a bl_param table of
 * its own, plus rows it shares with bl_train_params().  Parsing, help, the man
 * page and completion are made from these tables.  A cmd_*.c reads top to
 * bottom: options, work, the row.
 */
#ifndef BL_CLI_H
#define BL_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "ballast/ballast.h"

/** Exit status; after a signal it is 128 + its number.  CLI_BUSY: another
 *  process is at work there, and nothing failed. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_BUSY = 3 };

enum { CLI_OPERANDS = 2, CLI_NAMES = 256, CLI_SETS = 64 };

struct cli_args;

/** One command. */
typedef struct cli_command {
    const char *name;
    const char *summary;              /* one line, no full stop            */
    const char *const *usage;         /* what follows "ballast NAME"       */
    const char *about;                /* a paragraph                       */
    const char *const *examples;      /* comment, command, ..., NULL       */
    const char *operands[CLI_OPERANDS];
    int n_needed;                     /* operands that must be there       */
    const bl_param *options;          /* its own                           */
    const char *const *shared;        /* keys of training it takes; the    */
                                      /* common ones where all_keys is set */
    int all_keys;                     /* takes every key, --config, --set  */
    int hidden;                       /* not in the list of commands       */
    int computes;                     /* runs networks: see spin.c         */
    int (*run)(struct cli_args *args);
} cli_command;

/** The words of one call. */
typedef struct cli_args {
    const cli_command *command;
    bl_config *own;                   /* over command->options             */
    bl_config *train;                 /* over bl_train_params()            */
    const char *operands[CLI_OPERANDS]; /* NULL where not given            */
    const char *config;               /* last file of --config, or NULL    */
    const char *sets[CLI_SETS + 1];   /* of --set, where it is no key of   */
    int n_sets;                       /* one run                           */
} cli_args;

extern const cli_command *const cli_commands[]; /* NULL-terminated */
extern const cli_command cli_train, cli_study, cli_eval, cli_inspect,
    cli_bench, cli_plot, cli_list, cli_describe, cli_help, cli_man,
    cli_completion;
extern const bl_param cli_no_options[];

/** Row of "--json", the same everywhere. */
#define CLI_JSON                                                     \
    {                                                                \
        "json", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,            \
            "print JSON on standard output"                          \
    }
#define CLI_END                                                      \
    {                                                                \
        NULL, BL_PARAM_FLAG, NULL, 0, 0, NULL, NULL, NULL            \
    }

/* ---- spin.c ------------------------------------------------------------- */

/** Starts the program again with a short spin, unless the environment says
 *  how threads wait; returns if it does, or if that fails. */
void cli_spin(char *const *argv);

/* ---- opt.c -------------------------------------------------------------- */

/** Reads the words after the command's name; says what is wrong.
 *  Gives CLI_DONE or CLI_USAGE; args is to be freed in any case. */
int cli_args_parse(cli_args *args, const cli_command *command, int argc,
                   char *const *argv);
void cli_args_free(cli_args *args);

/** Names of every option of a command; returns how many. */
int cli_option_names(const char *names[CLI_NAMES], const cli_command *command);
int cli_shares(const cli_command *command, const char *key);

/** Sets in config what was given as an option in args. */
BL_MUST_USE bl_status cli_args_apply(const cli_args *args, bl_config *config);

const cli_command *cli_command_find(const char *name);

/* ---- help.c ------------------------------------------------------------- */

void cli_help_all(FILE *out);
void cli_help_command(FILE *out, const cli_command *command);

/** One visit of every option in the order of help: title is that of a group,
 *  given with its first row, else NULL. */
typedef void cli_option_visit(void *payload, const char *title,
                              const bl_param *row);
void cli_options_each(const cli_command *command, cli_option_visit *visit,
                      void *payload);

/* ---- say.c -------------------------------------------------------------- */

/** Prints "ballast NAME: text" on standard error; returns code. */
#if defined(__GNUC__)
__attribute__((__format__(printf, 3, 4)))
#endif
int cli_say(const cli_args *args, int code, const char *format, ...);

/** Says the last error of the library; returns code. */
int cli_fail(const cli_args *args, int code);

/** cli_fail of opening the data of config: where the name stands in a file,
 *  says that --data may give another. */
int cli_fail_data(const cli_args *args, const bl_config *config);

/** cli_fail of reading the run in a folder: says what makes one. */
int cli_fail_run(const cli_args *args);

/** Prints a document on standard output and frees it. */
BL_MUST_USE bl_status cli_json_print(bl_json *json);

/** Facts that go to JSON, or as aligned lines to standard output. */
typedef struct cli_facts {
    bl_json *json; /* NULL: lines */
    int in_list;   /* first item of an open list not yet printed */
} cli_facts;

BL_MUST_USE bl_status cli_facts_open(cli_facts *facts, int json);
void cli_fact_string(cli_facts *facts, const char *key, const char *text);
void cli_fact_integer(cli_facts *facts, const char *key, int64_t value);
void cli_fact_real(cli_facts *facts, const char *key, double value);
void cli_fact_bool(cli_facts *facts, const char *key, int value);
void cli_fact_list(cli_facts *facts, const char *key);
void cli_fact_item(cli_facts *facts, const char *text);
void cli_fact_list_close(cli_facts *facts);
BL_MUST_USE bl_status cli_facts_close(cli_facts *facts);

/* ---- term.c ------------------------------------------------------------- */

/** Columns of the terminal that file is, 80 where it is none. */
int cli_width(int file);
/** The same within the limits of a chart. */
int cli_chart_width(int file);
int cli_utf8(void);
/** Columns that text takes, one a code point. */
int cli_columns(const char *text);
/** A bar of value in [0, 1] over width columns, and no newline. */
void cli_bar(double value, int width, int utf8);
/** Seconds on a clock that only goes forward. */
double cli_clock(void);
/** "1 h 02 min", "3 min 20 s", "12 s"; "?" where not finite. */
void cli_duration(char out[32], double seconds);
/** "23.40 %" of a fraction; "-" of NaN. */
void cli_percent(char out[16], double fraction);

/* ---- stop.c ------------------------------------------------------------- */

/** What holds in every command: a write past a limit on the size of files
 *  fails instead of killing, and children can be waited for. */
void cli_signals_settle(void);
/** Notes SIGINT, SIGTERM and SIGHUP from now on, a second one kills; a reader
 *  that closes its pipe no longer does. */
void cli_stop_catch(void);
/** The signal noted, 0 for none. */
int cli_stop_signal(void);
/** "SIGINT" of one that is noted. */
const char *cli_stop_name(int signal_number);

/* ---- spawn.c ------------------------------------------------------------ */

/** How a program is started. */
typedef struct cli_child {
    char *const *argv;   /* argv[0] is looked for in PATH                  */
    const char *path;    /* of the program, tried before PATH; or NULL     */
    const char *in;      /* file that is its standard input                */
    const char *out;     /* file for its standard output, made or emptied  */
    int err;             /* descriptor that becomes its standard error     */
    int own_group;       /* Ctrl-C at the terminal does not reach it       */
} cli_child;

/** Starts a program; gives 0, or errno's number.  Descriptors that it shall
 *  not have must close on exec. */
int cli_spawn(pid_t *pid, const cli_child *child);

/* ---- progress.c --------------------------------------------------------- */

typedef struct cli_progress {
    int quiet, live;         /* live: one line that is rewritten          */
    const char *unit;        /* "images" or "pairs"                       */
    const char *error;       /* "test error" or "validation error"        */
    const char *brief;       /* "test error" or "validation"              */
    int64_t said;            /* last epoch a line was printed for         */
    double drawn;            /* when the live line was, cli_clock         */
    int open;                /* a live line stands on the terminal        */
    const char *lead;        /* "cell 2/10" of a study, else NULL         */
    double later;            /* seconds that the study takes after this   */
} cli_progress;

void cli_progress_begin(cli_progress *p, int quiet, const bl_config *config,
                        const bl_trainer *trainer);
void cli_progress_show(cli_progress *p, const bl_trainer *trainer);
/** Ends the live line, so that other text may follow. */
void cli_progress_end(cli_progress *p);
/** A sink of bl_log for the terminal; payload is a cli_progress. */
void cli_progress_log(void *payload, bl_log_level level, const char *message);

/* ---- report.c ----------------------------------------------------------- */

/** Error table of an evaluation; best < 0: nothing of a best epoch; NaN: no
 *  epoch had the classifier that the run ended with. */
void cli_error_table(const bl_evaluation *e, char *const *class_names,
                     double best, int64_t best_epoch);
/** Classes one a line, with norms [C] and compactness [C]. */
void cli_class_table(const bl_evaluation *e, char *const *class_names,
                     const double *norms, const double *compactness);

/* ---- kinds.c ------------------------------------------------------------ */

/** One entry of one of the library's tables. */
typedef struct cli_entry {
    const char *name, *summary, *paper; /* paper may be NULL */
    const void *row;
    bl_backend_info backend;
} cli_entry;

typedef struct cli_kind {
    const char *one, *many, *summary;
    int (*entry)(cli_entry *out, int i); /* 0 past the last */
    bl_status (*describe)(cli_facts *facts, const cli_entry *entry);
} cli_kind;

extern const cli_kind cli_kinds[]; /* ends with one == NULL */

/** Finds a kind by "method" or "methods"; says so if there is none. */
const cli_kind *cli_kind_find(const cli_args *args, const char *name);

/** cmd_describe.c: what there is to say beyond name, summary and paper. */
bl_status cli_describe_method(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_model(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_data(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_loss(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_sampler(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_mix(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_schedule(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_adaptor(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_profile(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_study(cli_facts *facts, const cli_entry *entry);
bl_status cli_describe_backend(cli_facts *facts, const cli_entry *entry);

#endif
