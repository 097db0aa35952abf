/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_text.c: tables for people, in per cent.
 *
 * Two tables, for there are two protocols: the error after the last epoch is
 * the honest one, and the best epoch on the test split is what most papers
 * print.  They are never mixed; where the test images chose some best epochs
 * and images held out the others, these have a star.  Where a figure is
 * published it stands beside ours with the difference (ours less theirs:
 * negative is better).
 *
 * On a terminal the column axes are lines of a heading, and a table that is
 * too wide goes on below.  Markdown has one line of heading and no width, and
 * what it would read as its own is escaped.
 */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "study/study.h"

enum { NUMBER = 48, GAP = 2, KINDS = 2 };

/** One of the two tables. */
typedef struct view {
    const bl_study_table *table;
    const bl_table_facts *facts;
    bool best;
    const char *star; /* as the form writes it */
} view;

/* ---- texts of an entry -------------------------------------------------- */

static const bl_table_entry *entry_at(const view *v, int64_t r, int64_t c)
{
    return &v->table->entries[r * v->table->n_columns + c];
}

/* Did some best epochs have the one chooser, some the other? */
static bool differ(const bl_table_facts *facts)
{
    return facts->choosers[BL_CHOSEN_TEST] && facts->choosers[BL_CHOSEN_HELD];
}

static const char *star_of(const view *v, const bl_table_entry *e)
{
    return v->best && differ(v->facts) && e->chooser == BL_CHOSEN_HELD
               ? v->star : "";
}

/* "29.64", "29.64*", "29.64 (0.31)", "29.64 [1 of 3]", "-". */
static void write_own(char out[NUMBER], const view *v, const bl_table_entry *e)
{
    const double mean = v->best ? e->best : e->last;
    const double sd = v->best ? e->best_sd : e->last_sd;
    char spread[16] = "", part[32] = "";
    out[0] = '\0';
    if (e->cells == 0) return;
    if (!isnan(sd)) bl_format(spread, sizeof spread, " (%.2f)", 100 * sd);
    if (e->finished > 0 && e->finished < e->cells)
        bl_format(part, sizeof part, " [%d of %d]", (int)e->finished,
                  (int)e->cells);
    if (isnan(mean))
        bl_format(out, NUMBER, "-");
    else
        bl_format(out, NUMBER, "%.2f%s%s%s", 100 * mean, star_of(v, e),
                  spread, part);
}

static void write_published(char out[NUMBER], const bl_table_entry *e)
{
    out[0] = '\0';
    if (!isnan(e->published))
        bl_format(out, NUMBER, "%.2f", 100 * e->published);
}

static void write_difference(char out[NUMBER], const view *v,
                             const bl_table_entry *e)
{
    const double own = v->best ? e->best : e->last;
    out[0] = '\0';
    if (!isnan(own - e->published))
        bl_format(out, NUMBER, "%+.2f", 100 * (own - e->published));
}

/** The three numbers of an entry, and what they are called. */
enum { PARTS = 3 };
static const char *const part_names[PARTS] = {"here", "paper", "diff"};

static void write_part(char out[NUMBER], const view *v, int64_t r, int64_t c,
                       int part)
{
    const bl_table_entry *const e = entry_at(v, r, c);
    if (part == 0) write_own(out, v, e);
    if (part == 1) write_published(out, e);
    if (part == 2) write_difference(out, v, e);
}

static int parts_of(const view *v)
{
    return v->facts->published ? PARTS : 1;
}

/* ---- headings ----------------------------------------------------------- */

static void add_over(bl_text *out, const view *v)
{
    const int64_t seeds = v->facts->seeds;
    if (seeds > 1)
        bl_text_printf(out, "\nmean (standard deviation) over %lld seeds",
                       (long long)seeds);
    if (seeds == 0)
        bl_text_printf(out, "\nmean (standard deviation) over seeds");
}

typedef void add_words(bl_text *out, const char *text);

static void add_plain(bl_text *out, const char *text)
{
    bl_text_add(out, text, strlen(text));
}

/* Name and summary, and below them what no heading says. */
static void add_caption(bl_text *out, const bl_study *study,
                        const bl_table_facts *facts, add_words *add)
{
    const bl_study_type *const type = &study->spec->type;
    const char *before = "\n";
    add(out, type->name);
    if (type->summary[0] != '\0') bl_text_printf(out, ": %s", type->summary);
    for (int k = 0; k < BL_COMMON; k++) {
        if (!facts->common[k]) continue;
        bl_text_printf(out, "%s%s ", before, bl_common_keys[k]);
        add(out, bl_config_text(facts->first, bl_common_keys[k]));
        before = ", ";
    }
    bl_text_printf(out, "\n\n");
}

static void add_title(bl_text *out, const view *v)
{
    const bl_table_facts *const facts = v->facts;
    if (!v->best)
        bl_text_printf(out, "Test error after the last epoch, %%");
    else if (facts->choosers[BL_CHOSEN_TEST])
        bl_text_printf(out, "Test error at the best epoch, which the test "
                       "images chose, %%");
    else if (facts->choosers[BL_CHOSEN_HELD])
        bl_text_printf(out, "Test error at the epoch that held-out images "
                       "chose, %%");
    else
        bl_text_printf(out, "Test error at the best epoch, %%");
    if (v->best && differ(facts))
        bl_text_printf(out, "\n%s: at the epoch that held-out images chose",
                       v->star);
    add_over(out, v);
}

/* Does the caption name a key? */
static bool is_told(const bl_table_facts *facts, const char *key)
{
    for (int k = 0; k < BL_COMMON; k++)
        if (strcmp(bl_common_keys[k], key) == 0) return facts->common[k];
    return false;
}

/* What a caller set beyond the axes, and no caption says. */
static void add_changes(bl_text *out, const bl_study *study,
                        const bl_table_facts *facts)
{
    const char *before = "Set for every cell: ";
    for (int64_t i = 0; i < study->n_changes; i++) {
        const bl_change *const c = &study->changes[i];
        if (c->axis || c->adds || bl_identity_passes_over(c->key)) continue;
        if (is_told(facts, c->key)) continue;
        bl_text_printf(out, "%s%s=%s", before, c->key, c->value);
        before = ", ";
    }
    if (before[0] == ',') bl_text_printf(out, "\n");
}

/* Results of images that were exchanged are no comparison. */
static void add_mixed(bl_text *out, const bl_table_facts *facts)
{
    if (facts->mixed == NULL) return;
    bl_text_printf(out, "Not all cells saw the same images of %.*s: "
                   "data_fingerprint differs in their run.yaml.\n",
                   (int)strcspn(facts->mixed, "\n"), facts->mixed);
}

static void add_notes(bl_text *out, const bl_study *study,
                      const bl_table_facts *facts)
{
    const bl_study_type *const type = &study->spec->type;
    if (facts->finished < facts->cells)
        bl_text_printf(out, "%lld of %lld cells are finished.\n",
                       (long long)facts->finished, (long long)facts->cells);
    if (facts->choosers[BL_CHOSEN_NOT])
        bl_text_printf(out, "A classifier that was rewritten after training "
                       "is of no epoch: best is -.\n");
    add_mixed(out, facts);
    add_changes(out, study, facts);
    if (!facts->published) return;
    if (type->epochs > 0 && facts->epochs != type->epochs) {
        bl_text_printf(out, "%lld epochs in the papers, ",
                       (long long)type->epochs);
        if (facts->epochs > 0)
            bl_text_printf(out, "%lld here.\n", (long long)facts->epochs);
        else
            bl_text_printf(out, "others here.\n");
    }
    bl_text_printf(out, "paper: %s\n", type->paper);
}

/* ---- terminal ----------------------------------------------------------- */

/* Columns a text takes, one a code point. */
static int columns_of(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void add_blanks(bl_text *out, int n)
{
    if (n > 0) bl_text_printf(out, "%*s", n, "");
}

static void add_left(bl_text *out, const char *text, int width)
{
    add_plain(out, text);
    add_blanks(out, width - columns_of(text));
}

static void add_right(bl_text *out, const char *text, int width)
{
    add_blanks(out, width - columns_of(text));
    add_plain(out, text);
}

/* No blanks at the end of a line. */
static void end_line(bl_text *out)
{
    while (out->bytes > 0 && out->text[out->bytes - 1] == ' ')
        out->text[--out->bytes] = '\0';
    bl_text_add(out, "\n", 1);
}

static const char *shown(const char *label)
{
    return label[0] != '\0' ? label : "-";
}

static const char *column_label(const view *v, int64_t c, int64_t a)
{
    return shown(v->table->columns[c * v->table->n_axes + a]);
}

/* Width of each part of column c, and of all with their gaps. */
static int measure_column(int widths[PARTS], const view *v, int64_t c)
{
    char text[NUMBER];
    const int n = parts_of(v);
    int total = GAP * (n - 1), label = 0;
    for (int p = 0; p < n; p++) {
        widths[p] = n > 1 ? columns_of(part_names[p]) : 0;
        for (int64_t r = 0; r < v->table->n_rows; r++) {
            write_part(text, v, r, c, p);
            widths[p] = larger(widths[p], columns_of(text));
        }
        total += widths[p];
    }
    for (int64_t a = 0; a < v->table->n_axes; a++)
        label = larger(label, columns_of(column_label(v, c, a)));
    if (label > total) {
        widths[0] += label - total;
        total = label;
    }
    return total;
}

static int measure_rows(const view *v)
{
    int width = columns_of(v->table->row_axis);
    for (int64_t a = 0; a < v->table->n_axes; a++)
        width = larger(width, columns_of(v->table->axes[a]));
    for (int64_t r = 0; r < v->table->n_rows; r++)
        width = larger(width, columns_of(shown(v->table->rows[r])));
    return width;
}

/* Columns from..to of the heading. */
static void add_heading(bl_text *out, const view *v, int rows, int64_t from,
                        int64_t to)
{
    int widths[PARTS];
    for (int64_t a = 0; a < v->table->n_axes; a++) {
        add_left(out, v->table->axes[a], rows);
        for (int64_t c = from; c < to; c++) {
            const int total = measure_column(widths, v, c);
            add_blanks(out, GAP);
            add_right(out, column_label(v, c, a), total);
        }
        end_line(out);
    }
    add_left(out, v->table->row_axis, rows);
    for (int64_t c = from; c < to && parts_of(v) > 1; c++) {
        (void)measure_column(widths, v, c);
        for (int p = 0; p < parts_of(v); p++) {
            add_blanks(out, GAP);
            add_right(out, part_names[p], widths[p]);
        }
    }
    end_line(out);
}

/** Widths of the columns of one stretch are found once. */
static bl_status add_stretch(bl_text *out, const view *v, int rows,
                             int64_t from, int64_t to)
{
    int (*widths)[PARTS] = NULL; /* [to - from][PARTS] */
    char text[NUMBER];
    BL_TRY(bl_calloc(&widths, to - from, sizeof *widths));
    for (int64_t c = from; c < to; c++)
        (void)measure_column(widths[c - from], v, c);
    add_heading(out, v, rows, from, to);
    for (int64_t r = 0; r < v->table->n_rows; r++) {
        add_left(out, shown(v->table->rows[r]), rows);
        for (int64_t c = from; c < to; c++) {
            for (int p = 0; p < parts_of(v); p++) {
                write_part(text, v, r, c, p);
                add_blanks(out, GAP);
                add_right(out, text, widths[c - from][p]);
            }
        }
        end_line(out);
    }
    bl_free(widths);
    return out->status;
}

/* As many columns side by side as fit, at least one. */
static bl_status add_table(bl_text *out, const view *v, int width)
{
    const int rows = measure_rows(v);
    int widths[PARTS];
    for (int64_t from = 0, to; from < v->table->n_columns; from = to) {
        int used = rows;
        for (to = from; to < v->table->n_columns; to++) {
            const int next = GAP + measure_column(widths, v, to);
            if (to > from && used + next > width) break;
            used += next;
        }
        if (from > 0) bl_text_add(out, "\n", 1);
        BL_TRY(add_stretch(out, v, rows, from, to));
    }
    return BL_OK;
}

bl_status bl_table_write_text(bl_text *out, const bl_study *study,
                              const bl_study_table *table,
                              const bl_table_facts *facts, int width)
{
    add_caption(out, study, facts, add_plain);
    for (int best = 0; best < KINDS; best++) {
        const view v = {table, facts, best, "*"};
        add_title(out, &v);
        bl_text_printf(out, "\n\n");
        BL_TRY(add_table(out, &v, width));
        bl_text_add(out, "\n", 1);
    }
    add_notes(out, study, facts);
    return out->status;
}

/* ---- Markdown ----------------------------------------------------------- */

/* A bar would end the field; the others begin a link, a tag, a formula. */
static void add_field(bl_text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|\\`*_~[]<>&$", *text) != NULL)
            bl_text_add(out, "\\", 1);
        bl_text_add(out, text, 1);
    }
}

static void add_fields_head(bl_text *out, const view *v)
{
    bl_text_printf(out, "| ");
    add_field(out, v->table->row_axis);
    for (int64_t a = 0; a < v->table->n_axes; a++) {
        bl_text_printf(out, "%s", a > 0 ? ", " : " by ");
        add_field(out, v->table->axes[a]);
    }
    for (int64_t c = 0; c < v->table->n_columns; c++) {
        bl_text_printf(out, " | ");
        for (int64_t a = 0; a < v->table->n_axes; a++) {
            bl_text_printf(out, "%s", a > 0 ? ", " : "");
            add_field(out, column_label(v, c, a));
        }
        if (v->table->n_axes == 0) bl_text_printf(out, "error");
        for (int p = 1; p < parts_of(v); p++)
            bl_text_printf(out, " | %s", part_names[p]);
    }
    bl_text_printf(out, " |\n|---");
    for (int64_t c = 0; c < v->table->n_columns * parts_of(v); c++)
        bl_text_printf(out, "|--:");
    bl_text_printf(out, "|\n");
}

static void add_fields(bl_text *out, const view *v)
{
    char text[NUMBER];
    add_fields_head(out, v);
    for (int64_t r = 0; r < v->table->n_rows; r++) {
        bl_text_printf(out, "| ");
        add_field(out, shown(v->table->rows[r]));
        for (int64_t c = 0; c < v->table->n_columns; c++) {
            for (int p = 0; p < parts_of(v); p++) {
                write_part(text, v, r, c, p);
                bl_text_printf(out, " | %s", text);
            }
        }
        bl_text_printf(out, " |\n");
    }
}

bl_status bl_table_write_markdown(bl_text *out, const bl_study *study,
                                  const bl_study_table *table,
                                  const bl_table_facts *facts, int width)
{
    (void)width;
    add_caption(out, study, facts, add_field);
    for (int best = 0; best < KINDS; best++) {
        const view v = {table, facts, best, "\\*"};
        add_title(out, &v);
        bl_text_printf(out, "\n\n");
        add_fields(out, &v);
        bl_text_add(out, "\n", 1);
    }
    add_notes(out, study, facts);
    return out->status;
}
