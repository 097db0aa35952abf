/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_record.c: what a run says about itself, metrics.jsonl and result.json.
 *
 * metrics.jsonl grows by one line an epoch.  A line is handed to the system
 * in one write and synced; if that fails the file is cut back to what it was.
 * A crash can therefore leave no more than one torn line, and only at the
 * end: a torn last line is cut silently, a damaged line anywhere else is an
 * error, for nothing this program does makes one.
 *
 * The lines a rewind keeps are the beginning of the file, so cutting is
 * enough and nothing has to be written anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ballast/data.h"
#include "ballast/json.h"
#include "core/error.h"
#include "core/file.h"
#include "core/jsonread.h"
#include "train/run_parts.h"

enum { METRICS_LIMIT = 1 << 30 }; /* bytes: five million epochs */

/* ---- metrics.jsonl ------------------------------------------------------- */

/* Appends the line in one write; on failure fd's file is as it was. */
static bl_status append(int fd, const char *path, const char *line, size_t n)
{
    struct stat before;
    if (fstat(fd, &before) != 0) return BL_RAISE_ERRNO(path, "examine");
    ssize_t written = -1;
    do
        written = write(fd, line, n);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)n && fsync(fd) == 0) return BL_OK;
    if (written >= 0 && written < (ssize_t)n) errno = ENOSPC;
    const bl_status status = BL_RAISE_ERRNO(path, "append");
    if (ftruncate(fd, before.st_size) != 0)
        return bl_error_prefix("a torn line was left");
    return status;
}

static bl_status append_line(const bl_run *run, const char *line, size_t n)
{
    const char *const path = run->paths[BL_RUN_METRICS];
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
                        O_NONBLOCK, 0666);
    if (fd < 0) return BL_RAISE_ERRNO(path, "open");
    const bl_status status = append(fd, path, line, n);
    if (close(fd) != 0 && status == BL_OK)
        return BL_RAISE_ERRNO(path, "close");
    return status;
}

bl_status bl_run_metrics(bl_run *run, const bl_epoch *epoch)
{
    bl_status status = BL_OK;
    bl_json *json = NULL;
    bl_text line = {0};
    const char *text = NULL;
    size_t bytes = 0;
    BL_TRY(bl_json_create(&json, 0));
    bl_json_object(json, NULL);
    bl_json_integer(json, "epoch", epoch->epoch);
    bl_json_real(json, "lr", epoch->lr);
    bl_json_real(json, "alpha", epoch->alpha);
    bl_json_real(json, "train_loss", epoch->train_loss);
    bl_json_real(json, "train_error", epoch->train_error);
    bl_json_real(json, "test_error", epoch->test_error);
    bl_json_real(json, "balanced_error", epoch->balanced_error);
    bl_json_real(json, "seconds", epoch->seconds);
    bl_json_real(json, "samples_per_second", epoch->samples_per_second);
    bl_json_close(json);
    BL_CHECK(bl_json_text(json, &text, &bytes));
    bl_text_add(&line, text, bytes);
    bl_text_add(&line, "\n", 1);
    BL_CHECK(line.status);
    BL_CHECK(append_line(run, line.text, line.bytes));
    if (epoch->epoch == 1) BL_CHECK(bl_folder_sync(run->folder));
done:
    bl_text_free(&line);
    bl_json_free(json);
    return status;
}

/* Reads the epoch of one line, which has no newline. */
static bl_status line_epoch(int64_t *out, const char *path, int64_t number,
                            const char *line, size_t n)
{
    char place[32];
    bl_json_value *tree = NULL;
    (void)snprintf(place, sizeof place, "line %" PRId64, number);
    bl_status status = bl_json_parse(&tree, place, line, n);
    if (status < 0)
        return bl_error_prefix("%s", path);
    const bl_json_value *const epoch = bl_json_member(tree, "epoch");
    if (epoch != NULL && epoch->kind == BL_JSON_INTEGER) {
        *out = epoch->integer;
    } else {
        status = BL_RAISE(BL_EFORMAT, "%s: line %" PRId64 " is not an object "
                          "with an epoch", path, number);
    }
    bl_json_value_free(tree);
    return status;
}

/* Finds how many bytes of text [n] hold whole lines of epochs <= epoch. */
static bl_status find_cut(size_t *cut, const char *path, const char *text,
                          size_t n, int64_t epoch)
{
    size_t at = 0;
    *cut = 0;
    for (int64_t number = 1; at < n; number++) {
        int64_t found = 0;
        const char *const end = memchr(text + at, '\n', n - at);
        if (end == NULL) return BL_OK; /* torn */
        const size_t length = (size_t)(end - (text + at));
        const bl_status status =
            line_epoch(&found, path, number, text + at, length);
        at += length + 1;
        if (status == BL_EFORMAT && at == n) return BL_OK; /* torn */
        BL_TRY(status);
        if (found > epoch) return BL_OK;
        *cut = at;
    }
    return BL_OK;
}

static bl_status cut_file(const char *path, size_t bytes)
{
    bl_status status = BL_OK;
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return BL_RAISE_ERRNO(path, "open");
    if (ftruncate(fd, (off_t)bytes) != 0 || fsync(fd) != 0)
        status = BL_RAISE_ERRNO(path, "cut");
    if (close(fd) != 0 && status == BL_OK)
        status = BL_RAISE_ERRNO(path, "close");
    return status;
}

bl_status bl_run_rewind(bl_run *run, int64_t epoch)
{
    const char *const path = run->paths[BL_RUN_METRICS];
    char *text = NULL;
    size_t bytes = 0, cut = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) return BL_OK;
    BL_TRY(bl_file_read(&text, &bytes, path, METRICS_LIMIT));
    const bl_status status = find_cut(&cut, path, text, bytes, epoch);
    bl_free(text);
    BL_TRY(status);
    return cut < bytes ? cut_file(path, cut) : BL_OK;
}

bl_status bl_run_epochs(const bl_run *run, int64_t *n)
{
    const char *const path = run->paths[BL_RUN_METRICS];
    char *text = NULL;
    size_t bytes = 0;
    *n = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) return BL_OK;
    BL_TRY(bl_file_read(&text, &bytes, path, METRICS_LIMIT));
    for (size_t i = 0; i < bytes; i++) *n += text[i] == '\n';
    bl_free(text);
    return BL_OK;
}

/* ---- result.json --------------------------------------------------------- */

/** A number for each class of the evaluation; NULL: no member. */
static void add_each(bl_json *json, const char *key, const bl_result *result,
                     const double *values) // [C]
{
    if (values == NULL || result->last == NULL) return;
    bl_json_on_line(json);
    bl_json_array(json, key);
    for (int32_t c = 0; c < result->last->n_class; c++)
        bl_json_real(json, NULL, values[c]);
    bl_json_close(json);
}

static void add_result(bl_json *json, const bl_result *result,
                       const bl_result_facts *facts)
{
    bl_json_object(json, NULL);
    bl_json_string(json, "method", facts->method);
    bl_json_string(json, "model", facts->model);
    bl_json_string(json, "data", facts->data);
    bl_json_real(json, "imbalance", facts->imbalance);
    bl_json_real(json, "holdout", facts->holdout);
    bl_json_integer(json, "seed", facts->seed);
    bl_json_integer(json, "epochs", facts->epochs);
    bl_json_string(json, "precision", result->precision);
    bl_json_string(json, "backend", result->backend);
    bl_json_integer(json, "parameters", result->parameters);
    bl_json_real(json, "test_error_last", result->test_error_last);
    bl_json_real(json, "test_error_best", result->test_error_best);
    bl_json_integer(json, "best_epoch", result->best_epoch);
    if (!isnan(result->posthoc_tau))
        bl_json_real(json, "posthoc_tau", result->posthoc_tau);
    bl_evaluation_json(result->last, facts->class_names, json);
    if (facts->weight_norms != NULL && result->last != NULL)
        bl_norms_json(facts->weight_norms, result->last->n_class, json);
    add_each(json, "compactness", result, facts->compactness);
    bl_json_real(json, "seconds", result->seconds);
    bl_json_real(json, "samples_per_second", result->samples_per_second);
    bl_json_close(json);
}

bl_status bl_run_result(bl_run *run, const bl_result *result,
                        const bl_result_facts *facts)
{
    bl_status status = BL_OK;
    bl_json *json = NULL;
    bl_text document = {0};
    const char *text = NULL;
    size_t bytes = 0;
    BL_TRY(bl_json_create(&json, 1));
    add_result(json, result, facts);
    BL_CHECK(bl_json_text(json, &text, &bytes));
    bl_text_add(&document, text, bytes);
    if (bytes > 0 && text[bytes - 1] != '\n') bl_text_add(&document, "\n", 1);
    BL_CHECK(document.status);
    BL_CHECK(bl_file_write(run->paths[BL_RUN_RESULT], document.text,
                           document.bytes));
done:
    bl_text_free(&document);
    bl_json_free(json);
    return status;
}
