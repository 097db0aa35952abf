/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sets.h: small data sets in the layouts that Ballast reads, whose every
 * byte is a formula, and splits of given class sizes.
 */
#ifndef BL_TESTS_SETS_H
#define BL_TESTS_SETS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/data.h"
#include "support/scratch.h"

enum { SETS_SIDE = 32, SETS_PLANE = SETS_SIDE * SETS_SIDE };

/** The byte at place i of image n in file f; no pattern that lines up with
 *  rows or planes. */
static inline uint8_t sets_byte(int f, int n, int i)
{
    const uint32_t v = (uint32_t)(i * 131 + n * 7919 + f * 104729 + 17);
    return (uint8_t)((v * 2654435761u) >> 23);
}

static inline void sets_path(char out[1280], const char *folder,
                             const char *name)
{
    (void)snprintf(out, 1280, "%s/%s", folder, name);
}

static inline void sets_put(const char *folder, const char *name,
                            const void *bytes, size_t n)
{
    char path[1280];
    sets_path(path, folder, name);
    scratch_put(path, bytes, n);
}

/** n CIFAR records with n_label label bytes: fine label (n + f) % n_class,
 *  coarse label n % 20. */
static inline void sets_put_cifar(const char *folder, const char *name, int f,
                                  int n, int n_label, int n_class)
{
    const size_t row = (size_t)n_label + 3 * SETS_PLANE;
    uint8_t *bytes = malloc((size_t)n * row);
    if (bytes == NULL) exit(1);
    for (int i = 0; i < n; i++) {
        uint8_t *to = bytes + (size_t)i * row;
        to[0] = (uint8_t)(i % 20);
        to[n_label - 1] = (uint8_t)((i + f) % n_class);
        for (int j = 0; j < 3 * SETS_PLANE; j++)
            to[n_label + j] = sets_byte(f, i, j);
    }
    sets_put(folder, name, bytes, (size_t)n * row);
    free(bytes);
}

/** Five batches of 4, a test batch of 3, and names. */
static inline void sets_make_cifar10(const char *folder)
{
    static const char names[] =
        "wren\ngull\nrook\nteal\nsmew\nruff\nknot\nkite\nshag\nerne\n\n";
    char name[32];
    for (int f = 0; f < 5; f++) {
        (void)snprintf(name, sizeof name, "data_batch_%d.bin", f + 1);
        sets_put_cifar(folder, name, f, 4, 1, 10);
    }
    sets_put_cifar(folder, "test_batch.bin", 5, 3, 1, 10);
    sets_put(folder, "batches.meta.txt", names, sizeof names - 1);
}

/** 101 training and 2 test records, without names. */
static inline void sets_make_cifar100(const char *folder)
{
    sets_put_cifar(folder, "train.bin", 0, 101, 2, 100);
    sets_put_cifar(folder, "test.bin", 1, 2, 2, 100);
}

static inline size_t sets_idx(uint8_t *to, const uint32_t *extent, int n)
{
    const uint8_t magic[] = {0, 0, 8, (uint8_t)n};
    memcpy(to, magic, sizeof magic);
    for (int i = 0; i < n; i++)
        for (int b = 0; b < 4; b++)
            to[4 + 4 * i + b] = (uint8_t)(extent[i] >> (24 - 8 * b) & 255);
    return 4 + 4 * (size_t)n;
}

/** n images of 5 x 3 and labels i % n_class. */
static inline void sets_put_idx(const char *folder, const char *part, int f,
                                int n, int n_class)
{
    uint8_t bytes[4096];
    char name[64];
    const uint32_t extent[] = {(uint32_t)n, 5, 3};
    size_t at = sets_idx(bytes, extent, 3);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 15; j++) bytes[at++] = sets_byte(f, i, j);
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    sets_put(folder, name, bytes, at);
    at = sets_idx(bytes, extent, 1);
    for (int i = 0; i < n; i++) bytes[at++] = (uint8_t)(i % n_class);
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    sets_put(folder, name, bytes, at);
}

/** Four classes, 11 training and 6 test images of 5 x 3. */
static inline void sets_make_idx(const char *folder)
{
    sets_put_idx(folder, "train", 0, 11, 4);
    sets_put_idx(folder, "t10k", 1, 6, 4);
}

/** A split of 1 x 1 x 1 images with n_c[c] of class c.  Classes alternate
 *  (one of each in turn, as long as they last), so that positions and
 *  ordinals differ; pixel i is i % 251. */
static inline bl_split *sets_split(const int64_t *n_c, int32_t n_class)
{
    int64_t n = 0, at = 0;
    bl_split *split = NULL;
    for (int32_t c = 0; c < n_class; c++) n += n_c[c];
    uint8_t *pixels = calloc((size_t)n, 1);
    int32_t *labels = calloc((size_t)n, sizeof *labels);
    if (pixels == NULL || labels == NULL) exit(1);
    for (int64_t turn = 0; at < n; turn++)
        for (int32_t c = 0; c < n_class; c++) {
            if (turn >= n_c[c]) continue;
            pixels[at] = (uint8_t)(at % 251);
            labels[at++] = c;
        }
    if (bl_split_create(&split, n, 1, 1, 1, n_class, pixels, labels) < 0) {
        (void)fprintf(stderr, "%s\n", bl_error_last()->message);
        exit(1);
    }
    free(pixels);
    free(labels);
    return split;
}

/** A split of n images h x w x c with random-looking pixels and labels. */
static inline bl_split *sets_images(int64_t n, int32_t h, int32_t w,
                                    int32_t c, int32_t n_class)
{
    const int image = h * w * c;
    bl_split *split = NULL;
    uint8_t *pixels = calloc((size_t)n, (size_t)image);
    int32_t *labels = calloc((size_t)n, sizeof *labels);
    if (pixels == NULL || labels == NULL) exit(1);
    for (int i = 0; i < (int)n; i++) {
        labels[i] = sets_byte(3, i, 1) % n_class;
        for (int j = 0; j < image; j++)
            pixels[i * image + j] = sets_byte(2, i, j);
    }
    if (bl_split_create(&split, n, h, w, c, n_class, pixels, labels) < 0) {
        (void)fprintf(stderr, "%s\n", bl_error_last()->message);
        exit(1);
    }
    free(pixels);
    free(labels);
    return split;
}

#endif
