/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.c: where a named data set lies.
 *
 *   1. data_dir, if the caller gives one
 *   2. each folder of BALLAST_DATA (colon-separated)
 *   3. the user's cache: $XDG_CACHE_HOME/ballast, else ~/.cache/ballast
 *   4. /usr/local/share/datasets, /usr/share/datasets
 *
 * In each: the set's usual folder, then its official archive.  The first that
 * exists is taken, even if it turns out to be broken: a silent step to another
 * copy would hide that.  When nothing is found the message says how to get the
 * set and lists the places in this order.  It has room for so many bytes, so of
 * a long BALLAST_DATA the folders at its end are counted and not named.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "data/format.h"

/* All places, in order. */
typedef struct places {
    char **folder;       /* [n], each owned                        */
    int64_t n;
    int64_t first, last; /* those of BALLAST_DATA are [first, last) */
} places;

static bl_status add(places *p, const char *folder, size_t bytes,
                     const char *below)
{
    bl_text text = {0};
    if (bytes == 0) return BL_OK;
    bl_text_add(&text, folder, bytes);
    bl_text_add(&text, below, strlen(below));
    bl_status status = BL_OK;
    BL_CHECK(text.status);
    BL_CHECK(bl_realloc(&p->folder, p->n + 1, sizeof *p->folder));
    p->folder[p->n++] = text.text;
    return BL_OK;
done:
    bl_text_free(&text);
    return status;
}

static bl_status add_list(places *p, const char *list)
{
    while (list != NULL && *list != '\0') {
        const size_t bytes = strcspn(list, ":");
        BL_TRY(add(p, list, bytes, ""));
        list += bytes + (list[bytes] == ':');
    }
    return BL_OK;
}

static bl_status add_cache(places *p)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        return add(p, cache, strlen(cache), "/ballast");
    if (home == NULL) return BL_OK;
    return add(p, home, strlen(home), "/.cache/ballast");
}

static bl_status add_all(places *p, const char *data_dir)
{
    static const char *const system[] = {"/usr/local/share/datasets",
                                         "/usr/share/datasets"};
    if (data_dir != NULL) BL_TRY(add(p, data_dir, strlen(data_dir), ""));
    p->first = p->n;
    BL_TRY(add_list(p, getenv("BALLAST_DATA")));
    p->last = p->n;
    BL_TRY(add_cache(p));
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        BL_TRY(add(p, system[i], strlen(system[i]), ""));
    return BL_OK;
}

/* The folder or archive of a row in one place; *path stays NULL if neither. */
static bl_status look(char **path, const char *place,
                      const bl_dataset_row *row)
{
    char *found = NULL;
    BL_TRY(bl_path_join(&found, place, row->type.folder));
    if (!bl_path_is_folder(found)) {
        bl_free(found);
        found = NULL;
        if (row->archive == NULL) return BL_OK;
        BL_TRY(bl_path_join(&found, place, row->archive));
        if (!bl_path_exists(found)) {
            bl_free(found);
            return BL_OK;
        }
    }
    *path = found;
    return BL_OK;
}

/* Lists the places, those of BALLAST_DATA up to `end`. */
static void list(bl_text *out, const places *p, int64_t end)
{
    for (int64_t i = 0; i < p->n; i++) {
        const char *const comma = i > 0 ? ", " : "";
        if (i == end && end < p->last)
            bl_text_printf(out, "%sand %" PRId64 " more of BALLAST_DATA",
                           comma, p->last - end);
        if (i < end || i >= p->last)
            bl_text_printf(out, "%s%s", comma, p->folder[i]);
    }
}

/* Says what is missing, and where it was looked for. */
static void describe(bl_text *out, const places *p, int64_t end,
                     const bl_dataset_row *row)
{
    bl_text_printf(out, "%s not found (get it: %s); no %s%s%s in: ",
                   row->type.name, row->type.obtain, row->type.folder,
                   row->archive != NULL ? " or " : "",
                   row->archive != NULL ? row->archive : "");
    list(out, p, end);
}

static bl_status missing(const places *p, const bl_dataset_row *row)
{
    const size_t room = sizeof bl_error_last()->message;
    int64_t end = p->last;
    bl_text text = {0};
    describe(&text, p, end, row);
    while (text.status == BL_OK && text.bytes >= room && end > p->first) {
        bl_text_free(&text);
        describe(&text, p, --end, row);
    }
    const bl_status status =
        text.status < 0 ? text.status : BL_RAISE(BL_EIO, "%s", text.text);
    bl_text_free(&text);
    return status;
}

bl_status bl_dataset_search(char **path, const bl_dataset_row *row,
                            const char *data_dir)
{
    places p = {0};
    char *found = NULL;
    bl_status status = BL_OK;
    BL_CHECK(add_all(&p, data_dir));
    for (int64_t i = 0; i < p.n && found == NULL; i++)
        BL_CHECK(look(&found, p.folder[i], row));
    if (found == NULL) status = missing(&p, row);
    else *path = found;
done:
    for (int64_t i = 0; i < p.n; i++) bl_free(p.folder[i]);
    bl_free(p.folder);
    return status;
}
