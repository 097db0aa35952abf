/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluation_json.c: an evaluation as members of a JSON object.
 *
 * A row of numbers or a bin keeps one line, so that the file can still be
 * read by people: a hundred classes have ten thousand pairs.  What is not
 * known is null, never left out; only the confusion matrix is, above
 * BL_CONFUSION_WRITTEN classes, since it would be most of the file.
 */
#include <math.h>

#include "ballast/data.h"
#include "ballast/eval.h"
#include "ballast/model.h"

static void add_shots(const bl_evaluation *e, bl_json *json)
{
    bl_json_object(json, "shot");
    for (int i = BL_SHOT_MANY; i <= BL_SHOT_FEW; i++)
        bl_json_real(json, bl_shot_name((bl_shot)i),
                     e ? e->shot_error[i] : (double)NAN);
    bl_json_close(json);
    bl_json_object(json, "shot_limits");
    if (e) {
        bl_json_integer(json, "many_above", e->limits.many_above);
        bl_json_integer(json, "few_below", e->limits.few_below);
    }
    bl_json_close(json);
}

static void add_classes(const bl_evaluation *e,
                        const char *const *class_names, bl_json *json)
{
    bl_json_array(json, "per_class");
    for (int32_t c = 0; e && c < e->n_class; c++) {
        bl_json_object(json, NULL);
        bl_json_string(json, "name", class_names[c]);
        bl_json_integer(json, "train_count", e->train_n[c]);
        bl_json_real(json, "error", e->class_error[c]);
        bl_json_close(json);
    }
    bl_json_close(json);
}

static void add_worst(const bl_evaluation *e, const char *const *class_names,
                      bl_json *json)
{
    if (!e || e->worst_class < 0) {
        bl_json_null(json, "worst_class");
        return;
    }
    bl_json_object(json, "worst_class");
    bl_json_string(json, "name", class_names[e->worst_class]);
    bl_json_real(json, "error", e->class_error[e->worst_class]);
    bl_json_close(json);
}

static void add_bins(const bl_evaluation *e, bl_json *json)
{
    bl_json_array(json, "reliability");
    for (int k = 0; e && k < BL_RELIABILITY_BINS; k++) {
        bl_json_on_line(json);
        bl_json_object(json, NULL);
        bl_json_real(json, "confidence", e->bins[k].confidence);
        bl_json_real(json, "accuracy", e->bins[k].accuracy);
        bl_json_integer(json, "count", e->bins[k].n);
        bl_json_close(json);
    }
    bl_json_close(json);
}

static void add_confusion(const bl_evaluation *e, bl_json *json)
{
    bl_json_array(json, "confusion");
    for (int64_t y = 0; y < e->n_class; y++) {
        bl_json_on_line(json);
        bl_json_array(json, NULL);
        for (int64_t j = 0; j < e->n_class; j++)
            bl_json_integer(json, NULL, e->confusion[y * e->n_class + j]);
        bl_json_close(json);
    }
    bl_json_close(json);
}

void bl_evaluation_json(const bl_evaluation *evaluation,
                        const char *const *class_names, bl_json *json)
{
    const bl_evaluation *const e = evaluation;
    add_shots(e, json);
    add_classes(e, class_names, json);
    bl_json_real(json, "balanced_error", e ? e->balanced_error : (double)NAN);
    add_worst(e, class_names, json);
    bl_json_real(json, "nll", e ? e->nll : (double)NAN);
    bl_json_real(json, "ece", e ? e->ece : (double)NAN);
    add_bins(e, json);
    if (e && e->confusion && e->n_class <= BL_CONFUSION_WRITTEN)
        add_confusion(e, json);
}

void bl_norms_json(const double *norms, int32_t n_class, bl_json *json)
{
    static const char *const keys[BL_ROW_PARTS] = {
        "weight_norms", "weight_norms_uniform", "weight_norms_reversed"};
    for (int part = 0; part < BL_ROW_PARTS; part++) {
        const double *const norm = norms + (int64_t)part * n_class;
        if (part != BL_ROW_WHOLE && isnan(norm[0])) continue;
        bl_json_on_line(json);
        bl_json_array(json, keys[part]);
        for (int32_t c = 0; c < n_class; c++)
            bl_json_real(json, NULL, norm[c]);
        bl_json_close(json);
    }
}
