/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c: the reference convolution as an object.
 *
 * It keeps the description and the addresses that prepare was given: the
 * weights are read where they lie, so they must stay there until the passes
 * have run.  The loops are in conv.inc.
 */
#include <stdio.h>
#include <string.h>

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
    const void *weights; // [oc][ic][kh][kw] real, the caller's
    void *scale;         // [oc] real, a copy; NULL unless infer
    void *shift;         // [oc] real, a copy; NULL unless infer
    bool scaled, shifted; /* whether the last prepare gave them */
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
    const size_t real = bl_dtype_size(bl_dtype_real(desc->act));
    ref_conv *conv = NULL;
    bl_status status;
    BL_CHECK(bl_calloc(&conv, 1, sizeof *conv));
    conv->desc = *desc;
    if (desc->infer) {
        BL_CHECK(bl_calloc(&conv->scale, desc->oc, real));
        BL_CHECK(bl_calloc(&conv->shift, desc->oc, real));
    }
    *out = (bl_conv *)(void *)conv;
    return BL_OK;
done:
    bl_ref_conv_free((bl_conv *)(void *)conv);
    return status;
}

void bl_ref_conv_free(bl_conv *conv)
{
    if (conv == NULL) return;
    ref_conv *const c = (ref_conv *)(void *)conv;
    bl_free(c->scale);
    bl_free(c->shift);
    bl_free(c);
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
    const size_t bytes = (size_t)c->desc.oc *
                         bl_dtype_size(bl_dtype_real(c->desc.act));
    c->weights = weights;
    c->scaled = c->desc.infer && scale != NULL;
    c->shifted = c->desc.infer && shift != NULL;
    if (c->scaled) memcpy(c->scale, scale, bytes);
    if (c->shifted) memcpy(c->shift, shift, bytes);
    return BL_OK;
}

bl_status bl_ref_conv_forward(bl_conv *conv, const void *src, const void *add,
                              void *dst, void *scratch)
{
    (void)scratch;
    const ref_conv *const c = ref_of(conv);
    BL_BY_ACT(c->desc.act, conv_forward, &c->desc, src, c->weights,
              c->scaled ? c->scale : NULL, c->shifted ? c->shift : NULL, add,
              dst);
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
