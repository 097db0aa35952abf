/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_eval.c: errors of trained weights on a test set, overall, by shot and
 * by class.
 *
 * Which classes are many, medium or few is decided by training counts.  A run
 * knows its own data, imbalance and profile; for a bare weights file they
 * come from the options, and without --imbalance the set counts as it is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

enum { CLASSES_SHOWN = 20 }; /* more are in --json alone */

static const bl_param options[] = {
    {"best", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "of a run, take the weights of its best epoch, not of its last"},
    {"logits", BL_PARAM_STRING, "", 0, 0, NULL, "FILE.npy",
     "also write the logits, float32 [images][classes], for NumPy"},
    CLI_JSON,
    CLI_END,
};

/** Everything one evaluation holds. */
typedef struct job {
    const cli_args *args;
    char *weights;            /* path of the file */
    int is_run;
    bl_config *config;        /* of the run, then of the options */
    bl_dataset *data;
    bl_classifier *classifier;
    float *z;                 /* [test n][C] */
    float *f;                 /* [test n][D] */
    int64_t *train_n;         /* [C] */
    double *norms;            /* [BL_ROW_PARTS][C] */
    double *compactness;      /* [C] of features of the test images */
    bl_evaluation *evaluation;
} job;

/** The name is replaced if it exists, so weights must not be meant. */
static int check_logits(const job *j)
{
    const char *name = bl_config_string(j->args->own, "logits");
    const size_t n = strlen(name);
    if (n == 0 || (n > 4 && strcmp(name + n - 4, ".npy") == 0))
        return CLI_DONE;
    return cli_say(j->args, CLI_USAGE,
                   "--logits %s: wanted a name that ends in .npy", name);
}

static int find_weights(job *j)
{
    const char *given = j->args->operands[0];
    const char *file = bl_config_flag(j->args->own, "best")
                           ? "best.safetensors" : "last.safetensors";
    struct stat facts;
    if (stat(given, &facts) != 0)
        return cli_say(j->args, CLI_FAILED,
                       "%s: there is no such run or file", given);
    j->is_run = S_ISDIR(facts.st_mode) != 0;
    if (!j->is_run && bl_config_flag(j->args->own, "best"))
        return cli_say(j->args, CLI_USAGE,
                       "--best is for the folder of a run; %s is a file",
                       given);
    const size_t bytes = strlen(given) + strlen(file) + 2;
    j->weights = malloc(bytes);
    if (!j->weights) return cli_say(j->args, CLI_FAILED, "out of memory");
    if (j->is_run)
        (void)snprintf(j->weights, bytes, "%s/%s", given, file);
    else
        (void)snprintf(j->weights, bytes, "%s", given);
    return CLI_DONE;
}

static int configure(job *j)
{
    if (j->is_run && bl_run_config(&j->config, j->args->operands[0]) < 0)
        return cli_fail_run(j->args);
    if ((!j->is_run && bl_train_config(&j->config) < 0) ||
        cli_args_apply(j->args, j->config) < 0)
        return cli_fail(j->args, CLI_FAILED);
    const bl_shot_limits shots = bl_train_shots(j->config);
    if (bl_shot_limits_check(&shots) < 0) return cli_fail(j->args, CLI_USAGE);
    if (!bl_config_string(j->config, "data")[0])
        return cli_say(j->args, CLI_USAGE,
                       "--data D is missing: a file of weights does not say "
                       "what it was trained on");
    return CLI_DONE;
}

static int open_data(job *j)
{
    bl_split *validation = NULL;
    if (bl_train_data(&j->data, &validation, j->config) < 0)
        return cli_fail_data(j->args, j->config);
    bl_split_free(validation);
    return CLI_DONE;
}

static int open_classifier(job *j)
{
    const bl_compute compute = {
        .backend = bl_config_string(j->config, "backend"),
        .precision = bl_config_string(j->config, "precision"),
        .threads = (int32_t)bl_config_integer(j->config, "threads"),
    };
    if (bl_classifier_open(&j->classifier, j->weights, &compute) < 0)
        return cli_fail(j->args, CLI_FAILED);
    const bl_network_spec *spec = bl_classifier_spec(j->classifier);
    const bl_split *test = j->data->test;
    if (spec->h == test->h && spec->w == test->w && spec->c == test->c &&
        spec->n_class == test->n_class)
        return CLI_DONE;
    return cli_say(j->args, CLI_FAILED,
                   "%s takes images of %dx%dx%d in %d classes; %s has "
                   "%dx%dx%d in %d classes",
                   j->weights, (int)spec->h, (int)spec->w, (int)spec->c,
                   (int)spec->n_class, j->data->name, (int)test->h,
                   (int)test->w, (int)test->c, (int)test->n_class);
}

static int make_room(job *j)
{
    const size_t n = (size_t)j->data->test->n;
    const size_t C = (size_t)j->data->test->n_class;
    const size_t D = (size_t)bl_classifier_width(j->classifier);
    j->z = calloc(n, C * sizeof *j->z);
    j->f = calloc(n, D * sizeof *j->f);
    j->train_n = calloc(C, sizeof *j->train_n);
    j->norms = calloc(C, BL_ROW_PARTS * sizeof *j->norms);
    j->compactness = calloc(C, sizeof *j->compactness);
    if (j->z && j->f && j->train_n && j->norms && j->compactness)
        return CLI_DONE;
    return cli_say(j->args, CLI_FAILED, "out of memory");
}

static int evaluate(job *j)
{
    const bl_split *test = j->data->test;
    const int32_t n_class = test->n_class;
    const bl_shot_limits shots = bl_train_shots(j->config);
    const char *logits = bl_config_string(j->args->own, "logits");
    const int code = make_room(j);
    if (code != CLI_DONE) return code;
    bl_split_counts(j->data->train, j->train_n);
    if (bl_classifier_infer(j->classifier, test->pixels, test->n, j->z,
                            j->f) < 0 ||
        bl_evaluate(&j->evaluation, j->z, test->labels, test->n, j->train_n,
                    n_class, &shots) < 0 ||
        bl_compactness(j->compactness, j->f, test->labels, test->n,
                       bl_classifier_width(j->classifier), n_class) < 0 ||
        bl_classifier_norms(j->classifier, j->norms) < 0 ||
        (logits[0] && bl_npy_write(logits, j->z, test->n, n_class) < 0))
        return cli_fail(j->args, CLI_FAILED);
    if (strcmp(bl_classifier_spec(j->classifier)->form, "cosine") == 0)
        bl_evaluation_forget_calibration(j->evaluation);
    return CLI_DONE;
}

static void add_reals(bl_json *json, const char *key, const double *values,
                      int32_t n)
{
    bl_json_on_line(json);
    bl_json_array(json, key);
    for (int32_t i = 0; i < n; i++) bl_json_real(json, NULL, values[i]);
    bl_json_close(json);
}

static int print_json(const job *j)
{
    bl_json *json;
    if (bl_json_create(&json, 1) < 0) return cli_fail(j->args, CLI_FAILED);
    bl_json_object(json, NULL);
    bl_json_string(json, "weights", j->weights);
    bl_json_string(json, "model",
                   bl_classifier_spec(j->classifier)->model->name);
    bl_json_string(json, "data", j->data->name);
    bl_json_real(json, "imbalance", bl_config_real(j->config, "imbalance"));
    bl_json_integer(json, "test_total", j->evaluation->n);
    bl_json_real(json, "test_error", j->evaluation->error);
    bl_evaluation_json(j->evaluation,
                       (const char *const *)j->data->class_names, json);
    bl_norms_json(j->norms, j->evaluation->n_class, json);
    add_reals(json, "compactness", j->compactness, j->evaluation->n_class);
    bl_json_close(json);
    if (cli_json_print(json) < 0) return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

static int report(const job *j)
{
    if (bl_config_flag(j->args->own, "json")) return print_json(j);
    printf("%s on the %lld test images of %s\n\n", j->weights,
           (long long)j->evaluation->n, j->data->name);
    cli_error_table(j->evaluation, j->data->class_names, -1, 0);
    if (j->evaluation->n_class <= CLASSES_SHOWN)
        cli_class_table(j->evaluation, j->data->class_names, j->norms,
                        j->compactness);
    return CLI_DONE;
}

static int run(cli_args *args)
{
    job j = {.args = args};
    int code = check_logits(&j);
    if (code == CLI_DONE) code = find_weights(&j);
    if (code == CLI_DONE) code = configure(&j);
    if (code == CLI_DONE) code = open_data(&j);
    if (code == CLI_DONE) code = open_classifier(&j);
    if (code == CLI_DONE) code = evaluate(&j);
    if (code == CLI_DONE) code = report(&j);
    bl_evaluation_free(j.evaluation);
    free(j.compactness);
    free(j.norms);
    free(j.train_n);
    free(j.f);
    free(j.z);
    bl_classifier_free(j.classifier);
    bl_dataset_free(j.data);
    bl_config_free(j.config);
    free(j.weights);
    return code;
}

static const char *const usage[] = {
    "RUN [options]", "WEIGHTS.safetensors --data D [options]", NULL};

static const char *const shared[] = {"data",      "data-dir", "imbalance",
                                     "profile",   "backend",  "precision",
                                     "threads",   "many-above", "few-below",
                                     NULL};

static const char *const examples[] = {
    "errors of a finished run by shot and class",
    "ballast eval runs/bbn-1",
    "a bare file of weights; the shots are those of CIFAR-10-LT, F = 100",
    "ballast eval bbn.safetensors --data cifar10 --imbalance 100 --json",
    "the best epoch, and its logits for NumPy",
    "ballast eval runs/bbn-1 --best --logits logits.npy",
    NULL};

const cli_command cli_eval = {
    .name = "eval",
    .summary = "test trained weights",
    .usage = usage,
    .about =
        "Classifies the test set and prints the error of all images, and the "
        "mean over the classes with many (more than 100), medium (20 to 100) "
        "and few (under 20) training images; the mean over all classes; the "
        "worst class; and by how much the network is surer than it is right "
        "(expected calibration error, 15 bins).  Of each class it tells the "
        "length of its row in the classifier, and its compactness: the mean "
        "distance of its images, brought to length 1, from their centre.  "
        "--json has the reliability of each bin and the confusion of each "
        "pair of classes as well.  A run brings its own data and imbalance; "
        "for a file of weights, give --data, and --imbalance for the training "
        "counts.",
    .examples = examples,
    .operands = {"RUN|WEIGHTS"},
    .n_needed = 1,
    .options = options,
    .shared = shared,
    .computes = 1,
    .run = run,
};
