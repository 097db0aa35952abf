/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confusion.c: which class is taken for which, in per cent of the true class.
 *
 * Classes stand from head to tail, so that a tail which is taken for the head
 * darkens the lower left.  One hue from light to dark survives every kind of
 * colour blindness and a black and white printer.  As few classes as have
 * room have their names, and fewer the numbers as well.
 */
#include <inttypes.h>
#include <math.h>

#include "plot/plot.h"

enum { NAMED = 20, NUMBERED = 12, NAME = 14 };

static bool has_confusion(const bl_plot_run *run)
{
    return run->confusion != NULL;
}

/** Of the text on a share in per cent: 0 dark, 1 light, 2 none. */
static int ink(double share)
{
    if (!(share > 0.5)) return 2; /* it would read 0 */
    return share > 50;
}

/** Columns: predicted, true, share in per cent, ink. */
static void add_matrix(bl_text *script, const bl_plot_run *run)
{
    bl_script_data(script, "confusion");
    for (int64_t y = 0; y < run->n_class; y++)
        for (int64_t j = 0; j < run->n_class; j++) {
            const double part = run->confusion[y * run->n_class + j];
            bl_text_printf(script, "%" PRId64 "\t%" PRId64 "\t", j + 1, y + 1);
            bl_script_real(script, 100 * part);
            bl_text_printf(script, "%d\n", ink(100 * part));
        }
    bl_script_end_data(script);
}

static void add_names(bl_text *script, const bl_plot_run *run, char axis)
{
    bl_text_printf(script, "set %ctics scale 0 %s(", axis,
                   axis == 'x' ? "rotate by 40 right " : "");
    for (int64_t i = 0; i < run->n_class; i++) {
        bl_script_tic(script, run->classes[i].name, NAME);
        bl_text_printf(script, " %" PRId64 "%s", i + 1,
                       i + 1 < run->n_class ? ", " : ")\n");
    }
}

static void set_axes(bl_text *script, const bl_plot_run *run)
{
    const bool named = run->n_class <= NAMED;
    bl_text_printf(script, "set xrange [0.5:%" PRId64 ".5]\n"
                   "set yrange [%" PRId64 ".5:0.5]\n", run->n_class,
                   run->n_class);
    bl_text_printf(script, named ? "set label 'predicted class' "
                                   "at screen 0.535,0.03 center\n"
                                   "set label 'true class' at screen 0.03,0.54 "
                                   "center rotate\n"
                                 : "set xlabel 'predicted class, by training "
                                   "images'\n"
                                   "set ylabel 'true class, by training "
                                   "images'\n");
    if (!named) return;
    add_names(script, run, 'x');
    add_names(script, run, 'y');
}

static void draw_confusion(bl_text *script, const bl_plot_run *run)
{
    static const char *const inks[] = {"#202020", "#FFFFFF"};
    add_matrix(script, run);
    bl_script_title(script, "Confusion, in % of the true class",
                    run->subject);
    set_axes(script, run);
    bl_text_printf(script,
                   "set datafile missing\nunset grid\nset border 15\n"
                   "set lmargin at screen 0.22\n"
                   "set rmargin at screen 0.85\nset bmargin at screen 0.23\n"
                   "set tmargin at screen 0.83\n"
                   "set cbrange [0:100]\nset cblabel '%% of the true class'\n"
                   "set palette defined (0 '#FFFFFF', 25 '#C6DBEF', "
                   "50 '#6BAED6', 75 '#2171B5', 100 '#08306B')\n"
                   "plot $confusion using 1:2:3 with image pixels notitle");
    for (int i = 0; i < 2 && run->n_class <= NUMBERED; i++)
        bl_text_printf(script, ", $confusion using 1:2:($4==%d?"
                       "sprintf('%%.0f',$3):'') with labels font ',11' "
                       "textcolor rgb '%s' notitle", i, inks[i]);
    bl_text_printf(script, "\n");
}

const bl_picture_type bl_picture_confusion = {
    .name = "confusion", .about = "which class is taken for which",
    .wanted = has_confusion, .draw = draw_confusion};
