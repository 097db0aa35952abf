/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.h: errors from logits, overall, by class and by shot.
 */
#ifndef BALLAST_EVAL_H
#define BALLAST_EVAL_H

#include <stdint.h>

#include "ballast/json.h"
#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Result over one test split.  Errors are fractions; NaN where there is no
 *  image to err on. */
typedef struct bl_evaluation {
    int64_t n;
    int32_t n_class;
    double error;        /* all images alike                           */
    double shot_error[3];/* mean over the classes of many, medium, few */
    int32_t shot_classes[3]; /* in that mean: with test images         */
    double *class_error; /* [n_class]                                  */
    int64_t *class_n;    /* [n_class] test images                      */
    int64_t *train_n;    /* [n_class] training images                  */
} bl_evaluation;

/** Evaluates top-1 predictions (the lowest index wins a tie).
 *
 * Shapes   z [n][C] f32, labels [n] i32, train_n [C] i64 training counts,
 *          which decide the shot of a class.
 * Errors   BL_ENUMERIC if a logit is NaN (names the image).
 * Owns     the caller, bl_evaluation_free.
 */
BL_API BL_MUST_USE bl_status bl_evaluate(bl_evaluation **out, const float *z,
                                         const int32_t *labels, int64_t n,
                                         const int64_t *train_n,
                                         int32_t n_class);
BL_API void bl_evaluation_free(bl_evaluation *evaluation);

/** Writes "shot" and "per_class" members of result.json into an open object.
 *  class_names [n_class]. */
BL_API void bl_evaluation_json(const bl_evaluation *evaluation,
                               const char *const *class_names, bl_json *json);

/** Writes a float32 matrix [rows][columns] as a NumPy .npy file, atomically.
 *
 * Errors   BL_EIO; what stood at path before is untouched then.
 */
BL_API BL_MUST_USE bl_status bl_npy_write(const char *path, const float *data,
                                          int64_t rows, int64_t columns);

#ifdef __cplusplus
}
#endif
#endif
