/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffers.c: where activations lie.
 *
 * Every buffer is alive from the moment it is first written to the moment it
 * is last read.  Two that are never alive together may share bytes.  Buffers
 * are placed in order of falling size, each at the lowest offset where it
 * meets no placed buffer of overlapping life: the greedy rule that comes
 * within a few per cent of the optimum on real networks (Pisarchyk and Lee,
 * "Efficient memory management for deep neural net inference", 2020,
 * arXiv:2001.03288).
 */
#include "nn/plan.h"

enum { ALIGN = 64 };

static bool alive_together(const bl_buffer *a, const bl_buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/** Lowest offset where buffer b meets none of placed[0..n). */
static size_t lowest(const bl_buffer *buffers, const int32_t *placed,
                     int32_t n, const bl_buffer *b)
{
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int32_t i = 0; i < n; i++) {
            const bl_buffer *const o = &buffers[placed[i]];
            if (!alive_together(o, b)) continue;
            if (offset >= o->offset + o->bytes) continue;
            if (o->offset >= offset + b->bytes) continue;
            offset = o->offset + o->bytes;
            moved = true;
        }
    }
    return offset;
}

/** Orders by falling size; equal sizes by number, so that plans repeat. */
static void sort(const bl_buffer *buffers, int32_t *order, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        int32_t k = i;
        for (; k && buffers[order[k - 1]].bytes < buffers[i].bytes; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

size_t bl_buffers_place(bl_buffer *buffers, int32_t n, int32_t *scratch)
{
    size_t end = 0;
    for (int32_t i = 0; i < n; i++)
        buffers[i].bytes = (buffers[i].bytes + ALIGN - 1) / ALIGN * ALIGN;
    sort(buffers, scratch, n);
    for (int32_t i = 0; i < n; i++) {
        bl_buffer *const b = &buffers[scratch[i]];
        b->offset = lowest(buffers, scratch, i, b);
        if (end < b->offset + b->bytes) end = b->offset + b->bytes;
    }
    return end;
}
