/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compactness.c: how closely the images of a class gather in feature space.
 *
 * Features are brought to length 1 first, so that only directions count: a
 * network may enlarge all features of a class without telling it apart any
 * better.  Two passes over the features, one for the centres, one for the
 * distances; the centre of unit vectors lies inside the sphere and is not
 * brought to length 1 again.
 *
 * Reference: Zhou et al., "BBN: Bilateral-branch network with cumulative
 * learning for long-tailed visual recognition", CVPR 2020, supplement B.
 */
#include <inttypes.h>
#include <math.h>

#include "ballast/data.h"
#include "ballast/eval.h"
#include "core/error.h"
#include "core/mem.h"

typedef struct job {
    const float *f;        // [n][d]
    const int32_t *labels; // [n]
    int64_t n, d;
    int32_t n_class;
    double *scale;         // [n] 1 / length
    int64_t *class_n;      // [n_class]
    double *centre;        // [n_class][d]
} job;

/* 1 / |f_i|, or 0 of a feature that is 0. */
static bl_status measure(double *scale, const job *j, int64_t i)
{
    const float *const f = j->f + i * j->d;
    double sum = 0;
    for (int64_t k = 0; k < j->d; k++) sum += (double)f[k] * (double)f[k];
    if (!isfinite(sum)) /* squares of floats do not overflow a double */
        return BL_RAISE(BL_ENUMERIC, "image %" PRId64 ": a feature is not "
                        "finite", i);
    *scale = sum > 0 ? 1 / sqrt(sum) : 0;
    return BL_OK;
}

static bl_status find_centres(job *j)
{
    for (int64_t i = 0; i < j->n; i++) {
        const int32_t y = j->labels[i];
        if (y < 0 || y >= j->n_class)
            return BL_RAISE(BL_EINVAL, "image %" PRId64 ": label %d is not "
                            "in [0, %d]", i, (int)y, (int)j->n_class - 1);
        BL_TRY(measure(&j->scale[i], j, i));
        j->class_n[y]++;
        for (int64_t k = 0; k < j->d; k++)
            j->centre[y * j->d + k] +=
                (double)j->f[i * j->d + k] * j->scale[i];
    }
    for (int64_t c = 0; c < j->n_class; c++)
        for (int64_t k = 0; k < j->d && j->class_n[c] > 0; k++)
            j->centre[c * j->d + k] /= (double)j->class_n[c];
    return BL_OK;
}

static double distance(const job *j, int64_t i)
{
    const float *const f = j->f + i * j->d;
    const double *const centre = j->centre + j->labels[i] * j->d;
    double sum = 0;
    for (int64_t k = 0; k < j->d; k++) {
        const double step = (double)f[k] * j->scale[i] - centre[k];
        sum += step * step;
    }
    return sqrt(sum);
}

static void find_means(double *compactness, const job *j)
{
    for (int32_t c = 0; c < j->n_class; c++) compactness[c] = 0;
    for (int64_t i = 0; i < j->n; i++)
        compactness[j->labels[i]] += distance(j, i);
    for (int32_t c = 0; c < j->n_class; c++)
        compactness[c] = j->class_n[c] > 0
            ? compactness[c] / (double)j->class_n[c] : (double)NAN;
}

bl_status bl_compactness(double *compactness, const float *f,
                         const int32_t *labels, int64_t n, int64_t d,
                         int32_t n_class)
{
    bl_status status = BL_OK;
    size_t row = 0;
    job j = {.f = f, .labels = labels, .n = n, .d = d, .n_class = n_class};
    if (n < 0 || d < 1 || n_class < 1)
        return BL_RAISE(BL_EINVAL, "%" PRId64 " features of %" PRId64
                        " numbers in %d classes, wanted at least 0, 1 and 1",
                        n, d, (int)n_class);
    BL_TRY(bl_size_mul(&row, d, sizeof *j.centre));
    BL_CHECK(bl_calloc(&j.scale, n, sizeof *j.scale));
    BL_CHECK(bl_calloc(&j.class_n, n_class, sizeof *j.class_n));
    BL_CHECK(bl_calloc(&j.centre, n_class, row));
    BL_CHECK(find_centres(&j));
    find_means(compactness, &j);
done:
    bl_free(j.scale);
    bl_free(j.class_n);
    bl_free(j.centre);
    return status;
}
