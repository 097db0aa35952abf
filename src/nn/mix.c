/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mix.c: mixup inside a network (manifold mixup).
 *
 *   dst_i = l a_i + (1 - l) b_{perm(i)}
 *
 * l is a scalar of the step, perm a permutation of the batch that
 * bl_plan_permutation sets.  a and b are hidden maps [n][h][w][c] or pooled
 * features, of one shape.  Where l = 1 the layer hands a through unchanged,
 * so one plan serves steps that mix at different depths: each layer has its
 * own slot, and all but one of them hold 1.
 *
 * A batch may be mixed with itself, b = a.  The node then has one source, not
 * the same one twice: the plan takes one gradient a source, and here one pass
 * makes the sum of both.
 *
 * node: src[0] a, src[1] b if n_src is 2; slot.
 *
 * Source  Verma et al.: Manifold Mixup: Better Representations by
 *         Interpolating Hidden States, ICML 2019, arXiv:1806.05236.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

int32_t bl_graph_mix(bl_graph *g, int32_t a, int32_t b, int32_t slot)
{
    const bl_node node = {.type = &bl_layer_mix, .n_src = a == b ? 1 : 2,
                          .src = {a, b}, .slot = slot};
    return bl_graph_append(g, &node);
}

static bl_status mix_shape(const bl_graph *g, const bl_node *node,
                           bl_value *dst)
{
    const bl_value *const a = &g->values[node->src[0]];
    const bl_value *const b = &g->values[node->src[node->n_src - 1]];
    *dst = *a;
    if (a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c &&
        a->real == b->real)
        return BL_OK;
    return BL_RAISE(BL_EINVAL, "mix: %lldx%lldx%lld and %lldx%lldx%lld differ",
                    (long long)a->h, (long long)a->w, (long long)a->c,
                    (long long)b->h, (long long)b->w, (long long)b->c);
}

/** Numbers of one image. */
static int64_t size_of(const bl_value *v)
{
    return v->h * v->w * v->c;
}

static bl_status mix_forward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return plan->backend->mix_forward(
        plan->dev, bl_plan_dtype(plan, op->node.dst), v->n, size_of(v),
        plan->scalars + op->node.slot, plan->perm,
        bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->src[op->node.n_src - 1]),
        bl_plan_at(plan, op->dst));
}

static bl_status mix_backward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return plan->backend->mix_backward(
        plan->dev, bl_plan_dtype(plan, op->node.dst), v->n, size_of(v),
        plan->scalars + op->node.slot, plan->inverse,
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]),
        bl_plan_at(plan, op->diff_src[op->node.n_src - 1]));
}

const bl_layer_type bl_layer_mix = {
    .name = "mix", .diff_ways = 1, .shape = mix_shape,
    .forward = mix_forward, .backward = mix_backward};
