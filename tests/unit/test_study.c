/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A study unfolds into the cells it says, names their folders by what they
 * compute, and refuses files that are wrong before anything is trained.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "core/text.h"
#include "study/study.h"
#include "support/each_scratch.h"

static void says(const char *text)
{
    if (strstr(bl_error_last()->message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", bl_error_last()->message,
                 text);
}

static bl_study *opened(const char *name, const char *const *changes)
{
    bl_study *study = NULL;
    if (bl_study_open(&study, name, NULL, changes) < 0)
        fail_msg("%s", bl_error_last()->message);
    return study;
}

/* A study of a file with this text. */
static bl_study *written(const char *yaml, const char *const *changes)
{
    const char *const path = scratch_path(&s, "own.yaml");
    scratch_put(path, yaml, strlen(yaml));
    return opened(path, changes);
}

static void refused(const char *yaml, bl_status status, const char *message)
{
    bl_study *study = NULL;
    const char *const path = scratch_path(&s, "bad.yaml");
    scratch_put(path, yaml, strlen(yaml));
    assert_int_equal(bl_study_open(&study, path, NULL, NULL), status);
    says(message);
}

static void label_is(const bl_study *study, int64_t i, const char *label)
{
    assert_string_equal(bl_study_cell_at(study, i)->label, label);
}

/* Text of a key in a cell. */
static void value_is(const bl_study *study, int64_t i, const char *key,
                     const char *wanted)
{
    bl_config *config = NULL;
    assert_int_equal(bl_study_config(&config, study, i), BL_OK);
    assert_string_equal(bl_config_text(config, key), wanted);
    bl_config_free(config);
}

/* ---- named studies ------------------------------------------------------- */

static void every_named_study_opens(void **state)
{
    (void)state;
    static const int64_t cells[] = {60, 3, 6, 15, 12};
    const bl_study_type *const *types = bl_study_types();
    for (int i = 0; types[i] != NULL; i++) {
        bl_study *const study = opened(types[i]->name, NULL);
        assert_int_equal(bl_study_cells(study), cells[i]);
        assert_ptr_equal(bl_study_row(study), types[i]);
        assert_ptr_equal(bl_study_find(types[i]->name), types[i]);
        assert_in_range(strlen(types[i]->summary), 1, 60);
        bl_study_free(study);
    }
}

static void last_axis_moves_fastest(void **state)
{
    (void)state;
    bl_study *const study = opened("bbn-table1", NULL);
    label_is(study, 0, "ce, cifar10, 100, seed 0");
    label_is(study, 1, "ce, cifar10, 50, seed 0");
    label_is(study, 3, "ce, cifar100, 100, seed 0");
    label_is(study, 59, "bbn, cifar100, 10, seed 0");
    value_is(study, 58, "imbalance", "50");
    value_is(study, 58, "method", "bbn");
    bl_study_free(study);
}

static void cb_focal_has_its_own_settings(void **state)
{
    (void)state;
    const char *const changes[] = {"method=cb-focal", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    assert_int_equal(bl_study_cells(study), 6);
    value_is(study, 1, "loss.gamma", "2");
    value_is(study, 1, "weights.beta", "0.9999");
    value_is(study, 3, "loss.gamma", "1");
    value_is(study, 3, "weights.beta", "0.9");
    value_is(study, 4, "weights.beta", "0.99");
    bl_study_free(study);
}

static void second_stages_follow_their_first(void **state)
{
    (void)state;
    bl_study *const study = opened("two-stage", NULL);
    const bl_cell *const cell = bl_study_cell_at(study, 7); /* rw, rw */
    char wanted[256];
    assert_string_equal(cell->label, "rw, rw, seed 0");
    assert_int_equal(cell->needs[0], 1);
    assert_int_equal(cell->needs[1], -1);
    assert_int_equal(cell->epochs, 30);
    value_is(study, 7, "method", "retrain");
    value_is(study, 7, "stage2.weights", "inverse");
    value_is(study, 7, "stage2.sampler", "permutation");
    value_is(study, 7, "data", "cifar100");
    (void)snprintf(wanted, sizeof wanted, "%s/last.safetensors",
                   bl_study_cell_at(study, 1)->folder);
    value_is(study, 7, "init.weights", wanted);
    label_is(study, 14, "bbn-rb, ce, seed 0");
    assert_int_equal(bl_study_cell_at(study, 14)->needs[0], 12);
    value_is(study, 14, "init.branch", "rb");
    bl_study_free(study);
}

static void means_find_their_members(void **state)
{
    (void)state;
    const char *const changes[] = {"seed=3,7", NULL};
    bl_study *const study = opened("bbn-ensembles", changes);
    int means = 0;
    assert_int_equal(bl_study_cells(study), 16 + 8);
    for (int64_t i = 0; i < bl_study_cells(study); i++) {
        const bl_cell *const cell = bl_study_cell_at(study, i);
        if (!cell->average) continue;
        means++;
        char wanted[128];
        const char *const rest = strchr(cell->label, ',');
        (void)snprintf(wanted, sizeof wanted, "uniform%s", rest);
        label_is(study, cell->needs[0], wanted);
        const int reversed = strstr(cell->label, "reversed") != NULL;
        (void)snprintf(wanted, sizeof wanted, "%s%s",
                       reversed ? "reversed" : "balanced", rest);
        label_is(study, cell->needs[1], wanted);
    }
    assert_int_equal(means, 8);
    bl_study_free(study);
}

static void means_stand_with_their_members(void **state)
{
    (void)state;
    const char *const changes[] = {
        "training=reversed,uniform,uniform+reversed", "data=cifar10", NULL};
    bl_study *const study = opened("bbn-ensembles", changes);
    assert_int_equal(bl_study_cells(study), 3);
    label_is(study, 0, "reversed, cifar10, seed 0");
    label_is(study, 2, "uniform+reversed, cifar10, seed 0");
    assert_int_equal(bl_study_cell_at(study, 2)->needs[0], 1);
    assert_int_equal(bl_study_cell_at(study, 2)->needs[1], 0);
    bl_study_free(study);
}

/* ---- changes ------------------------------------------------------------- */

static void changes_narrow_and_replace(void **state)
{
    (void)state;
    const char *const changes[] = {"data=cifar10", "imbalance=1e2,20",
                                   "seed=5,4", "epochs=12",
                                   "method=ce , bbn", NULL};
    bl_study *const study = opened("bbn-table1", changes);
    assert_int_equal(bl_study_cells(study), 8);
    label_is(study, 0, "ce, cifar10, 100, seed 5");
    label_is(study, 7, "bbn, cifar10, 20, seed 4");
    value_is(study, 7, "epochs", "12");
    assert_int_equal(bl_study_cell_at(study, 7)->epochs, 12);
    bl_study_free(study);
}

static void several_values_make_an_axis(void **state)
{
    (void)state;
    const char *const changes[] = {"lr=0.05,0.2", NULL};
    bl_study *const study = opened("bbn-samplers", changes);
    assert_int_equal(bl_study_cells(study), 6);
    label_is(study, 3, "balanced, 0.2, seed 0");
    value_is(study, 3, "lr", "0.2");
    bl_study_free(study);
}

static void wrong_changes_are_refused(void **state)
{
    (void)state;
    static const struct { const char *study, *change, *message; } rows[] = {
        {"bbn-tabel1", "seed=0", "the nearest is \"bbn-table1\""},
        {"bbn-table1", "sead=0", "the nearest is \"seed\""},
        {"bbn-table1", "seed", "wanted key=value"},
        {"bbn-table1", "seed=", "seed: has no values"},
        {"bbn-table1", "seed=1,,2", "seed: a value is empty"},
        {"bbn-table1", "seed=1,01", "seed: \"1\" stands twice"},
        {"bbn-table1", "method=ce,bnn", "method: bnn is unknown"},
        {"bbn-table1", "imbalance=0.5", "imbalance: 0.5 is not in [1,"},
        {"two-stage", "method=ce", "is set by the axis features"},
        {"two-stage", "features=cee", "no value \"cee\""},
        {"two-stage", "features=bbn-rb",
         "features: \"bbn-rb\" is in no cell, wanted features=bbn beside it"},
        {"two-stage", "features=ce,bbn-cb", "wanted features=bbn beside it"},
        {"bbn-ensembles", "training=bbn,uniform+balanced",
         "\"uniform+balanced\" is in no cell, wanted "
         "training=uniform,balanced beside it"},
        {"nothing", "seed=0", "and no such file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const changes[] = {rows[i].change, NULL};
        bl_study *study = NULL;
        assert_int_equal(bl_study_open(&study, rows[i].study, NULL, changes),
                         BL_EINVAL);
        says(rows[i].message);
    }
    bl_study *study = NULL;
    const char *const rw[] = {"features=bbn,bbn-cb", "classifier=rw", NULL};
    assert_int_equal(bl_study_open(&study, "two-stage", NULL, rw), BL_EINVAL);
    says("features: \"bbn-cb\" is in no cell, wanted classifier=ce beside");
    const char *const twice[] = {"seed=0", "seed=1", NULL};
    assert_int_equal(bl_study_open(&study, "bbn-table1", NULL, twice),
                     BL_EINVAL);
    says("seed: is given twice");
}

static void values_in_no_cell_are_refused(void **state)
{
    (void)state;
    static const char yaml[] =
        "variants: {f: {a: {lr: 2}, b: {lr: 3}, c: {lr: 4}}}\n"
        "grid: {f: [a]}\nthen: {grid: {f: [b], batch: [1, 2]}}\n";
    static const struct { const char *f, *batch, *message; } rows[] = {
        {"f=a", "batch=07,8", "batch: \"7\" is in no cell, wanted f=b beside"},
        {"f=b,a,c", "batch=7", "f: \"c\" is no value that this study has"},
    };
    const char *const path = scratch_path(&s, "none.yaml");
    scratch_put(path, yaml, strlen(yaml));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const changes[] = {rows[i].f, rows[i].batch, NULL};
        bl_study *study = NULL;
        assert_int_equal(bl_study_open(&study, path, NULL, changes),
                         BL_EINVAL);
        says(rows[i].message);
    }
}

/* ---- files --------------------------------------------------------------- */

static void file_unfolds(void **state)
{
    (void)state;
    bl_study *const study = written(
        "name: mine\n"
        "base: {data: cifar10, imbalance: 50, sgd: {momentum: 0.8}}\n"
        "variants:\n"
        "  recipe:\n"
        "    short: {epochs: 20, schedule.milestones: [120, 150]}\n"
        "    long: {epochs: 300}\n"
        "grid:\n"
        "  recipe: [long, short]\n"
        "  schedule.decay: [0.1, 0.01]\n"
        "  seed: 4\n", NULL);
    assert_string_equal(bl_study_name(study), "mine");
    assert_null(bl_study_row(study));
    assert_int_equal(bl_study_cells(study), 4);
    label_is(study, 2, "short, 0.1, seed 4");
    value_is(study, 2, "epochs", "20");
    value_is(study, 2, "schedule.milestones", "120,150");
    value_is(study, 1, "schedule.milestones", "160,180");
    value_is(study, 1, "epochs", "300");
    value_is(study, 1, "sgd.momentum", "0.8");
    bl_study_free(study);
}

static void lists_of_numbers_take_slashes(void **state)
{
    (void)state;
    bl_study *const study = written(
        "grid: {schedule.milestones: [120/160, 160/180]}\n", NULL);
    assert_string_equal(bl_study_name(study), "own");
    assert_int_equal(bl_study_cells(study), 2);
    label_is(study, 0, "120,160");
    value_is(study, 0, "schedule.milestones", "120,160");
    bl_study_free(study);
}

static void then_follows_each_cell(void **state)
{
    (void)state;
    bl_study *const study = written(
        "base: {data: cifar10, epochs: 40}\n"
        "grid: {method: [ce, rw], seed: [8, 9]}\n"
        "then:\n"
        "  base: {method: retrain}\n"
        "  grid: {stage2.sampler: [balanced, permutation]}\n", NULL);
    assert_int_equal(bl_study_cells(study), 4 + 8);
    label_is(study, 4, "ce, balanced, seed 8");
    label_is(study, 9, "rw, permutation, seed 8");
    assert_int_equal(bl_study_cell_at(study, 9)->needs[0], 2);
    value_is(study, 9, "method", "retrain");
    value_is(study, 9, "seed", "8");
    assert_int_equal(bl_study_cell_at(study, 9)->epochs, 6);
    bl_study_free(study);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct { bl_status status; const char *yaml, *message; }
    rows[] = {
        {BL_EINVAL, "gird: {seed: [0]}\n", "bad.yaml:1: unknown key \"gird\" "
         "of a study; the nearest is \"grid\""},
        {BL_EINVAL, "base: {data: x}\nfoo: 1\n", "bad.yaml:2: unknown key "
         "\"foo\" of a study, wanted one of"},
        {BL_EINVAL, "then: {gird: {seed: 0}}\ngrid: {seed: 0}\n",
         "the nearest is \"grid\""},
        {BL_EINVAL, "base: {imbalence: 5}\ngrid: {seed: 0}\n",
         "bad.yaml:1: unknown key \"imbalence\"; the nearest is"},
        {BL_EINVAL, "grid:\n  imbalence: [5]\n",
         "bad.yaml:2: unknown key \"imbalence\"; the nearest is"},
        {BL_EINVAL, "base: {mix: mixip}\ngrid: {seed: 0}\n",
         "bad.yaml:1: mix: mixip is unknown; did you mean mixup?"},
        {BL_EINVAL, "grid:\n  seed: [0, x]\n",
         "bad.yaml:2: seed: \"x\" is not a whole number"},
        {BL_EINVAL, "grid: {seed: []}\n", "seed: has no values"},
        {BL_EINVAL, "grid: {}\n", "grid: is empty or missing"},
        {BL_EINVAL, "", "grid: is empty or missing"},
        {BL_EFORMAT, "grid: [0, 1]\n", "wanted a mapping of keys"},
        {BL_EINVAL, "base: {seed: [0, 1]}\ngrid: {seed: 0}\n",
         "seed: found a list, wanted one value"},
        {BL_EINVAL, "grid: {seed: [0, 0]}\n", "stands twice"},
        {BL_EINVAL, "grid: {method: [ce, cee]}\n", "bad.yaml:1: method: "
         "cee is unknown"},
        {BL_EINVAL, "rows: sead\ngrid: {seed: 0}\n", "rows: unknown key"},
        {BL_EFORMAT, "grid: &a {seed: *a}\n", "anchors and aliases"},
        {BL_EFORMAT, "grid: {seed: &b [0, *b]}\n", "anchors and aliases"},
        {BL_EFORMAT, "variants: {x: {y: 1}}\ngrid: {seed: 0}\n",
         "wanted AXIS: {VALUE: {key: value}}"},
        {BL_EINVAL, "variants: {lr: {y: {epochs: 1}}}\ngrid: {seed: 0}\n",
         "lr is a key of training"},
        {BL_EINVAL, "variants: {x: {y: {epochs: 1}}}\ngrid: {x: [z]}\n",
         "x: no value \"z\""},
        {BL_EINVAL, "then: {grid: {seed: 1}}\n", "grid: is empty"},
        {BL_EINVAL, "grid: {seed: [0, 1]}\nthen: {base: {lr: 1}}\n",
         "bad.yaml: cell seed 0 stands twice; \"then\" needs an axis"},
        {BL_EINVAL, "grid: {lr: [1, 2]}\nthen: {grid: {lr: [3]}}\n",
         "cell 3 stands twice"},
        {BL_EINVAL, "variants: {a: {\"x\\ny\": {lr: 1}}}\n"
         "grid:\n  a: [\"x\\ny\"]\n", "bad.yaml:3: a: found the control "
         "character U+000A behind \"x\", wanted a text of one line"},
        {BL_EINVAL, "grid: {\"a\\tb\": [x]}\n",
         "bad.yaml:1: found the control character U+0009 behind \"a\""},
        {BL_EINVAL, "name: \"\\u00e4\\u0085\"\ngrid: {seed: 0}\n",
         "bad.yaml:1: name: found the control character U+0085 behind \"\xC3"
         "\xA4\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused(rows[i].yaml, rows[i].status, rows[i].message);
}

/* 1024 values on each of n axes: 2^(10 n) cells. */
static void refuse_cube(int n)
{
    static const char *const axes[] = {
        "seed", "epochs", "batch", "sampler.from", "lr",
        "imbalance", "loss.scale", "weights.from"};
    bl_text yaml = {0};
    bl_text_printf(&yaml, "grid:\n");
    for (int a = 0; a < n; a++) {
        bl_text_printf(&yaml, "  %s: [1", axes[a]);
        for (int i = 2; i <= 1024; i++) bl_text_printf(&yaml, ", %d", i);
        bl_text_printf(&yaml, "]\n");
    }
    refused(yaml.text, BL_EINVAL, "more than 100000 cells");
    bl_text_free(&yaml);
}

static void too_many_cells_are_refused(void **state)
{
    (void)state;
    refuse_cube(2);
    refuse_cube(3);
    refuse_cube(8); /* overflows any integer, to 0 */
}

static void missing_file_is_named(void **state)
{
    (void)state;
    bl_study *study = NULL;
    assert_int_equal(bl_study_open(&study, "none/such.yaml", NULL, NULL),
                     BL_EIO);
    says("none/such.yaml");
}

/* ---- names of folders ---------------------------------------------------- */

/* Name by the keys that are read. */
static void name_of(char out[256], const char *const *settings,
                    const char *parent)
{
    bl_config *config = NULL;
    char *name = NULL;
    assert_int_equal(bl_train_config(&config), BL_OK);
    for (; *settings != NULL; settings++)
        assert_int_equal(bl_config_assign(config, *settings,
                                          BL_ORIGIN_OPTION), BL_OK);
    assert_int_equal(bl_train_settle(config), BL_OK);
    const bl_config *const readers[] = {config, NULL};
    assert_int_equal(bl_cell_name(&name, config, parent, readers), BL_OK);
    (void)snprintf(out, 256, "%s", name);
    bl_free(name);
    bl_config_free(config);
}

static void names_say_what_is_computed(void **state)
{
    (void)state;
    static const char *const plain[] = {"data=/x/tiny", "lr=0.2", NULL};
    static const char *const same[] = {
        "lr=0.20", "threads=3", "loader.threads=7", "checkpoint.minutes=2.5",
        "data-dir=/somewhere", "data=/x/tiny", NULL};
    static const char *const other[] = {"data=/x/tiny", "lr=0.3", NULL};
    static const char *const here[] = {"data=a", "init.weights=/a/w", NULL};
    static const char *const there[] = {"data=a", "init.weights=/b/w", NULL};
    char a[256], b[256];
    name_of(a, plain, NULL);
    assert_memory_equal(a, "ce-tiny-1-0-", 12);
    assert_int_equal(strlen(a), 12 + 16);
    name_of(b, same, NULL);
    assert_string_equal(a, b);
    name_of(b, other, NULL);
    assert_string_not_equal(a, b);
    name_of(a, here, NULL);
    name_of(b, there, NULL);
    assert_string_not_equal(a, b);
    name_of(a, here, "first");
    name_of(b, there, "first");
    assert_string_equal(a, b);
    name_of(b, there, "second");
    assert_string_not_equal(a, b);
}

static void names_pass_over_what_is_not_read(void **state)
{
    (void)state;
    static const char *const plain[] = {"data=a", NULL};
    static const char *const idle[] = {"data=a", "stage2.norm=frozen",
                                       "loss.gamma=7", "mix.alpha=3", NULL};
    static const char *const read[] = {"data=a", "method=crt", NULL};
    static const char *const frozen[] = {"data=a", "method=crt",
                                         "stage2.norm=frozen", NULL};
    char a[256], b[256];
    name_of(a, plain, NULL);
    name_of(b, idle, NULL);
    assert_string_equal(a, b);
    name_of(a, read, NULL);
    name_of(b, frozen, NULL);
    assert_string_not_equal(a, b);
}

/* What a study has as it stands lies where every version has looked for it. */
static void named_studies_set_nothing_in_vain(void **state)
{
    (void)state;
    for (int k = 0; bl_study_types()[k] != NULL; k++) {
        bl_study *const study = opened(bl_study_types()[k]->name, NULL);
        for (int64_t i = 0; i < bl_study_cells(study); i++) {
            bl_config *config = NULL;
            char read[BL_IDENTITY_ROOM], set[BL_IDENTITY_ROOM];
            assert_int_equal(bl_study_config(&config, study, i), BL_OK);
            const bl_config *const readers[] = {config, NULL};
            assert_int_equal(bl_identity_hash(read, config, NULL, readers),
                             BL_OK);
            assert_int_equal(bl_identity_hash(set, config, NULL, NULL),
                             BL_OK);
            assert_string_equal(read, set);
            bl_config_free(config);
        }
        bl_study_free(study);
    }
}

static void names_are_safe(void **state)
{
    (void)state;
    static const char *const odd[] = {"data=../..", NULL};
    static const char *const blank[] = {"data=a b\n\xC3\xA4", NULL};
    char a[256];
    name_of(a, odd, NULL);
    assert_null(strchr(a, '/'));
    name_of(a, blank, NULL);
    assert_memory_equal(a, "ce-a_b____", 9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_named_study_opens),
        cmocka_unit_test(last_axis_moves_fastest),
        cmocka_unit_test(cb_focal_has_its_own_settings),
        cmocka_unit_test(second_stages_follow_their_first),
        cmocka_unit_test(means_find_their_members),
        cmocka_unit_test(means_stand_with_their_members),
        cmocka_unit_test(changes_narrow_and_replace),
        cmocka_unit_test(several_values_make_an_axis),
        cmocka_unit_test(wrong_changes_are_refused),
        cmocka_unit_test(values_in_no_cell_are_refused),
        cmocka_unit_test(file_unfolds),
        cmocka_unit_test(lists_of_numbers_take_slashes),
        cmocka_unit_test(then_follows_each_cell),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(too_many_cells_are_refused),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(names_say_what_is_computed),
        cmocka_unit_test(names_pass_over_what_is_not_read),
        cmocka_unit_test(named_studies_set_nothing_in_vain),
        cmocka_unit_test(names_are_safe),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
