/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image operations and AutoAugment's sub-policies against Pillow, byte for
 * byte: the pictures and values of data/imageops.safetensors, made by
 * tools/golden/imageops.py.
 */
#include "near.h"

#include <stdio.h>
#include <string.h>

#include "ballast/status.h"
#include "data/autoaugment.h"
#include "data/imageops.h"
#include "io/safetensors.h"

static const struct {
    const char *name;
    bl_image_op *apply;
} ops[] = {
    {"shear_x", bl_image_shear_x},
    {"shear_y", bl_image_shear_y},
    {"translate_x", bl_image_translate_x},
    {"translate_y", bl_image_translate_y},
    {"rotate", bl_image_rotate},
    {"color", bl_image_color},
    {"contrast", bl_image_contrast},
    {"brightness", bl_image_brightness},
    {"sharpness", bl_image_sharpness},
    {"posterize", bl_image_posterize},
    {"solarize", bl_image_solarize},
    {"autocontrast", bl_image_autocontrast},
    {"equalize", bl_image_equalize},
    {"invert", bl_image_invert},
};
enum { OPS = sizeof ops / sizeof *ops, MOST = 32 * 32 * 3, PICTURES = 7 };

static bl_safetensors *file_open(void)
{
    bl_safetensors *file = NULL;
    if (bl_safetensors_open(
            &file, BL_TEST_FILES "/golden/data/imageops.safetensors") < 0)
        fail_msg("%s", bl_error_last()->message);
    return file;
}

static const bl_named_tensor *tensor(const bl_safetensors *file,
                                     const char *owner, const char *what,
                                     const char *dtype, int rank)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s.%s", owner, what);
    const bl_named_tensor *const t = bl_safetensors_find(file, name);
    if (t == NULL) fail_msg("%s is missing", name);
    assert_string_equal(t->dtype, dtype);
    assert_int_equal(t->rank, rank);
    return t;
}

/* Every value of one operation on one picture. */
static void check(const bl_safetensors *file, const char *picture, size_t op)
{
    const bl_named_tensor *const in = tensor(file, picture, "in", "U8", 3);
    const bl_named_tensor *const want =
        tensor(file, picture, ops[op].name, "U8", 4);
    const bl_named_tensor *const values =
        tensor(file, ops[op].name, "values", "F64", 1);
    const bl_image_size size = {(int32_t)in->shape[0], (int32_t)in->shape[1],
                                (int32_t)in->shape[2]};
    assert_in_range(in->bytes, 1, MOST);
    assert_int_equal(want->shape[0], values->shape[0]);
    assert_int_equal(want->bytes, in->bytes * (size_t)values->shape[0]);
    for (int64_t i = 0; i < values->shape[0]; i++) {
        uint8_t found[MOST + 1];
        double value;
        memcpy(&value, (const char *)values->data + 8 * i, sizeof value);
        found[in->bytes] = 0xa5;
        ops[op].apply(found, in->data, size, value);
        assert_int_equal(found[in->bytes], 0xa5);
        const uint8_t *const w =
            (const uint8_t *)want->data + (size_t)i * in->bytes;
        for (size_t at = 0; at < in->bytes; at++)
            if (found[at] != w[at])
                fail_msg("%s of %s at %g: byte %d is %d, wanted %d",
                         ops[op].name, picture, value, (int)at, found[at],
                         w[at]);
    }
}

static void test_operations(void **state)
{
    (void)state;
    bl_safetensors *file = file_open();
    const char *at = bl_safetensors_meta(file, "golden.pictures");
    int pictures = 0;
    assert_non_null(at);
    for (; *at != '\0'; pictures++) {
        char picture[32];
        const size_t length = strcspn(at, ",");
        assert_in_range(length, 1, sizeof picture - 1);
        memcpy(picture, at, length);
        picture[length] = '\0';
        for (size_t op = 0; op < OPS; op++) check(file, picture, op);
        at += length + (at[length] == ',');
    }
    assert_int_equal(pictures, PICTURES);
    bl_safetensors_free(file);
}

/* Both steps of each sub-policy, with both signs. */
static void test_policies(void **state)
{
    (void)state;
    bl_safetensors *file = file_open();
    const bl_named_tensor *const in = tensor(file, "policy", "in", "U8", 3);
    const bl_named_tensor *const want = tensor(file, "policy", "out", "U8", 5);
    const bl_named_tensor *const p = tensor(file, "policy", "p", "F64", 2);
    const bl_image_size size = {(int32_t)in->shape[0], (int32_t)in->shape[1],
                                (int32_t)in->shape[2]};
    assert_in_range(in->bytes, 1, MOST);
    assert_int_equal(want->bytes, 2 * BL_AUTOAUGMENT_POLICIES * in->bytes);
    assert_int_equal(p->bytes, 2 * BL_AUTOAUGMENT_POLICIES * sizeof(double));
    for (int32_t i = 0; i < 2 * BL_AUTOAUGMENT_POLICIES; i++) {
        uint8_t found[MOST], scratch[MOST];
        double probability;
        const bl_autoaugment draw = {i / 2, {1, 1}, {i % 2, i % 2}};
        bl_autoaugment_apply(found, in->data, scratch, size, &draw);
        if (memcmp(found, (const char *)want->data + (size_t)i * in->bytes,
                   in->bytes) != 0)
            fail_msg("sub-policy %d, sign %c", i / 2, i % 2 ? '-' : '+');
        memcpy(&probability, (const char *)p->data + 8 * i, 8);
        assert_near(bl_autoaugment_policies[i / 2][i % 2].probability,
                    probability, 0);
    }
    bl_safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
