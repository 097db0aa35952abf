/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idx.c: the IDX files of MNIST and the sets made in its image.
 *
 *   images   0 0 8 3   n   h   w   pixels [n][h][w]
 *   labels   0 0 8 1   n           labels [n]
 *
 * Numbers are 32 bits, most significant byte first; 8 is the code of unsigned
 * bytes, 3 and 1 the number of extents.  Files are plain or gzipped.
 *
 * The header promises sizes, and a broken one promises anything.  Extents and
 * what they multiply to are checked against limits, and memory is taken in
 * doubling steps as pixels arrive: a header alone costs 16 MB at most.
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits";
 * Xiao, Rasul, Vollgraf, "Fashion-MNIST", 2017, arXiv:1708.07747.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "data/format.h"

enum {
    MAX_EXTENTS = 3,
    MAX_IMAGES = 1 << 24,
    MAX_SIDE = 4096,
    FIRST_ROOM = 1 << 24 /* bytes */
};

/* Reads the header and n_extent extents. */
static bl_status read_header(uint32_t *extent, int n_extent, bl_stream *stream)
{
    uint8_t bytes[4 * (1 + MAX_EXTENTS)];
    const uint8_t magic[] = {0, 0, 8, (uint8_t)n_extent};
    BL_TRY(bl_stream_fill(stream, bytes, sizeof magic));
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return BL_RAISE(BL_EFORMAT, "%s: offset 0: magic %02x %02x %02x %02x, "
                        "wanted 00 00 08 %02x", stream->place, bytes[0],
                        bytes[1], bytes[2], bytes[3], n_extent);
    BL_TRY(bl_stream_fill(stream, bytes, 4 * (size_t)n_extent));
    for (int i = 0; i < n_extent; i++) {
        const uint8_t *b = bytes + 4 * i;
        extent[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
                    (uint32_t)b[2] << 8 | b[3];
        const uint32_t most = i == 0 ? MAX_IMAGES : MAX_SIDE;
        if (extent[i] < 1 || extent[i] > most)
            return BL_RAISE(BL_EFORMAT, "%s: offset %d: extent %" PRIu32
                            ", wanted 1 to %" PRIu32, stream->place,
                            4 + 4 * i, extent[i], most);
    }
    return BL_OK;
}

/* Reads count bytes and the end of the file into *out. */
static bl_status read_body(uint8_t **out, int64_t count, bl_stream *stream)
{
    int64_t done = 0, room = FIRST_ROOM;
    while (done < count) {
        const int64_t part = room < count ? room : count;
        BL_TRY(bl_realloc(out, part, 1));
        BL_TRY(bl_stream_fill(stream, *out + done, (size_t)(part - done)));
        done = part;
        room *= 2;
    }
    return bl_stream_end(stream);
}

bl_status bl_idx_images_read(bl_piece *piece, bl_stream *stream,
                             int32_t n_class)
{
    uint32_t extent[3]; /* n, h, w */
    (void)n_class;
    BL_TRY(read_header(extent, 3, stream));
    piece->h = (int32_t)extent[1];
    piece->w = (int32_t)extent[2];
    piece->c = 1;
    const int64_t count = (int64_t)extent[0] * piece->h * piece->w;
    if (count > stream->limit)
        return BL_RAISE(BL_EFORMAT, "%s: offset 4: %" PRIu32 " images of %"
                        PRId32 " x %" PRId32 ", wanted at most %" PRId64
                        " bytes", stream->place, extent[0], piece->h, piece->w,
                        stream->limit);
    BL_TRY(read_body(&piece->pixels, count, stream));
    piece->n_image = extent[0];
    return BL_OK;
}

bl_status bl_idx_labels_read(bl_piece *piece, bl_stream *stream,
                             int32_t n_class)
{
    uint32_t n = 0;
    uint8_t *bytes = NULL; /* [n] */
    bl_status status = BL_OK;
    BL_TRY(read_header(&n, 1, stream));
    BL_CHECK(read_body(&bytes, n, stream));
    BL_CHECK(bl_calloc(&piece->labels, n, sizeof *piece->labels));
    for (uint32_t i = 0; i < n; i++) {
        if (bytes[i] >= n_class) {
            status = BL_RAISE(BL_EFORMAT, "%s: record %" PRIu32 ": label %d is "
                              "not in [0, %" PRId32 "]", stream->place, i,
                              bytes[i], n_class - 1);
            goto done;
        }
        piece->labels[i] = bytes[i];
    }
    piece->n_label = n;
done:
    bl_free(bytes);
    return status;
}

/* ---- row ----------------------------------------------------------------- */

static const bl_member members[] = {
    {"train-images-idx3-ubyte", BL_ROLE_TRAIN, bl_idx_images_read},
    {"train-labels-idx1-ubyte", BL_ROLE_TRAIN, bl_idx_labels_read},
    {"t10k-images-idx3-ubyte", BL_ROLE_TEST, bl_idx_images_read},
    {"t10k-labels-idx1-ubyte", BL_ROLE_TEST, bl_idx_labels_read},
    {NULL, BL_ROLE_NAMES, NULL},
};

static const char *const names[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

const bl_dataset_row bl_dataset_fashion_mnist = {
    .type = {.name = "fashion-mnist",
             .summary = "10 classes of clothing, 28 x 28 grey",
             .folder = "fashion-mnist",
             .obtain = "on Debian and Ubuntu: apt-get install "
                       "dataset-fashion-mnist",
             .n_class = 10,
             .published = {.c = 1, .mean = {.2860}, .std = {.3530}}},
    .members = members,
    .class_names = names,
    .n_train = 60000,
    .n_test = 10000,
    .shared = 1,
};
