/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bars.h: runs of the trainer on images of bars, whole and in two pieces.
 *
 * Three classes of 31, 12 and 5 training images, 6 x 6 pixels; a network sees
 * the class from where the bar stands.
 */
#ifndef BL_TESTS_BARS_H
#define BL_TESTS_BARS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "support/scratch.h"

enum { SIDE = 6, CLASSES = 3, MOST = 64 };

static inline void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

/** n[k] images of class k: noise with a bar that the class moves. */
static inline bl_split *make_split(const int32_t *n, uint64_t seed)
{
    uint8_t pixels[MOST * SIDE * SIDE];
    int32_t labels[MOST], total = 0;
    bl_rng rng = bl_rng_at(seed, BL_PURPOSE_TEST, 0, 0);
    for (int32_t k = 0; k < CLASSES; k++)
        for (int32_t i = 0; i < n[k]; i++, total++) {
            labels[total] = k;
            for (int32_t p = 0; p < SIDE * SIDE; p++)
                pixels[total * SIDE * SIDE + p] =
                    (uint8_t)(bl_rng_below(&rng, 90) +
                              (p / SIDE / 2 == k ? 140u : 0u));
        }
    bl_split *split;
    ok(bl_split_create(&split, total, SIDE, SIDE, 1, CLASSES, pixels, labels));
    return split;
}

static inline bl_dataset *make_data(uint64_t seed)
{
    const int32_t tail[CLASSES] = {31, 12, 5}, even[CLASSES] = {7, 7, 7};
    bl_dataset *data;
    ok(bl_dataset_create(&data, "bars", make_split(tail, seed),
                         make_split(even, seed + 1), NULL));
    return data;
}

/** Cuts 12 of the 48 training images off. */
static inline bl_split *cut_validation(bl_dataset *data)
{
    int64_t *kept, *cut, n_kept, n_cut;
    bl_split *validation, *train_part;
    ok(bl_holdout(&kept, &n_kept, &cut, &n_cut, data->train, 0.25, 1));
    ok(bl_split_subset(&validation, data->train, cut, n_cut));
    ok(bl_split_subset(&train_part, data->train, kept, n_kept));
    bl_split_free(data->train);
    data->train = train_part;
    bl_free(kept);
    bl_free(cut);
    return validation;
}

static inline bl_config *make_config(const char *const *settings)
{
    static const char *const common[] = {
        "model=resnet20", "batch=10", "epochs=2", "lr=0.05", "threads=1",
        "checkpoint.minutes=0", NULL};
    bl_config *config;
    ok(bl_train_config(&config));
    for (int32_t i = 0; common[i]; i++)
        ok(bl_config_assign(config, common[i], BL_ORIGIN_OPTION));
    for (int32_t i = 0; settings[i]; i++)
        ok(bl_config_assign(config, settings[i], BL_ORIGIN_OPTION));
    return config;
}

static inline void run_to_end(bl_trainer *t)
{
    bl_status status;
    while ((status = bl_trainer_step(t)) == BL_OK) continue;
    ok(status);
    assert_int_equal(status, BL_END);
}

/** Trains in folder (NULL: nowhere) and gives the logits of the test set. */
static inline void train(const char *const *settings, const char *folder,
                         float *z)
{
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    const bl_trainer_options options = {.run_dir = folder};
    bl_trainer *t;
    ok(bl_trainer_create(&t, config, data, &options));
    run_to_end(t);
    ok(bl_trainer_logits(t, data->test, z));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** Stops after `calls` steps with a checkpoint, resumes, and compares. */
static inline void stop_and_resume(const char *const *settings, int32_t calls)
{
    float whole[21 * CLASSES], parts[21 * CLASSES];
    scratch at;
    scratch_make(&at);
    const char *const folder = at.folder;
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    const bl_trainer_options options = {.run_dir = folder};
    bl_trainer *t;
    train(settings, NULL, whole);
    ok(bl_trainer_create(&t, config, data, &options));
    for (int32_t i = 0; i < calls; i++)
        assert_int_equal(bl_trainer_step(t), BL_OK);
    ok(bl_trainer_checkpoint(t));
    bl_trainer_free(t);
    ok(bl_trainer_resume(&t, data, &options));
    run_to_end(t);
    ok(bl_trainer_logits(t, data->test, parts));
    assert_memory_equal(whole, parts, sizeof whole);
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

#endif
