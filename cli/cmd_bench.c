/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_bench.c: the time of a training step, on random images from memory.
 *
 * Timed is what training does: loader, augmentation, both passes and the
 * update; the median over steps is reported.  An epoch is made longer than
 * the measurement where memory allows; a call that evaluated or closed an
 * epoch is left out in any case.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli.h"

enum { WARM_UP = 3, STEPS_MAX = 4096, EPOCH_STEPS = 64 };
enum { PIXELS_MAX = 64 << 20 }; /* bytes, unless 8 steps take more */
#define ENOUGH_S 5.0

static const bl_param options[] = {
    {"classes", BL_PARAM_INTEGER, "10", 2, 100000, NULL, "C",
     "classes of the random images"},
    {"size", BL_PARAM_STRING, "32x32x3", 0, 0, NULL, "HxWxC",
     "height, width and channels of the random images"},
    {"steps", BL_PARAM_INTEGER, "0", 0, STEPS_MAX, NULL, "N",
     "steps to time; 0: as many as fit five seconds"},
    {"plan", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL,
     "print the operations of a step, their kernels and memory; time nothing"},
    CLI_JSON,
    CLI_END,
};

/** One measurement. */
typedef struct job {
    const cli_args *args;
    int32_t h, w, c, n_class;
    int64_t batch, steps;     /* steps: 0 by time */
    bl_config *config;
    bl_dataset *data;
    bl_trainer *trainer;
    double *seconds;          /* [n], of each step */
    int64_t n;
} job;

static int read_size(job *j)
{
    int h, w, c, end = 0;
    const char *text = bl_config_string(j->args->own, "size");
    if (sscanf(text, "%5dx%5dx%5d%n", &h, &w, &c, &end) == 3 &&
        text[end] == '\0' && h > 0 && w > 0 && c > 0 && c <= 16) {
        j->h = h;
        j->w = w;
        j->c = c;
        return CLI_DONE;
    }
    return cli_say(j->args, CLI_USAGE,
                   "--size %s: wanted HxWxC with C at most 16, as 32x32x3",
                   text);
}

/** A run without end, in which all that a method defers holds at once. */
static bl_status unbind(bl_config *config)
{
    static const char *const set[][2] = {
        {"epochs", "1000000"}, {"posthoc", "none"}, {"weights.from", "0"},
        {"sampler.from", "0"}, {"mix.skip-first", "0"}, {"mix.skip-last", "0"}};
    bl_status status = BL_OK;
    for (size_t i = 0; i < sizeof set / sizeof *set && status == BL_OK; i++)
        status = bl_config_set(config, set[i][0], set[i][1], BL_ORIGIN_OPTION);
    return status == BL_OK ? bl_train_settle(config) : status;
}

static int configure(job *j)
{
    if (strcmp(j->args->operands[0], "step") != 0)
        return cli_say(j->args, CLI_USAGE,
                       "no benchmark \"%s\"; there is: step",
                       j->args->operands[0]);
    if (bl_config_clone(&j->config, j->args->train) < 0 ||
        unbind(j->config) < 0)
        return cli_fail(j->args, CLI_USAGE);
    j->batch = bl_config_integer(j->config, "batch");
    j->steps = bl_config_integer(j->args->own, "steps");
    j->n_class = (int32_t)bl_config_integer(j->args->own, "classes");
    return read_size(j);
}

/** Images of an epoch: enough for every step and every class. */
static int64_t epoch_images(const job *j)
{
    const int64_t image_bytes = (int64_t)j->h * j->w * j->c;
    const int64_t wanted = j->steps > 0 ? j->steps : EPOCH_STEPS;
    int64_t n = (wanted + WARM_UP + 1) * j->batch;
    if (n > PIXELS_MAX / image_bytes) n = PIXELS_MAX / image_bytes;
    if (n < 8 * j->batch) n = 8 * j->batch;
    return n < j->n_class ? j->n_class : n / j->batch * j->batch;
}

/** Random pixels, labels in turn. */
static bl_status random_split(bl_split **out, const job *j, int64_t n)
{
    const size_t bytes = (size_t)j->h * (size_t)j->w * (size_t)j->c;
    uint8_t *pixels = calloc((size_t)n, bytes);          // [n][h][w][c]
    int32_t *labels = calloc((size_t)n, sizeof *labels); // [n]
    bl_status status = BL_ENOMEM;
    if (pixels && labels) {
        bl_rng rng = bl_rng_at(0, BL_PURPOSE_TEST, 0, 0);
        for (size_t i = 0; i < (size_t)n * bytes; i++)
            pixels[i] = (uint8_t)(bl_rng_u32(&rng) >> 24);
        for (int64_t i = 0; i < n; i++)
            labels[i] = (int32_t)(i % j->n_class);
        status = bl_split_create(out, n, j->h, j->w, j->c, j->n_class, pixels,
                                 labels);
    }
    free(labels);
    free(pixels);
    return status;
}

/** Refuses images that the machine cannot hold, in the two copies that are
 *  made of them; says what takes long where somebody looks on. */
static int check_memory(const job *j, int64_t n)
{
    const double images = (double)n * j->h * j->w * j->c;
    const double room = (double)sysconf(_SC_PHYS_PAGES) *
                        (double)sysconf(_SC_PAGESIZE);
    if (room > 0 && 2 * images > room)
        return cli_say(j->args, CLI_FAILED,
                       "%lld images of %dx%dx%d take %.1f GB, twice while "
                       "they are made, and this machine has %.1f GB; lower "
                       "--batch or --size",
                       (long long)n, (int)j->h, (int)j->w, (int)j->c,
                       images / 1e9, room / 1e9);
    if (images > PIXELS_MAX && isatty(STDERR_FILENO))
        (void)cli_say(j->args, 0, "making %lld images of %dx%dx%d, %.1f GB",
                      (long long)n, (int)j->h, (int)j->w, (int)j->c,
                      images / 1e9);
    return CLI_DONE;
}

static int open_trainer(job *j)
{
    bl_split *train = NULL, *test = NULL;
    const int64_t n = epoch_images(j);
    const int code = check_memory(j, n);
    if (code != CLI_DONE) return code;
    const bl_trainer_options with = {.run_dir = NULL};
    bl_status status = random_split(&train, j, n);
    if (status == BL_OK) status = random_split(&test, j, 1);
    if (status == BL_OK)
        status = bl_dataset_create(&j->data, "random", train, test, NULL);
    if (status != BL_OK) {
        bl_split_free(train);
        bl_split_free(test);
    }
    if (status == BL_ENOMEM)
        return cli_say(j->args, CLI_FAILED, "out of memory");
    if (status < 0 ||
        bl_trainer_create(&j->trainer, j->config, j->data, &with) < 0)
        return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

/** Does one piece of work; gives its time, or -1 if it was not one training
 *  step. */
static bl_status timed_step(bl_trainer *trainer, double *seconds)
{
    bl_progress before, after;
    bl_trainer_progress(trainer, &before);
    const double start = cli_clock();
    const bl_status status = bl_trainer_step(trainer);
    const double took = cli_clock() - start;
    bl_trainer_progress(trainer, &after);
    const int step = !before.evaluating && before.epoch == after.epoch &&
                     (after.evaluating || after.step == before.step + 1);
    *seconds = step ? took : -1;
    return status;
}

static int measure(job *j)
{
    const int64_t limit = j->steps > 0 ? j->steps : STEPS_MAX;
    j->seconds = calloc((size_t)limit, sizeof *j->seconds);
    if (!j->seconds) return cli_say(j->args, CLI_FAILED, "out of memory");
    double sum = 0;
    for (int64_t done = 0; j->n < limit; done++) {
        double seconds;
        if (timed_step(j->trainer, &seconds) < 0)
            return cli_fail(j->args, CLI_FAILED);
        if (done < WARM_UP || seconds < 0) continue;
        j->seconds[j->n++] = seconds;
        sum += seconds;
        if (j->steps == 0 && sum >= ENOUGH_S) break;
    }
    return CLI_DONE;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *a, int64_t n)
{
    qsort(a, (size_t)n, sizeof *a, ascending);
    return 0.5 * (a[(n - 1) / 2] + a[n / 2]);
}

static double mean(const double *a, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i];
    return sum / (double)n;
}

static int64_t peak_rss_bytes(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return (int64_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}

static int report(const job *j)
{
    const double seconds = median(j->seconds, j->n);
    int32_t threads;
    char size[48];
    bl_result result;
    cli_facts facts;
    bl_trainer_result(j->trainer, &result);
    (void)snprintf(size, sizeof size, "%dx%dx%d", (int)j->h, (int)j->w,
                   (int)j->c);
    const bl_compute compute = {
        .backend = result.backend,
        .threads = (int32_t)bl_config_integer(j->config, "threads")};
    if (bl_compute_threads(&threads, &compute) < 0)
        return cli_fail(j->args, CLI_FAILED);
    if (cli_facts_open(&facts, bl_config_flag(j->args->own, "json")) < 0)
        return cli_fail(j->args, CLI_FAILED);
    cli_fact_string(&facts, "model", bl_config_string(j->config, "model"));
    cli_fact_string(&facts, "method", bl_config_string(j->config, "method"));
    cli_fact_integer(&facts, "batch", j->batch);
    cli_fact_integer(&facts, "classes", j->n_class);
    cli_fact_string(&facts, "size", size);
    cli_fact_string(&facts, "backend", result.backend);
    cli_fact_string(&facts, "precision", result.precision);
    cli_fact_integer(&facts, "threads", threads);
    cli_fact_integer(&facts, "steps", j->n);
    cli_fact_real(&facts, "seconds_per_step", seconds);
    cli_fact_real(&facts, "mean_seconds_per_step", mean(j->seconds, j->n));
    cli_fact_real(&facts, "samples_per_second", (double)j->batch / seconds);
    cli_fact_real(&facts, "model_gflop_per_sample", result.train_gflop);
    cli_fact_real(&facts, "gflop_per_second",
                  result.train_gflop * (double)j->batch / seconds);
    cli_fact_integer(&facts, "peak_rss_bytes", peak_rss_bytes());
    if (cli_facts_close(&facts) < 0) return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

/** The lines of the plan, in both forms. */
static int show_plan(const job *j)
{
    const char *at = bl_trainer_plan(j->trainer);
    cli_facts facts;
    char line[512];
    if (cli_facts_open(&facts, bl_config_flag(j->args->own, "json")) < 0)
        return cli_fail(j->args, CLI_FAILED);
    cli_fact_list(&facts, "plan");
    for (; *at != '\0'; at += strcspn(at, "\n") + 1) {
        (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        cli_fact_item(&facts, line);
    }
    cli_fact_list_close(&facts);
    if (cli_facts_close(&facts) < 0) return cli_fail(j->args, CLI_FAILED);
    return CLI_DONE;
}

static int time_steps(job *j)
{
    const int code = measure(j);
    return code == CLI_DONE ? report(j) : code;
}

static int run(cli_args *args)
{
    job j = {.args = args};
    int code = configure(&j);
    if (code == CLI_DONE) code = open_trainer(&j);
    if (code == CLI_DONE)
        code = bl_config_flag(args->own, "plan") ? show_plan(&j)
                                                 : time_steps(&j);
    bl_trainer_free(j.trainer);
    bl_dataset_free(j.data);
    bl_config_free(j.config);
    free(j.seconds);
    return code;
}

static const char *const usage[] = {"step [options]", NULL};

static const char *const shared[] = {"model",   "method",  "batch",
                                     "precision", "backend", "threads", NULL};

static const char *const examples[] = {
    "pairs a second of BBN on this machine",
    "ballast bench step --model resnet32 --method bbn --batch 128",
    "a hundred steps in fp32 on one thread, for a script",
    "ballast bench step --method ce --precision fp32 --threads 1 --steps 100 "
    "--json",
    "what a step consists of here",
    "ballast bench step --model resnet32 --method ce --plan",
    NULL};

const cli_command cli_bench = {
    .name = "bench",
    .summary = "time a training step",
    .usage = usage,
    .about =
        "Trains on random images from memory and reports the median time of "
        "a step, samples a second (bbn: pairs) and memory.  Loader and "
        "augmentation are part of a step, as in a run; what a method defers "
        "to later epochs holds at once, and the step is one of the first "
        "stage.",
    .examples = examples,
    .operands = {"step"},
    .n_needed = 1,
    .options = options,
    .shared = shared,
    .computes = 1,
    .run = run,
};
