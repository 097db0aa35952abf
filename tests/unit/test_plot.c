/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plot.c: scripts of a run, names that would do harm, and files that are
 * not what they are called.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "plot/plot.h"
#include "support/fault.h"
#include "support/each_scratch.h"

#define EPOCH(e, rest)                                                      \
    "{\"epoch\":" e ",\"lr\":0.1,\"alpha\":null,\"train_loss\":1.7,"        \
    "\"train_error\":0.61," rest ",\"seconds\":2,"                          \
    "\"samples_per_second\":3}\n"

static const char yaml[] = "method: ce\ndata: /sets/birds_2\nimbalance: 50\n"
                           "seed: 7\n";
static const char metrics[] = EPOCH("1", "\"test_error\":0.7")
                              EPOCH("2", "\"test_error\":0.59375");

/* Tail first: 2 of 7, 1 of 530, 3 of 7 images. */
static const char result[] =
    "{\"shot_limits\":{\"many_above\":500,\"few_below\":10},"
    "\"per_class\":["
    "{\"name\":\"wren\",\"train_count\":7,\"error\":0.625},"
    "{\"name\":\"`touch x`\",\"train_count\":530,\"error\":0.125},"
    "{\"name\":\"e\\\"%d_$(x)\\u00e9\",\"train_count\":7,\"error\":null}],"
    "\"ece\":0.0875,\"reliability\":["
    "{\"confidence\":null,\"accuracy\":null,\"count\":0},"
    "{\"confidence\":0.625,\"accuracy\":0.5,\"count\":16}],"
    "\"confusion\":[[3,5,0],[1,7,0],[0,0,0]],"
    "\"weight_norms\":[0.75,1.5,1.125],"
    "\"weight_norms_uniform\":[0.5,1.25,1],"
    "\"weight_norms_reversed\":[0.25,0.0625,0.75],"
    "\"compactness\":[0.875,0.375,null]}";

static void put(const char *name, const char *text)
{
    scratch_put(scratch_path(&s, name), text, strlen(text));
}

static void put_run(void)
{
    put("run.yaml", yaml);
    put("metrics.jsonl", metrics);
    put("result.json", result);
}

static bl_status plot(bl_pictures **out, const char *format)
{
    char into[512];
    (void)snprintf(into, sizeof into, "%s/plots", s.folder);
    return bl_plot(out, s.folder, into, format);
}

/** The script of one picture, in a buffer that lasts until the next call. */
static const char *script(const char *name)
{
    static char text[1 << 16];
    char path[64];
    (void)snprintf(path, sizeof path, "plots/%s.gp", name);
    text[scratch_get(scratch_path(&s, path), text, sizeof text - 1)] = '\0';
    return text;
}

static void assert_has(const char *name, const char *wanted)
{
    if (!strstr(script(name), wanted))
        fail_msg("%s.gp lacks %s:\n%s", name, wanted, script(name));
}

/* ---- what is drawn ------------------------------------------------------- */

static void a_finished_run_has_every_picture(void **state)
{
    (void)state;
    static const char *const names[] = {"curves", "rates", "classes",
                                        "confusion", "reliability", "norms",
                                        "norms-uniform", "norms-reversed",
                                        "compactness"};
    bl_pictures *p = NULL;
    put_run();
    assert_int_equal(plot(&p, "png"), BL_OK);
    assert_int_equal(p->n, 9);
    for (int i = 0; i < 9; i++) {
        char wanted[512];
        assert_string_equal(p->picture[i].name, names[i]);
        (void)snprintf(wanted, sizeof wanted, "%s/plots/%s.png", s.folder,
                       names[i]);
        assert_string_equal(p->picture[i].file, wanted);
        assert_has(names[i], "pngcairo");
        assert_has(names[i], "ce on birds\\1372, imbalance 50, seed 7");
    }
    bl_pictures_free(p);
}

static void data_are_those_of_the_run(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    put_run();
    assert_int_equal(plot(&p, "svg"), BL_OK);
    bl_pictures_free(p);
    /* epoch, rate, alpha, loss, errors in per cent */
    assert_has("curves", "2\t0.1\tNaN\t1.7\t61\t59.375\t\n");
    /* head first, of equals the lower label; rank, count, shot, value */
    assert_has("classes", "1\t530\t0\t12.5\t\n2\t7\t2\t62.5\t\n3\t7\t2\tNaN");
    assert_has("classes", "many, above 500");
    assert_null(strstr(script("classes"), "medium"));
    assert_has("norms", "1\t530\t0\t1.5\t\n2\t7\t2\t0.75\t\n");
    assert_has("norms", "mean 1.12, standard deviation 0.306");
    assert_has("norms-uniform", "1\t530\t0\t1.25\t\n2\t7\t2\t0.5\t\n");
    assert_has("norms-reversed", "1\t530\t0\t0.0625\t\n2\t7\t2\t0.25\t\n");
    assert_has("compactness", "3\t7\t2\tNaN\t\n");
    /* predicted, true, per cent of the true class, in the new order */
    assert_has("confusion", "1\t1\t87.5\t1\n2\t1\t12.5\t0\n3\t1\t0\t2\n"
                            "1\t2\t62.5\t1\n2\t2\t37.5\t0\n3\t2\t0\t2\n"
                            "1\t3\tNaN\t2\n");
    assert_has("reliability", "25\tNaN\tNaN\t0\t\n75\t50\t62.5\t100\t\n");
    assert_has("reliability", "error 8.75 \\045");
}

static void an_unfinished_run_has_curves(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    put("run.yaml", yaml);
    put("metrics.jsonl", EPOCH("1", "\"test_error\":0.7") "{\"epoch\":2,\"l");
    assert_int_equal(plot(&p, "svg"), BL_OK);
    assert_int_equal(p->n, 2);
    assert_has("curves", "1\t0.1\tNaN\t1.7\t61\t70\t\nEND_OF_DATA");
    bl_pictures_free(p);
}

/* A result of the first version has no more than this. */
static void what_a_result_lacks_is_not_drawn(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    put("run.yaml", yaml);
    put("metrics.jsonl", metrics);
    put("result.json", "{\"per_class\":[{\"name\":\"a\",\"train_count\":101,"
                       "\"error\":0.5}]}");
    assert_int_equal(plot(&p, "svg"), BL_OK);
    assert_int_equal(p->n, 3);
    assert_string_equal(p->picture[2].name, "classes");
    assert_has("classes", "many, above 100");
    bl_pictures_free(p);
}

/* Of more classes than have room for names, points over counts. */
static void many_classes_are_points(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    char text[4096] = "{\"per_class\":[";
    for (int i = 0; i < 21; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "%s{\"name\":\"c\",\"train_count\":%d,\"error\":0.5}",
                       i ? "," : "", 10 * i + 5);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    put("run.yaml", yaml);
    put("metrics.jsonl", metrics);
    put("result.json", text);
    assert_int_equal(plot(&p, "svg"), BL_OK);
    assert_has("classes", "set logscale x");
    assert_has("classes", "using 2:($3==1?$4:NaN) with points");
    bl_pictures_free(p);
}

/* ---- strings ------------------------------------------------------------- */

static void strings_do_no_harm(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        int most;
        const char *wanted;
    } rows[] = {
        {"", 9, "\"\""},
        {"T-shirt/top (1)", 20, "\"T-shirt/top (1)\""},
        {"`touch x`", 20, "\"\\140touch x\\140\""},
        {"$(touch x)", 20, "\"\\044(touch x)\""},
        {"\";system('x')", 20, "\"\\042;system(\\047x\\047)\""},
        {"@M{/B a_b^c}&~\\n", 20,
         "\"\\100M\\173/B a\\137b\\136c\\175\\046\\176\\134n\""},
        {"!#|<>[]*?", 20, "\"\\041\\043\\174\\074\\076\\133\\135\\052\\077\""},
        {"a\nb\tc\x7F\x01", 20, "\"a b c  \""},
        {"\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80", 3,
         "\"\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\""},
        {"\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80z", 3,
         "\"\xC3\xA9\xE4\xB8\xAD\xE2\x80\xA6\""},
        {"x\xEF\xBF\xBF\xEF\xBF\xBDy", 9, "\"x \xEF\xBF\xBDy\""},
        {"50%d", 9, "\"50\\045d\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_text text = {0};
        bl_script_string(&text, rows[i].string, rows[i].most);
        assert_int_equal(text.status, BL_OK);
        assert_string_equal(text.text, rows[i].wanted);
        bl_text_free(&text);
    }
}

static void tics_are_formats(void **state)
{
    (void)state;
    bl_text text = {0};
    bl_script_tic(&text, "50%d", 9);
    assert_string_equal(text.text, "\"50\\045\\045d\"");
    bl_text_free(&text);
}

static void names_in_scripts_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"classes", "confusion", "norms"};
    bl_pictures *p = NULL;
    put_run();
    assert_int_equal(plot(&p, "svg"), BL_OK);
    bl_pictures_free(p);
    for (int i = 0; i < 3; i++) {
        assert_has(names[i], "\"\\140touch x\\140\"");
        assert_has(names[i],
                   "\"e\\042\\045\\045d\\137\\044(x)\xC3\xA9\"");
        assert_null(strchr(script(names[i]), '`'));
        assert_null(strstr(script(names[i]), "$("));
    }
}

/* ---- what is refused ----------------------------------------------------- */

static void refuses_bad_results(void **state)
{
    (void)state;
    static const char head[] =
        "{\"per_class\":[{\"name\":\"a\",\"train_count\":5,\"error\":0.5}]";
    static const struct {
        const char *text, *words;
    } whole[] = {
        {"", "result.json"},
        {"{\"per_class\":[{\"name\":\"a\",\"tra", "result.json: offset"},
        {"[1]", "the document is a list, wanted an object"},
        {"{}", "per_class is missing, wanted a list"},
        {"{\"per_class\":3}", "per_class is a whole number, wanted a list"},
        {"{\"per_class\":[7]}", "per_class 1: name is missing, wanted text"},
        {"{\"per_class\":[{\"name\":{}}]}", "name is an object, wanted text"},
        {"{\"per_class\":[{\"name\":\"a\"}]}", "train_count is missing"},
        {"{\"per_class\":[{\"name\":\"a\",\"train_count\":null,"
         "\"error\":1}]}", "train_count is null, wanted a number"},
        {"{\"per_class\":[{\"name\":\"a\",\"train_count\":-1}]}",
         "train_count is -1, wanted at least 0"},
        {"{\"per_class\":[{\"name\":\"a\",\"train_count\":1,"
         "\"error\":\"x\"}]}", "error is text, wanted a number"},
    }, after[] = {
        {"\"weight_norms\":[1,2]", "weight_norms has 2 entries, wanted 1"},
        {"\"weight_norms_reversed\":1", "weight_norms_reversed is a whole"},
        {"\"weight_norms\":[true]", "weight_norms is true or false, wanted"},
        {"\"compactness\":{}", "compactness is an object, wanted a list"},
        {"\"confusion\":[[1,2]]", "a row of confusion has 2 entries, wanted 1"},
        {"\"confusion\":[1]", "a row of confusion is a whole number"},
        {"\"confusion\":[[-1]]", "wanted counts of at least 0"},
        {"\"confusion\":[]", "confusion has 0 entries, wanted 1"},
        {"\"ece\":[]", "ece is a list, wanted a number"},
        {"\"ece\":-0.5", "ece is -0.5, wanted at least 0"},
        {"\"reliability\":[[]]", "reliability 1: confidence is missing"},
        {"\"reliability\":[{\"confidence\":1,\"accuracy\":1,"
         "\"count\":1e99}]", "wanted how many images"},
        {"\"shot_limits\":{\"many_above\":\"x\"}",
         "many_above is text, wanted a number"},
        {"\"shot_limits\":{\"few_below\":1e300}", "wanted numbers of images"},
    };
    put("run.yaml", yaml);
    put("metrics.jsonl", metrics);
    const size_t n = sizeof whole / sizeof whole[0];
    for (size_t i = 0; i < n + sizeof after / sizeof after[0]; i++) {
        bl_pictures *p = NULL;
        char text[512];
        const char *const words = i < n ? whole[i].words : after[i - n].words;
        if (i < n) (void)snprintf(text, sizeof text, "%s", whole[i].text);
        else (void)snprintf(text, sizeof text, "%s,%s}", head,
                            after[i - n].text);
        put("result.json", text);
        assert_int_equal(plot(&p, "svg"), BL_EFORMAT);
        assert_null(p);
        if (!strstr(bl_error_last()->message, words) ||
            !strstr(bl_error_last()->message, "result.json"))
            fail_msg("%s: %s", text, bl_error_last()->message);
    }
}

static void refuses_bad_metrics(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"\n", "metrics.jsonl: line 1"},
        {"{\"epoch\":1,\"lr\n", "metrics.jsonl: line 1"},
        {"[]\n", "line 1: epoch is missing, wanted a number"},
        {EPOCH("1", "\"test_error\":0.7") EPOCH("2", "\"test_error\":\"x\""),
         "line 2: test_error is text, wanted a number"},
        {EPOCH("0", "\"test_error\":0.7"), "epoch is 0, wanted at least 1"},
        {EPOCH("1", "\"t\":0"), "test_error is missing"},
        {EPOCH("1", "\"test_error\":-1"), "is -1, wanted at least 0"},
    };
    put("run.yaml", yaml);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_pictures *p = NULL;
        put("metrics.jsonl", rows[i].text);
        assert_int_equal(plot(&p, "svg"), BL_EFORMAT);
        if (!strstr(bl_error_last()->message, rows[i].words))
            fail_msg("%s: %s", rows[i].text, bl_error_last()->message);
    }
}

static void refuses_what_is_no_run(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    assert_int_equal(plot(&p, "svg"), BL_EIO);
    put("run.yaml", yaml);
    assert_int_equal(plot(&p, "svg"), BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "nothing to draw"));
    put("metrics.jsonl", metrics);
    assert_int_equal(plot(&p, "gif"), BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "format: \"gif\", wanted svg or png");
    assert_null(p);
    bl_pictures_free(NULL);
}

static bl_status draw_all(void *payload)
{
    (void)payload;
    bl_pictures *p = NULL;
    const bl_status status = plot(&p, "svg");
    bl_pictures_free(p);
    return status;
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    put_run();
    const int64_t failures = fault_run(draw_all, NULL, 10000);
    if (failures < 50)
        fail_msg("%d: %s", (int)failures, bl_error_last()->message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_finished_run_has_every_picture),
        TEST(data_are_those_of_the_run),
        TEST(an_unfinished_run_has_curves),
        TEST(what_a_result_lacks_is_not_drawn),
        TEST(many_classes_are_points),
        cmocka_unit_test(strings_do_no_harm),
        cmocka_unit_test(tics_are_formats),
        TEST(names_in_scripts_do_no_harm),
        TEST(refuses_bad_results),
        TEST(refuses_bad_metrics),
        TEST(refuses_what_is_no_run),
        TEST(survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
