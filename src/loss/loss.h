/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.h: what a loss is made of.
 *
 * Every loss for single labels is one of two kernels of the backend, the
 * softmax family or its one-vs-all sister (backend.h), with terms a class.  A
 * row computes those terms from the training counts; nobody else knows it.
 */
#ifndef BL_LOSS_LOSS_H
#define BL_LOSS_LOSS_H

#include <stdbool.h>

#include "ballast/config.h"
#include "ballast/train.h"

/** Terms of a loss on the host; each array is [c], used where has says. */
typedef struct bl_loss_terms {
    int32_t c;
    double *s, *m, *b, *w, *e; // [c]: scale, margin, offset, weight, smoothing
    bool has_s, has_m, has_b, has_w, has_e;
    double g;              /* focal exponent                              */
    bool divide_by_weight; /* the mean is weighted: divide by sum of w    */
    bool sigmoid;          /* one against all                             */
} bl_loss_terms;

/** Training counts, and the keys loss.* and weights.* of a configuration. */
typedef struct bl_loss_setting {
    const bl_config *config;
    const int64_t *n; // [c] training images of each class
    int32_t c;
    bool cosine;      /* logits are cosines: a loss not made for them takes */
                      /*   loss.scale of them                               */
} bl_loss_setting;

/** A loss: its public row first, so that one leads to the other. */
typedef struct bl_loss_kind {
    bl_loss_type type;
    bool needs_cosine; /* only behind a normalised classifier              */
    bool needs_pair;   /* only where a sample has two labels by its form   */
    /** Fills terms that are not 1, 0, 0, 1, 0; NULL: none is. */
    bl_status (*prepare)(bl_loss_terms *terms, const bl_loss_setting *with);
} bl_loss_kind;

extern const bl_loss_kind bl_loss_ce, bl_loss_cumulative, bl_loss_focal,
    bl_loss_focal_sigmoid, bl_loss_ldam, bl_loss_logit_adjustment,
    bl_loss_balanced_softmax, bl_loss_vs, bl_loss_cdt, bl_loss_smoothing;

/** By name, or NULL. */
const bl_loss_kind *bl_loss_find(const char *name);

/** Makes the terms of the loss "loss" of a configuration, class weights
 *  "weights" included if weighted.
 *
 * Errors   BL_EINVAL names the key that cannot be.
 * Owns     the caller; bl_loss_terms_free.
 */
BL_MUST_USE bl_status bl_loss_terms_make(bl_loss_terms **out,
                                         const bl_loss_setting *with,
                                         bool weighted);
void bl_loss_terms_free(bl_loss_terms *terms);

/** Weight of each class by the rule "none", "inverse" (1 / n), "inverse-sqrt"
 *  (1 / sqrt n) or "effective" ((1 - beta) / (1 - beta^n)), scaled so that
 *  they sum to the number of classes that have images; 0 for one without.
 *  Source  Cui et al., CVPR 2019, arXiv:1901.05555, equation 4. */
void bl_class_weights(double *w, const char *rule, double beta,
                      const int64_t *n, int32_t c);

/** log pi_c = log (n_c / N), -inf for a class without images. */
void bl_log_prior(double *out, const int64_t *n, int32_t c);
/** Largest count, and smallest above zero (both 0 where all are). */
void bl_count_range(const int64_t *n, int32_t c, int64_t *n_max,
                    int64_t *n_min);

#endif
