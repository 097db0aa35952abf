/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.h: what is read, what is drawn, and how a script is written.
 *
 * A picture is a row: name, a test whether there is anything to draw, and a
 * function that adds to the text of a script.
 */
#ifndef BL_PLOT_PLOT_H
#define BL_PLOT_PLOT_H

#include <stdbool.h>

#include "ballast/eval.h"
#include "ballast/plot.h"
#include "core/jsonread.h"
#include "core/text.h"

/* ---- what is read (load.c) ---------------------------------------------- */

/** A line of metrics.jsonl; NaN where it says null. */
typedef struct bl_plot_epoch {
    double epoch, lr, alpha, train_loss, train_error, test_error;
} bl_plot_epoch;

/** A class of result.json; NaN where nothing is known. */
typedef struct bl_plot_class {
    const char *name; /* borrowed from the tree */
    double train_count, error, compactness;
    double norm, norm_uniform, norm_reversed; /* of its row, as result.json */
    int64_t label;    /* its place in result.json */
} bl_plot_class;

typedef struct bl_plot_run {
    char *subject;          /* "bbn on cifar10, imbalance 100, seed 0"      */
    bool holdout;           /* errors of epochs are those of images held out */
    int64_t n_epoch;
    bl_plot_epoch *epochs;  /* [n_epoch]                                    */
    bl_json_value *result;  /* the tree; NULL while the run is unfinished   */
    int64_t n_class;        /* 0 without a result                           */
    bl_plot_class *classes; /* [n_class], most training images first        */
    bl_shot_limits limits;  /* of the shots                                 */
    double *confusion;      /* [n_class true][n_class predicted] in the     */
                            /* order of classes, fractions of the true      */
                            /* class, NaN without images; or NULL           */
    double ece;             /* NaN without                                  */
    int64_t n_bin;          /* 0 without reliability                        */
    bl_reliability_bin *bins; /* [n_bin] */
} bl_plot_run;

/** Reads metrics.jsonl, run.yaml and, if it is there, result.json.
 *  Errors BL_EIO without a run.yaml; BL_EFORMAT. */
BL_MUST_USE bl_status bl_plot_run_load(bl_plot_run **out, const char *folder);
void bl_plot_run_free(bl_plot_run *run);

/** One place of a table of errors; NaN where nothing is known. */
typedef struct bl_plot_entry {
    double last, sd, published; /* fractions, of the last epoch */
} bl_plot_entry;

/** table.json of a study. */
typedef struct bl_plot_table {
    bl_json_value *tree;    /* what strings are borrowed from              */
    char *subject;          /* "bbn-table1, 10 epochs, 8 of 60 runs"       */
    const char *row_axis;
    char *column_axis;      /* "data, imbalance"; "" without columns       */
    int64_t n_rows, n_columns; /* rows with a finished cell                */
    const char **rows;      /* [n_rows]                                    */
    char **columns;         /* [n_columns] "cifar10, 100"                  */
    char **headings;        /* [n_columns] "data cifar10, imbalance 100"   */
    bool *alone;            /* [n_columns] of stage 1, without the axes of */
                            /* the second                                  */
    bl_plot_entry *entries; /* [n_rows][n_columns]                         */
} bl_plot_table;

/** Reads table.json (load_table.c).
 *  Errors BL_EIO, BL_EFORMAT; BL_EUNSUPPORTED if it is too large to draw. */
BL_MUST_USE bl_status bl_plot_table_load(bl_plot_table **out,
                                         const char *folder);
void bl_plot_table_free(bl_plot_table *table);

/* ---- how it is written (script.c) ---------------------------------------- */

/** Sets terminal and common style; size in px of an SVG, half of a PNG's. */
void bl_script_open(bl_text *script, const char *format, int width,
                    int height);
/** Adds a string of any bytes in quotes, at most most characters of it, that
 *  gnuplot takes as it is. */
void bl_script_string(bl_text *script, const char *string, int most);
/** The same for the label of a tic. */
void bl_script_tic(bl_text *script, const char *string, int most);
/** Adds a number, or NaN, and a tab; in data. */
void bl_script_real(bl_text *script, double value);
/** Opens and closes the data block $name. */
void bl_script_data(bl_text *script, const char *name);
void bl_script_end_data(bl_text *script);
/** "set title" of two lines, the second one the subject. */
void bl_script_title(bl_text *script, const char *what, const char *subject);

/** Colours that stay apart for colour-blind eyes: Okabe and Ito, "Color
 *  universal design", 2008. */
#define BL_BLUE "#0072B2"
#define BL_VERMILLION "#D55E00"
#define BL_GREEN "#009E73"
#define BL_ORANGE "#E69F00"
#define BL_GREY "#999999"

/* ---- what is drawn ------------------------------------------------------- */

typedef struct bl_picture_type {
    const char *name, *about;
    bool (*wanted)(const bl_plot_run *run);
    void (*draw)(bl_text *script, const bl_plot_run *run);
} bl_picture_type;

/** NULL-terminated, all that a run can have. */
extern const bl_picture_type *const bl_picture_types[];

extern const bl_picture_type bl_picture_curves, bl_picture_rates,
    bl_picture_classes, bl_picture_confusion, bl_picture_reliability,
    bl_picture_norms, bl_picture_norms_uniform, bl_picture_norms_reversed,
    bl_picture_compactness;

/* ---- tables of a study (table.c) ----------------------------------------- */

/** Rows with a finished cell in a column. */
int64_t bl_plot_column_rows(const bl_plot_table *table, int64_t column);
/** Height of a picture of n rows, px. */
int bl_plot_table_height(int64_t n_rows);
/** The entries of one column as bars. */
void bl_plot_draw_column(bl_text *script, const bl_plot_table *table,
                         int64_t column);
/** All entries as a map of colours. */
void bl_plot_draw_map(bl_text *script, const bl_plot_table *table);

#endif
