/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.c: the table of pictures, and the scripts of one folder.
 */
#include "ballast/plot.h"

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

/** Writes a script and notes it in pictures. */
static bl_status keep(bl_pictures *pictures, const bl_picture_type *type,
                      const bl_text *script, const char *into,
                      const char *format)
{
    bl_picture *const p = &pictures->picture[pictures->n++];
    p->name = type->name;
    p->about = type->about;
    BL_TRY(join(&p->script, into, type->name, "gp"));
    BL_TRY(join(&p->file, into, type->name, format));
    BL_TRY(script->status);
    return bl_file_write(p->script, script->text, script->bytes);
}

static bl_status draw(bl_pictures *pictures, const bl_picture_type *type,
                      const bl_plot_run *run, const char *into,
                      const char *format)
{
    bl_text script = {0};
    bl_script_open(&script, format, WIDTH, HEIGHT);
    type->draw(&script, run);
    const bl_status status = keep(pictures, type, &script, into, format);
    bl_text_free(&script);
    return status;
}

static bl_status plot_run(bl_pictures *pictures, const char *folder,
                          const char *into, const char *format)
{
    bl_status status = BL_OK;
    bl_plot_run *run = NULL;
    BL_TRY(bl_plot_run_load(&run, folder));
    BL_CHECK(bl_calloc(&pictures->picture, TYPES, sizeof *pictures->picture));
    for (int i = 0; bl_picture_types[i]; i++) {
        if (!bl_picture_types[i]->wanted(run)) continue;
        if (pictures->n == 0) BL_CHECK(bl_folder_create(into));
        BL_CHECK(draw(pictures, bl_picture_types[i], run, into, format));
    }
    if (pictures->n == 0)
        status = BL_RAISE(BL_EINVAL, "%s: no epoch is closed yet, there is "
                          "nothing to draw", folder);
done:
    bl_plot_run_free(run);
    return status;
}

/** What makes the folder of a run is its run.yaml. */
static bl_status find_run(const char *folder)
{
    char *path = NULL;
    BL_TRY(bl_path_join(&path, folder, "run.yaml"));
    const bool found = bl_path_exists(path);
    bl_free(path);
    if (found) return BL_OK;
    return BL_RAISE(BL_EIO, "%s: is not the folder of a run", folder);
}

bl_status bl_plot(bl_pictures **out, const char *folder, const char *into,
                  const char *format)
{
    bl_status status = BL_OK;
    bl_pictures *pictures = NULL;
    if (strcmp(format, "svg") != 0 && strcmp(format, "png") != 0)
        return BL_RAISE(BL_EINVAL, "format: \"%s\", wanted svg or png",
                        format);
    BL_TRY(bl_calloc(&pictures, 1, sizeof *pictures));
    BL_CHECK(find_run(folder));
    BL_CHECK(plot_run(pictures, folder, into, format));
    *out = pictures;
    pictures = NULL;
done:
    bl_pictures_free(pictures);
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
