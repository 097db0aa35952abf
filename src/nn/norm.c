/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm.c: batch normalisation over n h w.
 *
 *   dst = [relu]( gamma (src - mean) / sqrt(var + eps) + beta [+ add] )
 *
 * Training: mean and biased variance of this batch part; the running
 * statistics move by 0.1, the variance unbiased.  A trunk that runs twice a
 * step (BBN) therefore normalises each batch by itself and moves the running
 * statistics twice, in the order of the nodes.  Inference, and training of a
 * frozen norm: the running statistics, which then stay as they are.
 *
 * Source: Ioffe and Szegedy, ICML 2015, arXiv:1502.03167; constants PyTorch's.
 *
 * node: src[0]; src[1] the residual if add; param gamma, beta, running mean,
 * running variance; relu; frozen.  saved: mean, 1 / sqrt(var + eps).
 */
#include "nn/norm.h"

#include <math.h>

#include "core/error.h"
#include "nn/layer.h"

static int32_t append(bl_graph *g, int32_t src, const char *name, bool frozen)
{
    if (src < 0 || g->status < 0) return bl_graph_fail(g, g->status);
    const int64_t c[1] = {g->values[src].c};
    const bl_init one = {BL_INIT_CONSTANT, 1}, zero = {BL_INIT_CONSTANT, 0};
    const bl_node node = {
        .type = &bl_layer_norm, .n_src = 1, .src = {src}, .n_param = 4,
        .param = {bl_graph_param(g, name, "weight", 1, c, false, one),
                  bl_graph_param(g, name, "bias", 1, c, false, zero),
                  bl_graph_param(g, name, "running_mean", 1, c, true, zero),
                  bl_graph_param(g, name, "running_var", 1, c, true, one)},
        .frozen = frozen};
    return bl_graph_append(g, &node);
}

int32_t bl_graph_norm(bl_graph *g, int32_t src, const char *name)
{
    return append(g, src, name, false);
}

int32_t bl_graph_norm_frozen(bl_graph *g, int32_t src, const char *name)
{
    return append(g, src, name, true);
}

static bl_status shape(const bl_graph *g, const bl_node *node, bl_value *dst)
{
    *dst = g->values[node->src[0]];
    if (dst->real)
        return BL_RAISE(BL_EINVAL, "%s: batch-norm behind global pooling is "
                        "not supported", g->params[node->param[0]].name);
    return BL_OK;
}

static bl_norm_desc describe(const bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return (bl_norm_desc){.rows = v->n * v->h * v->w, .c = v->c,
                          .act = plan->act, .eps = BL_NORM_EPS,
                          .momentum = plan->hold_statistics
                                          ? 0 : BL_NORM_MOMENTUM,
                          .relu = op->node.relu, .add = op->node.add};
}

static bl_status plan_norm(bl_plan *plan, bl_op *op)
{
    const bl_norm_desc desc = describe(plan, op);
    bl_plan_need_scratch(plan, plan->backend->norm_scratch(plan->dev, &desc));
    if (!plan->training) return BL_OK;
    if (desc.rows < 2 && !op->node.frozen)
        return BL_RAISE(BL_EINVAL, "%s: batch-norm needs more than one value "
                        "a channel to train on",
                        plan->params->table[op->node.param[0]].name);
    const size_t size = bl_dtype_size(plan->real);
    BL_TRY(bl_plan_save(plan, op, 0, desc.c, size));
    return bl_plan_save(plan, op, 1, desc.c, size);
}

/** Normalises with the running statistics; a plan that trains saves them for
 *  the way back. */
static bl_status forward_running(bl_plan *plan, const bl_op *op,
                                 const bl_norm_desc *desc)
{
    const bl_params *const p = plan->params;
    const int32_t *const i = op->node.param;
    if (plan->training)
        BL_TRY(plan->backend->norm_freeze(
            plan->dev, desc, bl_params_value(p, i[2]),
            bl_params_value(p, i[3]), bl_plan_at(plan, op->saved[0]),
            bl_plan_at(plan, op->saved[1])));
    return plan->backend->norm_infer(
        plan->dev, desc, bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->src[1]), bl_params_value(p, i[0]),
        bl_params_value(p, i[1]), bl_params_value(p, i[2]),
        bl_params_value(p, i[3]), bl_plan_at(plan, op->dst));
}

static bl_status forward(bl_plan *plan, const bl_op *op)
{
    const bl_norm_desc desc = describe(plan, op);
    const bl_params *const p = plan->params;
    const int32_t *const i = op->node.param;
    if (!plan->training || op->node.frozen)
        return forward_running(plan, op, &desc);
    return plan->backend->norm_forward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->src[1]), bl_params_value(p, i[0]),
        bl_params_value(p, i[1]), bl_params_value(p, i[2]),
        bl_params_value(p, i[3]), bl_plan_at(plan, op->saved[0]),
        bl_plan_at(plan, op->saved[1]), bl_plan_at(plan, op->dst),
        bl_plan_scratch(plan));
}

static bool has_again(const bl_node *node)
{
    return !node->add && !node->frozen;
}

static bl_status again(bl_plan *plan, const bl_op *op)
{
    const bl_norm_desc desc = describe(plan, op);
    const int32_t *const i = op->node.param;
    return plan->backend->norm_again(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_params_value(plan->params, i[0]),
        bl_params_value(plan->params, i[1]), bl_plan_at(plan, op->saved[0]),
        bl_plan_at(plan, op->saved[1]), bl_plan_at(plan, op->dst),
        bl_plan_scratch(plan));
}

static bl_status backward(bl_plan *plan, const bl_op *op)
{
    const bl_norm_desc desc = describe(plan, op);
    const int32_t *const i = op->node.param;
    return plan->backend->norm_backward(
        plan->dev, &desc, op->node.frozen, bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->dst), bl_plan_at(plan, op->diff_dst[0]),
        bl_plan_at(plan, op->diff_dst[1]), bl_params_value(plan->params, i[0]),
        bl_plan_at(plan, op->saved[0]), bl_plan_at(plan, op->saved[1]),
        bl_params_diff(plan->params, i[0]), bl_params_diff(plan->params, i[1]),
        op->accumulate, bl_plan_at(plan, op->diff_src[0]),
        bl_plan_at(plan, op->diff_src[1]), bl_plan_scratch(plan));
}

/** Reads [c] of dtype real from the device as doubles. */
static bl_status fetch(bl_plan *plan, int32_t param, double *out, int64_t c)
{
    const void *const src = bl_params_value(plan->params, param);
    if (plan->real == BL_F64)
        return plan->backend->download(plan->dev, out, src,
                                       (size_t)c * sizeof(double));
    float *const narrow = (float *)out;
    BL_TRY(plan->backend->download(plan->dev, narrow, src,
                                   (size_t)c * sizeof(float)));
    for (int64_t k = c - 1; k >= 0; k--) out[k] = (double)narrow[k];
    return BL_OK;
}

/** Sends [c] doubles to the device as dtype real. */
static bl_status send(bl_plan *plan, void *dst, double *values, int64_t c)
{
    if (plan->real != BL_F64) {
        float *const narrow = (float *)values;
        for (int64_t k = 0; k < c; k++) narrow[k] = (float)values[k];
    }
    return plan->backend->upload(plan->dev, dst, values,
                                 (size_t)c * bl_dtype_size(plan->real));
}

bl_status bl_norm_fold(bl_plan *plan, const bl_op *op, const void **scale,
                       const void **shift)
{
    const int64_t c = bl_plan_value(plan, op->node.dst)->c;
    const size_t half = (size_t)plan->fold_c * bl_dtype_size(plan->real);
    double *part[4]; // gamma, beta, mean, var: each [c]
    for (int32_t k = 0; k < 4; k++) {
        part[k] = plan->fold_host + k * plan->fold_c;
        BL_TRY(fetch(plan, op->node.param[1 + k], part[k], c));
    }
    for (int64_t k = 0; k < c; k++) {
        const double factor = part[0][k] / sqrt(part[3][k] + BL_NORM_EPS);
        part[0][k] = factor;
        part[1][k] -= part[2][k] * factor;
    }
    BL_TRY(send(plan, plan->fold, part[0], c));
    BL_TRY(send(plan, plan->fold + half, part[1], c));
    *scale = plan->fold;
    *shift = plan->fold + half;
    return BL_OK;
}

const bl_layer_type bl_layer_norm = {
    .name = "norm", .keeps_src = true, .diff_ways = 2, .diff_in_place = true,
    .shape = shape, .plan = plan_norm, .forward = forward,
    .backward = backward, .has_again = has_again, .again = again};
