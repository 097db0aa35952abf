/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h: graphs of whole networks, for training and for inference.
 */
#ifndef BL_NN_NETWORK_H
#define BL_NN_NETWORK_H

#include "ballast/model.h"
#include "nn/graph.h"

/** How many images a training sample holds and how the graph takes them. */
typedef struct bl_form_type {
    const char *name;
    int32_t streams;  /* inputs of the training graph: 1, BBN 2           */
    int32_t targets;  /* label vectors of its loss                        */
    bool branches;    /* BBN: last block doubled, joint classifier        */
    bool cosine;      /* normalised classifier                            */
} bl_form_type;

/** NULL-terminated: "plain", "cosine", "bbn". */
extern const bl_form_type *const bl_form_types[];
const bl_form_type *bl_form_find(const char *name);

/** Checks a specification: known form, at least one class, an input of 1 to
 *  4096 px a side and 1 to 16 channels. */
BL_MUST_USE bl_status bl_network_check(const bl_network_spec *spec);

/** Builds the graph for batch parts of n images.
 *
 * training: inputs and loss as the form says; scale layers read slots
 * BL_SLOT_SCALE (uniform branch) and BL_SLOT_SCALE + 1 (re-balancing branch).
 * Otherwise one input and the logits z; BBN:  z = W_c f_c + W_r f_r + b.
 */
BL_MUST_USE bl_status bl_network_graph(bl_graph **out,
                                       const bl_network_spec *spec, int64_t n,
                                       bool training);

#endif
