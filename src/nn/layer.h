/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h: what a kind of layer is.
 *
 * Each file of a layer has the same order: builder, shape, plan, forward,
 * backward, work, descriptor.  A layer calls the backend; it never computes.
 */
#ifndef BL_NN_LAYER_H
#define BL_NN_LAYER_H

#include "backend/backend.h"
#include "nn/graph.h"

typedef struct bl_plan bl_plan;

enum { BL_MERGE_MAX = 4, BL_NO_BUFFER = -1 };

/** A planned node.  Buffers are numbers of the plan's table, BL_NO_BUFFER
 *  where there is none. */
typedef struct bl_op {
    bl_node node;
    int32_t src[BL_NODE_SRC], dst;
    int32_t diff_dst[2];           /* contributions to dst's gradient      */
    int32_t merge[1 + BL_MERGE_MAX]; /* further ones, added to diff_dst[0] */
    int32_t n_merge, merge_dst;
    int32_t diff_src[BL_NODE_SRC];
    int32_t saved[2];              /* forward to backward, private         */
    int32_t again;                 /* op that makes src[0] again before    */
                                   /*   this one's backward, or -1         */
    bool remade;                   /* another op's again is this one       */
    int32_t back_src, back_dst;    /* where backward finds src[0] and dst: */
                                   /*   where forward did, but for again   */
    bl_conv *conv;                 /* owned by the plan's list             */
    bool accumulate;               /* an earlier use wrote the gradients   */
} bl_op;

struct bl_layer_type {
    const char *name;
    bool keeps_src, keeps_dst;  /* backward reads them                     */
    int32_t diff_ways;          /* contributions backward can read, 1 or 2 */
    bool diff_in_place;         /* diff_src may take diff_dst's buffer     */
    bl_status (*shape)(const bl_graph *g, const bl_node *node, bl_value *dst);
    /** Makes primitives, asks for saved buffers and scratch; may be NULL. */
    bl_status (*plan)(bl_plan *plan, bl_op *op);
    /** After a change of parameters, once for each primitive; may be NULL. */
    bl_status (*refresh)(bl_plan *plan, const bl_op *op);
    bl_status (*forward)(bl_plan *plan, const bl_op *op);
    bl_status (*backward)(bl_plan *plan, const bl_op *op); /* NULL: none */
    /** Whether again can be called for a node; NULL: never. */
    bool (*has_again)(const bl_node *node);
    /** Makes what forward made in dst again, bit for bit. */
    bl_status (*again)(bl_plan *plan, const bl_op *op);
    /** Multiply-adds of one sample's forward pass; NULL: not worth counting. */
    double (*work)(const bl_graph *g, const bl_node *node);
};

extern const bl_layer_type bl_layer_input, bl_layer_conv, bl_layer_norm,
    bl_layer_relu, bl_layer_add, bl_layer_shortcut, bl_layer_maxpool,
    bl_layer_gap, bl_layer_linear, bl_layer_cosine, bl_layer_concat,
    bl_layer_scale, bl_layer_mix, bl_layer_class_scale, bl_layer_loss;

#endif
