/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.h: a network as a list of layers over named parameters.
 *
 * Values are activations [n][h][w][c]; a node reads one or two values and
 * makes one.  Nodes stand in an order in which they can run.  A parameter is
 * declared by its name: a second layer that asks for the same name and shape
 * shares it, and its gradient is the sum over all uses.  BBN runs one trunk
 * twice in this way.
 *
 * Building errors are sticky: a failed call makes value -1, every later call
 * on -1 does nothing, and bl_graph_finish returns the first error.
 */
#ifndef BL_NN_GRAPH_H
#define BL_NN_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

enum {
    BL_NODE_SRC = 2,     /* sources of a node, at most           */
    BL_NODE_PARAM = 5,   /* parameters and buffers of a node     */
    BL_NAME_ROOM = 64    /* bytes of a parameter's name with NUL */
};

/** An activation; real: F32 beside bf16 (behind global pooling). */
typedef struct bl_value {
    int64_t n, h, w, c;
    bool real;
} bl_value;

/** How a parameter starts. */
typedef enum bl_init_rule {
    BL_INIT_CONSTANT, /* scale                        */
    BL_INIT_NORMAL,   /* N(0, scale^2)                */
    BL_INIT_UNIFORM,  /* U(-scale, scale)             */
    BL_INIT_UNIT_ROWS /* rows U(-1, 1), then |row| = 1 */
} bl_init_rule;

typedef struct bl_init {
    bl_init_rule rule;
    double scale;
} bl_init;

/** A named tensor: trained, or (buffer) kept by batch-norm. */
typedef struct bl_parameter {
    char name[BL_NAME_ROOM];
    int32_t rank;
    int64_t shape[4];
    int64_t count;  /* product of shape                                */
    int64_t offset; /* scalars from the start of its slab              */
    bool buffer;    /* running statistic: no gradient                  */
    bool fixed;     /* not trained here: no gradient                   */
    bl_init init;
} bl_parameter;

typedef struct bl_layer_type bl_layer_type;

/** One layer.  Which fields count is said in the file of its type. */
typedef struct bl_node {
    const bl_layer_type *type;
    int32_t n_src;
    int32_t src[BL_NODE_SRC];     /* values                           */
    int32_t dst;                  /* value, -1 for a loss             */
    int32_t n_param;
    int32_t param[BL_NODE_PARAM]; /* parameters                       */
    int64_t k, stride, pad, dilation;
    int32_t slot;                 /* scalar slot of scale             */
    int32_t targets;              /* of a loss                        */
    bool relu, add, norm;         /* what was fused into it           */
    bool frozen;                  /* a norm's statistics are constant */
} bl_node;

typedef struct bl_graph {
    bl_value *values;
    int32_t n_value;
    bl_node *nodes;
    int32_t n_node;
    bl_parameter *params;
    int32_t n_param;
    int64_t n_trained;  /* scalars in the slab of parameters */
    int64_t n_buffered; /* scalars in the slab of buffers    */
    int32_t output;     /* the logits                        */
    int32_t features;   /* what the classifier reads; 0: not told */
    bool fixing;        /* parameters declared now are fixed */
    size_t again_bytes; /* values so large are made again on the way back, */
                        /*   where they can be, and not kept; 0: none      */
    bl_status status;
} bl_graph;

BL_MUST_USE bl_status bl_graph_create(bl_graph **out);
void bl_graph_free(bl_graph *graph);
/** Returns the first building error, or BL_OK. */
BL_MUST_USE bl_status bl_graph_finish(bl_graph *graph);

/* ---- layers: each returns the value it makes --------------------------- */

int32_t bl_graph_input(bl_graph *g, int64_t n, int64_t h, int64_t w,
                       int64_t c);
/** k x k convolution without bias: parameter name.weight [oc][ic][k][k],
 *  N(0, 2 / (ic k k)) (He et al. 2015). */
int32_t bl_graph_conv(bl_graph *g, int32_t src, const char *name, int64_t oc,
                      int64_t k, int64_t stride, int64_t pad,
                      int64_t dilation);
/** Batch normalisation: name.{weight,bias,running_mean,running_var}. */
int32_t bl_graph_norm(bl_graph *g, int32_t src, const char *name);
/** The same with constant statistics, also in training: it normalises with the
 *  running ones and does not move them; gamma and beta are trained. */
int32_t bl_graph_norm_frozen(bl_graph *g, int32_t src, const char *name);
int32_t bl_graph_relu(bl_graph *g, int32_t src);
int32_t bl_graph_add(bl_graph *g, int32_t a, int32_t b);
/** Option-A shortcut: every stride-th row and column, channels padded. */
int32_t bl_graph_shortcut(bl_graph *g, int32_t src, int64_t oc,
                          int64_t stride);
int32_t bl_graph_maxpool(bl_graph *g, int32_t src, int64_t k, int64_t stride,
                         int64_t pad);
/** Global average pooling: [n][1][1][c], dtype real from here on. */
int32_t bl_graph_gap(bl_graph *g, int32_t src);
/** Linear classifier: name.weight [c][d] by init, name.bias [c]
 *  U(+-1/sqrt(d)). */
int32_t bl_graph_linear(bl_graph *g, int32_t src, const char *name, int64_t c,
                        bl_init init);
/** Normalised classifier: name.weight [c][d], unit rows, no bias. */
int32_t bl_graph_cosine(bl_graph *g, int32_t src, const char *name,
                        int64_t c);
int32_t bl_graph_concat(bl_graph *g, int32_t a, int32_t b);
/** Multiplies by the plan's scalar of that slot. */
int32_t bl_graph_scale(bl_graph *g, int32_t src, int32_t slot);
/** Image i of a with image perm(i) of b, a's share the plan's scalar of that
 *  slot; b may be a. */
int32_t bl_graph_mix(bl_graph *g, int32_t a, int32_t b, int32_t slot);
/** Multiplies logit j by element j of the parameter name.scale [c], 1. */
int32_t bl_graph_class_scale(bl_graph *g, int32_t src, const char *name);
/** Softmax cross-entropy on z against `targets` label vectors, mixed by the
 *  plan's lambda: ends the graph. */
void bl_graph_loss(bl_graph *g, int32_t z, int32_t targets);

/* ---- for layer files and passes over the graph --------------------------- */

/** Appends a node whose src, param and numbers are set; infers dst. */
int32_t bl_graph_append(bl_graph *g, const bl_node *node);
/** Declares or shares the parameter "prefix.suffix"; -1 on failure. */
int32_t bl_graph_param(bl_graph *g, const char *prefix, const char *suffix,
                       int32_t rank, const int64_t *shape, bool buffer,
                       bl_init init);
/** Makes -1 of the present and every later value; keeps the first error.
 *  Status BL_OK: the caller was given a value or parameter that is none. */
int32_t bl_graph_fail(bl_graph *g, bl_status status);

/** The node that alone reads a value; -1 if none or several do, or if the value
 *  is the graph's output. */
int32_t bl_graph_sole_reader(const bl_graph *g, int32_t value);

/** Rewrites nodes for a backend that fuses: norm takes the add and ReLU
 *  behind it; with infer, a convolution takes the norm behind it as well. */
void bl_graph_fuse(bl_graph *g, bool infer);

#endif
