/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dataset.c: opens a data set by name or path, or makes one from memory.
 *
 * Opening is the same for every format: find the folder or archive, read each
 * member into a piece, join the pieces of a role into a split, check, name.
 * An archive brings its members in any order, so pieces wait until all are
 * read; each is freed as soon as it is joined.
 *
 * A set opened by name must have the images of the official set, all of them.
 * A set opened by path may be of any size.  Where its file names are shared by
 * several sets (IDX) and the folder's name does not tell which it is, its
 * classes are counted and its normalisation is measured.
 *
 * The table of known sets is at the end.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "ballast/config.h"
#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "data/format.h"
#include "data/split.h"

enum { BYTE_CLASSES = 256 }; /* labels of one byte */

static const bl_dataset_row *const rows[] = {
    &bl_dataset_cifar10, &bl_dataset_cifar100, &bl_dataset_fashion_mnist,
};
enum { N_ROW = sizeof rows / sizeof rows[0] };

/* A set being read. */
typedef struct assembly {
    const char *path;
    const bl_dataset_row *row;
    int known; /* this is row's set, not one that looks like it */
    int named; /* opened by name: has to be complete            */
    bl_piece pieces[BL_MEMBERS_MAX]; /* as row->members */
    int seen[BL_MEMBERS_MAX];
} assembly;

/* ---- reading ------------------------------------------------------------- */

void bl_piece_free(bl_piece *piece)
{
    bl_free(piece->pixels);
    bl_free(piece->labels);
    bl_free(piece->text);
    *piece = (bl_piece){0};
}

/* Number of a row's member of this name, or -1. */
static int find_member(const bl_dataset_row *row, const char *name)
{
    for (int i = 0; row->members[i].name != NULL; i++)
        if (strcmp(row->members[i].name, name) == 0) return i;
    return -1;
}

/* A bl_take: payload is a const bl_dataset_row *, NULL until one is found. */
static bl_status note_row(void *payload, const char *name, bl_stream *stream)
{
    const bl_dataset_row **found = payload;
    (void)stream;
    for (int i = 0; i < N_ROW; i++) {
        if (find_member(rows[i], name) < 0) continue;
        *found = rows[i];
        return BL_END;
    }
    return BL_OK;
}

/* A bl_take: payload is an assembly. */
static bl_status read_member(void *payload, const char *name,
                             bl_stream *stream)
{
    assembly *a = payload;
    const int i = find_member(a->row, name);
    if (i < 0) return BL_OK;
    if (a->seen[i]++)
        return BL_RAISE(BL_EFORMAT, "%s: is there twice", stream->place);
    return a->row->members[i].read(&a->pieces[i], stream,
                                   a->known ? a->row->type.n_class
                                            : BYTE_CLASSES);
}

static bl_status each_member(const char *path, const bl_dataset_row *row,
                             bl_take *take, void *payload)
{
    const char *names[BL_MEMBERS_MAX + 1] = {NULL};
    for (int i = 0; row->members[i].name != NULL; i++)
        names[i] = row->members[i].name;
    return bl_source_each(path, names, take, payload);
}

/* The row whose files a folder or archive holds. */
static bl_status recognise(const bl_dataset_row **out, const char *path)
{
    const bl_dataset_row *row = NULL;
    for (int i = 0; i < N_ROW && row == NULL; i++)
        BL_TRY(each_member(path, rows[i], note_row, &row));
    if (row == NULL)
        return BL_RAISE(BL_EFORMAT, "%s: holds no data set, wanted %s, %s or "
                        "%s", path, rows[0]->members[0].name,
                        rows[1]->members[0].name, rows[2]->members[0].name);
    *out = row;
    return BL_OK;
}

static bl_status read_members(assembly *a)
{
    BL_TRY(each_member(a->path, a->row, read_member, a));
    for (int i = 0; a->row->members[i].name != NULL; i++) {
        const bl_member *member = &a->row->members[i];
        if (a->seen[i] || member->role == BL_ROLE_NAMES) continue;
        return BL_RAISE(BL_EFORMAT, "%s: holds no %s, wanted all files of %s",
                        a->path, member->name, a->row->type.name);
    }
    return BL_OK;
}

/* ---- joining ------------------------------------------------------------- */

/* Shape and sizes of what the pieces of a role hold together. */
static bl_status add_up(bl_piece *sum, const assembly *a, bl_role role)
{
    const bl_member *members = a->row->members;
    for (int i = 0; members[i].name != NULL; i++) {
        const bl_piece *piece = &a->pieces[i];
        if (members[i].role != role) continue;
        sum->n_label += piece->n_label;
        if (piece->n_image == 0) continue;
        sum->n_image += piece->n_image;
        sum->h = piece->h;
        sum->w = piece->w;
        sum->c = piece->c;
    }
    if (sum->n_image == sum->n_label) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: %" PRId64 " %s images, wanted %" PRId64
                    ", one a label", a->path, sum->n_image,
                    role == BL_ROLE_TRAIN ? "training" : "test", sum->n_label);
}

/* Joins the pieces of a role.  They have one shape: CIFAR's images have one
 * size, IDX has one file of images a role. */
static bl_status join(bl_split **out, assembly *a, bl_role role,
                      int32_t n_class)
{
    const bl_member *members = a->row->members;
    bl_piece sum = {0};
    int64_t n_image = 0, n_label = 0;
    bl_split *split = NULL;
    BL_TRY(add_up(&sum, a, role));
    BL_TRY(bl_split_reserve(&split, sum.n_image, sum.h, sum.w, sum.c, n_class));
    const size_t bytes = bl_split_image_bytes(split);
    for (int i = 0; members[i].name != NULL; i++) {
        bl_piece *piece = &a->pieces[i];
        if (members[i].role != role) continue;
        if (piece->n_image > 0)
            memcpy(split->pixels + (size_t)n_image * bytes, piece->pixels,
                   (size_t)piece->n_image * bytes);
        if (piece->n_label > 0)
            memcpy(split->labels + n_label, piece->labels,
                   (size_t)piece->n_label * sizeof *piece->labels);
        n_image += piece->n_image;
        n_label += piece->n_label;
        bl_piece_free(piece);
    }
    *out = split;
    return BL_OK;
}

/* One above the largest label of the training pieces. */
static int32_t count_classes(const assembly *a)
{
    int32_t n_class = 1;
    for (int i = 0; a->row->members[i].name != NULL; i++) {
        if (a->row->members[i].role != BL_ROLE_TRAIN) continue;
        for (int64_t j = 0; j < a->pieces[i].n_label; j++)
            if (a->pieces[i].labels[j] >= n_class)
                n_class = a->pieces[i].labels[j] + 1;
    }
    return n_class;
}

static bl_status set_names(bl_dataset *data, const assembly *a,
                           int32_t n_class)
{
    const bl_member *file = NULL;
    const char *text = NULL;
    char *place = NULL;
    for (int i = 0; a->row->members[i].name != NULL; i++)
        if (a->pieces[i].text != NULL) {
            file = &a->row->members[i];
            text = a->pieces[i].text;
        }
    if (file != NULL) BL_TRY(bl_path_join(&place, a->path, file->name));
    const bl_status status =
        bl_names_create(&data->class_names, place != NULL ? place : a->path,
                        text, a->known ? a->row->class_names : NULL, n_class);
    bl_free(place);
    return status;
}

/* ---- checking ------------------------------------------------------------ */

static bl_status check_size(const assembly *a, const char *what, int64_t found,
                            int64_t wanted)
{
    if (!a->named || found == wanted) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: %" PRId64 " %s images, wanted the %" PRId64
                    " of %s", a->path, found, what, wanted, a->row->type.name);
}

/* Class c has no image.  Where classes were counted, the fault may be the
 * label that made them so many, as much as the images that are not there. */
static bl_status refuse_empty(const assembly *a, const bl_dataset *data,
                              const int64_t *n_c, int32_t c)
{
    const bl_split *train = data->train;
    const int32_t top = train->n_class - 1;
    int32_t end = c + 1;
    int64_t record = 0;
    if (a->known)
        return BL_RAISE(BL_EFORMAT, "%s: class %" PRId32 " (%s) has no "
                        "training image, wanted at least one", a->path, c,
                        data->class_names[c]);
    while (n_c[end] == 0) end++; /* top has an image */
    while (train->labels[record] != top) record++;
    if (end == c + 1)
        return BL_RAISE(BL_EFORMAT, "%s: training labels go up to %" PRId32
                        " (record %" PRId64 "), but class %" PRId32 " has no "
                        "image", a->path, top, record, c);
    return BL_RAISE(BL_EFORMAT, "%s: training labels go up to %" PRId32
                    " (record %" PRId64 "), but classes %" PRId32 " to %"
                    PRId32 " have no image", a->path, top, record, c, end - 1);
}

static bl_status check_classes(const assembly *a, const bl_dataset *data)
{
    const bl_split *train = data->train, *test = data->test;
    int64_t *n_c = NULL; /* [C] */
    bl_status status = BL_OK;
    for (int64_t i = 0; i < test->n; i++)
        if (test->labels[i] >= train->n_class)
            return BL_RAISE(BL_EFORMAT, "%s: test record %" PRId64 ": label %"
                            PRId32 " is not in [0, %" PRId32 "], the labels "
                            "of training", a->path, i, test->labels[i],
                            train->n_class - 1);
    BL_TRY(bl_calloc(&n_c, train->n_class, sizeof *n_c));
    bl_split_counts(train, n_c);
    for (int32_t c = 0; c < train->n_class && status == BL_OK; c++)
        if (n_c[c] == 0) status = refuse_empty(a, data, n_c, c);
    bl_free(n_c);
    return status;
}

static bl_status check_shapes(const char *path, const bl_split *train,
                              const bl_split *test)
{
    if (train->h == test->h && train->w == test->w && train->c == test->c)
        return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: test images of %" PRId32 " x %" PRId32
                    " x %" PRId32 ", wanted %" PRId32 " x %" PRId32 " x %"
                    PRId32 " as in training", path, test->h, test->w, test->c,
                    train->h, train->w, train->c);
}

/* ---- opening ------------------------------------------------------------- */

/* The last part of a path, without slashes behind it. */
static bl_status last_part(char **out, const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    char *part = NULL;
    BL_TRY(bl_calloc(&part, (int64_t)(end - start) + 1, 1));
    memcpy(part, path + start, end - start);
    *out = part;
    return BL_OK;
}

/* Reads and checks all but the name. */
static bl_status assemble(bl_dataset *data, assembly *a)
{
    const bl_dataset_type *type = &a->row->type;
    BL_TRY(read_members(a));
    const int32_t n_class = a->known ? type->n_class : count_classes(a);
    BL_TRY(set_names(data, a, n_class));
    BL_TRY(join(&data->train, a, BL_ROLE_TRAIN, n_class));
    BL_TRY(join(&data->test, a, BL_ROLE_TEST, n_class));
    BL_TRY(check_size(a, "training", data->train->n, a->row->n_train));
    BL_TRY(check_size(a, "test", data->test->n, a->row->n_test));
    BL_TRY(check_shapes(a->path, data->train, data->test));
    BL_TRY(check_classes(a, data));
    if (a->known && type->published.c == data->train->c)
        data->published = type->published;
    else
        bl_split_measure(data->train, &data->published);
    return BL_OK;
}

static const bl_dataset_row *find_row(const char *name)
{
    for (int i = 0; i < N_ROW; i++)
        if (strcmp(rows[i]->type.name, name) == 0) return rows[i];
    return NULL;
}

/* Neither a path nor a name. */
static bl_status refuse_name(const char *name)
{
    const char *names[N_ROW + 1] = {NULL};
    for (int i = 0; i < N_ROW; i++) names[i] = rows[i]->type.name;
    const char *near = bl_nearest(name, names);
    return BL_RAISE(BL_EIO, "%s: no folder or archive is there, and no known "
                    "data set has this name (%s, %s, %s)%s%s", name, names[0],
                    names[1], names[2], near != NULL ? "; the nearest is " : "",
                    near != NULL ? near : "");
}

/* Sets name, path and row: from the search path, or from the path given. */
static bl_status locate(bl_dataset *data, assembly *a, const char *name,
                        const char *data_dir)
{
    a->row = find_row(name);
    a->named = a->known = a->row != NULL;
    if (a->named) {
        BL_TRY(bl_dataset_search(&data->path, a->row, data_dir));
        return bl_strdup(&data->name, name);
    }
    if (!bl_path_exists(name)) return refuse_name(name);
    BL_TRY(bl_strdup(&data->path, name));
    BL_TRY(last_part(&data->name, name));
    BL_TRY(recognise(&a->row, name));
    a->known = !a->row->shared || strcmp(data->name, a->row->type.folder) == 0;
    return BL_OK;
}

bl_status bl_dataset_open(bl_dataset **out, const char *name_or_path,
                          const char *data_dir)
{
    assembly a = {0};
    bl_dataset *data = NULL;
    bl_status status = BL_OK;
    BL_CHECK(bl_calloc(&data, 1, sizeof *data));
    BL_CHECK(locate(data, &a, name_or_path, data_dir));
    a.path = data->path;
    BL_CHECK(assemble(data, &a));
    *out = data;
    data = NULL;
done:
    for (int i = 0; i < BL_MEMBERS_MAX; i++) bl_piece_free(&a.pieces[i]);
    bl_dataset_free(data);
    return status;
}

/* ---- from memory --------------------------------------------------------- */

bl_status bl_dataset_create(bl_dataset **out, const char *name,
                            bl_split *train, bl_split *test,
                            const char *const *class_names)
{
    bl_dataset *data = NULL;
    bl_status status = BL_OK;
    if (train->h != test->h || train->w != test->w || train->c != test->c ||
        train->n_class != test->n_class)
        return BL_RAISE(BL_EINVAL, "%s: test of %" PRId32 " x %" PRId32 " x %"
                        PRId32 ", %" PRId32 " classes, wanted %" PRId32 " x %"
                        PRId32 " x %" PRId32 ", %" PRId32 " as in training",
                        name, test->h, test->w, test->c, test->n_class,
                        train->h, train->w, train->c, train->n_class);
    BL_CHECK(bl_calloc(&data, 1, sizeof *data));
    BL_CHECK(bl_strdup(&data->name, name));
    BL_CHECK(bl_names_create(&data->class_names, name, NULL, class_names,
                             train->n_class));
    bl_split_measure(train, &data->published);
    data->train = train;
    data->test = test;
    *out = data;
    data = NULL;
done:
    bl_dataset_free(data);
    return status;
}

void bl_dataset_free(bl_dataset *data)
{
    if (data == NULL) return;
    bl_free(data->name);
    bl_free(data->path);
    bl_split_free(data->train);
    bl_split_free(data->test);
    bl_names_free(data->class_names);
    bl_free(data);
}

/* ---- registry ------------------------------------------------------------ */

static const bl_dataset_type *const types[] = {
    &bl_dataset_cifar10.type, &bl_dataset_cifar100.type,
    &bl_dataset_fashion_mnist.type, NULL,
};

const bl_dataset_type *const *bl_dataset_types(void)
{
    return types;
}
