/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: writes JSON documents into memory.
 *
 * Calls nest as the document does.  An error (memory, NaN in the wrong place)
 * is sticky: check once, at bl_json_text.
 */
#ifndef BALLAST_JSON_H
#define BALLAST_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_json bl_json;

/** Opens an empty document; indent != 0 makes it pretty. */
BL_API BL_MUST_USE bl_status bl_json_create(bl_json **out, int indent);
BL_API void bl_json_free(bl_json *json);

/** In an object pass the key; in an array or at the top pass NULL. */
BL_API void bl_json_object(bl_json *json, const char *key);
BL_API void bl_json_array(bl_json *json, const char *key);
BL_API void bl_json_close(bl_json *json); /* the innermost object or array */
/** Keeps the next object or array, with all in it, on one line. */
BL_API void bl_json_on_line(bl_json *json);
BL_API void bl_json_string(bl_json *json, const char *key, const char *text);
BL_API void bl_json_integer(bl_json *json, const char *key, int64_t value);
/** Shortest text that reads back to the same double; NaN and infinity are
 *  written as null, since JSON has neither. */
BL_API void bl_json_real(bl_json *json, const char *key, double value);
BL_API void bl_json_bool(bl_json *json, const char *key, int value);
BL_API void bl_json_null(bl_json *json, const char *key);

/** Gives the document so far, NUL-terminated; borrowed until the next call. */
BL_API BL_MUST_USE bl_status bl_json_text(bl_json *json, const char **text,
                                          size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
