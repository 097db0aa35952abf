/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_file.c: atomic writes, what they leave behind when the system refuses,
 * bounded reads, and folders.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "support/scratch.h"

static int entries(const char *folder)
{
    DIR *const dir = opendir(folder);
    int n = 0;
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n - 2;
}

static void assert_file(const char *path, const char *text)
{
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(bl_file_read(&bytes, &n, path, 1000), BL_OK);
    assert_int_equal(n, strlen(text));
    assert_string_equal(bytes, text);
    bl_free(bytes);
}

static void assert_says(const char *part)
{
    if (strstr(bl_error_last()->message, part) == NULL)
        fail_msg("'%s' is not in: %s", part, bl_error_last()->message);
}

static void write_replaces_whole(void **state)
{
    scratch *const s = *state;
    const char *const path = scratch_path(s, "a.json");
    assert_int_equal(bl_file_write(path, "first text", 10), BL_OK);
    assert_file(path, "first text");
    assert_int_equal(bl_file_write(path, "2nd", 3), BL_OK);
    assert_file(path, "2nd");
    assert_int_equal(entries(s->folder), 1);
}

static void nothing_is_seen_before_commit(void **state)
{
    scratch *const s = *state;
    bl_writer *writer = NULL;
    const char *const path = scratch_path(s, "b.bin");
    assert_int_equal(bl_writer_open(&writer, path), BL_OK);
    assert_int_equal(bl_writer_write(writer, "....body", 8), BL_OK);
    assert_false(bl_path_exists(path));
    assert_int_equal(bl_writer_patch(writer, 0, "head", 4), BL_OK);
    assert_int_equal(bl_writer_write(writer, "tail", 4), BL_OK);
    assert_int_equal(bl_writer_patch(writer, 9, "long", 4), BL_EINVAL);
    assert_int_equal(bl_writer_patch(writer, -1, "x", 1), BL_EINVAL);
    assert_int_equal(bl_writer_commit(writer, NULL), BL_OK);
    assert_file(path, "headbodytail");
}

static void abort_leaves_the_old_file(void **state)
{
    scratch *const s = *state;
    bl_writer *writer = NULL;
    const char *const path = scratch_path(s, "c.bin");
    assert_int_equal(bl_file_write(path, "old", 3), BL_OK);
    assert_int_equal(bl_writer_open(&writer, path), BL_OK);
    assert_int_equal(bl_writer_write(writer, "new", 3), BL_OK);
    bl_writer_abort(writer);
    bl_writer_abort(NULL);
    assert_file(path, "old");
    assert_int_equal(entries(s->folder), 1);
}

static void commit_keeps_the_previous(void **state)
{
    scratch *const s = *state;
    char keep[1100];
    bl_writer *writer = NULL;
    (void)snprintf(keep, sizeof keep, "%s", scratch_path(s, "d.old"));
    const char *const path = scratch_path(s, "d.bin");
    for (int i = 1; i <= 3; i++) {
        const char text[2] = {(char)('0' + i), '\0'};
        assert_int_equal(bl_writer_open(&writer, path), BL_OK);
        assert_int_equal(bl_writer_write(writer, text, 1), BL_OK);
        assert_int_equal(bl_writer_commit(writer, keep), BL_OK);
        assert_file(path, text);
    }
    assert_file(keep, "2");
    assert_int_equal(entries(s->folder), 2);
}

/* keep lies in a folder that is not there: path must stay. */
static void commit_that_cannot_keep_changes_nothing(void **state)
{
    scratch *const s = *state;
    char keep[1100];
    bl_writer *writer = NULL;
    (void)snprintf(keep, sizeof keep, "%s", scratch_path(s, "file/x"));
    assert_int_equal(bl_file_write(scratch_path(s, "file"), "f", 1), BL_OK);
    const char *const path = scratch_path(s, "e.bin");
    assert_int_equal(bl_file_write(path, "old", 3), BL_OK);
    assert_int_equal(bl_writer_open(&writer, path), BL_OK);
    assert_int_equal(bl_writer_write(writer, "new", 3), BL_OK);
    assert_int_equal(bl_writer_commit(writer, keep), BL_EIO);
    assert_says("e.bin");
    assert_file(path, "old");
    assert_int_equal(entries(s->folder), 2);
}

/* The old file was already renamed to keep when the new one is found gone. */
static void commit_that_cannot_replace_restores(void **state)
{
    scratch *const s = *state;
    char keep[1100], temporary[1100];
    bl_writer *writer = NULL;
    (void)snprintf(keep, sizeof keep, "%s", scratch_path(s, "f.old"));
    const char *const path = scratch_path(s, "f.bin");
    (void)snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path,
                   (long)getpid());
    assert_int_equal(bl_file_write(path, "old", 3), BL_OK);
    assert_int_equal(bl_writer_open(&writer, path), BL_OK);
    assert_int_equal(bl_writer_write(writer, "new", 3), BL_OK);
    assert_int_equal(unlink(temporary), 0);
    assert_int_equal(bl_writer_commit(writer, keep), BL_EIO);
    assert_says("f.bin: cannot be replaced");
    assert_file(path, "old");
    assert_int_equal(entries(s->folder), 1);
}

/* A full disk, as the kernel shows it: files may not grow past a limit. */
static void full_disk_leaves_the_old_file(void **state)
{
    scratch *const s = *state;
    struct rlimit old, tight;
    bl_writer *writer = NULL;
    char block[4096] = {0};
    const char *const path = scratch_path(s, "g.bin");
    assert_int_equal(bl_file_write(path, "old", 3), BL_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = 6000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const bl_status opened = bl_writer_open(&writer, path);
    const bl_status first = bl_writer_write(writer, block, sizeof block);
    const bl_status second = bl_writer_write(writer, block, sizeof block);
    const bl_status third = bl_writer_write(writer, block, 1);
    const bl_status patch = bl_writer_patch(writer, 0, block, 1);
    (void)BL_RAISE(BL_EINVAL, "another error in between");
    const bl_status last = bl_writer_commit(writer, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(opened, BL_OK);
    assert_int_equal(first, BL_OK);
    assert_int_equal(second, BL_EIO);
    assert_int_equal(third, BL_EIO);
    assert_int_equal(patch, BL_EIO);
    assert_int_equal(last, BL_EIO);
    assert_says("g.bin: cannot write");
    assert_file(path, "old");
    assert_int_equal(entries(s->folder), 1);
}

static void bad_places_are_named(void **state)
{
    scratch *const s = *state;
    bl_writer *writer = NULL;
    assert_int_equal(bl_writer_open(&writer, scratch_path(s, "no/x")),
                     BL_EIO);
    assert_says("no/x: cannot create");
    assert_int_equal(bl_file_write("/proc/ballast-x", "x", 1), BL_EIO);
    assert_int_equal(bl_file_write("/dev/full", "x", 1), BL_EIO);
    assert_says("/dev/full: is not a regular file");
    assert_int_equal(bl_file_write(s->folder, "x", 1), BL_EIO);
    assert_null(writer);
}

/* Root may write anywhere, so it becomes somebody else for a moment. */
static void unwritable_folder(void **state)
{
    scratch *const s = *state;
    const char *const path = scratch_path(s, "h.bin");
    const int root = geteuid() == 0;
    assert_int_equal(chmod(s->folder, 0555), 0);
    if (root && seteuid(65534) != 0) skip();
    const bl_status status = bl_file_write(path, "x", 1);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(s->folder, 0755), 0);
    assert_int_equal(status, BL_EIO);
    assert_says("Permission denied");
    assert_int_equal(entries(s->folder), 0);
}

/* A file, and even a link, left under the temporary name is removed. */
static void stale_temporary_is_replaced(void **state)
{
    scratch *const s = *state;
    char link[1100], victim[1100];
    const char *const path = scratch_path(s, "i.bin");
    (void)snprintf(link, sizeof link, "%s.tmp-%ld", path, (long)getpid());
    (void)snprintf(victim, sizeof victim, "%s/victim", s->folder);
    scratch_put(victim, "precious", 8);
    assert_int_equal(symlink(victim, link), 0);
    assert_int_equal(bl_file_write(path, "mine", 4), BL_OK);
    assert_file(path, "mine");
    assert_file(victim, "precious");
    assert_int_equal(entries(s->folder), 2);
}

static void reads_are_bounded(void **state)
{
    scratch *const s = *state;
    char *bytes = NULL;
    size_t n = 0;
    const char *const path = scratch_path(s, "j.bin");
    scratch_put(path, "a\0b", 3);
    assert_int_equal(bl_file_read(&bytes, &n, path, 3), BL_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(bytes, "a\0b", 4);
    bl_free(bytes);
    bytes = NULL;
    assert_int_equal(bl_file_read(&bytes, &n, path, 2), BL_EFORMAT);
    assert_says("holds 3 bytes, wanted at most 2");
    assert_int_equal(bl_file_read(&bytes, &n, s->folder, 9), BL_EIO);
    assert_int_equal(bl_file_read(&bytes, &n, "/dev/zero", 9), BL_EIO);
    assert_int_equal(bl_file_read(&bytes, &n, scratch_path(s, "none"), 9),
                     BL_EIO);
    assert_says("none: cannot open: No such file");
    assert_null(bytes);
    scratch_put(path, "", 0);
    assert_int_equal(bl_file_read(&bytes, &n, path, 0), BL_OK);
    assert_int_equal(n, 0);
    assert_string_equal(bytes, "");
    bl_free(bytes);
}

static void pipes_do_not_hang(void **state)
{
    scratch *const s = *state;
    char *bytes = NULL;
    size_t n = 0;
    const char *const path = scratch_path(s, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(bl_file_read(&bytes, &n, path, 9), BL_EIO);
    assert_int_equal(bl_file_write(path, "x", 1), BL_EIO);
}

static void folders_are_made_with_parents(void **state)
{
    scratch *const s = *state;
    const char *const path = scratch_path(s, "p/q//r/");
    assert_int_equal(bl_folder_create(path), BL_OK);
    assert_int_equal(bl_folder_create(path), BL_OK);
    assert_true(bl_path_is_folder(path));
    assert_int_equal(bl_folder_sync(path), BL_OK);
    const char *const file = scratch_path(s, "p/f");
    assert_int_equal(bl_file_write(file, "x", 1), BL_OK);
    assert_true(bl_path_exists(file));
    assert_false(bl_path_is_folder(file));
    assert_int_equal(bl_folder_create(file), BL_EIO);
    assert_int_equal(bl_folder_create(scratch_path(s, "p/f/g")), BL_EIO);
    assert_int_equal(bl_folder_create(""), BL_EINVAL);
    assert_int_equal(bl_folder_sync(scratch_path(s, "none")), BL_EIO);
}

/* What the library has synced: this takes the place of the system's. */
static struct stat synced[16];
static int n_synced;

int fsync(int fd)
{
    if (n_synced < 16 && fstat(fd, &synced[n_synced]) == 0) n_synced++;
    return fdatasync(fd);
}

static int was_synced(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    for (int i = 0; i < n_synced; i++)
        if (synced[i].st_dev == info.st_dev && synced[i].st_ino == info.st_ino)
            return 1;
    return 0;
}

/* A new folder is an entry of its parent. */
static void new_folders_outlive_a_power_cut(void **state)
{
    scratch *const s = *state;
    n_synced = 0;
    assert_int_equal(bl_folder_create(scratch_path(s, "p/q//r")), BL_OK);
    assert_true(was_synced(s->folder));
    assert_true(was_synced(scratch_path(s, "p")));
    assert_true(was_synced(scratch_path(s, "p/q")));
    n_synced = 0;
    assert_int_equal(bl_folder_create(scratch_path(s, "p/q/r")), BL_OK);
    assert_int_equal(n_synced, 0);
}

static void relative_paths_work(void **state)
{
    scratch *const s = *state;
    char before[1024];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(s->folder), 0);
    const bl_status made = bl_folder_create("x/y");
    const bl_status plain = bl_file_write("plain", "1", 1);
    const bl_status deep = bl_file_write("x/y/deep", "2", 1);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(made, BL_OK);
    assert_int_equal(plain, BL_OK);
    assert_int_equal(deep, BL_OK);
    assert_file(scratch_path(s, "x/y/deep"), "2");
}

static void paths_join(void **state)
{
    (void)state;
    static const struct { const char *folder, *name, *path; } rows[] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"},
        {"", "b", "b"},    {"a/b", "c.d", "a/b/c.d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = NULL;
        assert_int_equal(bl_path_join(&path, rows[i].folder, rows[i].name),
                         BL_OK);
        assert_string_equal(path, rows[i].path);
        bl_free(path);
    }
}

static int set_up(void **state)
{
    static scratch s;
    scratch_make(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

#define FILE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(write_replaces_whole),
        FILE_TEST(nothing_is_seen_before_commit),
        FILE_TEST(abort_leaves_the_old_file),
        FILE_TEST(commit_keeps_the_previous),
        FILE_TEST(commit_that_cannot_keep_changes_nothing),
        FILE_TEST(commit_that_cannot_replace_restores),
        FILE_TEST(full_disk_leaves_the_old_file),
        FILE_TEST(bad_places_are_named),
        FILE_TEST(unwritable_folder),
        FILE_TEST(stale_temporary_is_replaced),
        FILE_TEST(reads_are_bounded),
        FILE_TEST(pipes_do_not_hang),
        FILE_TEST(folders_are_made_with_parents),
        FILE_TEST(new_folders_outlive_a_power_cut),
        FILE_TEST(relative_paths_work),
        cmocka_unit_test(paths_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
