/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.h: a folder for one test, and small files in it.
 *
 *   scratch s;
 *   scratch_make(&s);
 *   ... scratch_path(&s, "a.npy") ...      borrowed until the next call
 *   scratch_remove(&s);                    with all that is in it
 */
#ifndef BL_TESTS_SCRATCH_H
#define BL_TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scratch {
    char folder[256];
    char path[1024];
} scratch;

static inline void scratch_make(scratch *s)
{
    const char *const base = getenv("TMPDIR");
    (void)snprintf(s->folder, sizeof s->folder, "%s/ballast-XXXXXX",
                   base != NULL ? base : "/tmp");
    if (mkdtemp(s->folder) == NULL) {
        perror(s->folder);
        exit(1);
    }
}

static inline const char *scratch_path(scratch *s, const char *name)
{
    (void)snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    return s->path;
}

static inline void scratch_clear(const char *folder)
{
    char path[1280];
    DIR *const entries = opendir(folder);
    const struct dirent *entry;
    if (entries == NULL) return;
    while ((entry = readdir(entries)) != NULL) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0) continue;
        if (strcmp(entry->d_name, "..") == 0) continue;
        (void)snprintf(path, sizeof path, "%.1000s/%s", folder,
                       entry->d_name);
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            scratch_clear(path);
        (void)remove(path);
    }
    (void)closedir(entries);
}

static inline void scratch_remove(scratch *s)
{
    scratch_clear(s->folder);
    (void)rmdir(s->folder);
}

static inline void scratch_put(const char *path, const void *bytes, size_t n)
{
    FILE *const file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* Reads up to room bytes; gives how many there were. */
static inline size_t scratch_get(const char *path, void *bytes, size_t room)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL) return 0;
    const size_t n = fread(bytes, 1, room, file);
    (void)fclose(file);
    return n;
}

#endif
