/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mt19937.h: NumPy's legacy generator, for the reference subset alone.
 */
#ifndef BL_CORE_MT19937_H
#define BL_CORE_MT19937_H

#include <stdint.h>

typedef struct bl_mt19937 {
    uint32_t key[624];
    int32_t position;
} bl_mt19937;

/** numpy.random.RandomState(seed). */
void bl_mt19937_seed(bl_mt19937 *mt, uint32_t seed);
uint32_t bl_mt19937_u32(bl_mt19937 *mt);
/** Uniform integer in [0, max], by mask and rejection. */
uint32_t bl_mt19937_interval(bl_mt19937 *mt, uint32_t max);
/** RandomState.shuffle on an array of int64. */
void bl_mt19937_shuffle(bl_mt19937 *mt, int64_t *a, int64_t n);

#endif
