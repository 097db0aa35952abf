/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h: how a data set is stored, as a row of its files.
 *
 *   member   one file: its name, what it belongs to, the function that reads it
 *   piece    what was read from one member
 *   row      a known data set: bl_dataset_type, its members and its sizes
 *
 * A format is a function that turns a stream into a piece; dataset.c finds the
 * members and joins the pieces into splits.
 */
#ifndef BL_DATA_FORMAT_H
#define BL_DATA_FORMAT_H

#include <stdint.h>

#include "ballast/data.h"
#include "data/source.h"

enum { BL_MEMBERS_MAX = 8 };

typedef enum bl_role { BL_ROLE_TRAIN, BL_ROLE_TEST, BL_ROLE_NAMES } bl_role;

/** What was read from one member; zero-initialise. */
typedef struct bl_piece {
    int64_t n_image, n_label;
    int32_t h, w, c;
    uint8_t *pixels; /* [n_image][h][w][c]                  */
    int32_t *labels; /* [n_label]                           */
    char *text;      /* class names, a line each, or NULL   */
} bl_piece;

/** Reads a member.  n_class: labels must lie below it. */
typedef bl_status bl_member_read(bl_piece *piece, bl_stream *stream,
                                 int32_t n_class);

typedef struct bl_member {
    const char *name; /* NULL ends a list */
    bl_role role;
    bl_member_read *read;
} bl_member;

typedef struct bl_dataset_row {
    bl_dataset_type type;
    const char *archive;            /* official one, a tar.gz, or NULL        */
    const bl_member *members;       /* BL_MEMBERS_MAX at most; names optional */
    const char *const *class_names; /* [n_class], or NULL: as numbers         */
    int64_t n_train, n_test;        /* images of the official set             */
    int shared; /* other sets use these file names too, with other classes */
} bl_dataset_row;

extern const bl_dataset_row bl_dataset_cifar10;
extern const bl_dataset_row bl_dataset_cifar100;
extern const bl_dataset_row bl_dataset_fashion_mnist;

void bl_piece_free(bl_piece *piece);

bl_member_read bl_cifar10_read, bl_cifar100_read;     /* cifar.c */
bl_member_read bl_idx_images_read, bl_idx_labels_read; /* idx.c  */
bl_member_read bl_names_read;                          /* names.c */

/** Splits a text of lines into n_class names; text NULL: the row's names, or
 *  numbers where row is NULL or has none.
 *
 * Errors   BL_EFORMAT names place if lines and classes differ in number.
 * Owns     the caller, bl_names_free; the array ends with NULL.
 */
BL_MUST_USE bl_status bl_names_create(char ***out, const char *place,
                                      const char *text,
                                      const char *const *defaults,
                                      int32_t n_class);
void bl_names_free(char **names);

/** Finds a row's folder or archive; BL_EIO says where it was looked for. */
BL_MUST_USE bl_status bl_dataset_search(char **path, const bl_dataset_row *row,
                                        const char *data_dir);

#endif
