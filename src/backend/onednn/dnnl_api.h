/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnnl_api.h: the whole of oneDNN that Ballast uses, for 2.x and 3.x alike.
 *
 * dnnl_api.c is the only file that includes oneDNN's header.  An op is one
 * planned pass of a convolution; its tensors are bound by address at each run.
 * Scratch is the caller's.  Ops run on the number of threads of their machine,
 * whichever thread calls; one op is run by one thread at a time.
 */
#ifndef BL_BACKEND_ONEDNN_DNNL_API_H
#define BL_BACKEND_ONEDNN_DNNL_API_H

#include "backend/backend.h"

/** An engine with its stream. */
typedef struct bl_dnnl bl_dnnl;
/** One pass of a convolution. */
typedef struct bl_dnnl_op bl_dnnl_op;

typedef enum bl_dnnl_pass {
    BL_DNNL_FORWARD, BL_DNNL_BACKWARD_DATA, BL_DNNL_BACKWARD_WEIGHTS,
    BL_DNNL_PASSES
} bl_dnnl_pass;

/** Tensors of an op; diff_src, diff_weights and diff_dst take the place of
 *  src, weights and dst.  Bias is read where desc.infer, f32. */
typedef enum bl_dnnl_slot {
    BL_DNNL_SRC, BL_DNNL_WEIGHTS, BL_DNNL_DST, BL_DNNL_BIAS, BL_DNNL_SCRATCH,
    BL_DNNL_SLOTS
} bl_dnnl_slot;

/** Version of the library that runs, "2.6.3". */
void bl_dnnl_version(char *text, size_t room);
/** Whether the processor multiplies bfloat16 natively, as oneDNN sees it. */
bool bl_dnnl_bf16_native(void);

BL_MUST_USE bl_status bl_dnnl_open(bl_dnnl **out, int32_t threads);
void bl_dnnl_close(bl_dnnl *dnnl);

/** Plans a pass.  dnnl must outlive the op.
 *  With desc.add the convolution is added to what dst holds.
 *  Errors BL_EUNSUPPORTED: oneDNN has no kernel for desc. */
BL_MUST_USE bl_status bl_dnnl_conv(bl_dnnl_op **out, bl_dnnl *dnnl,
                                   const bl_conv_desc *desc,
                                   bl_dnnl_pass pass);
void bl_dnnl_free(bl_dnnl_op *op);
/** Bytes of a slot's tensor in the op's own layout. */
size_t bl_dnnl_bytes(const bl_dnnl_op *op, bl_dnnl_slot slot);
/** oneDNN's name of the kernel; lives as long as the op. */
const char *bl_dnnl_kernel(const bl_dnnl_op *op);
/** place [oc ic kh kw]: where each weight of OIHW lies in the op's layout, in
 *  elements.  Elements that no weight owns must be zero. */
BL_MUST_USE bl_status bl_dnnl_places(const bl_dnnl_op *op, uint32_t *place);
/** c [m][n] = a b, or added to; f32 with dense rows: a [m][k], turned [k][m],
 *  and b [k][n], turned [n][k]. */
typedef struct bl_dnnl_product {
    int64_t m, n, k;
    bool turn_a, turn_b, add;
} bl_dnnl_product;

BL_MUST_USE bl_status bl_dnnl_multiply(const bl_dnnl *dnnl,
                                       const bl_dnnl_product *p,
                                       const float *a, const float *b,
                                       float *c);
/** Runs to the end.  Slots that the pass does not have may be NULL. */
BL_MUST_USE bl_status bl_dnnl_run(bl_dnnl_op *op,
                                  void *const at[BL_DNNL_SLOTS]);

#endif
