/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cifar.c: the binary files of CIFAR-10 and CIFAR-100.
 *
 *   CIFAR-10    label, 1024 red, 1024 green, 1024 blue            3073 bytes
 *   CIFAR-100   coarse label, fine label, the same three planes   3074 bytes
 *
 * A file is nothing but such records: no header, no count.  Planes are woven
 * into [h][w][c] as they arrive.  CIFAR-100 is classified by its fine label.
 *
 * Source: Krizhevsky, "Learning multiple layers of features from tiny images",
 * 2009; layout from https://www.cs.toronto.edu/~kriz/cifar.html.
 *
 * The published constants are those of the CIFAR-LT literature.  They are used
 * for both sets and the deviations are not those of the pixels (.247 .243
 * .262); they are kept because every published number was trained with them.
 */
#include <inttypes.h>
#include <stddef.h>

#include "core/error.h"
#include "core/mem.h"
#include "data/format.h"

enum {
    SIDE = 32,
    PLANE = SIDE * SIDE,
    CHANNELS = 3,
    IMAGE = CHANNELS * PLANE,
    MAX_LABELS = 2,
    FIRST_ROOM = 1024 /* records */
};

/* One label byte of a record. */
typedef struct label_byte {
    const char *name;
    int32_t n; /* labels in [0, n) */
} label_byte;

/* weave: planes [3][32][32] to pixels [32][32][3]. */
static void weave(uint8_t *pixels, const uint8_t *planes)
{
    for (int px = 0; px < PLANE; px++)
        for (int k = 0; k < CHANNELS; k++)
            pixels[px * CHANNELS + k] = planes[k * PLANE + px];
}

static bl_status grow(bl_piece *piece, int64_t *room)
{
    if (piece->n_image < *room) return BL_OK;
    const int64_t wanted = *room > 0 ? 2 * *room : FIRST_ROOM;
    BL_TRY(bl_realloc(&piece->pixels, wanted, IMAGE));
    BL_TRY(bl_realloc(&piece->labels, wanted, sizeof *piece->labels));
    *room = wanted;
    return BL_OK;
}

static bl_status check_labels(const bl_stream *stream, int64_t record,
                              const uint8_t *bytes, const label_byte *labels,
                              int n_label)
{
    for (int i = 0; i < n_label; i++)
        if (bytes[i] >= labels[i].n)
            return BL_RAISE(BL_EFORMAT, "%s: record %" PRId64 ": %s %d is not "
                            "in [0, %" PRId32 "]", stream->place, record,
                            labels[i].name, bytes[i], labels[i].n - 1);
    return BL_OK;
}

/* The last of n_label label bytes is the class. */
static bl_status read_records(bl_piece *piece, bl_stream *stream,
                              const label_byte *labels, int n_label)
{
    uint8_t record[MAX_LABELS + IMAGE];
    const size_t bytes = (size_t)n_label + IMAGE;
    int64_t room = 0;
    piece->h = piece->w = SIDE;
    piece->c = CHANNELS;
    for (;;) {
        const int64_t i = piece->n_image;
        size_t got = 0;
        BL_TRY(bl_stream_read(stream, record, bytes, &got));
        if (got == 0) break;
        if (got < bytes)
            return BL_RAISE(BL_EFORMAT, "%s: record %" PRId64 " ends after %zu "
                            "bytes, wanted %zu", stream->place, i, got, bytes);
        BL_TRY(check_labels(stream, i, record, labels, n_label));
        BL_TRY(grow(piece, &room));
        weave(piece->pixels + i * IMAGE, record + n_label);
        piece->labels[i] = record[n_label - 1];
        piece->n_label = ++piece->n_image;
    }
    if (piece->n_image > 0) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: is empty, wanted records of %zu bytes",
                    stream->place, bytes);
}

bl_status bl_cifar10_read(bl_piece *piece, bl_stream *stream, int32_t n_class)
{
    const label_byte labels[] = {{"label", n_class}};
    return read_records(piece, stream, labels, 1);
}

bl_status bl_cifar100_read(bl_piece *piece, bl_stream *stream, int32_t n_class)
{
    const label_byte labels[] = {{"coarse label", 20},
                                 {"fine label", n_class}};
    return read_records(piece, stream, labels, 2);
}

/* ---- rows ---------------------------------------------------------------- */

#define CIFAR_NORMALIZATION                                        \
    {                                                              \
        .c = 3, .mean = {.4914, .4822, .4465}, .std = {.2023, .1994, .2010} \
    }

static const bl_member cifar10_members[] = {
    {"data_batch_1.bin", BL_ROLE_TRAIN, bl_cifar10_read},
    {"data_batch_2.bin", BL_ROLE_TRAIN, bl_cifar10_read},
    {"data_batch_3.bin", BL_ROLE_TRAIN, bl_cifar10_read},
    {"data_batch_4.bin", BL_ROLE_TRAIN, bl_cifar10_read},
    {"data_batch_5.bin", BL_ROLE_TRAIN, bl_cifar10_read},
    {"test_batch.bin", BL_ROLE_TEST, bl_cifar10_read},
    {"batches.meta.txt", BL_ROLE_NAMES, bl_names_read},
    {NULL, BL_ROLE_NAMES, NULL},
};

static const char *const cifar10_names[] = {
    "airplane", "automobile", "bird",  "cat",  "deer",
    "dog",      "frog",       "horse", "ship", "truck",
};

const bl_dataset_row bl_dataset_cifar10 = {
    .type = {.name = "cifar10",
             .summary = "10 classes of small photographs, 32 x 32 colour",
             .folder = "cifar-10-batches-bin",
             .obtain = "cifar-10-binary.tar.gz from "
                       "https://www.cs.toronto.edu/~kriz/cifar.html",
             .n_class = 10,
             .published = CIFAR_NORMALIZATION},
    .archive = "cifar-10-binary.tar.gz",
    .members = cifar10_members,
    .class_names = cifar10_names,
    .n_train = 50000,
    .n_test = 10000,
};

static const bl_member cifar100_members[] = {
    {"train.bin", BL_ROLE_TRAIN, bl_cifar100_read},
    {"test.bin", BL_ROLE_TEST, bl_cifar100_read},
    {"fine_label_names.txt", BL_ROLE_NAMES, bl_names_read},
    {NULL, BL_ROLE_NAMES, NULL},
};

const bl_dataset_row bl_dataset_cifar100 = {
    .type = {.name = "cifar100",
             .summary = "100 classes of small photographs, 32 x 32 colour",
             .folder = "cifar-100-binary",
             .obtain = "cifar-100-binary.tar.gz from "
                       "https://www.cs.toronto.edu/~kriz/cifar.html",
             .n_class = 100,
             .published = CIFAR_NORMALIZATION},
    .archive = "cifar-100-binary.tar.gz",
    .members = cifar100_members,
    .n_train = 50000,
    .n_test = 10000,
};
