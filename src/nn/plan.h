/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h: a graph made ready to run: shapes, kernels and memory fixed once.
 *
 * Planning allocates, running does not.  A plan's activations live in one
 * block whose size the plan states; plans that never run at the same time
 * (full batch, last batch, evaluation) are bound to the same block.
 */
#ifndef BL_NN_PLAN_H
#define BL_NN_PLAN_H

#include "core/text.h"
#include "loss/loss.h"
#include "nn/graph.h"
#include "nn/layer.h"
#include "nn/params.h"

enum {
    BL_PLAN_SCALARS = 16,   /* slots of scalars a step may set       */
    BL_SLOT_LR = 0,
    BL_SLOT_LAMBDA = 1,     /* 4 slots: weights of the loss's targets */
    BL_SLOT_MIX = 5,        /* share of the first of two mixed images */
    BL_SLOT_RATE2 = 6,      /* learning rate of a second group        */
    BL_SLOT_ONE = 7,        /* always 1                               */
    BL_SLOT_SCALE = 8       /* from here on: scale layers             */
};

/** A stretch of activation memory and the ops between which it is alive. */
typedef struct bl_buffer {
    size_t bytes, offset;
    int32_t first, last; /* moments, inclusive */
    int32_t holders;     /* gradients that are this buffer */
} bl_buffer;

struct bl_plan {
    const bl_backend *backend;
    bl_device *dev;
    bl_params *params;     /* borrowed                               */
    bl_dtype act, real;
    bool training;
    bl_graph *graph;       /* fused; owned                           */
    bl_op *ops;            /* [n_op] in forward order                */
    int32_t n_op;
    int32_t *value_buffer; /* [graph->n_value]                       */
    bool *needs_diff;      /* [graph->n_value] has parameters behind */
    bl_buffer *buffers;
    int32_t n_buffer;
    bl_conv **convs;       /* distinct convolutions, owned           */
    int32_t *conv_op;      /* [n_conv] op each was made for          */
    int32_t n_conv;
    size_t scratch_bytes, bytes; /* of the block: buffers, scratch   */
    char *memory;          /* the block, bound by the caller         */
    void *fixed;           /* labels, scalars, results: always alive */
    void *staging;         /* f32 image of the largest input         */
    int32_t *y;            /* [targets][n]                           */
    int32_t *perm;         /* [n] images of b for mix, and what      */
    int32_t *inverse;      /* [n]   undoes it; on the device         */
    int32_t *inverse_host; /* [n]                                    */
    double *scalars;       /* [BL_PLAN_SCALARS]                      */
    double *loss;          /* [1 + 4]: loss, wrong of each target    */
    int64_t fold_c;        /* widest folded norm                     */
    char *fold;            /* device: scale [fold_c], shift [fold_c] */
    double *fold_host;     /* [4][fold_c]                            */
    int64_t n;             /* images a batch part                    */
    int32_t n_input, targets;
    bl_class_terms terms;  /* of the loss: on the device, or NULL    */
    char *terms_memory;    /* device: five arrays [C] real           */
    double *terms_host;    /* [C]                                    */
    double g;              /* focal exponent                         */
    bool divide_by_weight, sigmoid;
    double *image_lambda;  /* device [targets][n]                    */
    bool each_image;       /* image_lambda holds, not the scalars    */
    bool hold_statistics;  /* running statistics stay as they are    */
    uint64_t version;      /* of params the convolutions have seen   */
};

/** Plans a finished graph, which the plan then owns (also on failure).
 *  Needs  params hold every name of the graph in the same shape. */
BL_MUST_USE bl_status bl_plan_create(bl_plan **out, bl_graph *graph,
                                     bl_params *params, bl_dtype act,
                                     bool training);
void bl_plan_free(bl_plan *plan);
/** Binds a block of at least plan->bytes, on a 64-byte boundary. */
void bl_plan_bind(bl_plan *plan, void *memory);

/** Copies input i (numbered in order of bl_graph_input): x [n][h][w][c]. */
BL_MUST_USE bl_status bl_plan_feed(bl_plan *plan, int32_t input,
                                   const float *x);
/** Copies labels y [targets][n]. */
BL_MUST_USE bl_status bl_plan_labels(bl_plan *plan, const int32_t *y);
/** Copies weights of labels lambda [targets][n], which then take the place of
 *  the scalars BL_SLOT_LAMBDA; NULL: the scalars hold again. */
BL_MUST_USE bl_status bl_plan_image_lambda(bl_plan *plan,
                                           const double *lambda);
/** Sets kernel and terms of the loss until the next call; NULL: plain softmax
 *  cross-entropy.  Needs  terms->c classes, those of the plan. */
BL_MUST_USE bl_status bl_plan_terms(bl_plan *plan, const bl_loss_terms *terms);
/** Sets whom mix layers mix image i with: perm [n], each of 0 .. n - 1 once
 *  (BL_EINVAL otherwise).  The identity until the first call. */
BL_MUST_USE bl_status bl_plan_permutation(bl_plan *plan, const int32_t *perm);
/** Copies all scalars [BL_PLAN_SCALARS]. */
BL_MUST_USE bl_status bl_plan_scalars(bl_plan *plan, const double *scalars);

BL_MUST_USE bl_status bl_plan_forward(bl_plan *plan);
BL_MUST_USE bl_status bl_plan_backward(bl_plan *plan);
/** Loss of the last forward, and images wrong for each target [targets]. */
BL_MUST_USE bl_status bl_plan_loss(bl_plan *plan, double *loss,
                                   double *wrong);
/** Logits of the last forward as z [n][C] f32, or f64 in an F64 plan. */
BL_MUST_USE bl_status bl_plan_logits(bl_plan *plan, void *z);
/** What the classifier read in the last forward, f [n][D]; dtype as logits.
 *  In a plan that trains, features may be gone: inference alone keeps them. */
BL_MUST_USE bl_status bl_plan_features(bl_plan *plan, void *f);

/** One line an op, then memory. */
void bl_plan_describe(const bl_plan *plan, bl_text *text);

/* ---- for layers ---------------------------------------------------------- */

/** Address of a buffer; NULL for BL_NO_BUFFER. */
void *bl_plan_at(const bl_plan *plan, int32_t buffer);
/** Scratch of the op at work. */
void *bl_plan_scratch(const bl_plan *plan);
/** Asks for a private buffer that lives from the op to its backward. */
BL_MUST_USE bl_status bl_plan_save(bl_plan *plan, bl_op *op, int32_t which,
                                   int64_t count, size_t size);
void bl_plan_need_scratch(bl_plan *plan, size_t bytes);
const bl_value *bl_plan_value(const bl_plan *plan, int32_t value);
bl_dtype bl_plan_dtype(const bl_plan *plan, int32_t value);

/** Gives every buffer an offset so that no two that are alive together
 *  overlap; returns the bytes needed.  scratch [n] is overwritten. */
size_t bl_buffers_place(bl_buffer *buffers, int32_t n, int32_t *scratch);

#endif
