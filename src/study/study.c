/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study.c: opens a study and hands out its cells.
 *
 * Every cell is settled and named when the study is opened, so that a wrong
 * key or method in the last cell is found before the first is trained.
 */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "study/study.h"

/* ---- opening ------------------------------------------------------------ */

static bl_status raise_unknown(const char *name)
{
    const char *names[64] = {NULL};
    const bl_study_type *const *types = bl_study_types();
    for (int i = 0; types[i] != NULL && i < 63; i++) names[i] = types[i]->name;
    const char *const near = bl_nearest(name, names);
    if (near != NULL)
        return BL_RAISE(BL_EINVAL, "no study \"%.80s\"; the nearest is \"%s\"",
                        name, near);
    return BL_RAISE(BL_EINVAL, "no study \"%.80s\", and no such file; see "
                    "ballast list studies", name);
}

/* A name first; what is none is a file, by its looks or because it is there. */
static bl_status find_spec(bl_study *s, const char *name_or_path)
{
    s->spec = bl_study_spec_find(name_or_path);
    if (s->spec != NULL) return BL_OK;
    if (strpbrk(name_or_path, "/.") == NULL && !bl_path_exists(name_or_path))
        return raise_unknown(name_or_path);
    BL_TRY(bl_study_file_read(&s->file, name_or_path));
    s->spec = bl_study_file_spec(s->file);
    return BL_OK;
}

/* Gives a text to the caller, or frees what there is of it. */
static bl_status hand_over(char **out, bl_text *text)
{
    const bl_status status = text->status;
    if (status < 0)
        bl_text_free(text);
    else
        *out = text->text;
    return status;
}

/* Adds the label on one axis, where the cell has it. */
static void add_label(bl_text *text, const bl_study *s, int64_t i,
                      const char *axis, const char *before)
{
    const char *const label = bl_grid_label(s, i, axis);
    if (label != NULL)
        bl_text_printf(text, "%s%s%s", text->bytes > 0 ? ", " : "", before,
                       label);
}

/* "bbn, cifar10, 100, seed 0": its place on every axis, the seed last. */
static bl_status make_label(char **out, const bl_study *s, int64_t i)
{
    bl_text text = {0};
    bl_text_add(&text, "", 0);
    for (int64_t a = 0; a < s->n_axes; a++)
        if (strcmp(s->axes[a], "seed") != 0)
            add_label(&text, s, i, s->axes[a], "");
    add_label(&text, s, i, "seed", "seed ");
    return hand_over(out, &text);
}

/* The name of a mean: the names of its members tell it from every other. */
static bl_status average_name(char **out, const bl_study *s, int64_t i)
{
    int64_t needs[2];
    bl_text text = {0};
    bl_grid_needs(needs, s, i);
    bl_text_add(&text, "mean", 4);
    for (int m = 0; m < 2; m++) {
        const char *const name = s->records[needs[m]].name;
        const size_t n = strlen(name);
        const char *const hash = n > 16 ? name + n - 16 : name;
        bl_text_printf(&text, "-%s", hash);
    }
    return hand_over(out, &text);
}

/* Who chooses the best epoch of a run. */
static bl_chooser chooser_of(const bl_config *config)
{
    if (strcmp(bl_config_string(config, "posthoc"), "none") != 0)
        return BL_CHOSEN_NOT;
    return bl_config_real(config, "holdout") > 0 ? BL_CHOSEN_HELD
                                                 : BL_CHOSEN_TEST;
}

/* DIR/cells/NAME. */
static bl_status place_cell(char **out, const bl_study *s, const char *name)
{
    bl_text text = {0};
    if (s->folder != NULL)
        bl_text_printf(&text, "%s/cells/", s->folder);
    bl_text_add(&text, name, strlen(name));
    return hand_over(out, &text);
}

/* Earlier versions counted every key in a name, read or not; what is there
 * under such a name is that run, and is found. */
static bl_status name_run(char **out, const bl_study *s,
                          const bl_cell_readers *cell, const char *parent)
{
    bl_status status = BL_OK;
    char *name = NULL, *earlier = NULL, *path = NULL;
    BL_CHECK(bl_cell_name(&name, cell->config, parent, cell->all));
    BL_CHECK(bl_cell_name(&earlier, cell->config, parent, NULL));
    BL_CHECK(place_cell(&path, s, earlier));
    char **const taken =
        s->folder != NULL && bl_path_exists(path) ? &earlier : &name;
    *out = *taken;
    *taken = NULL;
done:
    bl_free(path);
    bl_free(earlier);
    bl_free(name);
    return status;
}

static bl_status name_cell(char **out, const bl_study *s, int64_t i)
{
    bl_cell_readers readers = {0};
    bl_cell *const cell = &s->records[i].cell;
    int64_t needs[2];
    bl_grid_needs(needs, s, i);
    if (bl_grid_averages(s, i)) {
        cell->chooser = s->records[needs[0]].cell.chooser;
        return average_name(out, s, i);
    }
    bl_status status = bl_cell_readers_make(&readers, s, i);
    if (status >= 0) {
        cell->epochs = bl_cell_epochs(readers.config);
        cell->chooser = chooser_of(readers.config);
        status = name_run(out, s, &readers, needs[0] >= 0
                                                ? s->records[needs[0]].name
                                                : NULL);
    }
    bl_cell_readers_drop(&readers);
    return status;
}

static bl_status open_cell(bl_study *s, int64_t i)
{
    bl_cell_record *const record = &s->records[i];
    char *name = NULL;
    BL_TRY(make_label(&record->label, s, i));
    record->cell.label = record->label;
    record->cell.average = bl_grid_averages(s, i);
    bl_grid_needs(record->cell.needs, s, i);
    bl_status status = name_cell(&name, s, i);
    if (status < 0) return bl_error_prefix("cell %s", record->label);
    status = place_cell(&record->folder, s, name);
    if (status >= 0) {
        const size_t bytes = strlen(record->folder);
        record->name = record->folder + bytes - strlen(name);
        record->cell.folder = record->folder;
        status = bl_cell_look(s, i);
    }
    bl_free(name);
    return status;
}

/* Where cell i stands: its label on every axis. */
static bl_status add_place(bl_text *place, const bl_study *s, int64_t i)
{
    bl_text_add(place, "", 0);
    for (int64_t a = 0; a < s->n_axes; a++) {
        const char *const label = bl_grid_label(s, i, s->axes[a]);
        bl_text_printf(place, "%s\n", label != NULL ? label : "");
    }
    return place->status;
}

/* Two cells in one place would be taken for two seeds of one. */
static bl_status check_place(bl_numbering *all, const bl_study *s, int64_t i)
{
    bl_text place = {0};
    int64_t number = 0;
    bl_status status = add_place(&place, s, i);
    if (status >= 0) status = bl_numbering_of(&number, all, place.text);
    bl_text_free(&place);
    if (status >= 0 && number != i)
        return BL_RAISE(BL_EINVAL, "cell %s stands twice; \"then\" needs an "
                        "axis that the grid does not have",
                        s->records[i].label);
    return status;
}

static bl_status check_places(const bl_study *s)
{
    bl_numbering all = {0};
    bl_status status = bl_numbering_make(&all, s->n);
    for (int64_t i = 0; i < s->n && status >= 0; i++)
        status = check_place(&all, s, i);
    bl_numbering_drop(&all);
    return status;
}

/* Cells of one folder are one run. */
static bl_status find_first(bl_study *s)
{
    bl_status status = BL_OK;
    bl_numbering folders = {0};
    int64_t *first = NULL; // [folders.n]
    BL_CHECK(bl_calloc(&first, s->n, sizeof *first));
    BL_CHECK(bl_numbering_make(&folders, s->n));
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t known = folders.n;
        int64_t number = 0;
        BL_CHECK(bl_numbering_of(&number, &folders, s->records[i].folder));
        if (number == known) first[number] = i;
        s->records[i].cell.first = first[number];
    }
done:
    bl_numbering_drop(&folders);
    bl_free(first);
    return status;
}

static bl_status build(bl_study *s, const char *const *changes)
{
    BL_TRY(bl_grid_build(s, changes));
    BL_TRY(bl_calloc(&s->records, s->n, sizeof *s->records));
    for (int64_t i = 0; i < s->n; i++) BL_TRY(open_cell(s, i));
    BL_TRY(find_first(s));
    return check_places(s);
}

bl_status bl_study_open(bl_study **out, const char *name_or_path,
                        const char *folder, const char *const *changes)
{
    bl_status status = BL_OK;
    bl_study *s = NULL;
    BL_TRY(bl_calloc(&s, 1, sizeof *s));
    BL_CHECK(bl_strdup(&s->folder, folder));
    BL_CHECK(find_spec(s, name_or_path));
    BL_CHECK(build(s, changes));
    *out = s;
    s = NULL;
done:
    /* A study's file says for itself where it is wrong; what its parts make
     * together has no line, only a name. */
    if (status < 0 && s != NULL && s->spec != NULL)
        status = bl_error_prefix("%s", name_or_path);
    bl_study_free(s);
    return status;
}

void bl_study_free(bl_study *s)
{
    if (s == NULL) return;
    for (int64_t i = 0; s->records != NULL && i < s->n; i++) {
        bl_free(s->records[i].label);
        bl_free(s->records[i].folder);
        bl_free(s->records[i].problem);
        bl_cell_forget_images(&s->records[i]);
    }
    bl_free(s->records);
    bl_grid_free(s);
    bl_study_file_free(s->file);
    bl_free(s->folder);
    bl_free(s);
}

/* ---- what there is ------------------------------------------------------ */

const char *bl_study_name(const bl_study *study)
{
    return study->spec->type.name;
}

const bl_study_type *bl_study_row(const bl_study *study)
{
    return study->file == NULL ? &study->spec->type : NULL;
}

const char *bl_study_folder(const bl_study *study)
{
    return study->folder;
}

const char *bl_cell_state_name(bl_cell_state state)
{
    static const char *const names[] = {"missing", "begun", "finished",
                                        "broken"};
    return names[state];
}

int64_t bl_study_cells(const bl_study *study)
{
    return study->n;
}

const bl_cell *bl_study_cell_at(const bl_study *study, int64_t i)
{
    return &study->records[i].cell;
}

bl_status bl_study_look(bl_study *study, int64_t i)
{
    return bl_cell_look(study, i);
}

/* ---- configurations and trainers ---------------------------------------- */

/* A cell that follows another begins with its last weights; this wins over
 * whatever a caller set, for it is what the study is about. */
static bl_status set_weights(bl_config *config, const bl_study *s, int64_t i)
{
    int64_t needs[2];
    char *path = NULL;
    bl_grid_needs(needs, s, i);
    if (needs[0] < 0 || bl_grid_averages(s, i)) return BL_OK;
    BL_TRY(bl_path_join(&path, s->records[needs[0]].folder,
                        "last.safetensors"));
    const bl_status status =
        bl_config_set(config, "init.weights", path, BL_ORIGIN_OPTION);
    bl_free(path);
    return status;
}

bl_status bl_study_config(bl_config **out, const bl_study *study, int64_t i)
{
    bl_status status = BL_OK;
    bl_config *config = NULL;
    BL_TRY(bl_config_clone(&config, study->base));
    BL_CHECK(bl_grid_apply(config, study, i, BL_AXES_ALL));
    BL_CHECK(set_weights(config, study, i));
    BL_CHECK(bl_train_settle(config));
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    return status;
}

/* The configuration of cell i as its study has it, with what a published
 * figure leaves to its reader taken from config. */
static bl_status config_as_published(bl_config **out, const bl_study *s,
                                     int64_t i, const bl_config *config)
{
    static const char *const open[] = {"data", "imbalance", "seed", "epochs",
                                       "precision", "backend"};
    bl_status status = BL_OK;
    bl_config *made = NULL;
    BL_TRY(bl_train_config(&made));
    for (size_t k = 0; k < sizeof open / sizeof *open; k++)
        BL_CHECK(bl_config_set(made, open[k], bl_config_text(config, open[k]),
                               BL_ORIGIN_OPTION));
    BL_CHECK(bl_grid_apply(made, s, i, BL_AXES_OWN));
    BL_CHECK(set_weights(made, s, i));
    BL_CHECK(bl_train_settle(made));
    *out = made;
    made = NULL;
done:
    bl_config_free(made);
    return status;
}

static bl_status repeats_itself(bool *out, const bl_study *study, int64_t i,
                                const bl_config *config)
{
    char theirs[BL_IDENTITY_ROOM], ours[BL_IDENTITY_ROOM];
    bl_config *published = NULL;
    BL_TRY(config_as_published(&published, study, i, config));
    const bl_config *const they[] = {published, NULL};
    const bl_config *const we[] = {config, NULL};
    bl_status status = bl_identity_hash(theirs, published, NULL, they);
    if (status >= 0) status = bl_identity_hash(ours, config, NULL, we);
    if (status >= 0) *out = strcmp(theirs, ours) == 0;
    bl_config_free(published);
    return status;
}

/* A second stage is as changed as its first, whose keys it does not read. */
bl_status bl_study_repeats(bool *out, const bl_study *study, int64_t i,
                           const bl_config *config)
{
    const bl_cell *const cell = &study->records[i].cell;
    BL_TRY(repeats_itself(out, study, i, config));
    for (int m = 0; m < 2 && *out; m++) {
        bl_config *other = NULL;
        if (cell->needs[m] < 0) continue;
        BL_TRY(bl_study_config(&other, study, cell->needs[m]));
        const bl_status status =
            bl_study_repeats(out, study, cell->needs[m], other);
        bl_config_free(other);
        BL_TRY(status);
    }
    return BL_OK;
}

/* A follow-up of which nothing is kept yet is made anew: its run.yaml names
 * weights where the parent lay, which may be somewhere else by now.  What
 * came to be there since the last look is another process's. */
static bl_status create(bl_trainer **out, const bl_study *study, int64_t i,
                        const bl_dataset *data, bl_trainer_options with)
{
    const bl_cell *const cell = &study->records[i].cell;
    bl_config *config = NULL;
    with.overwrite = cell->anew ? BL_OVERWRITE_BEGUN : BL_OVERWRITE_NONE;
    BL_TRY(bl_study_config(&config, study, i));
    const bl_status status = bl_trainer_create(out, config, data, &with);
    bl_config_free(config);
    if (status == BL_EEXIST)
        return BL_RAISE(BL_EBUSY, "%s: another process has begun a run there",
                        cell->folder);
    return status;
}

static bl_status check_needs(const bl_study *s, int64_t i)
{
    const bl_cell *const cell = &s->records[i].cell;
    for (int m = 0; m < 2; m++) {
        if (cell->needs[m] < 0) continue;
        const bl_cell *const other = &s->records[cell->needs[m]].cell;
        if (other->state != BL_CELL_FINISHED)
            return BL_RAISE(BL_EINVAL, "cell %s: needs cell %s, which is not "
                            "finished", cell->label, other->label);
    }
    return BL_OK;
}

bl_status bl_study_trainer(bl_trainer **out, const bl_study *study, int64_t i,
                           const bl_dataset *data,
                           const bl_trainer_options *options)
{
    const bl_cell *const cell = &study->records[i].cell;
    bl_trainer_options with = *options;
    with.run_dir = cell->folder;
    with.overwrite = BL_OVERWRITE_NONE;
    if (cell->average || study->folder == NULL)
        return BL_RAISE(BL_EINVAL, "cell %s: there is nothing to train",
                        cell->label);
    if (cell->state == BL_CELL_BROKEN)
        return BL_RAISE(BL_EEXIST, "%s", cell->problem);
    if (cell->state == BL_CELL_FINISHED)
        return BL_RAISE(BL_EEXIST, "cell %s: is finished", cell->label);
    BL_TRY(check_needs(study, i));
    if (cell->state == BL_CELL_BEGUN && !cell->anew)
        return bl_trainer_resume(out, data, &with);
    return create(out, study, i, data, with);
}
