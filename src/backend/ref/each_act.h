/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each_act.h: includes KERNELS once for every dtype of activations; no guard,
 * a file may use it for several texts.  See types.h.
 */
#define T float
#define R float
#define LOAD(x) ((double)(x))
#define STORE(x) ((float)(x))
#define AT(name) name##_f32
#include KERNELS
#undef T
#undef LOAD
#undef STORE
#undef AT

#define T bl_bf16
#define LOAD(x) bl_bf16_load(x)
#define STORE(x) bl_bf16_store(x)
#define AT(name) name##_bf16
#include KERNELS
#undef T
#undef R
#undef LOAD
#undef STORE
#undef AT

#define T double
#define R double
#define LOAD(x) (x)
#define STORE(x) (x)
#define AT(name) name##_f64
#include KERNELS
#undef T
#undef R
#undef LOAD
#undef STORE
#undef AT
#undef KERNELS
