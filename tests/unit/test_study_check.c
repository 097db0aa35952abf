/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would keep a cell from training is found by its settings alone: here no
 * cell is ever trained.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/safetensors.h"
#include "support/runs_by_hand.h"

enum { IMAGES = 100 };

static const bl_network_spec images = {.h = 8, .w = 8, .c = 1, .n_class = 10};

/* Checks all cells but the last, which the last one's result stands for. */
static bl_status check_last(const char *yaml)
{
    bl_study *const study = written(yaml);
    const int64_t n = bl_study_cells(study);
    bl_status status = BL_OK;
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(status, BL_OK);
        status = bl_study_check(study, i, IMAGES, &images);
    }
    bl_study_free(study);
    return status;
}

static void says(const char *text)
{
    if (strstr(bl_error_last()->message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", bl_error_last()->message,
                 text);
}

/* ---- what computes, and how many images there are ------------------------ */

static void settings_are_checked(void **state)
{
    (void)state;
    static const struct { const char *yaml; bl_status status; } rows[] = {
        {"grid: {backend: [auto, ref]}\n", BL_OK},
        {"grid: {backend: [auto, abacus]}\n", BL_EINVAL},
        {"base: {backend: ref}\ngrid: {precision: [fp32, bf16]}\n", BL_OK},
        {"grid: {batch: [100, 128]}\n", BL_OK},
        {"base: {drop-last: true}\ngrid: {batch: [64, 100]}\n", BL_OK},
        {"base: {drop-last: true}\ngrid: {batch: [64, 101]}\n", BL_EINVAL},
        {"grid: {seed: 0, init.weights: /nowhere/w}\n", BL_EIO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (check_last(rows[i].yaml) != rows[i].status)
            fail_msg("%s", rows[i].yaml);
    assert_int_equal(check_last(rows[1].yaml), BL_EINVAL);
    says("backend abacus: not in this build");
    assert_int_equal(check_last(rows[5].yaml), BL_EINVAL);
    says("batch: 101 is more than the 100 training images");
}

/* ---- weights of a first stage that is not there yet ---------------------- */

static void first_stages_fit_or_not(void **state)
{
    (void)state;
    static const struct { const char *first, *second, *message; } rows[] = {
        {"ce", "method: retrain", NULL},
        {"ce", "method: retrain, stage2.head: keep", NULL},
        {"ce", "method: ce", NULL},
        {"bbn", "method: bbn", NULL},
        {"bbn", "method: retrain, init.branch: cb", NULL},
        {"bbn", "method: retrain, init.branch: rb", NULL},
        {"ldam", "method: retrain", NULL},
        {"ce", "method: ldam", NULL},
        {"ce", "method: retrain, model: resnet20", "belongs to no layer"},
        {"ce", "method: retrain, model: resnet44", "is missing"},
        {"ce", "method: bbn", "belongs to no layer"},
        {"ldam", "method: retrain, stage2.head: keep", "fc.bias is missing"},
        {"bbn", "method: retrain, stage2.head: keep", "fc.weight is missing"},
        {"bbn", "method: ce", "fc.weight is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof yaml, "base: {batch: 64}\n"
                       "grid: {method: %s}\n"
                       "then: {base: {%s}, grid: {cutout: 8}}\n",
                       rows[i].first, rows[i].second);
        if (check_last(yaml) != (rows[i].message ? BL_EFORMAT : BL_OK))
            fail_msg("%s", yaml);
        if (rows[i].message == NULL) continue;
        says("weights of cell ");
        says(rows[i].message);
    }
}

/* Weights of no network here take the place of a cell's. */
static void put_other_weights(const bl_study *study, int64_t i)
{
    static const float x[2] = {2.385f, -0.5f};
    const bl_named_tensor tensor = {"w", "F32", 1, {2}, x, sizeof x};
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/last.safetensors",
                   bl_study_cell_at(study, i)->folder);
    assert_int_equal(bl_safetensors_write(path, NULL, &tensor, 1, NULL, 0),
                     BL_OK);
}

/* A first stage that is finished has left its weights, or should have: where it
 * has not, its followers are told so in their turn, and others go on. */
static void finished_first_stages_are_read(void **state)
{
    (void)state;
    static const char yaml[] = "grid: {method: ce}\nthen: {base: {method: "
                               "retrain}, grid: {cutout: 8}}\n";
    bl_study *const study = written(yaml);
    assert_int_equal(bl_study_check(study, 1, IMAGES, &images), BL_OK);
    finish(study, 0, 0.5, 0.5);
    assert_int_equal(bl_study_check(study, 1, IMAGES, &images), BL_OK);
    put(study, 0, "last.safetensors", "none");
    assert_int_equal(bl_study_check(study, 1, IMAGES, &images), BL_OK);
    put_other_weights(study, 0);
    assert_int_equal(bl_study_check(study, 1, IMAGES, &images), BL_EFORMAT);
    says("last.safetensors");
    begin(study, 1);
    put(study, 1, "resume.safetensors", "");
    assert_int_equal(bl_study_look(study, 1), BL_OK);
    assert_int_equal(bl_study_check(study, 1, IMAGES, &images), BL_OK);
    bl_study_free(study);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(settings_are_checked),
        TEST(first_stages_fit_or_not),
        TEST(finished_first_stages_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
