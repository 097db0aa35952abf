/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: what would keep a cell from training, found before any is trained.
 *
 * A study may be at work for days when it comes to its last cell.  So every
 * cell is looked at as its trainer would be made, without making it: what
 * computes, how many images there are, and which weights it begins with.
 * Those of a parent that is not trained yet are known by their network.
 */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "io/safetensors.h"
#include "nn/engine.h"
#include "study/study.h"
#include "train/trainer.h"
#include "train/weights.h"

static bl_status check_compute(const bl_config *config)
{
    const bl_compute compute = {
        .backend = bl_config_string(config, "backend"),
        .precision = bl_config_string(config, "precision")};
    return bl_engine_check(&compute);
}

static bool can_be_read(const char *path)
{
    bl_safetensors *file = NULL;
    const bool can = bl_safetensors_open(&file, path) == BL_OK;
    bl_safetensors_free(file);
    return can;
}

/* A parent that cannot be used is told when its turn has come. */
static bl_status check_weights(const bl_study *s, int64_t i,
                               const bl_config *config)
{
    const bl_cell_record *const record = &s->records[i];
    const int64_t parent = record->cell.needs[0];
    const char *const path = bl_config_string(config, "init.weights");
    char said[256];
    if (*path == '\0') return BL_OK;
    if (parent < 0) return bl_weights_fit(config, &record->network, NULL, path);
    const bl_cell_record *const first = &s->records[parent];
    if (first->cell.state == BL_CELL_FINISHED)
        return can_be_read(path)
                   ? bl_weights_fit(config, &record->network, NULL, path)
                   : BL_OK;
    if (first->network.model == NULL) return BL_OK;
    (void)snprintf(said, sizeof said, "weights of cell %.200s",
                   first->label);
    return bl_weights_fit(config, &record->network, &first->network, said);
}

static bl_status check_cell(bl_study *s, int64_t i, const bl_config *config,
                            int64_t n, const bl_network_spec *images)
{
    bl_cell_record *const record = &s->records[i];
    const bl_method_type *const method =
        bl_method_find(bl_config_string(config, "method"));
    record->network = *images;
    record->network.model = bl_model_find(bl_config_string(config, "model"));
    record->network.form = method->form;
    BL_TRY(check_compute(config));
    BL_TRY(bl_trainer_check_batch(config, n));
    if (record->cell.state != BL_CELL_MISSING && !record->cell.anew)
        return BL_OK;
    return check_weights(s, i, config);
}

bl_status bl_study_check(bl_study *study, int64_t i, int64_t n,
                         const bl_network_spec *images)
{
    bl_config *config = NULL;
    if (study->records[i].cell.average) return BL_OK;
    BL_TRY(bl_study_config(&config, study, i));
    const bl_status status = check_cell(study, i, config, n, images);
    bl_config_free(config);
    return status;
}
