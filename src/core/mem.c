/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.c: checked memory over malloc.
 *
 * All blocks, aligned ones too, come from the C allocator, so that bl_free is
 * free() and valgrind and the sanitizers see everything.  Sizes above
 * PTRDIFF_MAX are refused before they are asked for: no object can have them,
 * and allocators differ in how they say so.
 *
 * `out` is any pointer to a pointer.  It is written by memcpy, because a
 * float ** may not be stored through as a void **.
 *
 * The two counters are the only mutable globals of the library.  They serve
 * tests: one counts, the other makes an allocation fail on purpose.
 */
#include "core/mem.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"

enum { SLAB_ALIGN = 64 }; /* a cache line and an AVX-512 register */

static _Atomic int64_t allocations;
static _Atomic int64_t fail_in; /* <= 0: off */

static int must_fail(void)
{
    atomic_fetch_add(&allocations, 1);
    return atomic_load(&fail_in) > 0 && atomic_fetch_sub(&fail_in, 1) == 1;
}

static bl_status out_of_memory(size_t bytes)
{
    return BL_RAISE(BL_ENOMEM, "out of memory: %zu bytes wanted", bytes);
}

/* Hands a block over; malloc(0) may be NULL, so callers ask for >= 1 byte. */
static bl_status give(void *out, const void *memory, size_t bytes)
{
    if (memory == NULL) return out_of_memory(bytes);
    memcpy(out, &memory, sizeof memory);
    return BL_OK;
}

bl_status bl_size_mul(size_t *out, int64_t count, size_t size)
{
    if (count < 0)
        return BL_RAISE(BL_EINVAL, "a count of %" PRId64 ", wanted >= 0",
                        count);
    if (size != 0 && (uint64_t)count > (uint64_t)PTRDIFF_MAX / size)
        return BL_RAISE(BL_EINVAL, "%" PRId64 " times %zu bytes is more than "
                        "memory can hold", count, size);
    *out = (size_t)count * size;
    return BL_OK;
}

bl_status bl_calloc(void *out, int64_t count, size_t size)
{
    size_t bytes = 0;
    BL_TRY(bl_size_mul(&bytes, count, size));
    const size_t room = bytes > 0 ? bytes : 1;
    return give(out, must_fail() ? NULL : calloc(room, 1), room);
}

bl_status bl_realloc(void *memory, int64_t count, size_t size)
{
    void *old = NULL;
    size_t bytes = 0;
    BL_TRY(bl_size_mul(&bytes, count, size));
    const size_t room = bytes > 0 ? bytes : 1;
    memcpy(&old, memory, sizeof old);
    return give(memory, must_fail() ? NULL : realloc(old, room), room);
}

bl_status bl_strdup(char **out, const char *text)
{
    if (text == NULL) {
        *out = NULL;
        return BL_OK;
    }
    char *copy = NULL;
    const size_t bytes = strlen(text) + 1;
    BL_TRY(bl_calloc(&copy, (int64_t)bytes, 1));
    memcpy(copy, text, bytes);
    *out = copy;
    return BL_OK;
}

bl_status bl_slab_alloc(void *out, size_t bytes)
{
    if (bytes > (size_t)PTRDIFF_MAX - SLAB_ALIGN)
        return BL_RAISE(BL_EINVAL, "a slab of %zu bytes is more than memory "
                        "can hold", bytes);
    const size_t wanted = bytes > 0 ? bytes : 1;
    const size_t room = (wanted + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
    void *memory = must_fail() ? NULL : aligned_alloc(SLAB_ALIGN, room);
    if (memory != NULL) memset(memory, 0, room);
    return give(out, memory, room);
}

void bl_free(void *memory)
{
    free(memory);
}

int64_t bl_mem_count(void)
{
    return atomic_load(&allocations);
}

void bl_mem_fail_at(int64_t n)
{
    atomic_store(&fail_in, n);
}
