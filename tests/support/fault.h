/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h: makes every allocation of a function fail, one at a time.
 *
 *   static bl_status make_and_free(void *payload) { ... }
 *   assert_true(fault_run(make_and_free, NULL, 1000) > 0);
 *
 * The function is run with its 1st allocation failing, then with its 2nd, and
 * so on, until it ran through without a failure.  It must say BL_ENOMEM each
 * time, or succeed all the same; whether it leaks is seen by the sanitizers.
 */
#ifndef BL_TESTS_FAULT_H
#define BL_TESTS_FAULT_H

#include <stdint.h>

#include "core/mem.h"

typedef bl_status fault_function(void *payload);

/** Gives how many allocations were made to fail; -n where the n-th failure
 *  was answered by another error, or where limit is reached. */
static inline int64_t fault_run(fault_function *function, void *payload,
                                int64_t limit)
{
    for (int64_t n = 1; n <= limit; n++) {
        const int64_t before = bl_mem_count();
        bl_mem_fail_at(n);
        const bl_status status = function(payload);
        bl_mem_fail_at(0);
        const int failed = bl_mem_count() - before >= n;
        if (!failed) return status < 0 ? -n : n - 1;
        if (status < 0 && status != BL_ENOMEM) return -n;
    }
    return -limit;
}

#endif
