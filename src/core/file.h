/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: files that are never half-written.
 *
 * A writer writes aside (path + ".tmp-<pid>"), syncs, renames over path and
 * syncs the folder; any failure removes the temporary file and leaves path as
 * it was.
 */
#ifndef BL_CORE_FILE_H
#define BL_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

typedef struct bl_writer bl_writer;

BL_MUST_USE bl_status bl_writer_open(bl_writer **out, const char *path);
/** Appends; errors are also kept and returned again by commit. */
BL_MUST_USE bl_status bl_writer_write(bl_writer *writer, const void *bytes,
                                      size_t n);
/** Overwrites n bytes at offset of what was written (headers). */
BL_MUST_USE bl_status bl_writer_patch(bl_writer *writer, int64_t offset,
                                      const void *bytes, size_t n);
/** Syncs, renames, syncs the folder, frees writer; keep != NULL: what stood
 *  at path is first renamed to keep. */
BL_MUST_USE bl_status bl_writer_commit(bl_writer *writer, const char *keep);
/** Removes the temporary file and frees; NULL is allowed. */
void bl_writer_abort(bl_writer *writer);

/** Writes a whole small file by the same steps. */
BL_MUST_USE bl_status bl_file_write(const char *path, const void *bytes,
                                    size_t n);

/** Reads a whole regular file of at most limit bytes; *bytes gets a NUL after
 *  its n bytes.  Freed by bl_free. */
BL_MUST_USE bl_status bl_file_read(char **bytes, size_t *n, const char *path,
                                   size_t limit);

int bl_path_exists(const char *path);
int bl_path_is_folder(const char *path);
/** Makes a folder and its parents, so that they survive a power cut. */
BL_MUST_USE bl_status bl_folder_create(const char *path);
/** folder + "/" + name, allocated. */
BL_MUST_USE bl_status bl_path_join(char **out, const char *folder,
                                   const char *name);
/** Syncs a folder, so that renames in it survive a power cut. */
BL_MUST_USE bl_status bl_folder_sync(const char *path);

#endif
