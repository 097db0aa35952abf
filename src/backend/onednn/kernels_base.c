/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels_base.c: kernels_body.h for the processor the library is built for.
 *
 * Four floats fill a register of SSE2 and of NEON; where a register is wider
 * or there is none, the compiler splits or joins.
 */
#define BL_VECTOR 4
#define BL_NATIVE_BF16 0
#define BL_ISA "baseline"

#define BL_BF16_STORAGE 0
#define BL_NAME(x) x##_f32
#define BL_TABLE bl_kernels_base_f32
#include "backend/onednn/kernels_body.h"

#define BL_BF16_STORAGE 1
#define BL_NAME(x) x##_bf16
#define BL_TABLE bl_kernels_base_bf16
#include "backend/onednn/kernels_body.h"
