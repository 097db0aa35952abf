/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_classifier.c: weights whose metadata is hostile are refused before
 * memory is taken for the network they describe.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/model.h"
#include "io/safetensors.h"
#include "support/scratch.h"

/* A first layer of the right shape, its norm, and nothing behind them. */
static float first[16 * 3 * 3], norm[16], variance[16];

static const bl_named_tensor tensors[] = {
    {"conv1.weight", "F32", 4, {16, 1, 3, 3}, first, sizeof first},
    {"bn1.weight", "F32", 1, {16}, norm, sizeof norm},
    {"bn1.bias", "F32", 1, {16}, norm, sizeof norm},
    {"bn1.running_mean", "F32", 1, {16}, norm, sizeof norm},
    {"bn1.running_var", "F32", 1, {16}, variance, sizeof variance}};

enum { TENSORS = sizeof tensors / sizeof *tensors };

/** Opens weights of so many tensors with the given metadata. */
static bl_status open_all_with(int64_t n_tensor, const bl_metadata *metadata,
                               int64_t n)
{
    const bl_compute compute = {.backend = "ref", .precision = "fp32"};
    scratch s;
    bl_classifier *c;
    scratch_make(&s);
    const char *const path = scratch_path(&s, "w.safetensors");
    assert_int_equal(bl_safetensors_write(path, NULL, tensors, n_tensor,
                                          metadata, n), BL_OK);
    const bl_status status = bl_classifier_open(&c, path, &compute);
    if (status == BL_OK) bl_classifier_free(c);
    scratch_remove(&s);
    return status;
}

/** The same of the first alone. */
static bl_status open_with(const bl_metadata *metadata, int64_t n)
{
    return open_all_with(1, metadata, n);
}

enum { MODEL = 0, FORM = 1, CLASSES = 2, INPUT = 3, STD = 5, PAIRS = 6 };

static const bl_metadata good[PAIRS] = {
    {"ballast.model", "resnet20"}, {"ballast.form", "plain"},
    {"ballast.classes", "7"},      {"ballast.input", "6x5x1"},
    {"ballast.mean", "0.317"},     {"ballast.std", "0.253"}};

static void expect(int32_t pair, const char *value, const char *words)
{
    bl_metadata metadata[PAIRS];
    memcpy(metadata, good, sizeof good);
    metadata[pair].value = value;
    assert_int_equal(open_with(metadata, PAIRS), BL_EFORMAT);
    if (!strstr(bl_error_last()->message, words))
        fail_msg("%s: %s", value, bl_error_last()->message);
}

static void sizes_are_those_of_the_tensors(void **state)
{
    (void)state;
    expect(CLASSES, "7", "bn1.weight is missing");
    expect(CLASSES, "100000000", "bn1.weight is missing");
    expect(FORM, "bbn", "bn1.weight is missing");
}

static void numbers_are_numbers(void **state)
{
    (void)state;
    expect(INPUT, "6x5", "ballast.input: \"6x5\", wanted HxWxC");
    expect(INPUT, "6x5x1x1", "ballast.input: \"6x5x1x1\", wanted HxWxC");
    expect(INPUT, "6 5x1", "ballast.input: \"6 5x1\", wanted HxWxC");
    expect(INPUT, "4097x5x1", "wanted HxWxC, at most 4096x4096x16");
    expect(CLASSES, "-7", "ballast.classes: \"-7\", wanted a number above 0");
    expect(CLASSES, "7x", "ballast.classes: \"7x\", wanted a number");
    expect(CLASSES, "", "ballast.classes: \"\", wanted a number");
    expect(FORM, "knot", "ballast.form: \"knot\", wanted a form");
    expect(MODEL, "knot", "ballast.model: \"knot\", wanted a model");
    expect(STD, "0", "not above 0");
    expect(STD, "0.2,0.3", "wanted 1 numbers");
    assert_int_equal(open_with(good, STD), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message, "ballast.std is missing"));
}

/** Writes x in place of a number, and gives what is said of it. */
static void expect_number(float *at, float x, const char *words)
{
    const float before = *at;
    *at = x;
    assert_int_equal(open_all_with(TENSORS, good, PAIRS), BL_EFORMAT);
    if (!strstr(bl_error_last()->message, words))
        fail_msg("%s", bl_error_last()->message);
    *at = before;
}

static void weights_are_finite(void **state)
{
    (void)state;
    expect_number(&first[7], (float)NAN, "conv1.weight: number 7 is nan");
    expect_number(&norm[3], (float)-INFINITY, "bn1.weight: number 3 is -inf");
    expect_number(&variance[15], -0.5f, "bn1.running_var: number 15 is -0.5, "
                  "wanted a finite one, 0 or more");
    expect_number(&norm[0], -1, "layer1.0.conv1.weight is missing");
}

static void a_resume_state_is_told_from_weights(void **state)
{
    (void)state;
    static const bl_metadata counters[] = {{"resume.epoch", "7"}};
    assert_int_equal(open_with(counters, 1), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message, "last.safetensors"));
    assert_int_equal(open_with(NULL, 0), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message,
                           "not weights that Ballast wrote"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_those_of_the_tensors),
        cmocka_unit_test(numbers_are_numbers),
        cmocka_unit_test(weights_are_finite),
        cmocka_unit_test(a_resume_state_is_told_from_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
