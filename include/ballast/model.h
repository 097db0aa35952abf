/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: the networks by name, and a trained one put to use.
 *
 * Weights are safetensors files with the names and layouts of PyTorch's own
 * models; Ballast adds what it needs to rebuild the network (model, form,
 * classes, input size, normalisation), and the last epoch that was closed, to
 * the header's metadata.
 */
#ifndef BALLAST_MODEL_H
#define BALLAST_MODEL_H

#include <stdint.h>

#include "ballast/data.h"
#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A family member: one row of bl_model_types. */
typedef struct bl_model_type {
    const char *name;    /* "resnet32"              */
    const char *summary; /* at most 60 characters   */
    const char *paper;
    int32_t blocks[4];   /* residual blocks a stage, 0 ends */
} bl_model_type;

BL_API const bl_model_type *const *bl_model_types(void);
BL_API const bl_model_type *bl_model_find(const char *name);

/** How a network ends: "plain" (one linear classifier), "cosine" (normalised
 *  classifier without bias) or "bbn" (two branches, one joint classifier). */
typedef struct bl_network_spec {
    const bl_model_type *model;
    const char *form;
    int32_t h, w, c; /* input: 1 to 4096 px a side, 1 to 16 channels */
    int32_t n_class; /* >= 1                                         */
} bl_network_spec;

/** Facts of a network. */
typedef struct bl_network_facts {
    int64_t parameters;        /* trainable scalars                         */
    double forward_gflop;      /* a sample at inference: 2 x multiply-adds  */
    double train_gflop;        /* a sample (BBN: a pair) a training step    */
} bl_network_facts;

/** Counts the parameters and the work of a network, without building it.
 *
 * Needs    spec->model is a row of bl_model_types.
 * Errors   BL_EINVAL if the form is unknown or an extent is not in its range;
 *          BL_ENOMEM; *out is untouched then.
 * Cost     O(layers); no memory of the size of parameters.
 */
BL_API BL_MUST_USE bl_status bl_network_measure(bl_network_facts *out,
                                                const bl_network_spec *spec);

/* ---- compute ----------------------------------------------------------- */

/** What a backend can do on this machine: one row of bl_backend_list. */
typedef struct bl_backend_info {
    const char *name;    /* "ref", "onednn"                    */
    const char *summary;
    int available;       /* built and usable here              */
    int fp32, bf16;      /* precisions it runs                 */
    int bf16_native;     /* hardware multiplies bf16: "auto"   */
} bl_backend_info;

/** Fills rows [max] and returns how many backends were built. */
BL_API int32_t bl_backend_list(bl_backend_info *rows, int32_t max);

/* ---- inference --------------------------------------------------------- */

typedef struct bl_classifier bl_classifier;

/** How a classifier computes; zero-initialise for the defaults. */
typedef struct bl_compute {
    const char *backend;   /* NULL or "auto": the fastest that is available */
    const char *precision; /* NULL or "auto", "fp32", "bf16"                */
    int32_t threads;       /* 0: one a core; 8 a core or 64 at most count   */
} bl_compute;

/** Counts the threads that a backend takes where `threads` are asked for: for 0
 *  one a processor that the process may use; "ref" takes one.
 *
 * Errors   as bl_classifier_open, of backend and threads.
 */
BL_API BL_MUST_USE bl_status bl_compute_threads(int32_t *out,
                                                const bl_compute *compute);

/** Loads weights that Ballast wrote.
 *
 * Errors   BL_EIO, BL_EFORMAT (names file and tensor, found and wanted);
 *          BL_EINVAL if backend or precision is unknown, or threads are out of
 *          range; BL_EUNSUPPORTED if the backend does not run here, or not in
 *          that precision; BL_ENOMEM, BL_EDEVICE.
 * Owns     the caller, bl_classifier_free.
 */
BL_API BL_MUST_USE bl_status bl_classifier_open(bl_classifier **out,
                                                const char *path,
                                                const bl_compute *compute);
BL_API void bl_classifier_free(bl_classifier *classifier);

/** Computes logits of n images.
 *
 * Shapes   pixels [n][h][w][c] u8, raw (normalised inside);
 *          z [n][C] f32, written.
 * Needs    h, w, c and C as bl_classifier_spec says.
 * Errors   BL_ENOMEM, BL_EDEVICE, after which z may be written in part.
 * Exact    an image's logits do not depend on the others' values.
 */
BL_API BL_MUST_USE bl_status bl_classifier_logits(bl_classifier *classifier,
                                                  const uint8_t *pixels,
                                                  int64_t n, float *z);

/** Features an image has, D: what the classifier reads; BBN: of both
 *  branches, the uniform one's first. */
BL_API int64_t bl_classifier_width(const bl_classifier *classifier);

/** Computes logits and features of n images in one pass, as
 *  bl_classifier_logits: z [n][C] and f [n][D] f32, written, or NULL. */
BL_API BL_MUST_USE bl_status bl_classifier_infer(bl_classifier *classifier,
                                                 const uint8_t *pixels,
                                                 int64_t n, float *z,
                                                 float *f);

/** Of which features a row of the classifier is measured. */
typedef enum bl_row_part {
    BL_ROW_WHOLE,
    BL_ROW_UNIFORM,  /* of the branch that sees uniform samples  */
    BL_ROW_REVERSED, /* of the branch that sees reversed samples */
    BL_ROW_PARTS
} bl_row_part;

/** Measures how long the row of each class in the classifier is.
 *
 *   norm_c = |W_c|, over the D weights that bl_classifier_width counts, and
 *            over those of either branch
 *
 * Shapes   norms [BL_ROW_PARTS][C] f64, written; NaN for branches that the
 *          form does not have, and all of it for the cosine form, which
 *          divides by the length.
 * Errors   BL_ENOMEM, BL_EDEVICE; norms is untouched then.
 * Source   Zhou et al.: BBN, CVPR 2020, arXiv:1912.02413, figure 4.
 */
BL_API BL_MUST_USE bl_status
bl_classifier_norms(const bl_classifier *classifier, double *norms);

/** Input size and classes of the loaded network; borrowed strings. */
BL_API const bl_network_spec *bl_classifier_spec(const bl_classifier *c);

#ifdef __cplusplus
}
#endif
#endif
