/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sampler.c: frequencies of classes, of images within a class, of
 * permutations and of crops, by Pearson's chi-square with fixed seeds.
 *
 * A bound is the 0.9999 quantile of chi-square for its degrees of freedom
 * (Wilson and Hilferty's approximation), so a right sampler fails for one seed
 * in ten thousand, and these seeds are not such.
 */
#include "near.h"

#include "ballast/sampler.h"
#include "data/augment.h"
#include "support/sets.h"

enum { DRAWS = 100000 };

static double bound(int degrees)
{
    const double k = 2.0 / (9.0 * degrees);
    return degrees * pow(1 - k + 3.719 * sqrt(k), 3);
}

/* found [n] against expected shares p [n]; p NULL: all alike. */
static void check(const int64_t *found, const double *p, int n, int64_t total)
{
    double chi = 0;
    for (int i = 0; i < n; i++) {
        const double want = (double)total * (p != NULL ? p[i] : 1.0 / n);
        chi += ((double)found[i] - want) * ((double)found[i] - want) / want;
    }
    if (!(chi <= bound(n - 1)))
        fail_msg("chi-square %g of %d cells, wanted at most %g", chi, n,
                 bound(n - 1));
}

static void draw(const char *name, const bl_split *split, int64_t *by_class,
                 int64_t *by_image, double *p)
{
    bl_sampler *s = NULL;
    assert_int_equal(bl_sampler_create(&s, bl_sampler_find(name),
                                       split->labels, split->n,
                                       split->n_class, 20201, 1), BL_OK);
    bl_sampler_span(s, 0, 8);
    bl_sampler_begin(s, 3);
    bl_sampler_class_p(s, p);
    for (int64_t i = 0; i < DRAWS; i++) {
        const int64_t at = bl_sampler_at(s, i);
        by_class[split->labels[at]]++;
        by_image[at]++;
    }
    bl_sampler_free(s);
}

static void test_class_frequencies(void **state)
{
    (void)state;
    static const int64_t n_c[] = {61, 2, 29, 3, 13, 2, 7};
    static const char *const names[] = {"uniform", "balanced", "reversed",
                                        "sqrt", "progressive"};
    bl_split *split = sets_split(n_c, 7);
    for (int t = 0; t < 5; t++) {
        int64_t by_class[7] = {0}, by_image[117] = {0};
        double p[7], p_image[117];
        draw(names[t], split, by_class, by_image, p);
        check(by_class, p, 7, DRAWS);
        for (int i = 0; i < 117; i++)
            p_image[i] = p[split->labels[i]] / (double)n_c[split->labels[i]];
        check(by_image, p_image, 117, DRAWS);
    }
    bl_split_free(split);
}

/* All 24 orders of four images are met alike over epochs. */
static void test_permutations(void **state)
{
    (void)state;
    static const int32_t labels[] = {0, 0, 1, 1};
    int64_t found[24] = {0};
    bl_sampler *s = NULL;
    assert_int_equal(bl_sampler_create(&s, bl_sampler_find("permutation"),
                                       labels, 4, 2, 77, 0), BL_OK);
    for (uint32_t e = 1; e <= 24000; e++) {
        int rank = 0; /* Lehmer code */
        bl_sampler_begin(s, e);
        for (int i = 0; i < 4; i++) {
            int smaller = 0;
            for (int j = i + 1; j < 4; j++)
                smaller += bl_sampler_at(s, j) < bl_sampler_at(s, i);
            rank = rank * (4 - i) + smaller;
        }
        found[rank]++;
    }
    check(found, NULL, 24, 24000);
    bl_sampler_free(s);
}

/* All 9 x 9 x 2 crops of pad 4 are met alike. */
static void test_crops(void **state)
{
    (void)state;
    int64_t found[162] = {0};
    for (uint64_t i = 0; i < 81000; i++) {
        bl_rng rng = bl_rng_at(5, BL_PURPOSE_AUGMENT, 2, i);
        const bl_crop crop = bl_crop_draw(&rng, 4, 1);
        found[(crop.top * 9 + crop.left) * 2 + crop.mirrored]++;
    }
    check(found, NULL, 162, 81000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_frequencies),
        cmocka_unit_test(test_permutations),
        cmocka_unit_test(test_crops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
