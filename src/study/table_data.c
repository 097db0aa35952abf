/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_data.c: tables for programs, errors as fractions.
 *
 * CSV has a line an entry and the axes as columns, which is what spreadsheets
 * and data frames pivot; an unknown number is an empty field.  JSON has the
 * entries and beside them every cell.  Folders stand relative to the study's,
 * so that the study can be moved.
 */
#include <math.h>
#include <string.h>

#include "ballast/json.h"
#include "core/error.h"
#include "study/study.h"

/* ---- CSV (RFC 4180, lines end with a newline) --------------------------- */

static void add_field(bl_text *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        bl_text_add(out, text, strlen(text));
        return;
    }
    bl_text_add(out, "\"", 1);
    for (; *text != '\0'; text++) {
        if (*text == '"') bl_text_add(out, "\"", 1);
        bl_text_add(out, text, 1);
    }
    bl_text_add(out, "\"", 1);
}

static void add_number(bl_text *out, double value)
{
    char text[32] = "";
    if (isfinite(value)) bl_real_format(text, value);
    bl_text_printf(out, ",%s", text);
}

static void add_line(bl_text *out, const bl_study_table *t, int64_t r,
                     int64_t c)
{
    const bl_table_entry *const e = &t->entries[r * t->n_columns + c];
    const double numbers[] = {
        e->last, e->last_sd, e->best, e->best_sd, e->published,
        e->last - e->published, e->best - e->published};
    add_field(out, t->rows[r]);
    for (int64_t a = 0; a < t->n_axes; a++) {
        bl_text_add(out, ",", 1);
        add_field(out, t->columns[c * t->n_axes + a]);
    }
    bl_text_printf(out, ",%lld,%lld", (long long)e->cells,
                   (long long)e->finished);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_number(out, numbers[i]);
    bl_text_add(out, "\n", 1);
}

bl_status bl_table_write_csv(bl_text *out, const bl_study *study,
                             const bl_study_table *table,
                             const bl_table_facts *facts, int width)
{
    (void)study;
    (void)facts;
    (void)width;
    add_field(out, table->row_axis);
    for (int64_t a = 0; a < table->n_axes; a++) {
        bl_text_add(out, ",", 1);
        add_field(out, table->axes[a]);
    }
    bl_text_printf(out, ",cells,finished,error_last,error_last_sd,error_best,"
                   "error_best_sd,published,difference_last,"
                   "difference_best\n");
    for (int64_t r = 0; r < table->n_rows; r++)
        for (int64_t c = 0; c < table->n_columns; c++)
            if (table->entries[r * table->n_columns + c].cells > 0)
                add_line(out, table, r, c);
    return out->status;
}

/* ---- JSON --------------------------------------------------------------- */

static void json_texts(bl_json *json, const char *key,
                       const char *const *texts, int64_t n)
{
    bl_json_on_line(json);
    bl_json_array(json, key);
    for (int64_t i = 0; i < n; i++) bl_json_string(json, NULL, texts[i]);
    bl_json_close(json);
}

static void json_chooser(bl_json *json, bl_chooser chooser)
{
    static const char *const names[BL_CHOOSERS] = {
        [BL_CHOSEN_TEST] = "test images", [BL_CHOSEN_HELD] = "held-out images"};
    if (names[chooser] != NULL)
        bl_json_string(json, "best_epoch_chosen_by", names[chooser]);
    else
        bl_json_null(json, "best_epoch_chosen_by");
}

/* The one that chose every best epoch, BL_CHOSEN_NOT where there is none. */
static bl_chooser only_chooser(const bl_table_facts *facts)
{
    const bool test = facts->choosers[BL_CHOSEN_TEST];
    if (test == facts->choosers[BL_CHOSEN_HELD]) return BL_CHOSEN_NOT;
    return test ? BL_CHOSEN_TEST : BL_CHOSEN_HELD;
}

static void json_entry(bl_json *json, const bl_study_table *t, int64_t r,
                       int64_t c)
{
    const bl_table_entry *const e = &t->entries[r * t->n_columns + c];
    bl_json_object(json, NULL);
    bl_json_string(json, "row", t->rows[r]);
    json_texts(json, "column", &t->columns[c * t->n_axes], t->n_axes);
    bl_json_integer(json, "cells", e->cells);
    bl_json_integer(json, "finished", e->finished);
    bl_json_real(json, "error_last", e->last);
    bl_json_real(json, "error_last_sd", e->last_sd);
    bl_json_real(json, "error_best", e->best);
    bl_json_real(json, "error_best_sd", e->best_sd);
    json_chooser(json, e->chooser);
    bl_json_real(json, "published", e->published);
    bl_json_real(json, "difference_last", e->last - e->published);
    bl_json_real(json, "difference_best", e->best - e->published);
    bl_json_close(json);
}

static void json_labels(bl_json *json, const bl_study *s, int64_t i)
{
    bl_json_object(json, "labels");
    for (int64_t a = 0; a < s->n_axes; a++) {
        const char *const label = bl_grid_label(s, i, s->axes[a]);
        if (label != NULL) bl_json_string(json, s->axes[a], label);
    }
    bl_json_close(json);
}

static void json_cell(bl_json *json, const bl_study *s, int64_t i)
{
    const bl_cell *const cell = &s->records[i].cell;
    const char *const folder = cell->folder;
    const size_t root = s->folder != NULL ? strlen(s->folder) + 1 : 0;
    bl_json_object(json, NULL);
    bl_json_string(json, "label", cell->label);
    json_labels(json, s, i);
    bl_json_string(json, "folder", folder + root);
    bl_json_string(json, "state", bl_cell_state_name(cell->state));
    bl_json_integer(json, "epochs", cell->epochs);
    bl_json_integer(json, "epoch", cell->epoch);
    bl_json_real(json, "error_last", cell->error_last);
    bl_json_real(json, "error_best", cell->error_best);
    bl_json_integer(json, "best_epoch", cell->best_epoch);
    bl_json_real(json, "seconds", cell->seconds);
    bl_json_real(json, "samples_per_second", cell->samples_per_second);
    bl_json_close(json);
}

/* A number where it is known. */
static void json_positive(bl_json *json, const char *key, int64_t value)
{
    if (value > 0)
        bl_json_integer(json, key, value);
    else
        bl_json_null(json, key);
}

/* What all cells have in common, as text. */
static void json_common(bl_json *json, const bl_table_facts *facts)
{
    bl_json_on_line(json);
    bl_json_object(json, "common");
    for (int k = 0; k < BL_COMMON; k++)
        if (facts->common[k])
            bl_json_string(json, bl_common_keys[k],
                           bl_config_text(facts->first, bl_common_keys[k]));
    bl_json_close(json);
}

static void json_facts(bl_json *json, const bl_study *study,
                       const bl_study_table *table,
                       const bl_table_facts *facts)
{
    const bl_study_type *const type = &study->spec->type;
    bl_json_string(json, "study", type->name);
    bl_json_string(json, "summary", type->summary);
    bl_json_string(json, "paper", type->paper);
    json_positive(json, "epochs", facts->epochs);
    json_positive(json, "epochs_published",
                  facts->published ? type->epochs : 0);
    json_common(json, facts);
    json_chooser(json, only_chooser(facts));
    bl_json_integer(json, "cells", facts->cells);
    bl_json_integer(json, "finished", facts->finished);
    bl_json_string(json, "row_axis", table->row_axis);
    json_texts(json, "column_axes", table->axes, table->n_axes);
    json_texts(json, "rows", table->rows, table->n_rows);
    bl_json_array(json, "columns");
    for (int64_t c = 0; c < table->n_columns; c++)
        json_texts(json, NULL, &table->columns[c * table->n_axes],
                   table->n_axes);
    bl_json_close(json);
}

static void json_all(bl_json *json, const bl_study *study,
                     const bl_study_table *table, const bl_table_facts *facts)
{
    bl_json_object(json, NULL);
    json_facts(json, study, table, facts);
    bl_json_array(json, "entries");
    for (int64_t r = 0; r < table->n_rows; r++)
        for (int64_t c = 0; c < table->n_columns; c++)
            if (table->entries[r * table->n_columns + c].cells > 0)
                json_entry(json, table, r, c);
    bl_json_close(json);
    bl_json_array(json, "runs");
    for (int64_t i = 0; i < study->n; i++) json_cell(json, study, i);
    bl_json_close(json);
    bl_json_close(json);
}

bl_status bl_table_write_json(bl_text *out, const bl_study *study,
                              const bl_study_table *table,
                              const bl_table_facts *facts, int width)
{
    bl_json *json = NULL;
    const char *text = NULL;
    size_t bytes = 0;
    (void)width;
    BL_TRY(bl_json_create(&json, 1));
    json_all(json, study, table, facts);
    const bl_status status = bl_json_text(json, &text, &bytes);
    if (status >= 0) {
        bl_text_add(out, text, bytes);
        if (bytes > 0 && text[bytes - 1] != '\n') bl_text_add(out, "\n", 1);
    }
    bl_json_free(json);
    return status < 0 ? status : out->status;
}
