/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_yaml.c: a careful subset of YAML 1.1, read with libyaml.
 *
 *   lr: 0.1                    ->  lr = "0.1"
 *   sgd: {momentum: 0.9}       ->  sgd.momentum = "0.9"
 *   milestones: [160, 180]     ->  milestones = "160,180", a list
 *   ballast: {...}             ->  passed over, whatever it holds
 *
 * Refused, since a configuration that surprises is worse than one that is
 * strict: anchors and aliases (a short file could unfold without end), tags,
 * a second document, keys that are not scalars, and a key that stands twice
 * (YAML forbids it, many readers take the last in silence).
 *
 * libyaml gives events; one function eats one node, so the call depth is the
 * nesting of the file, which is limited.
 */
#include "core/config_yaml.h"

#include <string.h>
#include <yaml.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

enum {
    DEPTH = 16,
    KEYS = 4096 /* looked up one by one for duplicates */
};

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the present one */
    const char *name;
    const char *yaml; /* [bytes] */
    size_t bytes;
    bl_yaml_leaf *leaf;
    void *payload;
    int *line;     /* of the value that leaf is given */
    bl_text key;   /* dotted path to the present node */
    char **seen;   /* [n_seen] paths already met      */
    int64_t n_seen, room;
} reader;

/* ---- events ------------------------------------------------------------- */

static int line_of(const reader *r)
{
    return (int)r->event.start_mark.line + 1;
}

/* Line of a byte; the parser reads ahead, so its own mark is behind. */
static int line_of_byte(const reader *r, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at && i < r->bytes; i++) line += r->yaml[i] == '\n';
    return line;
}

static bl_status raise_syntax(const reader *r)
{
    const yaml_parser_t *const p = &r->parser;
    const char *const what = p->problem != NULL ? p->problem : "bad YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return BL_RAISE(BL_ENOMEM, "%s: out of memory", r->name);
    if (p->error == YAML_READER_ERROR)
        return BL_RAISE(BL_EFORMAT, "%s:%d: byte %zu: %s", r->name,
                        line_of_byte(r, p->problem_offset),
                        p->problem_offset, what);
    return BL_RAISE(BL_EFORMAT, "%s:%d: %s%s%s", r->name,
                    (int)p->problem_mark.line + 1, what,
                    p->context != NULL ? " " : "",
                    p->context != NULL ? p->context : "");
}

static bl_status next_event(reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) return raise_syntax(r);
    return BL_OK;
}

static const char *event_name(yaml_event_type_t type)
{
    switch (type) {
    case YAML_ALIAS_EVENT: return "an alias";
    case YAML_SCALAR_EVENT: return "a value";
    case YAML_SEQUENCE_START_EVENT: return "a list";
    case YAML_MAPPING_START_EVENT: return "a mapping";
    default: return "the end";
    }
}

static bl_status raise_found(const reader *r, const char *wanted)
{
    return BL_RAISE(BL_EFORMAT, "%s:%d: found %s, wanted %s", r->name,
                    line_of(r), event_name(r->event.type), wanted);
}

static bl_status raise_deep(const reader *r)
{
    return BL_RAISE(BL_EFORMAT, "%s:%d: nested deeper than %d", r->name,
                    line_of(r), (int)DEPTH);
}

/* Anchors and tags of the present node. */
static bl_status check_plain(const reader *r)
{
    const yaml_event_t *const e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_ALIAS_EVENT) {
        anchor = e->data.alias.anchor;
    }
    if (anchor != NULL)
        return BL_RAISE(BL_EFORMAT, "%s:%d: anchors and aliases (%.40s) are "
                        "not allowed here", r->name, line_of(r),
                        (const char *)anchor);
    if (tag != NULL)
        return BL_RAISE(BL_EFORMAT, "%s:%d: tags (%.40s) are not allowed "
                        "here", r->name, line_of(r), (const char *)tag);
    return BL_OK;
}

/* Text of the present scalar; a plain ~ or null is the empty text. */
static bl_status scalar_text(const reader *r, const char **out)
{
    const yaml_event_t *const e = &r->event;
    const char *const text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length)
        return BL_RAISE(BL_EFORMAT, "%s:%d: a text holds a NUL character",
                        r->name, line_of(r));
    const int plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const int null = plain &&
        (strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
    *out = null ? "" : text;
    return BL_OK;
}

/* ---- keys --------------------------------------------------------------- */

static bl_status remember_key(reader *r, int line)
{
    for (int64_t i = 0; i < r->n_seen; i++)
        if (strcmp(r->seen[i], r->key.text) == 0)
            return BL_RAISE(BL_EFORMAT, "%s:%d: key \"%.80s\" stands twice",
                            r->name, line, r->key.text);
    if (r->n_seen == KEYS)
        return BL_RAISE(BL_EFORMAT, "%s:%d: more than %d keys", r->name, line,
                        (int)KEYS);
    if (r->n_seen == r->room) {
        const int64_t room = r->room > 0 ? 2 * r->room : 32;
        BL_TRY(bl_realloc(&r->seen, room, sizeof *r->seen));
        r->room = room;
    }
    BL_TRY(bl_strdup(&r->seen[r->n_seen], r->key.text));
    r->n_seen++;
    return BL_OK;
}

/* Appends the present scalar to the dotted key. */
static bl_status push_key(reader *r)
{
    const char *part = NULL;
    if (r->event.type != YAML_SCALAR_EVENT) return raise_found(r, "a key");
    BL_TRY(check_plain(r));
    BL_TRY(scalar_text(r, &part));
    if (*part == '\0')
        return BL_RAISE(BL_EFORMAT, "%s:%d: an empty key", r->name,
                        line_of(r));
    bl_text_printf(&r->key, "%s%s", r->key.bytes > 0 ? "." : "", part);
    BL_TRY(r->key.status);
    return remember_key(r, line_of(r));
}

static void pop_key(reader *r, size_t bytes)
{
    r->key.bytes = bytes;
    r->key.text[bytes] = '\0';
}

static int is_ours(const char *key)
{
    return strcmp(key, "ballast") == 0 || strncmp(key, "ballast.", 8) == 0;
}

/* ---- nodes -------------------------------------------------------------- */

/* Passes over the present node.  Depth is limited here too: libyaml's time
 * grows with its square. */
static bl_status skip_node(reader *r)
{
    int depth = 0;
    for (;;) {
        const yaml_event_type_t type = r->event.type;
        BL_TRY(check_plain(r));
        if (type == YAML_MAPPING_START_EVENT ||
            type == YAML_SEQUENCE_START_EVENT)
            depth++;
        if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
            depth--;
        if (depth == 0) return BL_OK;
        if (depth > DEPTH) return raise_deep(r);
        BL_TRY(next_event(r));
    }
}

static bl_status give_leaf(const reader *r, int line, const char *text,
                           int list)
{
    *r->line = line;
    const bl_status status = r->leaf(r->payload, r->key.text, text, list);
    return status < 0 ? bl_error_prefix("%s:%d", r->name, line) : status;
}

/* Joins a sequence of scalars by commas. */
static bl_status read_list(reader *r, bl_text *joined)
{
    for (int first = 1;; first = 0) {
        const char *text = NULL;
        BL_TRY(next_event(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return BL_OK;
        BL_TRY(check_plain(r));
        if (r->event.type != YAML_SCALAR_EVENT)
            return raise_found(r, "a value");
        BL_TRY(scalar_text(r, &text));
        bl_text_printf(joined, "%s%s", first ? "" : ",", text);
        BL_TRY(joined->status);
    }
}

static bl_status read_sequence(reader *r)
{
    bl_text joined = {0};
    const int line = line_of(r);
    bl_status status = read_list(r, &joined);
    if (status >= 0)
        status = give_leaf(r, line, joined.text != NULL ? joined.text : "",
                           1);
    bl_text_free(&joined);
    return status;
}

static bl_status read_mapping(reader *r, int depth);

static bl_status read_value(reader *r, int depth)
{
    const char *text = NULL;
    BL_TRY(check_plain(r));
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        BL_TRY(scalar_text(r, &text));
        return give_leaf(r, line_of(r), text, 0);
    case YAML_SEQUENCE_START_EVENT:
        return read_sequence(r);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(r, depth + 1);
    default:
        return raise_found(r, "a value");
    }
}

static bl_status read_mapping(reader *r, int depth)
{
    const size_t outer = r->key.bytes;
    if (depth > DEPTH) return raise_deep(r);
    for (;;) {
        BL_TRY(next_event(r));
        if (r->event.type == YAML_MAPPING_END_EVENT) return BL_OK;
        BL_TRY(push_key(r));
        BL_TRY(next_event(r));
        BL_TRY(is_ours(r->key.text) ? skip_node(r) : read_value(r, depth));
        pop_key(r, outer);
    }
}

/* One document with a mapping, or nothing at all. */
static bl_status read_stream(reader *r)
{
    BL_TRY(next_event(r)); /* the start of the stream */
    BL_TRY(next_event(r));
    if (r->event.type == YAML_STREAM_END_EVENT) return BL_OK;
    BL_TRY(next_event(r));
    BL_TRY(check_plain(r));
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return raise_found(r, "a mapping of keys to values");
    BL_TRY(read_mapping(r, 1));
    BL_TRY(next_event(r)); /* the end of the document */
    BL_TRY(next_event(r));
    if (r->event.type != YAML_STREAM_END_EVENT)
        return BL_RAISE(BL_EFORMAT, "%s:%d: a second document", r->name,
                        line_of(r));
    return BL_OK;
}

bl_status bl_yaml_read(const char *name, const char *yaml, size_t bytes,
                       bl_yaml_leaf *leaf, void *payload)
{
    int line;
    return bl_yaml_read_lines(name, yaml, bytes, leaf, payload, &line);
}

bl_status bl_yaml_read_lines(const char *name, const char *yaml, size_t bytes,
                             bl_yaml_leaf *leaf, void *payload, int *line)
{
    reader r = {.name = name, .yaml = yaml, .bytes = bytes, .leaf = leaf,
                .payload = payload, .line = line};
    if (bytes > BL_YAML_LIMIT)
        return BL_RAISE(BL_EFORMAT, "%s: holds %zu bytes, wanted at most %d",
                        name, bytes, (int)BL_YAML_LIMIT);
    if (!yaml_parser_initialize(&r.parser))
        return BL_RAISE(BL_ENOMEM, "%s: out of memory", name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml,
                                 bytes);
    const bl_status status = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    for (int64_t i = 0; i < r.n_seen; i++) bl_free(r.seen[i]);
    bl_free(r.seen);
    bl_text_free(&r.key);
    return status;
}
