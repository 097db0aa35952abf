/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.c: the families of losses, a batch cut among threads.
 *
 * With ten classes a loss is a thousandth of a step; with thousands its
 * exponentials, in double as ref has them, are worth every thread.  Part t adds
 * up the t-th stretch of images and the parts are added in their order.
 */
#include "backend/onednn/onednn.h"
#include "core/error.h"

enum { PARTS_MAX = 64 };

/** A class of an image costs a dozen times an element-wise operation. */
static int32_t parts_of(const bl_device *dev, const bl_softmax_desc *desc)
{
    const int32_t most = bl_onednn_threads(dev, 12 * desc->n * desc->c);
    const int32_t parts = most < PARTS_MAX ? most : PARTS_MAX;
    return desc->n < parts ? (int32_t)desc->n : parts;
}

static bl_status in_parts(bl_device *dev, const bl_ref_loss *family,
                          const bl_softmax_desc *desc, const void *z,
                          const int32_t *y, const double *lambda,
                          const bl_class_terms *terms, double *loss,
                          double *wrong, void *diff_z)
{
    double losses[PARTS_MAX] = {0}, wrongs[PARTS_MAX][BL_TARGETS_MAX] = {{0}};
    BL_TRY(family->check(desc, y, terms));
    const int32_t parts = parts_of(dev, desc);
#pragma omp parallel for num_threads(parts) schedule(static)
    for (int32_t t = 0; t < parts; t++) {
        const bl_stretch s = bl_stretch_of(desc->n, parts, t);
        family->part(desc, s.from, s.to, z, y, lambda, terms, &losses[t],
                     wrongs[t], diff_z);
    }
    *loss = 0;
    for (int32_t k = 0; k < desc->targets; k++) wrong[k] = 0;
    for (int32_t t = 0; t < parts; t++) {
        *loss += losses[t];
        for (int32_t k = 0; k < desc->targets; k++) wrong[k] += wrongs[t][k];
    }
    return BL_OK;
}

bl_status bl_onednn_softmax_loss(bl_device *dev, const bl_softmax_desc *desc,
                                 const void *z, const int32_t *y,
                                 const double *lambda,
                                 const bl_class_terms *terms, double *loss,
                                 double *wrong, void *diff_z)
{
    return in_parts(dev, &bl_ref_softmax, desc, z, y, lambda, terms, loss,
                    wrong, diff_z);
}

bl_status bl_onednn_sigmoid_loss(bl_device *dev, const bl_softmax_desc *desc,
                                 const void *z, const int32_t *y,
                                 const double *lambda,
                                 const bl_class_terms *terms, double *loss,
                                 double *wrong, void *diff_z)
{
    return in_parts(dev, &bl_ref_sigmoid, desc, z, y, lambda, terms, loss,
                    wrong, diff_z);
}
