/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix is written as NumPy's format 1.0 says, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/eval.h"
#include "support/each_scratch.h"

static const float z[2][3] = {{2.385F, -0.117F, 31.7F},
                              {-8.06F, 1e-20F, 0.302F}};

static void has_the_bytes_of_the_format(void **state)
{
    (void)state;
    static const char dict[] =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    char bytes[512];
    const char *const path = scratch_path(&s, "z.npy");
    assert_int_equal(bl_npy_write(path, &z[0][0], 2, 3), BL_OK);
    assert_int_equal(scratch_get(path, bytes, sizeof bytes),
                     128 + sizeof z);
    assert_memory_equal(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    assert_memory_equal(bytes + 10, dict, sizeof dict - 1);
    for (size_t i = 10 + sizeof dict - 1; i < 127; i++)
        assert_int_equal(bytes[i], ' ');
    assert_int_equal(bytes[127], '\n');
    assert_memory_equal(bytes + 128, z, sizeof z);
}

static void may_be_empty(void **state)
{
    (void)state;
    char bytes[512];
    const char *const path = scratch_path(&s, "z.npy");
    assert_int_equal(bl_npy_write(path, NULL, 0, 10), BL_OK);
    assert_int_equal(scratch_get(path, bytes, sizeof bytes), 128);
    bytes[127] = '\0';
    assert_non_null(strstr(bytes + 10, "'shape': (0, 10), }"));
}

static void failure_leaves_what_was_there(void **state)
{
    (void)state;
    char bytes[512];
    const char *path = scratch_path(&s, "z.npy");
    scratch_put(path, "old", 3);
    assert_int_equal(bl_npy_write(path, &z[0][0], -1, 3), BL_EINVAL);
    assert_int_equal(bl_npy_write(path, &z[0][0], INT64_MAX, 3), BL_EINVAL);
    assert_int_equal(bl_npy_write(path, &z[0][0], 3, INT64_MAX), BL_EINVAL);
    assert_int_equal(scratch_get(path, bytes, sizeof bytes), 3);
    path = scratch_path(&s, "no/such/z.npy");
    assert_int_equal(bl_npy_write(path, &z[0][0], 2, 3), BL_EIO);
    assert_non_null(strstr(bl_error_last()->message, path));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(has_the_bytes_of_the_format),
        TEST(may_be_empty),
        TEST(failure_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
