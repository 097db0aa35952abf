/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images.c: did cells that name the same images see the same?
 *
 * Where the data lie is no part of a cell's name, so a set may be exchanged
 * under the same path, or another be found in another folder, between two
 * cells of one table.  A run notes a fingerprint of what it saw; results whose
 * fingerprints differ where their keys do not are no comparison.
 */
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "study/study.h"
#include "train/run.h"

/* Keys that say which images a run sees; a holdout is drawn by the seed. */
static bl_status name_images(bl_text *out, const bl_config *config)
{
    static const char *const keys[] = {"data", "imbalance", "profile",
                                       "holdout"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        bl_text_printf(out, "%s\n", bl_config_text(config, keys[k]));
    if (bl_config_real(config, "holdout") > 0)
        bl_text_printf(out, "%s\n", bl_config_text(config, "seed"));
    return out->status;
}

bl_status bl_cell_note_images(bl_cell_record *record, const bl_config *config,
                              const char *run_yaml)
{
    bl_text text = {0};
    char *noted = NULL;
    bl_status status = name_images(&text, config);
    if (status >= 0) status = bl_run_fingerprint(&noted, run_yaml);
    if (status >= 0) {
        record->images = text.text;
        record->fingerprint = noted;
        return status;
    }
    bl_text_free(&text);
    return status == BL_EFORMAT ? BL_OK : status; /* it noted none */
}

void bl_cell_forget_images(bl_cell_record *record)
{
    bl_free(record->images);
    bl_free(record->fingerprint);
    record->images = record->fingerprint = NULL;
}

bl_status bl_study_mixed(const char **out, const bl_study *s)
{
    bl_status status = BL_OK;
    bl_numbering all = {0};
    int64_t *first = NULL; // [n] cell that brought each name of images
    int64_t number = 0;
    *out = NULL;
    BL_CHECK(bl_numbering_make(&all, s->n));
    BL_CHECK(bl_calloc(&first, s->n, sizeof *first));
    for (int64_t i = 0; i < s->n && *out == NULL; i++) {
        const bl_cell_record *const record = &s->records[i];
        const int64_t before = all.n;
        if (record->cell.state != BL_CELL_FINISHED ||
            record->images == NULL)
            continue;
        BL_CHECK(bl_numbering_of(&number, &all, record->images));
        if (all.n > before) first[number] = i;
        if (strcmp(s->records[first[number]].fingerprint,
                   record->fingerprint) != 0)
            *out = record->images;
    }
done:
    bl_free(first);
    bl_numbering_drop(&all);
    return status;
}
