/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.c: which instruction set this processor gets.
 *
 * A row for each table, best first; the processor is asked once, when a device
 * is opened.
 */
#include "backend/onednn/kernels.h"

#ifdef BL_KERNELS_X86

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512_bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

#endif

static bool has_all(void)
{
    return true;
}

static const struct {
    bool (*runs)(void);
    bl_dtype act;
    const bl_kernels *kernels;
} rows[] = {
#ifdef BL_KERNELS_X86
    {has_avx512_bf16, BL_BF16, &bl_kernels_avx512_native_bf16},
    {has_avx512, BL_BF16, &bl_kernels_avx512_bf16},
    {has_avx512, BL_F32, &bl_kernels_avx512_f32},
    {has_avx2, BL_BF16, &bl_kernels_avx2_bf16},
    {has_avx2, BL_F32, &bl_kernels_avx2_f32},
#endif
    {has_all, BL_BF16, &bl_kernels_base_bf16},
    {has_all, BL_F32, &bl_kernels_base_f32},
};

const bl_kernels *bl_kernels_find(bl_dtype act, int i)
{
    const int n = (int)(sizeof rows / sizeof *rows);
    for (int k = 0; k < n; k++)
        if (rows[k].act == act && rows[k].runs() && i-- == 0)
            return rows[k].kernels;
    return NULL;
}
