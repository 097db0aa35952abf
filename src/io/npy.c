/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy.c: float32 matrices for NumPy.
 *
 * Format 1.0: magic, version, u16 length of the header, a Python dict as
 * text, padded with spaces so that the data begin at a multiple of 64 and the
 * header ends with a newline; then the values, row by row.  The host is taken
 * to be little-endian.
 *
 * Reference: NumPy Enhancement Proposal 1, "A simple file format for NumPy
 * arrays"; numpy/lib/format.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ballast/eval.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

enum {
    HEADER_BYTES = 128, /* two 20-digit extents fit */
    PREFIX_BYTES = 10   /* magic, version, length   */
};

static void make_header(char out[HEADER_BYTES], int64_t rows, int64_t columns)
{
    static const char prefix[PREFIX_BYTES] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, HEADER_BYTES - PREFIX_BYTES, 0};
    memset(out, ' ', HEADER_BYTES);
    memcpy(out, prefix, sizeof prefix);
    const int n = snprintf(out + PREFIX_BYTES, HEADER_BYTES - PREFIX_BYTES,
                           "{'descr': '<f4', 'fortran_order': False, "
                           "'shape': (%" PRId64 ", %" PRId64 "), }",
                           rows, columns);
    out[PREFIX_BYTES + n] = ' '; /* over snprintf's NUL */
    out[HEADER_BYTES - 1] = '\n';
}

static bl_status matrix_bytes(size_t *out, int64_t rows, int64_t columns)
{
    size_t row = 0;
    BL_TRY(bl_size_mul(&row, columns, sizeof(float)));
    return bl_size_mul(out, rows, row);
}

bl_status bl_npy_write(const char *path, const float *data, int64_t rows,
                       int64_t columns)
{
    char header[HEADER_BYTES];
    bl_writer *writer = NULL;
    size_t bytes = 0;
    if (matrix_bytes(&bytes, rows, columns) < 0)
        return bl_error_prefix("%s", path);
    make_header(header, rows, columns);
    BL_TRY(bl_writer_open(&writer, path));
    bl_status status = bl_writer_write(writer, header, sizeof header);
    if (status >= 0) status = bl_writer_write(writer, data, bytes);
    if (status < 0) {
        bl_writer_abort(writer);
        return status;
    }
    return bl_writer_commit(writer, NULL);
}
