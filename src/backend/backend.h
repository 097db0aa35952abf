/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h: what a machine must be able to do to train.
 *
 * A backend is one const table of functions.  `ref` is readable C with double
 * accumulation and is the specification of every entry; `onednn` starts as a
 * copy of it and overrides; a device backend refuses when the plan is made
 * what it lacks.
 *
 * Letters: n images, ih iw / oh ow source and destination extents, ic oc
 * channels, kh kw kernel, sh sw stride, ph pw padding, dh dw dilation (1:
 * dense).  Activations are NHWC, densely packed.  `act` is the dtype of
 * activations; parameters, their gradients, statistics and everything behind
 * global pooling are `real`: F64 in an F64 plan, F32 otherwise.
 *
 * Rules for every kernel.  Sums are accumulated in float or better.  dst never
 * aliases src except where "in place" is stated.  `accumulate` adds to what
 * diff_* holds instead of writing it.  Scratch is an argument; no kernel
 * allocates.  Results are bitwise repeatable at a fixed number of threads.
 */
#ifndef BL_BACKEND_BACKEND_H
#define BL_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

typedef enum bl_dtype { BL_F32 = 0, BL_BF16 = 1, BL_F64 = 2 } bl_dtype;

/** Bytes of one element. */
size_t bl_dtype_size(bl_dtype dtype);
/** Dtype of parameters beside activations of dtype act. */
bl_dtype bl_dtype_real(bl_dtype act);
const char *bl_dtype_name(bl_dtype dtype);

/** Device state: threads, engines, streams. */
typedef struct bl_device bl_device;
/** A planned convolution: chosen kernels and reordered weights. */
typedef struct bl_conv bl_conv;

/** A convolution.  The epilogue is for inference alone:
 *
 *   dst = act(conv(src, scale_oc * weights) + shift_oc + add)
 */
typedef struct bl_conv_desc {
    int64_t n, ih, iw, ic, oh, ow, oc;
    int64_t kh, kw, sh, sw, ph, pw, dh, dw;
    bl_dtype act;
    bool infer;        /* forward only; prepare takes scale and shift   */
    bool add, relu;    /* epilogue, only with infer                     */
    bool need_diff_src;/* false for the first layer of a network        */
} bl_conv_desc;

/** Batch normalisation, with the two passes it may be fused with:
 *
 *   dst = [relu]( gamma (src - mean) / sqrt(var + eps) + beta [+ add] )
 */
typedef struct bl_norm_desc {
    int64_t rows;      /* n h w                                          */
    int64_t c;
    bl_dtype act;
    double eps;
    double momentum;   /* running = (1 - momentum) running + momentum new*/
    bool relu, add;
} bl_norm_desc;

/** Pooling over kh x kw windows; padding never wins a maximum. */
typedef struct bl_pool_desc {
    int64_t n, ih, iw, oh, ow, c;
    int64_t kh, kw, sh, sw, ph, pw;
    bl_dtype act;
} bl_pool_desc;

/** Option-A shortcut: rows and columns 0, s, 2s, ... kept; (oc - ic) / 2 zero
 *  channels put in front, the rest behind. */
typedef struct bl_shortcut_desc {
    int64_t n, ih, iw, ic, oh, ow, oc, stride;
    bl_dtype act;
} bl_shortcut_desc;

/** A classifier over features [n][d]; all tensors are of dtype real.
 *
 *   linear: z = src weights^T + bias               weights [c][d], bias [c]
 *   cosine: z_j = src . w_j / (|src| |w_j|), norms clamped at 1e-12, no bias
 */
typedef struct bl_linear_desc {
    int64_t n, d, c;
    bl_dtype real;
} bl_linear_desc;

/** What a family of losses gives each class: [c] of dtype real on the device,
 *  or NULL for 1, 0, 0, 1, 0.  b_j = -inf says that class j is absent: it has
 *  no probability, no share of a smoothed target and no gradient. */
typedef struct bl_class_terms {
    const void *s, *m, *b, *w, *e; /* scale, margin, offset, weight, smoothing*/
} bl_class_terms;

enum { BL_TARGETS_MAX = 4 };

/** Two families of losses (docs/notation.md) against k mixed targets:
 *
 *   L = sum_k (1 / D_k) sum_i lambda_ki w_{y_ki} l_ki,   diff_z = dL / dz
 *
 * softmax:  log q = log softmax( s_j (z_j - [j = y] m_j) + b_j )
 *   g = 0:  l = -sum_j t_j log q_j,   t_j = (1 - e_y) [j = y] + e_y / c
 *   g > 0:  l = -(1 - q_y)^g log q_y; e must be NULL (BL_EUNSUPPORTED)
 *
 * sigmoid:  l = sum_j -(1 - p_j)^g log p_j, one against all,
 *           p_j = sigmoid(+-(s_j z_j + b_j)), + for j = y, - for others;
 *           m and e must be NULL (BL_EUNSUPPORTED)
 */
typedef struct bl_softmax_desc {
    int64_t n, c;
    int32_t targets;   /* k <= BL_TARGETS_MAX */
    bl_dtype real;
    double g;
    bool divide_by_weight; /* D_k = sum_i w_{y_ki}, otherwise n */
    bool each_image;   /* lambda is [targets][n], otherwise [targets] */
} bl_softmax_desc;

typedef struct bl_sgd_desc {
    int64_t n;         /* scalars in the slab */
    bl_dtype real;
    double momentum, weight_decay;
    bool nesterov;
} bl_sgd_desc;

typedef struct bl_backend {
    const char *name, *summary;

    /* ---- the machine -------------------------------------------------- */
    bool (*available)(void);
    bool (*runs)(bl_dtype act);
    bool (*bf16_native)(void);
    bool fuses; /* norm takes relu and add, conv takes an epilogue */
    bl_status (*open)(bl_device **out, int32_t threads); /* 0: one a core */
    void (*close)(bl_device *dev);
    const char *(*describe)(const bl_device *dev); /* "oneDNN 2.6.3, ..." */
    int32_t (*threads)(const bl_device *dev);      /* that compute on it  */

    /* ---- memory: pointers below are the device's ---------------------- */
    bl_status (*alloc)(bl_device *dev, void **out, size_t bytes); /* zeroed */
    void (*free)(bl_device *dev, void *memory);
    bl_status (*upload)(bl_device *dev, void *dst, const void *host,
                        size_t bytes);
    bl_status (*download)(bl_device *dev, void *host, const void *src,
                          size_t bytes);
    /** dst act [count] = src f32 [count], src on the device. */
    bl_status (*convert)(bl_device *dev, void *dst, bl_dtype act,
                         const float *src, int64_t count);
    bl_status (*sync)(bl_device *dev);

    /* ---- convolution; weights and diff_weights OIHW of dtype real ------ */
    bl_status (*conv_create)(bl_device *dev, bl_conv **out,
                             const bl_conv_desc *desc);
    void (*conv_free)(bl_conv *conv);
    size_t (*conv_scratch)(const bl_conv *conv); /* bytes, largest pass */
    void (*conv_describe)(const bl_conv *conv, char *text, size_t room);
    /** Call after every change of weights, before the passes.  weights must
     *  stay; scale and shift [oc] real are read during the call, NULL unless
     *  desc.infer. */
    bl_status (*conv_prepare)(bl_conv *conv, const void *weights,
                              const void *scale, const void *shift);
    bl_status (*conv_forward)(bl_conv *conv, const void *src, const void *add,
                              void *dst, void *scratch);
    bl_status (*conv_backward_data)(bl_conv *conv, const void *diff_dst,
                                    void *diff_src, void *scratch);
    bl_status (*conv_backward_weights)(bl_conv *conv, const void *src,
                                       const void *diff_dst,
                                       void *diff_weights, bool accumulate,
                                       void *scratch);

    /* ---- batch norm; gamma .. save_rstd [c] of dtype real ---------------- */
    size_t (*norm_scratch)(const bl_device *dev, const bl_norm_desc *desc);
    /** Normalises with the batch's biased variance, moves the running
     *  statistics (unbiased variance), saves mean and 1 / sqrt(var + eps). */
    bl_status (*norm_forward)(bl_device *dev, const bl_norm_desc *desc,
                              const void *src, const void *add,
                              const void *gamma, const void *beta,
                              void *running_mean, void *running_var,
                              void *save_mean, void *save_rstd, void *dst,
                              void *scratch);
    /** Makes dst of norm_forward again, bit for bit, from the mean and rstd it
     *  saved; for a norm without add.  scratch as there. */
    bl_status (*norm_again)(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *gamma,
                            const void *beta, const void *mean,
                            const void *rstd, void *dst, void *scratch);
    /** Normalises with the running statistics. In place: dst may be src. */
    bl_status (*norm_infer)(bl_device *dev, const bl_norm_desc *desc,
                            const void *src, const void *add,
                            const void *gamma, const void *beta,
                            const void *running_mean, const void *running_var,
                            void *dst);
    /** save_mean = running_mean, save_rstd = 1 / sqrt(running_var + eps): what
     *  a frozen norm's backward reads.  All [desc.c] of dtype real. */
    bl_status (*norm_freeze)(bl_device *dev, const bl_norm_desc *desc,
                             const void *running_mean, const void *running_var,
                             void *save_mean, void *save_rstd);
    /** g = (diff_dst + diff_dst2) [dst > 0 if relu]; writes g to diff_add if
     *  add, and d/d src of the norm of g to diff_src.  diff_dst2 may be NULL.
     *  frozen: statistics were constants (norm_infer's).  In place: diff_add
     *  may be diff_dst or diff_dst2; diff_src may be diff_dst or diff_dst2
     *  when it is not diff_add. */
    bl_status (*norm_backward)(bl_device *dev, const bl_norm_desc *desc,
                               bool frozen, const void *src, const void *dst,
                               const void *diff_dst, const void *diff_dst2,
                               const void *gamma, const void *mean,
                               const void *rstd, void *diff_gamma,
                               void *diff_beta, bool accumulate,
                               void *diff_src, void *diff_add, void *scratch);

    /* ---- element-wise and shape; act [count] ----------------------------- */
    bl_status (*relu_forward)(bl_device *dev, bl_dtype act, int64_t count,
                              const void *src, void *dst);
    bl_status (*relu_backward)(bl_device *dev, bl_dtype act, int64_t count,
                               const void *dst, const void *diff_dst,
                               void *diff_src); /* in place allowed */
    bl_status (*add)(bl_device *dev, bl_dtype act, int64_t count,
                     const void *a, const void *b, void *dst); /* in place */
    bl_status (*shortcut_forward)(bl_device *dev, const bl_shortcut_desc *desc,
                                  const void *src, void *dst);
    bl_status (*shortcut_backward)(bl_device *dev,
                                   const bl_shortcut_desc *desc,
                                   const void *diff_dst, void *diff_src);
    /** dst [n][ca + cb] = a [n][ca] beside b [n][cb], dtype real. */
    bl_status (*concat_forward)(bl_device *dev, bl_dtype real, int64_t n,
                                int64_t ca, int64_t cb, const void *a,
                                const void *b, void *dst);
    bl_status (*concat_backward)(bl_device *dev, bl_dtype real, int64_t n,
                                 int64_t ca, int64_t cb, const void *diff_dst,
                                 void *diff_a, void *diff_b);
    /** dst [count] = *factor src [count], dtype real; factor on the device.
     *  Its own backward. */
    bl_status (*scale)(bl_device *dev, bl_dtype real, int64_t count,
                       const double *factor, const void *src, void *dst);

    /** dst_i = l a_i + (1 - l) b_{perm i} over n images of `size` numbers of
     *  any dtype; l = *lambda on the device, exact at l = 1 and 0.  perm [n]
     *  on the device, NULL for the identity.  b may be a. */
    bl_status (*mix_forward)(bl_device *dev, bl_dtype dtype, int64_t n,
                             int64_t size, const double *lambda,
                             const int32_t *perm, const void *a,
                             const void *b, void *dst);
    /** diff_a_i = l diff_dst_i, diff_b_i = (1 - l) diff_dst_{inverse i}; the
     *  sum of both where diff_b is diff_a, because b was a.  Either may be
     *  NULL.  inverse [n] on the device undoes perm, NULL as perm was. */
    bl_status (*mix_backward)(bl_device *dev, bl_dtype dtype, int64_t n,
                              int64_t size, const double *lambda,
                              const int32_t *inverse, const void *diff_dst,
                              void *diff_a, void *diff_b);

    /* ---- pooling --------------------------------------------------------- */
    /** index [n][oh][ow][c] i32: place of the maximum in its window, first
     *  of equals; needed by the backward pass; NULL at inference. */
    bl_status (*maxpool_forward)(bl_device *dev, const bl_pool_desc *desc,
                                 const void *src, void *dst, int32_t *index);
    bl_status (*maxpool_backward)(bl_device *dev, const bl_pool_desc *desc,
                                  const void *diff_dst, const int32_t *index,
                                  void *diff_src);
    /** Mean over h w: src act [n][hw][c], dst real [n][c]. */
    bl_status (*gap_forward)(bl_device *dev, bl_dtype act, int64_t n,
                             int64_t hw, int64_t c, const void *src,
                             void *dst);
    bl_status (*gap_backward)(bl_device *dev, bl_dtype act, int64_t n,
                              int64_t hw, int64_t c, const void *diff_dst,
                              void *diff_src);

    /* ---- classifiers ----------------------------------------------------- */
    bl_status (*linear_forward)(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                const void *bias, void *dst);
    /** diff_src and diff_bias may be NULL. */
    bl_status (*linear_backward)(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, void *diff_bias,
                                 bool accumulate);
    bl_status (*cosine_forward)(bl_device *dev, const bl_linear_desc *desc,
                                const void *src, const void *weights,
                                void *dst);
    bl_status (*cosine_backward)(bl_device *dev, const bl_linear_desc *desc,
                                 const void *src, const void *weights,
                                 const void *diff_dst, void *diff_src,
                                 void *diff_weights, bool accumulate);

    /** dst_j = s_j src_j, dtype real: s [c], src and dst [n][c]. */
    bl_status (*class_scale_forward)(bl_device *dev, bl_dtype real, int64_t n,
                                     int64_t c, const void *s,
                                     const void *src, void *dst);
    /** diff_src may be NULL. */
    bl_status (*class_scale_backward)(bl_device *dev, bl_dtype real,
                                      int64_t n, int64_t c, const void *s,
                                      const void *src, const void *diff_dst,
                                      void *diff_src, void *diff_s,
                                      bool accumulate);

    /* ---- loss and optimiser ---------------------------------------------- */
    /** z [n][c] real; y [targets][n] i32; lambda f64, see desc.
     *  loss [1] f64: L; wrong [targets] f64: images whose argmax z is not y.
     *  diff_z [n][c] may be NULL.  Stable for logits of 1e4 in both signs. */
    bl_status (*softmax_loss)(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z);
    bl_status (*sigmoid_loss)(bl_device *dev, const bl_softmax_desc *desc,
                              const void *z, const int32_t *y,
                              const double *lambda,
                              const bl_class_terms *terms, double *loss,
                              double *wrong, void *diff_z);
    /** g = diff + wd w; v = momentum v + g; w -= lr (nesterov ? g + momentum v
     *  : v), over slabs; lr [1] f64 on the device. */
    bl_status (*sgd)(bl_device *dev, const bl_sgd_desc *desc, const double *lr,
                     const void *diff, void *v, void *w);
    /** *out, on the host, = sum of x_i^2 over a slab x [n]; waits for it. */
    bl_status (*sum_squares)(bl_device *dev, bl_dtype real, int64_t n,
                             const void *x, double *out);
    /** y += a x over slabs [n]. */
    bl_status (*axpy)(bl_device *dev, bl_dtype real, int64_t n, double a,
                      const void *x, void *y);
} bl_backend;

/** NULL-terminated: the backends of this build, fastest first. */
const bl_backend *const *bl_backends(void);
/** By name, or for NULL and "auto" the first that is available.
 *  Errors BL_EINVAL names those built; BL_EUNSUPPORTED what is missing. */
BL_MUST_USE bl_status bl_backend_find(const bl_backend **out,
                                      const char *name);

extern const bl_backend bl_backend_ref;

#endif
