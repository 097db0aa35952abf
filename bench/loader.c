/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c: how many training images a second the loader makes.
 *
 *   bench_loader [threads [image side [images]]]
 *
 * Random images of three channels, 32 x 32 and one thread by default, go
 * through each augmentation as in a run; the caller takes each batch at once
 * and does nothing with it.  The median of seven epochs, turn about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ballast/status.h"
#include "data/loader.h"

enum { TURNS = 7, BATCH = 128, CLASSES = 10 };

/** One way to make a training image. */
typedef struct way {
    const char *name;
    int autoaugment;
    int32_t cutout; /* part of the side, as its reciprocal; 0: none */
} way;

static const way ways[] = {{"crop, mirror, normalise", 0, 0},
                           {"with Cutout", 0, 2},
                           {"with AutoAugment", 1, 0},
                           {"with both", 1, 2}};
enum { WAYS = sizeof ways / sizeof *ways };

static void stop_on(bl_status status)
{
    if (status >= 0) return;
    (void)fprintf(stderr, "bench_loader: %s\n", bl_error_last()->message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/** Random bytes, labels in turn. */
static bl_split *make_split(int32_t side, int64_t n)
{
    const size_t bytes = (size_t)n * (size_t)side * (size_t)side * 3;
    uint8_t *const pixels = malloc(bytes);                // [n][side][side][3]
    int32_t *const labels = calloc((size_t)n, sizeof *labels); // [n]
    uint64_t state = 1;
    bl_split *split = NULL;
    if (pixels == NULL || labels == NULL) exit(1);
    for (size_t i = 0; i < bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        pixels[i] = (uint8_t)(state >> 56);
    }
    for (int64_t i = 0; i < n; i++) labels[i] = (int32_t)(i % CLASSES);
    stop_on(bl_split_create(&split, n, side, side, 3, CLASSES, pixels,
                            labels));
    free(labels);
    free(pixels);
    return split;
}

static bl_loader *open_loader(const bl_split *split, bl_sampler *const *from,
                              const way *w, int32_t threads)
{
    bl_loader *loader = NULL;
    const bl_loader_spec spec = {
        .split = split, .samplers = from, .streams = 1, .batch = BATCH,
        .steps = split->n / BATCH,
        .normalization = {.c = 3, .mean = {0.5, 0.5, 0.5},
                          .std = {0.2, 0.2, 0.2}},
        .pad = 4, .flip = 1, .autoaugment = w->autoaugment,
        .cutout = w->cutout ? split->h / w->cutout : 0,
        .threads = threads, .ahead = threads + 2};
    stop_on(bl_loader_create(&loader, &spec));
    return loader;
}

/** Images a second of one epoch. */
static double rate_of(bl_loader *loader, int64_t epoch)
{
    const double start = now();
    int64_t n = 0;
    bl_batch batch;
    bl_status status;
    stop_on(bl_loader_begin(loader, epoch, 0));
    while ((status = bl_loader_next(loader, &batch)) == BL_OK) n += batch.n;
    stop_on(status);
    return (double)n / (now() - start);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const bl_split *split, bl_sampler *const *from,
                   int32_t threads)
{
    bl_loader *loaders[WAYS];
    double rates[WAYS][TURNS];
    for (int i = 0; i < WAYS; i++)
        loaders[i] = open_loader(split, from, &ways[i], threads);
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < WAYS; i++) rates[i][t] = rate_of(loaders[i], t + 1);
    printf("%d x %d x 3, %d loader thread%s\n\n", (int)split->h, (int)split->w,
           (int)threads, threads == 1 ? "" : "s");
    printf("| | images/s |\n|---|--:|\n");
    for (int i = 0; i < WAYS; i++) {
        qsort(rates[i], TURNS, sizeof rates[i][0], ascending);
        printf("| %s | %.0f |\n", ways[i].name, rates[i][TURNS / 2]);
        bl_loader_free(loaders[i]);
    }
}

int main(int argc, char **argv)
{
    const long threads = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    const long side = argc > 2 ? strtol(argv[2], NULL, 10) : 32;
    const long images = argc > 3 ? strtol(argv[3], NULL, 10) : 12800;
    bl_sampler *sampler = NULL;
    if (threads < 1 || threads > 256 || side < 1 || side > 4096 ||
        images < BATCH || images > 1 << 20) {
        (void)fprintf(stderr, "usage: bench_loader [threads [image side "
                              "[images]]]\n");
        return 2;
    }
    bl_split *const split = make_split((int32_t)side, images);
    stop_on(bl_sampler_create(&sampler, bl_sampler_find("permutation"),
                              split->labels, split->n, CLASSES, 0, 0));
    report(split, &sampler, (int32_t)threads);
    bl_sampler_free(sampler);
    bl_split_free(split);
    return 0;
}
