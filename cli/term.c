/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.c: what the terminal is like, and how numbers look on it.
 *
 * Bars use the eighth blocks U+2588 .. U+258F where the locale is UTF-8, so
 * that a class of 1 in 100 still shows; elsewhere '#'.
 */
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { NARROW = 40, WIDE = 160 }; /* columns a chart is kept within */

int cli_width(int file)
{
    const char *columns = getenv("COLUMNS");
    if (columns) {
        const long wanted = strtol(columns, NULL, 10);
        if (wanted > 0) return wanted > 10000 ? 10000 : (int)wanted;
    }
    struct winsize size;
    if (isatty(file) && ioctl(file, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        return size.ws_col;
    return 80;
}

int cli_chart_width(int file)
{
    const int columns = cli_width(file);
    if (columns < NARROW) return NARROW;
    return columns > WIDE ? WIDE : columns;
}

int cli_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int cli_columns(const char *text)
{
    int columns = 0;
    for (const char *c = text; *c; c++)
        columns += ((unsigned char)*c & 0xC0) != 0x80;
    return columns;
}

void cli_bar(double value, int width, int utf8)
{
    const int parts = utf8 ? 8 : 1;
    int n = (int)(value * width * parts + 0.5);
    if (n == 0 && value > 0) n = 1;
    for (int i = 0; i < n / parts; i++)
        (void)fputs(utf8 ? "\xE2\x96\x88" : "#", stdout);
    if (n % parts > 0) printf("\xE2\x96%c", 0x90 - n % parts);
}

double cli_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void cli_duration(char out[32], double seconds)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        (void)snprintf(out, 32, "?");
        return;
    }
    const long long s = (long long)(seconds + 0.5);
    if (seconds < 9.95)
        (void)snprintf(out, 32, "%.1f s", seconds);
    else if (s >= 86400)
        (void)snprintf(out, 32, "%lld d %02lld h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        (void)snprintf(out, 32, "%lld h %02lld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        (void)snprintf(out, 32, "%lld min %02lld s", s / 60, s % 60);
    else
        (void)snprintf(out, 32, "%lld s", s);
}

void cli_percent(char out[16], double fraction)
{
    if (isnan(fraction))
        (void)snprintf(out, 16, "-");
    else
        (void)snprintf(out, 16, "%.2f %%", 100 * fraction);
}
