/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h: positions sorted by the class of what lies there.
 */
#ifndef BL_CORE_GROUP_H
#define BL_CORE_GROUP_H

#include <stdint.h>

/** Sorts positions [0, n) by label, ascending within each: class c owns
 *  member[start[c] .. start[c + 1]).
 *
 * Shapes   start [C + 1], member [n], written; labels [n] in [0, C).
 */
void bl_group(int64_t *start, int64_t *member, const int32_t *labels,
              int64_t n, int32_t n_class);

#endif
