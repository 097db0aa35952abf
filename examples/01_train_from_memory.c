/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 01_train_from_memory.c: trains BBN on images that never were a file.
 *
 *   01_train_from_memory WEIGHTS.safetensors
 *
 * Four classes of 8 x 8 colour images with 200, 80, 32 and 12 of them: class
 * k is noise with its k-th quarter lit.  Steps, in the order of main: images,
 * data set, configuration, trainer, loop, weights.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ballast/ballast.h"

enum { SIDE = 8, CHANNELS = 3, CLASSES = 4, IMAGE = SIDE * SIDE * CHANNELS };

/** Draws the n[k] images of each class k into a split. */
static bl_status draw(bl_split **out, const int64_t n[CLASSES], uint64_t seed)
{
    int64_t total = 0, i = 0;
    for (int32_t k = 0; k < CLASSES; k++) total += n[k];
    uint8_t *pixels = malloc((size_t)total * IMAGE);          // [n][h][w][c]
    int32_t *labels = malloc((size_t)total * sizeof *labels); // [n]
    bl_status status = BL_ENOMEM;
    if (pixels && labels) {
        bl_rng rng = bl_rng_at(seed, BL_PURPOSE_TEST, 0, 0);
        for (int32_t k = 0; k < CLASSES; k++)
            for (int64_t end = i + n[k]; i < end; i++) {
                labels[i] = k;
                for (int p = 0; p < IMAGE; p++) {
                    const int lit = p * CLASSES / IMAGE == k ? 120 : 0;
                    pixels[i * IMAGE + p] =
                        (uint8_t)(bl_rng_below(&rng, 120) + (unsigned)lit);
                }
            }
        status = bl_split_create(out, total, SIDE, SIDE, CHANNELS, CLASSES,
                                 pixels, labels);
    }
    free(labels);
    free(pixels);
    return status;
}

int main(int argc, char **argv)
{
    static const int64_t many_to_few[CLASSES] = {200, 80, 32, 12};
    static const int64_t alike[CLASSES] = {25, 25, 25, 25};
    static const char *const settings[] = {
        "method=bbn", "model=resnet20", "epochs=2", "batch=16", "lr=0.02",
        "augment=none", NULL};
    bl_split *train = NULL, *test = NULL;
    bl_dataset *data = NULL;
    bl_config *config = NULL;
    bl_trainer *trainer = NULL;
    const bl_trainer_options options = {.run_dir = NULL};
    bl_status status = BL_OK;
    if (argc != 2) {
        fprintf(stderr, "usage: %s WEIGHTS.safetensors\n", argv[0]);
        return 2;
    }

    if ((status = draw(&train, many_to_few, 1)) < 0) goto done;
    if ((status = draw(&test, alike, 2)) < 0) goto done;
    if ((status = bl_dataset_create(&data, "quarters", train, test, NULL)) < 0)
        goto done;
    train = test = NULL; /* they are data's now */

    if ((status = bl_train_config(&config)) < 0) goto done;
    for (int i = 0; settings[i]; i++) {
        status = bl_config_assign(config, settings[i], BL_ORIGIN_OPTION);
        if (status < 0) goto done;
    }

    status = bl_trainer_create(&trainer, config, data, &options);
    if (status < 0) goto done;
    for (int64_t closed = 0; (status = bl_trainer_step(trainer)) == BL_OK;) {
        bl_progress now;
        bl_trainer_progress(trainer, &now);
        if (now.last.epoch == closed) continue;
        closed = now.last.epoch;
        printf("epoch %d: loss %.3f, test error %.1f %%\n", (int)closed,
               now.last.train_loss, 100 * now.last.test_error);
    }
    if (status == BL_END) status = bl_trainer_save(trainer, argv[1]);

done:
    if (status < 0)
        fprintf(stderr, "%s: %s\n", bl_status_name(status),
                bl_error_last()->message);
    bl_trainer_free(trainer);
    bl_config_free(config);
    bl_dataset_free(data);
    bl_split_free(test);
    bl_split_free(train);
    return status < 0;
}
