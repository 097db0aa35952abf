/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_schedules.c: learning rate and alpha of every epoch of the two
 * published recipes, against tools/golden/schedules.py.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/train.h"
#include "io/safetensors.h"

enum { EPOCHS = 200 };

static bl_safetensors *file;

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

static const double *golden(const char *name)
{
    const bl_named_tensor *const t = bl_safetensors_find(file, name);
    if (!t) fail_msg("golden file lacks %s", name);
    assert_int_equal(t->shape[0], EPOCHS);
    return t->data;
}

static int open_file(void **state)
{
    (void)state;
    return bl_safetensors_open(&file, BL_TEST_FILES
                               "/golden/data/schedules.safetensors");
}

static int close_file(void **state)
{
    (void)state;
    bl_safetensors_free(file);
    return 0;
}

/** Rates of a method's own recipe. */
static void check_rates(const char *method, const char *name)
{
    const double *const wanted = golden(name);
    const bl_schedule_type *const step = bl_schedule_types()[0];
    bl_config *config;
    ok(bl_train_config(&config));
    ok(bl_config_set(config, "method", method, BL_ORIGIN_OPTION));
    ok(bl_train_settle(config));
    assert_string_equal(step->name, bl_config_string(config, "schedule"));
    const double lr = bl_config_real(config, "lr");
    for (int64_t e = 1; e <= EPOCHS; e++) {
        const double found = lr * step->factor(config, e, EPOCHS);
        if (fabs(found - wanted[e - 1]) > 1e-12)
            fail_msg("%s, epoch %d: rate %.12g, wanted %.12g", method, (int)e,
                     found, wanted[e - 1]);
    }
    bl_config_free(config);
}

static void rates_follow_both_codes(void **state)
{
    (void)state;
    check_rates("ce", "lr.ldam");
    check_rates("bbn", "lr.bbn");
}

static void alphas_follow_the_adaptors(void **state)
{
    (void)state;
    const bl_adaptor_type *const *const all = bl_adaptor_types();
    for (int32_t i = 0; all[i]; i++) {
        char name[64];
        if (all[i]->each_step) continue; /* random: no golden values */
        (void)snprintf(name, sizeof name, "alpha.%s", all[i]->name);
        const double *const wanted = golden(name);
        for (int64_t e = 1; e <= EPOCHS; e++) {
            const double x = (double)(e - 1) / EPOCHS;
            const double found = all[i]->alpha(x, e, EPOCHS);
            if (fabs(found - wanted[e - 1]) > 1e-12)
                fail_msg("%s, epoch %d: alpha %.12g, wanted %.12g",
                         all[i]->name, (int)e, found, wanted[e - 1]);
        }
    }
}

/** A run of a tenth has the same shape: decays at a tenth of the epochs. */
static void schedules_scale(void **state)
{
    (void)state;
    const bl_schedule_type *const step = bl_schedule_types()[0];
    bl_config *config;
    ok(bl_train_config(&config));
    ok(bl_config_set(config, "method", "bbn", BL_ORIGIN_OPTION));
    ok(bl_train_settle(config));
    const struct { int64_t e; double factor; } rows[] = {
        {1, 1.0 / 3}, {2, 1}, {12, 1}, {13, 1e-2}, {16, 1e-2}, {17, 1e-4},
        {20, 1e-4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(fabs(step->factor(config, rows[i].e, 20) -
                         rows[i].factor) < 1e-12);
    bl_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_follow_both_codes),
        cmocka_unit_test(alphas_follow_the_adaptors),
        cmocka_unit_test(schedules_scale),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
