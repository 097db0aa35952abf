/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h: checked memory.  Nothing else in the library calls malloc.
 *
 * Sizes go through bl_size_mul, so that a hostile file cannot overflow them.
 * A test may count allocations or make the n-th one fail.
 */
#ifndef BL_CORE_MEM_H
#define BL_CORE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

/** Multiplies count by size; BL_EINVAL on overflow or a negative count. */
BL_MUST_USE bl_status bl_size_mul(size_t *out, int64_t count, size_t size);

/** Allocates count * size zeroed bytes; count 0 gives a valid pointer.
 *  Errors BL_ENOMEM names the bytes asked for.  Freed by bl_free. */
BL_MUST_USE bl_status bl_calloc(void *out, int64_t count, size_t size);

/** Grows *memory (NULL at first) to count * size bytes; new bytes are not
 *  cleared; on failure it stays as it was. */
BL_MUST_USE bl_status bl_realloc(void *memory, int64_t count, size_t size);

/** Copies a string; NULL stays NULL. */
BL_MUST_USE bl_status bl_strdup(char **out, const char *text);

/** Allocates zeroed bytes on a 64-byte boundary.  Freed by bl_free. */
BL_MUST_USE bl_status bl_slab_alloc(void *out, size_t bytes);

/** Test hooks: allocations so far in this process (atomic); and make the n-th
 *  from now fail, 0 switches off. */
int64_t bl_mem_count(void);
void bl_mem_fail_at(int64_t n);

/* bl_calloc(&p, n, sizeof *p): out is a pointer to a pointer, typed by use. */

#endif
