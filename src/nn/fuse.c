/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse.c: lets one pass over memory do the work of several layers.
 *
 *   norm -> relu                    becomes norm(relu)
 *   norm -> add(other) -> relu      becomes norm(add, relu)
 *   conv -> norm(...)               becomes conv(norm, ...), inference only
 *
 * A layer is taken in only when nobody else reads what is between.  The fused
 * node stands where the last of its parts stood, so that whatever the add
 * reads has been computed.  Models never see this: they are built from plain
 * layers, and `ref` runs them as they are.
 */
#include "nn/layer.h"

int32_t bl_graph_sole_reader(const bl_graph *g, int32_t value)
{
    int32_t reader = -1;
    if (value < 0 || value == g->output) return -1;
    for (int32_t i = 0; i < g->n_node; i++)
        for (int32_t k = 0; k < g->nodes[i].n_src; k++) {
            if (g->nodes[i].src[k] != value) continue;
            if (reader >= 0) return -1;
            reader = i;
        }
    return reader;
}

static bool is(const bl_graph *g, int32_t node, const bl_layer_type *type)
{
    return node >= 0 && g->nodes[node].type == type;
}

/** Moves node i into the place of node j, which it takes in: i then makes
 *  j's value.  Place i is left empty. */
static void take_in(bl_graph *g, int32_t i, int32_t j)
{
    const int32_t dst = g->nodes[j].dst;
    g->nodes[j] = g->nodes[i];
    g->nodes[j].dst = dst;
    g->nodes[i] = (bl_node){.type = NULL, .dst = -1};
}

/** Gives norm i the add and the ReLU behind it; returns its new place. */
static int32_t fuse_norm(bl_graph *g, int32_t i)
{
    int32_t j = bl_graph_sole_reader(g, g->nodes[i].dst);
    if (is(g, j, &bl_layer_add)) {
        const int32_t relu = bl_graph_sole_reader(g, g->nodes[j].dst);
        if (!is(g, relu, &bl_layer_relu)) return i;
        const bl_node *const add = &g->nodes[j];
        g->nodes[i].src[1] = add->src[add->src[0] == g->nodes[i].dst];
        g->nodes[i].n_src = 2;
        g->nodes[i].add = true;
        take_in(g, i, j);
        i = j;
        j = relu;
    }
    if (!is(g, j, &bl_layer_relu)) return i;
    g->nodes[i].relu = true;
    take_in(g, i, j);
    return j;
}

/** Gives the convolution before norm i the norm and all it has taken in. */
static void fuse_conv(bl_graph *g, int32_t conv, int32_t i)
{
    const bl_node norm = g->nodes[i];
    bl_node *const c = &g->nodes[conv];
    if (bl_graph_sole_reader(g, c->dst) != i) return;
    c->norm = true;
    c->add = norm.add;
    c->relu = norm.relu;
    if (norm.add) {
        c->src[1] = norm.src[1];
        c->n_src = 2;
    }
    for (int32_t k = 0; k < 4; k++) c->param[1 + k] = norm.param[k];
    c->n_param = 5;
    take_in(g, conv, i);
}

static int32_t maker(const bl_graph *g, int32_t value)
{
    for (int32_t i = 0; i < g->n_node; i++)
        if (g->nodes[i].type && g->nodes[i].dst == value) return i;
    return -1;
}

void bl_graph_fuse(bl_graph *g, bool infer)
{
    for (int32_t i = 0; i < g->n_node; i++) {
        if (!is(g, i, &bl_layer_norm)) continue;
        if (g->nodes[i].relu || g->nodes[i].add) continue; /* moved here */
        const int32_t place = fuse_norm(g, i);
        const int32_t conv = maker(g, g->nodes[place].src[0]);
        if (infer && is(g, conv, &bl_layer_conv)) fuse_conv(g, conv, place);
    }
    int32_t n = 0;
    for (int32_t i = 0; i < g->n_node; i++)
        if (g->nodes[i].type) g->nodes[n++] = g->nodes[i];
    g->n_node = n;
}
