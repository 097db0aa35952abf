/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_plan.c: feeding, running and reading a plan.  Nothing here allocates.
 */
#include <string.h>

#include "core/error.h"
#include "nn/plan.h"

/** The number-th input op. */
static const bl_op *input(const bl_plan *plan, int32_t number)
{
    for (int32_t i = 0; i < plan->n_op; i++)
        if (plan->ops[i].node.type == &bl_layer_input && number-- == 0)
            return &plan->ops[i];
    return NULL;
}

bl_status bl_plan_feed(bl_plan *plan, int32_t number, const float *x)
{
    const bl_op *const op = input(plan, number);
    if (!op) return BL_RAISE(BL_EINVAL, "plan: there is no input %d", number);
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    const int64_t count = v->n * v->h * v->w * v->c;
    BL_TRY(plan->backend->upload(plan->dev, plan->staging, x,
                                 (size_t)count * sizeof *x));
    return plan->backend->convert(plan->dev, bl_plan_at(plan, op->dst),
                                  plan->act, plan->staging, count);
}

bl_status bl_plan_labels(bl_plan *plan, const int32_t *y)
{
    return plan->backend->upload(
        plan->dev, plan->y, y,
        (size_t)plan->n * (size_t)plan->targets * sizeof *y);
}

bl_status bl_plan_scalars(bl_plan *plan, const double *scalars)
{
    return plan->backend->upload(plan->dev, plan->scalars, scalars,
                                 BL_PLAN_SCALARS * sizeof *scalars);
}

/** Hands changed parameters to the primitives that keep copies of them. */
static bl_status refresh(bl_plan *plan)
{
    if (plan->version == plan->params->version) return BL_OK;
    for (int32_t i = 0; i < plan->n_conv; i++) {
        const bl_op *const op = &plan->ops[plan->conv_op[i]];
        BL_TRY(op->node.type->refresh(plan, op));
    }
    plan->version = plan->params->version;
    return BL_OK;
}

bl_status bl_plan_forward(bl_plan *plan)
{
    BL_TRY(refresh(plan));
    for (int32_t i = 0; i < plan->n_op; i++)
        BL_TRY(plan->ops[i].node.type->forward(plan, &plan->ops[i]));
    return BL_OK;
}

/** Adds the contributions that op's backward cannot read by itself. */
static bl_status merge(bl_plan *plan, const bl_op *op)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    const int64_t count = v->n * v->h * v->w * v->c;
    const bl_dtype dtype = bl_plan_dtype(plan, op->node.dst);
    void *const dst = bl_plan_at(plan, op->merge_dst);
    const void *sum = bl_plan_at(plan, op->diff_dst[0]);
    for (int32_t k = 0; k < op->n_merge; k++) {
        BL_TRY(plan->backend->add(plan->dev, dtype, count, sum,
                                  bl_plan_at(plan, op->merge[k]), dst));
        sum = dst;
    }
    return BL_OK;
}

bl_status bl_plan_backward(bl_plan *plan)
{
    for (int32_t i = plan->n_op - 1; i >= 0; i--) {
        bl_op op = plan->ops[i];
        if (op.diff_dst[0] == BL_NO_BUFFER) continue;
        if (op.n_merge) {
            BL_TRY(merge(plan, &op));
            op.diff_dst[0] = op.merge_dst;
        }
        if (op.node.type->backward)
            BL_TRY(op.node.type->backward(plan, &op));
    }
    return BL_OK;
}

bl_status bl_plan_loss(bl_plan *plan, double *loss, double *wrong)
{
    double host[1 + 4];
    BL_TRY(plan->backend->download(plan->dev, host, plan->loss, sizeof host));
    *loss = host[0];
    memcpy(wrong, host + 1, (size_t)plan->targets * sizeof *wrong);
    return BL_OK;
}

bl_status bl_plan_logits(bl_plan *plan, void *z)
{
    const int32_t output = plan->graph->output;
    const bl_value *const v = bl_plan_value(plan, output);
    return plan->backend->download(
        plan->dev, z, bl_plan_at(plan, plan->value_buffer[output]),
        (size_t)(v->n * v->c) * bl_dtype_size(plan->real));
}

static void describe_op(const bl_plan *plan, const bl_op *op, bl_text *text)
{
    const bl_value *const v = bl_plan_value(plan, op->node.dst);
    bl_text_printf(text, "%-9s%s%s%s  %lldx%lldx%lldx%lld",
                   op->node.type->name, op->node.norm ? "+norm" : "",
                   op->node.add ? "+add" : "", op->node.relu ? "+relu" : "",
                   (long long)v->n, (long long)v->h, (long long)v->w,
                   (long long)v->c);
    if (op->node.n_param)
        bl_text_printf(text, "  %s",
                       plan->params->table[op->node.param[0]].name);
    if (op->conv) {
        char kernels[160];
        plan->backend->conv_describe(op->conv, kernels, sizeof kernels);
        bl_text_printf(text, "  %s", kernels);
    }
    bl_text_printf(text, "\n");
}

void bl_plan_describe(const bl_plan *plan, bl_text *text)
{
    for (int32_t i = 0; i < plan->n_op; i++)
        describe_op(plan, &plan->ops[i], text);
    size_t sum = 0;
    for (int32_t i = 0; i < plan->n_buffer; i++) sum += plan->buffers[i].bytes;
    bl_text_printf(text, "%d ops, %d buffers of %.1f MB in %.1f MB, scratch "
                   "%.1f MB, %s on %s\n", plan->n_op, plan->n_buffer,
                   (double)sum * 1e-6,
                   (double)(plan->bytes - plan->scratch_bytes) * 1e-6,
                   (double)plan->scratch_bytes * 1e-6,
                   bl_dtype_name(plan->act), plan->backend->name);
}
