/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_core.c: every allocation of core fails once.  Nothing may crash or
 * leak (run under the sanitizers), and what failed must say BL_ENOMEM.
 */
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/config.h"
#include "ballast/data.h"
#include "ballast/json.h"
#include "core/error.h"
#include "core/file.h"
#include "core/jsonread.h"
#include "core/text.h"
#include "support/fault.h"
#include "support/scratch.h"

enum { LIMIT = 2000 };

static const char *const shapes[] = {"exp", "step", NULL};

static const bl_param table[] = {
    {"data", BL_PARAM_STRING, "x", 0, 0, NULL, NULL, ""},
    {"epochs", BL_PARAM_INTEGER, "200", 1, 1e6, NULL, NULL, ""},
    {"lr", BL_PARAM_REAL, "0.1", 0, 1, NULL, NULL, ""},
    {"profile", BL_PARAM_CHOICE, "exp", 0, 0, shapes, NULL, ""},
    {"drop-last", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL, ""},
    {"steps", BL_PARAM_REALS, "160,180", 0, 1e6, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static bl_status make_config(void *payload)
{
    bl_status status = BL_OK;
    bl_config *config = NULL, *copy = NULL;
    (void)payload;
    static const char yaml[] = "{lr: 0.5, steps: [1, 2, 3], ballast: {a: b}}";
    BL_CHECK(bl_config_create(&config, table));
    BL_CHECK(bl_config_assign(config, "drop-last=on", BL_ORIGIN_OPTION));
    BL_CHECK(bl_config_clone(&copy, config));
    BL_CHECK(bl_config_parse(copy, "y", yaml, sizeof yaml - 1));
done:
    bl_config_free(config);
    bl_config_free(copy);
    return status;
}

/* A parse that runs out of memory leaves the configuration as it was. */
static bl_status parse_again(void *payload)
{
    bl_config *const config = payload;
    static const char yaml[] = "lr: 0.5\nepochs: 7\n";
    char before[16];
    (void)snprintf(before, sizeof before, "%s", bl_config_text(config, "lr"));
    const bl_status status = bl_config_parse(config, "y", yaml,
                                             sizeof yaml - 1);
    if (status < 0) {
        assert_string_equal(bl_config_text(config, "lr"), "0.1");
        assert_string_equal(bl_config_text(config, "epochs"), "200");
    }
    return status;
}

static bl_status refuse_choice(void *payload)
{
    const bl_status status =
        bl_config_set(payload, "profile", "linear", BL_ORIGIN_OPTION);
    return status == BL_EINVAL ? BL_OK : status;
}

static bl_status make_json(void *payload)
{
    bl_status status = BL_OK;
    bl_json *json = NULL;
    bl_json_value *root = NULL;
    const char *text = NULL;
    size_t n = 0;
    (void)payload;
    BL_CHECK(bl_json_create(&json, 1));
    bl_json_object(json, NULL);
    for (int i = 0; i < 100; i++) {
        const char key[3] = {(char)('a' + i / 10), (char)('a' + i % 10), 0};
        bl_json_object(json, key);
        bl_json_real(json, "x", i * 2.385);
        bl_json_string(json, "long", "a text with\nan escape");
        bl_json_close(json);
    }
    bl_json_close(json);
    BL_CHECK(bl_json_text(json, &text, &n));
    BL_CHECK(bl_json_parse(&root, "x", text, n));
done:
    bl_json_free(json);
    bl_json_value_free(root);
    return status;
}

/* A failed write leaves no second file behind. */
static bl_status write_file(void *payload)
{
    bl_status status = BL_OK;
    char *path = NULL, *deep = NULL, *bytes = NULL;
    size_t n = 0;
    BL_CHECK(bl_path_join(&path, payload, "file"));
    BL_CHECK(bl_path_join(&deep, payload, "a/b"));
    BL_CHECK(bl_folder_create(deep));
    BL_CHECK(bl_file_write(path, "text", 4));
    BL_CHECK(bl_file_read(&bytes, &n, path, 9));
done:
    bl_free(path);
    bl_free(deep);
    bl_free(bytes);
    return status;
}

static void config_survives(void **state)
{
    (void)state;
    bl_config *config = NULL;
    assert_true(fault_run(make_config, NULL, LIMIT) > 30);
    assert_int_equal(bl_config_create(&config, table), BL_OK);
    assert_true(fault_run(refuse_choice, config, LIMIT) > 0);
    assert_true(fault_run(parse_again, config, LIMIT) > 10);
    assert_string_equal(bl_config_text(config, "lr"), "0.5");
    bl_config_free(config);
}

static void json_survives(void **state)
{
    (void)state;
    assert_true(fault_run(make_json, NULL, LIMIT) > 10);
}

static void files_survive(void **state)
{
    (void)state;
    scratch s;
    int n = 0;
    scratch_make(&s);
    const int64_t faults = fault_run(write_file, s.folder, LIMIT);
    DIR *const folder = opendir(s.folder);
    while (folder != NULL && readdir(folder) != NULL) n++;
    if (folder != NULL) (void)closedir(folder);
    scratch_remove(&s);
    assert_true(faults > 5);
    assert_int_equal(n, 4); /* ".", "..", "a" and "file" */
}

static bl_status swallow(void *payload)
{
    char *memory = NULL;
    const bl_status status = bl_strdup(&memory, "x");
    bl_free(memory);
    return status == BL_ENOMEM ? *(const bl_status *)payload : status;
}

/* The helper itself: other errors and endless failures are told apart. */
static void helper_can_fail(void **state)
{
    (void)state;
    bl_status wrong = BL_EIO, fine = BL_OK;
    assert_int_equal(fault_run(swallow, &wrong, LIMIT), -1);
    assert_int_equal(fault_run(swallow, &fine, LIMIT), 1);
    assert_int_equal(fault_run(swallow, &fine, 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_survives),
        cmocka_unit_test(json_survives),
        cmocka_unit_test(files_survive),
        cmocka_unit_test(helper_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
