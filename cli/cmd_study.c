/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_study.c: a grid of runs, and the table of what came out.
 *
 * Options narrow or replace what the study says of a key, by way of the
 * changes of bl_study_open.  A cell that fails is named with its reason and
 * the others go on; one that another process is at work on is left to it; a
 * signal stops all, and the next call goes on from there.
 */
#include <stdlib.h>
#include <string.h>

#include "study.h"

static const bl_param options[] = {
    {"out", BL_PARAM_STRING, "", 0, 0, NULL, "DIR",
     "folder of the study; its cells go to DIR/cells"},
    {"data", BL_PARAM_STRING, "", 0, 0, NULL, "D[,D...]",
     "data sets in place of the study's"},
    {"data-dir", BL_PARAM_STRING, "", 0, 0, NULL, "DIR",
     "folder to look for named data sets in first"},
    {"imbalance", BL_PARAM_STRING, "", 0, 0, NULL, "F[,F...]",
     "imbalance factors in place of the study's"},
    {"seeds", BL_PARAM_STRING, "", 0, 0, NULL, "S[,S...]",
     "seeds in place of the study's"},
    {"epochs", BL_PARAM_INTEGER, "200", 1, 1e6, NULL, "N",
     "epochs of each cell; schedules scale, and the table says so"},
    {"set", BL_PARAM_STRING, "", 0, 0, NULL, "KEY=VALUE",
     "set a key in every cell, or the values of an axis; may be repeated"},
    {"jobs", BL_PARAM_INTEGER, "1", 1, 256, NULL, "N",
     "cells to train at once, each in a process of its own"},
    {"threads", BL_PARAM_INTEGER, "0", 0, 4096, NULL, "T",
     "compute threads of a cell; 0: the cores, shared by the jobs"},
    {"dry-run", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "print the cells and the time they will take, and stop"},
    {"quiet", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "no progress; what fails alone"},
    CLI_JSON,
    {"csv", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "print CSV on standard output"},
    {"markdown", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "print Markdown on standard output"},
    CLI_END,
};

/* ---- opening ------------------------------------------------------------ */

/** Options that are changes of a key, and the key. */
static const struct {
    const char *option, *key;
} changed[] = {
    {"data", "data"},     {"data-dir", "data-dir"}, {"imbalance", "imbalance"},
    {"seeds", "seed"},    {"epochs", "epochs"},     {"threads", "threads"},
};
enum { CHANGED = sizeof changed / sizeof *changed };

static char *assignment(const char *key, const char *value)
{
    const size_t bytes = strlen(key) + strlen(value) + 2;
    char *text = malloc(bytes);
    if (text) (void)snprintf(text, bytes, "%s=%s", key, value);
    return text;
}

static int open_study(study_job *j)
{
    const bl_config *own = j->args->own;
    const char *folder = bl_config_string(own, "out");
    const char *changes[CHANGED + CLI_SETS + 1] = {NULL};
    char *made[CHANGED] = {NULL};
    int n = 0, code = CLI_DONE;
    for (int i = 0; i < CHANGED && code == CLI_DONE; i++) {
        if (bl_config_origin(own, changed[i].option) != BL_ORIGIN_OPTION)
            continue;
        made[i] = assignment(changed[i].key,
                             bl_config_text(own, changed[i].option));
        if (!made[i]) code = cli_say(j->args, CLI_FAILED, "out of memory");
        changes[n++] = made[i];
    }
    for (int i = 0; i < j->args->n_sets; i++)
        changes[n++] = j->args->sets[i];
    if (code == CLI_DONE &&
        bl_study_open(&j->study, j->args->operands[0],
                      folder[0] ? folder : NULL, changes) < 0)
        code = cli_fail(j->args, bl_error_last()->status == BL_EIO
                                     ? CLI_FAILED : CLI_USAGE);
    for (int i = 0; i < CHANGED; i++) free(made[i]);
    return code;
}

static int check(const cli_args *args)
{
    static const char *const forms[] = {"json", "csv", "markdown"};
    int asked = 0;
    for (int i = 0; i < 3; i++) asked += bl_config_flag(args->own, forms[i]);
    if (asked > 1)
        return cli_say(args, CLI_USAGE,
                       "--json, --csv and --markdown: one of them at a time");
    if (!bl_config_string(args->own, "out")[0] &&
        !bl_config_flag(args->own, "dry-run"))
        return cli_say(args, CLI_USAGE,
                       "--out DIR is missing: the folder of the study");
    return CLI_DONE;
}

static int prepare(study_job *j)
{
    j->quiet = bl_config_flag(j->args->own, "quiet");
    j->jobs = bl_config_integer(j->args->own, "jobs");
    j->n = bl_study_cells(j->study);
    j->failed = calloc((size_t)j->n, sizeof *j->failed);
    j->busy = calloc((size_t)j->n, sizeof *j->busy);
    j->work = calloc((size_t)j->n, sizeof *j->work);
    j->group = calloc((size_t)j->n, sizeof *j->group);
    if (!j->failed || !j->busy || !j->work || !j->group)
        return cli_say(j->args, CLI_FAILED, "out of memory");
    return study_pace_open(j);
}

/* ---- cells -------------------------------------------------------------- */

void study_fail(study_job *j, int64_t i, const char *why)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    j->failed[i] = 1;
    j->n_failed++;
    (void)cli_say(j->args, 0, "cell %lld of %lld failed: %s: %s",
                  (long long)i + 1, (long long)j->n, cell->label, why);
}

void study_leave(study_job *j, int64_t i)
{
    j->busy[i] = 1;
    (void)cli_say(j->args, 0, "cell %lld of %lld is in use by another process: "
                  "%s", (long long)i + 1, (long long)j->n,
                  bl_study_cell_at(j->study, i)->label);
}

void study_done(study_job *j, int64_t i, double left)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    char error[16], took[32], rest[32];
    if (j->quiet) return;
    cli_percent(error, cell->error_last);
    cli_duration(took, cell->seconds);
    cli_duration(rest, left);
    (void)fprintf(stderr, "cell %lld/%lld  %s: test error %s  %s  %s left\n",
                  (long long)i + 1, (long long)j->n, cell->label, error, took,
                  rest);
}

/** Is cell k finished, for which cell i waits?  Where it failed, so does i. */
static int is_there(study_job *j, int64_t i, int64_t k, const char *waits_as)
{
    const bl_cell *other = bl_study_cell_at(j->study, k);
    char why[512];
    if (j->failed[k]) {
        (void)snprintf(why, sizeof why, "%s cell %lld (%.300s), which failed",
                       waits_as, (long long)k + 1, other->label);
        study_fail(j, i, why);
    }
    return other->state == BL_CELL_FINISHED;
}

int study_ready(study_job *j, int64_t i)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    if (j->failed[i] || j->busy[i] || cell->state == BL_CELL_FINISHED)
        return 0;
    if (cell->first != i && !is_there(j, i, cell->first, "is the same run as"))
        return 0;
    if (cell->state == BL_CELL_BROKEN) {
        study_fail(j, i, cell->problem);
        return 0;
    }
    for (int m = 0; m < 2; m++)
        if (cell->needs[m] >= 0 && !is_there(j, i, cell->needs[m], "needs"))
            return 0;
    return 1;
}

void study_average(study_job *j, int64_t i)
{
    if (bl_study_average(j->study, i) < 0)
        study_fail(j, i, bl_error_last()->message);
    else
        study_done(j, i, study_pace_rest(j, NULL));
}

/* ---- the table ---------------------------------------------------------- */

static int print_table(const study_job *j)
{
    const bl_config *own = j->args->own;
    bl_table_form form = BL_TABLE_TEXT;
    char *text = NULL;
    if (bl_config_flag(own, "json")) form = BL_TABLE_JSON;
    if (bl_config_flag(own, "csv")) form = BL_TABLE_CSV;
    if (bl_config_flag(own, "markdown")) form = BL_TABLE_MARKDOWN;
    if (bl_study_write(&text, j->study, form, cli_width(1)) < 0)
        return cli_fail(j->args, CLI_FAILED);
    (void)fputs(text, stdout);
    bl_free(text);
    return CLI_DONE;
}

/** Takes what another process has finished meanwhile. */
static void look_again(study_job *j)
{
    for (int64_t i = 0; i < j->n; i++) {
        const bl_cell *cell = bl_study_cell_at(j->study, i);
        if (cell->state == BL_CELL_FINISHED ||
            bl_study_look(j->study, i) < 0 ||
            cell->state != BL_CELL_FINISHED)
            continue;
        j->n_failed -= j->failed[i];
        j->failed[i] = 0;
    }
}

/** Says what is missing in the table: cells that failed, and others, which
 *  only another process can have kept from us. */
static int say_missing(const study_job *j)
{
    int code = CLI_DONE;
    int64_t left = -j->n_failed;
    for (int64_t i = 0; i < j->n; i++)
        left += bl_study_cell_at(j->study, i)->state != BL_CELL_FINISHED;
    if (left > 0)
        code = cli_say(j->args, CLI_BUSY, "%lld of %lld cells are left to "
                       "another process, or wait for one that is; the same "
                       "command goes on", (long long)left, (long long)j->n);
    if (j->n_failed > 0)
        code = cli_say(j->args, CLI_FAILED, "%lld of %lld cells failed",
                       (long long)j->n_failed, (long long)j->n);
    return code;
}

/** The table is printed even where its files cannot be written. */
static int finish(study_job *j, int code)
{
    look_again(j);
    const int saved = bl_study_save(j->study) >= 0;
    if (!saved) (void)cli_fail(j->args, CLI_FAILED);
    if (code != CLI_DONE) return code;
    code = print_table(j);
    if (code != CLI_DONE) return code;
    code = say_missing(j);
    return saved ? code : CLI_FAILED;
}

static int is_finished(const study_job *j)
{
    for (int64_t i = 0; i < j->n; i++)
        if (bl_study_cell_at(j->study, i)->state != BL_CELL_FINISHED) return 0;
    return 1;
}

/** A folder that cannot be written is found before anything is trained. */
static int train(study_job *j)
{
    if (!is_finished(j) && bl_study_save(j->study) < 0)
        return cli_fail(j->args, CLI_FAILED);
    cli_stop_catch();
    const int code = j->jobs > 1 ? study_run_jobs(j) : study_run(j);
    if (code > 128)
        (void)cli_say(j->args, 0,
                      "stopped by %s; the same command goes on",
                      cli_stop_name(code - 128));
    return finish(j, code);
}

static int run(cli_args *args)
{
    study_job j = {.args = args};
    int code = check(args);
    if (code == CLI_DONE) code = open_study(&j);
    if (code == CLI_DONE) code = prepare(&j);
    if (code == CLI_DONE)
        code = bl_config_flag(args->own, "dry-run") ? study_pace_print(&j)
                                                    : train(&j);
    bl_study_free(j.study);
    free(j.failed);
    free(j.busy);
    free(j.work);
    free(j.group);
    return code;
}

/* ---- ballast describe study --------------------------------------------- */

static void labels(cli_facts *facts, const char *key,
                   const char *const *texts, int64_t n)
{
    cli_fact_list(facts, key);
    for (int64_t i = 0; i < n; i++)
        cli_fact_item(facts, texts[i][0] ? texts[i] : "-");
    cli_fact_list_close(facts);
}

static void columns(cli_facts *facts, const bl_study_table *table)
{
    char line[256];
    cli_fact_list(facts, "columns");
    for (int64_t c = 0; c < table->n_columns && table->n_axes > 0; c++) {
        size_t used = 0;
        line[0] = '\0';
        for (int64_t a = 0; a < table->n_axes && used < sizeof line; a++) {
            const char *label = table->columns[c * table->n_axes + a];
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s",
                                     a ? ", " : "", label[0] ? label : "-");
        }
        cli_fact_item(facts, line);
    }
    cli_fact_list_close(facts);
}

bl_status cli_describe_study(cli_facts *facts, const cli_entry *entry)
{
    const bl_study_type *type = entry->row;
    bl_study *study = NULL;
    bl_study_table *table = NULL;
    bl_status status = bl_study_open(&study, type->name, NULL, NULL);
    if (status == BL_OK) status = bl_study_table_create(&table, study);
    if (status == BL_OK) {
        cli_fact_string(facts, "about", type->about);
        cli_fact_integer(facts, "published_epochs", type->epochs);
        cli_fact_integer(facts, "cells", bl_study_cells(study));
        cli_fact_string(facts, "row_axis", table->row_axis);
        labels(facts, "rows", table->rows, table->n_rows);
        labels(facts, "column_axes", table->axes, table->n_axes);
        columns(facts, table);
    }
    bl_study_table_free(table);
    bl_study_free(study);
    return status;
}

static const char *const usage[] = {"NAME|FILE.yaml --out DIR [options]",
                                    NULL};

static const char *const examples[] = {
    "a column of BBN's Table 1, shortened",
    "ballast study bbn-table1 --data cifar10 --imbalance 100 --epochs 10 "
    "--out studies/table1",
    "three seeds of two methods",
    "ballast study bbn-table1 --set method=ce,bbn --seeds 0,1,2 "
    "--out studies/seeds",
    "what it would take", "ballast study two-stage --out studies/two --dry-run",
    NULL};

const cli_command cli_study = {
    .name = "study",
    .summary = "train a grid of runs and print its table",
    .usage = usage,
    .about =
        "Trains every cell of a study (ballast list studies, or a YAML file; "
        "docs/studies.md) and prints its table: mean and deviation over seeds "
        "after the last epoch, then at the best epoch, beside the published "
        "figure where there is one.  A cell is an ordinary run in DIR/cells, "
        "found by its configuration: what is finished is not trained again, "
        "what was stopped goes on.  DIR/table.txt, .md, .csv and .json hold "
        "the same.",
    .examples = examples,
    .operands = {"STUDY"},
    .n_needed = 1,
    .options = options,
    .computes = 1,
    .run = run,
};
