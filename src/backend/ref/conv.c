/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c: the reference convolution as an object.
 *
 * It keeps the description and the addresses that prepare was given: the
 * weights are read where they lie, so they must stay there until the passes
 * have run.  The loops are in conv.inc.
 */
#include <stdio.h>

#include "backend/ref/ref.h"
#include "backend/ref/types.h"
#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

#define KERNELS "backend/ref/conv.inc"
#include "backend/ref/each_act.h"

/* What bl_conv points to here; other backends have their own. */
typedef struct ref_conv {
    bl_conv_desc desc;
    const void *weights; // [oc][ic][kh][kw] real
    const void *scale;   // [oc] real or NULL
    const void *shift;   // [oc] real or NULL
} ref_conv;

static const ref_conv *ref_of(const bl_conv *conv)
{
    return (const ref_conv *)(const void *)conv;
}

static bl_status check(const bl_conv_desc *d)
{
    const int64_t positive[] = {d->n,  d->ih, d->iw, d->ic, d->oh,
                                d->ow, d->oc, d->kh, d->kw, d->sh,
                                d->sw, d->dh, d->dw};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++) {
        if (positive[i] < 1) {
            return BL_RAISE(BL_EINVAL,
                            "convolution: an extent is %lld, not at least 1",
                            (long long)positive[i]);
        }
    }
    if (d->ph < 0 || d->pw < 0) {
        return BL_RAISE(BL_EINVAL, "convolution: padding %lld x %lld < 0",
                        (long long)d->ph, (long long)d->pw);
    }
    if (!d->infer && (d->add || d->relu)) {
        return BL_RAISE(BL_EINVAL,
                        "convolution: an epilogue is for inference alone");
    }
    return BL_OK;
}

bl_status bl_ref_conv_create(bl_device *dev, bl_conv **out,
                             const bl_conv_desc *desc)
{
    (void)dev;
    BL_TRY(check(desc));
    ref_conv *conv = NULL;
    BL_TRY(bl_calloc(&conv, 1, sizeof *conv));
    conv->desc = *desc;
    *out = (bl_conv *)(void *)conv;
    return BL_OK;
}

void bl_ref_conv_free(bl_conv *conv)
{
    bl_free(conv);
}

size_t bl_ref_conv_scratch(const bl_conv *conv)
{
    (void)conv;
    return 0;
}

void bl_ref_conv_describe(const bl_conv *conv, char *text, size_t room)
{
    (void)snprintf(text, room, "ref direct %s",
                   bl_dtype_name(ref_of(conv)->desc.act));
}

bl_status bl_ref_conv_prepare(bl_conv *conv, const void *weights,
                              const void *scale, const void *shift)
{
    ref_conv *const c = (ref_conv *)(void *)conv;
    c->weights = weights;
    c->scale = scale;
    c->shift = shift;
    return BL_OK;
}

bl_status bl_ref_conv_forward(bl_conv *conv, const void *src, const void *add,
                              void *dst, void *scratch)
{
    (void)scratch;
    const ref_conv *const c = ref_of(conv);
    BL_BY_ACT(c->desc.act, conv_forward, &c->desc, src, c->weights, c->scale,
              c->shift, add, dst);
    return BL_OK;
}

bl_status bl_ref_conv_backward_data(bl_conv *conv, const void *diff_dst,
                                    void *diff_src, void *scratch)
{
    (void)scratch;
    const ref_conv *const c = ref_of(conv);
    BL_BY_ACT(c->desc.act, conv_backward_data, &c->desc, diff_dst, c->weights,
              diff_src);
    return BL_OK;
}

bl_status bl_ref_conv_backward_weights(bl_conv *conv, const void *src,
                                       const void *diff_dst,
                                       void *diff_weights, bool accumulate,
                                       void *scratch)
{
    (void)scratch;
    const ref_conv *const c = ref_of(conv);
    BL_BY_ACT(c->desc.act, conv_backward_weights, &c->desc, src, diff_dst,
              diff_weights, accumulate);
    return BL_OK;
}
