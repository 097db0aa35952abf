/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mix.c: means and frequencies of what mixing draws, with fixed seeds.
 *
 * A mean of n draws is allowed 4 of its standard deviations, a table of
 * frequencies the 0.9999 quantile of chi-square: a right draw fails for about
 * one seed in ten thousand, and these seeds are not such.
 */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#include "mix/mix.h"

enum { DRAWS = 40000, H = 24, W = 32, CLASSES = 5 };

static const int64_t counts[CLASSES] = {3100, 700, 310, 90, 11};

static bl_mix_spec spec_of(const char *name, double alpha)
{
    return (bl_mix_spec){.type = bl_mix_find(name), .alpha = alpha,
                         .kappa = 3, .tau = .5, .probability = 1,
                         .layer = BL_MIX_RANDOM, .epochs = 300,
                         .train_n = counts, .n_class = CLASSES, .h = H,
                         .w = W, .c = 3, .seed = 909};
}

/* found [n] are alike frequent. */
static void check_alike(const int64_t *found, int n, int64_t total)
{
    const double want = (double)total / n, k = 2.0 / (9.0 * (n - 1));
    const double bound = (n - 1) * pow(1 - k + 3.719 * sqrt(k), 3);
    double chi = 0;
    for (int i = 0; i < n; i++)
        chi += ((double)found[i] - want) * ((double)found[i] - want) / want;
    if (!(chi <= bound))
        fail_msg("chi-square %g of %d cells, wanted at most %g", chi, n,
                 bound);
}

/* Beta(a, a): mean 1 / 2, variance 1 / (4 (2 a + 1)). */
static void test_lambda(void **state)
{
    (void)state;
    static const char *const names[] = {"mixup", "remix", "manifold",
                                        "manifold-two"};
    static const double alphas[] = {.2, 1, 2, .5};
    for (int t = 0; t < 4; t++) {
        const bl_mix_spec spec = spec_of(names[t], alphas[t]);
        const double variance = 1 / (4 * (2 * alphas[t] + 1));
        double sum = 0, squares = 0, fourth = 0;
        for (int64_t i = 0; i < DRAWS; i++) {
            const double d =
                bl_mix_draw_at(&spec, 7, i, 3, NULL).lambda - .5;
            sum += d;
            squares += d * d;
            fourth += d * d * d * d;
        }
        assert_near(sum / DRAWS, 0, 4 * sqrt(variance / DRAWS));
        assert_near(squares / DRAWS, variance,
                    4 * sqrt((fourth / DRAWS - variance * variance) / DRAWS));
    }
}

static void test_share_of_batches(void **state)
{
    (void)state;
    static const double shares[] = {.03, .5, .8};
    for (int t = 0; t < 3; t++) {
        bl_mix_spec spec = spec_of("mixup", 1);
        int64_t mixed = 0;
        spec.probability = shares[t];
        for (int64_t i = 0; i < DRAWS; i++)
            mixed += bl_mix_draw_at(&spec, 7, i, 3, NULL).mixed;
        assert_near((double)mixed / DRAWS, shares[t],
                    4 * sqrt(shares[t] * (1 - shares[t]) / DRAWS));
    }
}

static void test_locations(void **state)
{
    (void)state;
    const bl_mix_spec spec = spec_of("manifold", 1);
    int64_t found[3] = {0};
    for (int64_t i = 0; i < DRAWS; i++)
        found[bl_mix_draw_at(&spec, 7, i, 3, NULL).location]++;
    check_alike(found, 3, DRAWS);
}

/* Mean over centres of the length of 2 half px within extent. */
static double mean_length(int extent, int half)
{
    double sum = 0;
    for (int centre = 0; centre < extent; centre++)
        for (int i = centre - half; i < centre + half; i++)
            sum += i >= 0 && i < extent;
    return sum / extent;
}

/* For alpha = 1, where l is uniform, the mean area is an integral over l. */
static void test_area(void **state)
{
    (void)state;
    enum { POINTS = 20000 };
    const bl_mix_spec spec = spec_of("cmo", 1);
    double want = 0, sum = 0, squares = 0;
    for (int i = 0; i < POINTS; i++) {
        const double side = sqrt(1 - (i + .5) / POINTS);
        want += mean_length(H, (int)(H * side) / 2) *
                mean_length(W, (int)(W * side) / 2) / POINTS;
    }
    for (int64_t i = 0; i < DRAWS; i++) {
        const bl_mix_draw draw = bl_mix_draw_at(&spec, 7, i, 3, NULL);
        const double area = draw.mixed ? draw.box.height * draw.box.width : 0;
        assert_near(draw.lambda, 1 - area / (H * W), 1e-15);
        sum += area;
        squares += area * area;
    }
    const double mean = sum / DRAWS;
    assert_near(mean, want,
                4 * sqrt((squares / DRAWS - mean * mean) / DRAWS));
}

/* All 24 orders of four images are met alike over steps. */
static void test_orders(void **state)
{
    (void)state;
    const bl_mix_spec spec = spec_of("mixup", 1);
    int64_t found[24] = {0};
    for (int64_t step = 0; step < DRAWS; step++) {
        int32_t perm[4];
        int rank = 0; /* Lehmer code */
        (void)bl_mix_draw_at(&spec, 2, step, 4, perm);
        for (int i = 0; i < 4; i++) {
            int smaller = 0;
            for (int j = i + 1; j < 4; j++) smaller += perm[j] < perm[i];
            rank = rank * (4 - i) + smaller;
        }
        found[rank]++;
    }
    check_alike(found, 24, DRAWS);
}

/* One batch: partners are a permutation, weights a split of one. */
static void check_batch(const bl_mix_spec *spec, int64_t epoch, int64_t step,
                        int64_t n)
{
    int32_t perm[129], y[2 * 129], seen[129] = {0};
    double weight[2 * 129];
    const bool partners = spec->type->parts == 1;
    const bl_mix_draw draw = bl_mix_draw_at(spec, epoch, step, n,
                                            partners ? perm : NULL);
    bl_rng rng = bl_rng_at(4, BL_PURPOSE_TEST, (uint32_t)epoch,
                           (uint64_t)step);
    for (int64_t i = 0; i < 2 * n; i++)
        y[i] = (int32_t)bl_rng_below(&rng, CLASSES);
    bl_mix_labels(y, weight, partners ? perm : NULL, n, spec, &draw);
    for (int64_t i = 0; i < n; i++) {
        assert_true(weight[i] >= 0 && weight[i] <= 1);
        assert_near(weight[i] + weight[n + i], 1, 1e-15);
        if (!partners) continue;
        assert_true(perm[i] >= 0 && perm[i] < n);
        assert_int_equal(seen[perm[i]]++, 0);
        assert_int_equal(y[n + i], y[perm[i]]);
    }
}

static void test_weights_and_partners(void **state)
{
    (void)state;
    for (int64_t t = 0; bl_mix_types()[t] != NULL; t++) {
        bl_mix_spec spec = spec_of(bl_mix_types()[t]->name, .3);
        spec.probability = .7;
        spec.skip_first = 1;
        for (int64_t step = 0; step < 1200; step++)
            check_batch(&spec, 1 + step % 4, step, 1 + step % 129);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lambda),
        cmocka_unit_test(test_share_of_batches),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_area),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_weights_and_partners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
