/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_inspect.c: how unbalanced a data set is, before any training.
 *
 * The chart shows each class in label order; where there are more than fit a
 * screen, classes are ranked by count and ranks share a bar, so that the
 * shape of the tail stays to be seen.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { ROWS = 30, RANGES = 20 }; /* classes shown singly; bars otherwise */

static const bl_param options[] = {
    {"all", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "a bar for each class, however many there are"},
    CLI_JSON,
    CLI_END,
};

/** What is known of one data set. */
typedef struct job {
    const cli_args *args;
    bl_dataset *data;
    int cut;                /* a subset was cut     */
    uint32_t crc32;         /* of it                */
    int64_t *counts;        /* [n_class]            */
    bl_shot_limits limits;
    bl_imbalance measured;
} job;

static int check_limits(job *j)
{
    j->limits = bl_train_shots(j->args->train);
    return bl_shot_limits_check(&j->limits) < 0 ? cli_fail(j->args, CLI_USAGE)
                                                : CLI_DONE;
}

static int open_data(job *j)
{
    const char *dir = bl_config_string(j->args->train, "data-dir");
    if (bl_dataset_open(&j->data, j->args->operands[0],
                        dir[0] ? dir : NULL) < 0)
        return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

/** Cuts the long tail; keeps the checksum of what was chosen. */
static int cut_tail(job *j)
{
    const bl_config *config = j->args->train;
    const double imbalance = bl_config_real(config, "imbalance");
    if (!(imbalance > 1)) return CLI_DONE;
    int64_t *index = NULL, *ordinals = NULL, n = 0;
    bl_split *subset = NULL;
    int code = CLI_DONE;
    if (bl_longtail(&index, &ordinals, &n, j->data->train,
                    bl_config_string(config, "profile"), imbalance) < 0 ||
        bl_split_subset(&subset, j->data->train, index, n) < 0) {
        code = cli_say(j->args, CLI_FAILED, "%s: %s", j->data->name,
                       bl_error_last()->message);
    } else {
        j->cut = 1;
        j->crc32 = bl_subset_crc32(ordinals, n);
        bl_split_free(j->data->train);
        j->data->train = subset;
    }
    bl_free(ordinals);
    bl_free(index);
    return code;
}

static int measure(job *j)
{
    const bl_split *train = j->data->train;
    j->counts = calloc((size_t)train->n_class, sizeof *j->counts);
    if (!j->counts) return cli_say(j->args, CLI_FAILED, "out of memory");
    bl_split_counts(train, j->counts);
    if (bl_imbalance_measure(&j->measured, j->counts, train->n_class,
                             &j->limits) < 0)
        return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

static int print_json(const job *j)
{
    const bl_imbalance *m = &j->measured;
    char crc[9];
    bl_json *json;
    if (bl_json_create(&json, 1) < 0) return cli_fail(j->args, CLI_FAILED);
    bl_json_object(json, NULL);
    bl_json_string(json, "data", j->data->name);
    bl_json_integer(json, "classes", m->n_class);
    bl_json_integer(json, "total", m->total);
    bl_json_integer(json, "test_total", j->data->test->n);
    bl_json_real(json, "imbalance_factor", m->factor);
    bl_json_real(json, "gini", m->gini);
    bl_json_real(json, "entropy", m->entropy);
    bl_json_real(json, "effective_number", m->effective_number);
    bl_json_object(json, "shots");
    for (int s = BL_SHOT_MANY; s <= BL_SHOT_FEW; s++)
        bl_json_integer(json, bl_shot_name((bl_shot)s), m->shots[s]);
    bl_json_close(json);
    bl_json_object(json, "shot_limits");
    bl_json_integer(json, "many_above", j->limits.many_above);
    bl_json_integer(json, "few_below", j->limits.few_below);
    bl_json_close(json);
    (void)snprintf(crc, sizeof crc, "%08x", (unsigned)j->crc32);
    if (j->cut)
        bl_json_string(json, "subset_crc32", crc);
    else
        bl_json_null(json, "subset_crc32");
    bl_json_array(json, "counts");
    for (int32_t i = 0; i < m->n_class; i++)
        bl_json_integer(json, NULL, j->counts[i]);
    bl_json_close(json);
    bl_json_array(json, "class_names");
    for (int32_t i = 0; i < m->n_class; i++)
        bl_json_string(json, NULL, j->data->class_names[i]);
    bl_json_close(json);
    bl_json_close(json);
    if (cli_json_print(json) < 0) return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

/* ---- the chart ---------------------------------------------------------- */

/** One line: label, count, bar, within the terminal's width. */
static void bar_line(const char *label, int label_columns, double count,
                     const bl_imbalance *m)
{
    const int room = cli_chart_width(STDOUT_FILENO) - label_columns - 14;
    printf("  %s%*s %9.0f  ", label, label_columns - cli_columns(label), "",
           count);
    cli_bar(count / (double)m->n_max, room > 10 ? room : 10, cli_utf8());
    (void)putchar('\n');
}

static void chart_classes(const job *j)
{
    int columns = 0;
    for (int32_t i = 0; i < j->measured.n_class; i++)
        if (cli_columns(j->data->class_names[i]) > columns)
            columns = cli_columns(j->data->class_names[i]);
    for (int32_t i = 0; i < j->measured.n_class; i++)
        bar_line(j->data->class_names[i], columns, (double)j->counts[i],
                 &j->measured);
}

static int descending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static int chart_ranks(const job *j)
{
    const int64_t n_class = j->measured.n_class;
    int64_t *ranked = calloc((size_t)n_class, sizeof *ranked); // [n_class]
    if (!ranked) return cli_say(j->args, CLI_FAILED, "out of memory");
    memcpy(ranked, j->counts, (size_t)n_class * sizeof *ranked);
    qsort(ranked, (size_t)n_class, sizeof *ranked, descending);
    printf("  classes by rank, mean images a class (--all shows each)\n");
    for (int64_t r = 0; r < RANGES; r++) {
        const int64_t from = n_class * r / RANGES;
        const int64_t to = n_class * (r + 1) / RANGES;
        double sum = 0;
        char label[48];
        for (int64_t i = from; i < to; i++) sum += (double)ranked[i];
        (void)snprintf(label, sizeof label, "%lld-%lld", (long long)from + 1,
                       (long long)to);
        bar_line(label, 12, sum / (double)(to - from), &j->measured);
    }
    free(ranked);
    return CLI_DONE;
}

static int report(const job *j)
{
    const bl_imbalance *m = &j->measured;
    if (bl_config_flag(j->args->own, "json")) return print_json(j);
    printf("%s: %lld training images in %d classes, %lld test images\n\n",
           j->data->name, (long long)m->total, (int)m->n_class,
           (long long)j->data->test->n);
    int code = CLI_DONE;
    if (m->n_class <= ROWS || bl_config_flag(j->args->own, "all"))
        chart_classes(j);
    else
        code = chart_ranks(j);
    printf("\nimbalance factor      %.6g  (%lld / %lld)\n", m->factor,
           (long long)m->n_max, (long long)m->n_min);
    printf("Gini coefficient      %.4f\n", m->gini);
    printf("normalised entropy    %.4f\n", m->entropy);
    printf("effective classes     %.2f of %d\n", m->effective_number,
           (int)m->n_class);
    printf("many / medium / few   %d / %d / %d  (above %lld, between, below "
           "%lld)\n", (int)m->shots[0], (int)m->shots[1], (int)m->shots[2],
           (long long)j->limits.many_above, (long long)j->limits.few_below);
    if (m->n_empty > 0) printf("without images        %d\n", (int)m->n_empty);
    if (j->cut) printf("subset CRC-32         %08x\n", (unsigned)j->crc32);
    return code;
}

static int run(cli_args *args)
{
    job j = {.args = args};
    int code = check_limits(&j);
    if (code == CLI_DONE) code = open_data(&j);
    if (code == CLI_DONE) code = cut_tail(&j);
    if (code == CLI_DONE) code = measure(&j);
    if (code == CLI_DONE) code = report(&j);
    free(j.counts);
    bl_dataset_free(j.data);
    return code;
}

static const char *const usage[] = {"D [options]", NULL};

static const char *const shared[] = {"imbalance",  "profile",   "data-dir",
                                     "many-above", "few-below", NULL};

static const char *const examples[] = {
    "the long tail that most papers train on",
    "ballast inspect cifar10 --imbalance 100",
    "counts of a set of your own, for a script",
    "ballast inspect ~/data/cifar-100-binary --json",
    NULL};

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "measure how unbalanced a data set is",
    .usage = usage,
    .about =
        "Counts the training images of each class of D, a data set by name "
        "(ballast list data) or a folder or archive, and measures their "
        "imbalance.  With --imbalance a long tail is cut first; its CRC-32 "
        "tells whether two programs chose the very same images.",
    .examples = examples,
    .operands = {"D"},
    .n_needed = 1,
    .options = options,
    .shared = shared,
    .run = run,
};
