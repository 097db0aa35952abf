/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.c: the reference backend: the host as a device, and the table.
 *
 * Its kernels are the textbook: loops named by the letters of backend.h, sums
 * in double whatever the storage, one thread, no scratch.  They exist to be
 * read and to be compared with, so nothing in them is there for speed, and
 * the order of every sum is fixed: results are the same bits on any machine
 * with IEEE arithmetic.  A backend that lacks an entry borrows it from here.
 */
#include "backend/ref/ref.h"

#include <string.h>

#include "backend/ref/types.h"
#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

bool bl_ref_available(void)
{
    return true;
}

bool bl_ref_runs(bl_dtype act)
{
    (void)act;
    return true;
}

bool bl_ref_bf16_native(void)
{
    return false;
}

/* Any number of threads is granted, and one is used. */
bl_status bl_ref_open(bl_device **out, int32_t threads)
{
    if (threads < 0) {
        return BL_RAISE(BL_EINVAL, "threads: %d is not at least 0",
                        (int)threads);
    }
    bl_device *dev = NULL;
    BL_TRY(bl_calloc(&dev, 1, sizeof *dev));
    dev->threads = 1;
    *out = dev;
    return BL_OK;
}

void bl_ref_close(bl_device *dev)
{
    bl_free(dev);
}

const char *bl_ref_describe(const bl_device *dev)
{
    (void)dev;
    return "reference C, sums in f64, 1 thread";
}

int32_t bl_ref_threads(const bl_device *dev)
{
    return dev->threads;
}

/* ---- memory: the device's is the host's --------------------------------- */

bl_status bl_ref_alloc(bl_device *dev, void **out, size_t bytes)
{
    (void)dev;
    return bl_slab_alloc(out, bytes);
}

void bl_ref_free(bl_device *dev, void *memory)
{
    (void)dev;
    bl_free(memory);
}

bl_status bl_ref_upload(bl_device *dev, void *dst, const void *host,
                        size_t bytes)
{
    (void)dev;
    memcpy(dst, host, bytes);
    return BL_OK;
}

bl_status bl_ref_download(bl_device *dev, void *host, const void *src,
                          size_t bytes)
{
    (void)dev;
    memcpy(host, src, bytes);
    return BL_OK;
}

static void convert_f32(const float *src, int64_t count, float *dst)
{
    memcpy(dst, src, (size_t)count * sizeof *dst);
}

static void convert_bf16(const float *src, int64_t count, bl_bf16 *dst)
{
    for (int64_t i = 0; i < count; i++) dst[i] = bl_bf16_from_f32(src[i]);
}

static void convert_f64(const float *src, int64_t count, double *dst)
{
    for (int64_t i = 0; i < count; i++) dst[i] = (double)src[i];
}

bl_status bl_ref_convert(bl_device *dev, void *dst, bl_dtype act,
                         const float *src, int64_t count)
{
    (void)dev;
    BL_BY_ACT(act, convert, src, count, dst);
    return BL_OK;
}

bl_status bl_ref_sync(bl_device *dev)
{
    (void)dev;
    return BL_OK;
}

/* ---- the table ----------------------------------------------------------- */

const bl_backend bl_backend_ref = {
    .name = "ref",
    .summary = "readable C, the specification of the others",
    .fuses = false, /* it runs networks layer by layer, as written */

    .available = bl_ref_available,
    .runs = bl_ref_runs,
    .bf16_native = bl_ref_bf16_native,
    .open = bl_ref_open,
    .close = bl_ref_close,
    .describe = bl_ref_describe,
    .threads = bl_ref_threads,

    .alloc = bl_ref_alloc,
    .free = bl_ref_free,
    .upload = bl_ref_upload,
    .download = bl_ref_download,
    .convert = bl_ref_convert,
    .sync = bl_ref_sync,

    .conv_create = bl_ref_conv_create,
    .conv_free = bl_ref_conv_free,
    .conv_scratch = bl_ref_conv_scratch,
    .conv_describe = bl_ref_conv_describe,
    .conv_prepare = bl_ref_conv_prepare,
    .conv_forward = bl_ref_conv_forward,
    .conv_backward_data = bl_ref_conv_backward_data,
    .conv_backward_weights = bl_ref_conv_backward_weights,

    .norm_scratch = bl_ref_norm_scratch,
    .norm_forward = bl_ref_norm_forward,
    .norm_again = bl_ref_norm_again,
    .norm_infer = bl_ref_norm_infer,
    .norm_freeze = bl_ref_norm_freeze,
    .norm_backward = bl_ref_norm_backward,

    .relu_forward = bl_ref_relu_forward,
    .relu_backward = bl_ref_relu_backward,
    .add = bl_ref_add,
    .shortcut_forward = bl_ref_shortcut_forward,
    .shortcut_backward = bl_ref_shortcut_backward,
    .concat_forward = bl_ref_concat_forward,
    .concat_backward = bl_ref_concat_backward,
    .scale = bl_ref_scale,
    .mix_forward = bl_ref_mix_forward,
    .mix_backward = bl_ref_mix_backward,

    .maxpool_forward = bl_ref_maxpool_forward,
    .maxpool_backward = bl_ref_maxpool_backward,
    .gap_forward = bl_ref_gap_forward,
    .gap_backward = bl_ref_gap_backward,

    .linear_forward = bl_ref_linear_forward,
    .linear_backward = bl_ref_linear_backward,
    .cosine_forward = bl_ref_cosine_forward,
    .cosine_backward = bl_ref_cosine_backward,
    .class_scale_forward = bl_ref_class_scale_forward,
    .class_scale_backward = bl_ref_class_scale_backward,

    .softmax_loss = bl_ref_softmax_loss,
    .sigmoid_loss = bl_ref_sigmoid_loss,
    .sgd = bl_ref_sgd,
    .sum_squares = bl_ref_sum_squares,
    .axpy = bl_ref_axpy,
};
