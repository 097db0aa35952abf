/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.h: batches of augmented, normalised images, made ahead of time by
 * threads of its own.
 *
 * A batch holds `streams` equal parts, one a sampler (BBN: uniform part
 * first, reversed part second).  Image i of a part is draw step * batch + i of
 * that part's sampler; its augmentation is keyed by (seed, epoch, part, draw).
 * An image is cropped and mirrored, goes through AutoAugment's policy, is
 * blackened by Cutout and normalised, and makes its draws in that order: the
 * crop is the same whatever follows it (docs/augmentation.md).
 * Where steps * batch exceeds the images of the split, the last step is short:
 * an epoch never draws more than n images a part.  Contents depend neither on
 * the number of threads nor on where a run was stopped.
 *
 * With a mix (src/mix/mix.h) the batch comes mixed, or with all that a network
 * needs to mix it:
 *
 *   drawn               x holds                  perm          parts
 *   nothing, or input   n images, mixed already  of the batch  1
 *   inside, one part    n images as they are     of the batch  1
 *   inside, two parts   both parts as they are   NULL          2
 *
 * perm is NULL at the input too where the partners come from a second part.
 */
#ifndef BL_DATA_LOADER_H
#define BL_DATA_LOADER_H

#include "ballast/data.h"
#include "ballast/sampler.h"
#include "mix/mix.h"

typedef struct bl_loader bl_loader;

typedef struct bl_loader_spec {
    const bl_split *split;           /* borrowed for the loader's life     */
    const bl_mix_spec *mix;          /* copied; NULL or type none: nothing */
                                     /*   is mixed                         */
    bl_sampler *const *samplers;     /* [streams], borrowed; the loader    */
    int32_t streams;                 /*   calls bl_sampler_begin           */
    int64_t batch;                   /* images a part                      */
    int64_t steps;                   /* steps an epoch; the last may be    */
                                     /*   short, but never empty           */
    bl_normalization normalization;
    int32_t pad;                     /* px of the random crop, 0: none     */
    int flip;                        /* mirror with probability one half   */
    int autoaugment;                 /* CIFAR-10's policy; c is 1 or 3     */
    int32_t cutout;                  /* px of the black square, 0: none    */
    uint64_t seed;
    int32_t threads;                 /* >= 1                               */
    int32_t ahead;                   /* batches held in memory, >= 2: one  */
                                     /*   is with the caller, so threads   */
                                     /*   above ahead - 1 have no work     */
} bl_loader_spec;

/** One batch; borrowed until the next call of bl_loader_next or _begin. */
typedef struct bl_batch {
    int64_t epoch, step;   /* 1-based epoch, 0-based step            */
    int64_t n;             /* images a part; < batch in a short step */
    int32_t parts;         /* images a sample in x: streams, or with */
                           /*   a mix as the table above says        */
    int32_t targets;       /* labels a sample: streams; with a mix 2 */
    const float *x;        /* [parts * n][h][w][c], normalised       */
    const int32_t *y;      /* [targets][n]                           */
    const int64_t *index;  /* [streams * n] positions in split; of a */
                           /*   part that was not needed, part 0's   */
    const double *lambda;  /* [targets][n] weights of the labels, 1  */
                           /*   in sum; NULL without a mix           */
    const int32_t *perm;   /* [n] partners, or NULL                  */
    int32_t location;      /* BL_MIX_INPUT: x is what to train on    */
    double mix;            /* lambda of the batch; 1: not mixed      */
} bl_batch;

BL_MUST_USE bl_status bl_loader_create(bl_loader **out,
                                       const bl_loader_spec *spec);
/** Joins the threads; NULL is allowed. */
void bl_loader_free(bl_loader *loader);
/** Starts making batches of an epoch from a step on (0-based); may be called
 *  at any time, what was made ahead is dropped. */
BL_MUST_USE bl_status bl_loader_begin(bl_loader *loader, int64_t epoch,
                                      int64_t step);
/** Draws by other samplers [streams] from the next begin on, which must come
 *  before the next batch is taken. */
void bl_loader_samplers(bl_loader *loader, bl_sampler *const *samplers);
/** Gives the next batch; BL_END after the last of the epoch.  When it waits
 *  for a worker, the time is added to bl_loader_waited. */
BL_MUST_USE bl_status bl_loader_next(bl_loader *loader, bl_batch *out);
/** Seconds the caller has waited since the loader was created. */
double bl_loader_waited(const bl_loader *loader);

/** Normalises n_px pixels of any images: x and pixels [n_px][c]. */
void bl_normalize(float *x, const uint8_t *pixels, int64_t n_px, int32_t c,
                  const bl_normalization *normalization);

#endif
