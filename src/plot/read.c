/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c: a member that is not what its key says is refused with its place.
 */
#include "plot/read.h"

#include <math.h>

#include "core/error.h"

bl_status bl_place_wrong(const bl_place *at, const char *key,
                         const bl_json_value *found, const char *wanted)
{
    static const char *const kinds[] = {
        "null", "true or false", "a whole number", "a number", "text",
        "a list", "an object"};
    return BL_RAISE(BL_EFORMAT, "%s: %s%s%s is %s, wanted %s", at->path,
                    at->part, at->part[0] ? ": " : "", key,
                    found ? kinds[found->kind] : "missing", wanted);
}

bl_status bl_read_real(double *out, const bl_place *at,
                       const bl_json_value *object, const char *key,
                       double low)
{
    const bl_json_value *const v = bl_json_member(object, key);
    if (v == NULL) return BL_OK;
    if (v->kind != BL_JSON_NULL && !bl_json_is_number(v))
        return bl_place_wrong(at, key, v, "a number");
    if (v->kind != BL_JSON_NULL && v->real < low)
        return BL_RAISE(BL_EFORMAT, "%s: %s%s%s is %g, wanted at least %g",
                        at->path, at->part, at->part[0] ? ": " : "", key,
                        v->real, low);
    *out = v->kind == BL_JSON_NULL ? (double)NAN : v->real;
    return BL_OK;
}

bl_status bl_need_real(double *out, const bl_place *at,
                       const bl_json_value *object, const char *key,
                       double low)
{
    if (bl_json_member(object, key) == NULL)
        return bl_place_wrong(at, key, NULL, "a number");
    return bl_read_real(out, at, object, key, low);
}

bl_status bl_need_text(const char **out, const bl_place *at,
                       const bl_json_value *object, const char *key)
{
    const bl_json_value *const v = bl_json_member(object, key);
    if (v == NULL || v->kind != BL_JSON_STRING)
        return bl_place_wrong(at, key, v, "text");
    *out = v->string;
    return BL_OK;
}

bl_status bl_read_list(const bl_json_value **out, const bl_place *at,
                       const bl_json_value *object, const char *key)
{
    *out = bl_json_member(object, key);
    if (*out != NULL && (*out)->kind == BL_JSON_NULL) *out = NULL;
    if (*out != NULL && (*out)->kind != BL_JSON_ARRAY)
        return bl_place_wrong(at, key, *out, "a list");
    return BL_OK;
}

bl_status bl_need_list(const bl_json_value **out, const bl_place *at,
                       const bl_json_value *object, const char *key)
{
    BL_TRY(bl_read_list(out, at, object, key));
    return *out ? BL_OK : bl_place_wrong(at, key, NULL, "a list");
}
