/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: a JSON writer on a growing text.
 *
 * A writer needs commas, indents and escapes, which is less than the glue
 * around a generator library would be; and the reals must be shortest.  A
 * stack remembers for each open object or array how many members it has.
 *
 * Calls that do not nest (a key in an array, none in an object, a second
 * value at the top) are programming errors; the first is kept and returned
 * by bl_json_text.  Bytes that are not UTF-8 (a path may hold any) become
 * U+FFFD, since a JSON text must be UTF-8.
 */
#include "ballast/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

enum { DEPTH = 64, STEP = 2 };

struct bl_json {
    bl_text text;
    int indent;
    int asked;                /* the next container keeps one line */
    int flat;                 /* depth of the one that does, or 0  */
    int depth;                /* open objects and arrays        */
    char close[DEPTH];        /* '}' or ']' of each             */
    int64_t count[DEPTH + 1]; /* members so far; [0] is the top */
};

bl_status bl_json_create(bl_json **out, int indent)
{
    bl_json *json = NULL;
    BL_TRY(bl_calloc(&json, 1, sizeof *json));
    json->indent = indent != 0;
    *out = json;
    return BL_OK;
}

void bl_json_free(bl_json *json)
{
    if (json == NULL) return;
    bl_text_free(&json->text);
    bl_free(json);
}

/* ---- pieces ------------------------------------------------------------- */

static void put(bl_json *json, const char *text)
{
    bl_text_add(&json->text, text, strlen(text));
}

static void refuse(bl_json *json, const char *what)
{
    if (json->text.status >= 0)
        json->text.status = BL_RAISE(BL_EINVAL, "JSON writer: %s", what);
}

/* Before a member or a closing bracket. */
static void put_line(bl_json *json)
{
    if (!json->indent || json->flat > 0) return;
    bl_text_printf(&json->text, "\n%*s", STEP * json->depth, "");
}

static void put_escape(bl_json *json, unsigned char ch)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *const at = strchr(plain, ch);
    if (at != NULL)
        bl_text_printf(&json->text, "\\%c", letter[at - plain]);
    else
        bl_text_printf(&json->text, "\\u%04x", (unsigned)ch);
}

static void put_string(bl_json *json, const char *text)
{
    put(json, "\"");
    for (const char *at = text; *at != '\0';) {
        const unsigned char ch = (unsigned char)*at;
        const size_t n = bl_utf8_bytes(at);
        if (n == 0)
            put(json, "\xEF\xBF\xBD");
        else if (ch < 0x20 || ch == '"' || ch == '\\')
            put_escape(json, ch);
        else
            bl_text_add(&json->text, at, n);
        at += n > 0 ? n : 1;
    }
    put(json, "\"");
}

/* Comma, line and key before a value; 0 where the value may not stand here. */
static int begin(bl_json *json, const char *key)
{
    if (json->text.status < 0) return 0;
    const int in_object =
        json->depth > 0 && json->close[json->depth - 1] == '}';
    if (in_object && key == NULL) refuse(json, "a member without a key");
    if (!in_object && key != NULL)
        refuse(json, "a key outside an object");
    if (json->depth == 0 && json->count[0] > 0)
        refuse(json, "a second value at the top");
    if (json->text.status < 0) return 0;

    if (json->count[json->depth]++ > 0)
        put(json, json->indent && json->flat > 0 ? ", " : ",");
    if (json->depth > 0) put_line(json);
    if (key != NULL) {
        put_string(json, key);
        put(json, json->indent ? ": " : ":");
    }
    return 1;
}

static void open_container(bl_json *json, const char *key, char close)
{
    if (!begin(json, key)) return;
    if (json->depth == DEPTH) {
        refuse(json, "nested deeper than 64");
        return;
    }
    put(json, close == '}' ? "{" : "[");
    json->close[json->depth++] = close;
    json->count[json->depth] = 0;
    if (json->asked && json->flat == 0) json->flat = json->depth;
    json->asked = 0;
}

/* ---- calls -------------------------------------------------------------- */

void bl_json_object(bl_json *json, const char *key)
{
    open_container(json, key, '}');
}

void bl_json_array(bl_json *json, const char *key)
{
    open_container(json, key, ']');
}

void bl_json_close(bl_json *json)
{
    if (json->text.status < 0) return;
    if (json->depth == 0) {
        refuse(json, "nothing is open that could be closed");
        return;
    }
    const int64_t members = json->count[json->depth];
    const int was_flat = json->flat == json->depth;
    json->depth--;
    if (members > 0) put_line(json);
    bl_text_add(&json->text, &json->close[json->depth], 1);
    if (was_flat) json->flat = 0;
}

void bl_json_on_line(bl_json *json)
{
    json->asked = 1;
}

void bl_json_string(bl_json *json, const char *key, const char *text)
{
    if (!begin(json, key)) return;
    if (text == NULL)
        put(json, "null");
    else
        put_string(json, text);
}

void bl_json_integer(bl_json *json, const char *key, int64_t value)
{
    if (begin(json, key)) bl_text_printf(&json->text, "%" PRId64, value);
}

void bl_json_real(bl_json *json, const char *key, double value)
{
    char text[32] = "null";
    if (isfinite(value)) bl_real_format(text, value);
    if (begin(json, key)) put(json, text);
}

void bl_json_bool(bl_json *json, const char *key, int value)
{
    if (begin(json, key)) put(json, value ? "true" : "false");
}

void bl_json_null(bl_json *json, const char *key)
{
    if (begin(json, key)) put(json, "null");
}

bl_status bl_json_text(bl_json *json, const char **text, size_t *bytes)
{
    if (json->text.status < 0) return json->text.status;
    *text = json->text.text != NULL ? json->text.text : "";
    if (bytes != NULL) *bytes = json->text.bytes;
    return BL_OK;
}
