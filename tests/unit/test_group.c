/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_group.c: positions by class, against an example worked by hand, with
 * classes that are empty in front, inside and behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/group.h"

static void positions_by_class(void **state)
{
    (void)state;
    static const int32_t labels[7] = {4, 1, 1, 3, 4, 1, 4};
    static const int64_t starts[7] = {0, 0, 3, 3, 4, 7, 7};
    static const int64_t members[7] = {1, 2, 5, 3, 0, 4, 6};
    int64_t start[7] = {9, 9, 9, 9, 9, 9, 9}, member[7] = {-1};
    bl_group(start, member, labels, 7, 6);
    assert_memory_equal(start, starts, sizeof starts);
    assert_memory_equal(member, members, sizeof members);
}

static void nothing_to_sort(void **state)
{
    (void)state;
    int64_t start[3] = {9, 9, 9};
    bl_group(start, NULL, NULL, 0, 2);
    for (int i = 0; i < 3; i++) assert_int_equal(start[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_by_class),
        cmocka_unit_test(nothing_to_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
