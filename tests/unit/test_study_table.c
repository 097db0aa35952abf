/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results in the folders of a study come out as the numbers of its tables.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "core/jsonread.h"
#include "support/runs_by_hand.h"

static void about(double found, double wanted)
{
    if (!(fabs(found - wanted) < 1e-12))
        fail_msg("found %.17g, wanted %.17g", found, wanted);
}

static void mean_and_deviation(void **state)
{
    (void)state;
    bl_study *const study = written(three_seeds);
    bl_study_table *t = NULL;
    finish(study, 0, 0.21, 0.20);
    finish(study, 1, 0.25, 0.19);
    finish(study, 2, 0.35, 0.18);
    finish(study, 4, 0.5, 0.4);
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_string_equal(t->row_axis, "method");
    assert_int_equal(t->n_rows, 2);
    assert_int_equal(t->n_axes, 0);
    assert_int_equal(t->n_columns, 1);
    assert_string_equal(t->rows[1], "bbn");
    const bl_table_entry *e = &t->entries[0];
    assert_int_equal(e->cells, 3);
    assert_int_equal(e->finished, 3);
    about(e->last, 0.27);
    about(e->last_sd, sqrt((0.0036 + 0.0004 + 0.0064) / 2));
    about(e->best, 0.19);
    about(e->best_sd, 0.01);
    e = &t->entries[1];
    assert_int_equal(e->cells, 3);
    assert_int_equal(e->finished, 1);
    about(e->last, 0.5);
    assert_true(isnan(e->last_sd));
    assert_true(isnan(e->published));
    bl_study_table_free(t);
    bl_study_free(study);
}

static void published_figures_stand_beside(void **state)
{
    (void)state;
    const char *const changes[] = {"imbalance=10,50,20", "seed=3",
                                   "method=bbn,ce,crt", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_int_equal(t->n_rows, 3);
    assert_int_equal(t->n_columns, 6);
    assert_int_equal(t->n_axes, 2);
    assert_string_equal(t->columns[2], "cifar10");
    assert_string_equal(t->columns[3], "50");
    about(t->entries[0].published, 0.1168); /* bbn, cifar10, 10   */
    about(t->entries[1].published, 0.1782); /* bbn, cifar10, 50   */
    assert_true(isnan(t->entries[2].published));
    about(t->entries[4].published, 0.5298); /* bbn, cifar100, 50  */
    about(t->entries[9].published, 0.4429); /* ce, cifar100, 10   */
    assert_true(isnan(t->entries[12].published));
    bl_study_table_free(t);
    bl_study_free(study);
}

/* A figure is of one network and one shape of the tail; names make an axis. */
static void figures_are_of_their_network(void **state)
{
    (void)state;
    const char *const changes[] = {"imbalance=100", "method=bbn",
                                   "data=cifar10", "profile=exp,step",
                                   "model=resnet20,resnet32", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_int_equal(t->n_rows, 1);
    assert_int_equal(t->n_columns, 4);
    assert_string_equal(t->axes[3], "model");
    assert_string_equal(t->columns[1 * 4 + 3], "resnet32");
    assert_true(isnan(t->entries[0].published)); /* exp, resnet20  */
    about(t->entries[1].published, 0.2018);      /* exp, resnet32  */
    assert_true(isnan(t->entries[2].published)); /* step, resnet20 */
    assert_true(isnan(t->entries[3].published)); /* step, resnet32 */
    bl_study_table_free(t);
    bl_study_free(study);
}

/* A note names what neither an axis nor the caption says. */
static void changes_are_told(void **state)
{
    (void)state;
    const char *const changes[] = {"imbalance=50,100", "epochs=7", "lr=0.05",
                                   "threads=3", "batch=32", NULL};
    const char *const plain[] = {"data=cifar10", "imbalance=20", "epochs=7",
                                 NULL};
    bl_study *study = opened("bbn-table1", changes);
    char *text = NULL;
    assert_int_equal(bl_study_write(&text, study, BL_TABLE_TEXT, 80), BL_OK);
    assert_non_null(strstr(text, "\nSet for every cell: lr=0.05, batch=32\n"));
    assert_non_null(strstr(text, ", epochs 7, seed 0\n"));
    bl_free(text);
    bl_study_free(study);
    study = opened("bbn-table1", plain);
    assert_int_equal(bl_study_write(&text, study, BL_TABLE_MARKDOWN, 80),
                     BL_OK);
    assert_null(strstr(text, "Set for every cell"));
    assert_non_null(strstr(text, "\nmodel resnet32, epochs 7, seed 0\n"));
    assert_non_null(strstr(text, "| method by data, imbalance | cifar10, 20 "));
    bl_free(text);
    bl_study_free(study);
}

/* A figure stands beside the published recipe in whatever arithmetic, and
 * beside no other. */
static void figures_are_of_their_recipe(void **state)
{
    (void)state;
    static const struct {
        const char *change;
        bool published;
    } cases[] = {
        {"epochs=10", true},      {"precision=fp32", true},
        {"threads=1", true},      {"lr=0.1", true},
        {"seed=1,2", true},       {"lr=0.2", false},
        {"batch=64", false},      {"autoaugment=true", false},
        {"cutout=8", false},      {"holdout=0.1", false},
        {"sam.rho=0.05", false},  {"loss.gamma=2", false},
        {"sgd.weight-decay=5e-4", false},
        {"stage2.norm=frozen", true}, /* without a second stage */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const changes[] = {"method=cb-focal", "data=cifar10",
                                       "imbalance=100", cases[i].change, NULL};
        bl_study *const study = opened("bbn-table1", changes);
        bl_study_table *t = NULL;
        assert_int_equal(bl_study_table_create(&t, study), BL_OK);
        if (isnan(t->entries[0].published) == cases[i].published)
            fail_msg("%s", cases[i].change);
        bl_study_table_free(t);
        bl_study_free(study);
    }
}

/* Of an axis that a caller added, the value of the recipe has the figure; a
 * second stage is as changed as its first. */
static void figures_know_added_axes(void **state)
{
    (void)state;
    const char *const changes[] = {"features=ce", "classifier=ce",
                                   "cutout=0,8", NULL};
    bl_study *const study = opened("two-stage", changes);
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_int_equal(t->n_columns, 4); /* - 0, - 8, ce 0, ce 8 */
    about(t->entries[0].published, 0.5615);
    assert_true(isnan(t->entries[1].published));
    about(t->entries[2].published, 0.5862);
    assert_true(isnan(t->entries[3].published));
    bl_study_table_free(t);
    bl_study_free(study);
}

/* A second stage does not read the rate of its first, and has it behind it. */
static void figures_know_the_first_stage(void **state)
{
    (void)state;
    const char *const changes[] = {"features=ce", "classifier=ce", "lr=0.2",
                                   NULL};
    bl_study *const study = opened("two-stage", changes);
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_true(isnan(t->entries[0].published));
    assert_true(isnan(t->entries[1].published));
    bl_study_table_free(t);
    bl_study_free(study);
}

static void first_stage_is_a_column(void **state)
{
    (void)state;
    bl_study *const study = opened("two-stage", NULL);
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_int_equal(t->n_rows, 6);
    assert_int_equal(t->n_columns, 4);
    assert_string_equal(t->columns[0], "");
    assert_string_equal(t->columns[3], "rs");
    assert_string_equal(t->rows[4], "bbn-cb");
    about(t->entries[0].published, 0.5615);
    about(t->entries[1].published, 0.5862);
    assert_true(isnan(t->entries[2].published));
    assert_int_equal(t->entries[4 * 4].cells, 0);
    about(t->entries[4 * 4 + 1].published, 0.5889);
    bl_study_table_free(t);
    bl_study_free(study);
}

static void rows_can_be_a_key(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: x, method: focal}\nrows: method\n"
        "grid: {lr: [0.1, 0.2], seed: [0, 1]}\n");
    bl_study_table *t = NULL;
    assert_int_equal(bl_study_table_create(&t, study), BL_OK);
    assert_int_equal(t->n_rows, 1);
    assert_string_equal(t->rows[0], "focal");
    assert_int_equal(t->n_columns, 2);
    assert_int_equal(t->entries[1].cells, 2);
    bl_study_table_free(t);
    bl_study_free(study);
}

/* ---- texts --------------------------------------------------------------- */

static char *text_of(const bl_study *study, bl_table_form form, int width)
{
    char *text = NULL;
    if (bl_study_write(&text, study, form, width) < 0)
        fail_msg("%s", bl_error_last()->message);
    return text;
}

static void is_text(const bl_study *study, bl_table_form form, int width,
                    const char *wanted)
{
    char *const text = text_of(study, form, width);
    assert_string_equal(text, wanted);
    bl_free(text);
}

static const char odd_labels[] =
    "base: {data: x}\n"
    "variants:\n"
    "  recipe:\n"
    "    'a \"b\"': {lr: 0.3}\n"
    "    'c|d': {lr: 0.4}\n"
    "grid: {recipe: ['a \"b\"', 'c|d'], seed: [0, 1]}\n";

static void csv_quotes(void **state)
{
    (void)state;
    bl_study *const study = written(odd_labels);
    finish(study, 0, 0.25, 0.125);
    finish(study, 1, 0.75, 0.125);
    is_text(study, BL_TABLE_CSV, 0,
            "recipe,cells,finished,error_last,error_last_sd,error_best,"
            "error_best_sd,published,difference_last,difference_best\n"
            "\"a \"\"b\"\"\",2,2,0.5,0.3535533905932738,0.125,0,,,\n"
            "c|d,2,0,,,,,,,\n");
    bl_study_free(study);
}

static void markdown_escapes(void **state)
{
    (void)state;
    bl_study *const study = written(odd_labels);
    finish(study, 2, 0.3125, 0.25);
    char *const text = text_of(study, BL_TABLE_MARKDOWN, 0);
    assert_non_null(strstr(text, "| recipe | error |\n|---|--:|\n"
                           "| a \"b\" | - |\n"
                           "| c\\|d | 31.25 [1 of 2] |\n"));
    assert_non_null(strstr(text, "1 of 4 cells are finished."));
    bl_free(text);
    bl_study_free(study);
}

static void markdown_shows_labels_as_they_are(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: x}\n"
        "variants: {recipe: {'<i>*a*</i> b_c': {lr: 2}, '[d](`e`)': {lr: 3}}}\n"
        "grid: {recipe: ['<i>*a*</i> b_c', '[d](`e`)']}\n");
    char *const text = text_of(study, BL_TABLE_MARKDOWN, 0);
    assert_non_null(strstr(text, "\n| \\<i\\>\\*a\\*\\</i\\> b\\_c | - |\n"
                                 "| \\[d\\](\\`e\\`) | - |\n"));
    bl_free(text);
    bl_study_free(study);
}

static void terminal_says_what_is_what(void **state)
{
    (void)state;
    const char *const changes[] = {"method=ce,bbn", "data=cifar10",
                                   "imbalance=100", "epochs=10", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    finish(study, 0, 0.2964, 0.2812);
    finish(study, 1, 0.2118, 0.2);
    is_text(study, BL_TABLE_TEXT, 80,
            "bbn-table1: ten methods on long-tailed CIFAR, BBN's Table 1\n"
            "model resnet32, epochs 10, seed 0\n\n"
            "Test error after the last epoch, %\n\n"
            "data                   cifar10\n"
            "imbalance                  100\n"
            "method      here  paper   diff\n"
            "ce         29.64  29.64  +0.00\n"
            "bbn        21.18  20.18  +1.00\n"
            "\nTest error at the best epoch, which the test images chose, %"
            "\n\n"
            "data                   cifar10\n"
            "imbalance                  100\n"
            "method      here  paper   diff\n"
            "ce         28.12  29.64  -1.52\n"
            "bbn        20.00  20.18  -0.18\n"
            "\n200 epochs in the papers, 10 here.\n"
            "paper: Zhou et al., BBN, CVPR 2020, arXiv:1912.02413, Table 1\n");
    bl_study_free(study);
}

static void wide_tables_go_on_below(void **state)
{
    (void)state;
    bl_study *const study = opened("bbn-table1", NULL);
    char *const text = text_of(study, BL_TABLE_TEXT, 80);
    for (const char *at = text; *at != '\0';) {
        const size_t n = strcspn(at, "\n");
        assert_in_range(n, 0, 80);
        if (n > 0) assert_int_not_equal(at[n - 1], ' ');
        at += n + (at[n] == '\n');
    }
    assert_non_null(strstr(text, "60 cells are finished"));
    bl_free(text);
    bl_study_free(study);
}

static const bl_json_value *at(const bl_json_value *array, int64_t i)
{
    const bl_json_value *value = array->first;
    while (i-- > 0) value = value->next;
    return value;
}

static void json_reads_back(void **state)
{
    (void)state;
    const char *const changes[] = {"method=ce,bbn", "data=cifar10", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    finish(study, 4, 0.1875, 0.125);
    char *const text = text_of(study, BL_TABLE_JSON, 0);
    bl_json_value *root = NULL;
    assert_int_equal(bl_json_parse(&root, "table", text, strlen(text)),
                     BL_OK);
    assert_int_equal(bl_json_member(root, "cells")->integer, 6);
    assert_int_equal(bl_json_member(root, "finished")->integer, 1);
    assert_int_equal(bl_json_member(root, "epochs_published")->integer, 200);
    assert_int_equal(bl_json_member(root, "columns")->count, 3);
    const bl_json_value *const common = bl_json_member(root, "common");
    assert_int_equal(common->count, 3);
    assert_string_equal(bl_json_member(common, "epochs")->string, "200");
    assert_null(bl_json_member(common, "data")); /* an axis */
    const bl_json_value *const entry =
        at(bl_json_member(root, "entries"), 4); /* bbn, 50 */
    assert_string_equal(bl_json_member(entry, "row")->string, "bbn");
    assert_string_equal(at(bl_json_member(entry, "column"), 1)->string, "50");
    about(bl_json_member(entry, "error_last")->real, 0.1875);
    about(bl_json_member(entry, "published")->real, 0.1782);
    about(bl_json_member(entry, "difference_best")->real, 0.125 - 0.1782);
    assert_int_equal(bl_json_member(entry, "error_last_sd")->kind,
                     BL_JSON_NULL);
    const bl_json_value *const run = at(bl_json_member(root, "runs"), 4);
    assert_memory_equal(bl_json_member(run, "folder")->string,
                        "cells/bbn-cifar10-50-0-", 23);
    assert_string_equal(bl_json_member(run, "state")->string, "finished");
    bl_json_value_free(root);
    bl_free(text);
    bl_study_free(study);
}

/* ---- who chose the best epoch -------------------------------------------- */

static void has(const bl_study *study, bl_table_form form, const char *wanted)
{
    char *const text = text_of(study, form, 80);
    if (strstr(text, wanted) == NULL)
        fail_msg("no \"%s\" in:\n%s", wanted, text);
    bl_free(text);
}

static void lacks(const bl_study *study, bl_table_form form,
                  const char *unwanted)
{
    char *const text = text_of(study, form, 80);
    if (strstr(text, unwanted) != NULL) fail_msg("%s", text);
    bl_free(text);
}

static bl_json_value *json_of(const bl_study *study)
{
    bl_json_value *root = NULL;
    char *const text = text_of(study, BL_TABLE_JSON, 0);
    assert_int_equal(bl_json_parse(&root, "table", text, strlen(text)),
                     BL_OK);
    bl_free(text);
    return root;
}

/* wanted: NULL for null. */
static void chooser_is(const bl_json_value *object, const char *wanted)
{
    const bl_json_value *const found =
        bl_json_member(object, "best_epoch_chosen_by");
    assert_non_null(found);
    assert_int_equal(found->kind, wanted ? BL_JSON_STRING : BL_JSON_NULL);
    if (wanted) assert_string_equal(found->string, wanted);
}

static void held_out_images_choose(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: /nowhere/set, holdout: 0.125}\n"
        "grid: {method: [ce, bbn]}\n");
    bl_json_value *const root = json_of(study);
    has(study, BL_TABLE_TEXT,
        "\nTest error at the epoch that held-out images chose, %\n\n");
    chooser_is(root, "held-out images");
    bl_json_value_free(root);
    bl_study_free(study);
}

static void choosers_may_differ(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: /nowhere/set}\n"
        "grid: {holdout: [0, 0.125], seed: [0, 1]}\n");
    finish(study, 0, 0.25, 0.2);
    finish(study, 2, 0.5, 0.4);
    has(study, BL_TABLE_TEXT,
        "\nTest error at the best epoch, which the test images chose, %\n"
        "*: at the epoch that held-out images chose\n"
        "mean (standard deviation) over 2 seeds\n\n"
        "holdout\n"
        "0         20.00 [1 of 2]\n"
        "0.125    40.00* [1 of 2]\n");
    has(study, BL_TABLE_MARKDOWN, "\n\\*: at the epoch that");
    has(study, BL_TABLE_MARKDOWN, "\n| 0 | 20.00 [1 of 2] |\n"
                                  "| 0.125 | 40.00\\* [1 of 2] |\n");
    bl_json_value *const root = json_of(study);
    chooser_is(root, NULL);
    chooser_is(at(bl_json_member(root, "entries"), 0), "test images");
    chooser_is(at(bl_json_member(root, "entries"), 1), "held-out images");
    bl_json_value_free(root);
    bl_study_free(study);
}

/* tau-norm holds images out and rewrites the classifier, ncm rewrites it: what
 * their result.json may say of a best epoch is of another network. */
static void rewritten_classifiers_have_no_best_epoch(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: /nowhere/set}\ngrid: {method: [tau-norm, ce, ncm]}\n");
    for (int64_t i = 0; i < 3; i++) finish(study, i, 0.5, 0.375);
    assert_true(isnan(bl_study_cell_at(study, 0)->error_best));
    assert_true(bl_study_cell_at(study, 1)->error_best == 0.375);
    assert_true(isnan(bl_study_cell_at(study, 2)->error_best));
    has(study, BL_TABLE_TEXT,
        "\nTest error at the best epoch, which the test images chose, %\n\n"
        "method\n"
        "tau-norm      -\n"
        "ce        37.50\n"
        "ncm           -\n");
    has(study, BL_TABLE_TEXT, "\nA classifier that was rewritten after "
                              "training is of no epoch: best is -.\n");
    has(study, BL_TABLE_CSV, "\ntau-norm,1,1,0.5,,,,,,\n"
                             "ce,1,1,0.5,,0.375,,,,\n");
    bl_json_value *const root = json_of(study);
    const bl_json_value *const entry = bl_json_member(root, "entries")->first;
    chooser_is(root, "test images");
    chooser_is(entry, NULL);
    assert_int_equal(bl_json_member(entry, "error_best")->kind, BL_JSON_NULL);
    bl_json_value_free(root);
    bl_study_free(study);
}

/* Gives cell i, which is finished, another fingerprint. */
static void exchange_images(bl_study *study, int64_t i)
{
    char path[1024], text[8192];
    (void)snprintf(path, sizeof path, "%s/run.yaml",
                   bl_study_cell_at(study, i)->folder);
    const size_t n = scratch_get(path, text, sizeof text - 1);
    text[n] = '\0';
    char *const at = strstr(text, "a1 b2");
    assert_non_null(at);
    at[4] = '3';
    scratch_put(path, text, n);
    assert_int_equal(bl_study_look(study, i), BL_OK);
    assert_int_equal(bl_study_cell_at(study, i)->state, BL_CELL_FINISHED);
}

/* Under one name there may have been two sets; which images are held out is
 * the seed's choice. */
static void other_images_are_told(void **state)
{
    (void)state;
    static const char note[] =
        "Not all cells saw the same images of /nowhere/set: data_fingerprint "
        "differs in their run.yaml.\n";
    static const char held[] =
        "base: {data: /nowhere/set, holdout: 0.1}\n"
        "grid: {method: [ce, bbn], seed: [0, 1]}\n";
    bl_study *study = written(three_seeds);
    finish(study, 0, 0.5, 0.5);
    finish(study, 1, 0.5, 0.5);
    lacks(study, BL_TABLE_TEXT, "Not all cells");
    exchange_images(study, 1);
    has(study, BL_TABLE_TEXT, note);
    has(study, BL_TABLE_MARKDOWN, note);
    bl_study_free(study);
    study = written(held);
    for (int64_t i = 0; i < 3; i++) finish(study, i, 0.5, 0.5);
    exchange_images(study, 1);
    lacks(study, BL_TABLE_TEXT, "Not all cells");
    exchange_images(study, 2);
    has(study, BL_TABLE_TEXT, note);
    bl_study_free(study);
}

static void tables_are_saved(void **state)
{
    (void)state;
    static const char *const names[] = {"dir/table.txt", "dir/table.md",
                                        "dir/table.csv", "dir/table.json"};
    bl_study *const study = written(three_seeds);
    assert_int_equal(bl_study_save(study), BL_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(access(scratch_path(&s, names[i]), R_OK), 0);
    bl_study_free(study);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(mean_and_deviation),
        TEST(published_figures_stand_beside),
        TEST(figures_are_of_their_network),
        TEST(figures_are_of_their_recipe),
        TEST(figures_know_added_axes),
        TEST(figures_know_the_first_stage),
        TEST(changes_are_told),
        TEST(first_stage_is_a_column),
        TEST(rows_can_be_a_key),
        TEST(csv_quotes),
        TEST(markdown_escapes),
        TEST(markdown_shows_labels_as_they_are),
        TEST(terminal_says_what_is_what),
        TEST(wide_tables_go_on_below),
        TEST(json_reads_back),
        TEST(held_out_images_choose),
        TEST(choosers_may_differ),
        TEST(rewritten_classifiers_have_no_best_epoch),
        TEST(other_images_are_told),
        TEST(tables_are_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
