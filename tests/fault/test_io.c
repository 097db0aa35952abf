/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, evaluation and run directories under every failed allocation: an
 * honest BL_ENOMEM, no leak, and what was on the disk stays good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/eval.h"
#include "support/fault.h"
#include "support/scratch.h"
#include "train/run.h"

static const bl_param table[] = {
    {"data", BL_PARAM_STRING, "cifar10", 0, 0, NULL, "D", "text"},
    {"lr", BL_PARAM_REAL, "0.1", 0, 1, NULL, "X", "a real"},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static const bl_run_facts facts = {"0123", "ref", "fp32", "reference"};

static const float z[2][3] = {{2.385F, -0.117F, 31.7F},
                              {-8.06F, 1e-20F, 0.302F}};
static const bl_named_tensor tensors[2] = {
    {"a", "F32", 2, {2, 3}, z, sizeof z},
    {"b", "F32", 1, {3}, z, sizeof z / 2},
};
static const bl_metadata metadata[1] = {{"epoch", "7"}};

static scratch s;
static char file_path[512], run_dir[512];

static int set_up(void **state)
{
    (void)state;
    scratch_make(&s);
    (void)snprintf(file_path, sizeof file_path, "%s/f", s.folder);
    (void)snprintf(run_dir, sizeof run_dir, "%s/run", s.folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(&s);
    return 0;
}

/* Wants at least one failure that was answered well, and no left-over. */
static void survives(fault_function *function, int64_t at_least)
{
    const int64_t failures = fault_run(function, NULL, 10000);
    if (failures < at_least)
        fail_msg("%lld failures, wanted at least %lld: %s",
                 (long long)failures, (long long)at_least,
                 bl_error_last()->message);
}

static bl_status write_tensors(void *payload)
{
    (void)payload;
    return bl_safetensors_write(file_path, NULL, tensors, 2, metadata, 1);
}

static bl_status read_tensors(void *payload)
{
    (void)payload;
    bl_safetensors *file = NULL;
    const bl_status status = bl_safetensors_open(&file, file_path);
    if (status < 0) return status;
    assert_non_null(bl_safetensors_find(file, "b"));
    bl_safetensors_free(file);
    return status;
}

static bl_status write_matrix(void *payload)
{
    (void)payload;
    return bl_npy_write(file_path, &z[0][0], 2, 3);
}

static bl_status evaluate(void *payload)
{
    (void)payload;
    static const int32_t labels[2] = {2, 1};
    static const int64_t counts[3] = {120, 50, 3};
    bl_evaluation *e = NULL;
    const bl_status status = bl_evaluate(&e, &z[0][0], labels, 2, counts, 3,
                                         NULL);
    bl_evaluation_free(e);
    return status;
}

static void files(void **state)
{
    (void)state;
    survives(write_tensors, 3);
    survives(read_tensors, 4);
    survives(write_matrix, 2);
    survives(evaluate, 4);
}

static void a_failed_write_leaves_the_file(void **state)
{
    (void)state;
    assert_int_equal(write_tensors(NULL), BL_OK);
    for (int64_t n = 1; n < 100; n++) {
        bl_mem_fail_at(n);
        const bl_status status = write_tensors(NULL);
        bl_mem_fail_at(0);
        assert_int_equal(read_tensors(NULL), BL_OK);
        if (status == BL_OK) return;
    }
    fail_msg("never succeeded");
}

/* ---- run directories ----------------------------------------------------- */

static bl_status create_run(void *payload)
{
    bl_config *config = NULL;
    bl_run *run = NULL;
    (void)payload;
    bl_status status = bl_config_create(&config, table);
    if (status < 0) return status;
    status = bl_run_create(&run, run_dir, 1, config, &facts);
    bl_run_free(run);
    bl_config_free(config);
    return status;
}

static bl_status work_on_run(bl_run *run)
{
    static const char *const names[3] = {"x", "y", "w"};
    const bl_epoch epoch = {.epoch = 1, .lr = 0.1};
    const bl_result result = {.posthoc_tau = 0.7, .backend = "ref",
                              .precision = "fp32"};
    const bl_result_facts said = {.method = "ce", .model = "resnet20",
                                  .data = "a", .imbalance = 1,
                                  .epochs = 1, .class_names = names};
    bl_status status = bl_run_rewind(run, 0);
    if (status >= 0) status = bl_run_metrics(run, &epoch);
    if (status >= 0) status = bl_run_checkpoint(run, tensors, 2, metadata, 1);
    if (status >= 0) status = bl_run_result(run, &result, &said);
    if (status >= 0 && bl_run_path(run, "z.npy") == NULL) return BL_ENOMEM;
    return status;
}

static bl_status use_run(void *payload)
{
    bl_run *run = NULL;
    bl_run_facts noted;
    bl_safetensors *file = NULL;
    (void)payload;
    bl_status status = bl_run_open(&run, run_dir, &noted);
    if (status < 0) return status;
    status = bl_run_load(run, &file, NULL);
    if (status == BL_OK) bl_safetensors_free(file);
    if (status >= 0) status = work_on_run(run);
    bl_run_free(run);
    return status;
}

static void runs(void **state)
{
    (void)state;
    survives(create_run, 10);
    survives(use_run, 20);
    assert_int_equal(use_run(NULL), BL_OK); /* with a checkpoint to load */
    survives(use_run, 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files),
        TEST(a_failed_write_leaves_the_file),
        TEST(runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
