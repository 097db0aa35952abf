/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights_bf16.h: gradient of a convolution's weights from bf16 tensors, by
 * AVX512-BF16, for shapes whose working set stays in the second-level cache.
 */
#ifndef BL_BACKEND_ONEDNN_WEIGHTS_BF16_H
#define BL_BACKEND_ONEDNN_WEIGHTS_BF16_H

#include "backend/backend.h"

/** Whether this processor and shape are served, and better than by oneDNN's
 *  kernel of the given name. */
bool bl_weights_bf16_fits(const bl_conv_desc *desc, const char *kernel);
/** Bytes of scratch, a multiple of 64. */
size_t bl_weights_bf16_scratch(const bl_conv_desc *desc, int32_t threads);
/** place [oc][ic][kh][kw]: where run leaves each weight's gradient, in floats
 *  from the start of scratch. */
void bl_weights_bf16_places(const bl_conv_desc *desc, uint32_t *place);
void bl_weights_bf16_run(const bl_conv_desc *desc, int32_t threads,
                         const void *src, const void *diff_dst,
                         void *scratch);

#endif
