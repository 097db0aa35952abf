/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: one table of parameters serves the command line, YAML files,
 * methods, help, man page and run.yaml.
 *
 * A bl_param names a key, its kind, default, range and one line of help.  A
 * bl_config holds a value and its origin for each row of one table.
 * Precedence is by origin, whatever the order of the calls:
 * default < method < file < option.
 */
#ifndef BALLAST_CONFIG_H
#define BALLAST_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_param_kind {
    BL_PARAM_INTEGER, /* int64_t                                  */
    BL_PARAM_REAL,    /* double                                   */
    BL_PARAM_CHOICE,  /* one of choices, NULL-terminated          */
    BL_PARAM_STRING,  /* any text; empty means unset              */
    BL_PARAM_FLAG,    /* true or false                            */
    BL_PARAM_REALS    /* comma-separated list of reals, ascending */
} bl_param_kind;

/** One row of a parameter table; a table ends with name == NULL. */
typedef struct bl_param {
    const char *name;  /* key and option: "lr", "schedule.decay" */
    bl_param_kind kind;
    const char *def;   /* default, as text the parser accepts     */
    double min, max;   /* for integer, real and reals, inclusive  */
    const char *const *choices;
    const char *metavar; /* "F", "FILE", for help                 */
    const char *doc;     /* one line, with the unit               */
} bl_param;

/** Where a value came from, weakest first. */
typedef enum bl_origin {
    BL_ORIGIN_DEFAULT = 0,
    BL_ORIGIN_METHOD = 1, /* the row of a method or loss */
    BL_ORIGIN_FILE = 2,
    BL_ORIGIN_OPTION = 3
} bl_origin;

typedef struct bl_config bl_config;

/** Creates a configuration with every default of the table.
 *
 * Needs    table outlives the configuration (tables are const data).
 * Errors   BL_ENOMEM; BL_EINVAL if a default does not parse.
 */
BL_API BL_MUST_USE bl_status bl_config_create(bl_config **out,
                                              const bl_param *table);

/** Releases a configuration; NULL is allowed. */
BL_API void bl_config_free(bl_config *config);

/** Copies a configuration with its origins. */
BL_API BL_MUST_USE bl_status bl_config_clone(bl_config **out,
                                             const bl_config *config);

/** Sets one key from text.
 *
 * Gives    a value of stronger origin that is already there stays.
 * Errors   BL_EINVAL: unknown key (names the nearest one), text that does not
 *          parse, value out of range; the message says found and wanted.
 */
BL_API BL_MUST_USE bl_status bl_config_set(bl_config *config, const char *key,
                                           const char *text, bl_origin origin);

/** Sets one key from "key=value". */
BL_API BL_MUST_USE bl_status bl_config_assign(bl_config *config,
                                              const char *assignment,
                                              bl_origin origin);

/** Reads a YAML file of keys; nested mappings join with dots.
 *
 * Gives    all keys or none.  Keys under "ballast:" (facts a run wrote about
 *          itself) are passed over.
 * Errors   BL_EIO, BL_EFORMAT (file:line: ...), BL_EINVAL as bl_config_set.
 */
BL_API BL_MUST_USE bl_status bl_config_read(bl_config *config,
                                            const char *path);

/** Reads the same YAML from memory; name stands for the file in messages. */
BL_API BL_MUST_USE bl_status bl_config_parse(bl_config *config,
                                             const char *name,
                                             const char *yaml, size_t bytes);

/** Typed reads.  A key that is not in the table, or of another kind, is a
 *  programming error: it reads as zero, false or "". */
BL_API int64_t bl_config_integer(const bl_config *config, const char *key);
BL_API double bl_config_real(const bl_config *config, const char *key);
BL_API const char *bl_config_string(const bl_config *config, const char *key);
BL_API int bl_config_flag(const bl_config *config, const char *key);
/** Reads a list; gives its length and a borrowed array, valid until set. */
BL_API int64_t bl_config_reals(const bl_config *config, const char *key,
                               const double **out);

/** Value of any key as canonical text (reading it back gives the value). */
BL_API const char *bl_config_text(const bl_config *config, const char *key);
BL_API bl_origin bl_config_origin(const bl_config *config, const char *key);
/** "FILE:LINE" of a value that was read from a file, else "". */
BL_API const char *bl_config_place(const bl_config *config, const char *key);
/** "default", "method", "file", "option". */
BL_API const char *bl_origin_name(bl_origin origin);

/** The table a configuration was made from. */
BL_API const bl_param *bl_config_table(const bl_config *config);

/** Finds the row of a key; NULL where there is none. */
BL_API const bl_param *bl_param_find(const bl_param *table, const char *key);

/** Names the entry of a NULL-terminated list that is nearest to word, or NULL
 *  where none is near (edit distance above a third of the word). */
BL_API const char *bl_nearest(const char *word, const char *const *list);

#ifdef __cplusplus
}
#endif
#endif
