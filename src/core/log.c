/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: one line to the sink of whoever made the object.
 *
 * A line is made in a buffer of fixed size, so that a warning needs no memory
 * and cannot fail; one that is too long is cut.  A message above the sink's
 * level is not even formatted.
 */
#include "core/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { LINE = 640 }; /* bytes: a whole error message and words before it */

void bl_log_say(const bl_log *log, bl_log_level level, const char *format, ...)
{
    char line[LINE];
    va_list args;
    if (log == NULL || log->write == NULL || level > log->level) return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log->write(log->payload, level, line);
}
