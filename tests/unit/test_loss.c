/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loss.c: class weights, margins, priors and smoothing, against numbers
 * worked out for CIFAR-10 cut to 100 : 1, to the digits they are printed
 * with, and at the edges: beta near 1 and at 0, classes of one image and of
 * none, classes that are all alike.
 */
#include <stdlib.h>
#include <string.h>

#include "ballast/ballast.h"
#include "loss/loss.h"
#include "near.h"

enum { C = 10 };

/** CIFAR-10 at imbalance 100. */
static const int64_t tail[C] = {5000, 2997, 1796, 1077, 645,
                                387,  232,  139,  83,   50};

static void ok(bl_status status)
{
    if (status < 0) fail_msg("%s", bl_error_last()->message);
}

/** Equal to the five digits behind the point that were printed. */
static void printed(const double *found, const double *wanted, int32_t n)
{
    for (int32_t j = 0; j < n; j++) assert_near(found[j], wanted[j], 5.1e-6);
}

static double sum(const double *x, int32_t n)
{
    double total = 0;
    for (int32_t j = 0; j < n; j++) total += x[j];
    return total;
}

/** Terms of the loss that "key=value" settings [NULL-terminated] ask for. */
static bl_loss_terms *terms_of(const char *const *settings, const int64_t *n,
                               int32_t c, bool weighted)
{
    bl_config *config;
    bl_loss_terms *terms;
    ok(bl_train_config(&config));
    for (int32_t i = 0; settings[i]; i++)
        ok(bl_config_assign(config, settings[i], BL_ORIGIN_OPTION));
    const bl_loss_setting with = {.config = config, .n = n, .c = c};
    ok(bl_loss_terms_make(&terms, &with, weighted));
    bl_config_free(config);
    return terms;
}

#define TERMS(weighted, ...)                                            \
    terms_of((const char *const[]){__VA_ARGS__, NULL}, tail, C, (weighted))

/* ---- class weights ------------------------------------------------------ */

static void weights_are_as_printed(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        double beta, wanted[C];
    } rows[] = {
        {"effective", 0.9999,
         {0.05061, 0.0769, 0.12113, 0.19504, 0.31881, 0.52459, 0.86835,
          1.44263, 2.40922, 3.99272}},
        {"effective", 0.999,
         {0.18119, 0.18941, 0.21574, 0.27286, 0.37848, 0.56058, 0.8688,
          1.38616, 2.25845, 3.68832}},
        {"inverse", 0,
         {0.04024, 0.06713, 0.11202, 0.1868, 0.31191, 0.51985, 0.86717,
          1.44736, 2.42389, 4.02365}},
        {"none", 0, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    };
    double w[C];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bl_class_weights(w, rows[i].rule, rows[i].beta, tail, C);
        printed(w, rows[i].wanted, C);
        assert_near(sum(w, C), C, 1e-12);
    }
}

static void roots_of_counts_weigh_between(void **state)
{
    (void)state;
    double w[C];
    bl_class_weights(w, "inverse-sqrt", 0, tail, C);
    assert_near(sum(w, C), C, 1e-12);
    for (int32_t j = 0; j < C; j++)
        assert_near(w[j] / w[C - 1], sqrt(50.0 / (double)tail[j]), 1e-14);
}

/** (1 - beta^n) / (1 - beta) = sum_k binomial(n, k + 1) (beta - 1)^k, whose
 *  terms fall fast where beta is near 1 and 1 - beta^n by its plain form has
 *  hardly a digit left. */
static double effective_number(double n, double beta)
{
    double term = n, total = 0;
    for (int32_t k = 0; k < 12; k++) {
        total += term;
        term *= (n - k - 1) * (beta - 1) / (k + 2);
    }
    return total;
}

static void beta_near_one_keeps_its_digits(void **state)
{
    (void)state;
    const double betas[] = {0.99999, 0.999999, 0.999999999, 1 - 1e-13};
    for (int32_t i = 0; i < 4; i++) {
        double w[C];
        bl_class_weights(w, "effective", betas[i], tail, C);
        const double first = effective_number((double)tail[0], betas[i]);
        for (int32_t j = 0; j < C; j++) {
            const double number = effective_number((double)tail[j], betas[i]);
            assert_near(w[j] / w[0] * number / first, 1, 1e-12);
        }
    }
}

/** The exact sum 1 + beta + beta^2 + ... + beta^(n-1). */
static void effective_numbers_are_sums_of_powers(void **state)
{
    (void)state;
    const double betas[] = {0.25, 0.9, 0.99, 0.9999};
    for (int32_t i = 0; i < 4; i++) {
        double w[C], wanted[C];
        for (int32_t j = 0; j < C; j++) {
            double number = 0;
            for (int64_t k = tail[j] - 1; k >= 0; k--)
                number += pow(betas[i], (double)k);
            wanted[j] = 1 / number;
        }
        const double total = sum(wanted, C);
        bl_class_weights(w, "effective", betas[i], tail, C);
        for (int32_t j = 0; j < C; j++)
            assert_near(w[j], wanted[j] * C / total, 1e-10);
    }
}

static void beta_zero_weighs_all_alike(void **state)
{
    (void)state;
    double w[C];
    bl_class_weights(w, "effective", 0, tail, C);
    for (int32_t j = 0; j < C; j++) assert_near(w[j], 1, 1e-15);
}

/** One image: an effective number of 1, whatever beta.  None: no weight, and
 *  the others share theirs out among themselves. */
static void absent_and_single_classes(void **state)
{
    (void)state;
    static const char *const rules[] = {"effective", "inverse", "inverse-sqrt",
                                        "none"};
    const int64_t n[4] = {7, 0, 1, 1};
    double w[4];
    for (int32_t i = 0; i < 4; i++) {
        bl_class_weights(w, rules[i], 0.9999, n, 4);
        assert_near(w[1], 0, 0);
        assert_near(w[2], w[3], 0);
        assert_near(sum(w, 4), 3, 1e-14);
        assert_true(w[0] > 0 && w[2] >= w[0]);
    }
    bl_class_weights(w, "inverse", 0, n, 4);
    assert_near(w[2] / w[0], 7, 1e-14);
    bl_class_weights(w, "effective", 0.9, n, 4);
    assert_near(w[2] / w[0], (1 - pow(0.9, 7)) / 0.1, 1e-13);
}

static void all_classes_absent(void **state)
{
    (void)state;
    const int64_t n[2] = {0, 0};
    double w[2];
    bl_class_weights(w, "effective", 0.9999, n, 2);
    assert_near(w[0], 0, 0);
    assert_near(w[1], 0, 0);
}

/* ---- losses ------------------------------------------------------------- */

static void margins_of_ldam(void **state)
{
    (void)state;
    static const double wanted[C] = {0.15811, 0.1797, 0.20424, 0.23209,
                                     0.26383, 0.29977, 0.34068, 0.38722,
                                     0.4405, 0.5};
    bl_loss_terms *const t = TERMS(false, "loss=ldam");
    assert_true(t->has_s && t->has_m && !t->has_b && !t->has_w && !t->has_e);
    printed(t->m, wanted, C);
    for (int32_t j = 0; j < C; j++) assert_near(t->s[j], 30, 0);
    assert_true(t->divide_by_weight);
    bl_loss_terms_free(t);
}

static void margin_of_a_class_without_images(void **state)
{
    (void)state;
    const int64_t n[4] = {0, 16, 1, 0};
    const char *const settings[] = {"loss=ldam", "loss.margin=0.3", NULL};
    bl_loss_terms *const t = terms_of(settings, n, 4, false);
    assert_near(t->m[0], 0, 0);
    assert_near(t->m[1], 0.15, 1e-15);
    assert_near(t->m[2], 0.3, 1e-15);
    assert_near(t->m[3], 0, 0);
    bl_loss_terms_free(t);
}

static void priors(void **state)
{
    (void)state;
    static const double wanted[C] = {
        -0.90874, -1.42057, -1.93262, -2.444,   -2.95669,
        -3.46751, -3.9792,  -4.49146, -5.00709, -5.51391};
    double out[C];
    bl_log_prior(out, tail, C);
    printed(out, wanted, C);
    bl_loss_terms *const balanced = TERMS(false, "loss=balanced-softmax");
    bl_loss_terms *const adjusted =
        TERMS(false, "loss=logit-adjustment", "loss.tau=1.7");
    for (int32_t j = 0; j < C; j++) {
        assert_near(balanced->b[j], out[j], 1e-15);
        assert_near(adjusted->b[j], 1.7 * out[j], 1e-14);
    }
    assert_true(balanced->has_b && adjusted->has_b);
    bl_loss_terms_free(balanced);
    bl_loss_terms_free(adjusted);
}

/** tau = 0 is cross-entropy, for absent classes too, where 0 times -inf is
 *  no number. */
static void no_prior_without_tau(void **state)
{
    (void)state;
    const int64_t n[3] = {9, 0, 3};
    const char *const settings[] = {"loss=logit-adjustment", "loss.tau=0",
                                    NULL};
    double out[3];
    bl_loss_terms *const t = terms_of(settings, n, 3, false);
    assert_false(t->has_b);
    bl_log_prior(out, n, 3);
    assert_true(isinf(out[1]) && out[1] < 0);
    assert_near(out[0], log(0.75), 1e-15);
    bl_loss_terms_free(t);
}

static void temperatures(void **state)
{
    (void)state;
    double prior[C];
    bl_log_prior(prior, tail, C);
    bl_loss_terms *const cdt = TERMS(false, "loss=cdt", "loss.gamma=0.2");
    bl_loss_terms *const vs =
        TERMS(false, "loss=vs", "loss.gamma=0.15", "loss.tau=1.25");
    assert_true(cdt->has_s && !cdt->has_b && vs->has_s && vs->has_b);
    for (int32_t j = 0; j < C; j++) {
        const double ratio = 5000.0 / (double)tail[j];
        assert_near(cdt->s[j] * pow(ratio, 0.2), 1, 1e-14);
        assert_near(vs->s[j] * pow(ratio, 0.15), 1, 1e-14);
        assert_near(vs->b[j], 1.25 * prior[j], 1e-14);
    }
    bl_loss_terms_free(cdt);
    bl_loss_terms_free(vs);
}

static void smoothing_of_head_and_tail(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    bl_loss_terms *const t =
        TERMS(false, "loss=label-aware-smoothing", "loss.smooth-head=0.4",
              "loss.smooth-tail=0.1");
    assert_true(t->has_e && !t->has_s && !t->has_b && !t->has_w);
    assert_near(t->e[0], 0.4, 1e-15);
    assert_near(t->e[C - 1], 0.1, 1e-15);
    for (int32_t j = 0; j < C; j++) {
        const double x = (double)(tail[j] - 50) / (5000 - 50);
        assert_near(t->e[j], 0.1 + 0.3 * sin(pi / 2 * x), 1e-14);
    }
    bl_loss_terms_free(t);
}

/** All classes alike: each is the largest as much as the smallest. */
static void smoothing_of_equal_classes(void **state)
{
    (void)state;
    const int64_t n[3] = {4, 4, 4};
    const char *const settings[] = {"loss=label-aware-smoothing", NULL};
    bl_loss_terms *const t = terms_of(settings, n, 3, false);
    for (int32_t j = 0; j < 3; j++) assert_near(t->e[j], 0.3, 1e-15);
    bl_loss_terms_free(t);
}

/** Weighted cross-entropy divides by the weights it summed, focal losses by
 *  the batch; weights are there only once they are to hold. */
static void who_divides_by_what(void **state)
{
    (void)state;
    static const struct {
        const char *loss;
        double g;
        bool by_weight, sigmoid;
    } rows[] = {{"loss=ce", 0, true, false},
                {"loss=ldam", 0, true, false},
                {"loss=focal", 1.5, false, false},
                {"loss=focal-sigmoid", 1.5, false, true}};
    for (int32_t i = 0; i < 4; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            bl_loss_terms *const t =
                TERMS(weighted, rows[i].loss, "loss.gamma=1.5",
                      "weights=inverse");
            assert_near(t->g, rows[i].g, 0);
            assert_int_equal(t->divide_by_weight, rows[i].by_weight);
            assert_int_equal(t->sigmoid, rows[i].sigmoid);
            assert_int_equal(t->has_w, weighted);
            if (weighted) assert_near(t->w[C - 1], 4.02365, 5.1e-6);
            bl_loss_terms_free(t);
        }
}

static void a_loss_not_made_for_cosines_scales_them(void **state)
{
    (void)state;
    bl_config *config;
    bl_loss_terms *terms;
    ok(bl_train_config(&config));
    const bl_loss_setting with = {
        .config = config, .n = tail, .c = C, .cosine = true};
    ok(bl_loss_terms_make(&terms, &with, false));
    assert_true(terms->has_s);
    for (int32_t j = 0; j < C; j++) assert_near(terms->s[j], 30, 0);
    bl_loss_terms_free(terms);
    ok(bl_config_assign(config, "loss=ldam", BL_ORIGIN_OPTION));
    ok(bl_loss_terms_make(&terms, &with, false));
    for (int32_t j = 0; j < C; j++) assert_near(terms->s[j], 30, 0);
    bl_loss_terms_free(terms);
    bl_config_free(config);
}

/* ---- samplers ----------------------------------------------------------- */

/** Chances of the reversed sampler over counts [C]. */
static void check_reversed(const int64_t *n, const double *wanted)
{
    int32_t *labels;
    int64_t total = 0, at = 0;
    double p[C];
    bl_sampler *sampler;
    for (int32_t j = 0; j < C; j++) total += n[j];
    labels = malloc((size_t)total * sizeof *labels);
    assert_non_null(labels);
    for (int32_t j = 0; j < C; j++)
        for (int64_t i = 0; i < n[j]; i++) labels[at++] = j;
    ok(bl_sampler_create(&sampler, bl_sampler_find("reversed"), labels, total,
                         C, 1, 0));
    bl_sampler_begin(sampler, 1);
    bl_sampler_class_p(sampler, p);
    for (int32_t j = 0; j < C; j++) assert_near(p[j], wanted[j], 5.1e-7);
    bl_sampler_free(sampler);
    free(labels);
}

static void reversed_sampling(void **state)
{
    (void)state;
    static const double hundred[C] = {
        0.004024, 0.006713, 0.011202, 0.01868, 0.031191,
        0.051985, 0.086717, 0.144736, 0.242389, 0.402365};
    static const double fifty[C] = {
        0.007134, 0.011019, 0.017018, 0.026286, 0.040626,
        0.062799, 0.096928, 0.149872, 0.231621, 0.356696};
    static const int64_t less[C] = {5000, 3237, 2096, 1357, 878,
                                    568,  368,  238,  154,  100};
    check_reversed(tail, hundred);
    check_reversed(less, fifty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_as_printed),
        cmocka_unit_test(roots_of_counts_weigh_between),
        cmocka_unit_test(beta_near_one_keeps_its_digits),
        cmocka_unit_test(effective_numbers_are_sums_of_powers),
        cmocka_unit_test(beta_zero_weighs_all_alike),
        cmocka_unit_test(absent_and_single_classes),
        cmocka_unit_test(all_classes_absent),
        cmocka_unit_test(margins_of_ldam),
        cmocka_unit_test(margin_of_a_class_without_images),
        cmocka_unit_test(priors),
        cmocka_unit_test(no_prior_without_tau),
        cmocka_unit_test(temperatures),
        cmocka_unit_test(smoothing_of_head_and_tail),
        cmocka_unit_test(smoothing_of_equal_classes),
        cmocka_unit_test(who_divides_by_what),
        cmocka_unit_test(a_loss_not_made_for_cosines_scales_them),
        cmocka_unit_test(reversed_sampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
