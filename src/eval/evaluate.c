/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluate.c: top-1 errors, overall, by class and by shot, and which class
 * was taken for which.
 *
 * The error of a shot is the mean over its classes, not over its images: on
 * a balanced test set the two agree, elsewhere the mean over classes is what
 * the literature of long tails reports.  A class without test images has no
 * error and stays out of that mean.  The balanced error is the same mean over
 * all classes.
 *
 * Reference: Liu et al., "Large-scale long-tailed recognition in an open
 * world", CVPR 2019 (many, medium and few shots).
 */
#include <inttypes.h>
#include <math.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "eval/parts.h"

enum { SHOTS = 3 };

/* First index of the largest of z [C]; image is for the message. */
static bl_status top_1(int32_t *out, const float *z, int32_t n_class,
                       int64_t image)
{
    int32_t bad = 0, best = 0, first = 0;
    for (int32_t j = 0; j < n_class; j++) bad += z[j] != z[j];
    while (bad > 0 && !isnan(z[first])) first++;
    if (bad > 0)
        return BL_RAISE(BL_ENUMERIC, "image %" PRId64 ": the logit of class "
                        "%d is NaN", image, (int)first);
    for (int32_t j = 1; j < n_class; j++)
        if (z[j] > z[best]) best = j;
    *out = best;
    return BL_OK;
}

/* Goes through z [n][C]: counts images and, for now, wrong predictions of
 * each class. */
static bl_status count(bl_evaluation *e, const float *z,
                       const int32_t *labels)
{
    const int32_t n_class = e->n_class;
    for (int64_t i = 0; i < e->n; i++) {
        int32_t top = 0;
        const int32_t y = labels[i];
        if (y < 0 || y >= n_class)
            return BL_RAISE(BL_EINVAL, "image %" PRId64 ": label %d is not "
                            "in [0, %d]", i, (int)y, (int)n_class - 1);
        BL_TRY(top_1(&top, z + i * n_class, n_class, i));
        e->class_n[y]++;
        if (top != y) e->class_error[y] += 1;
        if (e->confusion != NULL) e->confusion[(int64_t)y * n_class + top]++;
        bl_calibration_add(e, z + i * n_class, y, top);
    }
    return BL_OK;
}

/* Turns the counts of wrong predictions into errors. */
static void divide(bl_evaluation *e)
{
    double wrong = 0;
    for (int32_t c = 0; c < e->n_class; c++) {
        wrong += e->class_error[c];
        e->class_error[c] = e->class_n[c] > 0
            ? e->class_error[c] / (double)e->class_n[c] : (double)NAN;
    }
    e->error = e->n > 0 ? wrong / (double)e->n : (double)NAN;
}

/* Means over classes: of each shot, of all. */
static void average(bl_evaluation *e)
{
    double sum[SHOTS] = {0}, all = 0;
    int32_t tested = 0;
    for (int32_t c = 0; c < e->n_class; c++) {
        const bl_shot shot = bl_shot_of(e->train_n[c], &e->limits);
        if (e->class_n[c] == 0) continue;
        sum[shot] += e->class_error[c];
        e->shot_classes[shot]++;
        all += e->class_error[c];
        tested++;
    }
    for (int i = 0; i < SHOTS; i++)
        e->shot_error[i] = e->shot_classes[i] > 0
            ? sum[i] / e->shot_classes[i] : (double)NAN;
    e->balanced_error = tested > 0 ? all / tested : (double)NAN;
}

static void find_worst(bl_evaluation *e)
{
    e->worst_class = -1;
    for (int32_t c = 0; c < e->n_class; c++)
        if (e->class_n[c] > 0 &&
            (e->worst_class < 0 ||
             e->class_error[c] > e->class_error[e->worst_class]))
            e->worst_class = c;
}

static bl_status check_counts(const int64_t *train_n, int64_t n,
                              int32_t n_class)
{
    if (n < 0 || n_class < 1)
        return BL_RAISE(BL_EINVAL, "%" PRId64 " images of %d classes, wanted "
                        "at least 0 of at least 1", n, (int)n_class);
    for (int32_t c = 0; c < n_class; c++)
        if (train_n[c] < 0)
            return BL_RAISE(BL_EINVAL, "class %d has %" PRId64 " training "
                            "images, wanted at least 0", (int)c, train_n[c]);
    return BL_OK;
}

static bl_status create(bl_evaluation **out, int64_t n,
                        const int64_t *train_n, int32_t n_class)
{
    bl_status status = BL_OK;
    bl_evaluation *e = NULL;
    BL_TRY(bl_calloc(&e, 1, sizeof *e));
    e->n = n;
    e->n_class = n_class;
    BL_CHECK(bl_calloc(&e->class_error, n_class, sizeof *e->class_error));
    BL_CHECK(bl_calloc(&e->class_n, n_class, sizeof *e->class_n));
    BL_CHECK(bl_calloc(&e->train_n, n_class, sizeof *e->train_n));
    if (n_class <= BL_CONFUSION_CLASSES)
        BL_CHECK(bl_calloc(&e->confusion, (int64_t)n_class * n_class,
                           sizeof *e->confusion));
    for (int32_t c = 0; c < n_class; c++) e->train_n[c] = train_n[c];
    *out = e;
    e = NULL;
done:
    bl_evaluation_free(e);
    return status;
}

bl_status bl_evaluate(bl_evaluation **out, const float *z,
                      const int32_t *labels, int64_t n,
                      const int64_t *train_n, int32_t n_class,
                      const bl_shot_limits *limits)
{
    bl_status status = BL_OK;
    bl_evaluation *e = NULL;
    BL_TRY(check_counts(train_n, n, n_class));
    if (limits != NULL) BL_TRY(bl_shot_limits_check(limits));
    BL_TRY(create(&e, n, train_n, n_class));
    e->limits = limits != NULL ? *limits : bl_usual_shots();
    BL_CHECK(count(e, z, labels));
    divide(e);
    average(e);
    find_worst(e);
    bl_calibration_close(e);
    *out = e;
    e = NULL;
done:
    bl_evaluation_free(e);
    return status;
}

void bl_evaluation_free(bl_evaluation *evaluation)
{
    if (evaluation == NULL) return;
    bl_free(evaluation->class_error);
    bl_free(evaluation->class_n);
    bl_free(evaluation->train_n);
    bl_free(evaluation->confusion);
    bl_free(evaluation);
}
