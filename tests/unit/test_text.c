/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_text.c: growing strings; numbers to text and back, in any locale.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/rng.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

static void text_grows(void **state)
{
    (void)state;
    bl_text text = {0};
    for (int i = 0; i < 1000; i++) {
        bl_text_add(&text, "ab\0c", 2);
        bl_text_printf(&text, "%03d", i);
    }
    assert_int_equal(text.status, BL_OK);
    assert_int_equal(text.bytes, 5000);
    assert_int_equal(strlen(text.text), 5000);
    assert_memory_equal(text.text + 4995, "ab999", 6);
    bl_text_free(&text);
    assert_null(text.text);
}

static void text_errors_are_sticky(void **state)
{
    (void)state;
    bl_text text = {0};
    bl_mem_fail_at(1);
    bl_text_printf(&text, "%s", "first");
    bl_text_add(&text, "second", 6);
    assert_int_equal(text.status, BL_ENOMEM);
    assert_null(text.text);
    bl_text_free(&text);
}

static void reals_are_shortest(void **state)
{
    (void)state;
    static const struct { double value; const char *text; } rows[] = {
        {1, "1"},           {0, "0"},         {-0.0, "-0"},
        {2e-4, "0.0002"},   {0.1, "0.1"},     {1e-5, "1e-05"},
        {128, "128"},       {2.385, "2.385"}, {123456.789, "123456.789"},
        {1e15, "1000000000000000"},           {1e16, "1e+16"},
        {9007199254740993.0, "9007199254740992"},
        {1.0 / 3.0, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
        {-1.2345e-300, "-1.2345e-300"},
        {HUGE_VAL, "inf"},  {-HUGE_VAL, "-inf"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_real_format(text, rows[i].value);
        assert_string_equal(text, rows[i].text);
    }
    bl_real_format(text, nan(""));
    assert_string_equal(text, "nan");
}

static void reals_round_trip(void **state)
{
    (void)state;
    bl_rng rng = bl_rng_at(7, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        const uint64_t bits = (uint64_t)bl_rng_u32(&rng) << 32 |
                              bl_rng_u32(&rng);
        double value, back;
        char text[32];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        bl_real_format(text, value);
        assert_true(bl_real_parse(&back, text));
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void reals_are_read_strictly(void **state)
{
    (void)state;
    static const struct { const char *text; double value; } good[] = {
        {"0", 0},       {"-2.385", -2.385}, {"+7", 7},     {".5", 0.5},
        {"3.", 3},      {"2e-4", 2e-4},     {"1E+3", 1e3}, {"00012", 12},
        {"1e-999", 0},
    };
    static const char *const bad[] = {
        "",     " 1",  "1 ",  "+",   ".",   "-.",  "e5",  "1e",   "1e+",
        "0x10", "inf", "nan", "1,5", "1.2.3", "--1", "1e999", "-1e400",
        "1f",   "1e5.0", "\n1",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = 99;
        assert_true(bl_real_parse(&value, good[i].text));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 99;
        assert_false(bl_real_parse(&value, bad[i]));
        assert_true(value == 99);
    }
}

static void integers_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-", "1.0", "1e3", " 1", "1 ", "0x1", "9223372036854775808",
        "-9223372036854775809", "12a",
    };
    long long value = 99;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bl_integer_parse(&value, bad[i]));
    assert_int_equal(value, 99);
    assert_true(bl_integer_parse(&value, "-9223372036854775808"));
    assert_true(value == INT64_MIN);
    assert_true(bl_integer_parse(&value, "+0042"));
    assert_int_equal(value, 42);
}

/* A decimal comma, where the machine has such a locale, changes nothing. */
static void locale_does_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = {
        "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8",
    };
    char text[32], fixed[32];
    bl_text grown = {0};
    double value = 0;
    size_t i = 0;
    while (i < 4 && setlocale(LC_ALL, names[i]) == NULL) i++;
    if (i == 4) skip();
    bl_real_format(text, 2.385);
    const int read = bl_real_parse(&value, "0.0002");
    bl_format(fixed, sizeof fixed, "%.2f", 0.625);
    bl_text_printf(&grown, "%g %s", 0.125, "\xc3\xa9");
    (void)setlocale(LC_ALL, "C");
    assert_string_equal(text, "2.385");
    assert_string_equal(fixed, "0.62");
    assert_string_equal(grown.text, "0.125 \xc3\xa9");
    bl_text_free(&grown);
    assert_true(read && value == 0.0002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(text_errors_are_sticky),
        cmocka_unit_test(reals_are_shortest),
        cmocka_unit_test(reals_round_trip),
        cmocka_unit_test(reals_are_read_strictly),
        cmocka_unit_test(integers_are_read_strictly),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
