/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.c: how much a class weighs, from how often it was seen.
 *
 * The effective number of samples (1 - beta^n) / (1 - beta) saturates at
 * 1 / (1 - beta): beyond it more images add nothing new.  beta = 0 gives
 * every class the weight 1, beta -> 1 the inverse frequency.  1 - beta^n is
 * taken as -expm1(n log beta), for beta near 1 loses all its digits in the
 * plain form.
 */
#include <math.h>
#include <string.h>

#include "loss/loss.h"

static double inverse(double n, double beta)
{
    (void)beta;
    return 1 / n;
}

static double inverse_sqrt(double n, double beta)
{
    (void)beta;
    return 1 / sqrt(n);
}

static double effective(double n, double beta)
{
    return beta > 0 ? (1 - beta) / -expm1(n * log(beta)) : 1;
}

static double none(double n, double beta)
{
    (void)n, (void)beta;
    return 1;
}

typedef struct weight_rule {
    const char *name;
    double (*weight)(double n, double beta);
} weight_rule;

static const weight_rule rules[] = {{"inverse", inverse},
                                    {"inverse-sqrt", inverse_sqrt},
                                    {"effective", effective},
                                    {"none", none}};

static const weight_rule *find_rule(const char *name)
{
    const weight_rule *rule = rules;
    while (rule->weight != none && strcmp(rule->name, name) != 0) rule++;
    return rule;
}

void bl_class_weights(double *w, const char *rule, double beta,
                      const int64_t *n, int32_t c)
{
    const weight_rule *const how = find_rule(rule);
    double sum = 0;
    int32_t present = 0;
    for (int32_t j = 0; j < c; j++) {
        w[j] = n[j] > 0 ? how->weight((double)n[j], beta) : 0;
        sum += w[j];
        present += n[j] > 0;
    }
    for (int32_t j = 0; j < c && sum > 0; j++) w[j] *= present / sum;
}

void bl_log_prior(double *out, const int64_t *n, int32_t c)
{
    double total = 0;
    for (int32_t j = 0; j < c; j++) total += (double)n[j];
    for (int32_t j = 0; j < c; j++)
        out[j] = n[j] > 0 ? log((double)n[j] / total) : -HUGE_VAL;
}

void bl_count_range(const int64_t *n, int32_t c, int64_t *n_max,
                    int64_t *n_min)
{
    *n_max = *n_min = 0;
    for (int32_t j = 0; j < c; j++) {
        if (n[j] > *n_max) *n_max = n[j];
        if (n[j] > 0 && (*n_min == 0 || n[j] < *n_min)) *n_min = n[j];
    }
}
