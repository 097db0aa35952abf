/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study.h: a grid of runs, and the tables that are made of them.
 *
 * A study is a list of cells; a cell is one configuration and the folder that
 * is found by it, an ordinary run directory.  So a stopped study goes on where
 * it was, and what is finished is never trained twice.  The study itself does
 * not train:
 *
 *     for (int64_t i = 0; i < bl_study_cells(study); i++) {
 *         if (bl_study_cell_at(study, i)->state == BL_CELL_FINISHED) continue;
 *         ... bl_study_config, bl_train_data ...
 *         ... bl_study_trainer, bl_trainer_step until BL_END ...
 *         ... bl_study_look(study, i) ...
 *     }
 *     bl_study_save(study);
 */
#ifndef BALLAST_STUDY_H
#define BALLAST_STUDY_H

#include <stdint.h>

#include "ballast/config.h"
#include "ballast/data.h"
#include "ballast/model.h"
#include "ballast/status.h"
#include "ballast/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A study known by name: one row of bl_study_types. */
typedef struct bl_study_type {
    const char *name;    /* "bbn-table1"                                 */
    const char *summary; /* at most 60 characters                        */
    const char *paper;   /* where the published figures stand            */
    const char *about;   /* a sentence or two                            */
    int64_t epochs;      /* of the published runs, 0: nothing published  */
} bl_study_type;

BL_API const bl_study_type *const *bl_study_types(void);
BL_API const bl_study_type *bl_study_find(const char *name);

typedef struct bl_study bl_study;

/** Opens a study by name, or the YAML file of one, and looks at every cell.
 *
 * folder   where its cells lie, may be missing; NULL: nothing is looked for.
 * changes  "key=value" or "key=value,value", NULL-terminated, or NULL.  Where
 *          key is an axis the values replace its own; otherwise one value
 *          holds for every cell, and several make a new axis.
 * Errors   BL_EINVAL: no such study or key (names the nearest), an axis
 *          without values, a value of changes that is in no cell, a cell
 *          that bl_train_settle refuses, more than 100,000 cells; BL_EFORMAT,
 *          BL_EIO of the file.
 * Owns     the caller, bl_study_free.
 */
BL_API BL_MUST_USE bl_status bl_study_open(bl_study **out,
                                           const char *name_or_path,
                                           const char *folder,
                                           const char *const *changes);
BL_API void bl_study_free(bl_study *study); /* NULL is allowed */

/** Name of a study, and its row, NULL for one from a file; borrowed. */
BL_API const char *bl_study_name(const bl_study *study);
BL_API const bl_study_type *bl_study_row(const bl_study *study);
/** Folder given at open, NULL for none; borrowed. */
BL_API const char *bl_study_folder(const bl_study *study);

/* ---- cells -------------------------------------------------------------- */

typedef enum bl_cell_state {
    BL_CELL_MISSING,  /* not begun                                       */
    BL_CELL_BEGUN,    /* a run that can go on                            */
    BL_CELL_FINISHED, /* its result is read                              */
    BL_CELL_BROKEN    /* its folder cannot be used: see problem          */
} bl_cell_state;

/** "missing", "begun", "finished", "broken". */
BL_API const char *bl_cell_state_name(bl_cell_state state);

/** What chose the epoch that a best error is of. */
typedef enum bl_chooser {
    BL_CHOSEN_NOT,  /* none: the classifier was rewritten after all epochs */
    BL_CHOSEN_TEST, /* the test images themselves, which flatters          */
    BL_CHOSEN_HELD  /* images held out                                     */
} bl_chooser;
enum { BL_CHOOSERS = 3 };

typedef struct bl_cell {
    const char *label;    /* "bbn, cifar10, 100, seed 0"                    */
    const char *folder;   /* DIR/cells/NAME; NAME alone without a folder    */
    const char *problem;  /* where broken one line: what, and what to do    */
    bl_cell_state state;
    int average;          /* nothing to train: the mean of two other cells  */
    int64_t needs[2];     /* cells that must be finished before; -1: none   */
    int64_t first;        /* lowest cell of the same run, often itself: to  */
                          /* train is that one, the others are then looked  */
                          /* at again                                       */
    int64_t epochs;       /* of the whole run, every stage                  */
    int64_t epoch;        /* closed so far                                  */
    int anew;             /* begun, but nothing is kept of it yet: it is    */
                          /* made anew, for its parent may have moved       */
    double error_last, error_best; /* of the test split; NaN before         */
    bl_chooser chooser;   /* of error_best, which is NaN without one        */
    int64_t best_epoch;
    double seconds;       /* of a finished run                              */
    double samples_per_second; /* mean, or of the last epoch; 0: unknown    */
} bl_cell;

BL_API int64_t bl_study_cells(const bl_study *study);
/** Cell i as it was when last looked at; borrowed until the next look. */
BL_API const bl_cell *bl_study_cell_at(const bl_study *study, int64_t i);

/** Looks at the folder of cell i again.
 *
 * Gives    BL_OK whatever is found there, see the state.
 * Errors   BL_ENOMEM.
 */
BL_API BL_MUST_USE bl_status bl_study_look(bl_study *study, int64_t i);

/** The settled configuration of cell i; owned by the caller. */
BL_API BL_MUST_USE bl_status bl_study_config(bl_config **out,
                                             const bl_study *study, int64_t i);

/** Finds what would keep cell i from training, before any cell is trained.
 *
 * Needs    n: images that the cell trains on; images: h, w, c and n_class of
 *          its data.  A cell that it needs, and that is not finished, was
 *          checked before, or the weights are not.
 * Errors   BL_EUNSUPPORTED if backend or precision does not run here;
 *          BL_EINVAL if it is unknown, or n gives no whole batch where a
 *          smaller one is dropped; BL_EIO or BL_EFORMAT if the weights it
 *          begins with cannot be read or do not fit.
 */
BL_API BL_MUST_USE bl_status bl_study_check(bl_study *study, int64_t i,
                                            int64_t n,
                                            const bl_network_spec *images);

/** A trainer of cell i: a new one, or the one that was stopped.
 *
 * Needs    data as bl_train_data gives for bl_study_config; options->run_dir
 *          is set by the study.
 * Errors   as bl_trainer_create and bl_trainer_resume; BL_EBUSY if another
 *          process is at work on the cell, or has begun it since the last
 *          look; BL_EEXIST if the state is finished or broken; BL_EINVAL if
 *          cell i is a mean, or a cell it needs is not finished.
 */
BL_API BL_MUST_USE bl_status
bl_study_trainer(bl_trainer **out, const bl_study *study, int64_t i,
                 const bl_dataset *data, const bl_trainer_options *options);

/** Finishes a cell that is a mean: the logits of the two it needs, averaged
 *  over the test split, last weights with last and best with best. */
BL_API BL_MUST_USE bl_status bl_study_average(bl_study *study, int64_t i);

/* ---- tables ------------------------------------------------------------- */

/** All cells that differ in the seed alone.  Errors are fractions. */
typedef struct bl_table_entry {
    int64_t cells, finished;  /* cells 0: nothing belongs here            */
    double last, last_sd;     /* mean and sample deviation over finished; */
    double best, best_sd;     /* NaN where there are too few              */
    bl_chooser chooser;       /* of best, the same for all its cells      */
    double published;         /* NaN where nothing is known               */
} bl_table_entry;

/** Rows by columns; an axis that is neither row nor seed is a column axis. */
typedef struct bl_study_table {
    const char *row_axis;
    int64_t n_rows, n_columns, n_axes;
    const char **axes;        /* [n_axes] names of the column axes         */
    const char **rows;        /* [n_rows]                                  */
    const char **columns;     /* [n_columns][n_axes], "" where a cell has  */
                              /* no such axis                              */
    bl_table_entry *entries;  /* [n_rows][n_columns]                       */
} bl_study_table;

/** Makes the table of what is finished.
 *
 * Owns     the caller, bl_study_table_free; study must outlive it.
 */
BL_API BL_MUST_USE bl_status bl_study_table_create(bl_study_table **out,
                                                   const bl_study *study);
BL_API void bl_study_table_free(bl_study_table *table);

typedef enum bl_table_form {
    BL_TABLE_TEXT,     /* for a terminal, in per cent      */
    BL_TABLE_MARKDOWN, /* the same for a page              */
    BL_TABLE_CSV,      /* a line an entry, in fractions    */
    BL_TABLE_JSON      /* entries and cells, in fractions  */
} bl_table_form;

/** Writes the tables, last epoch first, into one text.
 *
 * Needs    width: columns of a terminal, at which TEXT is wrapped.
 * Owns     the caller *out, bl_free.
 */
BL_API BL_MUST_USE bl_status bl_study_write(char **out, const bl_study *study,
                                            bl_table_form form, int width);

/** Writes table.txt, table.md, table.csv and table.json into the folder. */
BL_API BL_MUST_USE bl_status bl_study_save(const bl_study *study);

#ifdef __cplusplus
}
#endif
#endif
