/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.c: a loss of logits against one or more mixed targets.
 *
 *   L = (1 / n) sum_k lambda_k sum_i -log softmax(z_i)[y_ki]
 *
 * unless the plan was given terms (bl_plan_terms), which make it another one
 * of its family.  BBN's loss is k = 2 with lambda = (alpha, 1 - alpha): both
 * terms read the same mixed logits; mixed images bring weights of their own.
 * Forward computes the gradient too, so there is nothing left for backward to
 * do.
 *
 * node: src[0] logits, targets.
 */
#include "core/error.h"
#include "nn/layer.h"
#include "nn/plan.h"

void bl_graph_loss(bl_graph *g, int32_t z, int32_t targets)
{
    const bl_node node = {.type = &bl_layer_loss, .n_src = 1, .src = {z},
                          .targets = targets};
    g->output = z;
    bl_graph_append(g, &node);
}

static bl_status shape(const bl_graph *g, const bl_node *node, bl_value *dst)
{
    *dst = (bl_value){.n = 1, .h = 1, .w = 1, .c = 1, .real = true};
    if (!g->values[node->src[0]].real || node->targets < 1 ||
        node->targets > 4)
        return BL_RAISE(BL_EINVAL, "loss: needs logits and 1 to 4 targets, "
                        "found %d", node->targets);
    return BL_OK;
}

static bl_status forward(bl_plan *plan, const bl_op *op)
{
    const bl_value *const z = bl_plan_value(plan, op->node.src[0]);
    const bl_softmax_desc desc = {.n = z->n, .c = z->c,
                                  .targets = op->node.targets,
                                  .real = plan->real, .g = plan->g,
                                  .divide_by_weight = plan->divide_by_weight,
                                  .each_image = plan->each_image};
    const double *const lambda = plan->each_image
                                     ? plan->image_lambda
                                     : plan->scalars + BL_SLOT_LAMBDA;
    const bl_backend *const b = plan->backend;
    return (plan->sigmoid ? b->sigmoid_loss : b->softmax_loss)(
        plan->dev, &desc, bl_plan_at(plan, op->src[0]), plan->y, lambda,
        &plan->terms, plan->loss, plan->loss + 1,
        bl_plan_at(plan, op->diff_src[0]));
}

const bl_layer_type bl_layer_loss = {
    .name = "loss", .shape = shape, .forward = forward};
