/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.h: members of a JSON tree, checked, with messages that name the place.
 */
#ifndef BL_PLOT_READ_H
#define BL_PLOT_READ_H

#include "core/jsonread.h"

/** Where a value is looked for, for messages. */
typedef struct bl_place {
    const char *path; /* of the file               */
    char part[48];    /* "line 3", "per_class 7"   */
} bl_place;

/** Raises BL_EFORMAT: what key is, and what was wanted. */
bl_status bl_place_wrong(const bl_place *at, const char *key,
                         const bl_json_value *found, const char *wanted);

/** Reads a member that is a number of at least low, or null, which gives NaN;
 *  where it is missing *out stays. */
BL_MUST_USE bl_status bl_read_real(double *out, const bl_place *at,
                                   const bl_json_value *object,
                                   const char *key, double low);
/** The same of a number that must be there. */
BL_MUST_USE bl_status bl_need_real(double *out, const bl_place *at,
                                   const bl_json_value *object,
                                   const char *key, double low);
/** A member that must be text; borrowed from the tree. */
BL_MUST_USE bl_status bl_need_text(const char **out, const bl_place *at,
                                   const bl_json_value *object,
                                   const char *key);
/** Finds a member that is a list; NULL where it is missing or null. */
BL_MUST_USE bl_status bl_read_list(const bl_json_value **out,
                                   const bl_place *at,
                                   const bl_json_value *object,
                                   const char *key);
/** The same of a list that must be there. */
BL_MUST_USE bl_status bl_need_list(const bl_json_value **out,
                                   const bl_place *at,
                                   const bl_json_value *object,
                                   const char *key);

#endif
