/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c: convolutions by oneDNN.
 *
 * A bl_conv holds up to three planned passes.  The weights of the forward pass
 * and of backward data are kept in the layouts that the primitives chose;
 * prepare writes them from the OIHW masters through tables of places (see
 * dnnl_api.c), rounding to bf16 on the way.  Padding in those layouts is zero
 * from the start and never written.
 *
 * Backward weights run into scratch, in f32, and are gathered from there into
 * OIHW with or without accumulation.  For bf16 tensors of few channels this
 * folder's own kernel is the faster one (weights_bf16.c).
 *
 * At inference the scale is folded into the weights, the shift is the bias,
 * add is copied to dst and summed there, ReLU is a post-op.
 */
#include <stdio.h>
#include <string.h>

#include "backend/bf16.h"
#include "backend/onednn/onednn.h"
#include "backend/onednn/weights_bf16.h"
#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

struct bl_conv {
    bl_device *dev;                  /* borrowed */
    bl_conv_desc desc;
    int64_t count;                   /* oc ic kh kw */
    bl_dnnl_op *op[BL_DNNL_PASSES];  /* NULL: pass not wanted */
    uint32_t *place[BL_DNNL_PASSES]; /* [oc ic kh kw] */
    void *weights[2];                /* by pass, in its layout, act */
    float *bias;                     /* [oc] */
    bool own_weights;                /* weights_bf16.c, not oneDNN */
    size_t scratch, diff_weights;    /* bytes: in all, of the last pass */
};

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void scratch_need(bl_conv *conv, size_t bytes)
{
    if (bytes > conv->scratch) conv->scratch = bytes;
}

static bl_status pass_create(bl_conv *conv, bl_dnnl_pass pass)
{
    BL_TRY(bl_dnnl_conv(&conv->op[pass], bl_onednn_of(conv->dev)->dnnl,
                        &conv->desc, pass));
    return bl_calloc(&conv->place[pass], conv->count, sizeof(uint32_t));
}

/* Forward and backward data keep weights. */
static bl_status product_create(bl_conv *conv, bl_dnnl_pass pass)
{
    BL_TRY(pass_create(conv, pass));
    BL_TRY(bl_dnnl_places(conv->op[pass], conv->place[pass]));
    scratch_need(conv, bl_dnnl_bytes(conv->op[pass], BL_DNNL_SCRATCH));
    return bl_slab_alloc(&conv->weights[pass],
                         bl_dnnl_bytes(conv->op[pass], BL_DNNL_WEIGHTS));
}

static bl_status weights_create(bl_conv *conv)
{
    const bl_dnnl_pass pass = BL_DNNL_BACKWARD_WEIGHTS;
    BL_TRY(pass_create(conv, pass));
    const bl_dnnl_op *const op = conv->op[pass];
    conv->own_weights =
        bl_weights_bf16_fits(&conv->desc, bl_dnnl_kernel(op));
    if (conv->own_weights) {
        scratch_need(conv, bl_weights_bf16_scratch(&conv->desc,
                                                   conv->dev->threads));
        bl_weights_bf16_places(&conv->desc, conv->place[pass]);
        return BL_OK;
    }
    conv->diff_weights = rounded(bl_dnnl_bytes(op, BL_DNNL_WEIGHTS));
    scratch_need(conv, conv->diff_weights
                           + bl_dnnl_bytes(op, BL_DNNL_SCRATCH));
    return bl_dnnl_places(op, conv->place[pass]);
}

bl_status bl_onednn_conv_create(bl_device *dev, bl_conv **out,
                                const bl_conv_desc *desc)
{
    bl_conv *conv = NULL;
    bl_status status = BL_OK;
    BL_TRY(bl_calloc(&conv, 1, sizeof *conv));
    conv->dev = dev;
    conv->desc = *desc;
    conv->count = desc->oc * desc->ic * desc->kh * desc->kw;
    BL_CHECK(product_create(conv, BL_DNNL_FORWARD));
    if (!desc->infer && desc->need_diff_src)
        BL_CHECK(product_create(conv, BL_DNNL_BACKWARD_DATA));
    if (!desc->infer) BL_CHECK(weights_create(conv));
    if (desc->infer)
        BL_CHECK(bl_calloc(&conv->bias, desc->oc, sizeof *conv->bias));
    *out = conv;
    conv = NULL;
done:
    bl_onednn_conv_free(conv);
    return status;
}

void bl_onednn_conv_free(bl_conv *conv)
{
    if (conv == NULL) return;
    for (int i = 0; i < BL_DNNL_PASSES; i++) {
        bl_dnnl_free(conv->op[i]);
        bl_free(conv->place[i]);
    }
    bl_free(conv->weights[0]);
    bl_free(conv->weights[1]);
    bl_free(conv->bias);
    bl_free(conv);
}

size_t bl_onednn_conv_scratch(const bl_conv *conv)
{
    return conv->scratch;
}

void bl_onednn_conv_describe(const bl_conv *conv, char *text, size_t room)
{
    const char *name[BL_DNNL_PASSES];
    for (int i = 0; i < BL_DNNL_PASSES; i++)
        name[i] = conv->op[i] != NULL ? bl_dnnl_kernel(conv->op[i]) : "-";
    if (conv->own_weights) name[BL_DNNL_BACKWARD_WEIGHTS] = "weights_bf16";
    (void)snprintf(text, room, "%s / %s / %s", name[0], name[1], name[2]);
}

/* ---- weights ------------------------------------------------------------ */

/** One output channel into its places. */
static void channel_write(const bl_conv *conv, int pass, int64_t o,
                          const float *weights, float scale)
{
    const int64_t each = conv->count / conv->desc.oc;
    const uint32_t *const place = conv->place[pass] + o * each;
    const float *const from = weights + o * each; // [ic][kh][kw]
    if (conv->desc.act == BL_BF16) {
        bl_bf16 *const to = conv->weights[pass];
        for (int64_t i = 0; i < each; i++)
            to[place[i]] = bl_bf16_from_f32(from[i] * scale);
    } else {
        float *const to = conv->weights[pass];
        for (int64_t i = 0; i < each; i++) to[place[i]] = from[i] * scale;
    }
}

bl_status bl_onednn_conv_prepare(bl_conv *conv, const void *weights,
                                 const void *scale, const void *shift)
{
    const int32_t threads = bl_onednn_threads(conv->dev, conv->count);
    const int64_t oc = conv->desc.oc;
    const float *const w = weights, *const s = scale;
    for (int pass = 0; pass < BL_DNNL_BACKWARD_WEIGHTS; pass++) {
        if (conv->op[pass] == NULL) continue;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t o = 0; o < oc; o++)
            channel_write(conv, pass, o, w, s != NULL ? s[o] : 1.0f);
    }
    if (conv->bias != NULL && shift != NULL)
        memcpy(conv->bias, shift, (size_t)oc * sizeof *conv->bias);
    return BL_OK;
}

/** diff_weights [oc ic kh kw] (+)= found, in the primitive's layout. */
static void gather(const bl_conv *conv, const float *found,
                   float *diff_weights, bool accumulate)
{
    const uint32_t *const place = conv->place[BL_DNNL_BACKWARD_WEIGHTS];
    const int64_t n = conv->count;
    const int32_t threads = bl_onednn_threads(conv->dev, n);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        diff_weights[i] = (accumulate ? diff_weights[i] : 0.0f)
            + found[place[i]];
}

/* ---- passes ------------------------------------------------------------- */

/* oneDNN takes addresses of inputs without const; it does not write them. */
static void *readable(const void *address)
{
    void *out = NULL;
    memcpy(&out, &address, sizeof out);
    return out;
}

/** Copies add to dst, each thread the rows that it will convolve. */
static void copy(const bl_conv *conv, const void *add, void *dst)
{
    const bl_conv_desc *const d = &conv->desc;
    const int32_t threads = conv->dev->threads;
    const int64_t rows = d->n * d->oh;
    const int64_t bytes = d->ow * d->oc * (int64_t)bl_dtype_size(d->act);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int32_t t = 0; t < threads; t++) {
        const bl_stretch s = bl_stretch_of(rows, threads, t);
        memcpy((char *)dst + s.from * bytes,
               (const char *)add + s.from * bytes,
               (size_t)((s.to - s.from) * bytes));
    }
}

bl_status bl_onednn_conv_forward(bl_conv *conv, const void *src,
                                 const void *add, void *dst, void *scratch)
{
    void *const at[BL_DNNL_SLOTS] = {
        [BL_DNNL_SRC] = readable(src),
        [BL_DNNL_WEIGHTS] = conv->weights[BL_DNNL_FORWARD],
        [BL_DNNL_DST] = dst, [BL_DNNL_BIAS] = conv->bias,
        [BL_DNNL_SCRATCH] = scratch};
    if (conv->desc.infer && conv->desc.add) copy(conv, add, dst);
    return bl_dnnl_run(conv->op[BL_DNNL_FORWARD], at);
}

bl_status bl_onednn_conv_backward_data(bl_conv *conv, const void *diff_dst,
                                       void *diff_src, void *scratch)
{
    if (conv->op[BL_DNNL_BACKWARD_DATA] == NULL)
        return BL_RAISE(BL_EINVAL, "onednn: backward data of a convolution "
                        "planned without it");
    void *const at[BL_DNNL_SLOTS] = {
        [BL_DNNL_SRC] = diff_src,
        [BL_DNNL_WEIGHTS] = conv->weights[BL_DNNL_BACKWARD_DATA],
        [BL_DNNL_DST] = readable(diff_dst), [BL_DNNL_SCRATCH] = scratch};
    return bl_dnnl_run(conv->op[BL_DNNL_BACKWARD_DATA], at);
}

bl_status bl_onednn_conv_backward_weights(bl_conv *conv, const void *src,
                                          const void *diff_dst,
                                          void *diff_weights, bool accumulate,
                                          void *scratch)
{
    if (conv->op[BL_DNNL_BACKWARD_WEIGHTS] == NULL)
        return BL_RAISE(BL_EINVAL, "onednn: backward weights of a "
                        "convolution planned without it");
    float *const found = scratch;
    void *const at[BL_DNNL_SLOTS] = {
        [BL_DNNL_SRC] = readable(src), [BL_DNNL_WEIGHTS] = found,
        [BL_DNNL_DST] = readable(diff_dst),
        [BL_DNNL_SCRATCH] = (char *)scratch + conv->diff_weights};
    if (conv->own_weights)
        bl_weights_bf16_run(&conv->desc, conv->dev->threads, src, diff_dst,
                            scratch);
    else
        BL_TRY(bl_dnnl_run(conv->op[BL_DNNL_BACKWARD_WEIGHTS], at));
    gather(conv, found, diff_weights, accumulate);
    return BL_OK;
}
