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
} bl_engine_spec;

typedef struct bl_engine {
    bl_engine_spec spec;   /* strings of network and compute are static:    */
                           /*   what "auto" became, not the caller's text   */
    const bl_form_type *form;
    const bl_backend *backend;
    bl_device *dev;
    bl_dtype act;
    bl_params *params;
    bl_plan *train, *last, *infer; /* last may be NULL                     */
    void *memory;
    float *x;              /* [infer_batch][h][w][c] host                   */
    float *z;              /* [infer_batch][C] host                         */
} bl_engine;

/** Opens device, parameters (zero) and plans.
 *  Errors BL_EUNSUPPORTED if the backend cannot run the precision. */
BL_MUST_USE bl_status bl_engine_open(bl_engine **out,
                                     const bl_engine_spec *spec);
void bl_engine_free(bl_engine *engine);

/** The batch in which n images of a network are inferred: 256 of 32 x 32 px,
 *  fewer of larger ones, and the number that pads the last batch least. */
int64_t bl_engine_infer_batch(const bl_network_spec *network, int64_t n);

/** "fp32" or "bf16": what "auto" became. */
const char *bl_engine_precision(const bl_engine *engine);

/** Logits of n images by the inference plan: pixels [n][h][w][c] u8 raw,
 *  z [n][C] f32, written. */
BL_MUST_USE bl_status bl_engine_logits(bl_engine *engine,
                                       const uint8_t *pixels, int64_t n,
                                       float *z);

/** One training step on x [streams n][h][w][c], y [streams n], n either batch
 *  or last_batch; scalars [BL_PLAN_SCALARS] with rate, lambda and scales.
 *  Gives loss and images wrong for each target; where the loss is not finite
 *  the parameters are left as they were. */
BL_MUST_USE bl_status bl_engine_step(bl_engine *engine, const float *x,
                                     const int32_t *y, int64_t n,
                                     const double *scalars,
                                     const bl_sgd_desc *sgd, double *loss,
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
