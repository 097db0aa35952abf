/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.h: what logits and features are worth: errors, overall, by class and
 * by shot, confusion, calibration, and how closely classes gather.
 */
#ifndef BALLAST_EVAL_H
#define BALLAST_EVAL_H

#include <stdint.h>

#include "ballast/data.h"
#include "ballast/json.h"
#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BL_RELIABILITY_BINS = 15,
    BL_CONFUSION_CLASSES = 2048, /* a matrix for more is not kept    */
    BL_CONFUSION_WRITTEN = 100   /* nor one for more written as JSON */
};

/** Images whose largest probability is in ((k - 1) / 15, k / 15]. */
typedef struct bl_reliability_bin {
    int64_t n;
    double confidence; /* mean of that probability; NaN without images */
    double accuracy;   /* fraction predicted rightly; NaN likewise     */
} bl_reliability_bin;

/** Result over one test split.  Errors are fractions; NaN where there is no
 *  image to err on. */
typedef struct bl_evaluation {
    int64_t n;
    int32_t n_class;
    double error;        /* all images alike                           */
    double balanced_error; /* mean over the classes with test images   */
    int32_t worst_class; /* first of the largest error; -1: no images  */
    double shot_error[3];/* mean over the classes of many, medium, few */
    int32_t shot_classes[3]; /* in that mean: with test images         */
    bl_shot_limits limits;   /* of the shots                           */
    double nll;          /* mean -log p of the label; may be infinite  */
    double ece;          /* expected calibration error                 */
    bl_reliability_bin bins[BL_RELIABILITY_BINS];
    double *class_error; /* [n_class]                                  */
    int64_t *class_n;    /* [n_class] test images                      */
    int64_t *train_n;    /* [n_class] training images                  */
    int64_t *confusion;  /* [n_class true][n_class predicted] images;  */
                         /* NULL above BL_CONFUSION_CLASSES classes    */
} bl_evaluation;

/** Evaluates top-1 predictions (the lowest index wins a tie).
 *
 *   ece = sum_k (n_k / n) |accuracy_k - confidence_k|
 *
 * Probabilities are the softmax of the logits as they are, in double.
 *
 * Shapes   z [n][C] f32, labels [n] i32, train_n [C] i64 training counts,
 *          which decide the shot of a class; limits NULL: the usual ones.
 * Errors   BL_ENUMERIC if a logit is NaN (names the image); BL_EINVAL for a
 *          label that is no class, or limits in which a class would be both
 *          many and few.
 * Owns     the caller, bl_evaluation_free.
 * Exact    yes; f64, in the order of the images.
 * Cost     O(n C), an exponential a logit.
 * Source   shots: Liu et al., "Large-scale long-tailed recognition in an open
 *          world", CVPR 2019, arXiv:1904.05160; ece: Guo et al., "On
 *          calibration of modern neural networks", ICML 2017,
 *          arXiv:1706.04599, equation 3.
 */
BL_API BL_MUST_USE bl_status bl_evaluate(bl_evaluation **out, const float *z,
                                         const int32_t *labels, int64_t n,
                                         const int64_t *train_n,
                                         int32_t n_class,
                                         const bl_shot_limits *limits);
BL_API void bl_evaluation_free(bl_evaluation *evaluation);

/** Forgets nll, ece and the bins: NaN, and no images.  For logits whose softmax
 *  is no probability: those of the cosine form lie in [-1, 1], and losses
 *  multiply them by a scale that the network does not know. */
BL_API void bl_evaluation_forget_calibration(bl_evaluation *evaluation);

/** Writes members of result.json into an open object: "shot", "shot_limits",
 *  "per_class", "balanced_error", "worst_class", "nll", "ece", "reliability"
 *  and, of at most BL_CONFUSION_WRITTEN classes, "confusion".
 *
 * Shapes   class_names [n_class].
 * Needs    evaluation may be NULL: the same members, without numbers.
 */
BL_API void bl_evaluation_json(const bl_evaluation *evaluation,
                               const char *const *class_names, bl_json *json);

/** Writes "weight_norms" and, of a classifier with two branches,
 *  "weight_norms_uniform" and "weight_norms_reversed" into an open object.
 *
 * Shapes   norms [BL_ROW_PARTS][n_class], as bl_classifier_norms fills it.
 */
BL_API void bl_norms_json(const double *norms, int32_t n_class, bl_json *json);

/** Measures how closely the images of each class gather in feature space.
 *
 *   u_i = f_i / |f_i|,   m_c = mean of u_i over class c
 *   compactness_c = mean over class c of |u_i - m_c|
 *
 * Small is compact; 0 is one point, and no class exceeds 1.  A feature of
 * length 0 stays 0.
 *
 * Shapes   compactness [C] f64, written; NaN for a class without images;
 *          f [n][d] f32, labels [n] i32 in [0, C).
 * Errors   BL_ENUMERIC if a feature is not finite (names the image);
 *          BL_EINVAL for a label that is no class.
 * Exact    yes; f64, in the order of the images.
 * Cost     O(n d) time, C d doubles.
 * Source   Zhou, Cui, Wei, Chen: "BBN", CVPR 2020, arXiv:1912.02413,
 *          supplement B.
 */
BL_API BL_MUST_USE bl_status bl_compactness(double *compactness,
                                            const float *f,
                                            const int32_t *labels, int64_t n,
                                            int64_t d, int32_t n_class);

/** Writes a float32 matrix [rows][columns] as a NumPy .npy file, atomically.
 *
 * Errors   BL_EIO: path is then what it was before or the new file, each
 *          whole.
 */
BL_API BL_MUST_USE bl_status bl_npy_write(const char *path, const float *data,
                                          int64_t rows, int64_t columns);

#ifdef __cplusplus
}
#endif
#endif
