/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c: the language of gnuplot, written so that nothing in it is
 * evaluated that stood in a file.
 *
 * gnuplot runs shell commands: what stands in backquotes, even inside double
 * quotes, and what system() is given.  Class names and names of data sets come
 * from files that somebody else may have made.  So a string is written with
 * letters, digits, blanks and a few marks as they are, bytes of UTF-8 as they
 * are, and each other byte as \ooo, which gnuplot turns into the character
 * after all reading of commands is over.  No backquote, quote, dollar, at
 * sign or backslash of a name ever stands in a script.  Control characters,
 * which no picture can show and XML forbids, become blanks.
 *
 * The label of a tic is a format of printf as well, in which a per cent sign
 * is doubled.  Enhanced text (a_b as a subscript) is switched off for all of
 * a picture.
 */
#include <math.h>
#include <string.h>

#include "plot/plot.h"

/* face: generic, "sans" to fontconfig and "sans-serif" to browsers. */
static void set_terminal(bl_text *script, const char *terminal,
                         const char *face, int font, int width, int height)
{
    bl_text_printf(script, "set terminal %s noenhanced font '%s,%d' "
                   "background rgb 'white' size %d,%d\n", terminal, face,
                   font, width, height);
}

/* A PNG has twice the pixels, for screens that have, too. */
static void set_png(bl_text *script, int width, int height)
{
    bl_text_printf(script, "cairo = strstrt(GPVAL_TERMINALS, 'pngcairo')\n"
                           "if (cairo > 0) ");
    set_terminal(script, "pngcairo fontscale 2 linewidth 2 pointscale 3",
                 "sans", 11, 2 * width, 2 * height);
    bl_text_printf(script, "if (cairo == 0) ");
    set_terminal(script, "png truecolor linewidth 2", "sans", 22,
                 2 * width, 2 * height);
}

void bl_script_open(bl_text *script, const char *format, int width, int height)
{
    bl_text_printf(script, "# For gnuplot 5: gnuplot -d <this >picture\n"
                           "set encoding utf8\n");
    if (strcmp(format, "png") == 0)
        set_png(script, width, height);
    else
        set_terminal(script, "svg", "sans-serif", 14, width, height);
    bl_text_printf(
        script,
        "set datafile separator \"\\t\"\n"
        "set datafile missing 'NaN'\n"
        "set border 3 linecolor rgb '#404040'\n"
        "set tics nomirror out scale 0.5\n"
        "set grid y linecolor rgb '#DDDDDD' linetype 1\n"
        "set style line 1 linecolor rgb '" BL_BLUE
        "' linewidth 2 pointtype 7 pointsize 0.6\n"
        "set style line 2 linecolor rgb '" BL_VERMILLION
        "' linewidth 2 pointtype 5 pointsize 0.6\n"
        "set style line 3 linecolor rgb '" BL_GREEN
        "' linewidth 2 pointtype 9 pointsize 0.7\n"
        "set style line 4 linecolor rgb '" BL_GREY
        "' linewidth 1 dashtype 2\n"
        "set key at graph 1,1.02 right bottom horizontal samplen 2\n"
        "set title offset 0,1\n"
        "set lmargin at screen 0.14\nset rmargin at screen 0.97\n"
        "set tmargin at screen 0.83\nset bmargin at screen 0.15\n");
}

/* ---- strings ------------------------------------------------------------ */

static bool is_plain(unsigned char byte)
{
    if (byte >= 0x80) return true;
    if (byte >= '0' && byte <= '9') return true;
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z') return true;
    return byte != '\0' && strchr(" .,:;/+-=()", byte) != NULL;
}

/* Bytes of the character at s: of UTF-8, which the readers have checked. */
static size_t character(const char *s)
{
    size_t n = 1;
    while (((unsigned char)s[n] & 0xC0) == 0x80) n++;
    return n;
}

/* U+FFFE and U+FFFF are no characters, and XML forbids them. */
static bool is_none(const char *s, size_t n)
{
    return n == 3 && memcmp(s, "\xEF\xBF", 2) == 0 &&
           (unsigned char)s[2] >= 0xBE;
}

static void add_character(bl_text *script, const char *s, size_t n)
{
    const unsigned char byte = (unsigned char)*s;
    if (byte < 0x20 || byte == 0x7F || is_none(s, n))
        bl_text_add(script, " ", 1);
    else if (is_plain(byte))
        bl_text_add(script, s, n);
    else
        bl_text_printf(script, "\\%03o", (unsigned)byte);
}

static void add_string(bl_text *script, const char *string, int most,
                       bool is_format)
{
    int length = 0;
    for (const char *s = string; *s != '\0'; s += character(s)) length++;
    bl_text_add(script, "\"", 1);
    for (int i = 0; *string != '\0'; i++) {
        const size_t n = character(string);
        if (length > most && i == most - 1) {
            bl_text_add(script, "\xE2\x80\xA6", 3); /* ... */
            break;
        }
        add_character(script, string, n);
        if (is_format && *string == '%')
            add_character(script, string, n);
        string += n;
    }
    bl_text_add(script, "\"", 1);
}

void bl_script_string(bl_text *script, const char *string, int most)
{
    add_string(script, string, most, false);
}

void bl_script_tic(bl_text *script, const char *string, int most)
{
    add_string(script, string, most, true);
}

void bl_script_title(bl_text *script, const char *what, const char *subject)
{
    enum { TITLE = 90 };
    bl_text_printf(script, "set title ");
    bl_script_string(script, what, TITLE);
    bl_text_printf(script, ".\"\\n\".");
    bl_script_string(script, subject, TITLE);
    bl_text_printf(script, "\n");
}

/* ---- data --------------------------------------------------------------- */

void bl_script_data(bl_text *script, const char *name)
{
    bl_text_printf(script, "$%s << END_OF_DATA\n", name);
}

void bl_script_end_data(bl_text *script)
{
    bl_text_printf(script, "END_OF_DATA\n");
}

void bl_script_real(bl_text *script, double value)
{
    char text[32] = "NaN";
    if (isfinite(value)) bl_real_format(text, value);
    bl_text_printf(script, "%s\t", text);
}
