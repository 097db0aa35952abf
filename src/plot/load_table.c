/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_table.c: reads table.json, which a study leaves in its folder.
 *
 * Entries name their row and column by labels; they are found by comparing,
 * which for as many as a picture has room for is no work.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "plot/plot.h"
#include "plot/read.h"

enum { FILE_LIMIT = 1 << 26, ROWS = 100, COLUMNS = 40 };

/* ---- labels -------------------------------------------------------------- */

static bl_status check_texts(const bl_place *at, const char *key,
                             const bl_json_value *list)
{
    if (list->kind != BL_JSON_ARRAY)
        return bl_place_wrong(at, key, list, "a list");
    for (const bl_json_value *v = list->first; v != NULL; v = v->next)
        if (v->kind != BL_JSON_STRING)
            return BL_RAISE(BL_EFORMAT, "%s: %s%s%s: an entry is not text",
                            at->path, at->part, at->part[0] ? ": " : "", key);
    return BL_OK;
}

static bl_status need_texts(const bl_json_value **out, const bl_place *at,
                            const bl_json_value *object, const char *key)
{
    BL_TRY(bl_need_list(out, at, object, key));
    return check_texts(at, key, *out);
}

static bool lacks_label(const bl_json_value *labels)
{
    for (const bl_json_value *v = labels->first; v != NULL; v = v->next)
        if (!v->string[0]) return true;
    return false;
}

/** "cifar10, 100"; with axes "data cifar10, imbalance 100".  A first stage has
 *  no label on the axes of the second, and says so once. */
static bl_status join(char **out, const bl_json_value *axes,
                      const bl_json_value *labels)
{
    bl_text text = {0};
    const bl_json_value *axis = axes ? axes->first : NULL;
    bl_text_add(&text, "", 0);
    for (const bl_json_value *v = labels->first; v != NULL; v = v->next) {
        if (v->string[0])
            bl_text_printf(&text, "%s%s%s%s", text.bytes ? ", " : "",
                           axis ? axis->string : "", axis ? " " : "",
                           v->string);
        if (axis) axis = axis->next;
    }
    if (lacks_label(labels))
        bl_text_printf(&text, "%sstage 1 alone", text.bytes ? ", " : "");
    const bl_status status = text.status;
    if (status < 0)
        bl_text_free(&text);
    else
        *out = text.text;
    return status;
}

static bl_status check_extent(const bl_place *at, const char *key,
                              const bl_json_value *list, int64_t most)
{
    if (list->count >= 1 && list->count <= most) return BL_OK;
    return BL_RAISE(BL_EUNSUPPORTED, "%s: %" PRId64 " %s, of which a picture "
                    "takes 1 to %" PRId64, at->path, list->count, key, most);
}

static bl_status read_rows(bl_plot_table *t, const bl_place *at)
{
    const bl_json_value *list = NULL;
    BL_TRY(need_texts(&list, at, t->tree, "rows"));
    BL_TRY(check_extent(at, "rows", list, ROWS));
    BL_TRY(bl_calloc(&t->rows, list->count, sizeof *t->rows));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next)
        t->rows[t->n_rows++] = v->string;
    return bl_need_text(&t->row_axis, at, t->tree, "row_axis");
}

static bl_status read_columns(bl_plot_table *t, const bl_place *at)
{
    const bl_json_value *list = NULL, *axes = NULL;
    BL_TRY(need_texts(&axes, at, t->tree, "column_axes"));
    BL_TRY(bl_need_list(&list, at, t->tree, "columns"));
    BL_TRY(check_extent(at, "columns", list, COLUMNS));
    BL_TRY(join(&t->column_axis, NULL, axes));
    BL_TRY(bl_calloc(&t->columns, list->count, sizeof *t->columns));
    BL_TRY(bl_calloc(&t->headings, list->count, sizeof *t->headings));
    BL_TRY(bl_calloc(&t->alone, list->count, sizeof *t->alone));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next) {
        BL_TRY(check_texts(at, "columns", v));
        if (v->count != axes->count)
            return BL_RAISE(BL_EFORMAT, "%s: a column has %" PRId64
                            " labels, wanted %" PRId64 ", one an axis",
                            at->path, v->count, axes->count);
        const int64_t c = t->n_columns++;
        t->alone[c] = lacks_label(v);
        BL_TRY(join(&t->columns[c], NULL, v));
        BL_TRY(join(&t->headings[c], axes, v));
    }
    return BL_OK;
}

/* ---- entries ------------------------------------------------------------- */

static bool same_texts(const bl_json_value *a, const bl_json_value *b)
{
    const bl_json_value *x = a->first, *y = b->first;
    for (; x != NULL && y != NULL; x = x->next, y = y->next)
        if (strcmp(x->string, y->string) != 0) return false;
    return x == NULL && y == NULL;
}

/** Finds the place of an entry; NULL where its labels are none of the
 *  table's. */
static bl_plot_entry *find_entry(const bl_plot_table *t, const char *row,
                                 const bl_json_value *labels)
{
    const bl_json_value *column = bl_json_member(t->tree, "columns")->first;
    int64_t r = 0, c = 0;
    while (r < t->n_rows && strcmp(t->rows[r], row) != 0) r++;
    for (; column != NULL && !same_texts(column, labels); c++)
        column = column->next;
    if (r == t->n_rows || column == NULL) return NULL;
    return &t->entries[r * t->n_columns + c];
}

static bl_status read_entry(const bl_plot_table *t, const bl_place *at,
                            const bl_json_value *v)
{
    const char *row = NULL;
    const bl_json_value *labels = NULL;
    BL_TRY(bl_need_text(&row, at, v, "row"));
    BL_TRY(need_texts(&labels, at, v, "column"));
    bl_plot_entry *const entry = find_entry(t, row, labels);
    if (entry == NULL)
        return BL_RAISE(BL_EFORMAT, "%s: %s: its labels are no row and column "
                        "of the table", at->path, at->part);
    BL_TRY(bl_need_real(&entry->last, at, v, "error_last", 0));
    BL_TRY(bl_read_real(&entry->sd, at, v, "error_last_sd", 0));
    return bl_read_real(&entry->published, at, v, "published", 0);
}

static bl_status read_entries(bl_plot_table *t, bl_place *at)
{
    const bl_json_value *list = NULL;
    const int64_t n = t->n_rows * t->n_columns;
    int64_t number = 0;
    BL_TRY(bl_need_list(&list, at, t->tree, "entries"));
    BL_TRY(bl_calloc(&t->entries, n, sizeof *t->entries));
    for (int64_t i = 0; i < n; i++)
        t->entries[i] = (bl_plot_entry){(double)NAN, (double)NAN, (double)NAN};
    for (const bl_json_value *v = list->first; v != NULL; v = v->next) {
        (void)snprintf(at->part, sizeof at->part, "entry %" PRId64, ++number);
        BL_TRY(read_entry(t, at, v));
    }
    at->part[0] = '\0';
    return BL_OK;
}

static bool has_entry(const bl_plot_table *t, int64_t row)
{
    for (int64_t c = 0; c < t->n_columns; c++)
        if (isfinite(t->entries[row * t->n_columns + c].last)) return true;
    return false;
}

/** Keeps the rows in which something is finished. */
static void drop_rows(bl_plot_table *t)
{
    int64_t kept = 0;
    for (int64_t r = 0; r < t->n_rows; r++) {
        if (!has_entry(t, r)) continue;
        t->rows[kept] = t->rows[r];
        memmove(t->entries + kept * t->n_columns,
                t->entries + r * t->n_columns,
                (size_t)t->n_columns * sizeof *t->entries);
        kept++;
    }
    t->n_rows = kept;
}

/* ---- the whole ----------------------------------------------------------- */

/** Adds what all runs have in common and no heading says. */
static void add_common(bl_text *text, const bl_json_value *tree)
{
    static const char *const shown[][2] = {
        {"data", ""}, {"imbalance", "F = "}, {"method", ""}};
    const bl_json_value *const common = bl_json_member(tree, "common");
    if (common == NULL || common->kind != BL_JSON_OBJECT) return;
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        const bl_json_value *const v = bl_json_member(common, shown[k][0]);
        if (v != NULL && v->kind == BL_JSON_STRING)
            bl_text_printf(text, ", %s%s", shown[k][1], v->string);
    }
}

/** "bbn-adaptors, cifar10, F = 50, bbn, 10 epochs (published: 200), 2 of 6
 *  runs". */
static bl_status read_subject(bl_plot_table *t, const bl_place *at)
{
    double epochs = (double)NAN, published = (double)NAN, cells = 0, done = 0;
    const char *name = NULL;
    bl_text text = {0};
    BL_TRY(bl_need_text(&name, at, t->tree, "study"));
    BL_TRY(bl_read_real(&epochs, at, t->tree, "epochs", 0));
    BL_TRY(bl_read_real(&published, at, t->tree, "epochs_published", 0));
    BL_TRY(bl_need_real(&cells, at, t->tree, "cells", 0));
    BL_TRY(bl_need_real(&done, at, t->tree, "finished", 0));
    bl_text_printf(&text, "%s", name);
    add_common(&text, t->tree);
    if (isfinite(epochs))
        bl_text_printf(&text, ", %.0f epoch%s", epochs, epochs > 1 ? "s" : "");
    if (isfinite(epochs) && isfinite(published) && published != epochs)
        bl_text_printf(&text, " (published: %.0f)", published);
    if (done < cells)
        bl_text_printf(&text, ", %.0f of %.0f runs", done, cells);
    t->subject = text.text;
    return text.status;
}

static bl_status read_members(bl_plot_table *t, const char *path)
{
    bl_place at = {.path = path};
    if (t->tree->kind != BL_JSON_OBJECT)
        return bl_place_wrong(&at, "the document", t->tree, "an object");
    BL_TRY(read_subject(t, &at));
    BL_TRY(read_rows(t, &at));
    BL_TRY(read_columns(t, &at));
    BL_TRY(read_entries(t, &at));
    drop_rows(t);
    return BL_OK;
}

bl_status bl_plot_table_load(bl_plot_table **out, const char *folder)
{
    bl_status status = BL_OK;
    bl_plot_table *t = NULL;
    char *path = NULL;
    BL_CHECK(bl_calloc(&t, 1, sizeof *t));
    BL_CHECK(bl_path_join(&path, folder, "table.json"));
    BL_CHECK(bl_json_read(&t->tree, path, FILE_LIMIT));
    BL_CHECK(read_members(t, path));
    *out = t;
    t = NULL;
done:
    bl_free(path);
    bl_plot_table_free(t);
    return status;
}

void bl_plot_table_free(bl_plot_table *table)
{
    if (table == NULL) return;
    for (int64_t c = 0; c < table->n_columns; c++) {
        bl_free(table->columns[c]);
        bl_free(table->headings[c]);
    }
    bl_free(table->subject);
    bl_free(table->column_axis);
    bl_free(table->rows);
    bl_free(table->columns);
    bl_free(table->headings);
    bl_free(table->alone);
    bl_free(table->entries);
    bl_json_value_free(table->tree);
    bl_free(table);
}
