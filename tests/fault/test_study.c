/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Studies under every failed allocation: an honest BL_ENOMEM and no leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "study/study.h"
#include "support/fault.h"
#include "support/scratch.h"

static const char yaml[] =
    "name: mine\n"
    "variants: {recipe: {a: {lr: 0.2}, b: {epochs: 9}}}\n"
    "base: {data: x}\n"
    "grid: {recipe: [a, b], seed: [0]}\n"
    "then: {base: {method: retrain}, grid: {stage2.lr: [0.1, 0.3]}}\n";

static scratch s;
static char path[512];

static int set_up(void **state)
{
    (void)state;
    scratch_make(&s);
    (void)snprintf(path, sizeof path, "%s/own.yaml", s.folder);
    scratch_put(path, yaml, sizeof yaml - 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(&s);
    return 0;
}

static void survives(fault_function *function)
{
    const int64_t failures = fault_run(function, NULL, 100000);
    if (failures < 100)
        fail_msg("%lld failures: %s", (long long)failures,
                 bl_error_last()->message);
}

static bl_status read_file(void *payload)
{
    bl_study_file *file = NULL;
    (void)payload;
    const bl_status status =
        bl_study_file_parse(&file, "own.yaml", yaml, sizeof yaml - 1);
    bl_study_file_free(file);
    return status;
}

static bl_status open_file(void *payload)
{
    bl_study *study = NULL;
    (void)payload;
    const bl_status status = bl_study_open(&study, path, s.folder, NULL);
    bl_study_free(study);
    return status;
}

static bl_status open_means(void *payload)
{
    const char *const changes[] = {"data=cifar10", "training=uniform,balanced,"
                                   "uniform+balanced", "lr=0.1", NULL};
    bl_study *study = NULL;
    (void)payload;
    const bl_status status =
        bl_study_open(&study, "bbn-ensembles", NULL, changes);
    bl_study_free(study);
    return status;
}

/** A study that is opened without failures. */
static bl_study *study;

static bl_status write_all(void *payload)
{
    (void)payload;
    for (int form = BL_TABLE_TEXT; form <= BL_TABLE_JSON; form++) {
        char *text = NULL;
        const bl_status status =
            bl_study_write(&text, study, (bl_table_form)form, 80);
        bl_free(text);
        if (status < 0) return status;
    }
    return BL_OK;
}

static void reading_survives(void **state)
{
    (void)state;
    survives(read_file);
}

static void opening_survives(void **state)
{
    (void)state;
    survives(open_file);
    survives(open_means);
}

static void writing_survives(void **state)
{
    (void)state;
    assert_int_equal(bl_study_open(&study, path, NULL, NULL), BL_OK);
    survives(write_all);
    bl_study_free(study);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_survives),
        cmocka_unit_test(opening_survives),
        cmocka_unit_test(writing_survives),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
