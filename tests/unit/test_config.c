/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config.c: values, their canonical text, precedence, hints and ranges;
 * YAML with its errors by line, and YAML that is hostile or random.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/config.h"
#include "ballast/rng.h"
#include "core/error.h"
#include "core/text.h"
#include "support/scratch.h"

static const char *const shapes[] = {"exp", "step", NULL};

static const bl_param table[] = {
    {"data", BL_PARAM_STRING, "", 0, 0, NULL, NULL, "a text"},
    {"epochs", BL_PARAM_INTEGER, "200", 1, 1e6, NULL, "N", "a count"},
    {"seed", BL_PARAM_INTEGER, "0", 0, 0x1p53, NULL, "S", "a seed"},
    {"lr", BL_PARAM_REAL, "0.1", 0, 1e6, NULL, "X", "a real"},
    {"sgd.weight-decay", BL_PARAM_REAL, "2e-4", 0, 1e3, NULL, "X", "a real"},
    {"profile", BL_PARAM_CHOICE, "exp", 0, 0, shapes, NULL, "a choice"},
    {"drop-last", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL, "a flag"},
    {"schedule", BL_PARAM_STRING, "step", 0, 0, NULL, NULL, "a name"},
    {"schedule.milestones", BL_PARAM_REALS, "160,180", 0, 1e6, NULL, NULL,
     "a list"},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static void assert_says(const char *part)
{
    if (strstr(bl_error_last()->message, part) == NULL)
        fail_msg("'%s' is not in: %s", part, bl_error_last()->message);
}

static bl_status parse(bl_config *config, const char *yaml)
{
    return bl_config_parse(config, "c.yaml", yaml, strlen(yaml));
}

static int set_up(void **state)
{
    bl_config *config = NULL;
    if (bl_config_create(&config, table) < 0) return -1;
    *state = config;
    return 0;
}

static int tear_down(void **state)
{
    bl_config_free(*state);
    return 0;
}

/* ---- values ------------------------------------------------------------- */

static void defaults_are_typed(void **state)
{
    const bl_config *const c = *state;
    const double *list = NULL;
    assert_string_equal(bl_config_string(c, "data"), "");
    assert_int_equal(bl_config_integer(c, "epochs"), 200);
    assert_true(bl_config_real(c, "sgd.weight-decay") == 2e-4);
    assert_string_equal(bl_config_string(c, "profile"), "exp");
    assert_false(bl_config_flag(c, "drop-last"));
    assert_int_equal(bl_config_reals(c, "schedule.milestones", &list), 2);
    assert_true(list[0] == 160 && list[1] == 180);
    assert_int_equal(bl_config_origin(c, "lr"), BL_ORIGIN_DEFAULT);
    assert_ptr_equal(bl_config_table(c), table);
    assert_ptr_equal(bl_param_find(table, "lr"), &table[3]);
    assert_null(bl_param_find(table, "l"));
}

static void wrong_reads_are_zero(void **state)
{
    const bl_config *const c = *state;
    const double *list = &table[0].min;
    assert_int_equal(bl_config_integer(c, "lr"), 0);
    assert_true(bl_config_real(c, "epochs") == 0);
    assert_string_equal(bl_config_string(c, "lr"), "");
    assert_int_equal(bl_config_flag(c, "none"), 0);
    assert_int_equal(bl_config_reals(c, "lr", &list), 0);
    assert_null(list);
    assert_string_equal(bl_config_text(c, "none"), "");
}

static void texts_are_canonical(void **state)
{
    static const struct { const char *key, *text, *canonical; } rows[] = {
        {"lr", "1", "1"},            {"lr", "2e-4", "0.0002"},
        {"lr", "+0.50", "0.5"},      {"lr", "-0.0", "0"},
        {"lr", "1E+3", "1000"},      {"epochs", "+007", "7"},
        {"epochs", "1000000", "1000000"}, {"epochs", "1e3", "1000"},
        {"epochs", "3.20E2", "320"}, {"seed", "-0.0", "0"},
        {"seed", "9007199254740992", "9007199254740992"},
        {"drop-last", "yes", "true"}, {"drop-last", "0", "false"},
        {"profile", "step", "step"},  {"data", " a b ", " a b "},
        {"schedule.milestones", "", ""},
        {"schedule.milestones", "1e2, 1.50e2 ,160.0", "100,150,160"},
    };
    bl_config *const c = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int again = 0; again < 2; again++) {
            const char *const text = again ? rows[i].canonical : rows[i].text;
            assert_int_equal(bl_config_set(c, rows[i].key, text,
                                           BL_ORIGIN_OPTION), BL_OK);
            assert_string_equal(bl_config_text(c, rows[i].key),
                                rows[i].canonical);
        }
}

static void bad_values_change_nothing(void **state)
{
    static const struct { const char *key, *text, *says; } rows[] = {
        {"lr", "fast", "lr: \"fast\" is not a number"},
        {"lr", "", "lr: \"\" is not a number"},
        {"lr", "nan", "is not a number"},
        {"lr", "-2.385", "lr: -2.385 is not in [0, 1000000]"},
        {"lr", "1000000.5", "lr: 1000000.5 is not in"},
        {"epochs", "0", "epochs: 0 is not in [1, 1000000]"},
        {"epochs", "1.5", "\"1.5\" is not a whole number"},
        {"epochs", "1e-1", "\"1e-1\" is not a whole number"},
        {"epochs", "1e400", "is not a whole number"},
        {"epochs", "1e7", "epochs: 10000000 is not in [1, 1000000]"},
        {"epochs", "99999999999999999999", "is not in [1, 1000000]"},
        {"seed", "1e15", "\"1e15\" is not written in full"},
        {"seed", "9007199254740993",
         "seed: 9007199254740993 is not in [0, 9007199254740992]"},
        {"seed", "9223372036854775807", "is not in [0, 9007199254740992]"},
        {"profile", "linear", "\"linear\" is not one of exp, step"},
        {"drop-last", "maybe", "\"maybe\" is not true or false"},
        {"schedule.milestones", "180,160", "is not ascending"},
        {"schedule.milestones", "160,160", "is not ascending"},
        {"schedule.milestones", "160,,180", "\"\" is not a number"},
        {"schedule.milestones", "160,", "\"\" is not a number"},
        {"schedule.milestones", "160,2e6", "2000000 is not in [0, 1000000]"},
        {"schedule.milestones", "160;180", "is not a number"},
    };
    bl_config *const c = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char before[64];
        (void)snprintf(before, sizeof before, "%s",
                       bl_config_text(c, rows[i].key));
        assert_int_equal(bl_config_set(c, rows[i].key, rows[i].text,
                                       BL_ORIGIN_OPTION), BL_EINVAL);
        assert_says(rows[i].says);
        assert_string_equal(bl_config_text(c, rows[i].key), before);
        assert_int_equal(bl_config_origin(c, rows[i].key),
                         BL_ORIGIN_DEFAULT);
    }
}

/* Any order of calls ends at the value of the strongest origin. */
static void precedence_is_by_origin(void **state)
{
    (void)state;
    static const int orders[][4] = {
        {0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}, {3, 0, 1, 2},
    };
    static const char *const texts[] = {"1", "2", "3", "4"};
    static const char *const names[] = {"default", "method", "file",
                                        "option"};
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++)
        for (int used = 1; used <= 4; used++) {
            bl_config *c = NULL;
            int strongest = 0;
            assert_int_equal(bl_config_create(&c, table), BL_OK);
            for (int i = 0; i < used; i++) {
                const int origin = orders[o][i];
                assert_int_equal(bl_config_set(c, "lr", texts[origin],
                                               (bl_origin)origin), BL_OK);
                if (origin > strongest) strongest = origin;
            }
            assert_string_equal(bl_config_text(c, "lr"), texts[strongest]);
            assert_string_equal(bl_origin_name(bl_config_origin(c, "lr")),
                                names[strongest]);
            bl_config_free(c);
        }
}

static void weaker_values_are_still_checked(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(bl_config_set(c, "lr", "0.3", BL_ORIGIN_OPTION), BL_OK);
    assert_int_equal(bl_config_set(c, "lr", "-1", BL_ORIGIN_METHOD),
                     BL_EINVAL);
    assert_int_equal(bl_config_set(c, "lr", "0.4", BL_ORIGIN_OPTION), BL_OK);
    assert_string_equal(bl_config_text(c, "lr"), "0.4");
}

static void assignments_split_at_the_first_sign(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(bl_config_assign(c, "data=a=b", BL_ORIGIN_OPTION),
                     BL_OK);
    assert_string_equal(bl_config_string(c, "data"), "a=b");
    assert_int_equal(bl_config_assign(c, "data=", BL_ORIGIN_OPTION), BL_OK);
    assert_string_equal(bl_config_string(c, "data"), "");
    assert_int_equal(bl_config_assign(c, "lr", BL_ORIGIN_OPTION), BL_EINVAL);
    assert_says("\"lr\" is not of the form key=value");
    assert_int_equal(bl_config_assign(c, "=1", BL_ORIGIN_OPTION), BL_EINVAL);
}

static void clones_are_apart(void **state)
{
    bl_config *const c = *state;
    bl_config *copy = NULL;
    assert_int_equal(bl_config_set(c, "lr", "0.3", BL_ORIGIN_FILE), BL_OK);
    assert_int_equal(bl_config_clone(&copy, c), BL_OK);
    assert_int_equal(bl_config_set(c, "lr", "0.7", BL_ORIGIN_FILE), BL_OK);
    assert_string_equal(bl_config_text(copy, "lr"), "0.3");
    assert_int_equal(bl_config_origin(copy, "lr"), BL_ORIGIN_FILE);
    assert_int_equal(bl_config_origin(copy, "seed"), BL_ORIGIN_DEFAULT);
    for (const bl_param *row = table; row->name != NULL; row++)
        if (strcmp(row->name, "lr") != 0)
            assert_string_equal(bl_config_text(copy, row->name),
                                bl_config_text(c, row->name));
    bl_config_free(copy);
    bl_config_free(NULL);
}

static void bad_defaults_are_found(void **state)
{
    (void)state;
    static const bl_param bad[] = {
        {"lr", BL_PARAM_REAL, "high", 0, 1, NULL, NULL, ""},
        {NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
    };
    bl_config *c = NULL;
    assert_int_equal(bl_config_create(&c, bad), BL_EINVAL);
    assert_null(c);
}

/* ---- hints -------------------------------------------------------------- */

static void nearest_word_is_found(void **state)
{
    (void)state;
    static const char *const list[] = {
        "cifar10", "cifar100", "fashion-mnist", "bbn", "sgd.momentum", NULL,
    };
    static const struct { const char *word, *nearest; } rows[] = {
        {"cifar10", "cifar10"},       {"cifar-10", "cifar10"},
        {"ciafr100", "cifar100"},     {"fashionmnist", "fashion-mnist"},
        {"bbm", "bbn"},               {"bnb", "bbn"},
        {"sgd.momentun", "sgd.momentum"}, {"bb", NULL},
        {"xyz", NULL},                {"", NULL},
        {"momentum", NULL},
    };
    char longest[4000];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const found = bl_nearest(rows[i].word, list);
        if (rows[i].nearest == NULL)
            assert_null(found);
        else
            assert_string_equal(found, rows[i].nearest);
    }
    memset(longest, 'c', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(bl_nearest(longest, list));
}

static void unknown_keys_name_the_nearest(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(bl_config_set(c, "epoch", "3", BL_ORIGIN_OPTION),
                     BL_EINVAL);
    assert_says("unknown key \"epoch\"; the nearest is \"epochs\"");
    assert_int_equal(bl_config_set(c, "xyzzy", "3", BL_ORIGIN_OPTION),
                     BL_EINVAL);
    assert_string_equal(bl_error_last()->message, "unknown key \"xyzzy\"");
}

/* ---- YAML --------------------------------------------------------------- */

static void yaml_sets_keys(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(parse(c,
        "# a run\n"
        "data: 'cifar10'\n"
        "lr: 2.385   # base rate\n"
        "sgd: {weight-decay: 5e-4}\n"
        "schedule.milestones:\n  - 80\n  - 90.50\n"
        "schedule: cosine\n"
        "drop-last: true\n"
        "ballast:\n  version: 0.1.0\n  lr: [1, {a: b}]\n"
        "ballast.build: {x: 1, x: 2}\n"), BL_OK);
    assert_string_equal(bl_config_string(c, "data"), "cifar10");
    assert_true(bl_config_real(c, "lr") == 2.385);
    assert_string_equal(bl_config_text(c, "sgd.weight-decay"), "0.0005");
    assert_string_equal(bl_config_text(c, "schedule.milestones"), "80,90.5");
    assert_string_equal(bl_config_string(c, "schedule"), "cosine");
    assert_true(bl_config_flag(c, "drop-last"));
    assert_int_equal(bl_config_origin(c, "lr"), BL_ORIGIN_FILE);
    assert_int_equal(bl_config_origin(c, "epochs"), BL_ORIGIN_DEFAULT);
}

static void yaml_without_keys_is_fine(void **state)
{
    static const char *const rows[] = {
        "", "\n\n", "# nothing\n", "{}", "---\n{}\n...\n", "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(parse(*state, rows[i]), BL_OK);
}

static void null_is_the_empty_text(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(parse(c, "data: ~\nschedule:\n"), BL_OK);
    assert_string_equal(bl_config_string(c, "schedule"), "");
    assert_int_equal(parse(c, "data: 'null'\nschedule: null\n"), BL_OK);
    assert_string_equal(bl_config_string(c, "data"), "null");
}

static void options_outlive_files(void **state)
{
    bl_config *const c = *state;
    assert_int_equal(bl_config_set(c, "lr", "0.7", BL_ORIGIN_OPTION), BL_OK);
    assert_int_equal(bl_config_set(c, "epochs", "90", BL_ORIGIN_METHOD),
                     BL_OK);
    assert_int_equal(parse(c, "lr: 0.3\nepochs: 60\n"), BL_OK);
    assert_string_equal(bl_config_text(c, "lr"), "0.7");
    assert_string_equal(bl_config_text(c, "epochs"), "60");
}

static void yaml_errors_name_the_line(void **state)
{
    static const struct {
        const char *yaml;
        bl_status status;
        const char *says;
    } rows[] = {
        {"lr: 1\n\nlrr: 2\n", BL_EINVAL,
         "c.yaml:3: unknown key \"lrr\"; the nearest is \"lr\""},
        {"lr: 1\nepochs: 0\n", BL_EINVAL,
         "c.yaml:2: epochs: 0 is not in [1, 1000000]"},
        {"sgd:\n  weight-decy: 1\n", BL_EINVAL,
         "c.yaml:2: unknown key \"sgd.weight-decy\"; the nearest is"},
        {"lr: 1\nlr: 2\n", BL_EFORMAT, "c.yaml:2: key \"lr\" stands twice"},
        {"sgd.weight-decay: 1\nsgd:\n  weight-decay: 1\n", BL_EFORMAT,
         "c.yaml:3: key \"sgd.weight-decay\" stands twice"},
        {"schedule: step\nschedule: {milestones: [1]}\n", BL_EFORMAT,
         "c.yaml:2: key \"schedule\" stands twice"},
        {"lr: &a 1\n", BL_EFORMAT, "c.yaml:1: anchors and aliases (a)"},
        {"lr: 1\nepochs: *a\n", BL_EFORMAT, "c.yaml:2: anchors and aliases"},
        {"ballast: {a: *b}\n", BL_EFORMAT, "anchors and aliases (b)"},
        {"lr: !!float 1\n", BL_EFORMAT, "c.yaml:1: tags"},
        {"- lr\n", BL_EFORMAT, "c.yaml:1: found a list, wanted a mapping"},
        {"lr\n", BL_EFORMAT, "c.yaml:1: found a value, wanted a mapping"},
        {"lr: 1\n---\nlr: 2\n", BL_EFORMAT, "c.yaml:2: a second document"},
        {"? {a: b}\n: c\n", BL_EFORMAT, "found a mapping, wanted a key"},
        {"'': 1\n", BL_EFORMAT, "c.yaml:1: an empty key"},
        {"lr: [0.5]\n", BL_EINVAL, "c.yaml:1: lr: found a list"},
        {"schedule.milestones: [1, [2]]\n", BL_EFORMAT, "found a list"},
        {"schedule.milestones: [2, 1]\n", BL_EINVAL, "is not ascending"},
        {"data: \"a\\0b\"\n", BL_EFORMAT, "c.yaml:1: a text holds a NUL"},
        {"lr: 1\ndata: \"open\n", BL_EFORMAT, "c.yaml:"},
        {"data: x\n  epochs: 2\n", BL_EFORMAT, "c.yaml:2: "},
        {"lr: 1\n\tepochs: 2\n", BL_EFORMAT, "c.yaml:2: "},
        {"{lr: 1", BL_EFORMAT, "parsing a flow mapping"},
        {"lr: 1\ndata: \xFF\n", BL_EFORMAT, "c.yaml:2: byte 12: "},
    };
    bl_config *const c = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bl_status status = parse(c, rows[i].yaml);
        if (status != rows[i].status)
            fail_msg("%s gives %s", rows[i].yaml, bl_status_name(status));
        assert_says(rows[i].says);
        assert_string_equal(bl_config_text(c, "lr"), "0.1");
        assert_string_equal(bl_config_text(c, "epochs"), "200");
    }
}

/* A value that is refused later is still found in its file. */
static void values_of_a_file_keep_their_line(void **state)
{
    bl_config *const c = *state;
    bl_config *copy = NULL;
    assert_string_equal(bl_config_place(c, "lr"), "");
    assert_int_equal(bl_config_set(c, "data", "d", BL_ORIGIN_OPTION), BL_OK);
    assert_int_equal(parse(c, "# a run\nlr: 0.3\ndata: x\nsgd:\n"
                              "  weight-decay: 1\nschedule.milestones:\n"
                              "  - 80\n"), BL_OK);
    assert_int_equal(bl_config_clone(&copy, c), BL_OK);
    assert_string_equal(bl_config_place(copy, "lr"), "c.yaml:2");
    assert_string_equal(bl_config_place(copy, "data"), "");
    assert_string_equal(bl_config_place(copy, "sgd.weight-decay"), "c.yaml:5");
    assert_string_equal(bl_config_place(copy, "schedule.milestones"),
                        "c.yaml:7");
    assert_string_equal(bl_config_place(copy, "none"), "");
    assert_int_equal(bl_config_set(copy, "lr", "1", BL_ORIGIN_OPTION), BL_OK);
    assert_string_equal(bl_config_place(copy, "lr"), "");
    bl_config_free(copy);
}

static void depth_and_size_are_limited(void **state)
{
    static const char *const openers[] = {
        "[", "{a: ", "- ", "? ", "a: {b: ",
    };
    for (int ours = 0; ours < 2; ours++)
        for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
            bl_text yaml = {0};
            bl_text_printf(&yaml, "%s:\n ", ours ? "ballast" : "data");
            while (yaml.bytes < 250000)
                bl_text_add(&yaml, openers[i], strlen(openers[i]));
            assert_int_equal(parse(*state, yaml.text) < 0, 1);
            bl_text_free(&yaml);
        }
    bl_text yaml = {0};
    while (yaml.bytes <= 1 << 18) bl_text_add(&yaml, "# long\n", 7);
    assert_int_equal(parse(*state, yaml.text), BL_EFORMAT);
    assert_says("wanted at most 262144");
    bl_text_free(&yaml);
}

static void files_are_read(void **state)
{
    bl_config *const c = *state;
    scratch s;
    char path[1100];
    scratch_make(&s);
    (void)snprintf(path, sizeof path, "%s", scratch_path(&s, "run.yaml"));
    scratch_put(path, "lr: 0.35\n", 9);
    const bl_status good = bl_config_read(c, path);
    scratch_put(path, "lr: 0.45\nlrr: 1\n", 16);
    const bl_status bad = bl_config_read(c, path);
    (void)snprintf(path + strlen(path), 20, ":2: unknown key");
    assert_says(path);
    const bl_status none = bl_config_read(c, scratch_path(&s, "none.yaml"));
    assert_says("none.yaml: cannot open");
    const bl_status folder = bl_config_read(c, s.folder);
    scratch_remove(&s);
    assert_int_equal(good, BL_OK);
    assert_int_equal(bad, BL_EINVAL);
    assert_int_equal(none, BL_EIO);
    assert_int_equal(folder, BL_EIO);
    assert_string_equal(bl_config_text(c, "lr"), "0.35");
}

/* Whatever the bytes are: no crash, one line of message, all or nothing. */
static void garbage_is_refused_quietly(void **state)
{
    static const char example[] =
        "data: 'x y'\nsgd: {weight-decay: 5e-4}\n"
        "schedule.milestones: [80, 90]\nballast:\n - a: b\n";
    static const char letters[] =
        "\n\n  :-{}[],'\"#&*!|>%@~?\\\t.0159aelnrs\xC3\xA9\xFF";
    bl_config *const c = *state;
    bl_rng rng = bl_rng_at(4, BL_PURPOSE_TEST, 0, 0);
    for (int round = 0; round < 10000; round++) {
        char text[sizeof example];
        memcpy(text, example, sizeof example);
        const uint64_t changes = 1 + bl_rng_below(&rng, 12);
        for (uint64_t i = 0; i < changes; i++)
            text[bl_rng_below(&rng, sizeof example - 1)] =
                letters[bl_rng_below(&rng, sizeof letters)];
        const size_t n = bl_rng_below(&rng, sizeof example);
        const bl_status status = bl_config_parse(c, "c.yaml", text, n);
        assert_true(status == BL_OK || status == BL_EFORMAT ||
                    status == BL_EINVAL);
        if (status < 0 &&
            strncmp(bl_error_last()->message, "c.yaml:", 7) != 0)
            fail_msg("no place in: %s", bl_error_last()->message);
    }
}

#define CONFIG_TEST(test) \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(defaults_are_typed),
        CONFIG_TEST(wrong_reads_are_zero),
        CONFIG_TEST(texts_are_canonical),
        CONFIG_TEST(bad_values_change_nothing),
        cmocka_unit_test(precedence_is_by_origin),
        CONFIG_TEST(weaker_values_are_still_checked),
        CONFIG_TEST(assignments_split_at_the_first_sign),
        CONFIG_TEST(clones_are_apart),
        cmocka_unit_test(bad_defaults_are_found),
        cmocka_unit_test(nearest_word_is_found),
        CONFIG_TEST(unknown_keys_name_the_nearest),
        CONFIG_TEST(yaml_sets_keys),
        CONFIG_TEST(yaml_without_keys_is_fine),
        CONFIG_TEST(null_is_the_empty_text),
        CONFIG_TEST(options_outlive_files),
        CONFIG_TEST(yaml_errors_name_the_line),
        CONFIG_TEST(values_of_a_file_keep_their_line),
        CONFIG_TEST(depth_and_size_are_limited),
        CONFIG_TEST(files_are_read),
        CONFIG_TEST(garbage_is_refused_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
