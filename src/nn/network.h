/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h: graphs of whole networks, for training and for inference.
 */
#ifndef BL_NN_NETWORK_H
#define BL_NN_NETWORK_H

#include "ballast/model.h"
#include "mix/mix.h"
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

enum { BL_MIX_PLACES = BL_MIX_POOL + 1 };

/** What one graph of a network is for.  All zero: inference. */
typedef struct bl_graph_spec {
    bool training;
    int32_t targets;     /* label vectors of the loss; 0: the form's        */
    int32_t location;    /* hidden maps are mixed there; 0: not in here     */
    bool pair;           /* mixed with those of a second input, not with    */
                         /*   those of a permuted batch                     */
    bool fix_trunk;      /* all before the classifier is not trained        */
    bool fix_head;       /* nor is the classifier, only its scales          */
    bool freeze_norm;    /* running statistics stand for the batch's        */
    bool scale;          /* a learnable scale a class behind the classifier */
} bl_graph_spec;

/** Builds the graph for batch parts of n images.
 *
 * training: inputs and loss as form and spec say; scale layers read slots
 * BL_SLOT_SCALE (uniform branch) and BL_SLOT_SCALE + 1 (re-balancing branch),
 * a mix layer BL_SLOT_MIX.  Otherwise one input and the logits z; BBN:
 * z = W_c f_c + W_r f_r + b.
 */
BL_MUST_USE bl_status bl_network_graph(bl_graph **out,
                                       const bl_network_spec *network,
                                       int64_t n, const bl_graph_spec *spec);

/** First word of the classifier's parameters: "fc" or "classifier". */
const char *bl_network_head(const bl_network_spec *network);

#endif
