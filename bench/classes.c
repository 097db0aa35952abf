/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.c: what thousands of classes cost an epoch, beside the network.
 *
 *   bench_classes [classes [images [test images [batch [width]]]]]
 *
 * The defaults are iNaturalist 2018: 8 142 classes of 1 000 to 2 images, 437
 * 513 in all, and 24 426 test images; 64 features and batches of 128 are those
 * of ResNet-32.  Counts fall exponentially to 2, with the rate that gives the
 * total.  Everything that grows with classes or images is timed on made-up
 * numbers and told for one epoch: the best of five turns, times the steps of
 * an epoch where it is part of a step.  The network itself is `ballast bench
 * step --classes C`, whose time a step includes classifier and loss.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backend/backend.h"
#include "ballast/eval.h"
#include "ballast/sampler.h"
#include "ballast/status.h"

enum { TURNS = 5, LARGEST = 1000, LEAST = 2 };

typedef struct job {
    int64_t classes, images, test, batch, width;
    int64_t *n;      // [classes]
    int32_t *labels; // [images]
    const bl_backend *backend;
    bl_device *dev;
    float *x, *w, *z, *diff; // [batch][width], [classes][width], [batch][C] x2
    float *diff_x, *diff_w;  // as x and w
    float *term;             // [classes] in (0, 1)
    const int32_t *y;        // [batch]
    double sink;             /* so that nothing timed is left out */
} job;

static void stop_on(bl_status status)
{
    if (status >= 0) return;
    (void)fprintf(stderr, "bench_classes: %s\n", bl_error_last()->message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(int64_t count, size_t size)
{
    void *const memory = calloc((size_t)count, size);
    if (memory == NULL) {
        (void)fprintf(stderr, "bench_classes: out of memory\n");
        exit(1);
    }
    return memory;
}

static float *noise(int64_t count)
{
    float *const out = room(count, sizeof *out);
    uint64_t state = (uint64_t)count;
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (float)(state >> 40) * 0x1p-23f - 1;
    }
    return out;
}

/* ---- the long tail ------------------------------------------------------- */

static int64_t count_at(double rate, int64_t j, int64_t classes)
{
    const double x = (double)j / (double)(classes - 1);
    return LEAST + llround((LARGEST - LEAST) * exp(-rate * x));
}

static int64_t total_of(double rate, int64_t classes)
{
    int64_t sum = 0;
    for (int64_t j = 0; j < classes; j++) sum += count_at(rate, j, classes);
    return sum;
}

/** Counts and labels; the number of images becomes what rounding leaves. */
static void make_tail(job *b)
{
    double low = 1e-3, high = 1e4;
    for (int i = 0; i < 100; i++) {
        const double middle = 0.5 * (low + high);
        *(total_of(middle, b->classes) > b->images ? &low : &high) = middle;
    }
    b->images = total_of(high, b->classes);
    if (b->test > b->images || b->batch > b->images) {
        (void)fprintf(stderr, "bench_classes: rounding leaves %lld images\n",
                      (long long)b->images);
        exit(2);
    }
    b->n = room(b->classes, sizeof *b->n);
    b->labels = room(b->images, sizeof *b->labels);
    int64_t at = 0;
    for (int64_t j = 0; j < b->classes; j++) {
        b->n[j] = count_at(high, j, b->classes);
        for (int64_t i = 0; i < b->n[j]; i++) b->labels[at++] = (int32_t)j;
    }
}

/* ---- what is timed ------------------------------------------------------- */

typedef void work(job *b, const void *what);

static void linear(job *b, const void *what)
{
    const bl_linear_desc d = {b->batch, b->width, b->classes, BL_F32};
    (void)what;
    stop_on(b->backend->linear_forward(b->dev, &d, b->x, b->w, NULL, b->z));
    stop_on(b->backend->linear_backward(b->dev, &d, b->x, b->w, b->diff,
                                        b->diff_x, b->diff_w, NULL, false));
}

static void cosine(job *b, const void *what)
{
    const bl_linear_desc d = {b->batch, b->width, b->classes, BL_F32};
    (void)what;
    stop_on(b->backend->cosine_forward(b->dev, &d, b->x, b->w, b->z));
    stop_on(b->backend->cosine_backward(b->dev, &d, b->x, b->w, b->diff,
                                        b->diff_x, b->diff_w, false));
}

/** A loss: one against all or not, with every class term of its family or
 *  none, focal or not. */
typedef struct loss_kind {
    const char *name;
    int sigmoid, terms;
    double g;
} loss_kind;

static void loss(job *b, const void *what)
{
    const loss_kind *const kind = what;
    const bl_softmax_desc d = {b->batch, b->classes, 1, BL_F32, kind->g,
                               kind->terms != 0, false};
    const void *const term = kind->terms ? b->term : NULL;
    const int smooth = !kind->sigmoid && kind->g == 0;
    const bl_class_terms terms = {.s = term, .b = term, .w = term,
                                  .m = kind->sigmoid ? NULL : term,
                                  .e = smooth ? term : NULL};
    const double one = 1;
    double value, wrong;
    stop_on((kind->sigmoid ? b->backend->sigmoid_loss
                           : b->backend->softmax_loss)(
        b->dev, &d, b->z, b->y, &one, &terms, &value, &wrong, b->diff));
    b->sink += value;
}

/** what: the name of a sampler, whose whole epoch is drawn. */
static void sampler(job *b, const void *what)
{
    bl_sampler *s = NULL;
    stop_on(bl_sampler_create(&s, bl_sampler_find(what), b->labels, b->images,
                              (int32_t)b->classes, 1, 0));
    bl_sampler_begin(s, 1);
    for (int64_t i = 0; i < b->images; i++)
        b->sink += (double)bl_sampler_at(s, i);
    bl_sampler_free(s);
}

/** what: logits [test][classes]. */
static void evaluation(job *b, const void *what)
{
    bl_evaluation *e = NULL;
    stop_on(bl_evaluate(&e, what, b->labels, b->test, b->n,
                        (int32_t)b->classes, NULL));
    b->sink += e->error;
    bl_evaluation_free(e);
}

static void report(job *b, const char *name, work *run, const void *what,
                   int64_t times)
{
    double best = HUGE_VAL;
    for (int i = 0; i < TURNS; i++) {
        const double start = now();
        run(b, what);
        best = fmin(best, now() - start);
    }
    printf("| %s | %.3f | %.2f |\n", name, 1e3 * best, best * (double)times);
}

static void report_all(job *b)
{
    static const char *const samplers[] = {"permutation", "balanced",
                                           "reversed", "progressive"};
    static const loss_kind kinds[] = {
        {"softmax loss", 0, 0, 0},
        {"softmax loss, every class term", 0, 1, 0},
        {"softmax focal loss", 0, 0, 1},
        {"sigmoid focal loss", 1, 0, 1},
        {"sigmoid focal loss, every class term", 1, 1, 1}};
    const int64_t steps = (b->images + b->batch - 1) / b->batch;
    float *const logits = noise(b->test * b->classes);
    printf("%lld classes, %lld images, %lld steps an epoch, %s\n\n",
           (long long)b->classes, (long long)b->images, (long long)steps,
           b->backend->describe(b->dev));
    printf("| | ms once | s an epoch |\n|---|--:|--:|\n");
    report(b, "classifier, linear", linear, NULL, steps);
    report(b, "classifier, normalised", cosine, NULL, steps);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        report(b, kinds[i].name, loss, &kinds[i], steps);
    for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++)
        report(b, samplers[i], sampler, samplers[i], 1);
    report(b, "evaluation", evaluation, logits, 1);
    free(logits);
}

static void open_job(job *b)
{
    make_tail(b);
    stop_on(bl_backend_find(&b->backend, NULL));
    stop_on(b->backend->open(&b->dev, 0));
    b->x = noise(b->batch * b->width);
    b->w = noise(b->classes * b->width);
    b->z = noise(b->batch * b->classes);
    b->diff = noise(b->batch * b->classes);
    b->diff_x = noise(b->batch * b->width);
    b->diff_w = noise(b->classes * b->width);
    b->term = noise(b->classes);
    for (int64_t j = 0; j < b->classes; j++)
        b->term[j] = 0.5f + 0.4f * b->term[j];
    b->y = b->labels;
}

static void close_job(job *b)
{
    b->backend->close(b->dev);
    void *const held[] = {b->n, b->labels, b->x, b->w, b->z, b->diff,
                          b->diff_x, b->diff_w, b->term};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
}

int main(int argc, char **argv)
{
    job b = {.classes = 8142, .images = 437513, .test = 24426, .batch = 128,
             .width = 64};
    int64_t *const numbers[] = {&b.classes, &b.images, &b.test, &b.batch,
                                &b.width};
    for (int i = 1; i < argc && i <= 5; i++)
        *numbers[i - 1] = strtoll(argv[i], NULL, 10);
    if (b.classes < 2 || b.batch < 1 || b.width < 1 || b.test < 1 ||
        b.images < 2 * b.classes || b.test > b.images ||
        b.batch > b.images) {
        (void)fprintf(stderr, "usage: bench_classes [classes [images [test "
                      "images [batch [width]]]]]\n");
        return 2;
    }
    open_job(&b);
    report_all(&b);
    close_job(&b);
    return b.sink == 0;
}
