/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each_scratch.h: a folder of its own for every test of a file, `s`.
 *
 *   cmocka_unit_test_setup_teardown(test, set_up, tear_down)
 */
#ifndef BL_TESTS_EACH_SCRATCH_H
#define BL_TESTS_EACH_SCRATCH_H

#include "support/scratch.h"

static scratch s;

static int set_up(void **state)
{
    (void)state;
    scratch_make(&s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(&s);
    return 0;
}

#endif
