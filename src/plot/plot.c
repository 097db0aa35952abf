/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.c: the table of pictures, and the scripts of one folder.
 */
#include "ballast/plot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "plot/plot.h"

enum { WIDTH = 720, HEIGHT = 540 }; /* px */

const bl_picture_type *const bl_picture_types[] = {
    &bl_picture_curves,    &bl_picture_rates,       &bl_picture_classes,
    &bl_picture_confusion, &bl_picture_reliability, &bl_picture_norms,
    &bl_picture_norms_uniform, &bl_picture_norms_reversed,
    &bl_picture_compactness, NULL};

enum { TYPES = sizeof bl_picture_types / sizeof *bl_picture_types };

static bl_status join(char **out, const char *folder, const char *name,
                      const char *extension)
{
    bl_text text = {0};
    bl_text_printf(&text, "%s/%s.%s", folder, name, extension);
    const bl_status status = text.status;
    if (status < 0)
        bl_text_free(&text);
    else
        *out = text.text;
    return status;
}

/** One call of bl_plot. */
typedef struct job {
    const char *folder, *into, *format;
    bl_pictures *pictures;
} job;

/** Writes a script and notes it in pictures; number 0: none in the name. */
static bl_status keep(job *j, const bl_text *script, const char *name,
                      int64_t number, const char *about)
{
    bl_picture *const p = &j->pictures->picture[j->pictures->n];
    if (j->pictures->n == 0) BL_TRY(bl_folder_create(j->into));
    j->pictures->n++;
    p->about = about;
    if (number > 0)
        (void)snprintf(p->name, sizeof p->name, "%s-%" PRId64, name, number);
    else
        (void)snprintf(p->name, sizeof p->name, "%s", name);
    BL_TRY(join(&p->script, j->into, p->name, "gp"));
    BL_TRY(join(&p->file, j->into, p->name, j->format));
    BL_TRY(script->status);
    return bl_file_write(p->script, script->text, script->bytes);
}

static bl_status reserve(job *j, int64_t n)
{
    return bl_calloc(&j->pictures->picture, n, sizeof *j->pictures->picture);
}

/* ---- a run --------------------------------------------------------------- */

static bl_status draw(job *j, const bl_picture_type *type,
                      const bl_plot_run *run)
{
    bl_text script = {0};
    bl_script_open(&script, j->format, WIDTH, HEIGHT);
    type->draw(&script, run);
    const bl_status status = keep(j, &script, type->name, 0, type->about);
    bl_text_free(&script);
    return status;
}

static bl_status plot_run(job *j)
{
    bl_status status = BL_OK;
    bl_plot_run *run = NULL;
    BL_TRY(bl_plot_run_load(&run, j->folder));
    BL_CHECK(reserve(j, TYPES));
    for (int i = 0; bl_picture_types[i]; i++)
        if (bl_picture_types[i]->wanted(run))
            BL_CHECK(draw(j, bl_picture_types[i], run));
    if (j->pictures->n == 0)
        status = BL_RAISE(BL_EINVAL, "%s: no epoch is closed yet, there is "
                          "nothing to draw", j->folder);
done:
    bl_plot_run_free(run);
    return status;
}

/* ---- a study ------------------------------------------------------------- */

static bl_status draw_column(job *j, const bl_plot_table *table, int64_t c)
{
    bl_text script = {0};
    bl_script_open(&script, j->format, WIDTH,
                   bl_plot_table_height(bl_plot_column_rows(table, c)));
    bl_plot_draw_column(&script, table, c);
    const bl_status status =
        keep(j, &script, "table", table->n_columns > 1 ? c + 1 : 0,
             "errors of one column of the table");
    bl_text_free(&script);
    return status;
}

static bl_status draw_map(job *j, const bl_plot_table *table)
{
    bl_text script = {0};
    bl_script_open(&script, j->format, WIDTH, HEIGHT);
    bl_plot_draw_map(&script, table);
    const bl_status status =
        keep(j, &script, "map", 0, "errors of all rows and columns");
    bl_text_free(&script);
    return status;
}

static bl_status plot_study(job *j)
{
    bl_status status = BL_OK;
    bl_plot_table *table = NULL;
    BL_TRY(bl_plot_table_load(&table, j->folder));
    BL_CHECK(reserve(j, table->n_columns + 1));
    for (int64_t c = 0; c < table->n_columns; c++)
        if (bl_plot_column_rows(table, c) > 0)
            BL_CHECK(draw_column(j, table, c));
    if (j->pictures->n == 0)
        status = BL_RAISE(BL_EINVAL, "%s: no run is finished yet, there is "
                          "nothing to draw", j->folder);
    else if (table->n_rows > 1 && table->n_columns > 1)
        status = draw_map(j, table);
done:
    bl_plot_table_free(table);
    return status;
}

/* ---- either -------------------------------------------------------------- */

/** What makes a run is its run.yaml, what makes a study its table.json. */
static bl_status plot(job *j)
{
    static const struct {
        const char *file;
        bl_status (*plot)(job *);
    } kinds[] = {{"run.yaml", plot_run}, {"table.json", plot_study}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *path = NULL;
        BL_TRY(bl_path_join(&path, j->folder, kinds[i].file));
        const bool found = bl_path_exists(path);
        bl_free(path);
        if (found) return kinds[i].plot(j);
    }
    return BL_RAISE(BL_EIO, "%s: is not the folder of a run or a study",
                    j->folder);
}

bl_status bl_plot(bl_pictures **out, const char *folder, const char *into,
                  const char *format)
{
    bl_pictures *pictures = NULL;
    if (strcmp(format, "svg") != 0 && strcmp(format, "png") != 0)
        return BL_RAISE(BL_EINVAL, "format: \"%s\", wanted svg or png",
                        format);
    BL_TRY(bl_calloc(&pictures, 1, sizeof *pictures));
    job j = {folder, into, format, pictures};
    const bl_status status = plot(&j);
    if (status < 0)
        bl_pictures_free(pictures);
    else
        *out = pictures;
    return status;
}

void bl_pictures_free(bl_pictures *pictures)
{
    if (pictures == NULL) return;
    for (int32_t i = 0; i < pictures->n; i++) {
        bl_free(pictures->picture[i].script);
        bl_free(pictures->picture[i].file);
    }
    bl_free(pictures->picture);
    bl_free(pictures);
}
