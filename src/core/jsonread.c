/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonread.c: a JSON document as a tree in one arena.
 *
 * yajl finds the tokens, checks UTF-8 and takes off escapes; its callbacks
 * hang values onto a stack of open containers.  All values and strings of a
 * document come from a few growing chunks, so that freeing is one short loop.
 *
 * yajl does not look at what its allocator returns.  It therefore gets one
 * block, taken and checked beforehand, that cannot run out: yajl keeps a few
 * small tables and one buffer for a string with escapes, which doubles up to
 * twice the longest string; the sizes it passes on the way add up to less
 * than four times the document.
 *
 * Duplicate keys are found by sorting the keys of an object when it closes;
 * comparing each with each would let a small file cost minutes.
 */
#include "core/jsonread.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

enum {
    DEPTH = 64,
    CHUNK_FIRST = 4096,      /* bytes; each chunk is twice the last */
    CHUNK_LARGEST = 1 << 20,
    POOL_FIXED = 1 << 16,    /* yajl's tables and messages          */
    POOL_TIMES = 4,          /* of the document, see above          */
    BYTES_LARGEST = 1 << 30
};

/* ---- arena -------------------------------------------------------------- */

typedef union chunk {
    struct {
        union chunk *next;
        size_t used, room; /* bytes behind this head */
    } head;
    max_align_t align;
} chunk;

/* What the caller holds is the root; the rest stands behind it. */
typedef struct document {
    bl_json_value root; /* first: the root's address is the document's */
    chunk *chunks;
} document;

static bl_status arena_take(document *doc, void *out, size_t bytes)
{
    const size_t align = _Alignof(max_align_t);
    const size_t wanted = (bytes + align - 1) / align * align;
    chunk *top = doc->chunks;
    if (top == NULL || top->head.room - top->head.used < wanted) {
        size_t room = top == NULL ? CHUNK_FIRST : 2 * top->head.room;
        if (room > CHUNK_LARGEST) room = CHUNK_LARGEST;
        if (room < wanted) room = wanted;
        chunk *fresh = NULL;
        BL_TRY(bl_calloc(&fresh, (int64_t)(sizeof *fresh + room), 1));
        fresh->head.next = top;
        fresh->head.room = room;
        doc->chunks = top = fresh;
    }
    void *const memory = (char *)(top + 1) + top->head.used;
    top->head.used += wanted;
    memcpy(out, &memory, sizeof memory);
    return BL_OK;
}

static bl_status arena_string(document *doc, const char **out,
                              const unsigned char *text, size_t n)
{
    char *copy = NULL;
    BL_TRY(arena_take(doc, &copy, n + 1));
    memcpy(copy, text, n);
    copy[n] = '\0';
    *out = copy;
    return BL_OK;
}

static void document_free(document *doc)
{
    if (doc == NULL) return;
    for (chunk *at = doc->chunks; at != NULL;) {
        chunk *const next = at->head.next;
        bl_free(at);
        at = next;
    }
    bl_free(doc);
}

/* ---- memory for yajl ---------------------------------------------------- */

typedef struct pool {
    char *memory;
    size_t used, room;
} pool;

/* Each block is preceded by its size, which realloc needs. */
static void *pool_take(void *payload, size_t bytes)
{
    pool *const p = payload;
    const size_t align = _Alignof(max_align_t);
    const size_t wanted = align + (bytes + align - 1) / align * align;
    if (bytes > p->room || p->room - p->used < wanted) return NULL;
    char *const block = p->memory + p->used;
    memcpy(block, &bytes, sizeof bytes);
    p->used += wanted;
    return block + align;
}

static void pool_give(void *payload, void *memory)
{
    (void)payload;
    (void)memory; /* all at once, by the caller of yajl */
}

static void *pool_retake(void *payload, void *memory, size_t bytes)
{
    size_t old = 0;
    void *const fresh = pool_take(payload, bytes);
    if (memory == NULL || fresh == NULL) return fresh;
    memcpy(&old, (char *)memory - _Alignof(max_align_t), sizeof old);
    memcpy(fresh, memory, old < bytes ? old : bytes);
    return fresh;
}

/* ---- building the tree -------------------------------------------------- */

typedef struct frame {
    bl_json_value *value; /* the open object or array       */
    bl_json_value *last;  /* its last member, NULL at first */
    const char *key;      /* waits for its value            */
} frame;

typedef struct builder {
    document *doc;
    const char *name;
    yajl_handle yajl;
    bl_status status; /* why a callback stopped yajl */
    int64_t base;     /* bytes fed before this call of yajl */
    int depth;
    frame open[DEPTH];
} builder;

static int64_t offset(const builder *b)
{
    return b->base + (int64_t)yajl_get_bytes_consumed(b->yajl);
}

/* yajl goes on with 1 and stops with 0. */
static int go_on(builder *b, bl_status status)
{
    if (status < 0) b->status = status;
    return status >= 0;
}

static bl_status add_value(builder *b, bl_json_value **out, bl_json_kind kind)
{
    bl_json_value *value = &b->doc->root;
    if (b->depth > 0) {
        frame *const top = &b->open[b->depth - 1];
        BL_TRY(arena_take(b->doc, &value, sizeof *value));
        *value = (bl_json_value){.key = top->key};
        top->key = NULL;
        if (top->last == NULL)
            top->value->first = value;
        else
            top->last->next = value;
        top->last = value;
        top->value->count++;
    }
    value->kind = kind;
    *out = value;
    return BL_OK;
}

static int on_null(void *payload)
{
    bl_json_value *value;
    return go_on(payload, add_value(payload, &value, BL_JSON_NULL));
}

static int on_bool(void *payload, int truth)
{
    bl_json_value *value;
    const bl_status status = add_value(payload, &value, BL_JSON_BOOL);
    if (status >= 0) value->integer = truth != 0;
    return go_on(payload, status);
}

/* A number without point and exponent that fits is an integer. */
static bl_status add_number(builder *b, const char *digits, size_t n)
{
    bl_json_value *value = NULL;
    const char *text = NULL;
    long long integer = 0;
    double real = 0;
    BL_TRY(arena_string(b->doc, &text, (const unsigned char *)digits, n));
    if (!bl_real_parse(&real, text))
        return BL_RAISE(BL_EFORMAT, "%s: offset %" PRId64 ": %.40s is not a "
                        "number a double holds", b->name, offset(b), text);
    const int whole = bl_integer_parse(&integer, text);
    BL_TRY(add_value(b, &value, whole ? BL_JSON_INTEGER : BL_JSON_REAL));
    value->real = real;
    value->integer = whole ? integer : 0;
    return BL_OK;
}

static int on_number(void *payload, const char *digits, size_t n)
{
    return go_on(payload, add_number(payload, digits, n));
}

static bl_status take_string(builder *b, const char **out,
                             const unsigned char *text, size_t n)
{
    if (memchr(text, '\0', n) != NULL)
        return BL_RAISE(BL_EFORMAT, "%s: offset %" PRId64 ": a string holds "
                        "\\u0000", b->name, offset(b));
    return arena_string(b->doc, out, text, n);
}

static int on_string(void *payload, const unsigned char *text, size_t n)
{
    const char *copy = NULL;
    bl_json_value *value = NULL;
    bl_status status = take_string(payload, &copy, text, n);
    if (status >= 0) status = add_value(payload, &value, BL_JSON_STRING);
    if (status >= 0) value->string = copy;
    return go_on(payload, status);
}

static int on_key(void *payload, const unsigned char *text, size_t n)
{
    builder *const b = payload;
    return go_on(b, take_string(b, &b->open[b->depth - 1].key, text, n));
}

static bl_status open_container(builder *b, bl_json_kind kind)
{
    bl_json_value *value = NULL;
    if (b->depth == DEPTH)
        return BL_RAISE(BL_EFORMAT, "%s: offset %" PRId64 ": nested deeper "
                        "than %d", b->name, offset(b), (int)DEPTH);
    BL_TRY(add_value(b, &value, kind));
    b->open[b->depth++] = (frame){.value = value};
    return BL_OK;
}

static int on_object(void *payload)
{
    return go_on(payload, open_container(payload, BL_JSON_OBJECT));
}

static int on_array(void *payload)
{
    return go_on(payload, open_container(payload, BL_JSON_ARRAY));
}

static int by_text(const void *a, const void *b)
{
    const char *const *const x = a;
    const char *const *const y = b;
    return strcmp(*x, *y);
}

static bl_status check_keys(const builder *b, const bl_json_value *object)
{
    bl_status status = BL_OK;
    const char **keys = NULL;
    int64_t n = 0;
    if (object->count < 2) return BL_OK;
    BL_TRY(bl_calloc(&keys, object->count, sizeof *keys));
    for (const bl_json_value *at = object->first; at != NULL; at = at->next)
        keys[n++] = at->key;
    qsort(keys, (size_t)n, sizeof *keys, by_text);
    for (int64_t i = 1; i < n && status >= 0; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = BL_RAISE(BL_EFORMAT, "%s: offset %" PRId64 ": key "
                              "\"%.80s\" stands twice in the object that "
                              "ends here", b->name, offset(b), keys[i]);
    bl_free(keys);
    return status;
}

static int on_close(void *payload)
{
    builder *const b = payload;
    const bl_json_value *const value = b->open[--b->depth].value;
    if (value->kind == BL_JSON_ARRAY) return 1;
    return go_on(b, check_keys(b, value));
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_array,
    .yajl_end_array = on_close,
};

/* ---- calls -------------------------------------------------------------- */

/* yajl says "parse error: premature EOF\n"; the first line is enough. */
static bl_status raise_yajl(builder *b)
{
    if (b->status < 0) return b->status;
    unsigned char *const text = yajl_get_error(b->yajl, 0, NULL, 0);
    const char *const what = text != NULL ? (const char *)text : "bad JSON";
    return BL_RAISE(BL_EFORMAT, "%s: offset %" PRId64 ": %.*s", b->name,
                    offset(b), (int)strcspn(what, "\n"), what);
}

static bl_status run_yajl(builder *b, pool *p, const char *bytes, size_t n)
{
    yajl_alloc_funcs memory = {
        .malloc = pool_take, .realloc = pool_retake, .free = pool_give,
        .ctx = p,
    };
    b->yajl = yajl_alloc(&callbacks, &memory, b);
    yajl_status state = yajl_parse(b->yajl, (const unsigned char *)bytes, n);
    if (state == yajl_status_ok) {
        b->base = (int64_t)yajl_get_bytes_consumed(b->yajl);
        state = yajl_complete_parse(b->yajl); /* feeds it one blank */
        if (state != yajl_status_ok && b->status == BL_OK) b->base--;
    }
    const bl_status status = state == yajl_status_ok ? BL_OK : raise_yajl(b);
    yajl_free(b->yajl);
    return status;
}

bl_status bl_json_parse(bl_json_value **out, const char *name,
                        const char *bytes, size_t n)
{
    bl_status status = BL_OK;
    pool p = {.room = POOL_FIXED + POOL_TIMES * n};
    builder b = {.name = name};
    if (n > BYTES_LARGEST)
        return BL_RAISE(BL_EFORMAT, "%s: %zu bytes of JSON, wanted at most "
                        "%d", name, n, (int)BYTES_LARGEST);
    BL_CHECK(bl_calloc(&b.doc, 1, sizeof *b.doc));
    BL_CHECK(bl_calloc(&p.memory, (int64_t)p.room, 1));
    BL_CHECK(run_yajl(&b, &p, bytes, n));
done:
    bl_free(p.memory);
    if (status < 0)
        document_free(b.doc);
    else
        *out = &b.doc->root;
    return status;
}

bl_status bl_json_read(bl_json_value **out, const char *path, size_t limit)
{
    char *text = NULL;
    size_t bytes = 0;
    BL_TRY(bl_file_read(&text, &bytes, path, limit));
    const bl_status status = bl_json_parse(out, path, text, bytes);
    bl_free(text);
    return status;
}

void bl_json_value_free(bl_json_value *value)
{
    document_free((document *)value);
}

const bl_json_value *bl_json_member(const bl_json_value *value,
                                    const char *key)
{
    if (value == NULL || value->kind != BL_JSON_OBJECT) return NULL;
    for (const bl_json_value *at = value->first; at != NULL; at = at->next)
        if (strcmp(at->key, key) == 0) return at;
    return NULL;
}

bool bl_json_is_number(const bl_json_value *value)
{
    return value->kind == BL_JSON_INTEGER || value->kind == BL_JSON_REAL;
}
