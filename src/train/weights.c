/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.c: from the tensors of a file to the parameters a run begins with.
 *
 * Parameters are found by their names.  A BBN has two of the last block; a
 * network of one branch takes either, under the name the block has there.  So
 * whether weights fit is a matter of names and shapes alone: it can be said of
 * a network that is not trained yet, and before any memory is taken.
 */
#include "train/weights.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "nn/network.h"
#include "nn/params.h"
#include "train/stage.h"

/* ---- names --------------------------------------------------------------- */

/** Renames the tensors of one branch of a BBN to those of the block it stands
 *  in place of. */
static void take_branch(bl_weights *w, const char *branch,
                        const bl_model_type *model)
{
    int32_t stage = 0;
    while (stage < 3 && model->blocks[stage + 1] > 0) stage++;
    for (int64_t i = 0; i < w->n; i++) {
        const size_t k = strlen(branch);
        if (strncmp(w->list[i].name, branch, k) != 0) continue;
        (void)snprintf(w->names[i], BL_NAME_ROOM, "layer%d.%d%s", stage + 1,
                       model->blocks[stage] - 1, w->list[i].name + k);
        w->list[i].name = w->names[i];
    }
}

/** form: of the network that tensors [n] are of, NULL: unknown. */
static bl_status take(bl_weights *out, const bl_named_tensor *tensors,
                      int64_t n, const char *form,
                      const bl_network_spec *network, const char *branch)
{
    const bool cb = !strcmp(branch, "cb");
    BL_TRY(bl_calloc(&out->list, n ? n : 1, sizeof *out->list));
    BL_TRY(bl_calloc(&out->names, n ? n : 1, sizeof *out->names));
    memcpy(out->list, tensors, (size_t)n * sizeof *out->list);
    out->n = n;
    if (form && !strcmp(form, "bbn") &&
        !bl_form_find(network->form)->branches)
        take_branch(out, cb ? "cb_block" : "rb_block", network->model);
    return BL_OK;
}

bl_status bl_weights_read(bl_weights *out, const bl_safetensors *file,
                          const char *path, const bl_network_spec *network,
                          const char *branch)
{
    int64_t n;
    const bl_named_tensor *const found = bl_safetensors_list(file, &n);
    if (bl_safetensors_meta(file, "resume.epoch"))
        return BL_RAISE(BL_EFORMAT, "%s: is the state a run resumes from, "
                        "wanted weights: last.safetensors or "
                        "best.safetensors", path);
    return take(out, found, n, bl_safetensors_meta(file, "ballast.form"),
                network, branch);
}

void bl_weights_drop(bl_weights *weights)
{
    bl_free(weights->list);
    bl_free(weights->names);
    *weights = (bl_weights){0};
}

/* ---- fitting ------------------------------------------------------------- */

static bool is_asked_for(const char *name, const bl_parameter *table,
                         int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (!strcmp(table[i].name, name)) return true;
    return false;
}

bl_status bl_weights_check(const bl_weights *weights,
                           const bl_parameter *table, int32_t n,
                           const char *path)
{
    static const char layer[] = "layer", weight[] = ".weight";
    for (int64_t i = 0; i < weights->n; i++) {
        const char *const name = weights->list[i].name;
        const size_t length = strlen(name), tail = sizeof weight - 1;
        if (strncmp(name, layer, sizeof layer - 1) != 0 || length < tail ||
            strcmp(name + length - tail, weight) != 0 ||
            is_asked_for(name, table, n))
            continue;
        return BL_RAISE(BL_EFORMAT, "%s: tensor %s belongs to no layer: "
                        "weights of another model?", path, name);
    }
    return BL_OK;
}

/** The parameters of a graph as tensors without data. */
static bl_status take_graph(bl_weights *out, const bl_graph *graph,
                            const char *form, const bl_network_spec *network,
                            const char *branch)
{
    bl_named_tensor *list = NULL; // [n_param]
    BL_TRY(bl_calloc(&list, graph->n_param, sizeof *list));
    for (int32_t i = 0; i < graph->n_param; i++) {
        const bl_parameter *const row = &graph->params[i];
        list[i] = (bl_named_tensor){.name = row->name, .dtype = "F32",
                                    .rank = row->rank};
        for (int32_t k = 0; k < row->rank; k++)
            list[i].shape[k] = row->shape[k];
    }
    const bl_status status =
        take(out, list, graph->n_param, form, network, branch);
    bl_free(list);
    return status;
}

/** Where weights stand for a first stage, the second may draw its classifier
 *  anew. */
static bool draws_head(const bl_config *config)
{
    return bl_stage2_epochs(config) > 0 &&
           !strcmp(bl_config_string(config, "stage2.head"), "fresh");
}

bl_status bl_weights_fit(const bl_config *config,
                         const bl_network_spec *network,
                         const bl_network_spec *from, const char *path)
{
    const char *const branch = bl_config_string(config, "init.branch");
    const bl_graph_spec infer = {0};
    bl_graph *graph = NULL, *theirs = NULL;
    bl_safetensors *file = NULL;
    bl_weights w = {0};
    char head[BL_NAME_ROOM];
    bl_status status;
    (void)snprintf(head, sizeof head, "%s.", bl_network_head(network));
    BL_CHECK(bl_network_graph(&graph, network, 1, &infer));
    if (from) {
        BL_CHECK(bl_network_graph(&theirs, from, 1, &infer));
        BL_CHECK(take_graph(&w, theirs, from->form, network, branch));
    } else {
        BL_CHECK(bl_safetensors_open(&file, path));
        BL_CHECK(bl_weights_read(&w, file, path, network, branch));
    }
    BL_CHECK(bl_weights_check(&w, graph->params, graph->n_param, path));
    BL_CHECK(bl_params_fit(graph, w.list, w.n,
                           draws_head(config) ? head : NULL, path));
done:
    bl_weights_drop(&w);
    bl_safetensors_free(file);
    bl_graph_free(theirs);
    bl_graph_free(graph);
    return status;
}
