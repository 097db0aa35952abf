/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c: what classes are called.
 *
 * CIFAR brings a text file with a name a line.  Where there is none, the names
 * are those of the data set's row, and for a set nobody knows, the numbers
 * "0", "1", ...  Names travel into reports and result files, so a name is
 * short and free of control characters.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "data/format.h"

enum { FILE_BYTES = 1 << 16, NAME_BYTES = 100 };

bl_status bl_names_read(bl_piece *piece, bl_stream *stream, int32_t n_class)
{
    size_t got = 0;
    (void)n_class;
    BL_TRY(bl_calloc(&piece->text, FILE_BYTES, 1));
    BL_TRY(bl_stream_read(stream, piece->text, FILE_BYTES, &got));
    if (got == FILE_BYTES)
        return BL_RAISE(BL_EFORMAT, "%s: is no list of class names, wanted "
                        "less than %d bytes", stream->place, FILE_BYTES);
    for (size_t i = 0; i < got; i++) {
        const unsigned char byte = (unsigned char)piece->text[i];
        if (byte < ' ' && byte != '\n' && byte != '\r')
            return BL_RAISE(BL_EFORMAT, "%s: offset %zu: byte %d, wanted text",
                            stream->place, i, byte);
    }
    return BL_OK;
}

/* Copies one name of n bytes. */
static bl_status copy(char **out, const char *text, size_t n)
{
    BL_TRY(bl_calloc(out, (int64_t)n + 1, 1));
    memcpy(*out, text, n);
    return BL_OK;
}

/* Lines that are not empty; "\r\n" ends a line as well as "\n". */
static bl_status from_lines(char **names, const char *place, const char *text,
                            int32_t n_class)
{
    int64_t n = 0;
    while (*text != '\0') {
        const size_t bytes = strcspn(text, "\r\n");
        if (bytes > NAME_BYTES)
            return BL_RAISE(BL_EFORMAT, "%s: class name %" PRId64 " has %zu "
                            "bytes, wanted at most %d", place, n, bytes,
                            NAME_BYTES);
        if (bytes > 0 && n < n_class) BL_TRY(copy(&names[n], text, bytes));
        n += bytes > 0;
        text += bytes + strspn(text + bytes, "\r\n");
    }
    if (n == n_class) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: %" PRId64 " class names, wanted %" PRId32,
                    place, n, n_class);
}

static bl_status from_list(char **names, const char *const *list,
                           int32_t n_class)
{
    char number[16];
    for (int32_t c = 0; c < n_class; c++) {
        snprintf(number, sizeof number, "%" PRId32, c);
        const char *name = list != NULL ? list[c] : number;
        if (name == NULL)
            return BL_RAISE(BL_EINVAL, "name of class %" PRId32 " is NULL", c);
        BL_TRY(bl_strdup(&names[c], name));
    }
    return BL_OK;
}

bl_status bl_names_create(char ***out, const char *place, const char *text,
                          const char *const *defaults, int32_t n_class)
{
    char **names = NULL;
    bl_status status = BL_OK;
    BL_CHECK(bl_calloc(&names, (int64_t)n_class + 1, sizeof *names));
    if (text != NULL) BL_CHECK(from_lines(names, place, text, n_class));
    else BL_CHECK(from_list(names, defaults, n_class));
    *out = names;
    names = NULL;
done:
    bl_names_free(names);
    return status;
}

void bl_names_free(char **names)
{
    for (int64_t i = 0; names != NULL && names[i] != NULL; i++)
        bl_free(names[i]);
    bl_free(names);
}
