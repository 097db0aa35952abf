/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: the table of a study: a column as bars, all of it as a map.
 *
 * Bars lie, so that names of methods can be read; a whisker is the deviation
 * over seeds on either side, a diamond the published figure.  Their axis
 * begins at 0 and ends at a round number.  The map is for tables whose rows
 * and columns both mean something, as features by one method and classifiers
 * by another; its colours run from the least error to the largest, for there
 * the differences are small.  What a first stage reached alone is no choice
 * of the second: it stands beside on grey, and stretches no colours.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "plot/plot.h"

enum {
    WIDTH = 720, /* px of the pictures                        */
    RIGHT = 598, /* where the map ends, its scale follows     */
    NAME = 34,   /* characters of a row's name                */
    LETTER = 8,  /* px of a character, about                  */
    BAR = 30     /* px of a row                               */
};

int bl_plot_table_height(int64_t n_rows)
{
    const int64_t height = 185 + BAR * n_rows;
    return height < 300 ? 300 : (int)height;
}

/** Does a row stand in the picture of a column?  -1: in the map. */
static bool is_shown(const bl_plot_table *t, int64_t row, int64_t column)
{
    return column < 0 ||
           isfinite(t->entries[row * t->n_columns + column].last);
}

int64_t bl_plot_column_rows(const bl_plot_table *table, int64_t column)
{
    int64_t n = 0;
    for (int64_t r = 0; r < table->n_rows; r++)
        n += is_shown(table, r, column);
    return n;
}

/* ---- axes ---------------------------------------------------------------- */

static int characters(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n < NAME ? n : NAME;
}

/** Rows from top to bottom; gives the px that the longest name takes. */
static int set_rows(bl_text *script, const bl_plot_table *t, int64_t column,
                    int others)
{
    int widest = others;
    int64_t n = 0;
    bl_text_printf(script, "set ytics scale 0 (");
    for (int64_t r = 0; r < t->n_rows; r++) {
        if (!is_shown(t, r, column)) continue;
        if (characters(t->rows[r]) > widest) widest = characters(t->rows[r]);
        bl_text_printf(script, "%s", n > 0 ? ", " : "");
        bl_script_tic(script, t->rows[r], NAME);
        bl_text_printf(script, " %" PRId64, ++n);
    }
    bl_text_printf(script, ")\nset yrange [%" PRId64 ".5:0.5]\n"
                   "set lmargin at screen %d/%d.0\n", n,
                   50 + LETTER * widest, WIDTH);
    return 50 + LETTER * widest;
}

/* ---- bars ---------------------------------------------------------------- */

/** Columns: row, error, deviation (0 where there is none), published. */
static void add_column(bl_text *script, const bl_plot_table *t, int64_t column)
{
    int64_t n = 0;
    bl_script_data(script, "column");
    for (int64_t r = 0; r < t->n_rows; r++) {
        const bl_plot_entry *const e = &t->entries[r * t->n_columns + column];
        if (!is_shown(t, r, column)) continue;
        bl_script_real(script, (double)++n);
        bl_script_real(script, 100 * e->last);
        bl_script_real(script, isfinite(e->sd) ? 100 * e->sd : 0);
        bl_script_real(script, 100 * e->published);
        bl_text_printf(script, "\n");
    }
    bl_script_end_data(script);
}

static bool has_published(const bl_plot_table *t, int64_t column)
{
    for (int64_t r = 0; r < t->n_rows; r++)
        if (is_shown(t, r, column) &&
            isfinite(t->entries[r * t->n_columns + column].published))
            return true;
    return false;
}

static bool has_deviation(const bl_plot_table *t, int64_t column)
{
    for (int64_t r = 0; r < t->n_rows; r++)
        if (isfinite(t->entries[r * t->n_columns + column].sd)) return true;
    return false;
}

/** Where the axis of errors ends: at most ten round steps from 0, and never
 *  beyond all images. */
static double axis_end(const bl_plot_table *t, int64_t column)
{
    static const double steps[] = {0.2, 0.5, 1, 2, 5, 10};
    double top = 0;
    size_t i = 0;
    for (int64_t r = 0; r < t->n_rows; r++) {
        const bl_plot_entry *const e = &t->entries[r * t->n_columns + column];
        if (!is_shown(t, r, column)) continue;
        top = fmax(top, 100 * (e->last + (isfinite(e->sd) ? e->sd : 0)));
        top = fmax(top, 100 * e->published); /* fmax passes NaN over */
    }
    while (i + 1 < sizeof steps / sizeof *steps && top > 10 * steps[i]) i++;
    return fmin(fmax(ceil(top / steps[i]), 1) * steps[i], 100);
}

static void add_title(bl_text *script, const bl_plot_table *t,
                      const char *heading)
{
    bl_text title = {0};
    bl_text_printf(&title, "Test error after the last epoch%s%s",
                   *heading ? ": " : "", heading);
    if (title.status == BL_OK)
        bl_script_title(script, title.text, t->subject);
    else if (script->status == BL_OK)
        script->status = title.status;
    bl_text_free(&title);
}

/** Margins that are the same number of px whatever the height. */
static void set_margins(bl_text *script, int height)
{
    bl_text_printf(script, "set tmargin at screen 1-95.0/%d\n"
                   "set bmargin at screen 75.0/%d\n", height, height);
}

void bl_plot_draw_column(bl_text *script, const bl_plot_table *table,
                         int64_t column)
{
    add_column(script, table, column);
    add_title(script, table, table->headings[column]);
    (void)set_rows(script, table, column, 0);
    set_margins(script,
                bl_plot_table_height(bl_plot_column_rows(table, column)));
    bl_text_printf(script, "set xrange [0:");
    bl_script_real(script, axis_end(table, column));
    bl_text_printf(script,
                   "]\nset rmargin at screen 0.9\n"
                   "set xlabel 'test error, %%'\n"
                   "unset grid\nset grid x linecolor rgb '#DDDDDD' linetype 1\n"
                   "set style fill solid noborder\n"
                   "set key maxrows 1\n"
                   "plot $column using (0.5*$2):1:(0):2:($1-0.36):($1+0.36) "
                   "with boxxyerror linecolor rgb '" BL_BLUE "' title "
                   "'measured'");
    if (has_deviation(table, column))
        bl_text_printf(script, ", $column using 2:1:3 with xerrorbars "
                       "pointtype 0 linewidth 1.5 linecolor rgb '#202020' "
                       "title 'deviation'");
    if (has_published(table, column))
        bl_text_printf(script, ", $column using 4:1 with points pointtype 13 "
                       "pointsize 1.2 linecolor rgb '" BL_ORANGE
                       "' title 'published'");
    bl_text_printf(script, ", $column using ($4>$2+$3?$4:$2+$3):1:"
                   "(sprintf('%%.2f',$2)) "
                           "with labels left offset char 1,0 notitle\n");
}

/* ---- the map ------------------------------------------------------------- */

/** What is written in a place of the map, and on what. */
enum { DARK, LIGHT, NOTHING, ON_GREY };

/** Columns: column, row, error, ink. */
static void add_entries(bl_text *script, const bl_plot_table *t, double turn)
{
    bl_script_data(script, "entries");
    for (int64_t r = 0; r < t->n_rows; r++)
        for (int64_t c = 0; c < t->n_columns; c++) {
            const double value = 100 * t->entries[r * t->n_columns + c].last;
            bl_text_printf(script, "%" PRId64 "\t%" PRId64 "\t", c + 1, r + 1);
            bl_script_real(script, value);
            bl_text_printf(script, "%d\n",
                           !isfinite(value) ? NOTHING
                           : t->alone[c]    ? ON_GREY
                           : value > turn   ? LIGHT
                                            : DARK);
        }
    bl_script_end_data(script);
}

/** Names lie where there is room for them, and slant where there is not; what
 *  they are names of stands below them. */
static void set_columns(bl_text *script, const bl_plot_table *t, int room)
{
    int widest = 0;
    for (int64_t c = 0; c < t->n_columns; c++)
        if (characters(t->columns[c]) > widest)
            widest = characters(t->columns[c]);
    const bool lie = LETTER * widest * t->n_columns < room;
    bl_text_printf(script, "set bmargin at screen %s\n"
                   "set xrange [0.5:%" PRId64 ".5]\nset xlabel ",
                   lie ? "0.15" : "0.27", t->n_columns);
    bl_script_string(script, t->column_axis, NAME);
    bl_text_printf(script, "\nset xtics %s scale 0 (",
                   lie ? "norotate" : "rotate by 25 right");
    for (int64_t c = 0; c < t->n_columns; c++) {
        bl_script_tic(script, t->columns[c], NAME);
        bl_text_printf(script, " %" PRId64 "%s", c + 1,
                       c + 1 < t->n_columns ? ", " : ")\n");
    }
}

/** From the least error to the largest; gives where text turns white. */
static double set_colours(bl_text *script, const bl_plot_table *t)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int64_t i = 0; i < t->n_rows * t->n_columns; i++) {
        const double value = 100 * t->entries[i].last;
        if (!isfinite(value) || t->alone[i % t->n_columns]) continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    if (low > high) low = 0;
    if (!(high > low)) high = low + 1;
    bl_text_printf(script, "set cbrange [");
    bl_script_real(script, low);
    bl_text_printf(script, ":");
    bl_script_real(script, high);
    bl_text_printf(script, "]\nset cblabel 'test error, %%'\n"
                           "set palette defined (0 '#F7FBFF', 25 '#C6DBEF', "
                           "50 '#6BAED6', 75 '#2171B5', 100 '#08306B')\n");
    return low + 0.6 * (high - low);
}

void bl_plot_draw_map(bl_text *script, const bl_plot_table *table)
{
    static const char *const inks[] = {
        [DARK] = "#202020", [LIGHT] = "#FFFFFF", [ON_GREY] = "#202020"};
    add_entries(script, table, set_colours(script, table));
    add_title(script, table, "");
    const int left = set_rows(script, table, -1, 10);
    set_columns(script, table, RIGHT - left);
    bl_text_printf(script, "set datafile missing\n"
                           "set rmargin at screen %d/%d.0\n"
                           "set cblabel offset 1,0\n"
                           "unset grid\nset border 15\nset label ",
                   RIGHT, WIDTH);
    bl_script_string(script, table->row_axis, NAME);
    bl_text_printf(script, " at screen 0.03,0.54 center rotate\n"
                   "plot $entries using 1:2:($4==%d?NaN:$3) with image pixels "
                   "notitle, $entries using ($4==%d?$1:NaN):2:(0.5):(0.5) "
                   "with boxxyerror fillstyle solid noborder "
                   "linecolor rgb '#EEEEEE' notitle", ON_GREY, ON_GREY);
    for (int i = DARK; i <= ON_GREY; i++)
        if (inks[i] != NULL)
            bl_text_printf(script, ", $entries using 1:2:($4==%d?"
                           "sprintf('%%.1f',$3):'') with labels "
                           "textcolor rgb '%s' notitle", i, inks[i]);
    bl_text_printf(script, "\n");
}
