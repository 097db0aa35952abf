/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.h: the entries of the reference backend by name.
 *
 * Every function is the specification of the entry of bl_backend of the same
 * name and documented there.  Another backend fills its table with these and
 * overrides what it does better; so its bl_device must begin with this one,
 * of which the functions use nothing else, and its bl_conv is its own.
 */
#ifndef BL_BACKEND_REF_REF_H
#define BL_BACKEND_REF_REF_H

#include "backend/backend.h"

/** What every backend's device begins with. */
struct bl_device {
    int32_t threads; /* compute threads, at least 1 */
};

/* ---- the machine (ref.c) ------------------------------------------------ */
bool bl_ref_available(void);
bool bl_ref_runs(bl_dtype act);
bool bl_ref_bf16_native(void);
bl_status bl_ref_open(bl_device **out, int32_t threads);
void bl_ref_close(bl_device *dev);
const char *bl_ref_describe(const bl_device *dev);
int32_t bl_ref_threads(const bl_device *dev);

/* ---- memory (ref.c) ----------------------------------------------------- */
bl_status bl_ref_alloc(bl_device *dev, void **out, size_t bytes);
void bl_ref_free(bl_device *dev, void *memory);
bl_status bl_ref_upload(bl_device *dev, void *dst, const void *host,
                        size_t bytes);
bl_status bl_ref_download(bl_device *dev, void *host, const void *src,
                          size_t bytes);
bl_status bl_ref_convert(bl_device *dev, void *dst, bl_dtype act,
                         const float *src, int64_t count);
bl_status bl_ref_sync(bl_device *dev);

/* ---- convolution (conv.c) ----------------------------------------------- */
bl_status bl_ref_conv_create(bl_device *dev, bl_conv **out,
                             const bl_conv_desc *desc);
void bl_ref_conv_free(bl_conv *conv);
size_t bl_ref_conv_scratch(const bl_conv *conv);
void bl_ref_conv_describe(const bl_conv *conv, char *text, size_t room);
bl_status bl_ref_conv_prepare(bl_conv *conv, const void *weights,
                              const void *scale, const void *shift);
bl_status bl_ref_conv_forward(bl_conv *conv, const void *src, const void *add,
                              void *dst, void *scratch);
bl_status bl_ref_conv_backward_data(bl_conv *conv, const void *diff_dst,
                                    void *diff_src, void *scratch);
bl_status bl_ref_conv_backward_weights(bl_conv *conv, const void *src,
                                       const void *diff_dst,
                                       void *diff_weights, bool accumulate,
                                       void *scratch);

/* ---- batch norm (norm.c) ------------------------------------------------ */
size_t bl_ref_norm_scratch(const bl_device *dev, const bl_norm_desc *desc);
bl_status bl_ref_norm_forward(bl_device *dev, const bl_norm_desc *desc,
                              const void *src, const void *add,
                              const void *gamma, const void *beta,
                              void *running_mean, void *running_var,
                              void *save_mean, void *save_rstd, void *dst,
                              void *scratch);
bl_status bl_ref_norm_again(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *gamma,
                            const void *beta, const void *mean,
                            const void *rstd, void *dst, void *scratch);
bl_status bl_ref_norm_infer(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *add,
                            const void *gamma, const void *beta,
                            const void *running_mean, const void *running_var,
                            void *dst);
bl_status bl_ref_norm_freeze(bl_device *dev, const bl_norm_desc *desc,
                             const void *running_mean, const void *running_var,
                             void *save_mean, void *save_rstd);
bl_status bl_ref_norm_backward(bl_device *dev, const bl_norm_desc *desc,
                               bool frozen, const void *src, const void *dst,
                               const void *diff_dst, const void *diff_dst2,
                               const void *gamma, const void *mean,
                               const void *rstd, void *diff_gamma,
                               void *diff_beta, bool accumulate,
                               void *diff_src, void *diff_add, void *scratch);

/* ---- element-wise and shape (shape.c) ----------------------------------- */
bl_status bl_ref_relu_forward(bl_device *dev, bl_dtype act, int64_t count,
                              const void *src, void *dst);
bl_status bl_ref_relu_backward(bl_device *dev, bl_dtype act, int64_t count,
                               const void *dst, const void *diff_dst,
                               void *diff_src);
bl_status bl_ref_add(bl_device *dev, bl_dtype act, int64_t count,
                     const void *a, const void *b, void *dst);
bl_status bl_ref_shortcut_forward(bl_device *dev,
                                  const bl_shortcut_desc *desc,
                                  const void *src, void *dst);
bl_status bl_ref_shortcut_backward(bl_device *dev,
                                   const bl_shortcut_desc *desc,
                                   const void *diff_dst, void *diff_src);
bl_status bl_ref_concat_forward(bl_device *dev, bl_dtype real, int64_t n,
                                int64_t ca, int64_t cb, const void *a,
                                const void *b, void *dst);
bl_status bl_ref_concat_backward(bl_device *dev, bl_dtype real, int64_t n,
                                 int64_t ca, int64_t cb, const void *diff_dst,
                                 void *diff_a, void *diff_b);
bl_status bl_ref_scale(bl_device *dev, bl_dtype real, int64_t count,
                       const double *factor, const void *src, void *dst);

bl_status bl_ref_mix_forward(bl_device *dev, bl_dtype dtype, int64_t n,
                             int64_t size, const double *lambda,
                             const int32_t *perm, const void *a,
                             const void *b, void *dst);
bl_status bl_ref_mix_backward(bl_device *dev, bl_dtype dtype, int64_t n,
                              int64_t size, const double *lambda,
                              const int32_t *inverse, const void *diff_dst,
                              void *diff_a, void *diff_b);

/* ---- pooling (pool.c) --------------------------------------------------- */
bl_status bl_ref_maxpool_forward(bl_device *dev, const bl_pool_desc *desc,
                                 const void *src, void *dst, int32_t *index);
bl_status bl_ref_maxpool_backward(bl_device *dev, const bl_pool_desc *desc,
                                  const void *diff_dst, const int32_t *index,
                                  void *diff_src);
bl_status bl_ref_gap_forward(bl_device *dev, bl_dtype act, int64_t n,
                             int64_t hw, int64_t c, const void *src,
                             void *dst);
bl_status bl_ref_gap_backward(bl_device *dev, bl_dtype act, int64_t n,
                              int64_t hw, int64_t c, const void *diff_dst,
                              void *diff_src);

/* ---- classifiers (linear.c) --------------------------------------------- */
bl_status bl_ref_linear_forward(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                const void *bias, void *dst);
bl_status bl_ref_linear_backward(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, void *diff_bias,
                                 bool accumulate);
bl_status bl_ref_cosine_forward(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                void *dst);
bl_status bl_ref_cosine_backward(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, bool accumulate);

bl_status bl_ref_class_scale_forward(bl_device *dev, bl_dtype real, int64_t n,
                                     int64_t c, const void *s,
                                     const void *src, void *dst);
bl_status bl_ref_class_scale_backward(bl_device *dev, bl_dtype real,
                                      int64_t n, int64_t c, const void *s,
                                      const void *src, const void *diff_dst,
                                      void *diff_src, void *diff_s,
                                      bool accumulate);

/* ---- loss and optimiser (softmax.c, sgd.c) ------------------------------ */
/** A family of losses in two steps, for a backend that cuts a batch into parts:
 *  `check` says whether it can be had, `part` gives what images [from, to) add
 *  to loss [1] and wrong [targets], written, and their rows of diff_z. */
typedef struct bl_ref_loss {
    bl_status (*check)(const bl_softmax_desc *desc, const int32_t *y,
                       const bl_class_terms *terms);
    void (*part)(const bl_softmax_desc *desc, int64_t from, int64_t to,
                 const void *z, const int32_t *y, const double *lambda,
                 const bl_class_terms *terms, double *loss, double *wrong,
                 void *diff_z);
} bl_ref_loss;

extern const bl_ref_loss bl_ref_softmax, bl_ref_sigmoid;

bl_status bl_ref_softmax_loss(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z);
bl_status bl_ref_sigmoid_loss(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z);
bl_status bl_ref_sgd(bl_device *dev, const bl_sgd_desc *desc, const double *lr,
                     const void *diff, void *v, void *w);
bl_status bl_ref_sum_squares(bl_device *dev, bl_dtype real, int64_t n,
                             const void *x, double *out);
bl_status bl_ref_axpy(bl_device *dev, bl_dtype real, int64_t n, double a,
                      const void *x, void *y);

#endif
