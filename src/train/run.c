/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: makes, opens and guards a run directory, and keeps its checkpoints.
 *
 * One process at a time: a run holds flock on RUN/.lock as long as it is
 * open.  flock belongs to the open file and not, as fcntl's locks do, to the
 * process, so it also parts two trainers of one process, and the system drops
 * it however the process dies.  File systems without locks are let pass.
 *
 * Checkpoints: the writer syncs the new file aside, renames resume to
 * resume.previous and the new one to resume.  Only a file that is known to be
 * good is made resume.previous: after a damaged one was passed over, the next
 * checkpoint replaces it in place, and the good one before it stays.
 *
 * Replacing a run removes, by exact name, what Ballast wrote, and that only
 * when the new run.yaml is written aside.  What a killed process left of a
 * file (NAME.tmp-<pid>) is removed under the lock.
 */
#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "train/run_parts.h"

#define LOCK_NAME ".lock"

static const char *const names[BL_RUN_FILES] = {
    [BL_RUN_YAML] = "run.yaml",
    [BL_RUN_METRICS] = "metrics.jsonl",
    [BL_RUN_LAST] = "last.safetensors",
    [BL_RUN_BEST] = "best.safetensors",
    [BL_RUN_RESUME] = "resume.safetensors",
    [BL_RUN_PREVIOUS] = "resume.previous.safetensors",
    [BL_RUN_RESULT] = "result.json",
};

/* ---- opening ------------------------------------------------------------- */

static bl_status run_alloc(bl_run **out, const char *folder)
{
    bl_status status = BL_OK;
    bl_run *run = NULL;
    BL_TRY(bl_calloc(&run, 1, sizeof *run));
    run->lock = -1;
    BL_CHECK(bl_strdup(&run->folder, folder));
    for (int i = 0; i < BL_RUN_FILES; i++)
        BL_CHECK(bl_path_join(&run->paths[i], folder, names[i]));
    *out = run;
    run = NULL;
done:
    bl_run_free(run);
    return status;
}

void bl_run_free(bl_run *run)
{
    if (run == NULL) return;
    if (run->lock >= 0) (void)close(run->lock);
    for (int i = 0; i < BL_RUN_FILES; i++) bl_free(run->paths[i]);
    for (int i = 0; i < BL_RUN_FACT_TEXTS; i++) bl_free(run->facts[i]);
    bl_free(run->other);
    bl_free(run->folder);
    bl_free(run);
}

static bl_status run_lock(bl_run *run)
{
    bl_status status = BL_OK;
    char *path = NULL;
    BL_TRY(bl_path_join(&path, run->folder, LOCK_NAME));
    run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (run->lock < 0) BL_CHECK(BL_RAISE_ERRNO(path, "open"));
    while (flock(run->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            BL_CHECK(BL_RAISE(BL_EBUSY, "%s: is being written by another "
                              "process, which holds %s", run->folder, path));
        if (errno != EINTR) break; /* no locks here: ENOLCK, ENOSYS, ... */
    }
done:
    bl_free(path);
    return status;
}

static bl_status check_unused(const bl_run *run)
{
    if (access(run->paths[BL_RUN_YAML], F_OK) == 0)
        return BL_RAISE(BL_EEXIST, "%s: a run is already there; go on with: "
                        "ballast train --resume %s, or add --overwrite to "
                        "replace it", run->paths[BL_RUN_YAML], run->folder);
    for (int i = BL_RUN_YAML + 1; i < BL_RUN_FILES; i++)
        if (access(run->paths[i], F_OK) == 0)
            return BL_RAISE(BL_EEXIST, "%s: is left of a run whose run.yaml "
                            "is gone, so it cannot go on; add --overwrite to "
                            "replace it", run->paths[i]);
    return BL_OK;
}

/* Before the first checkpoint nothing is kept but run.yaml and, a moment, the
 * files of the epoch that it closes. */
static bl_status check_begun(const bl_run *run)
{
    static const bl_run_file kept[] = {BL_RUN_RESUME, BL_RUN_PREVIOUS,
                                       BL_RUN_RESULT};
    int64_t epochs = 0;
    if (access(run->paths[BL_RUN_YAML], F_OK) != 0) return check_unused(run);
    BL_TRY(bl_run_epochs(run, &epochs));
    if (epochs > 1)
        return BL_RAISE(BL_EEXIST, "%s: %lld epochs are noted, so the run "
                        "there has more than begun",
                        run->paths[BL_RUN_METRICS], (long long)epochs);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (access(run->paths[kept[i]], F_OK) == 0)
            return BL_RAISE(BL_EEXIST, "%s: the run there has more than "
                            "begun; go on with: ballast train --resume %s",
                            run->paths[kept[i]], run->folder);
    return BL_OK;
}

static bl_status check_room(const bl_run *run, bl_overwrite overwrite)
{
    if (overwrite == BL_OVERWRITE_ANY) return BL_OK;
    return overwrite == BL_OVERWRITE_BEGUN ? check_begun(run)
                                           : check_unused(run);
}

/* As check_room, before the lock: a folder that is refused gets no lock file.
 * Where there is one, somebody at work there is the better news. */
static bl_status check_free(bl_run *run, bl_overwrite overwrite)
{
    const bl_status status = check_room(run, overwrite);
    char *path = NULL;
    if (status != BL_EEXIST) return status;
    BL_TRY(bl_path_join(&path, run->folder, LOCK_NAME));
    const bool locked = bl_path_exists(path) && run_lock(run) == BL_EBUSY;
    bl_free(path);
    return locked ? BL_EBUSY : check_room(run, overwrite);
}

/* Is entry one of the run's names and ".tmp-<digits>"? */
static int is_left_over(const char *entry)
{
    static const char mark[] = ".tmp-";
    for (int i = 0; i < BL_RUN_FILES; i++) {
        const size_t n = strlen(names[i]);
        if (strncmp(entry, names[i], n) != 0) continue;
        if (strncmp(entry + n, mark, sizeof mark - 1) != 0) continue;
        const char *const digits = entry + n + sizeof mark - 1;
        if (*digits != '\0' && digits[strspn(digits, "0123456789")] == '\0')
            return 1;
    }
    return 0;
}

/* Removes what killed processes left half-written; needs the lock. */
static bl_status remove_left_overs(const bl_run *run)
{
    bl_status status = BL_OK;
    char *path = NULL;
    const struct dirent *entry;
    DIR *const folder = opendir(run->folder);
    if (folder == NULL) return BL_RAISE_ERRNO(run->folder, "read");
    while ((entry = readdir(folder)) != NULL) {
        if (!is_left_over(entry->d_name)) continue;
        BL_CHECK(bl_path_join(&path, run->folder, entry->d_name));
        (void)unlink(path); /* one that stays does no harm */
        bl_free(path);
        path = NULL;
    }
done:
    (void)closedir(folder);
    return status;
}

/* Removes the files of an old run but run.yaml, which is replaced. */
static bl_status remove_run(const bl_run *run)
{
    for (int i = BL_RUN_YAML + 1; i < BL_RUN_FILES; i++)
        if (unlink(run->paths[i]) != 0 && errno != ENOENT)
            return BL_RAISE_ERRNO(run->paths[i], "remove");
    return bl_folder_sync(run->folder);
}

/* Writes run.yaml; an old run goes once the new file is written aside. */
static bl_status write_yaml(const bl_run *run, const bl_text *text)
{
    bl_writer *writer = NULL;
    BL_TRY(bl_writer_open(&writer, run->paths[BL_RUN_YAML]));
    bl_status status = bl_writer_write(writer, text->text, text->bytes);
    if (status >= 0) status = remove_run(run);
    if (status < 0) {
        bl_writer_abort(writer);
        return status;
    }
    return bl_writer_commit(writer, NULL);
}

bl_status bl_run_create(bl_run **out, const char *folder,
                        bl_overwrite overwrite, const bl_config *config,
                        const bl_run_facts *facts)
{
    bl_status status = BL_OK;
    bl_run *run = NULL;
    bl_text yaml = {0};
    BL_CHECK(bl_run_yaml_emit(&yaml, config, facts));
    BL_CHECK(run_alloc(&run, folder));
    BL_CHECK(bl_folder_create(folder));
    /* Looked at twice: a folder may have filled up before it was locked. */
    BL_CHECK(check_free(run, overwrite));
    if (run->lock < 0) BL_CHECK(run_lock(run));
    BL_CHECK(check_room(run, overwrite));
    BL_CHECK(remove_left_overs(run));
    BL_CHECK(write_yaml(run, &yaml));
    *out = run;
    run = NULL;
done:
    bl_text_free(&yaml);
    bl_run_free(run);
    return status;
}

bl_status bl_run_open(bl_run **out, const char *folder, bl_run_facts *facts)
{
    bl_status status = BL_OK;
    bl_run *run = NULL;
    BL_CHECK(run_alloc(&run, folder));
    /* Before the lock: a folder that holds no run gets no lock file. */
    BL_CHECK(bl_run_yaml_facts(run->facts, facts,
                               run->paths[BL_RUN_YAML]));
    BL_CHECK(run_lock(run));
    BL_CHECK(remove_left_overs(run));
    *out = run;
    run = NULL;
done:
    bl_run_free(run);
    return status;
}

const char *bl_run_path(bl_run *run, const char *name)
{
    for (int i = 0; i < BL_RUN_FILES; i++)
        if (strcmp(names[i], name) == 0) return run->paths[i];
    char *path = NULL;
    if (bl_path_join(&path, run->folder, name) < 0) return NULL;
    bl_free(run->other);
    run->other = path;
    return path;
}

/* ---- checkpoints --------------------------------------------------------- */

/* Opens one checkpoint; without a checksum it is not one. */
static bl_status load_one(bl_safetensors **out, const char *path)
{
    bl_safetensors *file = NULL;
    BL_TRY(bl_safetensors_open(&file, path));
    if (bl_safetensors_meta(file, "ballast.xxh3") == NULL) {
        bl_safetensors_free(file);
        return BL_RAISE(BL_EFORMAT, "%s: has no checksum, so it is not a "
                        "checkpoint", path);
    }
    *out = file;
    return BL_OK;
}

/** No checkpoint is ordinary before the first one; it stands a moment after
 *  the line of the first epoch.  Later its files have been taken away, and to
 *  start anew would lose what the run has noted. */
static bl_status none_yet(const bl_run *run)
{
    int64_t epochs;
    BL_TRY(bl_run_epochs(run, &epochs));
    if (epochs <= 1) return BL_END;
    return BL_RAISE(BL_EFORMAT, "%s: missing, but %lld epochs are noted; to "
                    "start anew, move the folder away",
                    run->paths[BL_RUN_RESUME], (long long)epochs);
}

bl_status bl_run_load(bl_run *run, bl_safetensors **out, const bl_log *log)
{
    static const bl_run_file order[] = {BL_RUN_RESUME, BL_RUN_PREVIOUS};
    enum { TRIES = sizeof order / sizeof order[0] };
    char reasons[TRIES][240] = {{0}}; /* both fit one error message */
    int damaged = 0;
    for (int i = 0; i < TRIES; i++) {
        const char *const path = run->paths[order[i]];
        if (access(path, F_OK) != 0 && errno == ENOENT) continue;
        const bl_status status = load_one(out, path);
        if (status == BL_OK) {
            run->newest_good = order[i] == BL_RUN_RESUME;
            return BL_OK;
        }
        if (status != BL_EFORMAT) return status; /* no damage */
        bl_log_say(log, BL_LOG_WARNING, "checkpoint passed over: %s",
                   bl_error_last()->message);
        (void)snprintf(reasons[damaged++], sizeof reasons[0], "%.239s",
                       bl_error_last()->message);
    }
    if (damaged == 0) return none_yet(run);
    return BL_RAISE(BL_EFORMAT, "no good checkpoint: %s%s%s", reasons[0],
                    damaged > 1 ? "; " : "", reasons[1]);
}

const char *bl_run_newest(const bl_run *run)
{
    return run->paths[run->newest_good ? BL_RUN_RESUME : BL_RUN_PREVIOUS];
}

bl_status bl_run_checkpoint(bl_run *run, const bl_named_tensor *tensors,
                            int64_t n, const bl_metadata *meta,
                            int64_t n_meta)
{
    const char *const keep =
        run->newest_good ? run->paths[BL_RUN_PREVIOUS] : NULL;
    BL_TRY(bl_safetensors_write(run->paths[BL_RUN_RESUME], keep, tensors, n,
                                meta, n_meta));
    run->newest_good = 1;
    return BL_OK;
}
