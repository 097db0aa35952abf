/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elementwise.c: ReLU and the residual add.
 *
 *   relu: dst = max(src, 0);        diff_src = diff_dst [dst > 0]
 *   add:  dst = a + b;              diff_a = diff_b = diff_dst
 *
 * A backend that fuses never sees either: bl_graph_fuse gives them to the
 * norm before.  The two gradients of add are one and the same buffer.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

/* ---- relu ---------------------------------------------------------------- */

int32_t bl_graph_relu(bl_graph *g, int32_t src)
{
    const bl_node node = {.type = &bl_layer_relu, .n_src = 1, .src = {src}};
    return bl_graph_append(g, &node);
}

static bl_status shape_of_src(const bl_graph *g, const bl_node *node,
                              bl_value *dst)
{
    *dst = g->values[node->src[0]];
    return BL_OK;
}

static int64_t count_of(const bl_plan *plan, int32_t value)
{
    const bl_value *const v = bl_plan_value(plan, value);
    return v->n * v->h * v->w * v->c;
}

static bl_status relu_forward(bl_plan *plan, const bl_op *op)
{
    return plan->backend->relu_forward(
        plan->dev, bl_plan_dtype(plan, op->node.dst),
        count_of(plan, op->node.dst), bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->dst));
}

static bl_status relu_backward(bl_plan *plan, const bl_op *op)
{
    return plan->backend->relu_backward(
        plan->dev, bl_plan_dtype(plan, op->node.dst),
        count_of(plan, op->node.dst), bl_plan_at(plan, op->dst),
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]));
}

const bl_layer_type bl_layer_relu = {
    .name = "relu", .keeps_dst = true, .diff_ways = 1, .diff_in_place = true,
    .shape = shape_of_src, .forward = relu_forward,
    .backward = relu_backward};

/* ---- add ----------------------------------------------------------------- */

int32_t bl_graph_add(bl_graph *g, int32_t a, int32_t b)
{
    const bl_node node = {.type = &bl_layer_add, .n_src = 2, .src = {a, b}};
    return bl_graph_append(g, &node);
}

static bl_status add_shape(const bl_graph *g, const bl_node *node,
                           bl_value *dst)
{
    const bl_value *const a = &g->values[node->src[0]];
    const bl_value *const b = &g->values[node->src[1]];
    *dst = *a;
    if (a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c &&
        a->real == b->real)
        return BL_OK;
    return BL_RAISE(BL_EINVAL, "add: %lldx%lldx%lld and %lldx%lldx%lld differ",
                    (long long)a->h, (long long)a->w, (long long)a->c,
                    (long long)b->h, (long long)b->w, (long long)b->c);
}

static bl_status add_forward(bl_plan *plan, const bl_op *op)
{
    return plan->backend->add(
        plan->dev, bl_plan_dtype(plan, op->node.dst),
        count_of(plan, op->node.dst), bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->src[1]), bl_plan_at(plan, op->dst));
}

const bl_layer_type bl_layer_add = {
    .name = "add", .diff_ways = 1, .shape = add_shape,
    .forward = add_forward}; /* its gradients are passed on by the plan */
