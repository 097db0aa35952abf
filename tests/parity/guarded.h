/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guarded.h: two backends side by side, buffers between poisoned guards, and
 * how far two of them are apart.  What a kernel is to write is filled with NaN
 * before; the guards must survive it.
 */
#ifndef BL_TESTS_GUARDED_H
#define BL_TESTS_GUARDED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/backend.h"
#include "backend/bf16.h"
#include "ballast/status.h"

enum { GUARD = 256, POISON = 0xa5, MAX_BUFFERS = 64 };

static const double bounds[] = {[BL_F32] = 1e-5, [BL_BF16] = 1.0 / 128};
static const bl_dtype acts[] = {BL_F32, BL_BF16};

/* ---- guarded buffers ---------------------------------------------------- */

typedef struct buffer {
    unsigned char *base;
    void *at;
    bl_dtype dtype;
    int64_t count;
    size_t bytes;
} buffer;

/** Two backends with a device each, and everything allocated for a case. */
typedef struct bench {
    const bl_backend *backend[2]; /* ref, onednn */
    bl_device *dev[2];
    buffer buffers[MAX_BUFFERS];
    int n;
    uint64_t state;
} bench;

static inline double uniform(bench *b)
{
    b->state = b->state * 6364136223846793005u + 1442695040888963407u;
    return (double)(b->state >> 11) / 4503599627370496.0 - 1;
}

static inline double number_at(const buffer *b, int64_t i)
{
    if (b->dtype == BL_BF16)
        return (double)bl_bf16_to_f32(((const bl_bf16 *)b->at)[i]);
    return b->dtype == BL_F32 ? (double)((const float *)b->at)[i]
                              : ((const double *)b->at)[i];
}

static inline void number_set(const buffer *b, int64_t i, double value)
{
    if (b->dtype == BL_BF16)
        ((bl_bf16 *)b->at)[i] = bl_bf16_from_f32((float)value);
    else if (b->dtype == BL_F32)
        ((float *)b->at)[i] = (float)value;
    else
        ((double *)b->at)[i] = value;
}

/** A buffer full of NaN. */
static inline buffer *blank(bench *b, bl_dtype dtype, int64_t count)
{
    assert_true(b->n < MAX_BUFFERS);
    buffer *const out = &b->buffers[b->n++];
    out->dtype = dtype;
    out->count = count;
    out->bytes = (size_t)count * bl_dtype_size(dtype);
    const size_t room = (out->bytes + 63) / 64 * 64 + 2 * GUARD;
    out->base = aligned_alloc(64, room);
    assert_non_null(out->base);
    memset(out->base, POISON, room);
    out->at = out->base + GUARD;
    memset(out->at, 0xff, out->bytes);
    return out;
}

/** Uniform numbers around centre. */
static inline buffer *noise(bench *b, bl_dtype dtype, int64_t count,
                            double centre, double spread)
{
    buffer *const out = blank(b, dtype, count);
    for (int64_t i = 0; i < count; i++)
        number_set(out, i, centre + spread * uniform(b));
    return out;
}

static inline buffer *twin(bench *b, const buffer *from)
{
    buffer *const out = blank(b, from->dtype, from->count);
    memcpy(out->at, from->at, from->bytes);
    return out;
}

static inline void guards_check(const buffer *b)
{
    const size_t room = (b->bytes + 63) / 64 * 64 + GUARD;
    for (size_t i = 0; i < GUARD; i++) assert_int_equal(b->base[i], POISON);
    for (size_t i = GUARD + b->bytes; i < room; i++)
        assert_int_equal(b->base[i], POISON);
}

/** Ends a case: guards whole, memory returned. */
static inline void finish(bench *b)
{
    for (int i = 0; i < b->n; i++) {
        guards_check(&b->buffers[i]);
        free(b->buffers[i].base);
    }
    b->n = 0;
}

static inline void compare(const char *what, const char *problem, bl_dtype act,
                           const buffer *wanted, const buffer *found,
                           double bound)
{
    double error = 0, norm = 0;
    for (int64_t i = 0; i < wanted->count; i++) {
        const double w = number_at(wanted, i);
        const double d = number_at(found, i) - w;
        error += d * d;
        norm += w * w;
    }
    const double relative = sqrt(error) / (sqrt(norm) + 1e-30);
    if (error <= 1e-30 || relative <= bound) return;
    fail_msg("%s of %s in %s: error %.3g of the norm, bound %.3g", what,
             problem, bl_dtype_name(act), relative, bound);
}

static inline double norm_of(const buffer *b)
{
    double sum = 0;
    for (int64_t i = 0; i < b->count; i++)
        sum += number_at(b, i) * number_at(b, i);
    return sqrt(sum);
}

static inline void ok(bl_status status)
{
    if (status != BL_OK) fail_msg("%s", bl_error_last()->message);
}

/* ---- problems and set-up ------------------------------------------------ */

/** The number behind key in text, or otherwise. */
static inline int64_t number_of(const char *text, const char *key,
                                int64_t otherwise)
{
    const size_t length = strlen(key);
    for (const char *p = text; *p != '\0';) {
        size_t letters = 0;
        while (p[letters] >= 'a' && p[letters] <= 'z') letters++;
        char *end = NULL;
        const int64_t value = strtoll(p + letters, &end, 10);
        if (letters == length && strncmp(p, key, length) == 0) return value;
        assert_true(end > p);
        p = end;
    }
    return otherwise;
}

static inline int open_with(void **state, int32_t threads)
{
    bench *const b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->state = 20200619;
    ok(bl_backend_find(&b->backend[0], "ref"));
    ok(bl_backend_find(&b->backend[1], "onednn"));
    for (int k = 0; k < 2; k++)
        ok(b->backend[k]->open(&b->dev[k], threads));
    *state = b;
    return 0;
}

static inline int open_one(void **state)
{
    return open_with(state, 1);
}

static inline int open_two(void **state)
{
    return open_with(state, 2);
}

static inline int shut(void **state)
{
    bench *const b = *state;
    for (int k = 0; k < 2; k++) b->backend[k]->close(b->dev[k]);
    free(b);
    return 0;
}

#endif
