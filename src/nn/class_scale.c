/* SPDX-License-Identifier: Apache-2.0 */
/*
 * class_scale.c: a factor for every logit, learnable weight scaling.
 *
 *   dst_j = s_j src_j          parameter name.scale [c], 1 at the start
 *
 * Trained alone behind a classifier that stays as it is, s evens out the norms
 * of the class vectors.
 *
 * node: src[0] logits; param[0] the factors.
 *
 * Source  Kang et al.: Decoupling Representation and Classifier for
 *         Long-Tailed Recognition, ICLR 2020, arXiv:1910.09217.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

int32_t bl_graph_class_scale(bl_graph *g, int32_t src, const char *name)
{
    if (src < 0 || g->status < 0) return bl_graph_fail(g, g->status);
    const int64_t shape[1] = {g->values[src].c};
    const bl_init one = {BL_INIT_CONSTANT, 1};
    const bl_node node = {
        .type = &bl_layer_class_scale, .n_src = 1, .src = {src}, .n_param = 1,
        .param = {bl_graph_param(g, name, "scale", 1, shape, false, one)}};
    return bl_graph_append(g, &node);
}

static bl_status class_scale_shape(const bl_graph *g, const bl_node *node,
                                   bl_value *dst)
{
    *dst = g->values[node->src[0]];
    if (dst->real && dst->h == 1 && dst->w == 1) return BL_OK;
    return BL_RAISE(BL_EINVAL, "class scale: needs logits, found %lldx%lld",
                    (long long)dst->h, (long long)dst->w);
}

static bl_status class_scale_forward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return plan->backend->class_scale_forward(
        plan->dev, plan->real, v->n, v->c,
        bl_params_value(plan->params, op->node.param[0]),
        bl_plan_at(plan, op->src[0]), bl_plan_at(plan, op->dst));
}

static bl_status class_scale_backward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return plan->backend->class_scale_backward(
        plan->dev, plan->real, v->n, v->c,
        bl_params_value(plan->params, op->node.param[0]),
        bl_plan_at(plan, op->src[0]), bl_plan_at(plan, op->diff_dst[0]),
        bl_plan_at(plan, op->diff_src[0]),
        bl_params_diff(plan->params, op->node.param[0]), op->accumulate);
}

const bl_layer_type bl_layer_class_scale = {
    .name = "class scale", .keeps_src = true, .diff_ways = 1,
    .shape = class_scale_shape, .forward = class_scale_forward,
    .backward = class_scale_backward};
