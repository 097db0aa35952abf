/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reliability.c: accuracy over confidence.  Bars that reach the diagonal are
 * a network that is right as often as it is sure; below it is overconfident.
 * The lower panel says how many images each bar stands for.
 *
 * Reference: Guo et al., "On calibration of modern neural networks", ICML
 * 2017, figure 1.
 */
#include <math.h>

#include "core/text.h"
#include "plot/plot.h"

static bool has_bins(const bl_plot_run *run)
{
    for (int64_t k = 0; k < run->n_bin; k++)
        if (run->bins[k].n > 0) return true;
    return false;
}

/** Columns: middle of the bin, accuracy, gap up to the confidence, share of
 *  the images; all in per cent. */
static void add_bins(bl_text *script, const bl_plot_run *run)
{
    double n = 0;
    for (int64_t k = 0; k < run->n_bin; k++) n += (double)run->bins[k].n;
    bl_script_data(script, "bins");
    for (int64_t k = 0; k < run->n_bin; k++) {
        const bl_reliability_bin *const bin = &run->bins[k];
        bl_script_real(script, 100 * ((double)k + 0.5) / (double)run->n_bin);
        bl_script_real(script, 100 * bin->accuracy);
        bl_script_real(script, 100 * bin->confidence);
        bl_script_real(script, 100 * (double)bin->n / n);
        bl_text_printf(script, "\n");
    }
    bl_script_end_data(script);
}

/** A step for the low panel, which has room for five tics. */
static double share_step(const bl_plot_run *run)
{
    double n = 0, most = 0;
    for (int64_t k = 0; k < run->n_bin; k++) {
        n += (double)run->bins[k].n;
        most = fmax(most, (double)run->bins[k].n);
    }
    if (most > 0.5 * n) return 25;
    return most > 0.2 * n ? 10 : 5;
}

static void draw_reliability(bl_text *script, const bl_plot_run *run)
{
    char title[80] = "Reliability";
    if (isfinite(run->ece))
        bl_format(title, sizeof title,
                  "Reliability: expected calibration error %.2f %%",
                  100 * run->ece);
    add_bins(script, run);
    bl_text_printf(script, "set multiplot\nset bmargin at screen 0.38\n"
                           "set xrange [0:100]\nset yrange [0:100]\n"
                           "set boxwidth %g\n"
                           "set style fill solid 0.8 noborder\n"
                           "set key inside left top vertical Left reverse\n"
                           "set format x ''\n"
                           "set ylabel 'accuracy, %%'\n",
                   92.0 / (double)run->n_bin);
    bl_script_title(script, title, run->subject);
    bl_text_printf(script,
                   "plot $bins using 1:2 with boxes linecolor rgb '" BL_BLUE
                   "' title 'accuracy', "
                   "$bins using 1:3 with points pointtype 7 pointsize 0.7 "
                   "linecolor rgb '" BL_VERMILLION "' title "
                   "'mean confidence', x with lines linewidth 1.5 dashtype 2 "
                   "linecolor rgb '#202020' title 'perfect calibration'\n"
                   "unset title\nset tmargin at screen 0.33\n"
                   "set bmargin at screen 0.15\nset format x '%%g'\n"
                   "set xlabel 'confidence, %%'\n"
                   "set ylabel 'images, %%'\nset yrange [0:*]\n"
                   "set ytics %g\nplot $bins using 1:4 with boxes "
                   "linecolor rgb '" BL_GREY "' notitle\n"
                   "unset multiplot\n", share_step(run));
}

const bl_picture_type bl_picture_reliability = {
    .name = "reliability", .about = "accuracy over confidence",
    .wanted = has_bins, .draw = draw_reliability};
