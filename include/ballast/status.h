/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h: how Ballast reports failure.
 *
 * Every function that can fail returns a bl_status.  Zero is success, a
 * positive value is an ordinary event, a negative value an error whose
 * one-line message waits in bl_error_last() of the same thread.  The library
 * never prints, never exits and never aborts.
 */
#ifndef BALLAST_STATUS_H
#define BALLAST_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BL_MUST_USE __attribute__((warn_unused_result))
#else
#define BL_MUST_USE
#endif

#if defined(BL_BUILDING) && defined(__GNUC__)
#define BL_API __attribute__((visibility("default")))
#else
#define BL_API
#endif

/** Errors by what the caller can do about them, not by module. */
typedef enum bl_status {
    BL_OK = 0,
    BL_END = 1,           /* iteration finished; not an error            */
    BL_ENOMEM = -1,
    BL_EINVAL = -2,       /* the caller passed a bad value or shape      */
    BL_EFORMAT = -3,      /* a file is malformed                         */
    BL_EIO = -4,          /* the system refused to open, read or write   */
    BL_EUNSUPPORTED = -5, /* valid, but not on this backend or build     */
    BL_ENUMERIC = -6,     /* NaN or infinity where a number is required  */
    BL_EDEVICE = -7,      /* oneDNN (later CUDA) failed                  */
    BL_EEXIST = -8,       /* refused to overwrite what a user has made   */
    BL_EBUSY = -9         /* another process is at work on it            */
} bl_status;

/** The last error of one thread. */
typedef struct bl_error {
    bl_status status;
    const char *file; /* source file that raised it, static storage */
    int line;
    char message[512]; /* one line, no newline, what was found and wanted */
} bl_error;

/** Gives the error record of the calling thread.
 *
 * Needs    a call that failed on this thread; valid until the next failure.
 * Owns     the library; never NULL.
 */
BL_API const bl_error *bl_error_last(void);

/** Names a status in one word, for example "BL_EFORMAT". */
BL_API const char *bl_status_name(bl_status status);

/** Version of the library as "major.minor.patch". */
BL_API const char *bl_version(void);

#ifdef __cplusplus
}
#endif
#endif
