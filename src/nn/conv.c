/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c: k x k convolution without bias.
 *
 *   dst[n][oh][ow][oc] = sum_{kh kw ic} weights[oc][ic][kh][kw]
 *                        src[n][oh s - p + kh d][ow s - p + kw d][ic]
 *
 * At inference the batch-norm behind it may be folded in (bl_graph_fuse):
 * scale = gamma / sqrt(var + eps), shift = beta - mean scale; then also the
 * residual add and ReLU.
 *
 * node: src[0]; src[1] the residual if add; param[0] weights; with norm also
 * param[1..4] gamma, beta, running mean, running variance.
 */
#include <math.h>

#include "core/error.h"
#include "nn/layer.h"
#include "nn/norm.h"
#include "nn/plan.h"

int32_t bl_graph_conv(bl_graph *g, int32_t src, const char *name, int64_t oc,
                      int64_t k, int64_t stride, int64_t pad, int64_t dilation)
{
    if (src < 0 || g->status < 0) return bl_graph_fail(g, g->status);
    if (oc < 1 || k < 1 || stride < 1 || pad < 0 || dilation < 1)
        return bl_graph_fail(
            g, BL_RAISE(BL_EINVAL, "%s: %lld channels, kernel %lld, stride "
                        "%lld, padding %lld, dilation %lld cannot be", name,
                        (long long)oc, (long long)k, (long long)stride,
                        (long long)pad, (long long)dilation));
    const int64_t ic = g->values[src].c;
    const int64_t shape[4] = {oc, ic, k, k};
    const bl_init he = {BL_INIT_NORMAL, sqrt(2.0 / (double)(ic * k * k))};
    const bl_node node = {
        .type = &bl_layer_conv, .n_src = 1, .src = {src}, .n_param = 1,
        .param = {bl_graph_param(g, name, "weight", 4, shape, false, he)},
        .k = k, .stride = stride, .pad = pad, .dilation = dilation};
    return bl_graph_append(g, &node);
}

/** Extent behind a window of k at stride and dilation. */
static int64_t extent(int64_t i, const bl_node *node)
{
    const int64_t reach = (node->k - 1) * node->dilation + 1;
    return i + 2 * node->pad < reach
               ? 0 : (i + 2 * node->pad - reach) / node->stride + 1;
}

static bl_status shape(const bl_graph *g, const bl_node *node, bl_value *dst)
{
    const bl_value *const src = &g->values[node->src[0]];
    *dst = *src;
    dst->h = extent(src->h, node);
    dst->w = extent(src->w, node);
    dst->c = g->params[node->param[0]].shape[0];
    if (src->real || dst->h < 1 || dst->w < 1)
        return BL_RAISE(BL_EINVAL, "%s: an input of %lldx%lld leaves nothing",
                        g->params[node->param[0]].name, (long long)src->h,
                        (long long)src->w);
    return BL_OK;
}

static bl_conv_desc describe(const bl_plan *plan, const bl_op *op)
{
    const bl_node *const d = &op->node;
    const bl_value *const src = bl_plan_value(plan, d->src[0]);
    const bl_value *const dst = bl_plan_value(plan, d->dst);
    return (bl_conv_desc){
        .n = src->n, .ih = src->h, .iw = src->w, .ic = src->c,
        .oh = dst->h, .ow = dst->w, .oc = dst->c,
        .kh = d->k, .kw = d->k, .sh = d->stride, .sw = d->stride,
        .ph = d->pad, .pw = d->pad, .dh = d->dilation, .dw = d->dilation,
        .act = plan->act, .infer = !plan->training,
        .add = d->add, .relu = d->relu,
        .need_diff_src = plan->training && plan->needs_diff[d->src[0]]};
}

/** Two uses of one parameter with one shape share the primitive. */
static bl_conv *find(const bl_plan *plan, const bl_op *op)
{
    for (int32_t i = 0; i < plan->n_conv; i++) {
        const bl_op *const other = &plan->ops[plan->conv_op[i]];
        const bl_value *const a = bl_plan_value(plan, op->node.src[0]);
        const bl_value *const b = bl_plan_value(plan, other->node.src[0]);
        if (other->node.param[0] == op->node.param[0] && a->n == b->n &&
            a->h == b->h && a->w == b->w &&
            other->node.stride == op->node.stride &&
            other->node.pad == op->node.pad &&
            other->node.dilation == op->node.dilation)
            return plan->convs[i];
    }
    return NULL;
}

static bl_status plan_conv(bl_plan *plan, bl_op *op)
{
    if (plan->training) op->conv = find(plan, op);
    if (op->conv) return BL_OK;
    const bl_conv_desc desc = describe(plan, op);
    BL_TRY(plan->backend->conv_create(plan->dev, &op->conv, &desc));
    plan->convs[plan->n_conv] = op->conv;
    plan->conv_op[plan->n_conv++] = (int32_t)(op - plan->ops);
    bl_plan_need_scratch(plan, plan->backend->conv_scratch(op->conv));
    if (op->node.norm && plan->fold_c < desc.oc) plan->fold_c = desc.oc;
    return BL_OK;
}

static bl_status refresh(bl_plan *plan, const bl_op *op)
{
    const void *scale = NULL, *shift = NULL;
    if (op->node.norm) BL_TRY(bl_norm_fold(plan, op, &scale, &shift));
    return plan->backend->conv_prepare(
        op->conv, bl_params_value(plan->params, op->node.param[0]), scale,
        shift);
}

static bl_status forward(bl_plan *plan, const bl_op *op)
{
    return plan->backend->conv_forward(
        op->conv, bl_plan_at(plan, op->src[0]), bl_plan_at(plan, op->src[1]),
        bl_plan_at(plan, op->dst), bl_plan_scratch(plan));
}

static bl_status backward(bl_plan *plan, const bl_op *op)
{
    const void *const diff_dst = bl_plan_at(plan, op->diff_dst[0]);
    void *const diff_src = bl_plan_at(plan, op->diff_src[0]);
    BL_TRY(plan->backend->conv_backward_weights(
        op->conv, bl_plan_at(plan, op->src[0]), diff_dst,
        bl_params_diff(plan->params, op->node.param[0]), op->accumulate,
        bl_plan_scratch(plan)));
    if (!diff_src) return BL_OK;
    return plan->backend->conv_backward_data(op->conv, diff_dst, diff_src,
                                             bl_plan_scratch(plan));
}

static double work(const bl_graph *g, const bl_node *node)
{
    const bl_value *const dst = &g->values[node->dst];
    const int64_t *const w = g->params[node->param[0]].shape;
    return (double)(dst->h * dst->w) * (double)(w[0] * w[1] * w[2] * w[3]);
}

const bl_layer_type bl_layer_conv = {
    .name = "conv", .keeps_src = true, .diff_ways = 1, .shape = shape,
    .plan = plan_conv, .refresh = refresh, .forward = forward,
    .backward = backward, .work = work};
