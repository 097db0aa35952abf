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

bl_status bl_plan_permutation(bl_plan *plan, const int32_t *perm)
{
    const int32_t n = (int32_t)plan->n;
    int32_t *const inverse = plan->inverse_host;
    for (int32_t i = 0; i < n; i++) inverse[i] = -1;
    for (int32_t i = 0; i < n; i++) {
        if (perm[i] < 0 || perm[i] >= n || inverse[perm[i]] >= 0)
            return BL_RAISE(BL_EINVAL, "plan: image %d is mixed with %d, not "
                            "with each of 0 to %d once", i, perm[i], n - 1);
        inverse[perm[i]] = i;
    }
    const size_t bytes = (size_t)n * sizeof *perm;
    BL_TRY(plan->backend->upload(plan->dev, plan->perm, perm, bytes));
    return plan->backend->upload(plan->dev, plan->inverse, inverse, bytes);
}

bl_status bl_plan_image_lambda(bl_plan *plan, const double *lambda)
{
    plan->each_image = lambda != NULL;
    if (!lambda) return BL_OK;
    return plan->backend->upload(
        plan->dev, plan->image_lambda, lambda,
        (size_t)plan->n * (size_t)plan->targets * sizeof *lambda);
}

/** Sends term number i, values [c], and tells the kernel where it lies. */
static bl_status send_term(bl_plan *plan, int32_t i, const double *values,
                           int32_t c, const void **term)
{
    const size_t size = bl_dtype_size(plan->real);
    char *const dst = plan->terms_memory + (size_t)i * (size_t)c * size;
    const void *host = values;
    if (plan->real == BL_F32) {
        float *const narrow = (float *)plan->terms_host;
        for (int32_t j = 0; j < c; j++) narrow[j] = (float)values[j];
        host = narrow;
    }
    *term = dst;
    return plan->backend->upload(plan->dev, dst, host, (size_t)c * size);
}

bl_status bl_plan_terms(bl_plan *plan, const bl_loss_terms *terms)
{
    static const bl_loss_terms none = {0};
    const bl_loss_terms *const t = terms ? terms : &none;
    bl_class_terms *const to = &plan->terms;
    *to = (bl_class_terms){0};
    plan->g = t->g;
    plan->divide_by_weight = t->divide_by_weight;
    plan->sigmoid = t->sigmoid;
    if (t->has_s) BL_TRY(send_term(plan, 0, t->s, t->c, &to->s));
    if (t->has_m) BL_TRY(send_term(plan, 1, t->m, t->c, &to->m));
    if (t->has_b) BL_TRY(send_term(plan, 2, t->b, t->c, &to->b));
    if (t->has_w) BL_TRY(send_term(plan, 3, t->w, t->c, &to->w));
    if (t->has_e) BL_TRY(send_term(plan, 4, t->e, t->c, &to->e));
    return BL_OK;
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

/** Op i as backward sees it. */
static bl_op op_backward(const bl_plan *plan, int32_t i)
{
    bl_op op = plan->ops[i];
    op.src[0] = op.back_src;
    op.dst = op.back_dst;
    return op;
}

static bl_status backward(bl_plan *plan, int32_t i)
{
    bl_op op = op_backward(plan, i);
    if (op.diff_dst[0] == BL_NO_BUFFER) return BL_OK;
    if (op.again >= 0) {
        const bl_op maker = op_backward(plan, op.again);
        BL_TRY(maker.node.type->again(plan, &maker));
    }
    if (op.n_merge) {
        BL_TRY(merge(plan, &op));
        op.diff_dst[0] = op.merge_dst;
    }
    return op.node.type->backward ? op.node.type->backward(plan, &op) : BL_OK;
}

bl_status bl_plan_backward(bl_plan *plan)
{
    for (int32_t i = plan->n_op - 1; i >= 0; i--)
        BL_TRY(backward(plan, i));
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

/** Reads a value [n][c] of dtype real. */
static bl_status read_value(const bl_plan *plan, int32_t value, void *out)
{
    const bl_value *const v = bl_plan_value(plan, value);
    return plan->backend->download(
        plan->dev, out, bl_plan_at(plan, plan->value_buffer[value]),
        (size_t)(v->n * v->c) * bl_dtype_size(plan->real));
}

bl_status bl_plan_logits(bl_plan *plan, void *z)
{
    return read_value(plan, plan->graph->output, z);
}

bl_status bl_plan_features(bl_plan *plan, void *f)
{
    return read_value(plan, plan->graph->features, f);
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
    if (op->remade) bl_text_printf(text, "  made again");
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
