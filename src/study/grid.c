/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid.c: from what a study says to the numbers of its cells.
 *
 * Cells are not stored as settings: there may be 100,000 of them, with 80
 * keys each.  A cell's number is its coordinates in mixed radix, the last
 * axis fastest; for a block that follows another, the other's cell is the
 * slowest digit.  Labels and settings are found by taking the number apart.
 *
 * A caller's changes come first: they say which axes there are and which
 * values these have.  A change of a key that no axis has is set with the
 * strongest origin, so it wins over base, axes, rules and the method's row.
 */
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "study/study.h"

enum { VALUES = 10000 }; /* of an axis; each is compared with the others */

/* ---- changes ------------------------------------------------------------ */

static bool spec_has_axis(const bl_study_spec *spec, const char *name)
{
    for (int b = 0; b < spec->n_blocks; b++) {
        const bl_axis_spec *axis = spec->blocks[b].axes;
        for (; axis != NULL && axis->name != NULL; axis++)
            if (strcmp(axis->name, name) == 0) return true;
    }
    return false;
}

/* May several values of this key be told from one by their commas?  Texts
 * may, where they are names of something. */
static bool splits(const char *key)
{
    static const char *const names[] = {"M", "NAME", "NAME|PATH"};
    const bl_param *const row = bl_param_find(bl_train_params(), key);
    if (row == NULL || row->kind == BL_PARAM_REALS) return false;
    if (row->kind != BL_PARAM_STRING) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(row->metavar, names[i]) == 0) return true;
    return false;
}

/* Does an axis of the study set this key by itself? */
static const char *set_by_axis(const bl_study_spec *spec, const char *key)
{
    const size_t n = strlen(key);
    const bl_variant *v = spec->variants;
    for (; v != NULL && v->axis != NULL; v++)
        for (int i = 0; v->settings[i] != NULL; i++)
            if (strncmp(v->settings[i], key, n) == 0 &&
                v->settings[i][n] == '=' && spec_has_axis(spec, v->axis))
                return v->axis;
    return NULL;
}

static bl_status read_change(bl_change *change, const bl_study *s,
                             const char *text)
{
    const char *const equals = strchr(text, '=');
    if (equals == NULL)
        return BL_RAISE(BL_EINVAL, "\"%.80s\": wanted key=value", text);
    BL_TRY(bl_strdup(&change->key, text));
    change->key[equals - text] = '\0';
    BL_TRY(bl_strdup(&change->value, equals + 1));
    change->axis = spec_has_axis(s->spec, change->key);
    change->adds = !change->axis && splits(change->key) &&
                   strchr(change->value, ',') != NULL;
    if (change->axis) return BL_OK;
    const char *const axis = set_by_axis(s->spec, change->key);
    if (axis != NULL)
        return BL_RAISE(BL_EINVAL, "%s: is set by the axis %s of this study; "
                        "choose among the values of that", change->key, axis);
    if (change->adds) return BL_OK;
    return bl_config_set(s->base, change->key, change->value,
                         BL_ORIGIN_OPTION);
}

/* Reads changes, none of one key twice. */
static bl_status read_changes(bl_study *s, const char *const *changes)
{
    int64_t n = 0;
    while (changes != NULL && changes[n] != NULL) n++;
    BL_TRY(bl_calloc(&s->changes, n, sizeof *s->changes));
    for (s->n_changes = 0; s->n_changes < n;) {
        bl_change *const change = &s->changes[s->n_changes];
        BL_TRY(read_change(change, s, changes[s->n_changes++]));
        for (const bl_change *old = s->changes; old < change; old++)
            if (strcmp(old->key, change->key) == 0)
                return BL_RAISE(BL_EINVAL, "%s: is given twice", old->key);
    }
    return BL_OK;
}

static const bl_change *change_of(const bl_study *s, const char *axis)
{
    for (int64_t i = 0; i < s->n_changes; i++)
        if (s->changes[i].axis && strcmp(s->changes[i].key, axis) == 0)
            return &s->changes[i];
    return NULL;
}

/* ---- axes --------------------------------------------------------------- */

/** An axis that is being filled; only: values it may have, NULL for any. */
typedef struct filling {
    const bl_study *study;
    bl_axis *axis;
    const char *only;
    bl_config *scratch; /* makes labels canonical */
} filling;

static bl_status push_label(bl_axis *axis, const char *label,
                            const bl_variant *variant)
{
    for (int64_t i = 0; i < axis->n; i++)
        if (strcmp(axis->labels[i], label) == 0)
            return BL_RAISE(BL_EINVAL, "\"%.80s\" stands twice", label);
    if (axis->n == VALUES)
        return BL_RAISE(BL_EINVAL, "more than %d values", (int)VALUES);
    BL_TRY(bl_realloc(&axis->labels, axis->n + 1, sizeof *axis->labels));
    BL_TRY(bl_realloc(&axis->variants, axis->n + 1, sizeof *axis->variants));
    BL_TRY(bl_strdup(&axis->labels[axis->n], label));
    axis->variants[axis->n++] = variant;
    return BL_OK;
}

static bl_status raise_variant(const bl_study_spec *spec, const char *axis,
                               const char *label)
{
    const char *names[64] = {NULL};
    int n = 0;
    const bl_variant *v = spec->variants;
    for (; v != NULL && v->axis != NULL && n < 63; v++)
        if (strcmp(v->axis, axis) == 0) names[n++] = v->label;
    const char *const near = bl_nearest(label, names);
    if (near == NULL)
        return BL_RAISE(BL_EINVAL, "no value \"%.80s\"", label);
    return BL_RAISE(BL_EINVAL, "no value \"%.80s\"; the nearest is \"%.80s\"",
                    label, near);
}

/* Is label one of those in a text with commas? */
static bool is_among(const char *label, const char *list)
{
    const size_t n = strlen(label);
    for (const char *at = list;; at++) {
        while (*at == ' ') at++;
        const size_t piece = strcspn(at, ",");
        if (strncmp(at, label, n) == 0 && n <= piece &&
            strspn(at + n, " ") == piece - n)
            return true;
        at += piece;
        if (*at == '\0') return false;
    }
}

static bl_status take_variant(void *payload, const char *label)
{
    const filling *const f = payload;
    const bl_variant *v = f->study->spec->variants;
    for (; v != NULL && v->axis != NULL; v++)
        if (strcmp(v->axis, f->axis->name) == 0 &&
            strcmp(v->label, label) == 0)
            break;
    if (v == NULL || v->axis == NULL)
        return raise_variant(f->study->spec, f->axis->name, label);
    if (f->only != NULL && !is_among(label, f->only)) return BL_OK;
    return push_label(f->axis, label, v);
}

static bl_status take_value(void *payload, const char *label)
{
    const filling *const f = payload;
    const char *const key = f->axis->name;
    BL_TRY(bl_label_set(f->scratch, key, label, BL_ORIGIN_OPTION));
    return push_label(f->axis, bl_config_text(f->scratch, key), NULL);
}

static bool has_variants(const bl_study_spec *spec, const char *axis)
{
    const bl_variant *v = spec->variants;
    for (; v != NULL && v->axis != NULL; v++)
        if (strcmp(v->axis, axis) == 0) return true;
    return false;
}

/* Says that name is no axis, by way of the configuration's own words. */
static bl_status raise_axis(const char *name)
{
    bl_config *config = NULL;
    BL_TRY(bl_train_config(&config));
    const bl_status status = bl_config_set(config, name, "", BL_ORIGIN_FILE);
    bl_config_free(config);
    return status;
}

bl_status bl_axis_check(const char *name)
{
    if (bl_param_find(bl_train_params(), name) == NULL)
        return raise_axis(name);
    if (bl_identity_passes_over(name))
        return BL_RAISE(BL_EINVAL, "%s: no axis, since runs that differ in it "
                        "alone compute the same; set it for all with --set",
                        name);
    return BL_OK;
}

static bl_status fill_axis(bl_axis *axis, const bl_study *s,
                           const bl_axis_spec *spec)
{
    bl_status status = BL_OK;
    const bl_change *const change = change_of(s, spec->name);
    const char *const values = change != NULL ? change->value : spec->values;
    filling f = {.study = s, .axis = axis};
    const bool variants = has_variants(s->spec, spec->name);
    axis->name = spec->name;
    if (!variants) BL_TRY(bl_axis_check(spec->name));
    if (variants) {
        if (change != NULL) f.only = spec->values;
        status = bl_labels_split(values, take_variant, &f);
    } else {
        BL_CHECK(bl_train_config(&f.scratch));
        status = bl_labels_split(values, take_value, &f);
    }
done:
    bl_config_free(f.scratch);
    return status < 0 ? bl_error_prefix("%s", spec->name) : status;
}

/* ---- blocks ------------------------------------------------------------- */

static int64_t count_axes(const bl_axis_spec *axes)
{
    int64_t n = 0;
    while (axes != NULL && axes[n].name != NULL) n++;
    return n;
}

static bl_status add_axis(bl_block *block, const bl_study *s,
                          const bl_axis_spec *spec)
{
    for (int64_t i = 0; i < block->n_axes; i++)
        if (strcmp(block->axes[i].name, spec->name) == 0)
            return BL_RAISE(BL_EINVAL, "%s: an axis twice", spec->name);
    return fill_axis(&block->axes[block->n_axes++], s, spec);
}

static bl_status fill_block(bl_block *block, const bl_study *s)
{
    const bl_block_spec *const spec = block->spec;
    const int64_t n = count_axes(spec->axes);
    BL_TRY(bl_calloc(&block->axes, n + s->n_changes, sizeof *block->axes));
    for (int64_t i = 0; i < n; i++)
        BL_TRY(add_axis(block, s, &spec->axes[i]));
    if (spec->kind != BL_BLOCK_FIRST) return BL_OK;
    for (int64_t i = 0; i < s->n_changes; i++) {
        if (!s->changes[i].adds) continue;
        const bl_axis_spec added = {s->changes[i].key, s->changes[i].value};
        BL_TRY(add_axis(block, s, &added));
    }
    return BL_OK;
}

/* a * b, at most one more than the limit. */
static int64_t product(int64_t a, int64_t b)
{
    const int64_t limit = BL_STUDY_CELLS + 1;
    if (a == 0 || b == 0) return 0;
    return a > limit / b ? limit : a * b;
}

static int64_t axis_find(const bl_block *block, const char *name)
{
    for (int64_t i = 0; i < block->n_axes; i++)
        if (strcmp(block->axes[i].name, name) == 0) return i;
    return -1;
}

static int64_t label_find(const bl_axis *axis, const char *label)
{
    for (int64_t i = 0; i < axis->n; i++)
        if (strcmp(axis->labels[i], label) == 0) return i;
    return -1;
}

/* Of a mean: drops values whose members the parent does not have, and gives
 * how many cells of the parent differ elsewhere than on that axis. */
static int64_t match_members(bl_block *block, const bl_block *parent)
{
    bl_axis *const axis = &block->axes[0];
    const int64_t at = axis_find(parent, axis->name);
    const bl_axis *const theirs = &parent->axes[at];
    int64_t kept = 0;
    for (int64_t i = 0; i < axis->n; i++) {
        const bl_variant *const v = axis->variants[i];
        const bool whole = label_find(theirs, v->settings[0]) >= 0 &&
                           label_find(theirs, v->settings[1]) >= 0;
        char *const label = axis->labels[i];
        axis->labels[i] = axis->labels[kept];
        axis->labels[kept] = label;
        axis->variants[kept] = v;
        kept += whole;
    }
    for (int64_t i = kept; i < axis->n; i++) bl_free(axis->labels[i]);
    axis->n = kept;
    return theirs->n > 0 ? parent->n / theirs->n : 0;
}

static void count_block(bl_block *block, const bl_study *s)
{
    const bl_block_spec *const spec = block->spec;
    int64_t others = 1;
    if (spec->kind == BL_BLOCK_AFTER) others = s->blocks[spec->parent].n;
    if (spec->kind == BL_BLOCK_AVERAGE)
        others = match_members(block, &s->blocks[spec->parent]);
    block->own = 1;
    for (int64_t i = 0; i < block->n_axes; i++)
        block->own = product(block->own, block->axes[i].n);
    block->n = product(others, block->own);
}

static bl_status build_blocks(bl_study *s)
{
    const int64_t n = s->spec->n_blocks;
    BL_TRY(bl_calloc(&s->blocks, n, sizeof *s->blocks));
    for (int64_t b = 0; b < n; b++) {
        bl_block *const block = &s->blocks[b];
        block->spec = &s->spec->blocks[b];
        BL_TRY(fill_block(block, s));
        count_block(block, s);
        block->first = s->n;
        s->n += block->n;
        if (s->n > BL_STUDY_CELLS)
            return BL_RAISE(BL_EINVAL, "more than %d cells",
                            (int)BL_STUDY_CELLS);
    }
    return BL_OK;
}

/* ---- values asked for --------------------------------------------------- */

/** A change of an axis, whose values are looked for in the cells. */
typedef struct asking {
    const bl_study *study;
    const char *axis;
    bl_config *scratch; /* makes labels canonical; NULL for variants */
} asking;

static bool has_cell(const bl_study *s, const char *axis, const char *label)
{
    for (int b = 0; b < s->spec->n_blocks; b++) {
        const bl_block *const block = &s->blocks[b];
        const int64_t a = axis_find(block, axis);
        if (block->n > 0 && a >= 0 && label_find(&block->axes[a], label) >= 0)
            return true;
    }
    return false;
}

/* Has the block the axis, and a place on it for the label? */
static bool has_place(const bl_block *block, const asking *ask,
                      const char *label)
{
    const int64_t a = axis_find(block, ask->axis);
    return a >= 0 && (ask->scratch != NULL ||
                      is_among(label, block->spec->axes[a].values));
}

/* Raises that a label of a mean lacks a member. */
static bl_status raise_members(const asking *ask, const char *label)
{
    const bl_variant *v = ask->study->spec->variants;
    while (strcmp(v->axis, ask->axis) != 0 || strcmp(v->label, label) != 0)
        v++;
    return BL_RAISE(BL_EINVAL, "\"%.80s\" is in no cell, wanted %s=%s,%s "
                    "beside it", label, ask->axis, v->settings[0],
                    v->settings[1]);
}

/* Raises what a label lacks in a block that has a place for it: an axis there,
 * or of the block that it follows, was left without a value. */
static bl_status raise_lacking(const asking *ask, const bl_block *block,
                               const char *label)
{
    if (block->spec->kind == BL_BLOCK_AVERAGE)
        return raise_members(ask, label);
    for (;; block = &ask->study->blocks[block->spec->parent]) {
        for (int64_t a = 0; a < block->n_axes; a++)
            if (block->axes[a].n == 0)
                return BL_RAISE(BL_EINVAL, "\"%.80s\" is in no cell, wanted "
                                "%s=%s beside it", label,
                                block->axes[a].name,
                                block->spec->axes[a].values);
        if (block->spec->kind == BL_BLOCK_FIRST) break;
    }
    return BL_RAISE(BL_EINVAL, "\"%.80s\" is in no cell", label);
}

static bl_status take_asked(void *payload, const char *label)
{
    const asking *const ask = payload;
    const bl_study *const s = ask->study;
    if (ask->scratch != NULL) {
        BL_TRY(bl_label_set(ask->scratch, ask->axis, label,
                            BL_ORIGIN_OPTION));
        label = bl_config_text(ask->scratch, ask->axis);
    }
    if (has_cell(s, ask->axis, label)) return BL_OK;
    for (int b = 0; b < s->spec->n_blocks; b++)
        if (has_place(&s->blocks[b], ask, label))
            return raise_lacking(ask, &s->blocks[b], label);
    return BL_RAISE(BL_EINVAL, "\"%.80s\" is no value that this study has "
                    "there", label);
}

/* Whoever asks for a value expects it in the table. */
static bl_status check_change(const bl_study *s, const bl_change *change)
{
    asking ask = {.study = s, .axis = change->key};
    if (!has_variants(s->spec, change->key))
        BL_TRY(bl_train_config(&ask.scratch));
    const bl_status status =
        bl_labels_split(change->value, take_asked, &ask);
    bl_config_free(ask.scratch);
    return status < 0 ? bl_error_prefix("%s", change->key) : status;
}

static bl_status check_changes(const bl_study *s)
{
    for (int64_t i = 0; i < s->n_changes; i++)
        if (s->changes[i].axis) BL_TRY(check_change(s, &s->changes[i]));
    if (s->n == 0) return BL_RAISE(BL_EINVAL, "no cell is left");
    return BL_OK;
}

/* ---- all of it ---------------------------------------------------------- */

/* Names of all axes, in the order in which blocks bring them. */
static bl_status name_axes(bl_study *s)
{
    int64_t room = 0;
    for (int b = 0; b < s->spec->n_blocks; b++) room += s->blocks[b].n_axes;
    BL_TRY(bl_calloc(&s->axes, room, sizeof *s->axes));
    for (int b = 0; b < s->spec->n_blocks; b++) {
        for (int64_t i = 0; i < s->blocks[b].n_axes; i++) {
            const char *const name = s->blocks[b].axes[i].name;
            int64_t k = 0;
            while (k < s->n_axes && strcmp(s->axes[k], name) != 0) k++;
            if (k == s->n_axes) s->axes[s->n_axes++] = name;
        }
    }
    return BL_OK;
}

/* The axis asked for, or the first that is not the seed. */
static bl_status choose_rows(bl_study *s)
{
    s->rows = s->spec->rows;
    for (int64_t i = 0; i < s->n_axes && s->rows == NULL; i++)
        if (strcmp(s->axes[i], "seed") != 0) s->rows = s->axes[i];
    if (s->rows == NULL) s->rows = "method";
    for (int64_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axes[i], s->rows) == 0) return BL_OK;
    if (bl_param_find(bl_train_params(), s->rows) != NULL) return BL_OK;
    const bl_status status = raise_axis(s->rows);
    return status < 0 ? bl_error_prefix("rows") : status;
}

bl_status bl_grid_build(bl_study *s, const char *const *changes)
{
    BL_TRY(bl_train_config(&s->base));
    BL_TRY(read_changes(s, changes));
    BL_TRY(build_blocks(s));
    BL_TRY(check_changes(s));
    BL_TRY(name_axes(s));
    return choose_rows(s);
}

static void free_block(bl_block *block)
{
    for (int64_t i = 0; i < block->n_axes; i++) {
        bl_axis *const axis = &block->axes[i];
        for (int64_t k = 0; k < axis->n; k++) bl_free(axis->labels[k]);
        bl_free(axis->labels);
        bl_free(axis->variants);
    }
    bl_free(block->axes);
}

void bl_grid_free(bl_study *s)
{
    for (int b = 0; s->blocks != NULL && b < s->spec->n_blocks; b++)
        free_block(&s->blocks[b]);
    for (int64_t i = 0; i < s->n_changes; i++) {
        bl_free(s->changes[i].key);
        bl_free(s->changes[i].value);
    }
    bl_free(s->changes);
    bl_free(s->blocks);
    bl_free(s->axes);
    bl_config_free(s->base);
}

/* ---- coordinates -------------------------------------------------------- */

static const bl_block *block_of(const bl_study *s, int64_t i)
{
    int b = 0;
    while (i >= s->blocks[b].first + s->blocks[b].n) b++;
    return &s->blocks[b];
}

/* Where cell k of a block stands on its axis a. */
static int64_t place(const bl_block *block, int64_t k, int64_t a)
{
    for (int64_t i = block->n_axes - 1; i > a; i--) k /= block->axes[i].n;
    return k % block->axes[a].n;
}

/* Of a mean: cell of the parent that is its member. */
static int64_t member(const bl_study *s, const bl_block *block, int64_t k,
                      int which)
{
    const bl_block *const parent = &s->blocks[block->spec->parent];
    const bl_axis *const axis = &block->axes[0];
    const bl_variant *const v = axis->variants[k % block->own];
    const int64_t at = axis_find(parent, axis->name);
    int64_t rest = k / block->own, cell = 0, radix = 1;
    for (int64_t i = parent->n_axes - 1; i >= 0; i--) {
        const bl_axis *const theirs = &parent->axes[i];
        if (i == at) {
            cell += radix * label_find(theirs, v->settings[which]);
        } else {
            cell += radix * (rest % theirs->n);
            rest /= theirs->n;
        }
        radix *= theirs->n;
    }
    return cell;
}

static const char *block_label(const bl_study *s, const bl_block *block,
                               int64_t k, const char *name)
{
    const int64_t a = axis_find(block, name);
    if (a >= 0) return block->axes[a].labels[place(block, k, a)];
    if (block->spec->kind == BL_BLOCK_FIRST) return NULL;
    const bl_block *const parent = &s->blocks[block->spec->parent];
    if (block->spec->kind == BL_BLOCK_AVERAGE)
        return block_label(s, parent, member(s, block, k, 0), name);
    return block_label(s, parent, k / block->own, name);
}

const char *bl_grid_label(const bl_study *s, int64_t i, const char *axis)
{
    const bl_block *const block = block_of(s, i);
    return block_label(s, block, i - block->first, axis);
}

bool bl_grid_averages(const bl_study *s, int64_t i)
{
    return block_of(s, i)->spec->kind == BL_BLOCK_AVERAGE;
}

void bl_grid_needs(int64_t needs[2], const bl_study *s, int64_t i)
{
    const bl_block *const block = block_of(s, i);
    const int64_t k = i - block->first;
    needs[0] = needs[1] = -1;
    if (block->spec->kind == BL_BLOCK_FIRST) return;
    const int64_t first = s->blocks[block->spec->parent].first;
    if (block->spec->kind == BL_BLOCK_AFTER) {
        needs[0] = first + k / block->own;
        return;
    }
    for (int m = 0; m < 2; m++) needs[m] = first + member(s, block, k, m);
}

/* ---- settings ----------------------------------------------------------- */

static bl_status assign_all(bl_config *config, const char *const *settings)
{
    for (; settings != NULL && *settings != NULL; settings++)
        BL_TRY(bl_config_assign(config, *settings, BL_ORIGIN_FILE));
    return BL_OK;
}

static bl_status apply_block(bl_config *config, const bl_study *s,
                             const bl_block *block, int64_t k, bl_axes which)
{
    const int64_t n = which == BL_AXES_OWN ? count_axes(block->spec->axes)
                                           : block->n_axes;
    if (block->spec->kind != BL_BLOCK_FIRST) {
        const bl_block *const parent = &s->blocks[block->spec->parent];
        const bool mean = block->spec->kind == BL_BLOCK_AVERAGE;
        BL_TRY(apply_block(config, s, parent, mean ? member(s, block, k, 0)
                                                   : k / block->own, which));
        if (mean) return BL_OK;
    }
    BL_TRY(assign_all(config, block->spec->base));
    for (int64_t a = 0; a < n; a++) {
        const bl_axis *const axis = &block->axes[a];
        const int64_t at = place(block, k, a);
        if (axis->variants[at] != NULL)
            BL_TRY(assign_all(config, axis->variants[at]->settings));
        else
            BL_TRY(bl_label_set(config, axis->name, axis->labels[at],
                                BL_ORIGIN_FILE));
    }
    return BL_OK;
}

bl_status bl_grid_apply(bl_config *config, const bl_study *s, int64_t i,
                        bl_axes which)
{
    const bl_block *const block = block_of(s, i);
    BL_TRY(apply_block(config, s, block, i - block->first, which));
    const bl_rule *rule = s->spec->rules;
    for (; rule != NULL && rule->when != NULL; rule++)
        if (bl_grid_fits(s, i, config, rule->when))
            BL_TRY(assign_all(config, rule->settings));
    return BL_OK;
}

/* Does the cell fit one "name=value" of n bytes? */
static bool fits_one(const bl_study *s, int64_t i, const bl_config *config,
                     const char *condition, size_t n)
{
    char name[64];
    const char *const equals = memchr(condition, '=', n);
    if (equals == NULL || (size_t)(equals - condition) >= sizeof name)
        return false;
    const size_t bytes = (size_t)(equals - condition);
    memcpy(name, condition, bytes);
    name[bytes] = '\0';
    const char *found = bl_grid_label(s, i, name);
    if (found == NULL && bl_param_find(bl_train_params(), name) != NULL)
        found = bl_config_text(config, name);
    if (found == NULL) found = "";
    return strlen(found) == n - bytes - 1 &&
           memcmp(found, equals + 1, n - bytes - 1) == 0;
}

bool bl_grid_fits(const bl_study *s, int64_t i, const bl_config *config,
                  const char *when)
{
    for (const char *at = when; *at != '\0';) {
        const size_t n = strcspn(at, " ");
        if (!fits_one(s, i, config, at, n)) return false;
        at += n;
        at += strspn(at, " ");
    }
    return true;
}
