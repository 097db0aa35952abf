/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h: one network on one device: parameters, the plans that run them,
 * and the one block of activation memory the plans take turns in.
 */
#ifndef BL_NN_ENGINE_H
#define BL_NN_ENGINE_H

#include "ballast/model.h"
#include "nn/network.h"
#include "nn/plan.h"

typedef struct bl_engine_spec {
    bl_network_spec network;
    bl_compute compute;
    bl_normalization normalization;
    int64_t batch;       /* images a part of a training step; 0: no training */
    int64_t last_batch;  /* of the last step of an epoch; 0: as all others   */
    int64_t infer_batch; /* images an inference step                         */
    bl_graph_spec graph; /* of training; its location is not read            */
    uint32_t locations;  /* bit k: some batches are mixed at place k; 0: as  */
                         /*   1, none inside                                 */
    bool climbs;         /* steps may be sharpness-aware                     */
    size_t again_bytes;  /* of training graphs; 0: BL_AGAIN_BYTES            */
} bl_engine_spec;

/** From this size on an activation is made again, at the cost of time, and not
 *  kept: that of 128 images in fp32 in the first stage of a ResNet for 32 x 32
 *  px, [128][32][32][16]. */
enum { BL_AGAIN_BYTES = 8 << 20 };

/** A stretch of parameters that is updated with one rate. */
typedef struct bl_engine_group {
    int64_t offset, n; /* scalars in the slab */
    int32_t slot;      /* of the rate         */
} bl_engine_group;

enum { BL_ENGINE_GROUPS = 2 };

typedef struct bl_engine {
    bl_engine_spec spec;   /* strings of network and compute are static:    */
                           /*   what "auto" became, not the caller's text   */
    const bl_backend *backend;
    bl_device *dev;
    bl_dtype act;
    bl_params *params;
    bl_plan *train[BL_MIX_PLACES]; /* a plan a place of mixing, or NULL      */
    bl_plan *last[BL_MIX_PLACES];  /* the same for the last, smaller batch   */
    bl_plan *infer;
    bl_engine_group groups[BL_ENGINE_GROUPS];
    int32_t n_group;
    void *memory;
    void *kept_w;          /* device [n_trained], only where climbs          */
    float *x;              /* [infer_batch][h][w][c] host                   */
    float *rows;           /* [infer_batch][C or D, the larger] host        */
} bl_engine;

/** Finds backend and precision, without opening a device.
 *  Errors BL_EINVAL if one is unknown; BL_EUNSUPPORTED if it does not run
 *  here. */
BL_MUST_USE bl_status bl_engine_check(const bl_compute *compute);

/** Opens device, parameters (zero) and plans.
 *  Errors BL_EUNSUPPORTED if the backend cannot run the precision; BL_EINVAL if
 *  batch-norm would meet a batch of one value a channel. */
BL_MUST_USE bl_status bl_engine_open(bl_engine **out,
                                     const bl_engine_spec *spec);
void bl_engine_free(bl_engine *engine);

/** The batch in which n images of a network are inferred: 256 of 32 x 32 px,
 *  fewer of larger ones, and the number that pads the last batch least. */
int64_t bl_engine_infer_batch(const bl_network_spec *network, int64_t n);

/** "fp32" or "bf16": what "auto" became. */
const char *bl_engine_precision(const bl_engine *engine);

/** Logits and features of n images by the inference plan: pixels
 *  [n][h][w][c] u8 raw; z [n][C] and f [n][D] f32, written, or NULL. */
BL_MUST_USE bl_status bl_engine_infer(bl_engine *engine,
                                      const uint8_t *pixels, int64_t n,
                                      float *z, float *f);

/** Number of the classifier's parameter "weight", "bias" or "scale", or -1. */
int32_t bl_engine_head_param(const bl_engine *engine, const char *suffix);

/** Features an image has, D; BBN: of both branches. */
int64_t bl_engine_width(const bl_engine *engine);

/** Lengths of the rows of the classifier, by the scales of classes where
 *  there are any; norms [BL_ROW_PARTS][C] as bl_classifier_norms. */
BL_MUST_USE bl_status bl_engine_norms(const bl_engine *engine, double *norms);

/** Sets the loss of all training plans; NULL: softmax cross-entropy. */
BL_MUST_USE bl_status bl_engine_terms(bl_engine *engine,
                                      const bl_loss_terms *terms);

/** What one training step reads. */
typedef struct bl_feed {
    int64_t n;            /* images a part: batch or last_batch         */
    const float *x;       // [parts][n][h][w][c], parts the plan's inputs
    const int32_t *y;     // [targets][n]
    const double *lambda; // [targets][n], or NULL: the scalars hold
    const int32_t *perm;  // [n], or NULL where nothing inside is permuted
    int32_t location;     /* of the mix                                 */
    const double *scalars;// [BL_PLAN_SCALARS]: rates, lambdas, scales
} bl_feed;

/** How a step updates; sgd's n and real are the engine's affair.
 *
 * rho above 0 makes it sharpness-aware: the gradient is taken at
 * w + rho g / |g| and applied at w; running statistics move once.
 * Source  Foret et al., ICLR 2021, arXiv:2010.01412, algorithm 1.
 */
typedef struct bl_update {
    bl_sgd_desc sgd;
    double rho;
} bl_update;

/** One training step.  Gives loss and images wrong for each target; where the
 *  loss, or the one at the point climbed to, is not finite, it gives that and
 *  leaves the parameters as they were. */
BL_MUST_USE bl_status bl_engine_step(bl_engine *engine, const bl_feed *feed,
                                     const bl_update *update, double *loss,
                                     double *wrong);

/** Metadata that lets bl_classifier_open rebuild the network; text holds the
 *  values.  Gives the number of pairs written, at most 8. */
enum { BL_ENGINE_METADATA = 8 };
typedef struct bl_engine_text {
    char size[64], classes[16], mean[480], std[480];
} bl_engine_text;
int64_t bl_engine_metadata(const bl_engine *engine, bl_engine_text *text,
                           bl_metadata *pairs);

#endif
