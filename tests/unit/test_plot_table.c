/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plot_table.c: pictures of a study's table.json, and tables that are
 * none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plot/plot.h"
#include "support/fault.h"
#include "support/each_scratch.h"

#define FACTS                                                              \
    "\"study\":\"own\",\"epochs\":10,\"epochs_published\":200,"            \
    "\"common\":{\"data\":\"a\",\"imbalance\":\"100\",\"method\":5},"       \
    "\"cells\":12,\"finished\":9,\"row_axis\":\"method\","
#define AXES "\"column_axes\":[\"data\",\"imbalance\"],"
#define ROWS "\"rows\":[\"ce\",\"`touch x`\",\"50%\"],"
#define COLUMNS "\"columns\":[[\"a\",\"100\"],[\"a\",\"10\"],[\"b\",\"10\"]],"

static const char good[] =
    "{" FACTS AXES ROWS COLUMNS "\"entries\":["
    "{\"row\":\"50%\",\"column\":[\"a\",\"10\"],\"error_last\":0.125,"
    "\"error_last_sd\":0.0625,\"published\":0.25},"
    "{\"row\":\"ce\",\"column\":[\"a\",\"100\"],\"error_last\":0.5,"
    "\"error_last_sd\":null,\"published\":null},"
    "{\"row\":\"`touch x`\",\"column\":[\"a\",\"10\"],"
    "\"error_last\":0.375},"
    "{\"row\":\"ce\",\"column\":[\"b\",\"10\"],\"error_last\":null}]}";

static void put(const char *text)
{
    scratch_put(scratch_path(&s, "table.json"), text, strlen(text));
}

static bl_status plot(bl_pictures **out)
{
    char into[512];
    (void)snprintf(into, sizeof into, "%s/plots", s.folder);
    return bl_plot(out, s.folder, into, "svg");
}

static void assert_has(const char *name, const char *wanted)
{
    static char text[1 << 16];
    char path[64];
    (void)snprintf(path, sizeof path, "plots/%s.gp", name);
    text[scratch_get(scratch_path(&s, path), text, sizeof text - 1)] = '\0';
    if (!strstr(text, wanted))
        fail_msg("%s.gp lacks %s:\n%s", name, wanted, text);
    if (strchr(text, '`')) fail_msg("%s.gp has a backquote", name);
}

/* The third column has no figure yet, so no picture; the map has its place. */
static void columns_and_map(void **state)
{
    (void)state;
    static const char *const names[] = {"table-1", "table-2", "map"};
    bl_pictures *p = NULL;
    put(good);
    assert_int_equal(plot(&p), BL_OK);
    assert_int_equal(p->n, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(p->picture[i].name, names[i]);
        assert_has(names[i],
                   "own, a, F = 100, 10 epochs (published: 200), "
                   "9 of 12 runs");
    }
    bl_pictures_free(p);
    /* Bars have a row for each figure, and an axis that ends near. */
    assert_has("table-1", "last epoch: data a, imbalance 100");
    assert_has("table-1", "$column << END_OF_DATA\n1\t50\t0\tNaN\t\nEND_OF");
    assert_has("table-1", "(\"ce\" 1)\nset yrange [1.5:0.5]");
    assert_has("table-1", "set xrange [0:50\t]");
    assert_has("table-2", "(\"\\140touch x\\140\" 1, \"50\\045\\045\" 2)");
    assert_has("table-2", "1\t37.5\t0\tNaN\t\n2\t12.5\t6.25\t25\t\n");
    assert_has("table-2", "set xrange [0:40\t]");
    assert_has("table-2", "'published'");
    assert_has("map", "\"ce\" 1, \"\\140touch x\\140\" 2, "
                      "\"50\\045\\045\" 3)");
    assert_has("map", "1\t1\t50\t1\n2\t1\tNaN\t2\n3\t1\tNaN\t2\n"
                      "1\t2\tNaN\t2\n2\t2\t37.5\t1\n");
    assert_has("map", "2\t3\t12.5\t0\n");
    assert_has("map", "set cbrange [12.5\t:50\t]");
    assert_has("map", "set xlabel \"data, imbalance\"\n");
}

static void one_column_has_no_map(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    put("{" FACTS "\"column_axes\":[],\"rows\":[\"ce\"],\"columns\":[[]],"
        "\"entries\":[{\"row\":\"ce\",\"column\":[],\"error_last\":0.5}]}");
    assert_int_equal(plot(&p), BL_OK);
    assert_int_equal(p->n, 1);
    assert_string_equal(p->picture[0].name, "table");
    assert_has("table", "\"Test error after the last epoch\"");
    bl_pictures_free(p);
}

/* Cells of a first stage have no label on the axes of the second: they say so,
 * and the colours are those of the others.  A row without a figure is left
 * out. */
static void first_stages_stand_alone(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    put("{" FACTS "\"column_axes\":[\"classifier\",\"lr\"],"
        "\"rows\":[\"bbn\",\"ce\",\"rw\"],"
        "\"columns\":[[\"\",\"3\"],[\"rs\",\"3\"]],\"entries\":["
        "{\"row\":\"ce\",\"column\":[\"\",\"3\"],\"error_last\":0.875},"
        "{\"row\":\"bbn\",\"column\":[\"\",\"3\"],\"error_last\":null},"
        "{\"row\":\"ce\",\"column\":[\"rs\",\"3\"],\"error_last\":0.25},"
        "{\"row\":\"rw\",\"column\":[\"rs\",\"3\"],"
        "\"error_last\":0.375}]}");
    assert_int_equal(plot(&p), BL_OK);
    assert_has("table-1", "last epoch: lr 3, stage 1 alone\"");
    assert_has("map", "set xtics norotate scale 0 (\"3, stage 1 alone\" 1, "
                      "\"rs, 3\" 2)");
    assert_has("map", "(\"ce\" 1, \"rw\" 2)\nset yrange [2.5:0.5]");
    assert_has("map", "1\t1\t87.5\t3\n2\t1\t25\t0\n1\t2\tNaN\t2\n");
    assert_has("map", "set cbrange [25\t:37.5\t]");
    bl_pictures_free(p);
}

static void refuses_bad_tables(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bl_status status;
        const char *words;
    } rows[] = {
        {"{", BL_EFORMAT, "table.json: offset"},
        {"[]", BL_EFORMAT, "the document is a list, wanted an object"},
        {"{}", BL_EFORMAT, "study is missing, wanted text"},
        {"{" FACTS "\"rows\":3}", BL_EFORMAT, "rows is a whole number"},
        {"{" FACTS "\"rows\":[3]}", BL_EFORMAT, "rows: an entry is not text"},
        {"{" FACTS "\"rows\":[]}", BL_EUNSUPPORTED,
         "0 rows, of which a picture takes 1 to 100"},
        {"{" FACTS ROWS AXES "\"columns\":[[\"a\"]]}", BL_EFORMAT,
         "a column has 1 labels, wanted 2"},
        {"{" FACTS ROWS AXES "\"columns\":[7]}", BL_EFORMAT,
         "columns is a whole number, wanted a list"},
        {"{" FACTS ROWS AXES COLUMNS "\"entries\":{}}", BL_EFORMAT,
         "entries is an object, wanted a list"},
        {"{" FACTS ROWS AXES COLUMNS "\"entries\":[{\"row\":\"ce\","
         "\"column\":[\"c\",\"10\"]}]}", BL_EFORMAT,
         "entry 1: its labels are no row and column"},
        {"{" FACTS ROWS AXES COLUMNS "\"entries\":[{\"row\":\"rs\","
         "\"column\":[\"a\",\"10\"]}]}", BL_EFORMAT,
         "entry 1: its labels are no row and column"},
        {"{" FACTS ROWS AXES COLUMNS "\"entries\":[{\"row\":\"ce\","
         "\"column\":[\"a\",\"10\"],\"error_last\":\"x\"}]}", BL_EFORMAT,
         "entry 1: error_last is text, wanted a number"},
        {"{" FACTS ROWS AXES COLUMNS "\"entries\":[]}", BL_EINVAL,
         "no run is finished yet"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_pictures *p = NULL;
        put(rows[i].text);
        assert_int_equal(plot(&p), rows[i].status);
        assert_null(p);
        if (!strstr(bl_error_last()->message, rows[i].words))
            fail_msg("%s: %s", rows[i].text, bl_error_last()->message);
    }
}

/* What no picture has room for is refused before it is drawn. */
static void refuses_large_tables(void **state)
{
    (void)state;
    bl_pictures *p = NULL;
    char text[4096] = "{" FACTS AXES COLUMNS "\"entries\":[],\"rows\":[";
    for (int i = 0; i < 101; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "%s\"r%d\"", i ? "," : "", i);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    put(text);
    assert_int_equal(plot(&p), BL_EUNSUPPORTED);
    assert_non_null(strstr(bl_error_last()->message,
                           "101 rows, of which a picture takes 1 to 100"));
}

static bl_status draw_all(void *payload)
{
    (void)payload;
    bl_pictures *p = NULL;
    const bl_status status = plot(&p);
    bl_pictures_free(p);
    return status;
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    put(good);
    const int64_t failures = fault_run(draw_all, NULL, 10000);
    if (failures < 30)
        fail_msg("%d: %s", (int)failures, bl_error_last()->message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_and_map),
        TEST(one_column_has_no_map),
        TEST(first_stages_stand_alone),
        TEST(refuses_bad_tables),
        TEST(refuses_large_tables),
        TEST(survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
