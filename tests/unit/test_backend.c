/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of backends, the dtypes, and bfloat16.
 */
#include "near.h"

#include <string.h>

#include "backend/backend.h"
#include "backend/bf16.h"
#include "ballast/model.h"

static void test_dtypes(void **state)
{
    (void)state;
    assert_int_equal(bl_dtype_size(BL_F32), 4);
    assert_int_equal(bl_dtype_size(BL_BF16), 2);
    assert_int_equal(bl_dtype_size(BL_F64), 8);
    assert_int_equal(bl_dtype_real(BL_F32), BL_F32);
    assert_int_equal(bl_dtype_real(BL_BF16), BL_F32);
    assert_int_equal(bl_dtype_real(BL_F64), BL_F64);
    assert_string_equal(bl_dtype_name(BL_F32), "f32");
    assert_string_equal(bl_dtype_name(BL_BF16), "bf16");
    assert_string_equal(bl_dtype_name(BL_F64), "f64");
}

/* ref is the last of the list and always there. */
static void test_find(void **state)
{
    (void)state;
    const bl_backend *found = NULL, *last = NULL, *first = NULL;
    for (const bl_backend *const *b = bl_backends(); *b != NULL; b++) {
        if (first == NULL && (*b)->available()) first = *b;
        last = *b;
    }
    assert_ptr_equal(last, &bl_backend_ref);
    assert_int_equal(bl_backend_find(&found, "ref"), BL_OK);
    assert_ptr_equal(found, &bl_backend_ref);
    assert_int_equal(bl_backend_find(&found, NULL), BL_OK);
    assert_ptr_equal(found, first);
    found = NULL;
    assert_int_equal(bl_backend_find(&found, "auto"), BL_OK);
    assert_ptr_equal(found, first);
}

static void test_find_refuses(void **state)
{
    (void)state;
    const bl_backend *found = NULL;
    assert_int_equal(bl_backend_find(&found, "abacus"), BL_EINVAL);
    assert_null(found);
    const char *const message = bl_error_last()->message;
    assert_non_null(strstr(message, "abacus"));
    assert_non_null(strstr(message, "ref"));
    assert_int_equal(bl_backend_find(&found, ""), BL_EINVAL);
    assert_int_equal(bl_backend_find(&found, "re"), BL_EINVAL);
    assert_int_equal(bl_backend_find(&found, "reference"), BL_EINVAL);
}

static void test_list(void **state)
{
    (void)state;
    bl_backend_info rows[8];
    const int32_t n = bl_backend_list(rows, 8);
    assert_in_range(n, 1, 8);
    const bl_backend_info *const ref = &rows[n - 1];
    assert_string_equal(ref->name, "ref");
    assert_true(ref->available && ref->fp32 && ref->bf16);
    assert_false(ref->bf16_native);
    for (int32_t i = 0; i < n; i++) {
        assert_in_range(strlen(rows[i].summary), 1, 60);
    }
    assert_int_equal(bl_backend_list(NULL, 0), n);
}

/* Every backend fills every entry: nothing checks them before a call. */
static void test_tables_are_full(void **state)
{
    (void)state;
    for (const bl_backend *const *b = bl_backends(); *b != NULL; b++) {
        const unsigned char *const bytes = (const unsigned char *)*b;
        const size_t from = offsetof(bl_backend, open);
        void (*entry)(void);
        for (size_t at = from; at < sizeof **b; at += sizeof entry) {
            memcpy(&entry, bytes + at, sizeof entry);
            if (entry == NULL) fail_msg("%s: byte %zu", (*b)->name, at);
        }
        assert_true((*b)->available && (*b)->runs && (*b)->bf16_native);
    }
}

static float float_of(uint32_t bits)
{
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static void test_bf16_rounds(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        bl_bf16 want;
    } cases[] = {
        {0x3f800000u, 0x3f80}, /* 1                                  */
        {0x3f807fffu, 0x3f80}, /* just below a tie                   */
        {0x3f808000u, 0x3f80}, /* a tie, to even: down               */
        {0x3f808001u, 0x3f81}, /* just above it                      */
        {0x3f818000u, 0x3f82}, /* a tie, to even: up                 */
        {0xbf818000u, 0xbf82}, /* the same, negative                 */
        {0x3fffffffu, 0x4000}, /* the carry reaches the exponent     */
        {0x7f7f7fffu, 0x7f7f}, /* the last that stays finite         */
        {0x7f7f8000u, 0x7f80}, /* the first that does not            */
        {0x7f800000u, 0x7f80}, /* infinity                           */
        {0xff800000u, 0xff80},
        {0x00000000u, 0x0000},
        {0x80000000u, 0x8000}, /* -0                                 */
        {0x00008000u, 0x0000}, /* subnormal tie, to even             */
        {0x00018000u, 0x0002},
        {0x7fc00000u, 0x7fc0}, /* quiet NaN                          */
        {0x7f800001u, 0x7fc0}, /* NaN whose upper half is infinity's */
        {0xffffffffu, 0xffff}, /* NaN that would wrap to 0           */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bl_bf16 got = bl_bf16_from_f32(float_of(cases[i].bits));
        assert_int_equal(got, cases[i].want);
    }
}

/* Every bf16 comes back from f32 as it was, a signalling NaN quieted. */
static void test_bf16_round_trip(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffffu; bits++) {
        const float value = bl_bf16_to_f32((bl_bf16)bits);
        const uint32_t want = isnan(value) ? (bits | 0x40u) : bits;
        assert_int_equal(bl_bf16_from_f32(value), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_refuses),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_tables_are_full),
        cmocka_unit_test(test_bf16_rounds),
        cmocka_unit_test(test_bf16_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
