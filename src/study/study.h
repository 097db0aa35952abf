/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study.h: what the files of a study share.
 *
 *   named.c       the studies known by name: const tables
 *   study_yaml.c  a study from a file, read into the same tables
 *   labels.c      values of axes as text, and their numbers
 *   grid.c        from tables and changes to blocks, axes and coordinates
 *   study.c       opening; cells and their configurations
 *   cell.c        the folder of a cell and what stands in it
 *   images.c      did cells see the same images?
 *   check.c       what would keep a cell from training
 *   average.c     cells that are the mean of two others
 *   table.c       rows and columns
 *   table_text.c  tables to read;  table_data.c  tables for programs
 *
 * A specification is text alone ("method", "ce,bbn"), so that a table in C
 * and a file go the same way.  It has blocks; a block is a cartesian product.
 * The cells of a block either stand alone, follow a cell of an earlier block,
 * whose last weights they begin with and whose settings they take over, or
 * average two of its cells.
 */
#ifndef BL_STUDY_STUDY_H
#define BL_STUDY_STUDY_H

#include <stdbool.h>

#include "ballast/model.h"
#include "ballast/study.h"
#include "core/text.h"
#include "train/identity.h"

enum {
    BL_STUDY_CELLS = 100000,    /* most cells of a study           */
    BL_STUDY_ENTRIES = 1000000, /* most entries of a table         */
    BL_VARIANT_SETTINGS = 15,
    BL_FIGURES = 6              /* published columns of a study    */
};

/* ---- specification ------------------------------------------------------ */

/** Settings that go by one name on an axis; of a mean: the two labels. */
typedef struct bl_variant {
    const char *axis, *label;
    const char *settings[BL_VARIANT_SETTINGS + 1]; /* NULL-terminated */
} bl_variant;

/** An axis: a key of training, or a name that variants have. */
typedef struct bl_axis_spec {
    const char *name, *values; /* labels with commas between */
} bl_axis_spec;

typedef enum bl_block_kind {
    BL_BLOCK_FIRST,   /* stands alone                                     */
    BL_BLOCK_AFTER,   /* begins with the last weights of a cell of parent */
    BL_BLOCK_AVERAGE  /* mean of two cells of parent, which is a FIRST    */
} bl_block_kind;

typedef struct bl_block_spec {
    bl_block_kind kind;
    int parent;
    const char *const *base;  /* "key=value", NULL-terminated, or NULL */
    const bl_axis_spec *axes; /* ends with name == NULL, or NULL       */
} bl_block_spec;

/** Settings of the cells that fit all of when: "method=bbn data=cifar10". */
typedef struct bl_rule {
    const char *when;
    const char *settings[4]; /* NULL-terminated */
} bl_rule;

/** A row of a published table, in per cent; 0 where nothing is known. */
typedef struct bl_figures {
    const char *row;
    double percent[BL_FIGURES]; /* a column each, by columns_when */
} bl_figures;

typedef struct bl_study_spec {
    bl_study_type type;         /* first: a row is found by its type       */
    const char *rows;           /* axis or key of the rows, NULL: default  */
    const bl_block_spec *blocks;
    int n_blocks;
    const bl_variant *variants; /* end with axis == NULL, or NULL          */
    const bl_rule *rules;       /* end with when == NULL, or NULL          */
    const char *const *columns_when; /* [<= BL_FIGURES] of figures         */
    const bl_figures *figures;  /* end with row == NULL, or NULL           */
} bl_study_spec;

/** Row of a named study. */
const bl_study_spec *bl_study_spec_find(const char *name);

/** A specification that was read, and the memory it stands in. */
typedef struct bl_study_file bl_study_file;

BL_MUST_USE bl_status bl_study_file_read(bl_study_file **out,
                                         const char *path);
/** The same from memory; name stands for the file in messages. */
BL_MUST_USE bl_status bl_study_file_parse(bl_study_file **out,
                                          const char *name, const char *yaml,
                                          size_t bytes);
void bl_study_file_free(bl_study_file *file);
const bl_study_spec *bl_study_file_spec(const bl_study_file *file);

/* ---- grid --------------------------------------------------------------- */

typedef struct bl_axis {
    const char *name;
    int64_t n;
    char **labels;               /* [n] canonical text                    */
    const bl_variant **variants; /* [n], NULL for a key of training       */
} bl_axis;

typedef struct bl_block {
    const bl_block_spec *spec;
    bl_axis *axes;               /* [n_axes], the last one moves fastest  */
    int64_t n_axes;
    int64_t own;                 /* product of its axes                   */
    int64_t first, n;            /* cells; within them parent moves slower */
} bl_block;

/** "key=value" of a caller, taken apart. */
typedef struct bl_change {
    char *key, *value;
    bool axis;                   /* of the specification                  */
    bool adds;                   /* a new axis                            */
} bl_change;

/** What there is to know of a cell, and the memory of its texts. */
typedef struct bl_cell_record {
    bl_cell cell;
    char *label, *folder, *problem;
    const char *name;            /* last part of folder               */
    bl_network_spec network;     /* model NULL: it was not looked at  */
    char *images, *fingerprint;  /* of a run: the keys that say which     */
                                 /* images, the data's name first, and    */
                                 /* what it noted of them; or NULL        */
} bl_cell_record;

struct bl_study {
    const bl_study_spec *spec;
    bl_study_file *file;         /* owns spec, NULL for a named study      */
    char *folder;                /* NULL: none                             */
    bl_change *changes;          /* [n_changes]                            */
    int64_t n_changes;
    bl_config *base;             /* defaults and the changes of no axis    */
    bl_block *blocks;            /* [spec->n_blocks]                       */
    const char **axes;           /* [n_axes] names of all, in order        */
    int64_t n_axes;
    const char *rows;
    bl_cell_record *records;     /* [n]                                    */
    int64_t n;
};

/** Makes changes, base, blocks and axes; refuses what is no grid, and a value
 *  that was asked for and is in no cell. */
BL_MUST_USE bl_status bl_grid_build(bl_study *study,
                                    const char *const *changes);
void bl_grid_free(bl_study *study);

/** Label of cell i on an axis, NULL where the cell has no such axis. */
const char *bl_grid_label(const bl_study *study, int64_t i, const char *axis);

/** Cells that i needs: the one it follows, or the two it averages; -1. */
void bl_grid_needs(int64_t needs[2], const bl_study *study, int64_t i);

/** Is cell i the mean of two others? */
bool bl_grid_averages(const bl_study *study, int64_t i);

typedef enum bl_axes {
    BL_AXES_ALL,
    BL_AXES_OWN  /* of the specification, without what a caller added */
} bl_axes;

/** Sets in config what base and axes of cell i say, then the rules. */
BL_MUST_USE bl_status bl_grid_apply(bl_config *config, const bl_study *study,
                                    int64_t i, bl_axes which);

/** Would cell i compute the same if its caller had changed nothing but axes
 *  of the specification, the data and its tail, the seed, how long and in
 *  which arithmetic?  Then it may stand beside a published figure. */
BL_MUST_USE bl_status bl_study_repeats(bool *out, const bl_study *study,
                                       int64_t i, const bl_config *config);

/** Does the cell fit "name=value name=value"?  A name is an axis or a key. */
bool bl_grid_fits(const bl_study *study, int64_t i, const bl_config *config,
                  const char *when);

/** Splits at commas and trims; borrowed pieces go to take. */
typedef bl_status bl_label_take(void *payload, const char *label);
BL_MUST_USE bl_status bl_labels_split(const char *text, bl_label_take *take,
                                      void *payload);

/** Sets a key from a label of an axis, where a list has / between numbers. */
BL_MUST_USE bl_status bl_label_set(bl_config *config, const char *key,
                                   const char *label, bl_origin origin);

/** Checks that a name which no variant has may be an axis.
 *  Errors BL_EINVAL: not a key of training, or one that changes nothing. */
BL_MUST_USE bl_status bl_axis_check(const char *name);

/** Refuses control characters: a name or value is a part of a line. */
BL_MUST_USE bl_status bl_label_check(const char *text);

/** Texts by number and back; zero-initialise. */
typedef struct bl_numbering {
    char **texts;   /* [n]                          */
    int64_t *slots; /* [n_slots] number + 1, 0 free */
    int64_t n, n_slots;
} bl_numbering;

/** most: texts there can be. */
BL_MUST_USE bl_status bl_numbering_make(bl_numbering *all, int64_t most);
void bl_numbering_drop(bl_numbering *all);
/** Number of a text; a new one gets the next. */
BL_MUST_USE bl_status bl_numbering_of(int64_t *out, bl_numbering *all,
                                      const char *text);

/* ---- cells -------------------------------------------------------------- */

/** Name of a folder: readable, and a hash of what differs from the defaults.
 *  parent: name of the cell it follows, or NULL; readers: as
 *  bl_identity_counts. */
BL_MUST_USE bl_status bl_cell_name(char **out, const bl_config *config,
                                   const char *parent,
                                   const bl_config *const *readers);

/** Who reads a cell's keys: itself, and the cell that it follows. */
typedef struct bl_cell_readers {
    const bl_config *all[3]; /* config, first or NULL, NULL */
    bl_config *config, *first;
} bl_cell_readers;

/** Owns     the caller, bl_cell_readers_drop, also on failure. */
BL_MUST_USE bl_status bl_cell_readers_make(bl_cell_readers *out,
                                           const bl_study *study, int64_t i);
void bl_cell_readers_drop(bl_cell_readers *readers);

/** Reads what stands in a cell's folder. */
BL_MUST_USE bl_status bl_cell_look(bl_study *study, int64_t i);

/** Notes which images a run saw, that has this settled configuration. */
BL_MUST_USE bl_status bl_cell_note_images(bl_cell_record *record,
                                          const bl_config *config,
                                          const char *run_yaml);
void bl_cell_forget_images(bl_cell_record *record);

/** Looks for finished cells whose keys name the same images, and that saw
 *  others: *out begins with the line that names the data; NULL: none.
 *  Borrowed until the next look. */
BL_MUST_USE bl_status bl_study_mixed(const char **out, const bl_study *study);

/** Epochs of all stages of a configuration. */
int64_t bl_cell_epochs(const bl_config *config);

/* ---- tables ------------------------------------------------------------- */

enum { BL_COMMON = 6 };

/** What a caption names where all cells have it in common. */
extern const char *const bl_common_keys[BL_COMMON];

/** What the lines around a table say. */
typedef struct bl_table_facts {
    int64_t cells, finished;
    int64_t seeds;            /* cells of an entry; 0: entries differ   */
    int64_t epochs;           /* of every cell; 0: they differ          */
    bool published;
    bool choosers[BL_CHOOSERS]; /* which of them cells have              */
    bl_config *first;         /* of the first cell                      */
    const char *mixed;        /* as bl_study_mixed                      */
    bool common[BL_COMMON];   /* its value is that of all cells, and no */
                              /* row or column says so                  */
} bl_table_facts;

/** Owns     the caller, bl_table_facts_drop. */
BL_MUST_USE bl_status bl_table_measure(bl_table_facts *out,
                                       const bl_study *study,
                                       const bl_study_table *table);
void bl_table_facts_drop(bl_table_facts *facts);

typedef bl_status bl_table_writer(bl_text *out, const bl_study *study,
                                  const bl_study_table *table,
                                  const bl_table_facts *facts, int width);
bl_table_writer bl_table_write_text, bl_table_write_markdown,
    bl_table_write_csv, bl_table_write_json;

#endif
