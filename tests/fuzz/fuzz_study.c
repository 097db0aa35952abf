/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the file of a study: read, unfolded into its grid, and asked
 * for the place of a few cells.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "study/study.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First, middle and last cell. */
static void ask(const bl_study *study)
{
    const int64_t cells[] = {0, study->n / 2, study->n - 1};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        int64_t needs[2];
        bl_grid_needs(needs, study, cells[i]);
        if (needs[0] >= cells[i] || needs[1] >= cells[i]) abort();
        for (int64_t a = 0; a < study->n_axes; a++) {
            const char *const label =
                bl_grid_label(study, cells[i], study->axes[a]);
            if (label != NULL && label[0] == '\0') abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bl_study_file *file = NULL;
    const char *const text = size > 0 ? (const char *)data : "";
    if (bl_study_file_parse(&file, "study.yaml", text, size) < 0) {
        if (bl_error_last()->message[0] == '\0') abort();
        return 0;
    }
    bl_study study = {.spec = bl_study_file_spec(file)};
    if (bl_grid_build(&study, NULL) == BL_OK) ask(&study);
    bl_grid_free(&study);
    bl_study_file_free(file);
    return 0;
}
