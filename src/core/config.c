/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: values and origins for the rows of a parameter table.
 *
 * Each value is kept as canonical text and, beside it, in the form its kind
 * reads.  The text is made from the parsed value, so that equal values have
 * equal texts ("2e-4" and "0.00020" are both "0.0002") and a configuration
 * that is written out and read back is the same.
 *
 * A value is parsed whole before the old one is released; a file is applied
 * to a copy, which then takes the place of the original.  So a failed call
 * changes nothing.
 */
#include "ballast/config.h"

#include <math.h>
#include <string.h>

#include "ballast/data.h"
#include "core/config_yaml.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

/* The value of one row. */
typedef struct value {
    bl_origin origin;
    char *text;      /* canonical, never NULL once set */
    int64_t integer; /* of an integer or flag          */
    double real;
    double *reals; /* [n_reals] */
    int64_t n_reals;
    char *place; /* "FILE:LINE" where a file set it, or NULL */
} value;

struct bl_config {
    const bl_param *table;
    int64_t n;          /* rows                               */
    value *values;      /* [n]                                */
    const char **names; /* [n + 1], NULL at the end, for hints */
};

static void value_clear(value *v)
{
    bl_free(v->text);
    bl_free(v->reals);
    bl_free(v->place);
    *v = (value){0};
}

/* ---- parsing, one function a kind --------------------------------------- */

typedef bl_status value_parse(value *v, const bl_param *row, const char *text);

static bl_status raise_kind(const bl_param *row, const char *text,
                            const char *wanted)
{
    return BL_RAISE(BL_EINVAL, "%s: \"%.80s\" is not %s", row->name, text,
                    wanted);
}

static bl_status raise_range(const bl_param *row, const char *found)
{
    char min[32], max[32];
    bl_real_format(min, row->min);
    bl_real_format(max, row->max);
    return BL_RAISE(BL_EINVAL, "%s: %s is not in [%s, %s]", row->name, found,
                    min, max);
}

static bl_status check_range(const bl_param *row, double x)
{
    char found[32];
    if (x >= row->min && x <= row->max) return BL_OK;
    bl_real_format(found, x);
    return raise_range(row, found);
}

/* The double of 2^53 + 1 is 2^53; that x - 1 reaches max tells them apart. */
static bl_status check_whole(const bl_param *row, long long x)
{
    char found[32];
    if ((double)x >= row->min && (double)x <= row->max &&
        (double)(x - 1) < row->max)
        return BL_OK;
    bl_format(found, sizeof found, "%lld", x);
    return raise_range(row, found);
}

static bl_status set_real_text(value *v, double x)
{
    char text[32];
    bl_real_format(text, x);
    return bl_strdup(&v->text, text);
}

/* Reads an integer, or a real that is whole: 1e3. */
static bl_status read_whole(long long *x, const bl_param *row,
                            const char *text)
{
    const double exact = 1e15; /* digits below it all fit a double */
    double real = 0;
    if (bl_integer_parse(x, text)) return check_whole(row, *x);
    if (!bl_real_parse(&real, text) || floor(real) != real)
        return raise_kind(row, text, "a whole number");
    BL_TRY(check_range(row, real));
    if (fabs(real) >= exact)
        return raise_kind(row, text, "written in full, digit by digit");
    *x = (long long)real;
    return BL_OK;
}

static bl_status parse_integer(value *v, const bl_param *row, const char *text)
{
    long long x = 0;
    bl_text canonical = {0};
    BL_TRY(read_whole(&x, row, text));
    v->integer = x;
    bl_text_printf(&canonical, "%lld", x);
    v->text = canonical.text;
    return canonical.status;
}

static bl_status parse_real(value *v, const bl_param *row, const char *text)
{
    double x = 0;
    if (!bl_real_parse(&x, text)) return raise_kind(row, text, "a number");
    BL_TRY(check_range(row, x));
    v->real = x == 0 ? 0 : x; /* no minus zero */
    return set_real_text(v, v->real);
}

static bl_status raise_choice(const bl_param *row, const char *text)
{
    bl_text list = {0};
    for (const char *const *c = row->choices; *c != NULL; c++)
        bl_text_printf(&list, "%s%s", c == row->choices ? "" : ", ", *c);
    const bl_status status = list.status < 0 ? list.status
        : BL_RAISE(BL_EINVAL, "%s: \"%.80s\" is not one of %s", row->name,
                   text, list.text);
    bl_text_free(&list);
    return status;
}

static bl_status parse_choice(value *v, const bl_param *row, const char *text)
{
    for (const char *const *c = row->choices; *c != NULL; c++)
        if (strcmp(*c, text) == 0) return bl_strdup(&v->text, text);
    return raise_choice(row, text);
}

static bl_status parse_string(value *v, const bl_param *row, const char *text)
{
    (void)row;
    return bl_strdup(&v->text, text);
}

static bl_status parse_flag(value *v, const bl_param *row, const char *text)
{
    static const struct { const char *word; int truth; } words[] = {
        {"true", 1}, {"false", 0}, {"yes", 1}, {"no", 0},
        {"on", 1},   {"off", 0},   {"1", 1},   {"0", 0},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, text) != 0) continue;
        v->integer = words[i].truth;
        return bl_strdup(&v->text, words[i].truth ? "true" : "false");
    }
    return raise_kind(row, text, "true or false");
}

/* Parses one entry of a list, blanks around it allowed. */
static bl_status parse_entry(double *out, const bl_param *row,
                             const char *at, size_t n)
{
    char entry[64];
    while (n > 0 && *at == ' ') at++, n--;
    while (n > 0 && at[n - 1] == ' ') n--;
    if (n >= sizeof entry)
        return raise_kind(row, at, "a list of numbers, like 160,180");
    memcpy(entry, at, n);
    entry[n] = '\0';
    if (!bl_real_parse(out, entry))
        return raise_kind(row, entry, "a number of the list");
    return check_range(row, *out);
}

static int64_t count_entries(const char *text)
{
    int64_t n = *text != '\0';
    for (; *text != '\0'; text++) n += *text == ',';
    return n;
}

static bl_status set_list_text(value *v)
{
    bl_text list = {0};
    char entry[32];
    bl_text_add(&list, "", 0);
    for (int64_t i = 0; i < v->n_reals; i++) {
        bl_real_format(entry, v->reals[i]);
        bl_text_printf(&list, "%s%s", i > 0 ? "," : "", entry);
    }
    const bl_status status = list.status;
    if (status < 0)
        bl_text_free(&list);
    else
        v->text = list.text;
    return status;
}

static bl_status parse_reals(value *v, const bl_param *row, const char *text)
{
    const char *at = text;
    v->n_reals = count_entries(text);
    BL_TRY(bl_calloc(&v->reals, v->n_reals, sizeof *v->reals));
    for (int64_t i = 0; i < v->n_reals; i++) {
        const size_t n = strcspn(at, ",");
        double x = 0;
        BL_TRY(parse_entry(&x, row, at, n));
        v->reals[i] = x == 0 ? 0 : x;
        if (i > 0 && v->reals[i] <= v->reals[i - 1])
            return raise_kind(row, text, "ascending");
        at += n + 1;
    }
    return set_list_text(v);
}

/* By bl_param_kind. */
static value_parse *const parsers[] = {
    parse_integer, parse_real, parse_choice,
    parse_string,  parse_flag, parse_reals,
};

/* ---- life --------------------------------------------------------------- */

static bl_status config_new(bl_config **out, const bl_param *table)
{
    bl_status status = BL_OK;
    bl_config *config = NULL;
    BL_TRY(bl_calloc(&config, 1, sizeof *config));
    config->table = table;
    while (table[config->n].name != NULL) config->n++;
    BL_CHECK(bl_calloc(&config->values, config->n, sizeof(value)));
    BL_CHECK(bl_calloc(&config->names, config->n + 1, sizeof(char *)));
    for (int64_t i = 0; i < config->n; i++)
        config->names[i] = table[i].name;
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    return status;
}

bl_status bl_config_create(bl_config **out, const bl_param *table)
{
    bl_status status = BL_OK;
    bl_config *config = NULL;
    BL_TRY(config_new(&config, table));
    for (int64_t i = 0; i < config->n; i++) {
        const bl_param *const row = &table[i];
        BL_CHECK(parsers[row->kind](&config->values[i], row, row->def));
    }
    *out = config;
    config = NULL;
done:
    bl_config_free(config);
    return status;
}

void bl_config_free(bl_config *config)
{
    if (config == NULL) return;
    for (int64_t i = 0; config->values != NULL && i < config->n; i++)
        value_clear(&config->values[i]);
    bl_free(config->values);
    bl_free(config->names);
    bl_free(config);
}

bl_status bl_config_clone(bl_config **out, const bl_config *config)
{
    bl_status status = BL_OK;
    bl_config *copy = NULL;
    BL_TRY(config_new(&copy, config->table));
    for (int64_t i = 0; i < copy->n; i++) {
        const bl_param *const row = &config->table[i];
        const value *const from = &config->values[i];
        BL_CHECK(parsers[row->kind](&copy->values[i], row, from->text));
        copy->values[i].origin = from->origin;
        if (from->place != NULL)
            BL_CHECK(bl_strdup(&copy->values[i].place, from->place));
    }
    *out = copy;
    copy = NULL;
done:
    bl_config_free(copy);
    return status;
}

/* ---- setting ------------------------------------------------------------ */

static bl_status raise_unknown(const bl_config *config, const char *key)
{
    const char *const nearest = bl_nearest(key, config->names);
    if (nearest == NULL)
        return BL_RAISE(BL_EINVAL, "unknown key \"%.80s\"", key);
    return BL_RAISE(BL_EINVAL, "unknown key \"%.80s\"; the nearest is \"%s\"",
                    key, nearest);
}

/* place: of the value in a file, or NULL. */
static bl_status set_row(bl_config *config, const bl_param *row,
                         const char *text, bl_origin origin,
                         const char *place)
{
    value *const old = &config->values[row - config->table];
    value fresh = {0};
    bl_status status = parsers[row->kind](&fresh, row, text);
    if (status >= 0 && place != NULL) status = bl_strdup(&fresh.place, place);
    if (status < 0 || origin < old->origin) {
        value_clear(&fresh);
        return status;
    }
    value_clear(old);
    *old = fresh;
    old->origin = origin;
    return BL_OK;
}

bl_status bl_config_set(bl_config *config, const char *key, const char *text,
                        bl_origin origin)
{
    const bl_param *const row = bl_param_find(config->table, key);
    if (row == NULL) return raise_unknown(config, key);
    return set_row(config, row, text, origin, NULL);
}

bl_status bl_config_assign(bl_config *config, const char *assignment,
                           bl_origin origin)
{
    char *key = NULL;
    const char *const sign = strchr(assignment, '=');
    if (sign == NULL || sign == assignment)
        return BL_RAISE(BL_EINVAL, "\"%.80s\" is not of the form key=value",
                        assignment);
    BL_TRY(bl_strdup(&key, assignment));
    key[sign - assignment] = '\0';
    const bl_status status = bl_config_set(config, key, sign + 1, origin);
    bl_free(key);
    return status;
}

/* A file being read. */
typedef struct source {
    bl_config *config;
    const char *name;
    int line; /* of the present value */
} source;

static bl_status set_leaf(void *payload, const char *key, const char *text,
                          int list)
{
    const source *const from = payload;
    bl_config *const config = from->config;
    bl_text place = {0};
    const bl_param *const row = bl_param_find(config->table, key);
    if (row == NULL) return raise_unknown(config, key);
    if (list && row->kind != BL_PARAM_REALS)
        return BL_RAISE(BL_EINVAL, "%s: found a list, wanted one value", key);
    bl_text_printf(&place, "%s:%d", from->name, from->line);
    const bl_status status =
        place.status < 0 ? place.status
                         : set_row(config, row, text, BL_ORIGIN_FILE,
                                   place.text);
    bl_text_free(&place);
    return status;
}

bl_status bl_config_parse(bl_config *config, const char *name,
                          const char *yaml, size_t bytes)
{
    bl_config *copy = NULL;
    BL_TRY(bl_config_clone(&copy, config));
    source from = {.config = copy, .name = name};
    const bl_status status = bl_yaml_read_lines(name, yaml, bytes, set_leaf,
                                                &from, &from.line);
    if (status >= 0) {
        const bl_config old = *config;
        *config = *copy;
        *copy = old;
    }
    bl_config_free(copy);
    return status;
}

bl_status bl_config_read(bl_config *config, const char *path)
{
    char *yaml = NULL;
    size_t bytes = 0;
    BL_TRY(bl_file_read(&yaml, &bytes, path, BL_YAML_LIMIT));
    const bl_status status = bl_config_parse(config, path, yaml, bytes);
    bl_free(yaml);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

static const value *find_value(const bl_config *config, const char *key)
{
    const bl_param *const row = bl_param_find(config->table, key);
    return row == NULL ? NULL : &config->values[row - config->table];
}

/* The value of a key, or NULL where it is of another kind. */
static const value *find_kind(const bl_config *config, const char *key,
                              bl_param_kind kind)
{
    const bl_param *const row = bl_param_find(config->table, key);
    if (row == NULL || row->kind != kind) return NULL;
    return &config->values[row - config->table];
}

int64_t bl_config_integer(const bl_config *config, const char *key)
{
    const value *const v = find_kind(config, key, BL_PARAM_INTEGER);
    return v == NULL ? 0 : v->integer;
}

double bl_config_real(const bl_config *config, const char *key)
{
    const value *const v = find_kind(config, key, BL_PARAM_REAL);
    return v == NULL ? 0 : v->real;
}

const char *bl_config_string(const bl_config *config, const char *key)
{
    const value *v = find_kind(config, key, BL_PARAM_STRING);
    if (v == NULL) v = find_kind(config, key, BL_PARAM_CHOICE);
    return v == NULL ? "" : v->text;
}

int bl_config_flag(const bl_config *config, const char *key)
{
    const value *const v = find_kind(config, key, BL_PARAM_FLAG);
    return v != NULL && v->integer != 0;
}

int64_t bl_config_reals(const bl_config *config, const char *key,
                        const double **out)
{
    const value *const v = find_kind(config, key, BL_PARAM_REALS);
    *out = v == NULL ? NULL : v->reals;
    return v == NULL ? 0 : v->n_reals;
}

const char *bl_config_text(const bl_config *config, const char *key)
{
    const value *const v = find_value(config, key);
    return v == NULL ? "" : v->text;
}

bl_origin bl_config_origin(const bl_config *config, const char *key)
{
    const value *const v = find_value(config, key);
    return v == NULL ? BL_ORIGIN_DEFAULT : v->origin;
}

const char *bl_config_place(const bl_config *config, const char *key)
{
    const value *const v = find_value(config, key);
    return v == NULL || v->place == NULL ? "" : v->place;
}

const char *bl_origin_name(bl_origin origin)
{
    static const char *const names[] = {"default", "method", "file", "option"};
    const size_t at = (size_t)origin;
    return at < sizeof names / sizeof names[0] ? names[at] : "unknown";
}

const bl_param *bl_config_table(const bl_config *config)
{
    return config->table;
}

const bl_param *bl_param_find(const bl_param *table, const char *key)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, key) == 0) return table;
    return NULL;
}
