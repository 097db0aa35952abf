/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_longtail.c: the reference subsets of CIFAR-LT, by totals, counts,
 * first images and checksum; the step profile; holdouts; measures of
 * imbalance.  The check values come from the reference generator and are
 * independent of pixels.
 */
#include "near.h"

#include <stdlib.h>

#include "ballast/data.h"
#include "support/sets.h"

static bl_split *balanced(int32_t n_class, int64_t n_max)
{
    int64_t n_c[100];
    for (int32_t c = 0; c < n_class; c++) n_c[c] = n_max;
    return sets_split(n_c, n_class);
}

static const struct {
    int32_t n_class;
    double imbalance;
    int64_t total;
    uint32_t crc;
    int64_t head[8], tail[5]; /* ordinals: class 0, last class        */
    int32_t shots[3];         /* many, medium, few; 0 0 0: not listed */
} tables[] = {
    {10, 10, 20431, 0xd2e48caa,
     {398, 3833, 4836, 4572, 636, 2545, 1161, 2230},
     {2204, 3816, 2206, 2507, 1926}, {10, 0, 0}},
    {10, 50, 13996, 0x4098b2a2,
     {398, 3833, 4836, 4572, 636, 2545, 1161, 2230},
     {2204, 3816, 2206, 2507, 1926}, {9, 1, 0}},
    {10, 100, 12406, 0xcf64ba8f,
     {398, 3833, 4836, 4572, 636, 2545, 1161, 2230},
     {2204, 3816, 2206, 2507, 1926}, {8, 2, 0}},
    {100, 10, 19573, 0xecc3650d,
     {90, 254, 283, 445, 461, 15, 316, 489},
     {348, 153, 363, 361, 299}, {69, 31, 0}},
    {100, 50, 12608, 0x04a42e74,
     {90, 254, 283, 445, 461, 15, 316, 489},
     {348, 153, 363, 361, 299}, {41, 41, 18}},
    {100, 100, 10847, 0x021cfafa,
     {90, 254, 283, 445, 461, 15, 316, 489},
     {348, 153, 363, 361, 299}, {35, 35, 30}},
};

static void check_shots(const bl_split *cut, const int32_t *shots)
{
    int64_t n_c[100];
    bl_imbalance found;
    bl_split_counts(cut, n_c);
    assert_int_equal(bl_imbalance_measure(&found, n_c, cut->n_class, NULL),
                     BL_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(found.shots[i], shots[i]);
}

static void test_reference_subsets(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        const int32_t n_class = tables[t].n_class;
        bl_split *split = balanced(n_class, 50000 / n_class), *cut = NULL;
        int64_t *index = NULL, *ordinals = NULL, n = 0;
        assert_int_equal(bl_longtail(&index, &ordinals, &n, split, "exp",
                                     tables[t].imbalance), BL_OK);
        assert_int_equal(n, tables[t].total);
        assert_int_equal(bl_subset_crc32(ordinals, n), tables[t].crc);
        for (int i = 0; i < 8; i++)
            assert_int_equal(ordinals[i], tables[t].head[i]);
        assert_int_equal(bl_split_subset(&cut, split, index, n), BL_OK);
        int64_t last = 0;
        while (cut->labels[last] != n_class - 1) last++;
        for (int i = 0; i < 5; i++)
            assert_int_equal(ordinals[last + i], tables[t].tail[i]);
        /* Classes take turns in the split: position = ordinal C + class. */
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(index[i],
                             ordinals[i] * n_class + cut->labels[i]);
        check_shots(cut, tables[t].shots);
        bl_free(index);
        bl_free(ordinals);
        bl_split_free(cut);
        bl_split_free(split);
    }
}

static const struct {
    const char *profile;
    double imbalance;
    int64_t n_c[10];
} counts[] = {
    {"exp", 10, {5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500}},
    {"exp", 50, {5000, 3237, 2096, 1357, 878, 568, 368, 238, 154, 100}},
    {"exp", 100, {5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50}},
    {"exp", 1, {5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000}},
    {"step", 100, {5000, 5000, 5000, 5000, 5000, 50, 50, 50, 50, 50}},
};

static void test_counts(void **state)
{
    (void)state;
    bl_split *split = balanced(10, 5000);
    for (size_t t = 0; t < sizeof counts / sizeof counts[0]; t++) {
        int64_t *index = NULL, n = 0, n_c[10] = {0};
        assert_int_equal(bl_longtail(&index, NULL, &n, split,
                                     counts[t].profile, counts[t].imbalance),
                         BL_OK);
        for (int64_t i = 0; i < n; i++) n_c[split->labels[index[i]]]++;
        for (int c = 0; c < 10; c++)
            assert_int_equal(n_c[c], counts[t].n_c[c]);
        bl_free(index);
    }
    bl_split_free(split);
}

/* IR 200 on 100 classes truncates the tail to 2 images. */
static void test_other_totals(void **state)
{
    (void)state;
    static const struct {
        int32_t n_class;
        double imbalance;
        int64_t total;
    } rows[] = {{10, 20, 17023}, {100, 20, 15907}, {10, 200, 11203},
                {100, 200, 9502}};
    for (size_t t = 0; t < sizeof rows / sizeof rows[0]; t++) {
        bl_split *split = balanced(rows[t].n_class, 50000 / rows[t].n_class);
        int64_t n = 0;
        assert_int_equal(bl_longtail(NULL, NULL, &n, split, "exp",
                                     rows[t].imbalance), BL_OK);
        assert_int_equal(n, rows[t].total);
        bl_split_free(split);
    }
}

static void test_longtail_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *profile, *said;
        double imbalance;
        int64_t n_c[3];
    } rows[] = {
        {"exp", "imbalance 0.5", 0.5, {30, 30, 30}},
        {"exp", "imbalance inf", HUGE_VAL, {30, 30, 30}},
        {"exp", "imbalance nan", (double)NAN, {30, 30, 30}},
        {"expo", "'expo'", 7, {30, 30, 30}},
        {"exp", "class 2 without an image; a head of 30", 31, {30, 30, 30}},
        {"step", "class 1 without an image", 31, {30, 30, 30}},
        {"exp", "class 0 has 29 images, wanted 30", 3, {29, 30, 31}},
    };
    for (size_t t = 0; t < sizeof rows / sizeof rows[0]; t++) {
        bl_split *split = sets_split(rows[t].n_c, 3);
        int64_t *index = NULL, n = 0;
        assert_int_equal(bl_longtail(&index, NULL, &n, split, rows[t].profile,
                                     rows[t].imbalance), BL_EINVAL);
        bl_split_free(split);
        if (strstr(bl_error_last()->message, rows[t].said) == NULL)
            fail_msg("'%s' lacks '%s'", bl_error_last()->message,
                     rows[t].said);
        assert_null(index);
    }
}

static void test_profiles_are_listed(void **state)
{
    (void)state;
    assert_string_equal(bl_profiles()[0]->name, "exp");
    assert_string_equal(bl_profiles()[1]->name, "step");
    assert_null(bl_profiles()[2]);
    assert_int_equal(bl_profiles()[0]->count(23.7, 0.1, 0, 1), 23);
    assert_int_equal(bl_profiles()[1]->count(23.7, 0.1, 1, 3), 2);
}

/* ---- holdout ------------------------------------------------------------- */

static void test_holdout_parts_the_split(void **state)
{
    (void)state;
    static const int64_t n_c[] = {83, 2, 11, 40}, cut_c[] = {25, 1, 3, 12};
    bl_split *split = sets_split(n_c, 4);
    int64_t *kept = NULL, *cut = NULL, n_kept = 0, n_cut = 0, found[4] = {0};
    assert_int_equal(bl_holdout(&kept, &n_kept, &cut, &n_cut, split, 0.3, 5),
                     BL_OK);
    int *seen = calloc((size_t)split->n, sizeof *seen);
    assert_non_null(seen);
    for (int64_t i = 0; i < n_kept; i++) seen[kept[i]]++;
    for (int64_t i = 0; i < n_cut; i++) {
        seen[cut[i]]++;
        found[split->labels[cut[i]]]++;
        assert_true(i == 0 || cut[i] > cut[i - 1]);
    }
    assert_int_equal(n_kept + n_cut, split->n);
    for (int64_t i = 0; i < split->n; i++) assert_int_equal(seen[i], 1);
    for (int c = 0; c < 4; c++) assert_int_equal(found[c], cut_c[c]);
    free(seen);
    bl_free(kept);
    bl_free(cut);
    bl_split_free(split);
}

static int64_t *cut_of(const bl_split *split, uint64_t seed, int64_t *n)
{
    int64_t *kept = NULL, *cut = NULL, n_kept = 0;
    assert_int_equal(bl_holdout(&kept, &n_kept, &cut, n, split, 0.25, seed),
                     BL_OK);
    bl_free(kept);
    return cut;
}

static void test_holdout_is_keyed_by_seed(void **state)
{
    (void)state;
    static const int64_t n_c[] = {83, 47};
    bl_split *split = sets_split(n_c, 2);
    int64_t n[3], *cut[3];
    for (int i = 0; i < 3; i++)
        cut[i] = cut_of(split, i < 2 ? 11 : 12, &n[i]);
    const size_t bytes = (size_t)n[0] * sizeof *cut[0];
    assert_memory_equal(cut[0], cut[1], bytes);
    assert_memory_not_equal(cut[0], cut[2], bytes);
    for (int i = 0; i < 3; i++) bl_free(cut[i]);
    bl_split_free(split);
}

static void test_holdout_refuses(void **state)
{
    (void)state;
    static const int64_t n_c[] = {7, 1};
    static const double fractions[] = {0, 1, -0.2, (double)NAN, 0.3};
    bl_split *split = sets_split(n_c, 2);
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        int64_t *kept = NULL, *cut = NULL, n_kept, n_cut;
        assert_int_equal(bl_holdout(&kept, &n_kept, &cut, &n_cut, split,
                                    fractions[i], 1), BL_EINVAL);
        assert_null(kept);
    }
    assert_non_null(strstr(bl_error_last()->message, "class 1 has one image"));
    bl_split_free(split);
}

/* ---- measures ------------------------------------------------------------ */

static void test_shots(void **state)
{
    (void)state;
    assert_string_equal(bl_shot_name(bl_shot_of(101, NULL)), "many");
    assert_string_equal(bl_shot_name(bl_shot_of(100, NULL)), "medium");
    assert_string_equal(bl_shot_name(bl_shot_of(20, NULL)), "medium");
    assert_string_equal(bl_shot_name(bl_shot_of(19, NULL)), "few");
    const bl_shot_limits other = {.many_above = 30, .few_below = 31};
    assert_string_equal(bl_shot_name(bl_shot_of(31, &other)), "many");
    assert_string_equal(bl_shot_name(bl_shot_of(30, &other)), "few");
}

static void limits_of_shots_reach_the_measures(void **state)
{
    (void)state;
    static const int64_t n_c[] = {50, 20, 5};
    static const bl_shot_limits own = {.many_above = 19, .few_below = 6};
    static const bl_shot_limits both = {.many_above = 19, .few_below = 21};
    bl_imbalance m;
    assert_int_equal(bl_imbalance_measure(&m, n_c, 3, &own), BL_OK);
    assert_int_equal(m.shots[0], 2);
    assert_int_equal(m.shots[1], 0);
    assert_int_equal(m.shots[2], 1);
    assert_int_equal(bl_imbalance_measure(&m, n_c, 3, &both), BL_EINVAL);
}

/* By hand: counts 1 0 2 5, N = 8.  Gini: sorted 0 1 2 5,
 * 2 (1*0 + 2*1 + 3*2 + 4*5) / (4*8) - 5/4 = 56/32 - 40/32 = 0.5.
 * H = ln 8 - (1 ln 1 + 2 ln 2 + 5 ln 5) / 8. */
static void test_measures(void **state)
{
    (void)state;
    static const int64_t n_c[] = {1, 0, 2, 5}, even[] = {7, 7, 7};
    const double h = log(8) - (2 * log(2) + 5 * log(5)) / 8;
    bl_imbalance m;
    assert_int_equal(bl_imbalance_measure(&m, n_c, 4, NULL), BL_OK);
    assert_int_equal(m.total, 8);
    assert_int_equal(m.n_max, 5);
    assert_int_equal(m.n_min, 1);
    assert_int_equal(m.n_empty, 1);
    assert_near(m.factor, 5, 0);
    assert_near(m.gini, 0.5, 1e-15);
    assert_near(m.entropy, h / log(4), 1e-15);
    assert_near(m.effective_number, exp(h), 1e-14);
    assert_int_equal(bl_imbalance_measure(&m, even, 3, NULL), BL_OK);
    assert_near(m.gini, 0, 1e-15);
    assert_near(m.entropy, 1, 1e-15);
    assert_near(m.effective_number, 3, 1e-14);
}

static void test_measures_refuse(void **state)
{
    (void)state;
    static const int64_t zero[] = {0, 0}, negative[] = {3, -1},
                         huge[] = {INT64_MAX, 1};
    bl_imbalance m;
    assert_int_equal(bl_imbalance_measure(&m, zero, 2, NULL), BL_EINVAL);
    assert_int_equal(bl_imbalance_measure(&m, negative, 2, NULL), BL_EINVAL);
    assert_int_equal(bl_imbalance_measure(&m, huge, 2, NULL), BL_EINVAL);
    assert_int_equal(bl_imbalance_measure(&m, zero, 0, NULL), BL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_subsets),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_other_totals),
        cmocka_unit_test(test_longtail_refuses),
        cmocka_unit_test(test_profiles_are_listed),
        cmocka_unit_test(test_holdout_parts_the_split),
        cmocka_unit_test(test_holdout_is_keyed_by_seed),
        cmocka_unit_test(test_holdout_refuses),
        cmocka_unit_test(test_shots),
        cmocka_unit_test(limits_of_shots_reach_the_measures),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_measures_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
