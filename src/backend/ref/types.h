/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h: one kernel text, several element types.
 *
 * A kernel is written once, in a .inc file, with these names:
 *
 *   T          storage of activations: float, bl_bf16, double
 *   R          storage of parameters and statistics: float, float, double
 *   LOAD(x)    a T as a double
 *   STORE(x)   a double rounded to T
 *   AT(name)   the name with the element type behind it
 *
 * each_act.h includes it for all three activations, each_real.h for f32 and
 * f64.  The two macros below choose an instance at run time; pointers to void
 * become typed ones on the way in.
 */
#ifndef BL_BACKEND_REF_TYPES_H
#define BL_BACKEND_REF_TYPES_H

#include <stdint.h>

#include "backend/bf16.h"

#define BL_BY_ACT(act, name, ...)                          \
    do {                                                   \
        switch (act) {                                     \
        case BL_F32: name##_f32(__VA_ARGS__); break;       \
        case BL_BF16: name##_bf16(__VA_ARGS__); break;     \
        case BL_F64: name##_f64(__VA_ARGS__); break;       \
        }                                                  \
    } while (0)

#define BL_BY_REAL(real, name, ...)    \
    do {                               \
        if ((real) == BL_F64) {        \
            name##_f64(__VA_ARGS__);   \
        } else {                       \
            name##_f32(__VA_ARGS__);   \
        }                              \
    } while (0)

/** Place of [i][j][k][l] in a dense array [.][nj][nk][nl]. */
static inline int64_t bl_at(int64_t i, int64_t j, int64_t nj, int64_t k,
                            int64_t nk, int64_t l, int64_t nl)
{
    return ((i * nj + j) * nk + k) * nl + l;
}

static inline double bl_bf16_load(bl_bf16 value)
{
    return (double)bl_bf16_to_f32(value);
}

static inline bl_bf16 bl_bf16_store(double value)
{
    return bl_bf16_from_f32((float)value);
}

#endif
