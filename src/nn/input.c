/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c: the source of a graph, a batch of images [n][h][w][c].
 */
#include "core/error.h"
#include "nn/layer.h"

/* The extents of an input are its value: the builder sets them. */
int32_t bl_graph_input(bl_graph *g, int64_t n, int64_t h, int64_t w, int64_t c)
{
    if (n < 1 || h < 1 || w < 1 || c < 1)
        return bl_graph_fail(
            g, BL_RAISE(BL_EINVAL, "input %lldx%lldx%lldx%lld: every extent "
                        "must be at least 1", (long long)n, (long long)h,
                        (long long)w, (long long)c));
    const int32_t v = bl_graph_append(g, &(bl_node){.type = &bl_layer_input});
    if (v >= 0) g->values[v] = (bl_value){.n = n, .h = h, .w = w, .c = c};
    return v;
}

static bl_status shape(const bl_graph *g, const bl_node *node, bl_value *dst)
{
    (void)g, (void)node, (void)dst;
    return BL_OK;
}

static bl_status forward(bl_plan *plan, const bl_op *op)
{
    (void)plan, (void)op; /* bl_plan_feed has filled it */
    return BL_OK;
}

const bl_layer_type bl_layer_input = {
    .name = "input", .shape = shape, .forward = forward};
