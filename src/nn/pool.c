/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: maximum over windows, and the mean over all places (GAP).
 *
 *   maxpool: dst = max over a k x k window; ties go to the first place
 *   gap:     dst[n][c] = (1 / h w) sum_{h w} src[n][h][w][c]
 *
 * GAP is where activations leave bf16: features, classifier and loss are of
 * dtype real.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

/* ---- maxpool ------------------------------------------------------------- */

int32_t bl_graph_maxpool(bl_graph *g, int32_t src, int64_t k, int64_t stride,
                         int64_t pad)
{
    const bl_node node = {.type = &bl_layer_maxpool, .n_src = 1, .src = {src},
                          .k = k, .stride = stride, .pad = pad};
    return bl_graph_append(g, &node);
}

static bl_status max_shape(const bl_graph *g, const bl_node *node,
                           bl_value *dst)
{
    *dst = g->values[node->src[0]];
    const int64_t h = dst->h + 2 * node->pad - node->k;
    const int64_t w = dst->w + 2 * node->pad - node->k;
    if (h < 0 || w < 0 || node->stride < 1 || 2 * node->pad > node->k)
        return BL_RAISE(BL_EINVAL, "maxpool: a window of %lld does not fit "
                        "into %lldx%lld", (long long)node->k,
                        (long long)dst->h, (long long)dst->w);
    dst->h = h / node->stride + 1;
    dst->w = w / node->stride + 1;
    return BL_OK;
}

static bl_pool_desc max_describe(const bl_plan *plan, const bl_op *op)
{
    const bl_node *const d = &op->node;
    const bl_value *const src = bl_plan_value(plan, d->src[0]);
    const bl_value *const dst = bl_plan_value(plan, d->dst);
    return (bl_pool_desc){.n = src->n, .ih = src->h, .iw = src->w,
                          .oh = dst->h, .ow = dst->w, .c = src->c,
                          .kh = d->k, .kw = d->k, .sh = d->stride,
                          .sw = d->stride, .ph = d->pad, .pw = d->pad,
                          .act = plan->act};
}

static bl_status max_plan(bl_plan *plan, bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    if (!plan->training) return BL_OK;
    return bl_plan_save(plan, op, 0, v->n * v->h * v->w * v->c,
                        sizeof(int32_t));
}

static bl_status max_forward(bl_plan *plan, const bl_op *op)
{
    const bl_pool_desc desc = max_describe(plan, op);
    return plan->backend->maxpool_forward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->dst), bl_plan_at(plan, op->saved[0]));
}

static bl_status max_backward(bl_plan *plan, const bl_op *op)
{
    const bl_pool_desc desc = max_describe(plan, op);
    return plan->backend->maxpool_backward(
        plan->dev, &desc, bl_plan_at(plan, op->diff_dst[0]),
        bl_plan_at(plan, op->saved[0]), bl_plan_at(plan, op->diff_src[0]));
}

const bl_layer_type bl_layer_maxpool = {
    .name = "maxpool", .diff_ways = 1, .shape = max_shape, .plan = max_plan,
    .forward = max_forward, .backward = max_backward};

/* ---- gap ----------------------------------------------------------------- */

int32_t bl_graph_gap(bl_graph *g, int32_t src)
{
    const bl_node node = {.type = &bl_layer_gap, .n_src = 1, .src = {src}};
    return bl_graph_append(g, &node);
}

static bl_status gap_shape(const bl_graph *g, const bl_node *node,
                           bl_value *dst)
{
    const bl_value *const src = &g->values[node->src[0]];
    *dst = (bl_value){.n = src->n, .h = 1, .w = 1, .c = src->c, .real = true};
    return BL_OK;
}

static bl_status gap_forward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.src[0]);
    return plan->backend->gap_forward(plan->dev, plan->act, v->n, v->h * v->w,
                                      v->c, bl_plan_at(plan, op->src[0]),
                                      bl_plan_at(plan, op->dst));
}

static bl_status gap_backward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.src[0]);
    return plan->backend->gap_backward(
        plan->dev, plan->act, v->n, v->h * v->w, v->c,
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]));
}

const bl_layer_type bl_layer_gap = {
    .name = "gap", .diff_ways = 1, .shape = gap_shape, .forward = gap_forward,
    .backward = gap_backward};
