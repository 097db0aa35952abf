/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models.c: the networks by name, and what they weigh.
 */
#include <string.h>

#include "ballast/model.h"
#include "core/error.h"
#include "nn/layer.h"
#include "nn/network.h"

#define RESNET "He et al., CVPR 2016, arXiv:1512.03385"

static const bl_model_type resnet20 = {
    "resnet20", "residual network for small images, 3 x 3 blocks", RESNET,
    {3, 3, 3, 0}};
static const bl_model_type resnet32 = {
    "resnet32", "residual network for small images, 3 x 5 blocks", RESNET,
    {5, 5, 5, 0}};
static const bl_model_type resnet44 = {
    "resnet44", "residual network for small images, 3 x 7 blocks", RESNET,
    {7, 7, 7, 0}};
static const bl_model_type resnet56 = {
    "resnet56", "residual network for small images, 3 x 9 blocks", RESNET,
    {9, 9, 9, 0}};
static const bl_model_type resnet110 = {
    "resnet110", "residual network for small images, 3 x 18 blocks", RESNET,
    {18, 18, 18, 0}};

static const bl_model_type *const types[] = {
    &resnet20, &resnet32, &resnet44, &resnet56, &resnet110, NULL};

const bl_model_type *const *bl_model_types(void)
{
    return types;
}

const bl_model_type *bl_model_find(const char *name)
{
    for (int32_t i = 0; types[i]; i++)
        if (!strcmp(types[i]->name, name)) return types[i];
    return NULL;
}

/** A layer on the images themselves has no gradient to pass further down. */
static bool reads_input(const bl_graph *g, const bl_node *node)
{
    for (int32_t i = 0; i < g->n_node; i++)
        if (g->nodes[i].dst == node->src[0])
            return g->nodes[i].type == &bl_layer_input;
    return false;
}

/** Adds 2e-9 times the multiply-adds of one sample's passes. */
static void add_work(const bl_graph *g, double *forward, double *train)
{
    for (int32_t i = 0; i < g->n_node; i++) {
        const bl_node *const node = &g->nodes[i];
        if (!node->type->work) continue;
        const double gflop = 2e-9 * node->type->work(g, node);
        const bool first = reads_input(g, node);
        *forward += gflop;
        *train += gflop * (first ? 2 : 3);
    }
}

bl_status bl_network_measure(bl_network_facts *out,
                             const bl_network_spec *spec)
{
    bl_graph *graph;
    bl_network_facts facts = {0};
    double ignored = 0;
    BL_TRY(bl_network_graph(&graph, spec, 1, &(bl_graph_spec){0}));
    facts.parameters = graph->n_trained;
    add_work(graph, &facts.forward_gflop, &ignored);
    bl_graph_free(graph);
    BL_TRY(bl_network_graph(&graph, spec, 1,
                            &(bl_graph_spec){.training = true}));
    ignored = 0;
    add_work(graph, &ignored, &facts.train_gflop);
    bl_graph_free(graph);
    *out = facts;
    return BL_OK;
}
