/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.h: the values behind a graph's parameters, in four slabs on the
 * device: parameters, gradients, momentum, batch-norm buffers.
 */
#ifndef BL_NN_PARAMS_H
#define BL_NN_PARAMS_H

#include "backend/backend.h"
#include "io/safetensors.h"
#include "nn/graph.h"

typedef struct bl_params {
    const bl_backend *backend;
    bl_device *dev;          /* borrowed                                  */
    bl_dtype real;
    bl_parameter *table;     /* [n]                                       */
    int32_t n;
    int64_t n_trained, n_buffered;
    void *w;                 /* [n_trained] real                          */
    void *diff_w;            /* [n_trained] real; NULL without training   */
    void *v;                 /* [n_trained] real; NULL without training   */
    void *buffers;           /* [n_buffered] real                         */
    uint64_t version;        /* grows with every change of w or buffers   */
} bl_params;

/** Makes the slabs for the parameters of graph (training: with gradients and
 *  momentum), zeroed. */
BL_MUST_USE bl_status bl_params_create(bl_params **out, const bl_graph *graph,
                                       const bl_backend *backend,
                                       bl_device *dev, bl_dtype real,
                                       bool training);
void bl_params_free(bl_params *params);

/** Draws every parameter by its rule, stream (seed, INIT, 0, number). */
BL_MUST_USE bl_status bl_params_init(bl_params *params, uint64_t seed);

/** Draws those whose name begins with prefix, stream (seed, INIT, turn,
 *  number): turn 0 is bl_params_init's. */
BL_MUST_USE bl_status bl_params_draw(bl_params *params, const char *prefix,
                                     uint64_t seed, uint32_t turn);

/** Number of a parameter by name, or -1. */
int32_t bl_params_find(const bl_params *params, const char *name);

/** Device pointers of parameter i: value (w or buffer) and gradient. */
void *bl_params_value(const bl_params *params, int32_t i);
void *bl_params_diff(const bl_params *params, int32_t i);

/** Copies parameter i to or from the host; numbers [count] f32 (real F32
 *  only). */
BL_MUST_USE bl_status bl_params_get(const bl_params *params, int32_t i,
                                    float *to);
BL_MUST_USE bl_status bl_params_set(bl_params *params, int32_t i,
                                    const float *from);

/** Copies all that inference reads to the host: w [n_trained], buffers
 *  [n_buffered]; or exchanges it, spare having room for the longer of both. */
BL_MUST_USE bl_status bl_params_keep(const bl_params *params, float *w,
                                     float *buffers);
BL_MUST_USE bl_status bl_params_swap(bl_params *params, float *w,
                                     float *buffers, float *spare);

/** Host copies of the parameters as F32 tensors (real F32 only), for a file.
 *  momentum adds "momentum.<name>" for each trained one.  The caller frees
 *  *tensors and *memory by bl_free; names borrow from params and *memory. */
BL_MUST_USE bl_status bl_params_export(const bl_params *params, bool momentum,
                                       bl_named_tensor **tensors, int64_t *n,
                                       void **memory);
/** Finds each parameter of a graph in a file, in its shape and with numbers of
 *  a network, before memory is taken for it.  Errors as bl_params_import. */
BL_MUST_USE bl_status bl_params_match(const bl_graph *graph,
                                      const bl_safetensors *file,
                                      const char *path);
/** Takes values by name from tensors [n], F32; a parameter whose name begins
 *  with except (NULL: none does) keeps what it holds.
 *  Errors BL_EFORMAT names path and the tensor that is missing or of another
 *  shape, or holds a number that is not finite or a variance below 0; params
 *  may then be part new. */
BL_MUST_USE bl_status bl_params_adopt(bl_params *params,
                                      const bl_named_tensor *tensors,
                                      int64_t n, const char *except,
                                      const char *path);
/** Would bl_params_adopt take tensors [n] for the parameters of a graph?  Their
 *  numbers are not looked at.  Errors as there. */
BL_MUST_USE bl_status bl_params_fit(const bl_graph *graph,
                                    const bl_named_tensor *tensors, int64_t n,
                                    const char *except, const char *path);
/** Loads every parameter (and momentum) from a file.
 *  Errors BL_EFORMAT names the tensor that is missing, surplus, or of another
 *  shape or dtype, found and wanted, or holds a number that is not finite or a
 *  variance below 0; params may then be part new. */
BL_MUST_USE bl_status bl_params_import(bl_params *params,
                                       const bl_safetensors *file,
                                       const char *path, bool momentum);

#endif
