/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: where an object may say things.
 *
 * The library holds no global sink.  Whoever creates a long-lived object may
 * hand it a bl_log; an object without one is silent.
 */
#ifndef BALLAST_LOG_H
#define BALLAST_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_log_level {
    BL_LOG_WARNING = 0, /* the user should know           */
    BL_LOG_INFO = 1,    /* once per object or epoch       */
    BL_LOG_DEBUG = 2    /* plans, chosen kernels, timings */
} bl_log_level;

/** A sink by value: write may be NULL, then nothing is said.
 *
 * write is called on the thread that uses the object, never on workers;
 * message is one line without newline, borrowed for the call.
 */
typedef struct bl_log {
    void (*write)(void *payload, bl_log_level level, const char *message);
    void *payload;
    bl_log_level level; /* messages above it are not formatted */
} bl_log;

#ifdef __cplusplus
}
#endif
#endif
