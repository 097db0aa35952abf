/* SPDX-License-Identifier: Apache-2.0 */
/* Errors from logits, worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/eval.h"
#include "core/jsonread.h"

/* Five classes: two many, one medium, two few. */
static const int64_t train_n[5] = {500, 101, 100, 19, 0};

/* 7 images; predictions 0 0 1 4 2 2 3, labels 0 1 1 1 2 3 3. */
static const float z[7][5] = {
    {3.125F, 0.25F, -7.5F, 3.0F, 1.0F},
    {0.5F, 0.25F, 0.125F, 0.0F, -9.0F},
    {-4.0F, -0.03F, -0.04F, -1.0F, -2.0F},
    {-4.0F, -3.0F, -2.5F, -1.0F, -0.5F},
    {0.0F, 1.0F, 2.75F, 1.5F, 2.5F},
    {-1.0F, -1.0F, 0.0F, -0.5F, -1.0F},
    {0.125F, 0.25F, 0.5F, 0.75F, 0.625F},
};
static const int32_t labels[7] = {0, 1, 1, 1, 2, 3, 3};

static bl_evaluation *evaluate(int64_t n)
{
    bl_evaluation *e = NULL;
    assert_int_equal(bl_evaluate(&e, &z[0][0], labels, n, train_n, 5, NULL),
                     BL_OK);
    return e;
}

static void counts_by_class_and_shot(void **state)
{
    (void)state;
    static const int64_t class_n[5] = {1, 3, 1, 2, 0};
    bl_evaluation *const e = evaluate(7);
    assert_int_equal(e->n, 7);
    assert_int_equal(e->n_class, 5);
    assert_true(e->error == 3.0 / 7.0);
    assert_memory_equal(e->class_n, class_n, sizeof class_n);
    assert_memory_equal(e->train_n, train_n, sizeof train_n);
    assert_true(e->class_error[0] == 0.0);
    assert_true(e->class_error[1] == 2.0 / 3.0);
    assert_true(e->class_error[2] == 0.0);
    assert_true(e->class_error[3] == 0.5);
    assert_true(isnan(e->class_error[4]));
    /* Over classes: many (0 + 2/3) / 2, though 2 of 4 images are wrong. */
    assert_true(e->shot_error[0] == (2.0 / 3.0) / 2);
    assert_true(e->shot_error[1] == 0.0);
    assert_true(e->shot_error[2] == 0.5); /* class 4 has no test image */
    assert_int_equal(e->shot_classes[0], 2);
    assert_int_equal(e->shot_classes[1], 1);
    assert_int_equal(e->shot_classes[2], 1);
    bl_evaluation_free(e);
}

static void sums_up_classes(void **state)
{
    (void)state;
    static const int64_t confusion[5][5] = {
        {1, 0, 0, 0, 0}, {1, 1, 0, 0, 1}, {0, 0, 1, 0, 0}, {0, 0, 1, 1, 0}};
    bl_evaluation *const e = evaluate(7);
    assert_memory_equal(e->confusion, confusion, sizeof confusion);
    assert_true(e->balanced_error == (0 + 2.0 / 3.0 + 0 + 0.5) / 4);
    assert_int_equal(e->worst_class, 1);
    bl_evaluation_free(e);
}

/* The first of two that are equally bad, though it has fewer images. */
static void first_of_the_worst(void **state)
{
    (void)state;
    static const float logits[3][3] = {{0, 1, 0}, {0, 1, 0}, {2, 0, 1}};
    static const int32_t wrong[3] = {2, 1, 2}, all[3] = {0, 2, 2};
    static const int64_t counts[3] = {30, 30, 30};
    bl_evaluation *e = NULL;
    assert_int_equal(bl_evaluate(&e, &logits[0][0], wrong, 3, counts, 3, NULL),
                     BL_OK);
    assert_int_equal(e->worst_class, 2);
    bl_evaluation_free(e);
    assert_int_equal(bl_evaluate(&e, &logits[0][0], all, 3, counts, 3, NULL),
                     BL_OK);
    assert_int_equal(e->worst_class, 0);
    bl_evaluation_free(e);
}

/* The limits themselves are medium, whatever they are. */
static void limits_of_shots_are_medium(void **state)
{
    (void)state;
    static const struct {
        int64_t many_above, few_below;
        int32_t n[3];
    } rows[] = {
        {100, 20, {2, 1, 1}}, {101, 19, {1, 3, 0}}, {101, 100, {1, 2, 1}},
        {101, 101, {1, 1, 2}}, {100, 101, {2, 0, 2}}, {0, 0, {4, 0, 0}},
        {500, 0, {0, 4, 0}}, {499, 500, {1, 0, 3}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bl_shot_limits limits = {rows[i].many_above, rows[i].few_below};
        bl_evaluation *e = NULL;
        assert_int_equal(bl_evaluate(&e, &z[0][0], labels, 7, train_n, 5,
                                     &limits), BL_OK);
        assert_memory_equal(e->shot_classes, rows[i].n, sizeof rows[i].n);
        assert_int_equal(e->limits.many_above, rows[i].many_above);
        assert_int_equal(e->limits.few_below, rows[i].few_below);
        bl_evaluation_free(e);
    }
}

static void refuses_limits(void **state)
{
    (void)state;
    static const bl_shot_limits rows[] = {{-1, 0}, {0, -1}, {100, 102}};
    bl_evaluation *e = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(bl_evaluate(&e, &z[0][0], labels, 7, train_n, 5,
                                     &rows[i]), BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "few-below: 102, wanted at most 101, one more than "
                        "many-above");
    assert_null(e);
}

/* A matrix for 2048 classes is kept, for one more it is not. */
static void keeps_no_confusion_of_many_classes(void **state)
{
    (void)state;
    static float row[BL_CONFUSION_CLASSES + 1];
    static int64_t counts[BL_CONFUSION_CLASSES + 1];
    static const int32_t label[1] = {7};
    for (int32_t extra = 0; extra < 2; extra++) {
        bl_evaluation *e = NULL;
        assert_int_equal(bl_evaluate(&e, row, label, 1, counts,
                                     BL_CONFUSION_CLASSES + extra, NULL),
                         BL_OK);
        assert_int_equal(e->confusion == NULL, extra);
        if (e->confusion != NULL)
            assert_int_equal(e->confusion[7 * BL_CONFUSION_CLASSES], 1);
        bl_evaluation_free(e);
    }
}

static void has_no_error_without_images(void **state)
{
    (void)state;
    bl_evaluation *e = evaluate(0);
    assert_true(isnan(e->error));
    assert_true(isnan(e->class_error[0]));
    assert_true(isnan(e->balanced_error));
    assert_true(isnan(e->ece));
    assert_true(isnan(e->nll));
    assert_int_equal(e->worst_class, -1);
    for (int i = 0; i < 3; i++) {
        assert_true(isnan(e->shot_error[i]));
        assert_int_equal(e->shot_classes[i], 0);
    }
    bl_evaluation_free(e);
    e = evaluate(1);
    assert_true(e->error == 0.0);
    assert_true(isnan(e->shot_error[1]));
    bl_evaluation_free(e);
}

/* Equal logits, infinite ones too: the lowest index wins. */
static void lowest_index_wins_a_tie(void **state)
{
    (void)state;
    static const float ties[4][3] = {
        {1.5F, 1.5F, 1.5F},
        {-2.0F, 0.25F, 0.25F},
        {-INFINITY, -INFINITY, -INFINITY},
        {3.0F, INFINITY, INFINITY},
    };
    static const int32_t first[4] = {0, 1, 0, 1}, last[4] = {2, 2, 2, 2};
    static const int64_t counts[3] = {30, 30, 30};
    bl_evaluation *e = NULL;
    assert_int_equal(bl_evaluate(&e, &ties[0][0], first, 4, counts, 3, NULL),
                     BL_OK);
    assert_true(e->error == 0.0);
    bl_evaluation_free(e);
    assert_int_equal(bl_evaluate(&e, &ties[0][0], last, 4, counts, 3, NULL),
                     BL_OK);
    assert_true(e->error == 1.0);
    bl_evaluation_free(e);
}

/* A NaN in any place, one that a comparison would skip too. */
static void names_the_image_of_a_nan(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 7 * 5; i++) {
        char image[32];
        float bad[7][5];
        bl_evaluation *e = NULL;
        memcpy(bad, z, sizeof z);
        (&bad[0][0])[i] = NAN;
        assert_int_equal(bl_evaluate(&e, &bad[0][0], labels, 7, train_n, 5,
                                     NULL), BL_ENUMERIC);
        assert_null(e);
        (void)snprintf(image, sizeof image, "image %d: ", (int)(i / 5));
        assert_non_null(strstr(bl_error_last()->message, image));
    }
}

static void refuses_bad_input(void **state)
{
    (void)state;
    static const int32_t high[1] = {5}, low[1] = {-1};
    static const int64_t negative[5] = {3, 2, -1, 4, 5};
    bl_evaluation *e = NULL;
    assert_int_equal(bl_evaluate(&e, &z[0][0], high, 1, train_n, 5, NULL),
                     BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message,
                           "image 0: label 5 is not in [0, 4]"));
    assert_int_equal(bl_evaluate(&e, &z[0][0], low, 1, train_n, 5, NULL),
                     BL_EINVAL);
    assert_int_equal(bl_evaluate(&e, &z[0][0], labels, 7, negative, 5, NULL),
                     BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "class 2 has -1"));
    assert_int_equal(bl_evaluate(&e, &z[0][0], labels, -1, train_n, 5, NULL),
                     BL_EINVAL);
    assert_int_equal(bl_evaluate(&e, &z[0][0], labels, 1, train_n, 0, NULL),
                     BL_EINVAL);
    assert_null(e);
    bl_evaluation_free(NULL);
}

/* Compares with wanted; the members that end it are its own. */
static void assert_json(const bl_evaluation *e, const char *wanted)
{
    static const char *const names[5] = {"cat", "dog", "owl", "elk", "\"gnu\""};
    bl_json *json = NULL;
    const char *text = NULL;
    assert_int_equal(bl_json_create(&json, 0), BL_OK);
    bl_json_object(json, NULL);
    bl_evaluation_json(e, names, json);
    bl_json_close(json);
    assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
    assert_string_equal(text, wanted);
    bl_json_free(json);
}

static void writes_json(void **state)
{
    (void)state;
    bl_evaluation *const e = evaluate(7);
    e->nll = (double)INFINITY; /* JSON has none */
    e->ece = 0.125;
    for (int k = 0; k < BL_RELIABILITY_BINS; k++)
        e->bins[k] = (bl_reliability_bin){k, 0.25 * k, (double)NAN};
    assert_json(e,
        "{\"shot\":{\"many\":0.3333333333333333,\"medium\":0,\"few\":0.5},"
        "\"shot_limits\":{\"many_above\":100,\"few_below\":20},"
        "\"per_class\":["
        "{\"name\":\"cat\",\"train_count\":500,\"error\":0},"
        "{\"name\":\"dog\",\"train_count\":101,\"error\":0.6666666666666666},"
        "{\"name\":\"owl\",\"train_count\":100,\"error\":0},"
        "{\"name\":\"elk\",\"train_count\":19,\"error\":0.5},"
        "{\"name\":\"\\\"gnu\\\"\",\"train_count\":0,\"error\":null}],"
        "\"balanced_error\":0.29166666666666663,"
        "\"worst_class\":{\"name\":\"dog\",\"error\":0.6666666666666666},"
        "\"nll\":null,\"ece\":0.125,\"reliability\":["
        "{\"confidence\":0,\"accuracy\":null,\"count\":0},"
        "{\"confidence\":0.25,\"accuracy\":null,\"count\":1},"
        "{\"confidence\":0.5,\"accuracy\":null,\"count\":2},"
        "{\"confidence\":0.75,\"accuracy\":null,\"count\":3},"
        "{\"confidence\":1,\"accuracy\":null,\"count\":4},"
        "{\"confidence\":1.25,\"accuracy\":null,\"count\":5},"
        "{\"confidence\":1.5,\"accuracy\":null,\"count\":6},"
        "{\"confidence\":1.75,\"accuracy\":null,\"count\":7},"
        "{\"confidence\":2,\"accuracy\":null,\"count\":8},"
        "{\"confidence\":2.25,\"accuracy\":null,\"count\":9},"
        "{\"confidence\":2.5,\"accuracy\":null,\"count\":10},"
        "{\"confidence\":2.75,\"accuracy\":null,\"count\":11},"
        "{\"confidence\":3,\"accuracy\":null,\"count\":12},"
        "{\"confidence\":3.25,\"accuracy\":null,\"count\":13},"
        "{\"confidence\":3.5,\"accuracy\":null,\"count\":14}],"
        "\"confusion\":[[1,0,0,0,0],[1,1,0,0,1],[0,0,1,0,0],[0,0,1,1,0],"
        "[0,0,0,0,0]]}");
    bl_evaluation_free(e);
}

static void writes_json_of_nothing(void **state)
{
    (void)state;
    assert_json(NULL,
        "{\"shot\":{\"many\":null,\"medium\":null,\"few\":null},"
        "\"shot_limits\":{},\"per_class\":[],\"balanced_error\":null,"
        "\"worst_class\":null,\"nll\":null,\"ece\":null,"
        "\"reliability\":[]}");
}

/* 100 classes are written, 101 are not. */
static void writes_no_large_confusion(void **state)
{
    (void)state;
    static const float row[BL_CONFUSION_WRITTEN + 1];
    static const int64_t counts[BL_CONFUSION_WRITTEN + 1];
    static const int32_t label[1] = {0};
    const char *names[BL_CONFUSION_WRITTEN + 1], *text = NULL;
    for (int i = 0; i <= BL_CONFUSION_WRITTEN; i++) names[i] = "x";
    for (int32_t extra = 0; extra < 2; extra++) {
        bl_evaluation *e = NULL;
        bl_json *json = NULL;
        assert_int_equal(bl_evaluate(&e, row, label, 1, counts,
                                     BL_CONFUSION_WRITTEN + extra, NULL),
                         BL_OK);
        assert_int_equal(bl_json_create(&json, 1), BL_OK);
        bl_json_object(json, NULL);
        bl_evaluation_json(e, names, json);
        bl_json_close(json);
        assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
        assert_int_equal(strstr(text, "\"confusion\"") == NULL, extra);
        bl_json_free(json);
        bl_evaluation_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_class_and_shot),
        cmocka_unit_test(sums_up_classes),
        cmocka_unit_test(first_of_the_worst),
        cmocka_unit_test(limits_of_shots_are_medium),
        cmocka_unit_test(refuses_limits),
        cmocka_unit_test(keeps_no_confusion_of_many_classes),
        cmocka_unit_test(has_no_error_without_images),
        cmocka_unit_test(lowest_index_wins_a_tie),
        cmocka_unit_test(names_the_image_of_a_nan),
        cmocka_unit_test(refuses_bad_input),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(writes_json_of_nothing),
        cmocka_unit_test(writes_no_large_confusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
