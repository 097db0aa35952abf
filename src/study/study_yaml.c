/* SPDX-License-Identifier: Apache-2.0 */
/*
 * study_yaml.c: a study from a file.
 *
 *     name: my-study
 *     base: {data: cifar10, imbalance: 100}
 *     variants:                    # axes whose values set several keys
 *       recipe:
 *         short: {epochs: 50, lr: 0.2}
 *         long: {epochs: 200}
 *     grid: {method: [ce, bbn], recipe: [short, long], seed: [0, 1]}
 *     then:                        # after each cell, from its last weights
 *       base: {method: crt}
 *       grid: {stage2.lr: [0.1, 0.2]}
 *     rows: method
 *
 * The reader of configurations gives dotted keys; a prefix says where one
 * belongs.  Keys of training are set in a scratch configuration on the way,
 * so a wrong one is refused with its line.  What is kept is the same text
 * that named studies are written in.
 */
#include <string.h>

#include "core/config_yaml.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "study/study.h"
#include "train/stage.h"

enum { FIRST, THEN, PARTS };

struct bl_study_file {
    bl_study_spec spec;
    bl_block_spec blocks[PARTS];
    char **texts;              /* [n_texts], all memory of the tables      */
    int64_t n_texts;
    const char **base[PARTS];  /* [n_base], and NULL                       */
    int64_t n_base[PARTS];
    bl_axis_spec *axes[PARTS]; /* [n_axes], and an empty one               */
    int64_t n_axes[PARTS];
    bl_variant *variants;      /* [n_variants], and an empty one           */
    int64_t n_variants;
};

/** A file at work: its variants are read first, for axes may have their
 *  names. */
typedef struct reading {
    bl_study_file *file;
    bl_config *scratch;
    bool variants;
} reading;

/* ---- tables that grow --------------------------------------------------- */

/* Takes over text. */
static bl_status keep(const char **out, bl_study_file *f, bl_text *text)
{
    bl_text_add(text, "", 0);
    bl_status status = text->status;
    if (status >= 0)
        status = bl_realloc(&f->texts, f->n_texts + 1, sizeof *f->texts);
    if (status < 0) {
        bl_text_free(text);
        return status;
    }
    f->texts[f->n_texts++] = text->text;
    *out = text->text;
    return BL_OK;
}

static bl_status keep_copy(const char **out, bl_study_file *f,
                           const char *bytes, size_t n)
{
    bl_text text = {0};
    bl_text_add(&text, bytes, n);
    return keep(out, f, &text);
}

static bl_status keep_setting(const char **out, bl_study_file *f,
                              const char *key, const char *value)
{
    bl_text text = {0};
    bl_text_printf(&text, "%s=%s", key, value);
    return keep(out, f, &text);
}

/* ---- values ------------------------------------------------------------- */

/* Checks a key and value of training. */
static bl_status check_value(const reading *r, const char *key,
                             const char *text, int list)
{
    const bl_param *const row = bl_param_find(bl_train_params(), key);
    if (list && row != NULL && row->kind != BL_PARAM_REALS)
        return BL_RAISE(BL_EINVAL, "%s: found a list, wanted one value; "
                        "several belong under grid", key);
    BL_TRY(bl_config_set(r->scratch, key, text, BL_ORIGIN_OPTION));
    return bl_train_check_name(r->scratch, key);
}

static bl_status add_base(const reading *r, int part, const char *key,
                          const char *text, int list)
{
    bl_study_file *const f = r->file;
    const int64_t n = f->n_base[part];
    BL_TRY(check_value(r, key, text, list));
    BL_TRY(bl_realloc(&f->base[part], n + 2, sizeof *f->base[part]));
    BL_TRY(keep_setting(&f->base[part][n], f, key, text));
    f->base[part][n + 1] = NULL;
    f->n_base[part]++;
    return BL_OK;
}

typedef struct checking {
    const reading *reading;
    const char *key;
} checking;

static bl_status check_label(void *payload, const char *label)
{
    const checking *const c = payload;
    bl_config *const scratch = c->reading->scratch;
    BL_TRY(bl_label_set(scratch, c->key, label, BL_ORIGIN_OPTION));
    return bl_train_check_name(scratch, c->key);
}

static bl_status check_any(void *payload, const char *label)
{
    (void)payload;
    (void)label;
    return BL_OK;
}

static bool is_variant(const bl_study_file *f, const char *axis)
{
    for (int64_t i = 0; i < f->n_variants; i++)
        if (strcmp(f->variants[i].axis, axis) == 0) return true;
    return false;
}

static bl_status add_axis(const reading *r, int part, const char *name,
                          const char *text)
{
    bl_study_file *const f = r->file;
    const int64_t n = f->n_axes[part];
    checking c = {r, name};
    const bool variant = is_variant(f, name);
    BL_TRY(bl_label_check(name));
    if (!variant) BL_TRY(bl_axis_check(name));
    if (bl_labels_split(text, variant ? check_any : check_label, &c) < 0)
        return bl_error_prefix("%s", name);
    BL_TRY(bl_realloc(&f->axes[part], n + 2, sizeof *f->axes[part]));
    memset(&f->axes[part][n], 0, 2 * sizeof *f->axes[part]);
    BL_TRY(keep_copy(&f->axes[part][n].values, f, text, strlen(text)));
    BL_TRY(keep_copy(&f->axes[part][n].name, f, name, strlen(name)));
    f->n_axes[part]++;
    return BL_OK;
}

/* The variant axis.label, made if it is new. */
static bl_status find_variant(bl_variant **out, bl_study_file *f,
                              const char *axis, size_t axis_bytes,
                              const char *label, size_t label_bytes)
{
    for (int64_t i = 0; i < f->n_variants; i++) {
        *out = &f->variants[i];
        if (strlen((*out)->axis) == axis_bytes &&
            memcmp((*out)->axis, axis, axis_bytes) == 0 &&
            strlen((*out)->label) == label_bytes &&
            memcmp((*out)->label, label, label_bytes) == 0)
            return BL_OK;
    }
    const int64_t n = f->n_variants;
    BL_TRY(bl_realloc(&f->variants, n + 2, sizeof *f->variants));
    memset(&f->variants[n], 0, 2 * sizeof *f->variants);
    BL_TRY(keep_copy(&f->variants[n].label, f, label, label_bytes));
    BL_TRY(keep_copy(&f->variants[n].axis, f, axis, axis_bytes));
    f->n_variants++;
    *out = &f->variants[n];
    return BL_OK;
}

/* rest is "AXIS.LABEL.KEY", KEY with dots of its own. */
static bl_status add_variant(const reading *r, const char *rest,
                             const char *text, int list)
{
    bl_variant *v = NULL;
    int n = 0;
    const char *const first = strchr(rest, '.');
    const char *const second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (second == NULL)
        return BL_RAISE(BL_EFORMAT, "variants: found a value, wanted AXIS: "
                        "{VALUE: {key: value}}");
    const size_t axis_bytes = (size_t)(first - rest);
    BL_TRY(check_value(r, second + 1, text, list));
    BL_TRY(find_variant(&v, r->file, rest, axis_bytes, first + 1,
                        (size_t)(second - first - 1)));
    if (bl_param_find(bl_train_params(), v->axis) != NULL)
        return BL_RAISE(BL_EINVAL, "variants: %s is a key of training, wanted "
                        "a name of your own", v->axis);
    if (strchr(v->label, ',') != NULL)
        return BL_RAISE(BL_EINVAL, "variants: \"%.80s\" holds a comma",
                        v->label);
    while (v->settings[n] != NULL) n++;
    if (n == BL_VARIANT_SETTINGS)
        return BL_RAISE(BL_EINVAL, "variants: %s.%s sets more than %d keys",
                        v->axis, v->label, (int)BL_VARIANT_SETTINGS);
    return keep_setting(&v->settings[n], r->file, second + 1, text);
}

/* ---- keys of the file --------------------------------------------------- */

static bl_status take_name(const reading *r, const char *rest,
                           const char *text, int list)
{
    (void)rest;
    (void)list;
    if (*text == '\0') return BL_RAISE(BL_EINVAL, "name: is empty");
    if (bl_label_check(text) < 0) return bl_error_prefix("name");
    return keep_copy(&r->file->spec.type.name, r->file, text, strlen(text));
}

static bl_status take_rows(const reading *r, const char *rest,
                           const char *text, int list)
{
    (void)rest;
    if (list || *text == '\0')
        return BL_RAISE(BL_EINVAL, "rows: wanted the name of one axis");
    return keep_copy(&r->file->spec.rows, r->file, text, strlen(text));
}

static bl_status take_base(const reading *r, const char *rest,
                           const char *text, int list)
{
    return add_base(r, FIRST, rest, text, list);
}

static bl_status take_grid(const reading *r, const char *rest,
                           const char *text, int list)
{
    (void)list;
    return add_axis(r, FIRST, rest, text);
}

static bl_status take_then_base(const reading *r, const char *rest,
                                const char *text, int list)
{
    return add_base(r, THEN, rest, text, list);
}

static bl_status take_then_grid(const reading *r, const char *rest,
                                const char *text, int list)
{
    (void)list;
    return add_axis(r, THEN, rest, text);
}

static bl_status take_variants(const reading *r, const char *rest,
                               const char *text, int list)
{
    return add_variant(r, rest, text, list);
}

static const struct part {
    const char *prefix; /* ends with a dot where keys follow */
    bl_status (*take)(const reading *r, const char *rest, const char *text,
                      int list);
} parts[] = {
    {"name", take_name},
    {"rows", take_rows},
    {"base.", take_base},
    {"grid.", take_grid},
    {"then.base.", take_then_base},
    {"then.grid.", take_then_grid},
    {"variants.", take_variants},
};

static const char *const known[] = {"name", "rows", "base", "grid", "then",
                                    "variants", NULL};
static const char *const known_then[] = {"base", "grid", NULL};

static bl_status raise_key(const char *key, int list)
{
    char word[64];
    const bool then = strncmp(key, "then.", 5) == 0;
    const char *const at = then ? key + 5 : key;
    const size_t n = strcspn(at, ".");
    const char *const *const names = then ? known_then : known;
    const size_t bytes = n < sizeof word ? n : sizeof word - 1;
    memcpy(word, at, bytes);
    word[bytes] = '\0';
    const char *const near = bl_nearest(word, names);
    if (near != NULL && strcmp(near, word) == 0)
        return BL_RAISE(BL_EFORMAT, "%s: found a %s, wanted a mapping of "
                        "keys", word, list ? "list" : "value");
    if (near != NULL)
        return BL_RAISE(BL_EINVAL, "unknown key \"%s\" of a study; the "
                        "nearest is \"%s\"", word, near);
    return BL_RAISE(BL_EINVAL, "unknown key \"%s\" of a study, wanted one of "
                    "name, rows, base, grid, then, variants", word);
}

static bl_status take_leaf(void *payload, const char *key, const char *text,
                           int list)
{
    const reading *const r = payload;
    if ((strncmp(key, "variants.", 9) == 0) != r->variants) return BL_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const size_t n = strlen(parts[i].prefix);
        if (strncmp(key, parts[i].prefix, n) != 0) continue;
        if (parts[i].prefix[n - 1] != '.' && key[n] != '\0') continue;
        return parts[i].take(r, key + n, text, list);
    }
    return raise_key(key, list);
}

/* ---- a file ------------------------------------------------------------- */

/* "my-study" of "dir/my-study.yaml". */
static bl_status name_by_path(bl_study_file *f, const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const base = slash != NULL ? slash + 1 : path;
    const char *const dot = strrchr(base, '.');
    const size_t n = dot != NULL && dot > base ? (size_t)(dot - base)
                                               : strlen(base);
    return keep_copy(&f->spec.type.name, f, base, n);
}

static bl_status finish(bl_study_file *f, const char *name)
{
    if (f->n_axes[FIRST] == 0)
        return BL_RAISE(BL_EINVAL, "%s: grid: is empty or missing, wanted at "
                        "least one axis, as method: [ce, bbn]", name);
    if (f->spec.type.name == NULL) BL_TRY(name_by_path(f, name));
    for (int p = 0; p < PARTS; p++) {
        f->blocks[p] = (bl_block_spec){
            .kind = p == FIRST ? BL_BLOCK_FIRST : BL_BLOCK_AFTER,
            .base = f->base[p], .axes = f->axes[p]};
    }
    f->spec.blocks = f->blocks;
    f->spec.n_blocks = f->n_base[THEN] + f->n_axes[THEN] > 0 ? PARTS : 1;
    f->spec.variants = f->variants;
    f->spec.type.summary = f->spec.type.paper = f->spec.type.about = "";
    return BL_OK;
}

bl_status bl_study_file_parse(bl_study_file **out, const char *name,
                              const char *yaml, size_t bytes)
{
    bl_status status = BL_OK;
    bl_study_file *f = NULL;
    reading r = {0};
    BL_CHECK(bl_train_config(&r.scratch));
    BL_CHECK(bl_calloc(&f, 1, sizeof *f));
    r.file = f;
    r.variants = true;
    BL_CHECK(bl_yaml_read(name, yaml, bytes, take_leaf, &r));
    r.variants = false;
    BL_CHECK(bl_yaml_read(name, yaml, bytes, take_leaf, &r));
    BL_CHECK(finish(f, name));
    *out = f;
    f = NULL;
done:
    bl_config_free(r.scratch);
    bl_study_file_free(f);
    return status;
}

bl_status bl_study_file_read(bl_study_file **out, const char *path)
{
    char *yaml = NULL;
    size_t bytes = 0;
    BL_TRY(bl_file_read(&yaml, &bytes, path, BL_YAML_LIMIT));
    const bl_status status = bl_study_file_parse(out, path, yaml, bytes);
    bl_free(yaml);
    return status;
}

void bl_study_file_free(bl_study_file *file)
{
    if (file == NULL) return;
    for (int64_t i = 0; i < file->n_texts; i++) bl_free(file->texts[i]);
    bl_free(file->texts);
    for (int p = 0; p < PARTS; p++) {
        bl_free(file->base[p]);
        bl_free(file->axes[p]);
    }
    bl_free(file->variants);
    bl_free(file);
}

const bl_study_spec *bl_study_file_spec(const bl_study_file *file)
{
    return &file->spec;
}
