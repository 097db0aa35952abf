/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c: one error record a thread.
 *
 * The record is a fixed buffer in thread-local storage, so that running out
 * of memory can be reported without memory and two threads never see each
 * other's message.  It is the one exception to "no mutable state": status
 * codes alone would lose the place, and a record passed through every call
 * would double all signatures.
 *
 * Text from a file may end up in a message.  Control characters are replaced,
 * so that a message stays one line and cannot steer a terminal, and a message
 * that is too long is cut between characters of UTF-8.
 */
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifndef BL_VERSION
#define BL_VERSION "0.0.0" /* of a build outside CMake */
#endif

enum { MESSAGE_BYTES = sizeof ((bl_error *)0)->message };

static _Thread_local bl_error last;

/* Indexed by -status; BL_END stands apart. */
static const char *const names[] = {
    "BL_OK",           "BL_ENOMEM",   "BL_EINVAL",  "BL_EFORMAT", "BL_EIO",
    "BL_EUNSUPPORTED", "BL_ENUMERIC", "BL_EDEVICE", "BL_EEXIST",  "BL_EBUSY",
};

/* Replaces control characters and a character cut in two at the end. */
static void tidy(char *message, int cut)
{
    size_t n = strlen(message);
    if (cut) {
        size_t tail = n;
        while (tail > 0 && ((unsigned char)message[tail - 1] & 0xC0) == 0x80)
            tail--;
        if (tail > 0 && (unsigned char)message[tail - 1] >= 0xC0)
            n = tail - 1;
        message[n] = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned char ch = (unsigned char)message[i];
        if (ch < 0x20 || ch == 0x7F) message[i] = '?';
    }
}

const bl_error *bl_error_last(void)
{
    return &last;
}

const char *bl_status_name(bl_status status)
{
    const int at = -(int)status;
    if (status == BL_END) return "BL_END";
    if (at < 0 || at >= (int)(sizeof names / sizeof names[0]))
        return "unknown status";
    return names[at];
}

const char *bl_version(void)
{
    return BL_VERSION;
}

bl_status bl_error_raise(bl_status status, const char *file, int line,
                         const char *format, ...)
{
    char message[MESSAGE_BYTES]; /* arguments may point into the record */
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n < 0) message[0] = '\0';
    tidy(message, n >= (int)sizeof message);

    last.status = status;
    last.file = file;
    last.line = line;
    memcpy(last.message, message, sizeof message);
    return status;
}

bl_status bl_error_raise_errno(const char *file, int line, const char *path,
                               const char *what)
{
    const int code = errno;
    char reason[128];
    if (strerror_r(code, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "error %d", code);
    return bl_error_raise(BL_EIO, file, line, "%s: cannot %s: %s", path, what,
                          reason);
}

bl_status bl_error_prefix(const char *format, ...)
{
    char place[MESSAGE_BYTES], message[2 * MESSAGE_BYTES + 2];
    va_list args;
    va_start(args, format);
    if (vsnprintf(place, sizeof place, format, args) < 0) place[0] = '\0';
    va_end(args);
    const size_t bytes = strlen(place);
    if (strncmp(last.message, place, bytes) == 0 && last.message[bytes] == ':')
        return last.status;
    const int n = snprintf(message, sizeof message, "%s: %s", place,
                           last.message);
    const int cut = n >= MESSAGE_BYTES;
    message[MESSAGE_BYTES - 1] = '\0';
    tidy(message, cut);
    memcpy(last.message, message, MESSAGE_BYTES);
    return last.status;
}

bl_status bl_error_adopt(const bl_error *error)
{
    if (error != &last) last = *error;
    return last.status;
}
