/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.c: from features to logits.
 *
 *   linear: z = W f + b
 *   cosine: z_j = f . w_j / (|f| |w_j|)     (LDAM's normalised classifier)
 *
 * and what BBN puts before it: scale and concat.
 *
 *   scale:  dst = s src, s a scalar of the step
 *   concat: dst = [a ; b]
 */
#include <math.h>

#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

static bl_status need_features(const bl_value *v, const char *layer)
{
    if (v->real && v->h == 1 && v->w == 1) return BL_OK;
    return BL_RAISE(BL_EINVAL, "%s: needs pooled features, found %lldx%lld",
                    layer, (long long)v->h, (long long)v->w);
}

/* ---- linear and cosine --------------------------------------------------- */

int32_t bl_graph_linear(bl_graph *g, int32_t src, const char *name, int64_t c,
                        bl_init init)
{
    if (src < 0 || g->status < 0) return bl_graph_fail(g, g->status);
    const int64_t d = g->values[src].c, w[2] = {c, d}, b[1] = {c};
    const bl_init bias = {BL_INIT_UNIFORM, 1 / sqrt((double)d)};
    const bl_node node = {
        .type = &bl_layer_linear, .n_src = 1, .src = {src}, .n_param = 2,
        .param = {bl_graph_param(g, name, "weight", 2, w, false, init),
                  bl_graph_param(g, name, "bias", 1, b, false, bias)},
        .k = c};
    return bl_graph_append(g, &node);
}

int32_t bl_graph_cosine(bl_graph *g, int32_t src, const char *name, int64_t c)
{
    if (src < 0 || g->status < 0) return bl_graph_fail(g, g->status);
    const int64_t w[2] = {c, g->values[src].c};
    const bl_init unit = {BL_INIT_UNIT_ROWS, 1};
    const bl_node node = {
        .type = &bl_layer_cosine, .n_src = 1, .src = {src}, .n_param = 1,
        .param = {bl_graph_param(g, name, "weight", 2, w, false, unit)},
        .k = c};
    return bl_graph_append(g, &node);
}

static bl_status head_shape(const bl_graph *g, const bl_node *node,
                            bl_value *dst)
{
    *dst = g->values[node->src[0]];
    dst->c = node->k;
    return need_features(&g->values[node->src[0]], node->type->name);
}

static bl_linear_desc head_describe(const bl_plan *plan, const bl_op *op)
{
    const bl_value *const src = bl_plan_value(plan, op->node.src[0]);
    return (bl_linear_desc){.n = src->n, .d = src->c, .c = op->node.k,
                            .real = plan->real};
}

static bl_status linear_forward(bl_plan *plan, const bl_op *op)
{
    const bl_linear_desc desc = head_describe(plan, op);
    return plan->backend->linear_forward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_params_value(plan->params, op->node.param[0]),
        bl_params_value(plan->params, op->node.param[1]),
        bl_plan_at(plan, op->dst));
}

static bl_status linear_backward(bl_plan *plan, const bl_op *op)
{
    const bl_linear_desc desc = head_describe(plan, op);
    return plan->backend->linear_backward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_params_value(plan->params, op->node.param[0]),
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]),
        bl_params_diff(plan->params, op->node.param[0]),
        bl_params_diff(plan->params, op->node.param[1]), op->accumulate);
}

static bl_status cosine_forward(bl_plan *plan, const bl_op *op)
{
    const bl_linear_desc desc = head_describe(plan, op);
    return plan->backend->cosine_forward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_params_value(plan->params, op->node.param[0]),
        bl_plan_at(plan, op->dst));
}

static bl_status cosine_backward(bl_plan *plan, const bl_op *op)
{
    const bl_linear_desc desc = head_describe(plan, op);
    return plan->backend->cosine_backward(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]),
        bl_params_value(plan->params, op->node.param[0]),
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]),
        bl_params_diff(plan->params, op->node.param[0]), op->accumulate);
}

static double head_work(const bl_graph *g, const bl_node *node)
{
    return (double)g->values[node->src[0]].c * (double)node->k;
}

const bl_layer_type bl_layer_linear = {
    .name = "linear", .keeps_src = true, .diff_ways = 1, .shape = head_shape,
    .forward = linear_forward, .backward = linear_backward, .work = head_work};

const bl_layer_type bl_layer_cosine = {
    .name = "cosine", .keeps_src = true, .diff_ways = 1, .shape = head_shape,
    .forward = cosine_forward, .backward = cosine_backward, .work = head_work};

/* ---- concat -------------------------------------------------------------- */

int32_t bl_graph_concat(bl_graph *g, int32_t a, int32_t b)
{
    const bl_node node = {.type = &bl_layer_concat, .n_src = 2, .src = {a, b}};
    return bl_graph_append(g, &node);
}

static bl_status concat_shape(const bl_graph *g, const bl_node *node,
                              bl_value *dst)
{
    const bl_value *const a = &g->values[node->src[0]];
    const bl_value *const b = &g->values[node->src[1]];
    *dst = *a;
    dst->c += b->c;
    BL_TRY(need_features(b, "concat"));
    return need_features(a, "concat");
}

static bl_status concat_forward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const a = bl_plan_value(plan, op->node.src[0]);
    const bl_value *const b = bl_plan_value(plan, op->node.src[1]);
    return plan->backend->concat_forward(
        plan->dev, plan->real, a->n, a->c, b->c, bl_plan_at(plan, op->src[0]),
        bl_plan_at(plan, op->src[1]), bl_plan_at(plan, op->dst));
}

static bl_status concat_backward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const a = bl_plan_value(plan, op->node.src[0]);
    const bl_value *const b = bl_plan_value(plan, op->node.src[1]);
    return plan->backend->concat_backward(
        plan->dev, plan->real, a->n, a->c, b->c,
        bl_plan_at(plan, op->diff_dst[0]), bl_plan_at(plan, op->diff_src[0]),
        bl_plan_at(plan, op->diff_src[1]));
}

const bl_layer_type bl_layer_concat = {
    .name = "concat", .diff_ways = 1, .shape = concat_shape,
    .forward = concat_forward, .backward = concat_backward};

/* ---- scale --------------------------------------------------------------- */

int32_t bl_graph_scale(bl_graph *g, int32_t src, int32_t slot)
{
    const bl_node node = {.type = &bl_layer_scale, .n_src = 1, .src = {src},
                          .slot = slot};
    return bl_graph_append(g, &node);
}

static bl_status scale_shape(const bl_graph *g, const bl_node *node,
                             bl_value *dst)
{
    *dst = g->values[node->src[0]];
    return need_features(dst, "scale");
}

static bl_status scale(bl_plan *plan, const bl_op *op, int32_t src,
                       int32_t dst)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    return plan->backend->scale(plan->dev, plan->real, v->n * v->c,
                                plan->scalars + op->node.slot,
                                bl_plan_at(plan, src), bl_plan_at(plan, dst));
}

static bl_status scale_forward(bl_plan *plan, const bl_op *op)
{
    return scale(plan, op, op->src[0], op->dst);
}

static bl_status scale_backward(bl_plan *plan, const bl_op *op)
{
    return scale(plan, op, op->diff_dst[0], op->diff_src[0]);
}

const bl_layer_type bl_layer_scale = {
    .name = "scale", .diff_ways = 1, .shape = scale_shape,
    .forward = scale_forward, .backward = scale_backward};
