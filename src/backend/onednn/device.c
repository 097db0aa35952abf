/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c: the machine, and the table.
 *
 * A device is a number of threads.  oneDNN asks OpenMP for it, where it is a
 * property of the calling thread; dnnl_api.c sets it around each call, so that
 * several devices, and callers on any thread, do not disturb one another.
 */
#include <omp.h>
#include <stdio.h>

#include "backend/onednn/onednn.h"
#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

/* More threads only wait for each other, and OpenMP ends the process when it
 * cannot start one. */
static int32_t most_threads(void)
{
    const int32_t most = 8 * (int32_t)omp_get_num_procs();
    return most > 64 ? most : 64;
}

/* oneDNN itself is the judge: it plans a small convolution, or does not. */
static bool runs(bl_dtype act)
{
    const bl_conv_desc desc = {
        .n = 1, .ih = 4, .iw = 4, .ic = 16, .oh = 4, .ow = 4, .oc = 16,
        .kh = 3, .kw = 3, .sh = 1, .sw = 1, .ph = 1, .pw = 1, .dh = 1,
        .dw = 1, .act = act};
    bl_dnnl *dnnl = NULL;
    bl_dnnl_op *op = NULL;
    if (act == BL_F64 || bl_dnnl_open(&dnnl, 1) < 0) return false;
    const bool planned =
        bl_dnnl_conv(&op, dnnl, &desc, BL_DNNL_BACKWARD_WEIGHTS) == BL_OK;
    bl_dnnl_free(op);
    bl_dnnl_close(dnnl);
    return planned;
}

static void describe_into(bl_onednn_device *dev)
{
    char version[32];
    bl_dnnl_version(version, sizeof version);
    (void)snprintf(dev->text, sizeof dev->text,
                   "oneDNN %s, %s, bf16 %s, %d thread%s", version,
                   dev->kernels[BL_BF16]->isa,
                   bl_dnnl_bf16_native() ? "native" : "emulated",
                   (int)dev->base.threads,
                   dev->base.threads == 1 ? "" : "s");
}

static void device_close(bl_device *dev)
{
    if (dev == NULL) return;
    bl_onednn_device *const own = (bl_onednn_device *)dev;
    bl_dnnl_close(own->dnnl);
    bl_free(own->room);
    bl_free(own);
}

bl_status bl_onednn_room(bl_device *dev, int64_t n, float **out)
{
    bl_onednn_device *const own = (bl_onednn_device *)dev;
    if (n > own->room_n) {
        BL_TRY(bl_realloc(&own->room, n, sizeof *own->room));
        own->room_n = n;
    }
    *out = own->room;
    return BL_OK;
}

static bl_status device_open(bl_device **out, int32_t threads)
{
    bl_onednn_device *dev = NULL;
    bl_status status = BL_OK;
    if (threads < 0)
        return BL_RAISE(BL_EINVAL, "threads: found %d, wanted 0 or more",
                        (int)threads);
    if (threads > most_threads()) threads = most_threads();
    BL_TRY(bl_calloc(&dev, 1, sizeof *dev));
    dev->base.threads = threads > 0 ? threads : (int32_t)omp_get_num_procs();
    dev->kernels[BL_F32] = bl_kernels_find(BL_F32, 0);
    dev->kernels[BL_BF16] = bl_kernels_find(BL_BF16, 0);
    BL_CHECK(bl_dnnl_open(&dev->dnnl, dev->base.threads));
    describe_into(dev);
    *out = &dev->base;
    return BL_OK;
done:
    device_close(&dev->base);
    return status;
}

static const char *device_describe(const bl_device *dev)
{
    return bl_onednn_of(dev)->text;
}

const bl_backend bl_backend_onednn = {
    .name = "onednn",
    .summary = "processors, by oneDNN and OpenMP",
    .fuses = true,

    .available = bl_ref_available,
    .runs = runs,
    .bf16_native = bl_dnnl_bf16_native,
    .open = device_open,
    .close = device_close,
    .describe = device_describe,
    .threads = bl_ref_threads,

    .alloc = bl_ref_alloc,
    .free = bl_ref_free,
    .upload = bl_ref_upload,
    .download = bl_ref_download,
    .convert = bl_onednn_convert,
    .sync = bl_ref_sync,

    .conv_create = bl_onednn_conv_create,
    .conv_free = bl_onednn_conv_free,
    .conv_scratch = bl_onednn_conv_scratch,
    .conv_describe = bl_onednn_conv_describe,
    .conv_prepare = bl_onednn_conv_prepare,
    .conv_forward = bl_onednn_conv_forward,
    .conv_backward_data = bl_onednn_conv_backward_data,
    .conv_backward_weights = bl_onednn_conv_backward_weights,

    .norm_scratch = bl_onednn_norm_scratch,
    .norm_forward = bl_onednn_norm_forward,
    .norm_again = bl_onednn_norm_again,
    .norm_infer = bl_onednn_norm_infer,
    .norm_freeze = bl_ref_norm_freeze,
    .norm_backward = bl_onednn_norm_backward,

    .relu_forward = bl_onednn_relu_forward,
    .relu_backward = bl_onednn_relu_backward,
    .add = bl_onednn_add,
    .shortcut_forward = bl_onednn_shortcut_forward,
    .shortcut_backward = bl_onednn_shortcut_backward,
    .concat_forward = bl_ref_concat_forward,
    .concat_backward = bl_ref_concat_backward,
    .scale = bl_ref_scale,
    .mix_forward = bl_onednn_mix_forward,
    .mix_backward = bl_onednn_mix_backward,

    .maxpool_forward = bl_ref_maxpool_forward,
    .maxpool_backward = bl_ref_maxpool_backward,
    .gap_forward = bl_onednn_gap_forward,
    .gap_backward = bl_onednn_gap_backward,

    .linear_forward = bl_onednn_linear_forward,
    .linear_backward = bl_onednn_linear_backward,
    .cosine_forward = bl_onednn_cosine_forward,
    .cosine_backward = bl_onednn_cosine_backward,
    .class_scale_forward = bl_ref_class_scale_forward,
    .class_scale_backward = bl_ref_class_scale_backward,

    .softmax_loss = bl_onednn_softmax_loss,
    .sigmoid_loss = bl_onednn_sigmoid_loss,
    .sgd = bl_onednn_sgd,
    .sum_squares = bl_onednn_sum_squares,
    .axpy = bl_onednn_axpy,
};
