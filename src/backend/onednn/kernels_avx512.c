/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels_avx512.c: kernels_body.h for x86-64 with AVX-512 (F, BW, DQ, VL).
 */
#include "backend/onednn/kernels.h"

#ifdef BL_KERNELS_X86

#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target( \
    "avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif

#define BL_VECTOR 16
#define BL_NATIVE_BF16 0
#define BL_ISA "avx512"

#define BL_BF16_STORAGE 0
#define BL_NAME(x) x##_f32
#define BL_TABLE bl_kernels_avx512_f32
#include "backend/onednn/kernels_body.h"

#define BL_BF16_STORAGE 1
#define BL_NAME(x) x##_bf16
#define BL_TABLE bl_kernels_avx512_bf16
#include "backend/onednn/kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
