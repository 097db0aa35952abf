/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c: reads and writes named tensors.
 *
 * Reading trusts nothing.  The header's length is compared with the file's
 * before memory is taken for it; shapes are multiplied with overflow checks;
 * the tensors, sorted by offset, must tile the data section with neither gap
 * nor overlap and end where the file ends, so that a file cut short at any
 * byte is refused.  A file is read, not mapped: a mapped file that someone
 * truncates kills the process with SIGBUS.  Each tensor is read to a place of
 * its own on an 8-byte boundary, since the format lets F64 follow one U8.
 *
 * Writing is a function of its input alone: same tensors, same bytes.
 *
 * The checksum covers the header too, for there lie the counters of a
 * checkpoint.  It cannot cover itself, so both sides hash '0' in the place of
 * its digits: the writer puts them in when the rest is written.  The length
 * in front needs no checksum: with any other one the tensors do not tile.
 *
 * The host is taken to be little-endian, as the format is.
 *
 * Reference: the format's description, huggingface/safetensors, README.
 */
#include "io/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "ballast/data.h"
#include "ballast/json.h"
#include "core/error.h"
#include "core/file.h"
#include "core/jsonread.h"
#include "core/mem.h"
#include "core/text.h"

#define METADATA "__metadata__"
#define CHECKSUM "ballast.xxh3"

enum {
    LENGTH_BYTES = 8,            /* u64 in front of the header        */
    HEADER_LIMIT = 100000000,    /* of the reference implementation   */
    ALIGN = 8,                   /* of the data section, and in memory */
    HASH_DIGITS = 16
};

typedef struct dtype {
    const char *name;
    size_t size; /* bytes */
} dtype;

static const dtype dtypes[] = {
    {"BOOL", 1},    {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1},
    {"U16", 2},     {"I16", 2}, {"F16", 2}, {"BF16", 2},
    {"U32", 4},     {"I32", 4}, {"F32", 4},
    {"U64", 8},     {"I64", 8}, {"F64", 8}, {"C64", 8},
};

#define DTYPE_NAMES                                                     \
    "BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32, " \
    "F32, U64, I64, F64, C64"

/* Where a tensor lies in the data section. */
typedef struct span {
    int64_t begin, end, tensor;
} span;

struct bl_safetensors {
    bl_json_value *header;    /* holds all names and metadata */
    bl_named_tensor *tensors; /* [n], in the header's order   */
    int64_t n;
    unsigned char *data;      /* every tensor, each at a multiple of ALIGN */
};

/* What is known of a file while it is being opened. */
typedef struct source {
    const char *path;
    int fd;
    int64_t bytes;       /* of the whole file   */
    int64_t data_offset; /* of the data section */
    char *header;        /* [data_offset - LENGTH_BYTES] and a NUL */
} source;

static const dtype *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, name) == 0) return &dtypes[i];
    return NULL;
}

static size_t round_up(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* The digits of the checksum in a header, or NULL: 16 and a quote.  A string
 * cannot hold these bytes, since its quotes are written \", so they are a key
 * and the beginning of its value. */
static char *find_digits(char *header)
{
    static const char key[] = "\"" CHECKSUM "\":\"";
    char *const at = strstr(header, key);
    if (at == NULL) return NULL;
    char *const digits = at + sizeof key - 1;
    const size_t n = strspn(digits, "0123456789abcdef");
    return n == HASH_DIGITS && digits[n] == '"' ? digits : NULL;
}

static bl_status hash_start(XXH3_state_t **out)
{
    XXH3_state_t *const state = XXH3_createState();
    if (state == NULL || XXH3_64bits_reset(state) != XXH_OK) {
        (void)XXH3_freeState(state);
        return BL_RAISE(BL_ENOMEM, "out of memory for a checksum");
    }
    *out = state;
    return BL_OK;
}

/* Frees state and writes its digest as 16 hexadecimal digits. */
static void hash_finish(char out[HASH_DIGITS + 1], XXH3_state_t *state)
{
    (void)snprintf(out, HASH_DIGITS + 1, "%016" PRIx64,
                   (uint64_t)XXH3_64bits_digest(state));
    (void)XXH3_freeState(state);
}

/* ---- reading: bytes ------------------------------------------------------ */

/* O_NONBLOCK: a pipe of that name must not hang the program. */
static bl_status source_open(source *src, const char *path)
{
    struct stat info;
    src->path = path;
    src->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (src->fd < 0) return BL_RAISE_ERRNO(path, "open");
    if (fstat(src->fd, &info) != 0) return BL_RAISE_ERRNO(path, "examine");
    if (!S_ISREG(info.st_mode))
        return BL_RAISE(BL_EIO, "%s: is not a regular file", path);
    src->bytes = (int64_t)info.st_size;
    return BL_OK;
}

static bl_status read_at(const source *src, int64_t offset, void *out,
                         size_t n)
{
    unsigned char *const bytes = out;
    for (size_t done = 0; done < n;) {
        const int64_t at = offset + (int64_t)done;
        const ssize_t got =
            pread(src->fd, bytes + done, n - done, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return BL_RAISE_ERRNO(src->path, "read");
        if (got == 0)
            return BL_RAISE(BL_EFORMAT, "%s: ends at byte %" PRId64
                            ", wanted %" PRId64, src->path, at,
                            offset + (int64_t)n);
        done += (size_t)got;
    }
    return BL_OK;
}

/* Reads the length and checks it against the file and the format's limit. */
static bl_status read_length(source *src, int64_t *length)
{
    unsigned char raw[LENGTH_BYTES];
    uint64_t value = 0;
    if (src->bytes < LENGTH_BYTES)
        return BL_RAISE(BL_EFORMAT, "%s: holds %" PRId64 " bytes, wanted at "
                        "least the %d of a header length", src->path,
                        src->bytes, LENGTH_BYTES);
    BL_TRY(read_at(src, 0, raw, sizeof raw));
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) value = value << 8 | raw[i];
    if (value > HEADER_LIMIT)
        return BL_RAISE(BL_EFORMAT, "%s: header length %" PRIu64 ", wanted at "
                        "most %d; not a safetensors file?", src->path, value,
                        HEADER_LIMIT);
    if ((int64_t)value > src->bytes - LENGTH_BYTES)
        return BL_RAISE(BL_EFORMAT, "%s: header length %" PRIu64 ", but only "
                        "%" PRId64 " bytes follow; cut short, or not a "
                        "safetensors file?", src->path, value,
                        src->bytes - LENGTH_BYTES);
    *length = (int64_t)value;
    src->data_offset = LENGTH_BYTES + *length;
    return BL_OK;
}

/* Reads the header's text, which src owns, and what it says. */
static bl_status read_header(source *src, bl_json_value **header)
{
    int64_t length = 0;
    BL_TRY(read_length(src, &length));
    BL_TRY(bl_calloc(&src->header, length + 1, 1));
    BL_TRY(read_at(src, LENGTH_BYTES, src->header, (size_t)length));
    if (src->header[0] != '{')
        return BL_RAISE(BL_EFORMAT, "%s: header begins with byte 0x%02x, "
                        "wanted '{'", src->path,
                        (unsigned)(unsigned char)src->header[0]);
    return bl_json_parse(header, src->path, src->header, (size_t)length);
}

/* ---- reading: header ----------------------------------------------------- */

static bl_status check_metadata(const source *src, const bl_json_value *meta)
{
    if (meta->kind != BL_JSON_OBJECT)
        return BL_RAISE(BL_EFORMAT, "%s: " METADATA " is not an object",
                        src->path);
    for (const bl_json_value *at = meta->first; at != NULL; at = at->next)
        if (at->kind != BL_JSON_STRING)
            return BL_RAISE(BL_EFORMAT, "%s: " METADATA ": \"%.80s\" is not a "
                            "string", src->path, at->key);
    return BL_OK;
}

static bl_status parse_shape(const source *src, const bl_json_value *shape,
                             bl_named_tensor *tensor)
{
    if (shape == NULL || shape->kind != BL_JSON_ARRAY)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": shape is not an "
                        "array", src->path, tensor->name);
    if (shape->count > BL_TENSOR_RANK)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": rank %" PRId64
                        ", wanted at most %d", src->path, tensor->name,
                        shape->count, BL_TENSOR_RANK);
    for (const bl_json_value *at = shape->first; at != NULL; at = at->next) {
        if (at->kind != BL_JSON_INTEGER || at->integer < 0)
            return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": extent %d of "
                            "its shape is not an integer >= 0", src->path,
                            tensor->name, (int)tensor->rank);
        tensor->shape[tensor->rank++] = at->integer;
    }
    return BL_OK;
}

static bl_status parse_offsets(const source *src, const bl_json_value *pair,
                               const bl_named_tensor *tensor, span *place)
{
    const int64_t room = src->bytes - src->data_offset;
    if (pair == NULL || pair->kind != BL_JSON_ARRAY || pair->count != 2 ||
        pair->first->kind != BL_JSON_INTEGER ||
        pair->first->next->kind != BL_JSON_INTEGER)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": data_offsets is "
                        "not a pair of integers", src->path, tensor->name);
    place->begin = pair->first->integer;
    place->end = pair->first->next->integer;
    if (place->begin < 0 || place->end < place->begin || place->end > room)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": data_offsets [%"
                        PRId64 ", %" PRId64 "] are not within the %" PRId64
                        " bytes of data", src->path, tensor->name,
                        place->begin, place->end, room);
    return BL_OK;
}

/* Multiplies the shape out and compares it with the span. */
static bl_status check_bytes(const char *path, bl_named_tensor *tensor,
                             size_t element, int64_t found)
{
    size_t bytes = element;
    for (int32_t i = 0; i < tensor->rank; i++)
        if (bl_size_mul(&bytes, tensor->shape[i], bytes) < 0)
            return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": its shape is "
                            "larger than memory can be", path, tensor->name);
    if ((uint64_t)bytes != (uint64_t)found)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": %" PRId64
                        " bytes of data, its shape wants %zu of %s", path,
                        tensor->name, found, bytes, tensor->dtype);
    tensor->bytes = bytes;
    return BL_OK;
}

static bl_status parse_tensor(const source *src, const bl_json_value *entry,
                              bl_named_tensor *tensor, span *place)
{
    const bl_json_value *const dtype_name = bl_json_member(entry, "dtype");
    tensor->name = entry->key;
    if (entry->kind != BL_JSON_OBJECT)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\" is not an object",
                        src->path, tensor->name);
    if (dtype_name == NULL || dtype_name->kind != BL_JSON_STRING)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": dtype is not a "
                        "string", src->path, tensor->name);
    const dtype *const type = find_dtype(dtype_name->string);
    if (type == NULL)
        return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\": dtype \"%.20s\", "
                        "wanted one of " DTYPE_NAMES, src->path,
                        tensor->name, dtype_name->string);
    tensor->dtype = type->name;
    BL_TRY(parse_shape(src, bl_json_member(entry, "shape"), tensor));
    BL_TRY(parse_offsets(src, bl_json_member(entry, "data_offsets"), tensor,
                         place));
    return check_bytes(src->path, tensor, type->size,
                       place->end - place->begin);
}

/* Fills tensors and spans [n] from the header, which has room for them. */
static bl_status parse_tensors(const source *src, bl_safetensors *file,
                               span *spans)
{
    const bl_json_value *at = file->header->first;
    for (; at != NULL; at = at->next) {
        if (strcmp(at->key, METADATA) == 0) {
            BL_TRY(check_metadata(src, at));
            continue;
        }
        spans[file->n].tensor = file->n;
        BL_TRY(parse_tensor(src, at, &file->tensors[file->n],
                            &spans[file->n]));
        file->n++;
    }
    return BL_OK;
}

static int compare_spans(const void *a, const void *b)
{
    const span *const x = a, *const y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Sorts spans by offset; they must cover the data section once. */
static bl_status check_tiling(const source *src, const bl_safetensors *file,
                              span *spans)
{
    const int64_t room = src->bytes - src->data_offset;
    int64_t end = 0;
    qsort(spans, (size_t)file->n, sizeof *spans, compare_spans);
    for (int64_t i = 0; i < file->n; i++) {
        if (spans[i].begin != end)
            return BL_RAISE(BL_EFORMAT, "%s: tensor \"%.80s\" begins at "
                            "offset %" PRId64 ", wanted %" PRId64
                            " where the tensor before it ends", src->path,
                            file->tensors[spans[i].tensor].name,
                            spans[i].begin, end);
        end = spans[i].end;
    }
    if (end != room)
        return BL_RAISE(BL_EFORMAT, "%s: holds %" PRId64 " bytes of data, its "
                        "tensors want %" PRId64, src->path, room, end);
    return BL_OK;
}

/* ---- reading: data ------------------------------------------------------- */

/* Takes memory for all tensors and points each to its place. */
static bl_status place_tensors(bl_safetensors *file)
{
    size_t total = 0, at = 0;
    for (int64_t i = 0; i < file->n; i++)
        total += round_up(file->tensors[i].bytes);
    BL_TRY(bl_slab_alloc(&file->data, total));
    for (int64_t i = 0; i < file->n; i++) {
        file->tensors[i].data = file->data + at;
        at += round_up(file->tensors[i].bytes);
    }
    return BL_OK;
}

/* Reads the data in the order of the file; hash may be NULL. */
static bl_status read_data(const source *src, const bl_safetensors *file,
                           const span *spans, XXH3_state_t *hash)
{
    for (int64_t i = 0; i < file->n; i++) {
        const bl_named_tensor *const tensor = &file->tensors[spans[i].tensor];
        unsigned char *const to =
            file->data + ((const unsigned char *)tensor->data - file->data);
        BL_TRY(read_at(src, src->data_offset + spans[i].begin, to,
                       tensor->bytes));
        if (hash != NULL)
            (void)XXH3_64bits_update(hash, to, tensor->bytes);
    }
    return BL_OK;
}

/* Hashes the header, the digits of its checksum taken as '0'. */
static bl_status hash_header(const source *src, XXH3_state_t **hash)
{
    char *const digits = find_digits(src->header);
    if (digits == NULL)
        return BL_RAISE(BL_EFORMAT, "%s: " CHECKSUM " is not 16 hexadecimal "
                        "digits as they were written", src->path);
    memset(digits, '0', HASH_DIGITS);
    BL_TRY(hash_start(hash));
    (void)XXH3_64bits_update(*hash, src->header,
                             (size_t)(src->data_offset - LENGTH_BYTES));
    return BL_OK;
}

static bl_status load_data(const source *src, bl_safetensors *file,
                           const span *spans)
{
    char digest[HASH_DIGITS + 1];
    XXH3_state_t *hash = NULL;
    const char *const wanted = bl_safetensors_meta(file, CHECKSUM);
    BL_TRY(place_tensors(file));
    if (wanted == NULL) return read_data(src, file, spans, NULL);

    BL_TRY(hash_header(src, &hash));
    const bl_status status = read_data(src, file, spans, hash);
    hash_finish(digest, hash);
    BL_TRY(status);
    if (strcmp(digest, wanted) != 0)
        return BL_RAISE(BL_EFORMAT, "%s: checksum is %s, wanted %.20s: the "
                        "file is damaged", src->path, digest, wanted);
    return BL_OK;
}

bl_status bl_safetensors_open(bl_safetensors **out, const char *path)
{
    bl_status status = BL_OK;
    source src = {.fd = -1};
    bl_safetensors *file = NULL;
    span *spans = NULL;
    BL_CHECK(source_open(&src, path));
    BL_CHECK(bl_calloc(&file, 1, sizeof *file));
    BL_CHECK(read_header(&src, &file->header));
    const int64_t members = file->header->count;
    BL_CHECK(bl_calloc(&file->tensors, members, sizeof *file->tensors));
    BL_CHECK(bl_calloc(&spans, members, sizeof *spans));
    BL_CHECK(parse_tensors(&src, file, spans));
    BL_CHECK(check_tiling(&src, file, spans));
    BL_CHECK(load_data(&src, file, spans));
    *out = file;
    file = NULL;
done:
    if (src.fd >= 0) (void)close(src.fd);
    bl_free(src.header);
    bl_free(spans);
    bl_safetensors_free(file);
    return status;
}

void bl_safetensors_free(bl_safetensors *file)
{
    if (file == NULL) return;
    bl_json_value_free(file->header);
    bl_free(file->tensors);
    bl_free(file->data);
    bl_free(file);
}

const bl_named_tensor *bl_safetensors_find(const bl_safetensors *file,
                                           const char *name)
{
    for (int64_t i = 0; i < file->n; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const bl_named_tensor *bl_safetensors_list(const bl_safetensors *file,
                                           int64_t *n)
{
    *n = file->n;
    return file->tensors;
}

const char *bl_safetensors_meta(const bl_safetensors *file, const char *key)
{
    const bl_json_value *const value =
        bl_json_member(bl_json_member(file->header, METADATA), key);
    return value == NULL ? NULL : value->string;
}

/* ---- writing ------------------------------------------------------------- */

static bl_status check_tensor(const char *path, const bl_named_tensor *tensor)
{
    const dtype *const type = find_dtype(tensor->dtype);
    bl_named_tensor wanted = *tensor;
    if (strcmp(tensor->name, METADATA) == 0)
        return BL_RAISE(BL_EINVAL, "%s: " METADATA " cannot name a tensor",
                        path);
    if (type == NULL)
        return BL_RAISE(BL_EINVAL, "%s: tensor \"%.80s\": dtype \"%.20s\", "
                        "wanted one of " DTYPE_NAMES, path, tensor->name,
                        tensor->dtype);
    if (tensor->rank < 0 || tensor->rank > BL_TENSOR_RANK)
        return BL_RAISE(BL_EINVAL, "%s: tensor \"%.80s\": rank %d is not in "
                        "[0, %d]", path, tensor->name, (int)tensor->rank,
                        BL_TENSOR_RANK);
    if (tensor->bytes > (size_t)INT64_MAX ||
        check_bytes(path, &wanted, type->size, (int64_t)tensor->bytes) < 0)
        return BL_RAISE(BL_EINVAL, "%s: tensor \"%.80s\": %zu bytes are not "
                        "what its shape holds", path, tensor->name,
                        tensor->bytes);
    return BL_OK;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *const x = a, *const *const y = b;
    return strcmp(*x, *y);
}

/* Sorts names [n] and refuses equal ones. */
static bl_status check_distinct(const char *path, const char **names,
                                int64_t n)
{
    qsort(names, (size_t)n, sizeof *names, compare_names);
    for (int64_t i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return BL_RAISE(BL_EINVAL, "%s: the name \"%.80s\" was given "
                            "twice", path, names[i]);
    return BL_OK;
}

static bl_status check_input(const char *path, const bl_named_tensor *tensors,
                             int64_t n, const bl_metadata *metadata,
                             int64_t n_metadata)
{
    bl_status status = BL_OK;
    const char **names = NULL;
    const int64_t larger = n > n_metadata + 1 ? n : n_metadata + 1;
    BL_TRY(bl_calloc(&names, larger, sizeof *names));
    for (int64_t i = 0; i < n; i++) {
        BL_CHECK(check_tensor(path, &tensors[i]));
        names[i] = tensors[i].name;
    }
    BL_CHECK(check_distinct(path, names, n));
    for (int64_t i = 0; i < n_metadata; i++) names[i] = metadata[i].key;
    names[n_metadata] = CHECKSUM;
    BL_CHECK(check_distinct(path, names, n_metadata + 1));
done:
    bl_free(names);
    return status;
}

static void add_tensor(bl_json *json, const bl_named_tensor *tensor,
                       int64_t begin)
{
    bl_json_object(json, tensor->name);
    bl_json_string(json, "dtype", tensor->dtype);
    bl_json_array(json, "shape");
    for (int32_t i = 0; i < tensor->rank; i++)
        bl_json_integer(json, NULL, tensor->shape[i]);
    bl_json_close(json);
    bl_json_array(json, "data_offsets");
    bl_json_integer(json, NULL, begin);
    bl_json_integer(json, NULL, begin + (int64_t)tensor->bytes);
    bl_json_close(json);
    bl_json_close(json);
}

/* The header, with '0' for the digits of the checksum. */
static void add_header(bl_json *json, const bl_named_tensor *tensors,
                       int64_t n, const bl_metadata *metadata,
                       int64_t n_metadata)
{
    int64_t offset = 0;
    bl_json_object(json, NULL);
    bl_json_object(json, METADATA);
    for (int64_t i = 0; i < n_metadata; i++)
        bl_json_string(json, metadata[i].key, metadata[i].value);
    bl_json_string(json, CHECKSUM, "0000000000000000");
    bl_json_close(json);
    for (int64_t i = 0; i < n; i++) {
        add_tensor(json, &tensors[i], offset);
        offset += (int64_t)tensors[i].bytes;
    }
    bl_json_close(json);
}

/* Makes the header and pads it with the spaces that align the data. */
static bl_status make_header(bl_text *header, const bl_named_tensor *tensors,
                             int64_t n, const bl_metadata *metadata,
                             int64_t n_metadata)
{
    static const char spaces[ALIGN] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    bl_status status = BL_OK;
    bl_json *json = NULL;
    const char *text = NULL;
    size_t bytes = 0;
    BL_TRY(bl_json_create(&json, 0));
    add_header(json, tensors, n, metadata, n_metadata);
    BL_CHECK(bl_json_text(json, &text, &bytes));
    bl_text_add(header, text, bytes);
    bl_text_add(header, spaces, round_up(bytes) - bytes);
    status = header->status;
done:
    bl_json_free(json);
    return status;
}

/* Writes length and header. */
static bl_status write_header(bl_writer *writer, const char *path,
                              const bl_text *header)
{
    const size_t length = header->bytes;
    unsigned char raw[LENGTH_BYTES];
    if (length > HEADER_LIMIT)
        return BL_RAISE(BL_EINVAL, "%s: a header of %zu bytes, wanted at most "
                        "%d", path, length, HEADER_LIMIT);
    for (int i = 0; i < LENGTH_BYTES; i++)
        raw[i] = (unsigned char)((uint64_t)length >> (8 * i) & 0xFF);
    BL_TRY(bl_writer_write(writer, raw, sizeof raw));
    return bl_writer_write(writer, header->text, length);
}

/* Writes the tensors and puts the checksum of all into its place. */
static bl_status write_data(bl_writer *writer, const bl_text *header,
                            const bl_named_tensor *tensors, int64_t n)
{
    bl_status status = BL_OK;
    char digest[HASH_DIGITS + 1];
    XXH3_state_t *hash = NULL;
    const int64_t place =
        LENGTH_BYTES + (find_digits(header->text) - header->text);
    BL_TRY(hash_start(&hash));
    (void)XXH3_64bits_update(hash, header->text, header->bytes);
    for (int64_t i = 0; i < n && status == BL_OK; i++) {
        (void)XXH3_64bits_update(hash, tensors[i].data, tensors[i].bytes);
        status = bl_writer_write(writer, tensors[i].data, tensors[i].bytes);
    }
    hash_finish(digest, hash);
    BL_TRY(status);
    return bl_writer_patch(writer, place, digest, HASH_DIGITS);
}

bl_status bl_safetensors_write(const char *path, const char *keep,
                               const bl_named_tensor *tensors, int64_t n,
                               const bl_metadata *metadata,
                               int64_t n_metadata)
{
    bl_status status = BL_OK;
    bl_text header = {0};
    bl_writer *writer = NULL;
    BL_CHECK(check_input(path, tensors, n, metadata, n_metadata));
    BL_CHECK(make_header(&header, tensors, n, metadata, n_metadata));
    BL_CHECK(bl_writer_open(&writer, path));
    BL_CHECK(write_header(writer, path, &header));
    BL_CHECK(write_data(writer, &header, tensors, n));
    bl_writer *const finished = writer;
    writer = NULL; /* commit frees it, whatever happens */
    BL_CHECK(bl_writer_commit(finished, keep));
done:
    bl_writer_abort(writer);
    bl_text_free(&header);
    return status;
}
