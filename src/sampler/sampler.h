/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h: the rows of bl_sampler_types, one idea a file.
 */
#ifndef BL_SAMPLER_SAMPLER_H
#define BL_SAMPLER_SAMPLER_H

#include "ballast/sampler.h"

extern const bl_sampler_type bl_sampler_permutation;
extern const bl_sampler_type bl_sampler_uniform;
extern const bl_sampler_type bl_sampler_balanced;
extern const bl_sampler_type bl_sampler_reversed;
extern const bl_sampler_type bl_sampler_sqrt;
extern const bl_sampler_type bl_sampler_progressive;

#endif
