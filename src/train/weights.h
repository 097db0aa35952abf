/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.h: the weights of one network, taken for another to begin with.
 */
#ifndef BL_TRAIN_WEIGHTS_H
#define BL_TRAIN_WEIGHTS_H

#include "ballast/config.h"
#include "ballast/model.h"
#include "io/safetensors.h"
#include "nn/graph.h"

/** Tensors under the names that a network asks for; zero-initialise. */
typedef struct bl_weights {
    bl_named_tensor *list;       // [n]
    char (*names)[BL_NAME_ROOM]; // [n], where one is new
    int64_t n;
} bl_weights;

/** Takes the tensors of a file for a network; of a BBN's, those of a branch,
 *  "cb" or "rb", where the network has none.
 *  Errors BL_EFORMAT if the file is a checkpoint.
 *  Owns   the caller, bl_weights_drop, also on failure; data stay file's. */
BL_MUST_USE bl_status bl_weights_read(bl_weights *out,
                                      const bl_safetensors *file,
                                      const char *path,
                                      const bl_network_spec *network,
                                      const char *branch);
void bl_weights_drop(bl_weights *weights);

/** Refuses layers that no parameter of table [n] asks for: a deeper network's
 *  file has every tensor of a shallower one, and more. */
BL_MUST_USE bl_status bl_weights_check(const bl_weights *weights,
                                       const bl_parameter *table, int32_t n,
                                       const char *path);

/** Would a run of a settled configuration, whose network is `network`, begin
 *  with the last weights of a network `from`?  NULL: with those of the file
 *  path, which stands for the weights in messages.
 *  Errors BL_EFORMAT, BL_EIO as bl_trainer_create. */
BL_MUST_USE bl_status bl_weights_fit(const bl_config *config,
                                     const bl_network_spec *network,
                                     const bl_network_spec *from,
                                     const char *path);

#endif
