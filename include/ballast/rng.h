/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.h: counter-based random numbers.
 *
 * A stream is a pure function of (seed, purpose, epoch, index): two threads,
 * two processes or a resumed run that ask for the same stream read the same
 * numbers.  Generator: Philox4x32-10 (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 */
#ifndef BALLAST_RNG_H
#define BALLAST_RNG_H

#include <stdint.h>

#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a stream is for; streams of different purpose are independent. */
typedef enum bl_purpose {
    BL_PURPOSE_INIT = 1,    /* index: number of the parameter        */
    BL_PURPOSE_ORDER = 2,   /* index: stream number                  */
    BL_PURPOSE_DRAW = 3,    /* index: stream << 40 | draw in epoch   */
    BL_PURPOSE_AUGMENT = 4, /* index: stream << 40 | draw in epoch   */
    BL_PURPOSE_MIX = 5,     /* index: step in epoch for BBN's alpha,
                               1 << 40 | step for mixing of images   */
    BL_PURPOSE_SPLIT = 6,   /* index: class                          */
    BL_PURPOSE_TEST = 7
} bl_purpose;

/** One stream, by value; copy it to fork it at its present position. */
typedef struct bl_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t word[4]; /* the present block of output */
    uint32_t used;    /* words of it already given   */
} bl_rng;

/** Opens the stream (seed, purpose, epoch, index).
 *
 * Needs    index < 2^48.
 */
BL_API bl_rng bl_rng_at(uint64_t seed, bl_purpose purpose, uint32_t epoch,
                        uint64_t index);

/** Next 32 uniform bits. */
BL_API uint32_t bl_rng_u32(bl_rng *rng);

/** Uniform real in [0, 1), 53 bits. */
BL_API double bl_rng_unit(bl_rng *rng);

/** Uniform integer in [0, n), unbiased (rejection); n >= 1. */
BL_API uint64_t bl_rng_below(bl_rng *rng, uint64_t n);

/** Standard normal (Box and Muller, two uniforms a call). */
BL_API double bl_rng_normal(bl_rng *rng);

/** Beta(a, b), a > 0 and b > 0.  Source: Johnk for a, b <= 1, otherwise two
 *  gamma variates (Marsaglia and Tsang 2000). */
BL_API double bl_rng_beta(bl_rng *rng, double a, double b);

#ifdef __cplusplus
}
#endif
#endif
