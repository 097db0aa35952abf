/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c: starts another program, without a shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "cli.h"

extern char **environ;

/** Where the child's first three files come from. */
static int place_files(posix_spawn_file_actions_t *files, const cli_child *c)
{
    int error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, c->in,
                                                 O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addopen(
            files, STDOUT_FILENO, c->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!error)
        error = posix_spawn_file_actions_adddup2(files, c->err, STDERR_FILENO);
    return error;
}

static int start(pid_t *pid, const cli_child *c,
                 const posix_spawn_file_actions_t *files,
                 const posix_spawnattr_t *attributes)
{
    int error = ENOENT;
    if (c->path)
        error = posix_spawn(pid, c->path, files, attributes, c->argv, environ);
    if (error == ENOENT)
        error = posix_spawnp(pid, c->argv[0], files, attributes, c->argv,
                             environ);
    return error;
}

int cli_spawn(pid_t *pid, const cli_child *child)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        (void)posix_spawn_file_actions_destroy(&files);
        return error;
    }
    if (child->own_group) /* of the number that the child itself will have */
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (!error) error = place_files(&files, child);
    if (!error) error = start(pid, child, &files, &attributes);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return error;
}
