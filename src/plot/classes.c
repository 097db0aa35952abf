/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.c: one number a class, from head to tail: error, length of its row
 * in the classifier, compactness of its features.
 *
 * As few classes as have room for their names are bars, in the order of
 * their training images; more are points over the number of training images,
 * on a logarithmic axis where that spans a factor of ten.  Colours are shots.
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "plot/plot.h"

enum {
    NAMED = 20, /* classes with names                    */
    NAME = 18,  /* characters of a name                  */
    FEW = 300   /* classes with points of the large kind */
};

/** What one picture shows of a class. */
typedef struct quantity {
    size_t offset;      /* in bl_plot_class                */
    double scale;       /* 100: a fraction in per cent     */
    const char *title, *axis;
    const char *top;    /* of its axis: "*", "*<100"       */
    bool spread;        /* title with mean and deviation   */
} quantity;

static double value_of(const quantity *q, const bl_plot_class *c)
{
    double value = 0;
    memcpy(&value, (const char *)c + q->offset, sizeof value);
    return q->scale * value;
}

static bool has_any(const bl_plot_run *run, size_t offset)
{
    const quantity q = {.offset = offset, .scale = 1};
    for (int64_t i = 0; i < run->n_class; i++)
        if (isfinite(value_of(&q, &run->classes[i]))) return true;
    return false;
}

/* ---- data ---------------------------------------------------------------- */

static int shot_of(const bl_plot_run *run, const bl_plot_class *c)
{
    if (c->train_count > (double)run->limits.many_above) return 0;
    return c->train_count < (double)run->limits.few_below ? 2 : 1;
}

/** Columns: rank, training images, shot, value. */
static void add_classes(bl_text *script, const bl_plot_run *run,
                        const quantity *q)
{
    bl_script_data(script, "classes");
    for (int64_t i = 0; i < run->n_class; i++) {
        const bl_plot_class *const c = &run->classes[i];
        bl_script_real(script, (double)i + 1);
        bl_script_real(script, c->train_count);
        bl_script_real(script, shot_of(run, c));
        bl_script_real(script, value_of(q, c));
        bl_text_printf(script, "\n");
    }
    bl_script_end_data(script);
}

static void add_title(bl_text *script, const bl_plot_run *run,
                      const quantity *q)
{
    bl_text title = {0};
    double sum = 0, squares = 0, n = 0;
    for (int64_t i = 0; i < run->n_class; i++) {
        const double value = value_of(q, &run->classes[i]);
        if (!isfinite(value)) continue;
        sum += value;
        n++;
    }
    const double mean = sum / n;
    for (int64_t i = 0; i < run->n_class; i++) {
        const double value = value_of(q, &run->classes[i]);
        if (isfinite(value)) squares += (value - mean) * (value - mean);
    }
    bl_text_printf(&title, "%s", q->title);
    if (q->spread)
        bl_text_printf(&title, ": mean %.3g, standard deviation %.3g", mean,
                       sqrt(squares / n));
    if (title.status == BL_OK)
        bl_script_title(script, title.text, run->subject);
    else if (script->status == BL_OK)
        script->status = title.status;
    bl_text_free(&title);
}

/* ---- drawing ------------------------------------------------------------- */

/** A plot for each shot that has classes, so that the key names no others. */
static void plot_shots(bl_text *script, const bl_plot_run *run, int x,
                       const char *with)
{
    static const char *const colours[] = {BL_BLUE, BL_ORANGE, BL_VERMILLION};
    int64_t n[3] = {0};
    const char *before = "plot ";
    for (int64_t i = 0; i < run->n_class; i++)
        n[shot_of(run, &run->classes[i])]++;
    for (int shot = 0; shot < 3; shot++) {
        if (n[shot] == 0) continue;
        bl_text_printf(script, "%s$classes using %d:($3==%d?$4:NaN) with %s "
                       "linecolor rgb '%s' title ", before, x, shot, with,
                       colours[shot]);
        if (shot == 0)
            bl_text_printf(script, "'many, above %" PRId64 "'",
                           run->limits.many_above);
        else if (shot == 1)
            bl_text_printf(script, "'medium'");
        else
            bl_text_printf(script, "'few, below %" PRId64 "'",
                           run->limits.few_below);
        before = ", ";
    }
    bl_text_printf(script, "\n");
}

/** Names stand below the axis, each with its number of training images. */
static void draw_bars(bl_text *script, const bl_plot_run *run)
{
    bl_text_printf(script, "set bmargin at screen 0.32\n"
                   "set lmargin at screen 0.18\n"
                   "set xrange [0.4:%" PRId64 ".6]\n"
                   "set style fill solid noborder\nset boxwidth 0.8\n"
                   "set label 'class, with its training images' "
                   "at screen 0.575,0.03 center\n"
                   "set xtics rotate by 40 right scale 0 (", run->n_class);
    for (int64_t i = 0; i < run->n_class; i++) {
        bl_script_tic(script, run->classes[i].name, NAME);
        bl_text_printf(script, ".' (%.0f)' %" PRId64 "%s",
                       run->classes[i].train_count, i + 1,
                       i + 1 < run->n_class ? ", " : ")\n");
    }
    plot_shots(script, run, 1, "boxes");
}

/** A logarithmic axis leaves out classes without training images. */
static void set_count_axis(bl_text *script, const bl_plot_run *run)
{
    const double high = run->classes[0].train_count;
    double low = high;
    for (int64_t i = 0; i < run->n_class; i++)
        if (run->classes[i].train_count > 0 &&
            run->classes[i].train_count < low)
            low = run->classes[i].train_count;
    if (high > 10 * low)
        bl_text_printf(script, "set logscale x\n"
                       "set xlabel 'training images of the class, log "
                       "scale'\n");
    else
        bl_text_printf(script, "set xlabel 'training images of the class'\n");
}

static void draw(bl_text *script, const bl_plot_run *run, const quantity *q)
{
    add_classes(script, run, q);
    add_title(script, run, q);
    bl_text_printf(script, "set ylabel '%s'\nset yrange [0:%s]\n"
                           "set offsets graph 0,0,0.05,0\n", q->axis, q->top);
    if (run->n_class <= NAMED) {
        draw_bars(script, run);
        return;
    }
    set_count_axis(script, run);
    plot_shots(script, run, 2, run->n_class <= FEW
                                   ? "points pointtype 7 pointsize 0.9"
                                   : "points pointtype 7 pointsize 0.4");
}

/* ---- error --------------------------------------------------------------- */

static bool has_errors(const bl_plot_run *run)
{
    return has_any(run, offsetof(bl_plot_class, error));
}

static void draw_errors(bl_text *script, const bl_plot_run *run)
{
    static const quantity error = {
        offsetof(bl_plot_class, error), 100, "Test error by class",
        "test error, %", "*<100", false};
    draw(script, run, &error);
}

const bl_picture_type bl_picture_classes = {
    .name = "classes", .about = "test error of each class, head to tail",
    .wanted = has_errors, .draw = draw_errors};

/* ---- classifier rows ----------------------------------------------------- */

static bool has_norms(const bl_plot_run *run)
{
    return has_any(run, offsetof(bl_plot_class, norm));
}

static void draw_norms(bl_text *script, const bl_plot_run *run)
{
    static const quantity norm = {
        offsetof(bl_plot_class, norm), 1, "Classifier weights by class",
        "length of the row of weights", "*", true};
    draw(script, run, &norm);
}

const bl_picture_type bl_picture_norms = {
    .name = "norms", .about = "length of each class in the classifier",
    .wanted = has_norms, .draw = draw_norms};

static bool has_uniform(const bl_plot_run *run)
{
    return has_any(run, offsetof(bl_plot_class, norm_uniform));
}

static void draw_uniform(bl_text *script, const bl_plot_run *run)
{
    static const quantity norm = {
        offsetof(bl_plot_class, norm_uniform), 1, "Weights on the uniform "
        "branch", "length of that half of the row", "*", true};
    draw(script, run, &norm);
}

const bl_picture_type bl_picture_norms_uniform = {
    .name = "norms-uniform", .about = "its half on the uniform branch",
    .wanted = has_uniform, .draw = draw_uniform};

static bool has_reversed(const bl_plot_run *run)
{
    return has_any(run, offsetof(bl_plot_class, norm_reversed));
}

static void draw_reversed(bl_text *script, const bl_plot_run *run)
{
    static const quantity norm = {
        offsetof(bl_plot_class, norm_reversed), 1, "Weights on the reversed "
        "branch", "length of that half of the row", "*", true};
    draw(script, run, &norm);
}

const bl_picture_type bl_picture_norms_reversed = {
    .name = "norms-reversed", .about = "its half on the reversed branch",
    .wanted = has_reversed, .draw = draw_reversed};

/* ---- compactness --------------------------------------------------------- */

static bool has_compactness(const bl_plot_run *run)
{
    return has_any(run, offsetof(bl_plot_class, compactness));
}

static void draw_compactness(bl_text *script, const bl_plot_run *run)
{
    static const quantity compactness = {
        offsetof(bl_plot_class, compactness), 1, "Compactness by class",
        "mean distance from the centre of the class", "*", true};
    draw(script, run, &compactness);
}

const bl_picture_type bl_picture_compactness = {
    .name = "compactness",
    .about = "how closely the features of each class lie",
    .wanted = has_compactness, .draw = draw_compactness};
