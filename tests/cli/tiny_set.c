/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny_set.c: writes a small data set in the IDX format of MNIST.
 *
 *   tiny_set FOLDER TRAIN TEST [CLASSES]
 *
 * CLASSES (10) of TRAIN and TEST images each, 8 x 8 pixels.  A class is a
 * bright bar at a place of its own, under noise, so that it can be learnt.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_PX = 8, PIXELS = SIZE_PX * SIZE_PX, CLASSES_MAX = 64 };

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static int put_u32(FILE *file, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        if (putc((int)(value >> shift & 255u), file) == EOF) return 0;
    return 1;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >=
        (int)sizeof path)
        return NULL;
    return fopen(path, "wb");
}

static void draw(uint8_t *pixels, int label, int classes, uint32_t *state)
{
    for (int i = 0; i < PIXELS; i++) {
        const int lit = i * classes / PIXELS == label;
        pixels[i] = (uint8_t)(next(state) % 96u + (lit ? 150u : 0u));
    }
}

/** Writes both files of one split, classes in turn. */
static int write_split(const char *folder, const char *split, int per_class,
                       int classes, uint32_t seed)
{
    char name[64];
    uint8_t pixels[PIXELS];
    const int n = per_class * classes;
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", split);
    FILE *images = open_in(folder, name);
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", split);
    FILE *labels = open_in(folder, name);
    if (!images || !labels) return 0;
    int good = put_u32(images, 0x803) && put_u32(images, (uint32_t)n) &&
               put_u32(images, SIZE_PX) && put_u32(images, SIZE_PX) &&
               put_u32(labels, 0x801) && put_u32(labels, (uint32_t)n);
    for (int i = 0; i < n && good; i++) {
        draw(pixels, i % classes, classes, &seed);
        good = fwrite(pixels, 1, PIXELS, images) == PIXELS &&
               putc(i % classes, labels) != EOF;
    }
    good = fclose(images) == 0 && good;
    return fclose(labels) == 0 && good;
}

int main(int argc, char **argv)
{
    const int train = argc > 2 ? atoi(argv[2]) : 0;
    const int test = argc > 3 ? atoi(argv[3]) : 0;
    const int classes = argc > 4 ? atoi(argv[4]) : 10;
    if (train < 1 || test < 1 || classes < 1 || classes > CLASSES_MAX) {
        (void)fprintf(stderr, "usage: tiny_set FOLDER TRAIN TEST [CLASSES]\n");
        return 2;
    }
    if (write_split(argv[1], "train", train, classes, 1) &&
        write_split(argv[1], "t10k", test, classes, 2))
        return 0;
    perror(argv[1]);
    return 1;
}
