/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluate.c: top-1 errors, overall, by class and by shot.
 *
 * The error of a shot is the mean over its classes, not over its images: on
 * a balanced test set the two agree, elsewhere the mean over classes is what
 * the literature of long tails reports.  A class without test images has no
 * error and stays out of that mean.
 *
 * Reference: Liu et al., "Large-scale long-tailed recognition in an open
 * world", CVPR 2019 (many, medium and few shots).
 */
#include <inttypes.h>
#include <math.h>

#include "ballast/data.h"
#include "ballast/eval.h"
#include "core/error.h"
#include "core/mem.h"

enum { SHOTS = 3 };

/* First index of the largest of z [C]; image is for the message. */
static bl_status top_1(int32_t *out, const float *z, int32_t n_class,
                       int64_t image)
{
    int32_t best = 0;
    for (int32_t j = 0; j < n_class; j++) {
        if (isnan(z[j]))
            return BL_RAISE(BL_ENUMERIC, "image %" PRId64 ": the logit of "
                            "class %d is NaN", image, (int)j);
        if (z[j] > z[best]) best = j;
    }
    *out = best;
    return BL_OK;
}

/* Counts images and, for now, wrong predictions of each class. */
static bl_status count_wrong(bl_evaluation *e, const float *z,
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

static void average_shots(bl_evaluation *e)
{
    double sum[SHOTS] = {0};
    for (int32_t c = 0; c < e->n_class; c++) {
        const bl_shot shot = bl_shot_of(e->train_n[c]);
        if (e->class_n[c] == 0) continue;
        sum[shot] += e->class_error[c];
        e->shot_classes[shot]++;
    }
    for (int i = 0; i < SHOTS; i++)
        e->shot_error[i] = e->shot_classes[i] > 0
            ? sum[i] / e->shot_classes[i] : (double)NAN;
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

bl_status bl_evaluate(bl_evaluation **out, const float *z,
                      const int32_t *labels, int64_t n,
                      const int64_t *train_n, int32_t n_class)
{
    bl_status status = BL_OK;
    bl_evaluation *e = NULL;
    BL_TRY(check_counts(train_n, n, n_class));
    BL_TRY(bl_calloc(&e, 1, sizeof *e));
    e->n = n;
    e->n_class = n_class;
    BL_CHECK(bl_calloc(&e->class_error, n_class, sizeof *e->class_error));
    BL_CHECK(bl_calloc(&e->class_n, n_class, sizeof *e->class_n));
    BL_CHECK(bl_calloc(&e->train_n, n_class, sizeof *e->train_n));
    for (int32_t c = 0; c < n_class; c++) e->train_n[c] = train_n[c];
    BL_CHECK(count_wrong(e, z, labels));
    divide(e);
    average_shots(e);
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
    bl_free(evaluation);
}

void bl_evaluation_json(const bl_evaluation *evaluation,
                        const char *const *class_names, bl_json *json)
{
    bl_json_object(json, "shot");
    for (int i = 0; i < SHOTS; i++)
        bl_json_real(json, bl_shot_name((bl_shot)i),
                     evaluation->shot_error[i]);
    bl_json_close(json);
    bl_json_array(json, "per_class");
    for (int32_t c = 0; c < evaluation->n_class; c++) {
        bl_json_object(json, NULL);
        bl_json_string(json, "name", class_names[c]);
        bl_json_integer(json, "train_count", evaluation->train_n[c]);
        bl_json_real(json, "error", evaluation->class_error[c]);
        bl_json_close(json);
    }
    bl_json_close(json);
}
