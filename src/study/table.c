/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: rows and columns of a study, mean and deviation over seeds.
 *
 * A row is a label of the row axis, a column the labels of all other axes but
 * the seed; both are numbered as cells bring them.
 *
 * The deviation is that of a sample (n - 1), in two passes.  Published figures
 * are matched by what a cell is, not by where it stands, so they survive
 * other seeds and a narrower grid, and none stands beside another recipe.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "study/study.h"

/* ---- places ------------------------------------------------------------- */

/** A table and the texts of its rows; the table comes first. */
typedef struct owner {
    bl_study_table table;
    bl_numbering rows;
} owner;

/** A table being made. */
typedef struct making {
    const bl_study *s;
    bl_study_table *table;
    bl_numbering *rows, columns;
    int64_t *row, *column; /* [cells] where each cell belongs          */
    int64_t *column_cell;  /* [cells] first cell of each column        */
    bl_config *config;     /* of one cell, where its label is no axis  */
} making;

static bl_status choose_axes(bl_study_table *t, const bl_study *s)
{
    t->row_axis = s->rows;
    BL_TRY(bl_calloc(&t->axes, s->n_axes, sizeof *t->axes));
    for (int64_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axes[i], s->rows) != 0 &&
            strcmp(s->axes[i], "seed") != 0)
            t->axes[t->n_axes++] = s->axes[i];
    return BL_OK;
}

static bool is_axis(const bl_study *s, const char *name)
{
    for (int64_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axes[i], name) == 0) return true;
    return false;
}

static bl_status row_label(const char **out, making *m, int64_t i)
{
    *out = bl_grid_label(m->s, i, m->s->rows);
    if (*out != NULL) return BL_OK;
    *out = "";
    if (is_axis(m->s, m->s->rows)) return BL_OK;
    bl_config_free(m->config);
    m->config = NULL;
    BL_TRY(bl_study_config(&m->config, m->s, i));
    *out = bl_config_text(m->config, m->s->rows);
    return BL_OK;
}

static bl_status column_key(bl_text *key, const making *m, int64_t i)
{
    bl_text_add(key, "", 0);
    for (int64_t a = 0; a < m->table->n_axes; a++) {
        const char *const label = bl_grid_label(m->s, i, m->table->axes[a]);
        bl_text_printf(key, "%s\n", label != NULL ? label : "");
    }
    return key->status;
}

static bl_status place_cell(making *m, int64_t i)
{
    const char *row = NULL;
    bl_text key = {0};
    const int64_t n_columns = m->columns.n;
    BL_TRY(row_label(&row, m, i));
    BL_TRY(bl_numbering_of(&m->row[i], m->rows, row));
    bl_status status = column_key(&key, m, i);
    if (status >= 0)
        status = bl_numbering_of(&m->column[i], &m->columns, key.text);
    bl_text_free(&key);
    if (m->columns.n > n_columns) m->column_cell[n_columns] = i;
    return status;
}

static bl_status place_cells(making *m)
{
    const int64_t n = m->s->n;
    BL_TRY(bl_numbering_make(m->rows, n));
    BL_TRY(bl_numbering_make(&m->columns, n));
    BL_TRY(bl_calloc(&m->row, n, sizeof *m->row));
    BL_TRY(bl_calloc(&m->column, n, sizeof *m->column));
    BL_TRY(bl_calloc(&m->column_cell, n, sizeof *m->column_cell));
    for (int64_t i = 0; i < n; i++) BL_TRY(place_cell(m, i));
    return BL_OK;
}

/* Labels of the columns are those of the study's axes. */
static bl_status take_labels(making *m)
{
    bl_study_table *const t = m->table;
    t->n_rows = m->rows->n;
    t->n_columns = m->columns.n;
    BL_TRY(bl_calloc(&t->rows, t->n_rows, sizeof *t->rows));
    for (int64_t r = 0; r < t->n_rows; r++) t->rows[r] = m->rows->texts[r];
    BL_TRY(bl_calloc(&t->columns, t->n_columns * t->n_axes,
                     sizeof *t->columns));
    for (int64_t c = 0; c < t->n_columns; c++) {
        for (int64_t a = 0; a < t->n_axes; a++) {
            const char *const label =
                bl_grid_label(m->s, m->column_cell[c], t->axes[a]);
            t->columns[c * t->n_axes + a] = label != NULL ? label : "";
        }
    }
    return BL_OK;
}

/* ---- numbers ------------------------------------------------------------ */

static bl_table_entry *entry_of(const making *m, int64_t i)
{
    return &m->table->entries[m->row[i] * m->table->n_columns + m->column[i]];
}

static void add_up(const making *m)
{
    for (int64_t i = 0; i < m->s->n; i++) {
        const bl_cell *const cell = &m->s->records[i].cell;
        bl_table_entry *const e = entry_of(m, i);
        e->cells++;
        e->chooser = cell->chooser;
        if (cell->state != BL_CELL_FINISHED) continue;
        e->finished++;
        e->last += cell->error_last;
        e->best += cell->error_best;
    }
    const int64_t n = m->table->n_rows * m->table->n_columns;
    for (int64_t k = 0; k < n; k++) {
        bl_table_entry *const e = &m->table->entries[k];
        e->last = e->finished ? e->last / (double)e->finished : (double)NAN;
        e->best = e->finished ? e->best / (double)e->finished : (double)NAN;
        e->published = (double)NAN;
    }
}

static void spread(const making *m)
{
    for (int64_t i = 0; i < m->s->n; i++) {
        const bl_cell *const cell = &m->s->records[i].cell;
        bl_table_entry *const e = entry_of(m, i);
        if (cell->state != BL_CELL_FINISHED) continue;
        e->last_sd += pow(cell->error_last - e->last, 2);
        e->best_sd += pow(cell->error_best - e->best, 2);
    }
    const int64_t n = m->table->n_rows * m->table->n_columns;
    for (int64_t k = 0; k < n; k++) {
        bl_table_entry *const e = &m->table->entries[k];
        const double less = e->finished > 1 ? (double)(e->finished - 1)
                                            : (double)NAN;
        e->last_sd = sqrt(e->last_sd / less);
        e->best_sd = sqrt(e->best_sd / less);
    }
}

/* Published error of a place in the table, NaN where there is none. */
static double figure(const bl_study *s, int64_t i, const bl_config *config,
                     const char *row)
{
    const bl_figures *f = s->spec->figures;
    for (; f->row != NULL; f++) {
        if (strcmp(f->row, row) != 0) continue;
        for (int c = 0; c < BL_FIGURES && s->spec->columns_when[c]; c++)
            if (f->percent[c] > 0 &&
                bl_grid_fits(s, i, config, s->spec->columns_when[c]))
                return f->percent[c] / 100;
    }
    return (double)NAN;
}

/* A figure is of the recipe as it was published; of any other, none is. */
static bl_status published(double *out, const making *m, int64_t i)
{
    bl_config *config = NULL;
    bool repeats = false;
    BL_TRY(bl_study_config(&config, m->s, i));
    *out = figure(m->s, i, config, m->table->rows[m->row[i]]);
    bl_status status = BL_OK;
    if (!isnan(*out)) status = bl_study_repeats(&repeats, m->s, i, config);
    if (!repeats) *out = (double)NAN;
    bl_config_free(config);
    return status;
}

static bl_status add_published(const making *m)
{
    if (m->s->spec->figures == NULL) return BL_OK;
    for (int64_t i = 0; i < m->s->n; i++) {
        bl_table_entry *const e = entry_of(m, i);
        if (isnan(e->published)) BL_TRY(published(&e->published, m, i));
    }
    return BL_OK;
}

static bl_status make(making *m)
{
    bl_study_table *const t = m->table;
    BL_TRY(choose_axes(t, m->s));
    BL_TRY(place_cells(m));
    BL_TRY(take_labels(m));
    if (t->n_columns > BL_STUDY_ENTRIES / t->n_rows)
        return BL_RAISE(BL_EINVAL, "%s: a table of %lld rows and %lld "
                        "columns, wanted at most %d entries",
                        m->s->spec->type.name, (long long)t->n_rows,
                        (long long)t->n_columns, (int)BL_STUDY_ENTRIES);
    BL_TRY(bl_calloc(&t->entries, t->n_rows * t->n_columns,
                     sizeof *t->entries));
    add_up(m);
    spread(m);
    return add_published(m);
}

bl_status bl_study_table_create(bl_study_table **out, const bl_study *study)
{
    owner *made = NULL;
    BL_TRY(bl_calloc(&made, 1, sizeof *made));
    making m = {.s = study, .table = &made->table, .rows = &made->rows};
    const bl_status status = make(&m);
    bl_numbering_drop(&m.columns);
    bl_free(m.row);
    bl_free(m.column);
    bl_free(m.column_cell);
    bl_config_free(m.config);
    if (status < 0)
        bl_study_table_free(&made->table);
    else
        *out = &made->table;
    return status;
}

void bl_study_table_free(bl_study_table *table)
{
    if (table == NULL) return;
    owner *const made = (owner *)table;
    bl_numbering_drop(&made->rows);
    bl_free(table->axes);
    bl_free(table->rows);
    bl_free(table->columns);
    bl_free(table->entries);
    bl_free(made);
}

/* ---- writing ------------------------------------------------------------ */

const char *const bl_common_keys[BL_COMMON] = {
    "data", "imbalance", "method", "model", "epochs", "seed"};

/* Is what a key says said by the heading of a row or a column? */
static bool is_heading(const bl_study_table *t, const char *key)
{
    for (int64_t a = 0; a < t->n_axes; a++)
        if (strcmp(t->axes[a], key) == 0) return true;
    return strcmp(t->row_axis, key) == 0;
}

/* Clears what cell i has otherwise than the first. */
static bl_status compare_cell(bool common[BL_COMMON], const bl_study *s,
                              int64_t i, const bl_config *first)
{
    bl_config *config = NULL;
    BL_TRY(bl_study_config(&config, s, i));
    for (int k = 0; k < BL_COMMON; k++)
        if (strcmp(bl_config_text(config, bl_common_keys[k]),
                   bl_config_text(first, bl_common_keys[k])) != 0)
            common[k] = false;
    bl_config_free(config);
    return BL_OK;
}

static bl_status measure_common(bl_table_facts *facts, const bl_study *s,
                                const bl_study_table *table)
{
    for (int k = 0; k < BL_COMMON; k++) facts->common[k] = true;
    BL_TRY(bl_study_config(&facts->first, s, 0));
    for (int64_t i = 1; i < s->n; i++)
        BL_TRY(compare_cell(facts->common, s, i, facts->first));
    for (int k = 0; k < BL_COMMON; k++) {
        if (facts->common[k] && strcmp(bl_common_keys[k], "epochs") == 0)
            facts->epochs = bl_config_integer(facts->first, "epochs");
        if (is_heading(table, bl_common_keys[k])) facts->common[k] = false;
    }
    return BL_OK;
}

bl_status bl_table_measure(bl_table_facts *out, const bl_study *study,
                           const bl_study_table *table)
{
    const int64_t n = table->n_rows * table->n_columns;
    *out = (bl_table_facts){.cells = study->n};
    for (int64_t i = 0; i < study->n; i++) {
        const bl_cell *const cell = &study->records[i].cell;
        out->finished += cell->state == BL_CELL_FINISHED;
        out->choosers[cell->chooser] = true;
    }
    bool even = true;
    for (int64_t k = 0; k < n; k++) {
        const bl_table_entry *const e = &table->entries[k];
        out->published = out->published || !isnan(e->published);
        if (e->cells == 0) continue;
        if (out->seeds == 0) out->seeds = e->cells;
        even = even && out->seeds == e->cells;
    }
    if (!even) out->seeds = 0;
    BL_TRY(bl_study_mixed(&out->mixed, study));
    return measure_common(out, study, table);
}

void bl_table_facts_drop(bl_table_facts *facts)
{
    bl_config_free(facts->first);
    facts->first = NULL;
}

static bl_table_writer *const writers[] = {
    [BL_TABLE_TEXT] = bl_table_write_text,
    [BL_TABLE_MARKDOWN] = bl_table_write_markdown,
    [BL_TABLE_CSV] = bl_table_write_csv,
    [BL_TABLE_JSON] = bl_table_write_json,
};

bl_status bl_study_write(char **out, const bl_study *study,
                         bl_table_form form, int width)
{
    bl_status status = BL_OK;
    bl_study_table *table = NULL;
    bl_table_facts facts = {0};
    bl_text text = {0};
    BL_TRY(bl_study_table_create(&table, study));
    BL_CHECK(bl_table_measure(&facts, study, table));
    BL_CHECK(writers[form](&text, study, table, &facts, width));
    BL_CHECK(text.status);
    *out = text.text;
    text = (bl_text){0};
done:
    bl_text_free(&text);
    bl_table_facts_drop(&facts);
    bl_study_table_free(table);
    return status;
}

static bl_status save_one(const bl_study *study, bl_table_form form,
                          const char *name)
{
    enum { WIDTH = 80 };
    char *text = NULL, *path = NULL;
    bl_status status = BL_OK;
    BL_CHECK(bl_study_write(&text, study, form, WIDTH));
    BL_CHECK(bl_path_join(&path, study->folder, name));
    BL_CHECK(bl_file_write(path, text, strlen(text)));
done:
    bl_free(text);
    bl_free(path);
    return status;
}

bl_status bl_study_save(const bl_study *study)
{
    if (study->folder == NULL)
        return BL_RAISE(BL_EINVAL, "%s: was opened without a folder",
                        study->spec->type.name);
    BL_TRY(bl_folder_create(study->folder));
    BL_TRY(save_one(study, BL_TABLE_TEXT, "table.txt"));
    BL_TRY(save_one(study, BL_TABLE_MARKDOWN, "table.md"));
    BL_TRY(save_one(study, BL_TABLE_CSV, "table.csv"));
    return save_one(study, BL_TABLE_JSON, "table.json");
}
