/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonread.h: small JSON documents as a tree (headers, results, metrics
 * lines).  Large files are to be streamed, not read by this.
 */
#ifndef BL_CORE_JSONREAD_H
#define BL_CORE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

typedef enum bl_json_kind {
    BL_JSON_NULL, BL_JSON_BOOL, BL_JSON_INTEGER, BL_JSON_REAL,
    BL_JSON_STRING, BL_JSON_ARRAY, BL_JSON_OBJECT
} bl_json_kind;

/** A value; members of one object or array are a linked list in file order. */
typedef struct bl_json_value {
    bl_json_kind kind;
    const char *key;            /* in an object, else NULL          */
    const char *string;         /* of a string                      */
    int64_t integer;            /* of an integer or bool            */
    double real;                /* of a number                      */
    int64_t count;              /* members of an array or object    */
    const struct bl_json_value *first, *next;
} bl_json_value;

/** Parses n bytes; name stands for the file in messages ("name: offset N:
 *  ...").  Depth is limited to 64, duplicate keys are refused.
 *  Freed by bl_json_value_free. */
BL_MUST_USE bl_status bl_json_parse(bl_json_value **out, const char *name,
                                    const char *bytes, size_t n);
/** The same of a whole file of at most limit bytes. */
BL_MUST_USE bl_status bl_json_read(bl_json_value **out, const char *path,
                                   size_t limit);
void bl_json_value_free(bl_json_value *value);
/** Member of an object by key, or NULL (also when value is NULL). */
const bl_json_value *bl_json_member(const bl_json_value *value,
                                    const char *key);
/** Is it a number, whole or not? */
bool bl_json_is_number(const bl_json_value *value);

#endif
