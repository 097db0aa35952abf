/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.h: named tensors in a file any PyTorch user can open.
 *
 * Layout: u64 little-endian header length, JSON header {name: {dtype, shape,
 * data_offsets}, "__metadata__": {string: string}}, then the data.  Ballast
 * adds "ballast.xxh3" to the metadata: XXH3-64, in 16 lower-case hex digits,
 * of all that follows the header length, those digits themselves taken as
 * '0'.  It stands in the header as "ballast.xxh3":"<digits>", without blanks,
 * and is checked on reading where it is present.
 */
#ifndef BL_IO_SAFETENSORS_H
#define BL_IO_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

#define BL_TENSOR_RANK 8

/** One tensor of a file; dtype as in the format: "F32", "I64", "BF16"... */
typedef struct bl_named_tensor {
    const char *name;
    const char *dtype;
    int32_t rank;
    int64_t shape[BL_TENSOR_RANK];
    const void *data;
    size_t bytes;
} bl_named_tensor;

typedef struct bl_metadata {
    const char *key, *value;
} bl_metadata;

/** Writes tensors in the given order, atomically; keep as bl_writer_commit's.
 *  Exact  same input, same bytes. */
BL_MUST_USE bl_status bl_safetensors_write(const char *path, const char *keep,
                                           const bl_named_tensor *tensors,
                                           int64_t n,
                                           const bl_metadata *metadata,
                                           int64_t n_metadata);

typedef struct bl_safetensors bl_safetensors;

/** Opens and checks a file: header length, JSON, dtypes, shapes, offsets that
 *  tile the data section exactly, checksum where present.
 *  Errors BL_EIO, BL_EFORMAT naming tensor or offset, found and wanted. */
BL_MUST_USE bl_status bl_safetensors_open(bl_safetensors **out,
                                          const char *path);
void bl_safetensors_free(bl_safetensors *file);
/** Tensor by name, or NULL; borrowed, as the list, which is in the order of
 *  the header.  Data begin on an 8-byte boundary. */
const bl_named_tensor *bl_safetensors_find(const bl_safetensors *file,
                                           const char *name);
const bl_named_tensor *bl_safetensors_list(const bl_safetensors *file,
                                           int64_t *n);
/** Metadata value by key, or NULL. */
const char *bl_safetensors_meta(const bl_safetensors *file, const char *key);

#endif
