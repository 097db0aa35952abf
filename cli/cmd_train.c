/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_train.c: one run, from configuration to error table.
 *
 * The loop steps the trainer and looks for a signal between two steps, so a
 * run can be stopped anywhere and lose nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const bl_param options[] = {
    {"out", BL_PARAM_STRING, "", 0, 0, NULL, "RUN",
     "folder to write the run to"},
    {"resume", BL_PARAM_STRING, "", 0, 0, NULL, "RUN",
     "go on with a run that was stopped, exactly where it was"},
    {"config", BL_PARAM_STRING, "", 0, 0, NULL, "FILE",
     "read keys from a YAML file; the run.yaml of a run repeats it"},
    {"set", BL_PARAM_STRING, "", 0, 0, NULL, "KEY=VALUE",
     "set one key, as the option of its name does; may be repeated"},
    {"print-config", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "print every key, its value and where it came from, and stop"},
    {"overwrite", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "replace a run that is already in the folder"},
    {"overwrite-begun", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "replace it only if it has no checkpoint yet"},
    {"quiet", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "no progress; warnings alone"},
    CLI_JSON,
    CLI_END,
};

/* A resumed run keeps its own configuration; only where the images lie may
 * have changed, and their fingerprint is compared. */
static const char *const resumable[] = {"data", "data-dir", NULL};
static const char *const of_new_runs[] = {"out", "overwrite",
                                          "overwrite-begun", NULL};

/** Everything a run holds. */
typedef struct job {
    const cli_args *args;
    const char *run;          /* folder */
    int resume;
    bl_config *config;
    bl_dataset *data;
    bl_split *validation;     /* NULL without a holdout */
    bl_trainer *trainer;
    cli_progress progress;
} job;

static int check_resume(const job *j)
{
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        if (bl_config_origin(j->args->train, p->name) == BL_ORIGIN_DEFAULT)
            continue;
        int allowed = 0;
        for (int i = 0; resumable[i]; i++)
            allowed |= strcmp(resumable[i], p->name) == 0;
        if (!allowed)
            return cli_say(j->args, CLI_USAGE,
                           "--resume goes on with the run's own "
                           "configuration; --%s cannot be given with it",
                           p->name);
    }
    for (int i = 0; of_new_runs[i]; i++)
        if (bl_config_origin(j->args->own, of_new_runs[i]) !=
            BL_ORIGIN_DEFAULT)
            return cli_say(j->args, CLI_USAGE,
                           "--resume writes to the run it goes on with; --%s "
                           "cannot be given with it", of_new_runs[i]);
    return CLI_DONE;
}

/** Makes the configuration of the run from the words of the call. */
static int configure(job *j)
{
    const char *resume = bl_config_string(j->args->own, "resume");
    j->resume = resume[0] != '\0';
    j->run = j->resume ? resume : bl_config_string(j->args->own, "out");
    if (!j->resume) {
        if (bl_config_clone(&j->config, j->args->train) < 0 ||
            bl_train_settle(j->config) < 0)
            return cli_fail(j->args, CLI_USAGE);
        return CLI_DONE;
    }
    const int code = check_resume(j);
    if (code != CLI_DONE) return code;
    if (bl_run_config(&j->config, resume) < 0) return cli_fail_run(j->args);
    if (cli_args_apply(j->args, j->config) < 0)
        return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

/** A key's value in its JSON type; lists of numbers stay text. */
static void json_value(bl_json *json, const bl_config *config,
                       const bl_param *p)
{
    if (p->kind == BL_PARAM_FLAG)
        bl_json_bool(json, "value", bl_config_flag(config, p->name));
    else if (p->kind == BL_PARAM_INTEGER)
        bl_json_integer(json, "value", bl_config_integer(config, p->name));
    else if (p->kind == BL_PARAM_REAL)
        bl_json_real(json, "value", bl_config_real(config, p->name));
    else
        bl_json_string(json, "value", bl_config_text(config, p->name));
}

static int print_config_json(const job *j)
{
    bl_json *json;
    if (bl_json_create(&json, 1) < 0) return cli_fail(j->args, CLI_FAILED);
    bl_json_object(json, NULL);
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        bl_json_object(json, p->name);
        json_value(json, j->config, p);
        bl_json_string(json, "from",
                       bl_origin_name(bl_config_origin(j->config, p->name)));
        bl_json_close(json);
    }
    bl_json_close(json);
    if (cli_json_print(json) < 0) return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

static int print_config(const job *j)
{
    if (bl_config_flag(j->args->own, "json")) return print_config_json(j);
    size_t key = 0, value = 0;
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        const size_t a = strlen(p->name);
        const size_t b = strlen(bl_config_text(j->config, p->name));
        key = a > key ? a : key;
        value = b > value ? b : value;
    }
    for (const bl_param *p = bl_train_params(); p->name; p++) {
        const char *text = bl_config_text(j->config, p->name);
        printf("%-*s  %-*s  %s\n", (int)key, p->name, (int)value,
               text[0] ? text : "\"\"",
               bl_origin_name(bl_config_origin(j->config, p->name)));
    }
    return CLI_DONE;
}

static int check_needed(const job *j)
{
    if (!bl_config_string(j->config, "data")[0])
        return cli_say(j->args, CLI_USAGE,
                       "--data D is missing: a data set by name (ballast "
                       "list data), or a folder or archive");
    if (!j->run[0])
        return cli_say(j->args, CLI_USAGE,
                       "--out RUN is missing: the folder to write the run "
                       "to");
    return CLI_DONE;
}

static bl_overwrite overwrite_of(const bl_config *own)
{
    if (bl_config_flag(own, "overwrite")) return BL_OVERWRITE_ANY;
    return bl_config_flag(own, "overwrite-begun") ? BL_OVERWRITE_BEGUN
                                                  : BL_OVERWRITE_NONE;
}

static int open_trainer(job *j)
{
    const int quiet = bl_config_flag(j->args->own, "quiet");
    if (bl_train_data(&j->data, &j->validation, j->config) < 0)
        return cli_fail_data(j->args, j->config);
    cli_stop_catch();
    const bl_trainer_options with = {
        .log = {.write = cli_progress_log,
                .payload = &j->progress,
                .level = quiet ? BL_LOG_WARNING : BL_LOG_INFO},
        .run_dir = j->run,
        .overwrite = overwrite_of(j->args->own),
        .validation = j->validation,
        .repeats = j->args->config,
    };
    const bl_status status =
        j->resume ? bl_trainer_resume(&j->trainer, j->data, &with)
                  : bl_trainer_create(&j->trainer, j->config, j->data, &with);
    if (status < 0)
        return cli_fail(j->args, status == BL_EBUSY ? CLI_BUSY : CLI_FAILED);
    cli_progress_begin(&j->progress, quiet, j->config, j->trainer);
    return CLI_DONE;
}

static int stop(job *j, int signal_number)
{
    cli_progress_end(&j->progress);
    if (bl_trainer_checkpoint(j->trainer) < 0)
        return cli_fail(j->args, CLI_FAILED);
    bl_progress now;
    bl_trainer_progress(j->trainer, &now);
    (void)cli_say(j->args, 0,
                  "stopped by %s in epoch %lld of %lld; go on with: ballast "
                  "train --resume %s",
                  cli_stop_name(signal_number), (long long)now.epoch,
                  (long long)now.epochs, j->run);
    return 128 + signal_number;
}

static int iterate(job *j)
{
    bl_status status;
    while ((status = bl_trainer_step(j->trainer)) == BL_OK) {
        cli_progress_show(&j->progress, j->trainer);
        if (cli_stop_signal()) return stop(j, cli_stop_signal());
    }
    cli_progress_show(&j->progress, j->trainer);
    cli_progress_end(&j->progress);
    return status < 0 ? cli_fail(j->args, CLI_FAILED) : CLI_DONE;
}

/** Prints result.json as the run wrote it: one form, whoever reads it. */
static int print_result_file(const job *j)
{
    const size_t bytes = strlen(j->run) + sizeof "/result.json";
    char *path = malloc(bytes);
    if (!path) return cli_say(j->args, CLI_FAILED, "out of memory");
    (void)snprintf(path, bytes, "%s/result.json", j->run);
    FILE *file = fopen(path, "rb");
    int c, code = CLI_DONE;
    while (file && (c = getc(file)) != EOF) (void)putchar(c);
    if (!file || ferror(file))
        code = cli_say(j->args, CLI_FAILED, "%s cannot be read", path);
    if (file) (void)fclose(file);
    free(path);
    return code;
}

static int report(const job *j)
{
    if (bl_config_flag(j->args->own, "json")) return print_result_file(j);
    bl_result result;
    char took[32];
    bl_trainer_result(j->trainer, &result);
    cli_duration(took, result.seconds);
    printf("%s on %s, imbalance %s: %s, %s epochs, seed %s, %s %s, %s\n\n",
           bl_config_string(j->config, "method"), j->data->name,
           bl_config_text(j->config, "imbalance"),
           bl_config_string(j->config, "model"),
           bl_config_text(j->config, "epochs"),
           bl_config_text(j->config, "seed"), result.backend,
           result.precision, took);
    if (result.last)
        cli_error_table(result.last, j->data->class_names,
                        result.test_error_best, result.best_epoch);
    return CLI_DONE;
}

static int run(cli_args *args)
{
    job j = {.args = args};
    int code = configure(&j);
    if (code == CLI_DONE && bl_config_flag(args->own, "print-config")) {
        code = print_config(&j);
    } else {
        if (code == CLI_DONE) code = check_needed(&j);
        if (code == CLI_DONE) code = open_trainer(&j);
        if (code == CLI_DONE) code = iterate(&j);
        if (code == CLI_DONE) code = report(&j);
    }
    bl_trainer_free(j.trainer);
    bl_split_free(j.validation);
    bl_dataset_free(j.data);
    bl_config_free(j.config);
    return code;
}

static const char *const usage[] = {
    "--data D --method M --out RUN [options]", "--resume RUN", NULL};

static const char *const common[] = {
    "data",  "method", "model", "imbalance", "profile", "epochs",  "seed",
    "batch", "lr",     "precision", "backend", "threads", NULL};

static const char *const examples[] = {
    "BBN on the long-tailed CIFAR-10 of its paper",
    "ballast train --data cifar10 --imbalance 100 --method bbn "
    "--out runs/bbn-1",
    "the same with another seed and rate, from the run's file",
    "ballast train --config runs/bbn-1/run.yaml --seed 1 --lr 0.2 "
    "--out runs/bbn-2",
    "stop it with Ctrl-C; go on later as if nothing had happened",
    "ballast train --resume runs/bbn-2",
    NULL};

const cli_command cli_train = {
    .name = "train",
    .summary = "train a network on a data set",
    .usage = usage,
    .about =
        "Trains, tests after every epoch, and writes a folder RUN: run.yaml "
        "(the whole configuration), metrics.jsonl (a line an epoch), "
        "last.safetensors and best.safetensors (weights), result.json.  "
        "Every option is also a key of --config files.  A value is taken "
        "from the first of: option or --set, --config file, the method's "
        "row, the default.  Ctrl-C writes a checkpoint and stops; a second one "
        "stops at once.",
    .examples = examples,
    .options = options,
    .shared = common,
    .all_keys = 1,
    .computes = 1,
    .run = run,
};
