/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c: files that are never half-written.
 *
 * A reader of `path` must find the old file or the new one, whole, even if
 * the power fails in between.  So (the steps of SQLite and git):
 *
 *   1  write path.tmp-<pid> in the same folder (rename cannot cross devices)
 *   2  fsync it: the bytes are down before the name points at them
 *   3  rename it over path: atomic
 *   4  fsync the folder: the new name is down
 *
 * A temporary file of the same name that an earlier process left is removed;
 * it is opened with O_EXCL, so a link in its place is never followed.  What
 * is not a regular file (a device, a folder) is never renamed over.
 *
 * Messages name path: the temporary file is gone by the time they are read.
 * Writes are not buffered: callers hand over large blocks.
 */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

struct bl_writer {
    int fd; /* -1 once closed */
    char *path, *temporary;
    int64_t bytes;    /* written so far */
    bl_status status; /* first failure, sticky */
    bl_error error;
};

/* Hands a finished text over. */
static bl_status take_text(char **out, bl_text *text)
{
    const bl_status status = text->status;
    if (status < 0)
        bl_text_free(text);
    else
        *out = text->text;
    return status;
}

/* ---- writer -------------------------------------------------------------- */

static void writer_free(bl_writer *writer)
{
    if (writer->fd >= 0) (void)close(writer->fd);
    bl_free(writer->path);
    bl_free(writer->temporary);
    bl_free(writer);
}

static bl_status name_temporary(char **out, const char *path)
{
    bl_text name = {0};
    bl_text_printf(&name, "%s.tmp-%ld", path, (long)getpid());
    return take_text(out, &name);
}

/* Only a regular file, or nothing, may be replaced. */
static bl_status check_replaceable(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return BL_RAISE(BL_EIO, "%s: is not a regular file, so it is not "
                        "replaced", path);
    return BL_OK;
}

bl_status bl_writer_open(bl_writer **out, const char *path)
{
    bl_status status = BL_OK;
    bl_writer *writer = NULL;
    BL_TRY(check_replaceable(path));
    BL_TRY(bl_calloc(&writer, 1, sizeof *writer));
    writer->fd = -1;
    BL_CHECK(bl_strdup(&writer->path, path));
    BL_CHECK(name_temporary(&writer->temporary, path));
    (void)unlink(writer->temporary);
    writer->fd = open(writer->temporary,
                      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer->fd < 0) status = BL_RAISE_ERRNO(path, "create");
done:
    if (status < 0)
        writer_free(writer);
    else
        *out = writer;
    return status;
}

/* Keeps the first failure, so that commit can say it again. */
static bl_status keep_failure(bl_writer *writer, bl_status status)
{
    if (status < 0) {
        writer->status = status;
        writer->error = *bl_error_last();
    }
    return status;
}

static bl_status write_all(bl_writer *writer, int64_t offset,
                           const char *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = pwrite(writer->fd, bytes + done, n - done,
                                   (off_t)(offset + (int64_t)done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return BL_RAISE_ERRNO(writer->path, "write");
        if (got == 0)
            return BL_RAISE(BL_EIO, "%s: cannot write: %zu bytes left over",
                            writer->path, n - done);
        done += (size_t)got;
    }
    return BL_OK;
}

bl_status bl_writer_write(bl_writer *writer, const void *bytes, size_t n)
{
    if (writer->status < 0) return bl_error_adopt(&writer->error);
    BL_TRY(keep_failure(writer, write_all(writer, writer->bytes, bytes, n)));
    writer->bytes += (int64_t)n;
    return BL_OK;
}

bl_status bl_writer_patch(bl_writer *writer, int64_t offset,
                          const void *bytes, size_t n)
{
    if (writer->status < 0) return bl_error_adopt(&writer->error);
    if (offset < 0 || offset > writer->bytes ||
        n > (size_t)(writer->bytes - offset))
        return BL_RAISE(BL_EINVAL, "%s: patch of %zu bytes at offset %" PRId64
                        " is outside the %" PRId64 " bytes written",
                        writer->path, n, offset, writer->bytes);
    return keep_failure(writer, write_all(writer, offset, bytes, n));
}

/* Renames the temporary file over path, and before that path to keep. */
static bl_status replace(const bl_writer *writer, const char *keep)
{
    int kept = 0;
    if (keep != NULL) {
        kept = rename(writer->path, keep) == 0;
        if (!kept && errno != ENOENT)
            return BL_RAISE_ERRNO(writer->path, "be renamed");
    }
    if (rename(writer->temporary, writer->path) == 0) return BL_OK;
    const bl_status status = BL_RAISE_ERRNO(writer->path, "be replaced");
    if (kept) (void)rename(keep, writer->path);
    return status;
}

/* Syncs the folder that path lies in. */
static bl_status sync_parent(char *path)
{
    char *const slash = strrchr(path, '/');
    if (slash == NULL) return bl_folder_sync(".");
    if (slash == path) return bl_folder_sync("/");
    *slash = '\0';
    const bl_status status = bl_folder_sync(path);
    *slash = '/';
    return status;
}

bl_status bl_writer_commit(bl_writer *writer, const char *keep)
{
    bl_status status = BL_OK;
    int renamed = 0;
    if (writer->status < 0) BL_CHECK(bl_error_adopt(&writer->error));
    if (fsync(writer->fd) != 0)
        BL_CHECK(BL_RAISE_ERRNO(writer->path, "sync"));
    const int closed = close(writer->fd);
    writer->fd = -1;
    if (closed != 0) BL_CHECK(BL_RAISE_ERRNO(writer->path, "close"));
    BL_CHECK(replace(writer, keep));
    renamed = 1;
    BL_CHECK(sync_parent(writer->path));
done:
    if (!renamed) (void)unlink(writer->temporary);
    writer_free(writer);
    return status;
}

void bl_writer_abort(bl_writer *writer)
{
    if (writer == NULL) return;
    (void)unlink(writer->temporary);
    writer_free(writer);
}

bl_status bl_file_write(const char *path, const void *bytes, size_t n)
{
    bl_writer *writer = NULL;
    BL_TRY(bl_writer_open(&writer, path));
    const bl_status status = bl_writer_write(writer, bytes, n);
    if (status < 0) {
        bl_writer_abort(writer);
        return status;
    }
    return bl_writer_commit(writer, NULL);
}

/* ---- reading ------------------------------------------------------------- */

/* Opens a regular file; O_NONBLOCK keeps a pipe from hanging the program. */
static bl_status open_regular(int *fd, size_t *size, const char *path)
{
    struct stat info;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return BL_RAISE_ERRNO(path, "open");
    bl_status status = BL_OK;
    if (fstat(file, &info) != 0)
        status = BL_RAISE_ERRNO(path, "examine");
    else if (!S_ISREG(info.st_mode))
        status = BL_RAISE(BL_EIO, "%s: is not a regular file", path);
    if (status < 0) {
        (void)close(file);
        return status;
    }
    *fd = file;
    *size = (size_t)info.st_size;
    return BL_OK;
}

/* Reads up to room bytes; a file that shrank gives fewer. */
static bl_status read_up_to(size_t *n, char *bytes, size_t room, int fd,
                            const char *path)
{
    size_t done = 0;
    while (done < room) {
        const ssize_t got = read(fd, bytes + done, room - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return BL_RAISE_ERRNO(path, "read");
        if (got == 0) break;
        done += (size_t)got;
    }
    *n = done;
    return BL_OK;
}

bl_status bl_file_read(char **bytes, size_t *n, const char *path,
                       size_t limit)
{
    bl_status status = BL_OK;
    int fd = -1;
    size_t size = 0, got = 0;
    char *text = NULL;
    BL_TRY(open_regular(&fd, &size, path));
    if (size > limit)
        BL_CHECK(BL_RAISE(BL_EFORMAT, "%s: holds %zu bytes, wanted at most "
                          "%zu", path, size, limit));
    BL_CHECK(bl_calloc(&text, (int64_t)size + 1, 1));
    BL_CHECK(read_up_to(&got, text, size, fd, path));
    text[got] = '\0';
    *bytes = text;
    *n = got;
    text = NULL;
done:
    bl_free(text);
    (void)close(fd);
    return status;
}

/* ---- paths and folders --------------------------------------------------- */

int bl_path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

int bl_path_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Syncs the parent of a folder it made: the name is down as well. */
static bl_status create_one(char *path)
{
    if (mkdir(path, 0777) == 0) return sync_parent(path);
    const int code = errno;
    if (bl_path_is_folder(path)) return BL_OK;
    errno = code == EEXIST ? ENOTDIR : code;
    return BL_RAISE_ERRNO(path, "create folder");
}

bl_status bl_folder_create(const char *path)
{
    bl_status status = BL_OK;
    char *prefix = NULL;
    if (path[0] == '\0')
        return BL_RAISE(BL_EINVAL, "a folder with an empty name");
    BL_TRY(bl_strdup(&prefix, path));
    for (char *at = prefix + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        BL_CHECK(create_one(prefix));
        *at = '/';
    }
    BL_CHECK(create_one(prefix));
done:
    bl_free(prefix);
    return status;
}

bl_status bl_path_join(char **out, const char *folder, const char *name)
{
    bl_text path = {0};
    const size_t n = strlen(folder);
    const int bare = n == 0 || folder[n - 1] == '/';
    bl_text_printf(&path, "%s%s%s", folder, bare ? "" : "/", name);
    return take_text(out, &path);
}

bl_status bl_folder_sync(const char *path)
{
    bl_status status = BL_OK;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) return BL_OK; /* may be written alone */
    if (fd < 0) return BL_RAISE_ERRNO(path, "open folder");
    /* Some file systems do not sync folders and say EINVAL. */
    if (fsync(fd) != 0 && errno != EINVAL)
        status = BL_RAISE_ERRNO(path, "sync folder");
    (void)close(fd);
    return status;
}
