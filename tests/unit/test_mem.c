/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mem.c: sizes that overflow, zeroing, alignment, growth, and the hooks.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

static void size_mul_refuses_overflow(void **state)
{
    (void)state;
    static const struct { int64_t count; size_t size; int good; } rows[] = {
        {0, 8, 1},          {7, 0, 1},           {3, 5, 1},
        {-1, 8, 0},         {INT64_MIN, 1, 0},   {INT64_MAX, 1, 1},
        {INT64_MAX, 2, 0},  {1, SIZE_MAX, 0},    {INT64_MAX, SIZE_MAX, 0},
        {(int64_t)1 << 62, 4, 0},
        {(int64_t)1 << 32, (size_t)1 << 32, 0},
        {(int64_t)1 << 31, (size_t)1 << 31, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t out = 99;
        const bl_status status = bl_size_mul(&out, rows[i].count,
                                             rows[i].size);
        assert_int_equal(status, rows[i].good ? BL_OK : BL_EINVAL);
        if (rows[i].good)
            assert_int_equal(out, (size_t)rows[i].count * rows[i].size);
        else
            assert_int_equal(out, 99);
    }
}

static void calloc_zeroes_and_allows_none(void **state)
{
    (void)state;
    float *a = NULL, *none = NULL;
    assert_int_equal(bl_calloc(&a, 37, sizeof *a), BL_OK);
    for (int i = 0; i < 37; i++) assert_true(a[i] == 0.0f);
    assert_int_equal(bl_calloc(&none, 0, sizeof *none), BL_OK);
    assert_non_null(none);
    bl_free(a);
    bl_free(none);
    bl_free(NULL);
}

static void failed_calls_leave_out_alone(void **state)
{
    (void)state;
    int here = 0;
    int *p = &here;
    assert_int_equal(bl_calloc(&p, -3, sizeof *p), BL_EINVAL);
    assert_ptr_equal(p, &here);
    bl_mem_fail_at(1);
    assert_int_equal(bl_calloc(&p, 3, sizeof *p), BL_ENOMEM);
    assert_non_null(strstr(bl_error_last()->message, "12 bytes"));
    assert_ptr_equal(p, &here);
    assert_int_equal(bl_slab_alloc(&p, SIZE_MAX - 5), BL_EINVAL);
    assert_ptr_equal(p, &here);
}

static void realloc_keeps_what_was_there(void **state)
{
    (void)state;
    int32_t *a = NULL;
    assert_int_equal(bl_realloc(&a, 3, sizeof *a), BL_OK);
    for (int32_t i = 0; i < 3; i++) a[i] = 41 + i;
    assert_int_equal(bl_realloc(&a, 3000, sizeof *a), BL_OK);
    bl_mem_fail_at(1);
    assert_int_equal(bl_realloc(&a, 30000, sizeof *a), BL_ENOMEM);
    for (int32_t i = 0; i < 3; i++) assert_int_equal(a[i], 41 + i);
    bl_free(a);
}

static void strdup_copies(void **state)
{
    (void)state;
    char text[] = "long tail", *copy = NULL;
    assert_int_equal(bl_strdup(&copy, text), BL_OK);
    text[0] = '\0';
    assert_string_equal(copy, "long tail");
    bl_free(copy);
    assert_int_equal(bl_strdup(&copy, NULL), BL_OK);
    assert_null(copy);
}

static void slabs_are_aligned_and_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *slab = NULL;
        assert_int_equal(bl_slab_alloc(&slab, sizes[i]), BL_OK);
        assert_int_equal((uintptr_t)slab % 64, 0);
        for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(slab[k], 0);
        memset(slab, 0xA5, sizes[i]);
        bl_free(slab);
    }
}

static void hooks_count_and_fail_once(void **state)
{
    (void)state;
    char *a = NULL, *b = NULL, *c = NULL;
    const int64_t before = bl_mem_count();
    bl_mem_fail_at(2);
    assert_int_equal(bl_calloc(&a, 1, 1), BL_OK);
    assert_int_equal(bl_slab_alloc(&b, 1), BL_ENOMEM);
    assert_int_equal(bl_strdup(&c, "c"), BL_OK);
    assert_int_equal(bl_mem_count() - before, 3);
    bl_mem_fail_at(1);
    bl_mem_fail_at(0);
    assert_int_equal(bl_realloc(&b, 5, 1), BL_OK);
    bl_free(a);
    bl_free(b);
    bl_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_mul_refuses_overflow),
        cmocka_unit_test(calloc_zeroes_and_allows_none),
        cmocka_unit_test(failed_calls_leave_out_alone),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(strdup_copies),
        cmocka_unit_test(slabs_are_aligned_and_zero),
        cmocka_unit_test(hooks_count_and_fail_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
