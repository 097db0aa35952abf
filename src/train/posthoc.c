/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posthoc.c: rewrites a trained linear classifier, without another gradient.
 *
 *   tau-norm           W_c / |W_c|^tau, no bias          (Kang et al. 2020)
 *   ncm                W_c = m_c / |m_c|, no bias, m_c the mean over class c
 *                      of f / |f|                        (Kang et al. 2020)
 *   logit-adjustment   b_c - tau log pi_c                (Menon et al. 2021)
 *
 * All three leave a linear classifier, so the weights stay those of a plain
 * network and any reader of them can use them.  The nearest class mean by
 * cosine is one as well: |f| is common to all classes of an image.
 *
 * A tau that is not given is the one of 0, 0.1, ... 2 with the least mean
 * error of a class on the images held out, the smallest of equals; the test
 * split is not looked at.  Images are read as at test time, not augmented.
 *
 * Sources: Kang et al., ICLR 2020, arXiv:1910.09217, section 4; Menon et al.,
 * ICLR 2021, arXiv:2007.07314, equation 9.
 */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "train/trainer.h"

enum { TAUS = 21 };

/** A classifier on the host. */
typedef struct linear_head {
    int64_t d;
    int32_t c;
    float *w; // [c][d]
    float *b; // [c]
} linear_head;

static bl_status head_alloc(linear_head *h, int32_t c, int64_t d)
{
    size_t count;
    *h = (linear_head){.c = c, .d = d};
    BL_TRY(bl_size_mul(&count, d, (size_t)c));
    BL_TRY(bl_calloc(&h->w, (int64_t)count, sizeof *h->w));
    return bl_calloc(&h->b, c, sizeof *h->b);
}

static void head_free(linear_head *h)
{
    bl_free(h->w);
    bl_free(h->b);
}

static bl_status head_read(const bl_trainer *t, linear_head *h)
{
    const bl_engine *const e = t->engine;
    BL_TRY(bl_params_get(e->params, bl_engine_head_param(e, "weight"), h->w));
    return bl_params_get(e->params, bl_engine_head_param(e, "bias"), h->b);
}

static bl_status head_write(bl_trainer *t, const linear_head *h)
{
    const bl_engine *const e = t->engine;
    BL_TRY(bl_params_set(e->params, bl_engine_head_param(e, "weight"), h->w));
    return bl_params_set(e->params, bl_engine_head_param(e, "bias"), h->b);
}

/* ---- rewriting by tau --------------------------------------------------- */

static double length(const float *x, int64_t d)
{
    double sum = 0;
    for (int64_t k = 0; k < d; k++) sum += (double)x[k] * (double)x[k];
    return sqrt(sum);
}

static void tau_norm(linear_head *to, const linear_head *from, double tau,
                     const bl_trainer *t)
{
    (void)t;
    for (int32_t j = 0; j < from->c; j++) {
        const float *const row = from->w + j * from->d;
        const double norm = length(row, from->d);
        const double factor = norm > 0 ? pow(norm, -tau) : 0;
        for (int64_t k = 0; k < from->d; k++)
            to->w[j * from->d + k] = (float)((double)row[k] * factor);
        to->b[j] = 0;
    }
}

/** A class without images has no prior to take off. */
static void adjust(linear_head *to, const linear_head *from, double tau,
                   const bl_trainer *t)
{
    double total = 0;
    for (int32_t j = 0; j < from->c; j++) total += (double)t->train_n[j];
    memcpy(to->w, from->w, (size_t)(from->c * from->d) * sizeof *to->w);
    for (int32_t j = 0; j < from->c; j++) {
        const double n = (double)t->train_n[j];
        const double prior = n > 0 ? log(n / total) : 0;
        to->b[j] = (float)((double)from->b[j] - tau * prior);
    }
}

/* ---- the choice of tau -------------------------------------------------- */

static bool is_wrong(const linear_head *h, const float *f, int32_t y)
{
    double best = -HUGE_VAL;
    int32_t top = 0;
    for (int32_t j = 0; j < h->c; j++) {
        double z = (double)h->b[j];
        for (int64_t k = 0; k < h->d; k++)
            z += (double)h->w[j * h->d + k] * (double)f[k];
        if (z > best) {
            best = z;
            top = j;
        }
    }
    return top != y;
}

typedef void rewrite_by_tau(linear_head *to, const linear_head *from,
                            double tau, const bl_trainer *t);

/** Mean over classes of the error on features f [n][d]: a held-out part is as
 *  long-tailed as what it was cut from. */
static double mean_class_error(const linear_head *h, const float *f,
                               const bl_split *split, int64_t *seen,
                               int64_t *wrong)
{
    double sum = 0;
    int32_t present = 0;
    memset(seen, 0, (size_t)h->c * sizeof *seen);
    memset(wrong, 0, (size_t)h->c * sizeof *wrong);
    for (int64_t i = 0; i < split->n; i++) {
        const int32_t y = split->labels[i];
        seen[y]++;
        wrong[y] += is_wrong(h, f + i * h->d, y);
    }
    for (int32_t j = 0; j < h->c; j++) {
        if (!seen[j]) continue;
        sum += (double)wrong[j] / (double)seen[j];
        present++;
    }
    return present ? sum / present : 1;
}

static bl_status choose_tau(double *tau, bl_trainer *t, rewrite_by_tau *rewrite,
                            linear_head *to, const linear_head *from)
{
    const bl_split *const held = t->judge;
    float *f = NULL;       // [n][d]
    int64_t *counts = NULL; // [2][c]
    double least = HUGE_VAL;
    bl_status status;
    BL_CHECK(bl_calloc(&f, held->n * from->d, sizeof *f));
    BL_CHECK(bl_calloc(&counts, 2 * (int64_t)from->c, sizeof *counts));
    BL_CHECK(bl_engine_infer(t->engine, held->pixels, held->n, NULL, f));
    for (int32_t k = 0; k < TAUS; k++) {
        rewrite(to, from, 0.1 * k, t);
        const double error =
            mean_class_error(to, f, held, counts, counts + from->c);
        if (error < least) {
            least = error;
            *tau = 0.1 * k;
        }
    }
done:
    bl_free(f);
    bl_free(counts);
    return status;
}

static bl_status by_tau(bl_trainer *t, rewrite_by_tau *rewrite,
                        linear_head *to, const linear_head *from)
{
    double tau = bl_config_real(t->config, "posthoc.tau");
    if (tau < 0) BL_TRY(choose_tau(&tau, t, rewrite, to, from));
    rewrite(to, from, tau, t);
    t->at.posthoc_tau = tau;
    return BL_OK;
}

/* ---- nearest class mean ------------------------------------------------- */

/** Adds f / |f| of every training image to the row of its class. */
static bl_status add_features(bl_trainer *t, linear_head *to, float *f,
                              double *sums)
{
    const bl_split *const train = t->data->train;
    const int64_t size = (int64_t)train->h * train->w * train->c;
    const int64_t batch = t->engine->spec.infer_batch;
    for (int64_t i = 0; i < train->n; i += batch) {
        const int64_t n = train->n - i < batch ? train->n - i : batch;
        BL_TRY(bl_engine_infer(t->engine, train->pixels + i * size, n, NULL,
                               f));
        for (int64_t r = 0; r < n; r++) {
            const double norm = length(f + r * to->d, to->d);
            double *const sum = sums + train->labels[i + r] * to->d;
            for (int64_t k = 0; k < to->d && norm > 0; k++)
                sum[k] += (double)f[r * to->d + k] / norm;
        }
    }
    return BL_OK;
}

static bl_status nearest_mean(bl_trainer *t, linear_head *to)
{
    float *f = NULL;     // [infer_batch][d]
    double *sums = NULL; // [c][d]
    bl_status status;
    BL_CHECK(bl_calloc(&f, t->engine->spec.infer_batch * to->d, sizeof *f));
    BL_CHECK(bl_calloc(&sums, to->c * to->d, sizeof *sums));
    BL_CHECK(add_features(t, to, f, sums));
    for (int32_t j = 0; j < to->c; j++) {
        const double *const sum = sums + j * to->d;
        double square = 0;
        for (int64_t k = 0; k < to->d; k++) square += sum[k] * sum[k];
        for (int64_t k = 0; k < to->d; k++)
            to->w[j * to->d + k] =
                square > 0 ? (float)(sum[k] / sqrt(square)) : 0;
    }
done:
    bl_free(f);
    bl_free(sums);
    return status;
}

/* ---- what the trainer calls --------------------------------------------- */

bool bl_trainer_rewrites(const bl_trainer *t)
{
    return strcmp(bl_config_string(t->config, "posthoc"), "none") != 0;
}

bl_status bl_trainer_rewrite(bl_trainer *t)
{
    const char *const how = bl_config_string(t->config, "posthoc");
    const int32_t C = t->data->train->n_class;
    const int64_t d = bl_engine_width(t->engine);
    linear_head from = {0}, to = {0};
    bl_status status;
    BL_CHECK(head_alloc(&from, C, d));
    BL_CHECK(head_alloc(&to, C, d));
    BL_CHECK(head_read(t, &from));
    if (!strcmp(how, "ncm"))
        BL_CHECK(nearest_mean(t, &to));
    else
        BL_CHECK(by_tau(t, !strcmp(how, "tau-norm") ? tau_norm : adjust, &to,
                        &from));
    BL_CHECK(head_write(t, &to));
done:
    head_free(&from);
    head_free(&to);
    return status;
}
