/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: a growing string.  Errors are sticky; check once at the end.
 */
#ifndef BL_CORE_TEXT_H
#define BL_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "ballast/status.h"
#include "core/compiler.h"

/** Zero-initialise; text is NUL-terminated, or NULL while empty. */
typedef struct bl_text {
    char *text;
    size_t bytes, room;
    bl_status status;
} bl_text;

void bl_text_add(bl_text *text, const char *bytes, size_t n);
void bl_text_printf(bl_text *text, const char *format, ...) BL_PRINTF(2, 3);
void bl_text_free(bl_text *text);

/** snprintf in the C locale, as bl_text_printf: what does not fit is cut. */
void bl_format(char *out, size_t room, const char *format, ...)
    BL_PRINTF(3, 4);
/** Writes the shortest decimal that reads back to the same double. */
void bl_real_format(char out[32], double value);
/** Reads a whole string as a finite real or integer; 0 where it is not one. */
int bl_real_parse(double *out, const char *text);
int bl_integer_parse(long long *out, const char *text);
/** Bytes of the UTF-8 character at text, or 0 where there is none (RFC 3629:
 *  no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t bl_utf8_bytes(const char *text);
/** Is word one of the words of a text, with single blanks between?  NULL has
 *  none. */
bool bl_is_word_of(const char *words, const char *word);

#endif
