/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json.c: documents as written, escapes, and calls that do not nest.
 */
#include <math.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/json.h"
#include "core/error.h"
#include "core/jsonread.h"
#include "core/mem.h"

static void write_example(bl_json *json)
{
    bl_json_object(json, NULL);
    bl_json_integer(json, "epoch", -7);
    bl_json_real(json, "lr", 2e-4);
    bl_json_real(json, "alpha", nan(""));
    bl_json_array(json, "counts");
    bl_json_integer(json, NULL, INT64_MIN);
    bl_json_bool(json, NULL, 3);
    bl_json_null(json, NULL);
    bl_json_close(json);
    bl_json_object(json, "none");
    bl_json_close(json);
    bl_json_string(json, "name", NULL);
    bl_json_close(json);
}

static void assert_example(int indent, const char *wanted)
{
    bl_json *json = NULL;
    const char *text = NULL;
    size_t n = 0;
    assert_int_equal(bl_json_create(&json, indent), BL_OK);
    write_example(json);
    assert_int_equal(bl_json_text(json, &text, &n), BL_OK);
    assert_string_equal(text, wanted);
    assert_int_equal(n, strlen(wanted));
    bl_json_free(json);
}

static void documents_read_as_wanted(void **state)
{
    (void)state;
    assert_example(0,
        "{\"epoch\":-7,\"lr\":0.0002,\"alpha\":null,"
        "\"counts\":[-9223372036854775808,true,null],"
        "\"none\":{},\"name\":null}");
    assert_example(1,
        "{\n  \"epoch\": -7,\n  \"lr\": 0.0002,\n  \"alpha\": null,\n"
        "  \"counts\": [\n    -9223372036854775808,\n    true,\n    null\n"
        "  ],\n  \"none\": {},\n  \"name\": null\n}");
}

static void a_container_keeps_one_line(void **state)
{
    (void)state;
    bl_json *json = NULL;
    const char *text = NULL;
    assert_int_equal(bl_json_create(&json, 1), BL_OK);
    bl_json_object(json, NULL);
    bl_json_on_line(json);
    bl_json_array(json, "rows");
    for (int i = 0; i < 2; i++) {
        bl_json_object(json, NULL);
        bl_json_integer(json, "a", 3 - i);
        bl_json_null(json, "b");
        bl_json_close(json);
    }
    bl_json_close(json);
    bl_json_array(json, "after");
    bl_json_integer(json, NULL, 7);
    bl_json_close(json);
    bl_json_close(json);
    assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
    assert_string_equal(text,
        "{\n  \"rows\": [{\"a\": 3, \"b\": null}, "
        "{\"a\": 2, \"b\": null}],\n"
        "  \"after\": [\n    7\n  ]\n}");
    bl_json_free(json);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    static const struct { const char *text, *wanted; } rows[] = {
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1F\x7F", "\"\\u0001\\u001f\x7F\""},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"\xFFx", "\"\xEF\xBF\xBDx\""},
        {"\xC3", "\"\xEF\xBF\xBD\""},
        {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xF4\x90\x80\x80",
         "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_json *json = NULL;
        const char *text = NULL;
        assert_int_equal(bl_json_create(&json, 0), BL_OK);
        bl_json_string(json, NULL, rows[i].text);
        assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
        assert_string_equal(text, rows[i].wanted);
        bl_json_free(json);
    }
}

static void reals_come_back(void **state)
{
    (void)state;
    static const double values[] = {0.1, 1.0 / 3.0, 1e300, -5e-324, 12406};
    bl_json *json = NULL;
    bl_json_value *root = NULL;
    const char *text = NULL;
    size_t n = 0;
    assert_int_equal(bl_json_create(&json, 1), BL_OK);
    bl_json_array(json, NULL);
    for (size_t i = 0; i < 5; i++) bl_json_real(json, NULL, values[i]);
    bl_json_real(json, NULL, -HUGE_VAL);
    bl_json_close(json);
    assert_int_equal(bl_json_text(json, &text, &n), BL_OK);
    assert_int_equal(bl_json_parse(&root, "back", text, n), BL_OK);
    const bl_json_value *at = root->first;
    for (size_t i = 0; i < 5; i++, at = at->next)
        assert_true(at->real == values[i]);
    assert_int_equal(at->kind, BL_JSON_NULL);
    bl_json_value_free(root);
    bl_json_free(json);
}

typedef void misuse(bl_json *json);

static void key_in_array(bl_json *json)
{
    bl_json_array(json, NULL);
    bl_json_integer(json, "key", 1);
}

static void no_key_in_object(bl_json *json)
{
    bl_json_object(json, NULL);
    bl_json_null(json, NULL);
}

static void two_at_the_top(bl_json *json)
{
    bl_json_integer(json, NULL, 1);
    bl_json_integer(json, NULL, 2);
}

static void close_too_often(bl_json *json)
{
    bl_json_array(json, NULL);
    bl_json_close(json);
    bl_json_close(json);
}

static void too_deep(bl_json *json)
{
    for (int i = 0; i < 65; i++) bl_json_array(json, NULL);
}

static void misuse_is_sticky(void **state)
{
    (void)state;
    static misuse *const rows[] = {
        key_in_array, no_key_in_object, two_at_the_top, close_too_often,
        too_deep,
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_json *json = NULL;
        const char *text = NULL;
        assert_int_equal(bl_json_create(&json, 0), BL_OK);
        rows[i](json);
        bl_json_close(json);
        bl_json_real(json, "more", 1.5);
        assert_int_equal(bl_json_text(json, &text, NULL), BL_EINVAL);
        assert_null(text);
        bl_json_free(json);
    }
}

static void sixty_four_levels_fit(void **state)
{
    (void)state;
    bl_json *json = NULL;
    const char *text = NULL;
    assert_int_equal(bl_json_create(&json, 0), BL_OK);
    assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
    assert_string_equal(text, "");
    for (int i = 0; i < 64; i++) bl_json_array(json, NULL);
    for (int i = 0; i < 64; i++) bl_json_close(json);
    assert_int_equal(bl_json_text(json, &text, NULL), BL_OK);
    assert_int_equal(strlen(text), 128);
    bl_json_free(json);
    bl_json_free(NULL);
}

static void memory_errors_are_sticky(void **state)
{
    (void)state;
    bl_json *json = NULL;
    const char *text = NULL;
    assert_int_equal(bl_json_create(&json, 0), BL_OK);
    bl_mem_fail_at(1);
    write_example(json);
    assert_int_equal(bl_json_text(json, &text, NULL), BL_ENOMEM);
    bl_json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_read_as_wanted),
        cmocka_unit_test(a_container_keeps_one_line),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(reals_come_back),
        cmocka_unit_test(misuse_is_sticky),
        cmocka_unit_test(sixty_four_levels_fit),
        cmocka_unit_test(memory_errors_are_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
