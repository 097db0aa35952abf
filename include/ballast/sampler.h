/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h: which image is the i-th of an epoch.
 *
 * A sampler is a pure function of (seed, epoch, index): no draw depends on
 * another, on threads, or on where a run was stopped.
 */
#ifndef BALLAST_SAMPLER_H
#define BALLAST_SAMPLER_H

#include <stdint.h>

#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_sampler bl_sampler;

/** What a row may weigh a class by. */
typedef struct bl_class_view {
    int64_t n;       /* images of the class                               */
    int64_t n_max;   /* of the largest class                              */
    int64_t n_total; /* of all classes                                    */
    int32_t n_class;
    double t;        /* how far training is: 0 first epoch, 1 last        */
} bl_class_view;

/** An idea of sampling: one row of bl_sampler_types. */
typedef struct bl_sampler_type {
    const char *name;    /* "permutation", "balanced", "reversed", ...       */
    const char *summary; /* at most 60 characters                            */
    const char *paper;   /* arXiv or DOI, or "" for common knowledge         */
    const char *equation; /* of a draw's probability, docs/notation.md       */
    /** Relative weight of a class, finite and >= 0 for every t; NULL for
     *  samplers that do not draw a class first. */
    double (*class_weight)(const bl_class_view *view);
    int permutes; /* each image once an epoch, without replacement */
    int moves;    /* class_weight looks at t: tables anew each epoch */
} bl_sampler_type;

BL_API const bl_sampler_type *const *bl_sampler_types(void);
BL_API const bl_sampler_type *bl_sampler_find(const char *name);

/** Creates a sampler over labels.
 *
 * Shapes   labels [n] i32 in [0, n_class), copied.
 * Errors   BL_EINVAL if n < 1, or a class without images would be drawn.
 * Cost     O(n + C) memory; a draw is O(1) (alias table over classes).
 */
BL_API BL_MUST_USE bl_status bl_sampler_create(bl_sampler **out,
                                               const bl_sampler_type *type,
                                               const int32_t *labels,
                                               int64_t n, int32_t n_class,
                                               uint64_t seed, uint32_t stream);
BL_API void bl_sampler_free(bl_sampler *sampler);

/** Says over which E = `epochs` epochs, behind F = `first` others, a type that
 *  moves goes its way:
 *
 *   t = min(1, max(0, e - F - 1) / max(E - 1, 1))   for epoch e
 *
 * Holds from the next begin on.  Never called, F = 0 and E = 1: t is 0 in the
 * first epoch and 1 in any other.
 */
BL_API void bl_sampler_span(bl_sampler *sampler, uint32_t first,
                            uint32_t epochs);

/** Prepares an epoch (1-based): permutes where the type permutes, O(n);
 *  weighs classes anew where it moves, O(C).  Takes no memory. */
BL_API void bl_sampler_begin(bl_sampler *sampler, uint32_t epoch);

/** Position of the i-th image of the epoch begun, 0 <= i < n.
 *
 * Exact    reads only: any number of threads may call it between begins.
 */
BL_API int64_t bl_sampler_at(const bl_sampler *sampler, int64_t i);

/** Probability of each class in one draw of the epoch begun, p [n_class]. */
BL_API void bl_sampler_class_p(const bl_sampler *sampler, double *p);

#ifdef __cplusplus
}
#endif
#endif
