/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h: raising and passing on errors inside the library.
 *
 *   return BL_RAISE(BL_EFORMAT, "%s: record %lld: ...", path, i);
 *   return BL_RAISE_ERRNO(path, "open");        after a call of the system
 *   BL_TRY(f(...));            returns f's error; nothing to release
 *   BL_CHECK(f(...));          goes to `done` with `status` set
 *
 * A message is one line: where, what was found, what was wanted.  A layer
 * above never replaces a deeper message; bl_error_prefix may put a place in
 * front of it.
 */
#ifndef BL_CORE_ERROR_H
#define BL_CORE_ERROR_H

#include "ballast/status.h"
#include "core/compiler.h"

/** Stores the record and returns its status. */
bl_status bl_error_raise(bl_status status, const char *file, int line,
                         const char *format, ...) BL_PRINTF(4, 5);

/** BL_EIO from errno: "path: cannot <what>: <the system's words>". */
bl_status bl_error_raise_errno(const char *file, int line, const char *path,
                               const char *what);

/** Puts "text: " in front of the present message, unless it begins with
 *  "text:", and so with this place or one inside it; returns its status. */
bl_status bl_error_prefix(const char *format, ...) BL_PRINTF(1, 2);

/** Makes a record of another thread this thread's own; returns its status. */
bl_status bl_error_adopt(const bl_error *error);

#define BL_RAISE(code, ...) \
    bl_error_raise((code), __FILE__, __LINE__, __VA_ARGS__)

#define BL_RAISE_ERRNO(path, what) \
    bl_error_raise_errno(__FILE__, __LINE__, (path), (what))

#define BL_TRY(expr)                       \
    do {                                   \
        const bl_status bl_try_ = (expr);  \
        if (bl_try_ < 0) return bl_try_;   \
    } while (0)

#define BL_CHECK(expr)              \
    do {                            \
        status = (expr);            \
        if (status < 0) goto done;  \
    } while (0)

#endif
