/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_registry.c: nothing enters a table half done.
 *
 * A method is a row, and a row needs three things beside it: a page that
 * explains it (docs/methods/NAME.md), a case that holds it to PyTorch's
 * numbers (tests/golden/data/methods.safetensors) and a check of its gradient
 * (tests/grad/test_methods.c, which walks the table).  Losses and mixes have
 * both checks by way of the methods that name them, so one that no method
 * names fails as well.  Every complaint is printed before the test fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "io/safetensors.h"
#include "loss/loss.h"
#include "nn/network.h"

enum { SUMMARY = 60, PATH = 512, NAME = 64 };

static int complaints; /* of the test at work */

#define COMPLAIN(...) (complaints++, print_error(__VA_ARGS__))

static int reset(void **state)
{
    (void)state;
    complaints = 0;
    return 0;
}

static void conclude(void)
{
    if (complaints) fail_msg("%d complaints", complaints);
}

/* ---- rows of any table -------------------------------------------------- */

/** What all rows have; NULL name behind the last. */
typedef struct row {
    const char *name, *summary, *paper;
} row;

typedef row row_at(int32_t i);

/* Row types differ from table to table, so each is asked in its own. */
#define ROW_AT(kind)                                                    \
    static row kind##_at(int32_t i)                                     \
    {                                                                   \
        const bl_##kind##_type *const r = bl_##kind##_types()[i];       \
        if (!r) return (row){0};                                        \
        return (row){r->name, r->summary, r->paper};                    \
    }

ROW_AT(method)
ROW_AT(loss)
ROW_AT(mix)
ROW_AT(sampler)
ROW_AT(schedule)
ROW_AT(adaptor)
ROW_AT(model)

static const struct table {
    const char *kind;
    row_at *at;
} tables[] = {{"method", method_at},     {"loss", loss_at},
              {"mix", mix_at},           {"sampler", sampler_at},
              {"schedule", schedule_at}, {"adaptor", adaptor_at},
              {"model", model_at}};

enum { TABLES = sizeof tables / sizeof *tables };

static bool has(row_at *at, const char *name)
{
    for (int32_t i = 0; at(i).name; i++)
        if (!strcmp(at(i).name, name)) return true;
    return false;
}

/** Letters, digits and hyphens: it is an option, a file, a part of a key. */
static void check_name(const struct table *t, const char *name)
{
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!n || name[n] || n >= NAME)
        COMPLAIN("%s \"%s\": wanted lower-case letters, digits, hyphens\n",
                 t->kind, name);
}

static void check_row(const struct table *t, int32_t i)
{
    const row r = t->at(i);
    check_name(t, r.name);
    for (int32_t k = 0; k < i; k++)
        if (!strcmp(t->at(k).name, r.name))
            COMPLAIN("%s %s: in the table twice\n", t->kind, r.name);
    if (!r.summary || !*r.summary)
        COMPLAIN("%s %s: no summary\n", t->kind, r.name);
    else if (strlen(r.summary) > SUMMARY)
        COMPLAIN("%s %s: summary of %d characters, wanted at most %d\n",
                 t->kind, r.name, (int)strlen(r.summary), (int)SUMMARY);
    if (!r.paper)
        COMPLAIN("%s %s: no paper; \"\" where there is none\n", t->kind,
                 r.name);
}

static bool is_empty(const char *text)
{
    return !text || !*text;
}

static void rows_say_what_they_are(void **state)
{
    (void)state;
    for (int32_t k = 0; k < TABLES; k++)
        for (int32_t i = 0; tables[k].at(i).name; i++)
            check_row(&tables[k], i);
    for (int32_t i = 0; bl_loss_types()[i]; i++)
        if (is_empty(bl_loss_types()[i]->equation))
            COMPLAIN("loss %s: no equation\n", bl_loss_types()[i]->name);
    for (int32_t i = 0; bl_mix_types()[i]; i++)
        if (is_empty(bl_mix_types()[i]->equation) &&
            strcmp(bl_mix_types()[i]->name, "none") != 0)
            COMPLAIN("mix %s: no equation\n", bl_mix_types()[i]->name);
    for (int32_t i = 0; bl_sampler_types()[i]; i++)
        if (is_empty(bl_sampler_types()[i]->equation) &&
            !bl_sampler_types()[i]->permutes)
            COMPLAIN("sampler %s: no equation\n",
                     bl_sampler_types()[i]->name);
    conclude();
}

/* ---- methods ------------------------------------------------------------ */

/** Is there a text file that says `text`? */
static bool says(const char *path, const char *text)
{
    static char page[1 << 16];
    FILE *const file = fopen(path, "r");
    if (!file) return false;
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    (void)fclose(file);
    return strstr(page, text) != NULL;
}

static void every_method_has_a_page(void **state)
{
    (void)state;
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        const char *const name = bl_method_types()[i]->name;
        char path[PATH], option[PATH];
        (void)snprintf(path, sizeof path, "%s/../docs/methods/%s.md",
                       BL_TEST_FILES, name);
        (void)snprintf(option, sizeof option, "--method %s", name);
        if (!says(path, option))
            COMPLAIN("method %s: docs/methods/%s.md is missing or does not "
                     "say %s\n", name, name, option);
    }
    conclude();
}

/** "" says that nothing is known, and so has to be written. */
static void every_method_says_how_it_deviates(void **state)
{
    (void)state;
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        const bl_method_type *const method = bl_method_types()[i];
        const char *at = bl_method_deviations(method);
        if (!at) COMPLAIN("method %s: not in deviations.c\n", method->name);
        while (at && *at) {
            const size_t n = strcspn(at, "\n");
            if (n == 0 || n >= 512)
                COMPLAIN("method %s: a line of %zu\n", method->name, n);
            at += n + (at[n] == '\n');
        }
    }
    conclude();
}

static void every_method_has_golden_vectors(void **state)
{
    (void)state;
    bl_safetensors *file;
    const char *const path =
        BL_TEST_FILES "/golden/data/methods.safetensors";
    if (bl_safetensors_open(&file, path) < 0)
        fail_msg("%s", bl_error_last()->message);
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        const char *const name = bl_method_types()[i]->name;
        char tensor[PATH];
        (void)snprintf(tensor, sizeof tensor, "%s.loss", name);
        if (!bl_safetensors_find(file, tensor))
            COMPLAIN("method %s: no %s in %s; tools/golden/methods.py makes "
                     "it\n", name, tensor, path);
    }
    bl_safetensors_free(file);
    conclude();
}

/** That test walks the rows as this one does, and fails itself for a row of
 *  which it checked nothing; here it is seen that it is there. */
static void every_method_has_its_gradient_checked(void **state)
{
    (void)state;
    if (!says(BL_TEST_FILES "/grad/test_methods.c", "bl_method_types()"))
        COMPLAIN("tests/grad/test_methods.c does not walk the methods\n");
    conclude();
}

/** Settles a configuration of the row: its settings parse, are in range and
 *  name rows that exist. */
static void check_settings(const bl_method_type *method)
{
    bl_config *config;
    if (!bl_form_find(method->form))
        COMPLAIN("method %s: form %s is unknown\n", method->name,
                 method->form);
    if (!has(loss_at, method->loss))
        COMPLAIN("method %s: loss %s is unknown\n", method->name,
                 method->loss);
    if (bl_train_config(&config) < 0)
        fail_msg("%s", bl_error_last()->message);
    for (int32_t i = 0; method->settings[i]; i++)
        if (bl_config_assign(config, method->settings[i],
                             BL_ORIGIN_METHOD) < 0)
            COMPLAIN("method %s: %s\n", method->name,
                     bl_error_last()->message);
    if (bl_config_set(config, "method", method->name, BL_ORIGIN_OPTION) < 0 ||
        bl_train_settle(config) < 0)
        COMPLAIN("method %s: %s\n", method->name, bl_error_last()->message);
    bl_config_free(config);
}

static void settings_of_methods_go_together(void **state)
{
    (void)state;
    for (int32_t i = 0; bl_method_types()[i]; i++)
        check_settings(bl_method_types()[i]);
    conclude();
}

/* ---- what methods name -------------------------------------------------- */

/** Does a method name it: as its loss, or by "key=name"? */
static bool is_named(const char *name, const char *const *keys)
{
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        const bl_method_type *const method = bl_method_types()[i];
        if (!strcmp(method->loss, name)) return true;
        for (int32_t k = 0; keys[k]; k++)
            for (int32_t j = 0; method->settings[j]; j++) {
                char setting[PATH];
                (void)snprintf(setting, sizeof setting, "%s=%s", keys[k],
                               name);
                if (!strcmp(setting, method->settings[j])) return true;
            }
    }
    return false;
}

static void losses_and_mixes_belong_to_methods(void **state)
{
    (void)state;
    const char *const losses[] = {"stage2.loss", NULL};
    const char *const mixes[] = {"mix", NULL};
    for (int32_t i = 0; bl_loss_types()[i]; i++)
        if (!is_named(bl_loss_types()[i]->name, losses))
            COMPLAIN("loss %s: no method names it, so nothing checks it\n",
                     bl_loss_types()[i]->name);
    for (int32_t i = 0; bl_mix_types()[i]; i++)
        if (strcmp(bl_mix_types()[i]->name, "none") != 0 &&
            !is_named(bl_mix_types()[i]->name, mixes))
            COMPLAIN("mix %s: no method names it, so nothing checks it\n",
                     bl_mix_types()[i]->name);
    conclude();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_say_what_they_are, reset),
        cmocka_unit_test_setup(every_method_has_a_page, reset),
        cmocka_unit_test_setup(every_method_says_how_it_deviates, reset),
        cmocka_unit_test_setup(every_method_has_golden_vectors, reset),
        cmocka_unit_test_setup(every_method_has_its_gradient_checked, reset),
        cmocka_unit_test_setup(settings_of_methods_go_together, reset),
        cmocka_unit_test_setup(losses_and_mixes_belong_to_methods, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
