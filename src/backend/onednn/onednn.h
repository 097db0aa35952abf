/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onednn.h: the backend for processors.
 *
 * Convolutions are oneDNN's; batch norm and everything element-wise are this
 * folder's own, over OpenMP; what costs nothing in a step stays ref's.  It
 * runs f32 and bf16 plans, so `real` is f32 throughout.
 *
 * Work is cut into one part for each thread, and part t always covers the
 * t-th stretch of rows: results depend on the number of threads, not on who
 * comes first, and a thread finds in its second-level cache what it wrote in
 * the operation before.
 */
#ifndef BL_BACKEND_ONEDNN_ONEDNN_H
#define BL_BACKEND_ONEDNN_ONEDNN_H

#include "backend/backend.h"
#include "backend/onednn/dnnl_api.h"
#include "backend/onednn/kernels.h"
#include "backend/ref/ref.h"

extern const bl_backend bl_backend_onednn;

/** The device of this backend; begins with what ref's functions use. */
typedef struct bl_onednn_device {
    struct bl_device base;
    bl_dnnl *dnnl;
    const bl_kernels *kernels[2]; /* by dtype, BL_F32 and BL_BF16 */
    float *room;                  /* [room_n], of one operation at a time */
    int64_t room_n;
    char text[160];
} bl_onednn_device;

static inline const bl_onednn_device *bl_onednn_of(const bl_device *dev)
{
    return (const bl_onednn_device *)dev;
}

/** Rows [from, to). */
typedef struct bl_stretch {
    int64_t from, to;
} bl_stretch;

/** Part t of count things cut into n parts whose sizes differ by at most 1. */
static inline bl_stretch bl_stretch_of(int64_t count, int32_t n, int32_t t)
{
    const int64_t each = count / n, rest = count % n;
    const int64_t from = each * t + (t < rest ? t : rest);
    return (bl_stretch){from, from + each + (t < rest ? 1 : 0)};
}

/** Threads worth waking for count elements. */
static inline int32_t bl_onednn_threads(const bl_device *dev, int64_t count)
{
    const int64_t each = 4096; /* a few microseconds */
    const int64_t useful = count / each + 1;
    return useful < dev->threads ? (int32_t)useful : dev->threads;
}

bl_status bl_onednn_conv_create(bl_device *dev, bl_conv **out,
                                const bl_conv_desc *desc);
void bl_onednn_conv_free(bl_conv *conv);
size_t bl_onednn_conv_scratch(const bl_conv *conv);
void bl_onednn_conv_describe(const bl_conv *conv, char *text, size_t room);
bl_status bl_onednn_conv_prepare(bl_conv *conv, const void *weights,
                                 const void *scale, const void *shift);
bl_status bl_onednn_conv_forward(bl_conv *conv, const void *src,
                                 const void *add, void *dst, void *scratch);
bl_status bl_onednn_conv_backward_data(bl_conv *conv, const void *diff_dst,
                                       void *diff_src, void *scratch);
bl_status bl_onednn_conv_backward_weights(bl_conv *conv, const void *src,
                                          const void *diff_dst,
                                          void *diff_weights, bool accumulate,
                                          void *scratch);

size_t bl_onednn_norm_scratch(const bl_device *dev, const bl_norm_desc *desc);
bl_status bl_onednn_norm_forward(bl_device *dev, const bl_norm_desc *desc,
                                 const void *src, const void *add,
                                 const void *gamma, const void *beta,
                                 void *running_mean, void *running_var,
                                 void *save_mean, void *save_rstd, void *dst,
                                 void *scratch);
bl_status bl_onednn_norm_again(bl_device *dev, const bl_norm_desc *desc,
                               const void *src, const void *gamma,
                               const void *beta, const void *mean,
                               const void *rstd, void *dst, void *scratch);
bl_status bl_onednn_norm_infer(bl_device *dev, const bl_norm_desc *desc,
                               const void *src, const void *add,
                               const void *gamma, const void *beta,
                               const void *running_mean,
                               const void *running_var, void *dst);
bl_status bl_onednn_norm_backward(bl_device *dev, const bl_norm_desc *desc,
                                  bool frozen, const void *src,
                                  const void *dst, const void *diff_dst,
                                  const void *diff_dst2, const void *gamma,
                                  const void *mean, const void *rstd,
                                  void *diff_gamma, void *diff_beta,
                                  bool accumulate, void *diff_src,
                                  void *diff_add, void *scratch);

bl_status bl_onednn_convert(bl_device *dev, void *dst, bl_dtype act,
                            const float *src, int64_t count);
bl_status bl_onednn_relu_forward(bl_device *dev, bl_dtype act, int64_t count,
                                 const void *src, void *dst);
bl_status bl_onednn_relu_backward(bl_device *dev, bl_dtype act, int64_t count,
                                  const void *dst, const void *diff_dst,
                                  void *diff_src);
bl_status bl_onednn_add(bl_device *dev, bl_dtype act, int64_t count,
                        const void *a, const void *b, void *dst);
bl_status bl_onednn_shortcut_forward(bl_device *dev,
                                     const bl_shortcut_desc *desc,
                                     const void *src, void *dst);
bl_status bl_onednn_shortcut_backward(bl_device *dev,
                                      const bl_shortcut_desc *desc,
                                      const void *diff_dst, void *diff_src);
bl_status bl_onednn_mix_forward(bl_device *dev, bl_dtype dtype, int64_t n,
                                int64_t size, const double *lambda,
                                const int32_t *perm, const void *a,
                                const void *b, void *dst);
bl_status bl_onednn_mix_backward(bl_device *dev, bl_dtype dtype, int64_t n,
                                 int64_t size, const double *lambda,
                                 const int32_t *inverse, const void *diff_dst,
                                 void *diff_a, void *diff_b);
bl_status bl_onednn_gap_forward(bl_device *dev, bl_dtype act, int64_t n,
                                int64_t hw, int64_t c, const void *src,
                                void *dst);
bl_status bl_onednn_gap_backward(bl_device *dev, bl_dtype act, int64_t n,
                                 int64_t hw, int64_t c, const void *diff_dst,
                                 void *diff_src);

/** Room for n floats, the device's: until the next call. */
bl_status bl_onednn_room(bl_device *dev, int64_t n, float **out);
bl_status bl_onednn_linear_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   const void *bias, void *dst);
bl_status bl_onednn_linear_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, void *diff_bias,
                                    bool accumulate);
bl_status bl_onednn_cosine_forward(bl_device *dev, const bl_linear_desc *desc,
                                   const void *src, const void *weights,
                                   void *dst);
bl_status bl_onednn_cosine_backward(bl_device *dev, const bl_linear_desc *desc,
                                    const void *src, const void *weights,
                                    const void *diff_dst, void *diff_src,
                                    void *diff_weights, bool accumulate);
bl_status bl_onednn_softmax_loss(bl_device *dev, const bl_softmax_desc *desc,
                                 const void *z, const int32_t *y,
                                 const double *lambda,
                                 const bl_class_terms *terms, double *loss,
                                 double *wrong, void *diff_z);
bl_status bl_onednn_sigmoid_loss(bl_device *dev, const bl_softmax_desc *desc,
                                 const void *z, const int32_t *y,
                                 const double *lambda,
                                 const bl_class_terms *terms, double *loss,
                                 double *wrong, void *diff_z);
bl_status bl_onednn_sgd(bl_device *dev, const bl_sgd_desc *desc,
                        const double *lr, const void *diff, void *v, void *w);
bl_status bl_onednn_sum_squares(bl_device *dev, bl_dtype real, int64_t n,
                                const void *x, double *out);
bl_status bl_onednn_axpy(bl_device *dev, bl_dtype real, int64_t n, double a,
                         const void *x, void *y);

#endif
