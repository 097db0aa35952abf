/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_jsonread.c: JSON as a tree: kinds, order, look-up, and input that is
 * broken, cut short, hostile or random.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/error.h"
#include "core/jsonread.h"
#include "core/text.h"

static const char example[] =
    " {\"method\" : \"bbn\", \"shot\":{\"many\":0.25,\"few\":-1.5e-3},"
    "\"per_class\":[5000,{},[], null,true,false],\"\":\"\\u20ac\\n\","
    "\"big\":12345678901234567890,\"edge\":-9223372036854775808}\n";

static bl_json_value *parse(const char *text, size_t n)
{
    bl_json_value *root = NULL;
    if (bl_json_parse(&root, "x.json", text, n) != BL_OK)
        fail_msg("%s", bl_error_last()->message);
    return root;
}

static void tree_holds_the_document(void **state)
{
    (void)state;
    bl_json_value *const root = parse(example, sizeof example - 1);
    assert_int_equal(root->kind, BL_JSON_OBJECT);
    assert_int_equal(root->count, 6);
    assert_null(root->key);
    assert_string_equal(bl_json_member(root, "method")->string, "bbn");
    const bl_json_value *const shot = bl_json_member(root, "shot");
    assert_true(bl_json_member(shot, "few")->real == -1.5e-3);
    assert_int_equal(bl_json_member(shot, "few")->kind, BL_JSON_REAL);
    assert_string_equal(bl_json_member(root, "")->string, "\xE2\x82\xAC\n");
    assert_int_equal(bl_json_member(root, "big")->kind, BL_JSON_REAL);
    assert_true(bl_json_member(root, "big")->real == 12345678901234567890.0);
    assert_true(bl_json_member(root, "edge")->integer == INT64_MIN);
    assert_null(bl_json_member(root, "none"));
    assert_null(bl_json_member(NULL, "none"));
    assert_null(bl_json_member(shot->first, "none"));
    bl_json_value_free(root);
    bl_json_value_free(NULL);
}

static void members_keep_their_order(void **state)
{
    (void)state;
    static const bl_json_kind kinds[] = {
        BL_JSON_INTEGER, BL_JSON_OBJECT, BL_JSON_ARRAY, BL_JSON_NULL,
        BL_JSON_BOOL,    BL_JSON_BOOL,
    };
    bl_json_value *const root = parse(example, sizeof example - 1);
    const bl_json_value *const list = bl_json_member(root, "per_class");
    const bl_json_value *at = list->first;
    assert_int_equal(list->count, 6);
    assert_int_equal(at->integer, 5000);
    assert_true(at->real == 5000);
    for (size_t i = 0; i < 6; i++, at = at->next) {
        assert_int_equal(at->kind, kinds[i]);
        if (i == 4) assert_int_equal(at->integer, 1);
        if (i == 5) assert_int_equal(at->integer, 0);
    }
    assert_null(at);
    bl_json_value_free(root);
}

static void bare_values_are_documents(void **state)
{
    (void)state;
    bl_json_value *root = parse("2.50", 4);
    assert_true(root->kind == BL_JSON_REAL && root->real == 2.5);
    bl_json_value_free(root);
    root = parse("\"a\"", 3);
    assert_string_equal(root->string, "a");
    bl_json_value_free(root);
}

static void broken_documents_are_placed(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } rows[] = {
        {"", "x.json: offset 0: "},
        {"{\"a\":1", "x.json: offset 6: parse error: premature EOF"},
        {"[1,]", "offset"},            {"[1 2]", "offset"},
        {"{\"a\" 1}", "offset"},       {"{a:1}", "offset"},
        {"{} {}", "trailing garbage"}, {"tru", "offset"},
        {"[01]", "offset"},            {"[+1]", "offset"},
        {"[.5]", "offset"},            {"[NaN]", "offset"},
        {"[1]//", "offset"},           {"\"a\nb\"", "invalid character"},
        {"\"\\x\"", "offset"},       {"\"\xFF\"", "UTF8"},
        {"[\"\\u0000\"]", "a string holds \\u0000"},
        {"[1e999]", "1e999 is not a number a double holds"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "key \"a\" stands twice"},
        {"[{\"k\":{\"x\":1,\"x\":1}}]", "key \"x\" stands twice"},
        {"\xEF\xBB\xBF{}", "offset"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_json_value *root = NULL;
        const char *const text = rows[i].text;
        assert_int_equal(bl_json_parse(&root, "x.json", text, strlen(text)),
                         BL_EFORMAT);
        assert_null(root);
        const char *const message = bl_error_last()->message;
        if (strncmp(message, "x.json: offset ", 15) != 0 ||
            strstr(message, rows[i].says) == NULL)
            fail_msg("of %s: %s", text, message);
    }
}

static void same_key_in_other_objects_is_fine(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]}";
    bl_json_value_free(parse(text, sizeof text - 1));
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[200];
    bl_json_value *root = NULL;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    bl_json_value_free(parse(text, 128));
    memset(text, '[', 65);
    assert_int_equal(bl_json_parse(&root, "x.json", text, 65), BL_EFORMAT);
    assert_non_null(strstr(bl_error_last()->message, "deeper than 64"));
}

/* Strings of many escapes drive yajl's one growing buffer; its memory is
 * reckoned beforehand and must do at every size. */
static void long_strings_fit(void **state)
{
    (void)state;
    for (size_t n = 1000; n < 600000; n = n * 17 / 10) {
        bl_text text = {0};
        bl_text_add(&text, "[\"", 2);
        for (size_t i = 0; i < n; i++)
            bl_text_add(&text, i % 1000 == 0 ? "\\t" : "x",
                        i % 1000 == 0 ? 2 : 1);
        bl_text_add(&text, "\",\"", 3);
        for (size_t i = 0; i < n; i++) bl_text_add(&text, "\\n", 2);
        bl_text_add(&text, "\"]", 2);
        bl_json_value *const root = parse(text.text, text.bytes);
        assert_int_equal(strlen(root->first->string), n);
        assert_int_equal(strlen(root->first->next->string), n);
        bl_json_value_free(root);
        bl_text_free(&text);
    }
}

/* 60000 keys: comparing all pairs would take minutes under a sanitizer. */
static void many_keys_take_no_time(void **state)
{
    (void)state;
    bl_text text = {0};
    bl_json_value *root = NULL;
    for (int i = 0; i < 60000; i++)
        bl_text_printf(&text, "%c\"key number %d\":%d", i == 0 ? '{' : ',', i,
                       i);
    bl_text_add(&text, ",\"key number 777\":0}", 20);
    assert_int_equal(bl_json_parse(&root, "x", text.text, text.bytes),
                     BL_EFORMAT);
    text.bytes -= 20;
    bl_text_add(&text, "}", 1);
    root = parse(text.text, text.bytes);
    assert_int_equal(root->count, 60000);
    bl_json_value_free(root);
    bl_text_free(&text);
}

/* A copy of exactly n bytes, so that a sanitizer sees reading past them. */
static bl_status parse_tight(const char *text, size_t n)
{
    bl_json_value *root = NULL;
    char *const copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    if (n > 0) memcpy(copy, text, n);
    const bl_status status = bl_json_parse(&root, "x", copy, n);
    bl_json_value_free(root);
    free(copy);
    return status;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n + 2 < sizeof example; n++)
        assert_int_equal(parse_tight(example, n), BL_EFORMAT);
    assert_int_equal(parse_tight(example, sizeof example - 1), BL_OK);
}

static void garbage_is_refused_quietly(void **state)
{
    (void)state;
    static const char letters[] = "{}[]:,\"\\u0019aeE+-.tfnrl \n\xC3\xA9\xFF";
    char text[sizeof example];
    bl_rng rng = bl_rng_at(4, BL_PURPOSE_TEST, 0, 0);
    for (int round = 0; round < 20000; round++) {
        memcpy(text, example, sizeof example);
        const uint64_t changes = 1 + bl_rng_below(&rng, 8);
        for (uint64_t i = 0; i < changes; i++)
            text[bl_rng_below(&rng, sizeof example - 1)] =
                letters[bl_rng_below(&rng, sizeof letters)];
        const bl_status status = parse_tight(text, sizeof example - 1);
        assert_true(status == BL_OK || status == BL_EFORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_holds_the_document),
        cmocka_unit_test(members_keep_their_order),
        cmocka_unit_test(bare_values_are_documents),
        cmocka_unit_test(broken_documents_are_placed),
        cmocka_unit_test(same_key_in_other_objects_is_fine),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(long_strings_fit),
        cmocka_unit_test(many_keys_take_no_time),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(garbage_is_refused_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
