/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each_real.h: includes KERNELS once for every dtype of parameters; no guard,
 * a file may use it for several texts.  See types.h.
 */
#define R float
#define AT(name) name##_f32
#include KERNELS
#undef R
#undef AT

#define R double
#define AT(name) name##_f64
#include KERNELS
#undef R
#undef AT
#undef KERNELS
