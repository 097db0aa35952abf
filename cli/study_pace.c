/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study_pace.c: how long the cells of a study take.
 *
 * The work of a cell is the images it computes: epochs times the training
 * images, and the test images at a third of the price, since they go forward
 * only.  Cells that train alike (speed_keys) form a group with one speed: the
 * mean over cells of the folder that have one, or else, for a dry run, a few
 * seconds of training.  A speed that nobody knows is taken as the mean of the
 * others'.  Images of different sizes and jobs that share the machine are not
 * told apart, so this is an estimate and is printed as one.
 *
 * Whoever looks at the data of every cell knows what else it takes to train
 * it, so the cells are checked here too.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study.h"

enum { SIZES = 64 };
#define FORWARD_SHARE (1.0 / 3)
#define TIMING_S 4.0
#define WARM_UP_S 1.0

/* ---- sizes of data ------------------------------------------------------ */

/** Keys that decide which images a run sees. */
static const char *const image_keys[] = {"data", "data-dir", "imbalance",
                                         "profile", "holdout"};
enum { IMAGE_KEYS = sizeof image_keys / sizeof *image_keys };

/** Keys that decide how fast a run sees them. */
static const char *const speed_keys[] = {"method", "model", "backend",
                                         "precision", "sam.rho"};
enum { SPEED_KEYS = sizeof speed_keys / sizeof *speed_keys };

/** Joins the texts of n keys, each on its line, cut to bytes. */
static void join_keys(char *out, size_t bytes, const bl_config *config,
                      const char *const *keys, int n)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < n && used < bytes - 1; i++)
        used += (size_t)snprintf(out + used, bytes - used, "%s\n",
                                 bl_config_text(config, keys[i]));
}

/** Images of a cell, and their size and classes. */
typedef struct size_row {
    char key[512];
    double train, test;
    bl_network_spec images;
} size_row;

/** Sizes that were found, the newest of SIZES, and the set opened last. */
typedef struct sizes {
    size_row rows[SIZES];
    int n;
    char name[512];
    bl_dataset *data;
} sizes;

static bl_status open_data(sizes *s, const bl_config *config)
{
    char name[512];
    const char *folder = bl_config_string(config, "data-dir");
    join_keys(name, sizeof name, config, image_keys, 2);
    if (s->data && strcmp(name, s->name) == 0) return BL_OK;
    bl_dataset_free(s->data);
    s->data = NULL;
    bl_split *none = NULL;
    if (!bl_config_string(config, "data")[0]) /* says what is missing */
        return bl_train_data(&s->data, &none, config);
    memcpy(s->name, name, sizeof name);
    return bl_dataset_open(&s->data, bl_config_string(config, "data"),
                           *folder ? folder : NULL);
}

/** Cuts tail and holdout as a run would: a class may have too few for it. */
static bl_status count_cut(double *train, const bl_config *config)
{
    bl_dataset *data = NULL;
    bl_split *held = NULL;
    const bl_status status = bl_train_data(&data, &held, config);
    if (status >= 0) *train = (double)data->train->n;
    bl_split_free(held);
    bl_dataset_free(data);
    return status;
}

static bl_status count_images(double *train, sizes *s,
                              const bl_config *config)
{
    const double F = bl_config_real(config, "imbalance");
    int64_t n = 0;
    const bl_status status = open_data(s, config);
    if (status < 0) return status;
    if (bl_config_real(config, "holdout") > 0)
        return count_cut(train, config);
    n = s->data->train->n;
    if (F > 1 && bl_longtail(NULL, NULL, &n, s->data->train,
                             bl_config_string(config, "profile"), F) < 0)
        return count_cut(train, config); /* says of which data set */
    *train = (double)n;
    return BL_OK;
}

static bl_status find_sizes(const size_row **out, sizes *s,
                            const bl_config *config)
{
    char key[512];
    double train = 0;
    join_keys(key, sizeof key, config, image_keys, IMAGE_KEYS);
    for (int i = 0; i < s->n && i < SIZES; i++) {
        *out = &s->rows[i];
        if (strcmp(key, s->rows[i].key) == 0) return BL_OK;
    }
    const bl_status status = count_images(&train, s, config);
    if (status < 0) return status;
    const bl_split *split = s->data->train;
    size_row *row = &s->rows[s->n++ % SIZES];
    *row = (size_row){.train = train, .test = (double)s->data->test->n,
                      .images = {.h = split->h, .w = split->w, .c = split->c,
                                 .n_class = split->n_class}};
    memcpy(row->key, key, sizeof key);
    *out = row;
    return BL_OK;
}

/* ---- groups ------------------------------------------------------------- */

static int find_group(study_job *j, const bl_config *config)
{
    study_group one = {0};
    join_keys(one.key, sizeof one.key, config, speed_keys, SPEED_KEYS);
    for (int g = 0; g < j->n_groups; g++)
        if (strcmp(j->groups[g].key, one.key) == 0) return g;
    if (j->n_groups == STUDY_GROUPS) return -1;
    (void)snprintf(one.method, sizeof one.method, "%s",
                   bl_config_string(config, "method"));
    (void)snprintf(one.model, sizeof one.model, "%s",
                   bl_config_string(config, "model"));
    (void)snprintf(one.precision, sizeof one.precision, "%s",
                   bl_config_string(config, "precision"));
    j->groups[j->n_groups] = one;
    return j->n_groups++;
}

void study_pace_learn(study_job *j, int64_t i)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    if (j->group[i] < 0 || cell->samples_per_second <= 0) return;
    study_group *group = &j->groups[j->group[i]];
    group->sum += cell->samples_per_second;
    group->rate = group->sum / (double)++group->n_known;
}

void study_pace_hint(study_job *j, int64_t i, double rate)
{
    if (j->group[i] >= 0 && j->groups[j->group[i]].n_known == 0 && rate > 0)
        j->groups[j->group[i]].rate = rate;
}

static bl_status size_cell(study_job *j, int64_t i, sizes *s)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    bl_config *config = NULL;
    const size_row *row = NULL;
    j->group[i] = -1;
    if (cell->average) return BL_OK;
    bl_status status = bl_study_config(&config, j->study, i);
    if (status < 0) return status;
    j->group[i] = find_group(j, config);
    study_pace_learn(j, i);
    if (cell->state == BL_CELL_MISSING || cell->state == BL_CELL_BEGUN)
        status = find_sizes(&row, s, config);
    bl_config_free(config);
    if (status < 0 || !row) return status;
    j->work[i] =
        (double)cell->epochs * (row->train + FORWARD_SHARE * row->test);
    return bl_study_check(j->study, i, (int64_t)row->train, &row->images);
}

int study_pace_open(study_job *j)
{
    sizes *s = calloc(1, sizeof *s);
    bl_status status = s ? BL_OK : BL_ENOMEM;
    if (!s) return cli_say(j->args, CLI_FAILED, "out of memory");
    for (int64_t i = 0; i < j->n && status == BL_OK; i++) {
        status = size_cell(j, i, s);
        if (status < 0)
            (void)cli_say(j->args, 0, "cell %lld of %lld: %s: %s",
                          (long long)i + 1, (long long)j->n,
                          bl_study_cell_at(j->study, i)->label,
                          bl_error_last()->message);
    }
    bl_dataset_free(s->data);
    free(s);
    if (status == BL_EINVAL) return CLI_USAGE;
    return status < 0 ? CLI_FAILED : CLI_DONE;
}

/* ---- time --------------------------------------------------------------- */

/** Mean of the speeds that are known, NaN without one. */
static double mean_rate(const study_job *j)
{
    double sum = 0;
    int n = 0;
    for (int g = 0; g < j->n_groups; g++) {
        if (j->groups[g].rate <= 0) continue;
        sum += j->groups[g].rate;
        n++;
    }
    return n ? sum / n : (double)NAN;
}

static double left_at(const study_job *j, int64_t i, double unknown)
{
    const bl_cell *cell = bl_study_cell_at(j->study, i);
    if (cell->state == BL_CELL_FINISHED || cell->average || j->failed[i] ||
        j->busy[i] || cell->first != i)
        return 0;
    double rate = unknown;
    if (j->group[i] >= 0 && j->groups[j->group[i]].rate > 0)
        rate = j->groups[j->group[i]].rate;
    const double done = cell->epochs > 0 ? (double)cell->epoch /
                                           (double)cell->epochs : 0;
    return j->work[i] * (1 - done) / rate;
}

double study_pace_left(const study_job *j, int64_t i)
{
    return left_at(j, i, (double)NAN);
}

double study_pace_rest(const study_job *j, const unsigned char *running)
{
    const double unknown = mean_rate(j);
    double sum = 0;
    for (int64_t i = 0; i < j->n; i++)
        if (!running || !running[i]) sum += left_at(j, i, unknown);
    return sum;
}

/* ---- a dry run ---------------------------------------------------------- */

/** Trains for a few seconds in memory and takes the speed. */
static bl_status time_steps(double *rate, bl_trainer *trainer)
{
    const double start = cli_clock();
    double from = start, sum = 0;
    int64_t n = 0;
    bl_status status = BL_OK;
    while (status == BL_OK && cli_clock() - start < TIMING_S &&
           !cli_stop_signal()) {
        bl_progress before, now;
        bl_trainer_progress(trainer, &before);
        status = bl_trainer_step(trainer);
        bl_trainer_progress(trainer, &now);
        from = cli_clock();
        if (before.evaluating || now.samples_per_second <= 0) continue;
        *rate = now.samples_per_second;
        if (from - start < WARM_UP_S) continue;
        sum += now.samples_per_second;
        n++;
    }
    if (n > 0) *rate = sum / (double)n;
    return status < 0 ? status : BL_OK;
}

/** Puts drawn weights, written to path, in the place of those a cell would
 *  begin with, which are not there yet: a step over them takes as long. */
static bl_status draw_weights(bl_config *config, const char *path,
                              const bl_dataset *data,
                              const bl_trainer_options *with)
{
    static const char key[] = "init.weights";
    bl_trainer *trainer = NULL;
    if (!bl_config_string(config, key)[0]) return BL_OK;
    bl_status status = bl_config_set(config, key, "", BL_ORIGIN_OPTION);
    if (status == BL_OK)
        status = bl_trainer_create(&trainer, config, data, with);
    if (status == BL_OK) status = bl_trainer_save(trainer, path);
    if (status == BL_OK)
        status = bl_config_set(config, key, path, BL_ORIGIN_OPTION);
    bl_trainer_free(trainer);
    return status;
}

/** Makes an empty file for weights; gives whether it could be made. */
static int open_aside(char *path, size_t bytes)
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(path, bytes, "%s/ballast-XXXXXX",
                   folder && folder[0] ? folder : "/tmp");
    const int fd = mkstemp(path);
    return fd >= 0 && close(fd) == 0;
}

/** A job of several is timed with its share of the cores. */
static bl_status share_cores(bl_config *config, const study_job *j)
{
    char text[32];
    if (j->jobs == 1 || bl_config_integer(config, "threads") > 0) return BL_OK;
    (void)snprintf(text, sizeof text, "%lld", (long long)study_share(j));
    return bl_config_set(config, "threads", text, BL_ORIGIN_OPTION);
}

static bl_status time_cell(double *rate, const study_job *j, int64_t i,
                           const char *aside)
{
    bl_config *config = NULL;
    bl_dataset *data = NULL;
    bl_split *validation = NULL;
    bl_trainer *trainer = NULL;
    bl_status status = bl_study_config(&config, j->study, i);
    if (status == BL_OK) status = share_cores(config, j);
    if (status == BL_OK) status = bl_train_data(&data, &validation, config);
    const bl_trainer_options with = {.validation = validation};
    if (status == BL_OK) status = draw_weights(config, aside, data, &with);
    if (status == BL_OK)
        status = bl_trainer_create(&trainer, config, data, &with);
    if (status == BL_OK) status = time_steps(rate, trainer);
    bl_trainer_free(trainer);
    bl_split_free(validation);
    bl_dataset_free(data);
    bl_config_free(config);
    return status;
}

/** "ce on resnet32", and the precision where one was chosen. */
static void name_group(FILE *to, const study_group *group)
{
    const int chosen = strcmp(group->precision, "auto") != 0;
    (void)fprintf(to, "%s on %s%s%s", group->method, group->model,
                  chosen ? ", " : "", chosen ? group->precision : "");
}

/** Times every group that has work to do and no speed yet. */
static int time_groups(study_job *j)
{
    char aside[4096];
    cli_stop_catch(); /* a signal is no reason to leave the file */
    if (!open_aside(aside, sizeof aside))
        return cli_say(j->args, CLI_FAILED, "%s: cannot create: %s", aside,
                       strerror(errno));
    for (int64_t i = 0; i < j->n && !cli_stop_signal(); i++) {
        if (j->group[i] < 0 || j->work[i] <= 0) continue;
        study_group *group = &j->groups[j->group[i]];
        if (group->rate > 0 || group->timed) continue;
        group->timed = 1;
        if (!j->quiet) {
            (void)fputs("timing ", stderr);
            name_group(stderr, group);
            (void)fputc('\n', stderr);
        }
        if (time_cell(&group->rate, j, i, aside) < 0)
            (void)cli_say(j->args, 0, "cell %lld of %lld: %s: %s",
                          (long long)i + 1, (long long)j->n,
                          bl_study_cell_at(j->study, i)->label,
                          bl_error_last()->message);
    }
    (void)unlink(aside);
    return cli_stop_signal() ? 128 + cli_stop_signal() : CLI_DONE;
}

/** Seconds until all is done: what is left is shared by the jobs, but a cell
 *  is no shorter for it. */
static double time_left(const study_job *j)
{
    const double even = study_pace_rest(j, NULL) / (double)j->jobs;
    double longest = 0;
    for (int64_t i = 0; i < j->n; i++)
        longest = fmax(longest, study_pace_left(j, i));
    return longest > even ? longest : even;
}

static void print_json(const study_job *j, bl_json *json)
{
    bl_json_object(json, NULL);
    bl_json_string(json, "study", bl_study_name(j->study));
    bl_json_real(json, "seconds_left", time_left(j));
    bl_json_array(json, "speeds");
    for (int g = 0; g < j->n_groups; g++) {
        bl_json_object(json, NULL);
        bl_json_string(json, "method", j->groups[g].method);
        bl_json_string(json, "model", j->groups[g].model);
        bl_json_string(json, "precision", j->groups[g].precision);
        bl_json_real(json, "samples_per_second", j->groups[g].rate);
        bl_json_string(json, "measured",
                       j->groups[g].timed ? "now" : "by cells");
        bl_json_close(json);
    }
    bl_json_close(json);
    bl_json_array(json, "cells");
    for (int64_t i = 0; i < j->n; i++) {
        const bl_cell *cell = bl_study_cell_at(j->study, i);
        bl_json_object(json, NULL);
        bl_json_string(json, "label", cell->label);
        bl_json_string(json, "folder", cell->folder);
        bl_json_string(json, "state", bl_cell_state_name(cell->state));
        bl_json_integer(json, "first", cell->first);
        bl_json_real(json, "seconds_left", study_pace_left(j, i));
        bl_json_close(json);
    }
    bl_json_close(json);
    bl_json_close(json);
}

static void print_speeds(const study_job *j)
{
    for (int g = 0; g < j->n_groups; g++) {
        const study_group *group = &j->groups[g];
        const bl_method_type *method = bl_method_find(group->method);
        const int pairs = method && strcmp(method->form, "bbn") == 0;
        if (group->rate <= 0) continue;
        name_group(stdout, group);
        printf(": %.0f %s/s, %s\n", group->rate, pairs ? "pairs" : "images",
               group->timed ? "timed now" : "as its cells ran");
    }
}

static void print_lines(const study_job *j)
{
    int64_t finished = 0;
    char left[32];
    printf("%-8s  %-12s  %s\n", "state", "time left", "cell");
    for (int64_t i = 0; i < j->n; i++) {
        const bl_cell *cell = bl_study_cell_at(j->study, i);
        const int done = cell->state == BL_CELL_FINISHED || cell->average ||
                         cell->first != i;
        char same[48] = "";
        finished += cell->state == BL_CELL_FINISHED;
        cli_duration(left, study_pace_left(j, i));
        if (cell->first != i)
            (void)snprintf(same, sizeof same, "  (the run of cell %lld)",
                           (long long)cell->first + 1);
        printf("%-8s  %-12s  %s%s\n", bl_cell_state_name(cell->state),
               done ? "-" : left, cell->label, same);
    }
    char how[32] = "one after another";
    cli_duration(left, time_left(j));
    if (j->jobs > 1)
        (void)snprintf(how, sizeof how, "%lld at once", (long long)j->jobs);
    printf("\n%lld cell%s, %lld finished; about %s to go, %s\n",
           (long long)j->n, j->n == 1 ? "" : "s", (long long)finished, left,
           how);
    print_speeds(j);
}

int study_pace_print(study_job *j)
{
    bl_json *json;
    const int code = time_groups(j);
    if (code != CLI_DONE) return code;
    if (!bl_config_flag(j->args->own, "json")) {
        print_lines(j);
        return CLI_DONE;
    }
    if (bl_json_create(&json, 1) < 0) return cli_fail(j->args, CLI_FAILED);
    print_json(j, json);
    return cli_json_print(json) < 0 ? cli_fail(j->args, CLI_FAILED)
                                    : CLI_DONE;
}
