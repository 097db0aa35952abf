/* SPDX-License-Identifier: Apache-2.0 */
/*
 * average.c: two networks as one, their logits averaged over the test split.
 *
 * The last weights of both give the error of the last epoch, their best
 * weights that of the best one, where the members have one.  Averaging logits
 * and adding them is the same for a prediction; the mean is taken so that the
 * logits keep their scale.  What is found stands in the cell's result.json
 * with the results it was made of, so that a member that was trained anew is
 * noticed.
 */
#include <math.h>

#include "ballast/eval.h"
#include "ballast/json.h"
#include "ballast/model.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "study/study.h"

/* Adds half of the logits of one file to z [n][C]. */
static bl_status add_logits(float *z, const bl_split *test, const char *path,
                            const bl_compute *compute)
{
    bl_status status = BL_OK;
    bl_classifier *c = NULL;
    float *own = NULL; // [n][C]
    const int64_t n = test->n * test->n_class;
    BL_TRY(bl_classifier_open(&c, path, compute));
    const bl_network_spec *const net = bl_classifier_spec(c);
    if (net->n_class != test->n_class || net->h != test->h ||
        net->w != test->w || net->c != test->c)
        BL_CHECK(BL_RAISE(BL_EINVAL, "%s: takes %dx%dx%d and knows %d "
                          "classes, the data are %dx%dx%d of %d", path,
                          net->h, net->w, net->c, net->n_class, test->h,
                          test->w, test->c, test->n_class));
    BL_CHECK(bl_calloc(&own, n, sizeof *own));
    BL_CHECK(bl_classifier_logits(c, test->pixels, test->n, own));
    for (int64_t i = 0; i < n; i++) z[i] += 0.5F * own[i];
done:
    bl_free(own);
    bl_classifier_free(c);
    return status;
}

/* Error of the mean of two files of one name. */
static bl_status mean_error(double *out, const bl_study *s, int64_t i,
                            const bl_split *test, const char *file,
                            const bl_compute *compute)
{
    bl_status status = BL_OK;
    float *z = NULL;         // [n][C]
    int64_t *train_n = NULL; // [C], all 0: shots are not asked for
    char *path = NULL;
    bl_evaluation *e = NULL;
    BL_CHECK(bl_calloc(&z, test->n * test->n_class, sizeof *z));
    BL_CHECK(bl_calloc(&train_n, test->n_class, sizeof *train_n));
    for (int m = 0; m < 2; m++) {
        const int64_t member = s->records[i].cell.needs[m];
        bl_free(path);
        path = NULL;
        BL_CHECK(bl_path_join(&path, s->records[member].folder, file));
        BL_CHECK(add_logits(z, test, path, compute));
    }
    BL_CHECK(bl_evaluate(&e, z, test->labels, test->n, train_n,
                         test->n_class, NULL));
    *out = e->error;
done:
    bl_evaluation_free(e);
    bl_free(path);
    bl_free(train_n);
    bl_free(z);
    return status;
}

static bl_status write_result(const bl_study *s, int64_t i, double last,
                              double best)
{
    bl_status status = BL_OK;
    bl_json *json = NULL;
    char *path = NULL;
    const char *text = NULL;
    size_t bytes = 0;
    const bl_cell *const cell = &s->records[i].cell;
    BL_TRY(bl_json_create(&json, 1));
    bl_json_object(json, NULL);
    bl_json_string(json, "mean_of", "logits");
    for (int m = 0; m < 2; m++) {
        const bl_cell_record *const member = &s->records[cell->needs[m]];
        bl_json_string(json, m ? "member_2" : "member_1", member->name);
        bl_json_real(json, m ? "member_2_error_last" : "member_1_error_last",
                     member->cell.error_last);
    }
    bl_json_real(json, "test_error_last", last);
    bl_json_real(json, "test_error_best", best);
    bl_json_close(json);
    BL_CHECK(bl_json_text(json, &text, &bytes));
    BL_CHECK(bl_folder_create(cell->folder));
    BL_CHECK(bl_path_join(&path, cell->folder, "result.json"));
    BL_CHECK(bl_file_write(path, text, bytes));
done:
    bl_free(path);
    bl_json_free(json);
    return status;
}

static bl_status check_members(const bl_study *s, int64_t i)
{
    const bl_cell *const cell = &s->records[i].cell;
    if (!cell->average || s->folder == NULL)
        return BL_RAISE(BL_EINVAL, "cell %s: is no mean of others",
                        cell->label);
    for (int m = 0; m < 2; m++) {
        const bl_cell *const member = &s->records[cell->needs[m]].cell;
        if (member->state != BL_CELL_FINISHED)
            return BL_RAISE(BL_EINVAL, "cell %s: needs cell %s, which is not "
                            "finished", cell->label, member->label);
    }
    return BL_OK;
}

bl_status bl_study_average(bl_study *study, int64_t i)
{
    bl_status status = BL_OK;
    bl_config *config = NULL;
    bl_dataset *data = NULL;
    double last = 1, best = (double)NAN;
    BL_TRY(check_members(study, i));
    BL_CHECK(bl_study_config(&config, study, i));
    const char *const folder = bl_config_string(config, "data-dir");
    BL_CHECK(bl_dataset_open(&data, bl_config_string(config, "data"),
                             *folder ? folder : NULL));
    const bl_compute compute = {
        .backend = bl_config_string(config, "backend"),
        .precision = bl_config_string(config, "precision"),
        .threads = (int32_t)bl_config_integer(config, "threads")};
    BL_CHECK(mean_error(&last, study, i, data->test, "last.safetensors",
                        &compute));
    if (study->records[i].cell.chooser != BL_CHOSEN_NOT)
        BL_CHECK(mean_error(&best, study, i, data->test, "best.safetensors",
                            &compute));
    BL_CHECK(write_result(study, i, last, best));
    BL_CHECK(bl_cell_look(study, i));
done:
    bl_dataset_free(data);
    bl_config_free(config);
    return status;
}
