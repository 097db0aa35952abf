/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.c: values, parameters and nodes in three growing arrays.
 *
 * The builders of layers stand in the files of the layers; here is only what
 * they share.  Arrays grow by doubling, so a network of thousands of layers
 * costs no more than its nodes.
 */
#include "nn/graph.h"

#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "nn/layer.h"

bl_status bl_graph_create(bl_graph **out)
{
    BL_TRY(bl_calloc(out, 1, sizeof **out));
    (*out)->output = -1;
    return BL_OK;
}

void bl_graph_free(bl_graph *graph)
{
    if (!graph) return;
    bl_free(graph->values);
    bl_free(graph->nodes);
    bl_free(graph->params);
    bl_free(graph);
}

bl_status bl_graph_finish(bl_graph *graph)
{
    return graph->status;
}

int32_t bl_graph_fail(bl_graph *g, bl_status status)
{
    if (g->status < 0) return -1;
    g->status = status < 0 ? status
                           : BL_RAISE(BL_EINVAL, "graph: a layer reads a "
                                      "value or parameter that there is not");
    return -1;
}

/** Makes room for one more element when n is a power of two (or zero). */
static bl_status grow(void *array, int32_t n, size_t size)
{
    if (n & (n - 1)) return BL_OK;
    return bl_realloc(array, n ? 2 * (int64_t)n : 1, size);
}

/** True when the layer's sources exist and none failed before. */
static bool sources_stand(bl_graph *g, const bl_node *node)
{
    if (g->status < 0) return false;
    for (int32_t i = 0; i < node->n_src; i++)
        if (node->src[i] < 0 || node->src[i] >= g->n_value) return false;
    for (int32_t i = 0; i < node->n_param; i++)
        if (node->param[i] < 0) return false;
    return true;
}

int32_t bl_graph_append(bl_graph *g, const bl_node *node)
{
    if (!sources_stand(g, node)) return bl_graph_fail(g, BL_OK);
    bl_value dst = {0};
    bl_status status = node->type->shape(g, node, &dst);
    if (status < 0) return bl_graph_fail(g, status);
    status = grow(&g->nodes, g->n_node, sizeof *g->nodes);
    if (status == BL_OK) status = grow(&g->values, g->n_value,
                                       sizeof *g->values);
    if (status < 0) return bl_graph_fail(g, status);

    g->values[g->n_value] = dst;
    g->nodes[g->n_node] = *node;
    g->nodes[g->n_node++].dst = g->n_value;
    return g->n_value++;
}

/** Fills what a declaration says; count is checked against overflow. */
static bl_status describe(bl_parameter *p, const char *prefix,
                          const char *suffix, int32_t rank,
                          const int64_t *shape, bool buffer, bl_init init)
{
    const size_t np = strlen(prefix), ns = strlen(suffix);
    if (np + ns + 2 > sizeof p->name)
        return BL_RAISE(BL_EINVAL, "parameter %.40s.%s: name is longer than "
                        "%d bytes", prefix, suffix, BL_NAME_ROOM - 1);
    memset(p, 0, sizeof *p);
    memcpy(p->name, prefix, np);
    p->name[np] = '.';
    memcpy(p->name + np + 1, suffix, ns);
    p->rank = rank;
    p->buffer = buffer;
    p->init = init;
    p->count = 1;
    for (int32_t i = 0; i < rank; i++) {
        size_t product;
        BL_TRY(bl_size_mul(&product, p->count, (size_t)shape[i]));
        p->shape[i] = shape[i];
        p->count = (int64_t)product;
    }
    return BL_OK;
}

static bool same_shape(const bl_parameter *a, const bl_parameter *b)
{
    return a->rank == b->rank && a->buffer == b->buffer &&
           !memcmp(a->shape, b->shape, sizeof a->shape);
}

int32_t bl_graph_param(bl_graph *g, const char *prefix, const char *suffix,
                       int32_t rank, const int64_t *shape, bool buffer,
                       bl_init init)
{
    bl_parameter p;
    if (g->status < 0) return -1;
    bl_status status =
        describe(&p, prefix, suffix, rank, shape, buffer, init);
    if (status < 0) return bl_graph_fail(g, status);
    for (int32_t i = 0; i < g->n_param; i++) {
        if (strcmp(g->params[i].name, p.name)) continue;
        if (same_shape(&g->params[i], &p)) return i;
        return bl_graph_fail(g, BL_RAISE(BL_EINVAL, "parameter %s: declared "
                                         "again with another shape", p.name));
    }
    p.fixed = g->fixing;
    status = grow(&g->params, g->n_param, sizeof *g->params);
    if (status < 0) return bl_graph_fail(g, status);
    int64_t *const end = buffer ? &g->n_buffered : &g->n_trained;
    p.offset = *end;
    *end += p.count;
    g->params[g->n_param] = p;
    return g->n_param++;
}
