/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_yaml.h: the YAML that configurations are written in, as keys and
 * values.
 */
#ifndef BL_CORE_CONFIG_YAML_H
#define BL_CORE_CONFIG_YAML_H

#include <stddef.h>

#include "ballast/status.h"

enum { BL_YAML_LIMIT = 1 << 18 }; /* bytes of a document */

/** Takes one value: its dotted key and text; list: 1 where the text is a
 *  sequence joined by commas.  key and text are borrowed for the call. */
typedef bl_status bl_yaml_leaf(void *payload, const char *key,
                               const char *text, int list);

/** Calls leaf for each value of a document whose root is a mapping, in file
 *  order; "name:line: " is put in front of the errors of leaf.
 *  Errors BL_EFORMAT: syntax, anchors, tags, keys twice, more than
 *  BL_YAML_LIMIT bytes. */
BL_MUST_USE bl_status bl_yaml_read(const char *name, const char *yaml,
                                   size_t bytes, bl_yaml_leaf *leaf,
                                   void *payload);

/** The same; while leaf is called, *line is that of its value. */
BL_MUST_USE bl_status bl_yaml_read_lines(const char *name, const char *yaml,
                                         size_t bytes, bl_yaml_leaf *leaf,
                                         void *payload, int *line);

#endif
