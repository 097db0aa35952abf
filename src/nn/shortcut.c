/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shortcut.c: the parameter-free shortcut of the CIFAR networks (option A).
 *
 * Rows and columns 0, s, 2s, ... are kept, and the new channels are zeros: half
 * of them in front, half behind.
 *
 * Source: He, Zhang, Ren, Sun, CVPR 2016, arXiv:1512.03385, section 4.2; the
 * placing of the zeros is the reference code's.
 *
 * node: src[0], stride; the width of dst is k.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

int32_t bl_graph_shortcut(bl_graph *g, int32_t src, int64_t oc, int64_t stride)
{
    const bl_node node = {.type = &bl_layer_shortcut, .n_src = 1,
                          .src = {src}, .k = oc, .stride = stride};
    return bl_graph_append(g, &node);
}

static bl_status shape(const bl_graph *g, const bl_node *node, bl_value *dst)
{
    *dst = g->values[node->src[0]];
    if (node->k < dst->c || node->stride < 1)
        return BL_RAISE(BL_EINVAL, "shortcut: %lld channels cannot become "
                        "%lld", (long long)dst->c, (long long)node->k);
    dst->h = (dst->h - 1) / node->stride + 1;
    dst->w = (dst->w - 1) / node->stride + 1;
    dst->c = node->k;
    return BL_OK;
}

static bl_shortcut_desc describe(const bl_plan *plan, const bl_op *op)
{
    const bl_value *const src = bl_plan_value(plan, op->node.src[0]);
    const bl_value *const dst = bl_plan_value(plan, op->node.dst);
    return (bl_shortcut_desc){.n = src->n, .ih = src->h, .iw = src->w,
                              .ic = src->c, .oh = dst->h, .ow = dst->w,
                              .oc = dst->c, .stride = op->node.stride,
                              .act = plan->act};
}

static bl_status forward(bl_plan *plan, const bl_op *op)
{
    const bl_shortcut_desc desc = describe(plan, op);
    return plan->backend->shortcut_forward(plan->dev, &desc,
                                           bl_plan_at(plan, op->src[0]),
                                           bl_plan_at(plan, op->dst));
}

static bl_status backward(bl_plan *plan, const bl_op *op)
{
    const bl_shortcut_desc desc = describe(plan, op);
    return plan->backend->shortcut_backward(
        plan->dev, &desc, bl_plan_at(plan, op->diff_dst[0]),
        bl_plan_at(plan, op->diff_src[0]));
}

const bl_layer_type bl_layer_shortcut = {
    .name = "shortcut", .diff_ways = 1, .shape = shape, .forward = forward,
    .backward = backward};
