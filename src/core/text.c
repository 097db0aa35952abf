/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: growing strings, numbers as text, and the bytes of characters.
 *
 * Numbers are written and read in the C locale whatever the program has set,
 * because files must not depend on who wrote them.  uselocale changes the
 * calling thread alone and the C locale costs no memory.
 *
 * A real is tried with 1, 2, ... 17 digits until it reads back the same; 17
 * always do.  Slower than Ryu or Grisu and forty times shorter; a document
 * holds hundreds of numbers, not millions.  The form is Python's repr without
 * ".0": plain from 1e-4 to 1e16, else with an exponent.
 *
 * Parsing is stricter than strtod: no blanks, hexadecimal, "inf" or "nan".
 */
#include "core/text.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

/* ---- the C locale -------------------------------------------------------- */

static locale_t enter_c_locale(locale_t *old)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *old = c == (locale_t)0 ? (locale_t)0 : uselocale(c);
    return c;
}

static void leave_c_locale(locale_t c, locale_t old)
{
    if (c == (locale_t)0) return;
    (void)uselocale(old);
    freelocale(c);
}

/* ---- growing strings ----------------------------------------------------- */

/* Makes room for n more bytes and a NUL. */
static int reserve(bl_text *text, size_t n)
{
    if (text->status < 0) return 0;
    if (n < text->room - text->bytes) return 1;
    size_t room = text->room < 64 ? 64 : text->room;
    while (room - text->bytes <= n && room <= (size_t)PTRDIFF_MAX / 2)
        room *= 2;
    if (room - text->bytes <= n) {
        text->status = BL_RAISE(BL_ENOMEM, "out of memory: a text of %zu and "
                                "%zu bytes wanted", text->bytes, n);
        return 0;
    }
    text->status = bl_realloc(&text->text, (int64_t)room, 1);
    if (text->status < 0) return 0;
    text->room = room;
    return 1;
}

void bl_text_add(bl_text *text, const char *bytes, size_t n)
{
    if (!reserve(text, n)) return;
    if (n > 0) memcpy(text->text + text->bytes, bytes, n);
    text->bytes += n;
    text->text[text->bytes] = '\0';
}

static int format_c(char *out, size_t room, const char *format, va_list args)
{
    locale_t old;
    const locale_t c = enter_c_locale(&old);
    const int n = vsnprintf(out, room, format, args);
    leave_c_locale(c, old);
    return n;
}

void bl_text_printf(bl_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = format_c(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        if (text->status >= 0)
            text->status = BL_RAISE(BL_EINVAL, "text cannot be formatted");
        return;
    }
    if (!reserve(text, (size_t)n)) return;
    va_start(args, format);
    (void)format_c(text->text + text->bytes, (size_t)n + 1, format, args);
    va_end(args);
    text->bytes += (size_t)n;
}

void bl_text_free(bl_text *text)
{
    bl_free(text->text);
    *text = (bl_text){0};
}

/* ---- numbers ------------------------------------------------------------- */

void bl_format(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (format_c(out, room, format, args) < 0) out[0] = '\0';
    va_end(args);
}

/* "d.ddde-07" with the fewest digits that read back to value. */
static void shortest(char out[32], double value)
{
    for (int digits = 0; digits < DBL_DECIMAL_DIG; digits++) {
        (void)snprintf(out, 32, "%.*e", digits, value);
        if (strtod(out, NULL) == value) return;
    }
}

void bl_real_format(char out[32], double value)
{
    if (!isfinite(value)) {
        const char *const name = isnan(value) ? "nan"
                                 : value > 0  ? "inf" : "-inf";
        memcpy(out, name, strlen(name) + 1);
        return;
    }
    locale_t old;
    const locale_t c = enter_c_locale(&old);
    shortest(out, value);
    const char *const e = strchr(out, 'e');
    const long exponent = strtol(e + 1, NULL, 10);
    const ptrdiff_t digits = strcspn(out, ".e") == (size_t)(e - out)
        ? 1 : e - strchr(out, '.');
    const long decimals = (long)digits - 1 - exponent;
    if (exponent >= -4 && exponent < 16)
        (void)snprintf(out, 32, "%.*f", decimals > 0 ? (int)decimals : 0,
                       value);
    leave_c_locale(c, old);
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9') at++;
    return at;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the
 * point. */
static int looks_real(const char *text)
{
    const char *const sign = text + (*text == '+' || *text == '-');
    const char *at = skip_digits(sign);
    ptrdiff_t digits = at - sign;
    if (*at == '.') {
        const char *const fraction = at + 1;
        at = skip_digits(fraction);
        digits += at - fraction;
    }
    if (digits == 0) return 0;
    if (*at == 'e' || *at == 'E') {
        const char *const power = at + 1 + (at[1] == '+' || at[1] == '-');
        at = skip_digits(power);
        if (at == power) return 0;
    }
    return *at == '\0';
}

int bl_real_parse(double *out, const char *text)
{
    if (!looks_real(text)) return 0;
    locale_t old;
    const locale_t c = enter_c_locale(&old);
    const double value = strtod(text, NULL);
    leave_c_locale(c, old);
    if (!isfinite(value)) return 0;
    *out = value;
    return 1;
}

int bl_integer_parse(long long *out, const char *text)
{
    const char *const digits = text + (*text == '+' || *text == '-');
    const char *const end = skip_digits(digits);
    if (end == digits || *end != '\0') return 0;
    errno = 0;
    const long long value = strtoll(text, NULL, 10);
    if (errno == ERANGE) return 0;
    *out = value;
    return 1;
}

/* ---- UTF-8 --------------------------------------------------------------- */

size_t bl_utf8_bytes(const char *text)
{
    const unsigned char *const s = (const unsigned char *)text;
    static const struct { unsigned char from, to, low, high, bytes; } rows[] = {
        {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (s[0] < rows[i].from || s[0] > rows[i].to) continue;
        if (rows[i].bytes == 1) return 1;
        if (s[1] < rows[i].low || s[1] > rows[i].high) return 0;
        for (size_t k = 2; k < rows[i].bytes; k++)
            if ((s[k] & 0xC0) != 0x80) return 0;
        return rows[i].bytes;
    }
    return 0;
}

bool bl_is_word_of(const char *words, const char *word)
{
    const size_t length = strlen(word);
    while (words && *words) {
        const size_t n = strcspn(words, " ");
        if (n == length && !strncmp(words, word, n)) return true;
        words += n + (words[n] == ' ');
    }
    return false;
}
