/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: reads what a run has left: run.yaml, metrics.jsonl, result.json.
 *
 * A run may still be at work: then there is no result, and the last line of
 * metrics.jsonl may lack its end; it is passed over, as the trainer itself
 * does.  A result may be of an older version: what it lacks is not drawn.
 * But what is there has to be what it is called, or the file is refused with
 * the place: a picture of something else is worse than none.
 *
 * Memory is taken by what was counted in the file, never by what it claims.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/train.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "plot/plot.h"
#include "plot/read.h"

enum { FILE_LIMIT = 1 << 28 }; /* bytes */

static bl_status check_count(const bl_place *at, const char *what,
                             const bl_json_value *list, int64_t wanted)
{
    if (list->kind != BL_JSON_ARRAY)
        return bl_place_wrong(at, what, list, "a list");
    if (list->count == wanted) return BL_OK;
    return BL_RAISE(BL_EFORMAT, "%s: %s has %" PRId64 " entries, wanted %"
                    PRId64 ", one a class", at->path, what, list->count,
                    wanted);
}

/* ---- metrics.jsonl ------------------------------------------------------- */

static bl_status read_epoch(bl_plot_epoch *e, const char *path, int64_t number,
                            const char *line, size_t n)
{
    bl_json_value *tree = NULL;
    bl_place at = {.path = path};
    const double any = -HUGE_VAL;
    *e = (bl_plot_epoch){.alpha = (double)NAN};
    (void)snprintf(at.part, sizeof at.part, "line %" PRId64, number);
    bl_status status = bl_json_parse(&tree, at.part, line, n);
    if (status < 0) return bl_error_prefix("%s", path);
    BL_CHECK(bl_need_real(&e->epoch, &at, tree, "epoch", 1));
    BL_CHECK(bl_need_real(&e->lr, &at, tree, "lr", 0));
    BL_CHECK(bl_read_real(&e->alpha, &at, tree, "alpha", any));
    BL_CHECK(bl_need_real(&e->train_loss, &at, tree, "train_loss", any));
    BL_CHECK(bl_need_real(&e->train_error, &at, tree, "train_error", 0));
    BL_CHECK(bl_need_real(&e->test_error, &at, tree, "test_error", 0));
done:
    bl_json_value_free(tree);
    return status;
}

static bl_status read_lines(bl_plot_run *run, const char *path,
                            const char *text, size_t bytes)
{
    int64_t lines = 0;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    BL_TRY(bl_calloc(&run->epochs, lines, sizeof *run->epochs));
    for (size_t at = 0; run->n_epoch < lines;) {
        const char *const end = memchr(text + at, '\n', bytes - at);
        const size_t length = (size_t)(end - (text + at));
        BL_TRY(read_epoch(&run->epochs[run->n_epoch], path, run->n_epoch + 1,
                          text + at, length));
        run->n_epoch++;
        at += length + 1;
    }
    return BL_OK;
}

static bl_status read_metrics(bl_plot_run *run, const char *folder)
{
    bl_status status = BL_OK;
    char *path = NULL, *text = NULL;
    size_t bytes = 0;
    BL_TRY(bl_path_join(&path, folder, "metrics.jsonl"));
    if (bl_path_exists(path)) {
        BL_CHECK(bl_file_read(&text, &bytes, path, FILE_LIMIT));
        BL_CHECK(read_lines(run, path, text, bytes));
    }
done:
    bl_free(text);
    bl_free(path);
    return status;
}

/* ---- result.json --------------------------------------------------------- */

static bl_status read_class(bl_plot_class *c, const bl_place *at,
                            const bl_json_value *entry)
{
    BL_TRY(bl_need_text(&c->name, at, entry, "name"));
    BL_TRY(bl_need_real(&c->train_count, at, entry, "train_count", 0));
    BL_TRY(bl_need_real(&c->error, at, entry, "error", 0));
    if (isnan(c->train_count))
        return bl_place_wrong(at, "train_count",
                              bl_json_member(entry, "train_count"),
                              "a number");
    return BL_OK;
}

static bl_status read_classes(bl_plot_run *run, bl_place *at)
{
    static const bl_plot_class unknown = {
        .norm = (double)NAN, .norm_uniform = (double)NAN,
        .norm_reversed = (double)NAN, .compactness = (double)NAN};
    const bl_json_value *list = NULL;
    int64_t i = 0;
    BL_TRY(bl_need_list(&list, at, run->result, "per_class"));
    BL_TRY(bl_calloc(&run->classes, list->count, sizeof *run->classes));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next, i++) {
        run->classes[i] = unknown;
        run->classes[i].label = i;
        (void)snprintf(at->part, sizeof at->part, "per_class %" PRId64, i + 1);
        BL_TRY(read_class(&run->classes[i], at, v));
    }
    at->part[0] = '\0';
    run->n_class = list->count;
    return BL_OK;
}

/** Reads a list with a number a class into a member of each class, which
 *  stands offset bytes from its beginning. */
static bl_status read_each(bl_plot_run *run, const bl_place *at,
                           const bl_json_value *tree, const char *key,
                           size_t offset)
{
    const bl_json_value *list = NULL;
    int64_t i = 0;
    BL_TRY(bl_read_list(&list, at, tree, key));
    if (list == NULL) return BL_OK;
    BL_TRY(check_count(at, key, list, run->n_class));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next, i++) {
        const double value = v->kind == BL_JSON_NULL ? (double)NAN : v->real;
        if (v->kind != BL_JSON_NULL && !bl_json_is_number(v))
            return bl_place_wrong(at, key, v, "a number for each class");
        memcpy((char *)&run->classes[i] + offset, &value, sizeof value);
    }
    return BL_OK;
}

/** Classes must still be in the order of the file. */
static bl_status read_features(bl_plot_run *run, const bl_place *at,
                               const bl_json_value *tree)
{
    BL_TRY(read_each(run, at, tree, "weight_norms",
                     offsetof(bl_plot_class, norm)));
    BL_TRY(read_each(run, at, tree, "weight_norms_uniform",
                     offsetof(bl_plot_class, norm_uniform)));
    BL_TRY(read_each(run, at, tree, "weight_norms_reversed",
                     offsetof(bl_plot_class, norm_reversed)));
    return read_each(run, at, tree, "compactness",
                     offsetof(bl_plot_class, compactness));
}

/** Turns a row of counts into fractions, at the places of sorted classes. */
static bl_status read_row(double *row, const bl_plot_run *run,
                          const bl_place *at, const bl_json_value *list,
                          double *counts)
{
    double sum = 0;
    int64_t j = 0;
    for (const bl_json_value *v = list->first; v != NULL; v = v->next, j++) {
        if (!bl_json_is_number(v) || v->real < 0)
            return bl_place_wrong(at, "confusion", v, "counts of at least 0");
        counts[j] = v->real;
        sum += v->real;
    }
    for (j = 0; j < run->n_class; j++)
        row[j] = sum > 0 ? counts[run->classes[j].label] / sum : (double)NAN;
    return BL_OK;
}

static bl_status read_confusion(bl_plot_run *run, const bl_place *at)
{
    bl_status status = BL_OK;
    const bl_json_value *list = NULL;
    int64_t *rank = NULL;   // [n_class] where a label stands among classes
    double *counts = NULL;  // [n_class]
    const int64_t n = run->n_class;
    BL_TRY(bl_read_list(&list, at, run->result, "confusion"));
    if (list == NULL || n == 0) return BL_OK;
    BL_TRY(check_count(at, "confusion", list, n));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next)
        BL_TRY(check_count(at, "a row of confusion", v, n));
    BL_CHECK(bl_calloc(&rank, n, sizeof *rank));
    BL_CHECK(bl_calloc(&counts, n, sizeof *counts));
    BL_CHECK(bl_calloc(&run->confusion, n * n, sizeof *run->confusion));
    for (int64_t i = 0; i < n; i++) rank[run->classes[i].label] = i;
    int64_t y = 0;
    for (const bl_json_value *v = list->first; v != NULL; v = v->next, y++)
        BL_CHECK(read_row(run->confusion + rank[y] * n, run, at, v, counts));
done:
    bl_free(counts);
    bl_free(rank);
    return status;
}

static bl_status read_bins(bl_plot_run *run, bl_place *at)
{
    const bl_json_value *list = NULL;
    BL_TRY(bl_read_list(&list, at, run->result, "reliability"));
    if (list == NULL) return BL_OK;
    BL_TRY(bl_calloc(&run->bins, list->count, sizeof *run->bins));
    for (const bl_json_value *v = list->first; v != NULL; v = v->next) {
        bl_reliability_bin *const bin = &run->bins[run->n_bin];
        double count = 0;
        (void)snprintf(at->part, sizeof at->part, "reliability %" PRId64,
                       run->n_bin + 1);
        BL_TRY(bl_need_real(&bin->confidence, at, v, "confidence", 0));
        BL_TRY(bl_need_real(&bin->accuracy, at, v, "accuracy", 0));
        BL_TRY(bl_need_real(&count, at, v, "count", 0));
        if (!(count <= 0x1p53))
            return bl_place_wrong(at, "count", bl_json_member(v, "count"),
                                  "how many images");
        bin->n = (int64_t)count;
        run->n_bin++;
    }
    at->part[0] = '\0';
    return BL_OK;
}

static bl_status read_limits(bl_plot_run *run, const bl_place *at)
{
    const bl_shot_limits usual = bl_usual_shots();
    double many_above = (double)usual.many_above;
    double few_below = (double)usual.few_below;
    const bl_json_value *const limits =
        bl_json_member(run->result, "shot_limits");
    BL_TRY(bl_read_real(&many_above, at, limits, "many_above", 0));
    BL_TRY(bl_read_real(&few_below, at, limits, "few_below", 0));
    if (!(many_above <= 0x1p53) || !(few_below <= 0x1p53))
        return bl_place_wrong(at, "shot_limits", limits, "numbers of images");
    run->limits = (bl_shot_limits){.many_above = (int64_t)many_above,
                                   .few_below = (int64_t)few_below};
    return BL_OK;
}

/** Most training images first; of equals the lower label. */
static int by_count(const void *a, const void *b)
{
    const bl_plot_class *const x = a, *const y = b;
    if (x->train_count != y->train_count)
        return x->train_count < y->train_count ? 1 : -1;
    return x->label < y->label ? -1 : 1;
}

static bl_status read_members(bl_plot_run *run, const char *path)
{
    bl_place at = {.path = path};
    if (run->result->kind != BL_JSON_OBJECT)
        return bl_place_wrong(&at, "the document", run->result, "an object");
    BL_TRY(read_classes(run, &at));
    BL_TRY(read_features(run, &at, run->result));
    BL_TRY(read_limits(run, &at));
    BL_TRY(bl_read_real(&run->ece, &at, run->result, "ece", 0));
    return read_bins(run, &at);
}

static bl_status read_result(bl_plot_run *run, const char *folder)
{
    bl_status status = BL_OK;
    char *path = NULL;
    BL_TRY(bl_path_join(&path, folder, "result.json"));
    if (!bl_path_exists(path)) goto done;
    BL_CHECK(bl_json_read(&run->result, path, FILE_LIMIT));
    BL_CHECK(read_members(run, path));
    qsort(run->classes, (size_t)run->n_class, sizeof *run->classes, by_count);
    BL_CHECK(read_confusion(run, &(bl_place){.path = path}));
done:
    bl_free(path);
    return status;
}

/* ---- run.yaml ------------------------------------------------------------ */

/** "bbn on cifar10, imbalance 100, seed 0"; of a path its last part. */
static bl_status read_subject(bl_plot_run *run, const char *folder)
{
    bl_config *config = NULL;
    bl_text subject = {0};
    BL_TRY(bl_run_config(&config, folder));
    const char *const data = bl_config_string(config, "data");
    const char *const slash = strrchr(data, '/');
    bl_text_printf(&subject, "%s on %s, imbalance %s, seed %s",
                   bl_config_string(config, "method"),
                   slash && slash[1] ? slash + 1 : data,
                   bl_config_text(config, "imbalance"),
                   bl_config_text(config, "seed"));
    run->holdout = bl_config_real(config, "holdout") > 0;
    bl_config_free(config);
    run->subject = subject.text;
    return subject.status;
}

bl_status bl_plot_run_load(bl_plot_run **out, const char *folder)
{
    bl_status status = BL_OK;
    bl_plot_run *run = NULL;
    BL_TRY(bl_calloc(&run, 1, sizeof *run));
    run->ece = (double)NAN;
    BL_CHECK(read_subject(run, folder));
    BL_CHECK(read_metrics(run, folder));
    BL_CHECK(read_result(run, folder));
    *out = run;
    run = NULL;
done:
    bl_plot_run_free(run);
    return status;
}

void bl_plot_run_free(bl_plot_run *run)
{
    if (run == NULL) return;
    bl_free(run->subject);
    bl_free(run->epochs);
    bl_free(run->classes);
    bl_free(run->confusion);
    bl_free(run->bins);
    bl_json_value_free(run->result);
    bl_free(run);
}
