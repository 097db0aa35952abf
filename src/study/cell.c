/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cell.c: the folder of a cell, and what stands in it.
 *
 * A folder is named by what its run computes: a few words to read, and its
 * identity (train/identity.c).  Where the study lies is no part of that: a
 * cell that begins with another's weights counts that one's name instead of
 * the path.
 *
 * A name could lie (a default may change, a hash may collide), so the run's
 * own run.yaml is compared key by key before its result is taken.  Keys that
 * nobody reads, neither the run nor the one it follows, count in neither.  A
 * folder that cannot be used is told with what helps: a result alone is made
 * again from the checkpoint, anything else needs a new folder.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/jsonread.h"
#include "core/mem.h"
#include "study/study.h"
#include "train/stage.h"

enum {
    READABLE = 60,          /* bytes of a name before its hash */
    RESULT_LIMIT = 1 << 28, /* bytes of result.json            */
    METRICS_LIMIT = 1 << 28
};

static bool is_weights(const char *key)
{
    return strcmp(key, "init.weights") == 0;
}

/* ---- names -------------------------------------------------------------- */

/* Adds a value in letters that every file system takes. */
static void add_readable(bl_text *name, const char *value)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
    const char *const slash = strrchr(value, '/');
    const char *at = slash != NULL && slash[1] != '\0' ? slash + 1 : value;
    for (; *at != '\0' && name->bytes < READABLE; at++)
        bl_text_add(name, strchr(good, *at) != NULL ? at : "_", 1);
    bl_text_add(name, "-", 1);
}

bl_status bl_cell_readers_make(bl_cell_readers *out, const bl_study *s,
                               int64_t i)
{
    int64_t needs[2];
    bl_grid_needs(needs, s, i);
    BL_TRY(bl_study_config(&out->config, s, i));
    if (needs[0] >= 0 && !bl_grid_averages(s, i))
        BL_TRY(bl_study_config(&out->first, s, needs[0]));
    out->all[0] = out->config;
    out->all[1] = out->first;
    return BL_OK;
}

void bl_cell_readers_drop(bl_cell_readers *readers)
{
    bl_config_free(readers->config);
    bl_config_free(readers->first);
}

bl_status bl_cell_name(char **out, const bl_config *config,
                       const char *parent, const bl_config *const *readers)
{
    static const char *const shown[] = {"method", "data", "imbalance", "seed"};
    char hash[BL_IDENTITY_ROOM];
    bl_text name = {0};
    BL_TRY(bl_identity_hash(hash, config, parent, readers));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        add_readable(&name, bl_config_text(config, shown[i]));
    bl_text_add(&name, hash, strlen(hash));
    const bl_status status = name.status;
    if (status < 0)
        bl_text_free(&name);
    else
        *out = name.text;
    return status;
}

int64_t bl_cell_epochs(const bl_config *config)
{
    const int64_t first = bl_config_integer(config, "epochs");
    const int64_t second = bl_stage2_epochs(config);
    const bool given = bl_config_string(config, "init.weights")[0] != '\0';
    return given && second > 0 ? second : first + second;
}

/* ---- states ------------------------------------------------------------- */

static void forget(bl_cell_record *record)
{
    bl_cell *const cell = &record->cell;
    bl_free(record->problem);
    bl_cell_forget_images(record);
    record->problem = NULL;
    cell->problem = NULL;
    cell->state = BL_CELL_MISSING;
    cell->epoch = cell->best_epoch = 0;
    cell->anew = 0;
    cell->error_last = cell->error_best = (double)NAN;
    cell->seconds = cell->samples_per_second = 0;
}

/* The folder cannot be used: notes the last error, and what helps. */
static bl_status note_problem(bl_cell_record *record, const char *advice)
{
    bl_text text = {0};
    forget(record);
    bl_text_printf(&text, "%s%s", bl_error_last()->message, advice);
    BL_TRY(text.status);
    record->cell.problem = record->problem = text.text;
    record->cell.state = BL_CELL_BROKEN;
    return BL_OK;
}

static double number(const bl_json_value *object, const char *key)
{
    const bl_json_value *const value = bl_json_member(object, key);
    return value != NULL && bl_json_is_number(value) ? value->real
                                                     : (double)NAN;
}

static bl_status take_result(bl_cell *cell, const bl_json_value *result,
                             const char *path)
{
    const double last = number(result, "test_error_last");
    if (!(last >= 0 && last <= 1))
        return BL_RAISE(BL_EFORMAT, "%s: test_error_last is missing or not in "
                        "[0, 1]", path);
    const double best_epoch = number(result, "best_epoch");
    cell->error_last = last;
    if (cell->chooser != BL_CHOSEN_NOT)
        cell->error_best = number(result, "test_error_best");
    cell->best_epoch = best_epoch >= 0 && best_epoch < 1e15
                           ? (int64_t)best_epoch : 0;
    const double seconds = number(result, "seconds");
    const double rate = number(result, "samples_per_second");
    cell->seconds = seconds > 0 ? seconds : 0;
    cell->samples_per_second = rate > 0 ? rate : 0;
    cell->epoch = cell->epochs;
    cell->state = BL_CELL_FINISHED;
    return BL_OK;
}

static bl_status read_result(bl_cell *cell, const char *path)
{
    bl_json_value *result = NULL;
    BL_TRY(bl_json_read(&result, path, RESULT_LIMIT));
    const bl_status status = take_result(cell, result, path);
    bl_json_value_free(result);
    return status;
}

/* Epoch and rate of the last whole line; a run that is being written may
 * have any, so what cannot be read is passed over. */
static void read_metrics(bl_cell *cell, const char *path)
{
    char *text = NULL;
    size_t n = 0;
    bl_json_value *line = NULL;
    if (bl_file_read(&text, &n, path, METRICS_LIMIT) < 0) return;
    while (n > 0 && text[n - 1] != '\n') n--;
    size_t from = n > 0 ? n - 1 : 0;
    while (from > 0 && text[from - 1] != '\n') from--;
    if (n > from &&
        bl_json_parse(&line, path, text + from, n - from) == BL_OK) {
        const double epoch = number(line, "epoch");
        const double rate = number(line, "samples_per_second");
        if (epoch > 0 && epoch < 1e15) cell->epoch = (int64_t)epoch;
        if (rate > 0) cell->samples_per_second = rate;
        bl_json_value_free(line);
    }
    bl_free(text);
}

/* Does path end with "/NAME/last.safetensors"? */
static bool is_last_of(const char *path, const char *name)
{
    static const char file[] = "/last.safetensors";
    const size_t n = strlen(path), bytes = strlen(name) + sizeof file;
    if (n < bytes || path[n - bytes] != '/') return false;
    const char *const at = path + n - bytes + 1;
    return strncmp(at, name, strlen(name)) == 0 &&
           strcmp(at + strlen(name), file) == 0;
}

/* Compares what counts; a key that nobody reads may be anything. */
static bl_status compare(const bl_config *found, const bl_cell_readers *wanted,
                         const char *folder, const char *parent)
{
    const bl_param *row = bl_config_table(found);
    for (; row->name != NULL; row++) {
        if (!bl_identity_counts(row->name, wanted->all)) continue;
        const char *const is = bl_config_text(found, row->name);
        const char *const want = bl_config_text(wanted->config, row->name);
        if (parent != NULL && is_weights(row->name) && is_last_of(is, parent))
            continue;
        if (strcmp(is, want) != 0)
            return BL_RAISE(BL_EEXIST, "%.200s: holds another run: %s is "
                            "\"%.60s\", wanted \"%.60s\"", folder, row->name,
                            is, want);
    }
    return BL_OK;
}

/* Reads run.yaml and compares it with what the cell is; notes its images. */
static bl_status check_run(const bl_study *s, int64_t i, const char *yaml)
{
    bl_status status = BL_OK;
    bl_config *found = NULL;
    bl_cell_readers wanted = {0};
    int64_t needs[2];
    bl_grid_needs(needs, s, i);
    const char *const parent = needs[0] >= 0 ? s->records[needs[0]].name
                                             : NULL;
    BL_CHECK(bl_run_config(&found, s->records[i].folder));
    BL_CHECK(bl_cell_readers_make(&wanted, s, i));
    BL_CHECK(compare(found, &wanted, s->records[i].folder, parent));
    BL_CHECK(bl_cell_note_images(&s->records[i], wanted.config, yaml));
done:
    bl_config_free(found);
    bl_cell_readers_drop(&wanted);
    return status;
}

/* A mean holds as long as its members' results are those it was made of. */
static bool is_fresh(const bl_study *s, int64_t i, const bl_json_value *result)
{
    static const char *const keys[] = {"member_1_error_last",
                                       "member_2_error_last"};
    int64_t needs[2];
    bl_grid_needs(needs, s, i);
    for (int m = 0; m < 2; m++) {
        const bl_cell *const member = &s->records[needs[m]].cell;
        if (member->state != BL_CELL_FINISHED) return false;
        if (!(number(result, keys[m]) == member->error_last)) return false;
    }
    return true;
}

/* ---- what lies in a folder ---------------------------------------------- */

enum { YAML, RESULT, METRICS, RESUME, PREVIOUS, LAST, BEST, FILES };

static const char *const names[FILES] = {
    "run.yaml", "result.json", "metrics.jsonl", "resume.safetensors",
    "resume.previous.safetensors", "last.safetensors", "best.safetensors"};

typedef struct contents {
    char *paths[FILES];
    bool there[FILES];
    const char *advice; /* behind the message of an error */
} contents;

static const char move_away[] = "; move the folder away to train the cell "
                                "again";
static const char remove_it[] = "; remove that file alone, and the next start "
                                "makes it again";

static bl_status list(contents *c, const char *folder)
{
    c->advice = move_away;
    for (int f = 0; f < FILES; f++) {
        BL_TRY(bl_path_join(&c->paths[f], folder, names[f]));
        c->there[f] = bl_path_exists(c->paths[f]);
    }
    return BL_OK;
}

static bool has_checkpoint(const contents *c)
{
    return c->there[RESUME] || c->there[PREVIOUS];
}

static bl_status look_average(bl_study *s, int64_t i, contents *c)
{
    bl_json_value *result = NULL;
    if (!c->there[RESULT]) return BL_OK;
    c->advice = remove_it;
    BL_TRY(bl_json_read(&result, c->paths[RESULT], RESULT_LIMIT));
    bl_status status = BL_OK;
    if (is_fresh(s, i, result))
        status = take_result(&s->records[i].cell, result, c->paths[RESULT]);
    bl_json_value_free(result);
    return status;
}

/* What is there without a run.yaml cannot go on, and is not written over. */
static bl_status look_leftovers(const contents *c)
{
    for (int f = YAML + 1; f < FILES; f++)
        if (c->there[f])
            return BL_RAISE(BL_EEXIST, "%s: missing, but %s is there",
                            c->paths[YAML], names[f]);
    return BL_OK;
}

static bl_status look_run(bl_study *s, int64_t i, contents *c)
{
    bl_cell *const cell = &s->records[i].cell;
    if (!c->there[YAML]) return look_leftovers(c);
    BL_TRY(check_run(s, i, c->paths[YAML]));
    if (c->there[RESULT]) {
        if (has_checkpoint(c)) c->advice = remove_it;
        return read_result(cell, c->paths[RESULT]);
    }
    cell->state = BL_CELL_BEGUN;
    if (c->there[METRICS]) read_metrics(cell, c->paths[METRICS]);
    cell->anew = cell->needs[0] >= 0 && !has_checkpoint(c) && cell->epoch <= 1;
    return BL_OK;
}

bl_status bl_cell_look(bl_study *s, int64_t i)
{
    bl_status status = BL_OK;
    bl_cell_record *const record = &s->records[i];
    contents c = {0};
    forget(record);
    if (s->folder == NULL) return BL_OK;
    BL_CHECK(list(&c, record->folder));
    status = record->cell.average ? look_average(s, i, &c)
                                  : look_run(s, i, &c);
    if (status < 0 && status != BL_ENOMEM)
        status = note_problem(record, status == BL_EIO ? "" : c.advice);
done:
    for (int f = 0; f < FILES; f++) bl_free(c.paths[f]);
    return status;
}
