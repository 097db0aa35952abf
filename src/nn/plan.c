/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c: from a graph to something that runs.
 *
 * Moments.  Op i runs forward at moment i and backward at moment 2 n - 1 - i.
 * A buffer lives from the moment that writes it to the last that reads it.
 *
 * Made again.  A large value that one layer alone reads need not live from
 * there to that layer's backward: its maker makes it again then, from what the
 * maker keeps anyway.  Batch-norm does, for the convolution behind it: one pass
 * over memory more, and a residual block keeps a quarter less.
 *
 * Gradients.  A value that k layers read receives k contributions.  Backward
 * of its maker reads up to diff_ways of them as they are (batch-norm reads
 * two, so the sum at the start of a residual block costs no pass); the rest
 * are added into the first.  A contribution that nobody else holds may be
 * overwritten in place by the gradient made from it.
 */
#include "nn/plan.h"

#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

/* ---- what layers ask ---------------------------------------------------- */

void *bl_plan_at(const bl_plan *plan, int32_t buffer)
{
    if (buffer == BL_NO_BUFFER) return NULL;
    return plan->memory + plan->buffers[buffer].offset;
}

void *bl_plan_scratch(const bl_plan *plan)
{
    return plan->memory + plan->bytes - plan->scratch_bytes;
}

const bl_value *bl_plan_value(const bl_plan *plan, int32_t value)
{
    return &plan->graph->values[value];
}

bl_dtype bl_plan_dtype(const bl_plan *plan, int32_t value)
{
    return bl_plan_value(plan, value)->real ? plan->real : plan->act;
}

void bl_plan_need_scratch(bl_plan *plan, size_t bytes)
{
    const size_t whole = (bytes + 63) / 64 * 64;
    if (plan->scratch_bytes < whole) plan->scratch_bytes = whole;
}

/* ---- buffers ------------------------------------------------------------ */

static int32_t backward_moment(const bl_plan *plan, int32_t op)
{
    return 2 * plan->n_op - 1 - op;
}

static void live(bl_plan *plan, int32_t buffer, int32_t moment)
{
    if (buffer == BL_NO_BUFFER) return;
    bl_buffer *const b = &plan->buffers[buffer];
    if (b->first > moment) b->first = moment;
    if (b->last < moment) b->last = moment;
}

static bl_status new_buffer(bl_plan *plan, int32_t *out, int64_t count,
                            size_t size, int32_t moment)
{
    bl_buffer *const b = &plan->buffers[plan->n_buffer];
    *b = (bl_buffer){.first = moment, .last = moment};
    BL_TRY(bl_size_mul(&b->bytes, count, size));
    *out = plan->n_buffer++;
    return BL_OK;
}

static bl_status buffer_of_value(bl_plan *plan, int32_t *out, int32_t value,
                                 int32_t moment)
{
    const bl_value *const v = bl_plan_value(plan, value);
    size_t pixels, count;
    BL_TRY(bl_size_mul(&pixels, v->n, (size_t)v->h * (size_t)v->w));
    BL_TRY(bl_size_mul(&count, (int64_t)pixels, (size_t)v->c));
    return new_buffer(plan, out, (int64_t)count,
                      bl_dtype_size(bl_plan_dtype(plan, value)), moment);
}

bl_status bl_plan_save(bl_plan *plan, bl_op *op, int32_t which, int64_t count,
                       size_t size)
{
    const int32_t i = (int32_t)(op - plan->ops);
    BL_TRY(new_buffer(plan, &op->saved[which], count, size, i));
    live(plan, op->saved[which], backward_moment(plan, i));
    return BL_OK;
}

/* ---- forward ------------------------------------------------------------ */

/** Notes that op i's value is made again and not kept, if it is large, and one
 *  layer alone reads it and wants it for its backward. */
static void note_again(bl_plan *plan, int32_t i)
{
    const bl_graph *const g = plan->graph;
    bl_op *const op = &plan->ops[i];
    const bl_layer_type *const type = op->node.type;
    if (!plan->training || !g->again_bytes) return;
    if (op->again >= 0) return; /* its own source is not there in time */
    if (plan->buffers[op->dst].bytes < g->again_bytes) return;
    if (!type->has_again || !type->has_again(&op->node)) return;
    const int32_t k = bl_graph_sole_reader(g, op->node.dst);
    if (k < 0 || !plan->ops[k].node.type->keeps_src) return;
    if (plan->ops[k].node.src[0] != op->node.dst) return;
    op->remade = true;
    plan->ops[k].again = i;
}

/** Where op i finds its first source on the way back: where it lay, or in a
 *  buffer of its own that its maker fills again and reads, too. */
static bl_status keep_src(bl_plan *plan, int32_t i)
{
    bl_op *const op = &plan->ops[i];
    const int32_t back = backward_moment(plan, i);
    if (op->again < 0) {
        live(plan, op->src[0], back);
        return BL_OK;
    }
    bl_op *const maker = &plan->ops[op->again];
    BL_TRY(buffer_of_value(plan, &op->back_src, op->node.src[0], back));
    live(plan, op->back_src, backward_moment(plan, op->again));
    maker->back_dst = op->back_src;
    return BL_OK;
}

static bl_status plan_forward(bl_plan *plan, int32_t i)
{
    bl_op *const op = &plan->ops[i];
    const bl_layer_type *const type = op->node.type;
    const int32_t back = backward_moment(plan, i);
    for (int32_t k = 0; k < op->node.n_src; k++) {
        op->src[k] = plan->value_buffer[op->node.src[k]];
        live(plan, op->src[k], i);
    }
    op->back_src = op->src[0];
    if (plan->training && type->keeps_src && op->node.n_src)
        BL_TRY(keep_src(plan, i));
    BL_TRY(buffer_of_value(plan, &op->dst, op->node.dst, i));
    op->back_dst = plan->value_buffer[op->node.dst] = op->dst;
    note_again(plan, i);
    if (type == &bl_layer_input) plan->buffers[op->dst].first = 0;
    if (plan->training && (type->keeps_dst || op->node.relu) && !op->remade)
        live(plan, op->dst, back);
    return type->plan ? type->plan(plan, op) : BL_OK;
}

/** Logits, and features at inference, must outlive the last op. */
static void keep_output(bl_plan *plan)
{
    const bl_graph *const g = plan->graph;
    live(plan, plan->value_buffer[g->output], 2 * plan->n_op);
    if (!plan->training && g->features > 0)
        live(plan, plan->value_buffer[g->features], 2 * plan->n_op);
}

/* ---- backward ----------------------------------------------------------- */

/** Gradient contributions to one value, gathered while walking backward. */
typedef struct gathered {
    int32_t part[2 + BL_MERGE_MAX];
    int32_t n;
} gathered;

static bl_status give(bl_plan *plan, gathered *to, int32_t buffer)
{
    if (to->n == 2 + BL_MERGE_MAX)
        return BL_RAISE(BL_EUNSUPPORTED, "a value has more than %d readers",
                        2 + BL_MERGE_MAX);
    to->part[to->n++] = buffer;
    plan->buffers[buffer].holders++;
    return BL_OK;
}

/** Decides which contributions op i reads and which are added up before. */
static bl_status take(bl_plan *plan, int32_t i, const gathered *from)
{
    bl_op *const op = &plan->ops[i];
    const int32_t back = backward_moment(plan, i);
    const int32_t ways = op->node.type->diff_ways > 1 ? 2 : 1;
    for (int32_t k = 0; k < from->n; k++) {
        live(plan, from->part[k], back);
        if (k < ways)
            op->diff_dst[k] = from->part[k];
        else
            op->merge[op->n_merge++] = from->part[k];
    }
    if (!op->n_merge) return BL_OK;
    op->merge_dst = op->diff_dst[0];
    if (plan->buffers[op->merge_dst].holders > 1)
        return buffer_of_value(plan, &op->merge_dst, op->node.dst, back);
    return BL_OK;
}

/** The buffer of a gradient made by op i for value v: one of the
 *  contributions it has just read for the last time, or a new one. */
static bl_status place_diff(bl_plan *plan, int32_t i, int32_t v, int32_t *old,
                            int32_t *out)
{
    const int32_t back = backward_moment(plan, i);
    if (plan->ops[i].node.type->diff_in_place)
        for (int32_t k = 0; k < 2; k++) {
            if (old[k] == BL_NO_BUFFER) continue;
            if (plan->buffers[old[k]].holders > 1) continue;
            *out = old[k];
            old[k] = BL_NO_BUFFER;
            plan->buffers[*out].holders = 0;
            return BL_OK;
        }
    return buffer_of_value(plan, out, v, back);
}

static bl_status plan_backward(bl_plan *plan, int32_t i, gathered *diffs)
{
    bl_op *const op = &plan->ops[i];
    const gathered *const mine = &diffs[op->node.dst];
    BL_TRY(take(plan, i, mine));
    if (op->node.type == &bl_layer_add) {
        const int32_t all = op->n_merge ? op->merge_dst : op->diff_dst[0];
        for (int32_t k = 0; k < 2; k++)
            if (plan->needs_diff[op->node.src[k]])
                BL_TRY(give(plan, &diffs[op->node.src[k]], all));
        return BL_OK;
    }
    int32_t old[2] = {op->n_merge ? op->merge_dst : op->diff_dst[0],
                      op->diff_dst[1]};
    for (int32_t k = op->node.n_src - 1; k >= 0; k--) {
        const int32_t v = op->node.src[k];
        if (!plan->needs_diff[v]) continue;
        BL_TRY(place_diff(plan, i, v, old, &op->diff_src[k]));
        BL_TRY(give(plan, &diffs[v], op->diff_src[k]));
    }
    return BL_OK;
}

/** The loss makes its gradient during forward. */
static bl_status plan_loss(bl_plan *plan, int32_t i, gathered *diffs)
{
    bl_op *const op = &plan->ops[i];
    const int32_t z = op->node.src[0];
    BL_TRY(buffer_of_value(plan, &op->diff_src[0], z, i));
    return give(plan, &diffs[z], op->diff_src[0]);
}

/** Marks uses of a parameter whose gradient another use has written before. */
static void mark_shared(bl_plan *plan)
{
    for (int32_t i = plan->n_op - 1; i >= 0; i--)
        for (int32_t k = i + 1; k < plan->n_op; k++) {
            const bl_node *const a = &plan->ops[i].node;
            const bl_node *const b = &plan->ops[k].node;
            if (a->n_param && b->n_param && a->param[0] == b->param[0])
                plan->ops[i].accumulate = true;
        }
}

static bl_status plan_all_backward(bl_plan *plan)
{
    bl_status status = BL_OK;
    gathered *diffs = NULL;
    BL_CHECK(bl_calloc(&diffs, plan->graph->n_value, sizeof *diffs));
    for (int32_t i = plan->n_op - 1; i >= 0; i--) {
        const bl_node *const node = &plan->ops[i].node;
        if (node->type == &bl_layer_loss)
            BL_CHECK(plan_loss(plan, i, diffs));
        else if (plan->needs_diff[node->dst] && diffs[node->dst].n)
            BL_CHECK(plan_backward(plan, i, diffs));
    }
    mark_shared(plan);
done:
    bl_free(diffs);
    return status;
}

/* ---- creation ----------------------------------------------------------- */

/** Replaces the graph's parameter numbers by those of the slabs, by name. */
static bl_status bind_params(bl_plan *plan)
{
    bl_graph *const g = plan->graph;
    for (int32_t i = 0; i < plan->n_op; i++)
        for (int32_t k = 0; k < g->nodes[i].n_param; k++) {
            const bl_parameter *const want = &g->params[g->nodes[i].param[k]];
            const int32_t at = bl_params_find(plan->params, want->name);
            if (at < 0 || plan->params->table[at].count != want->count)
                return BL_RAISE(BL_EINVAL, "plan: parameter %s has no values",
                                want->name);
            plan->ops[i].node.param[k] = at;
        }
    return BL_OK;
}

static void clear_op(bl_op *op, const bl_node *node)
{
    *op = (bl_op){.node = *node, .dst = BL_NO_BUFFER,
                  .merge_dst = BL_NO_BUFFER, .again = -1,
                  .back_src = BL_NO_BUFFER, .back_dst = BL_NO_BUFFER};
    for (int32_t k = 0; k < 2; k++)
        op->src[k] = op->diff_dst[k] = op->diff_src[k] = op->saved[k] =
            BL_NO_BUFFER;
}

/** A value needs a gradient if a parameter that is trained, or such a value,
 *  is behind it. */
static void find_needs(bl_plan *plan)
{
    for (int32_t i = 0; i < plan->n_op; i++) {
        const bl_node *const node = &plan->ops[i].node;
        bool needs = node->n_param > 0 &&
                     !plan->graph->params[plan->graph->nodes[i].param[0]].fixed;
        for (int32_t k = 0; k < node->n_src; k++)
            needs = needs || plan->needs_diff[node->src[k]];
        plan->needs_diff[node->dst] = needs;
    }
}

static bl_status allot(bl_plan *plan)
{
    const int64_t n = plan->n_op, v = plan->graph->n_value;
    BL_TRY(bl_calloc(&plan->ops, n, sizeof *plan->ops));
    BL_TRY(bl_calloc(&plan->value_buffer, v, sizeof *plan->value_buffer));
    BL_TRY(bl_calloc(&plan->needs_diff, v, sizeof *plan->needs_diff));
    BL_TRY(bl_calloc(&plan->convs, n, sizeof *plan->convs));
    BL_TRY(bl_calloc(&plan->conv_op, n, sizeof *plan->conv_op));
    return bl_calloc(&plan->buffers, 8 * n, sizeof *plan->buffers);
}

/** Bytes of the f32 image of the largest input. */
static size_t staging_bytes(const bl_plan *plan)
{
    size_t most = 0;
    for (int32_t i = 0; i < plan->n_op; i++) {
        const bl_value *const v = bl_plan_value(plan, plan->ops[i].node.dst);
        if (plan->ops[i].node.type != &bl_layer_input) continue;
        const size_t bytes = (size_t)(v->n * v->h * v->w * v->c) * 4;
        if (most < bytes) most = bytes;
    }
    return most;
}

/** Places what is always alive: staging, labels, scalars, results, terms of
 *  the loss, folds; each on a boundary of 64 bytes. */
static bl_status allot_fixed(bl_plan *plan)
{
    enum { STAGING, SCALARS, LABELS, PERM, LAMBDA, TERMS, FOLD, PARTS };
    const size_t real = bl_dtype_size(plan->real), n = (size_t)plan->n;
    const size_t targets = (size_t)plan->targets;
    const size_t C = (size_t)bl_plan_value(plan, plan->graph->output)->c;
    const size_t bytes[PARTS] = {
        [STAGING] = staging_bytes(plan),
        [SCALARS] = (BL_PLAN_SCALARS + 8) * sizeof(double),
        [LABELS] = targets * n * sizeof(int32_t),
        [PERM] = 2 * n * sizeof(int32_t),
        [LAMBDA] = targets * n * sizeof(double),
        [TERMS] = 5 * C * real,
        [FOLD] = 2 * (size_t)plan->fold_c * real};
    size_t at[PARTS + 1] = {0};
    for (int32_t i = 0; i < PARTS; i++)
        at[i + 1] = at[i] + (bytes[i] + 63) / 64 * 64;
    BL_TRY(plan->backend->alloc(plan->dev, &plan->fixed, at[PARTS]));
    char *const base = plan->fixed;
    plan->staging = base + at[STAGING];
    plan->scalars = (void *)(base + at[SCALARS]);
    plan->loss = plan->scalars + BL_PLAN_SCALARS;
    plan->y = (void *)(base + at[LABELS]);
    plan->perm = (void *)(base + at[PERM]);
    plan->inverse = plan->perm + n;
    plan->image_lambda = (void *)(base + at[LAMBDA]);
    plan->terms_memory = base + at[TERMS];
    plan->fold = base + at[FOLD];
    BL_TRY(bl_calloc(&plan->terms_host, (int64_t)C, sizeof(double)));
    return bl_calloc(&plan->fold_host, 4 * plan->fold_c,
                     sizeof *plan->fold_host);
}

/** The identity, until bl_plan_permutation. */
static bl_status allot_permutation(bl_plan *plan)
{
    bl_status status = BL_OK;
    int32_t *identity = NULL;
    BL_TRY(bl_calloc(&plan->inverse_host, plan->n,
                     sizeof *plan->inverse_host));
    BL_TRY(bl_calloc(&identity, plan->n, sizeof *identity));
    for (int32_t i = 0; i < (int32_t)plan->n; i++) identity[i] = i;
    status = bl_plan_permutation(plan, identity);
    bl_free(identity);
    return status;
}

static bl_status place(bl_plan *plan)
{
    int32_t *order = NULL;
    BL_TRY(bl_calloc(&order, plan->n_buffer, sizeof *order));
    plan->bytes = bl_buffers_place(plan->buffers, plan->n_buffer, order) +
                  plan->scratch_bytes;
    bl_free(order);
    return BL_OK;
}

static bl_status build(bl_plan *plan)
{
    if (plan->backend->fuses) bl_graph_fuse(plan->graph, !plan->training);
    plan->n_op = plan->graph->n_node;
    BL_TRY(allot(plan));
    for (int32_t i = 0; i < plan->n_op; i++) {
        clear_op(&plan->ops[i], &plan->graph->nodes[i]);
        if (plan->ops[i].node.type == &bl_layer_loss)
            plan->targets = plan->ops[i].node.targets;
        if (plan->ops[i].node.type == &bl_layer_input) plan->n_input++;
    }
    BL_TRY(bind_params(plan));
    find_needs(plan);
    for (int32_t i = 0; i < plan->n_op; i++) BL_TRY(plan_forward(plan, i));
    if (plan->training) BL_TRY(plan_all_backward(plan));
    keep_output(plan);
    BL_TRY(place(plan));
    BL_TRY(allot_fixed(plan));
    return allot_permutation(plan);
}

bl_status bl_plan_create(bl_plan **out, bl_graph *graph, bl_params *params,
                         bl_dtype act, bool training)
{
    bl_plan *plan = NULL;
    bl_status status = bl_calloc(&plan, 1, sizeof *plan);
    if (status < 0) {
        bl_graph_free(graph);
        return status;
    }
    plan->graph = graph;
    plan->backend = params->backend;
    plan->dev = params->dev;
    plan->params = params;
    plan->act = act;
    plan->real = bl_dtype_real(act);
    plan->training = training;
    BL_CHECK(bl_graph_finish(graph));
    plan->n = graph->values[graph->output].n;
    BL_CHECK(build(plan));
    *out = plan;
    return BL_OK;
done:
    bl_plan_free(plan);
    return status;
}

void bl_plan_free(bl_plan *plan)
{
    if (!plan) return;
    for (int32_t i = 0; i < plan->n_conv; i++)
        plan->backend->conv_free(plan->convs[i]);
    if (plan->fixed) plan->backend->free(plan->dev, plan->fixed);
    bl_graph_free(plan->graph);
    bl_free(plan->ops);
    bl_free(plan->value_buffer);
    bl_free(plan->needs_diff);
    bl_free(plan->convs);
    bl_free(plan->conv_op);
    bl_free(plan->buffers);
    bl_free(plan->fold_host);
    bl_free(plan->inverse_host);
    bl_free(plan->terms_host);
    bl_free(plan);
}

void bl_plan_bind(bl_plan *plan, void *memory)
{
    plan->memory = memory;
}
