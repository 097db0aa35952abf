/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curves.c: what happened epoch by epoch: loss and errors; learning rate and
 * BBN's alpha.  Two panels share their axis of epochs, since what moves them
 * has different units.
 */
#include <math.h>

#include "plot/plot.h"

enum { POINTS = 40 }; /* as few epochs are drawn with a point each */

static void add_epochs(bl_text *script, const bl_plot_run *run)
{
    bl_script_data(script, "epochs");
    for (int64_t i = 0; i < run->n_epoch; i++) {
        const bl_plot_epoch *const e = &run->epochs[i];
        bl_script_real(script, e->epoch);
        bl_script_real(script, e->lr);
        bl_script_real(script, e->alpha);
        bl_script_real(script, e->train_loss);
        bl_script_real(script, 100 * e->train_error);
        bl_script_real(script, 100 * e->test_error);
        bl_text_printf(script, "\n");
    }
    bl_script_end_data(script);
}

/** The axis of epochs. */
static void set_epoch_axis(bl_text *script, const bl_plot_run *run)
{
    const double last = run->epochs[run->n_epoch - 1].epoch;
    bl_text_printf(script, "set xrange [%s:", run->n_epoch > 1 ? "1" : "0");
    bl_script_real(script, run->n_epoch > 1 ? last : last + 1);
    bl_text_printf(script, "]\n%s", last <= 10 ? "set xtics 1\n" : "");
}

/** The upper panel, without labels on the axis that it shares. */
static void open_upper(bl_text *script)
{
    bl_text_printf(script, "set multiplot\nset bmargin at screen 0.54\n"
                           "set format x ''\n");
}

static void open_lower(bl_text *script)
{
    bl_text_printf(script, "unset title\nset tmargin at screen 0.45\n"
                           "set bmargin at screen 0.15\nset format x '%%g'\n"
                           "set xlabel 'epoch'\n");
}

static void plot(bl_text *script, const bl_plot_run *run, int column,
                 int style, const char *title)
{
    bl_text_printf(script, "$epochs using 1:%d with %s linestyle %d ", column,
                   run->n_epoch <= POINTS ? "linespoints" : "lines", style);
    bl_text_printf(script, title ? "title '%s'" : "notitle", title);
}

/* ---- loss and errors ----------------------------------------------------- */

static bool has_epochs(const bl_plot_run *run)
{
    return run->n_epoch > 0;
}

static void draw_curves(bl_text *script, const bl_plot_run *run)
{
    add_epochs(script, run);
    set_epoch_axis(script, run);
    bl_script_title(script, "Loss and error by epoch", run->subject);
    open_upper(script);
    bl_text_printf(script, "set ylabel 'training loss'\nplot ");
    plot(script, run, 4, 3, NULL);
    bl_text_printf(script, "\n");
    open_lower(script);
    bl_text_printf(script, "set ylabel 'error, %%'\nset yrange [0:*]\nplot ");
    plot(script, run, 5, 1, "training");
    bl_text_printf(script, ", ");
    plot(script, run, 6, 2, run->holdout ? "validation" : "test");
    bl_text_printf(script, "\nunset multiplot\n");
}

const bl_picture_type bl_picture_curves = {
    .name = "curves", .about = "loss and errors by epoch",
    .wanted = has_epochs, .draw = draw_curves};

/* ---- learning rate and alpha --------------------------------------------- */

static bool has_alpha(const bl_plot_run *run)
{
    for (int64_t i = 0; i < run->n_epoch; i++)
        if (isfinite(run->epochs[i].alpha)) return true;
    return false;
}

/** Logarithmic where it spans a factor of ten, else from 0. */
static void set_rate_axis(bl_text *script, const bl_plot_run *run)
{
    double low = HUGE_VAL, high = 0;
    for (int64_t i = 0; i < run->n_epoch; i++) {
        const double lr = run->epochs[i].lr;
        if (lr > 0 && lr < low) low = lr;
        if (lr > high) high = lr;
    }
    if (high >= 10 * low)
        bl_text_printf(script, "set logscale y\nset format y '%%g'\n"
                               "set ylabel 'learning rate (log)'\n");
    else
        bl_text_printf(script, "set yrange [0:%s]\n"
                               "set ylabel 'learning rate'\n",
                       high > 0 ? "*" : "1");
}

static void draw_rates(bl_text *script, const bl_plot_run *run)
{
    const bool alpha = has_alpha(run);
    add_epochs(script, run);
    set_epoch_axis(script, run);
    bl_script_title(script, alpha ? "Learning rate and alpha by epoch"
                                  : "Learning rate by epoch", run->subject);
    if (alpha)
        open_upper(script);
    else
        bl_text_printf(script, "set xlabel 'epoch'\n");
    set_rate_axis(script, run);
    bl_text_printf(script, "plot ");
    plot(script, run, 2, 1, NULL);
    bl_text_printf(script, "\n");
    if (!alpha) return;
    open_lower(script);
    bl_text_printf(script, "unset logscale y\nset format y '%%g'\n"
                           "set ylabel 'alpha'\nset yrange [0:1]\nplot ");
    plot(script, run, 3, 2, NULL);
    bl_text_printf(script, "\nunset multiplot\n");
}

const bl_picture_type bl_picture_rates = {
    .name = "rates", .about = "learning rate, and alpha of BBN, by epoch",
    .wanted = has_epochs, .draw = draw_rates};
