/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mix.h: how two images become one, and which labels the outcome has.
 *
 * A step's mixing is drawn once for the whole batch, a pure function of
 * (seed, epoch, step).  Image i is mixed with its partner: image perm(i) of
 * the same batch where a row draws one part, image i of the second part where
 * it draws two.  The first of the two is the side of lambda.
 *
 * The loss of a mixed image is  w L(z, y_0) + (1 - w) L(z, y_1)  for the
 * labels y_0 and y_1 of the two; w is lambda unless a row says otherwise.
 */
#ifndef BL_MIX_MIX_H
#define BL_MIX_MIX_H

#include <stdbool.h>

#include "ballast/rng.h"
#include "ballast/train.h"

/** Where a batch is mixed. */
enum {
    BL_MIX_RANDOM = -1, /* the first three, drawn each batch */
    BL_MIX_INPUT = 0,   /* the images themselves             */
    BL_MIX_STAGE1 = 1,  /* behind the first stage            */
    BL_MIX_STAGE2 = 2,  /* behind the second                 */
    BL_MIX_POOL = 3     /* the pooled features               */
};

/** The keys mix.* of a run, and what the rows must know of it. */
typedef struct bl_mix_spec {
    const bl_mix_type *type;       /* of bl_mix_types                     */
    double alpha;                  /* lambda ~ Beta(alpha, alpha); 0: 1   */
    double kappa, tau;             /* remix                               */
    double probability;            /* of a batch to be mixed              */
    int32_t layer;                 /* BL_MIX_RANDOM to BL_MIX_POOL        */
    int64_t skip_first, skip_last; /* epochs without mixing               */
    int64_t epochs;                /* of the run                          */
    const int64_t *train_n;        /* [C] training counts, borrowed       */
    int32_t n_class, h, w, c;      /* classes, and extents of an image    */
    uint64_t seed;
} bl_mix_spec;

/** A rectangle of pixels; empty where height or width is 0. */
typedef struct bl_mix_box {
    int32_t top, left, height, width;
} bl_mix_box;

/** What was drawn for a step. */
typedef struct bl_mix_draw {
    double lambda;    /* share of the first image; 1 where nothing is mixed */
    int32_t location; /* BL_MIX_INPUT to BL_MIX_POOL                        */
    bool mixed;
    bl_mix_box box;   /* of the second image, where a row pastes */
} bl_mix_draw;

/** A row and what it does; functions may be NULL. */
typedef struct bl_mix_kind {
    bl_mix_type type;
    bl_status (*check)(const bl_mix_spec *spec);
    /** Draws lambda, location and box; NULL: nothing is ever mixed. */
    void (*draw)(bl_mix_draw *draw, const bl_mix_spec *spec, bl_rng *rng);
    /** Puts b into a, one image [h][w][c] each. */
    void (*pixels)(float *a, const float *b, const bl_mix_spec *spec,
                   const bl_mix_draw *draw);
    /** Share of label y_0 in the loss; NULL: lambda. */
    double (*weight)(const bl_mix_spec *spec, const bl_mix_draw *draw,
                     int32_t y_0, int32_t y_1);
} bl_mix_kind;

/** Errors   BL_EINVAL names the key that is out of its range. */
BL_MUST_USE bl_status bl_mix_check(const bl_mix_spec *spec);

/** Draws the mixing of a step.
 *
 * Shapes   perm [n] a permutation, written: image i is mixed with image
 *          perm[i].  The identity where nothing is mixed.  NULL for rows of
 *          two parts.
 * Exact    a pure function of the seed, epoch (1-based), step and n.
 */
bl_mix_draw bl_mix_draw_at(const bl_mix_spec *spec, int64_t epoch,
                           int64_t step, int64_t n, int32_t *perm);

/** True where pixels are to be mixed; false where the network mixes, or
 *  nobody. */
bool bl_mix_at_input(const bl_mix_draw *draw);

/** Puts image b into image a, [h][w][c] each. */
void bl_mix_pair(float *a, const float *b, const bl_mix_spec *spec,
                 const bl_mix_draw *draw);

/** Puts image perm(i) into image i, for every i at once.
 *
 * Shapes   x [n][h][w][c]; perm [n], as it was when the call is over;
 *          spare [h][w][c].
 */
void bl_mix_batch(float *x, int32_t *perm, int64_t n, float *spare,
                  const bl_mix_spec *spec, const bl_mix_draw *draw);

/** Labels and their weights.
 *
 * Shapes   y [2][n]: y[0] is given, and y[1] where two parts were drawn and
 *          mixed; otherwise y[1] is written.  perm [n] or NULL, as drawn.
 *          weight [2][n], written; of each image they add up to 1.
 */
void bl_mix_labels(int32_t *y, double *weight, const int32_t *perm, int64_t n,
                   const bl_mix_spec *spec, const bl_mix_draw *draw);

/* ---- the rows, and what they share --------------------------------------- */

extern const bl_mix_kind bl_mix_none;
extern const bl_mix_kind bl_mix_mixup;
extern const bl_mix_kind bl_mix_remix;
extern const bl_mix_kind bl_mix_cmo;
extern const bl_mix_kind bl_mix_manifold;
extern const bl_mix_kind bl_mix_manifold_two;

/** lambda ~ Beta(alpha, alpha), or 1 for alpha = 0. */
double bl_mix_beta(const bl_mix_spec *spec, bl_rng *rng);
/** mixup.c: lambda, at the input. */
void bl_mix_draw_input(bl_mix_draw *draw, const bl_mix_spec *spec,
                       bl_rng *rng);
/** mixup.c: a = lambda a + (1 - lambda) b. */
void bl_mix_blend(float *a, const float *b, const bl_mix_spec *spec,
                  const bl_mix_draw *draw);
/** manifold.c: the location, then lambda. */
void bl_mix_draw_inside(bl_mix_draw *draw, const bl_mix_spec *spec,
                        bl_rng *rng);

#endif
