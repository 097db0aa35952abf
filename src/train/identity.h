/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h: what a run computes, in sixteen digits.
 */
#ifndef BL_TRAIN_IDENTITY_H
#define BL_TRAIN_IDENTITY_H

#include <stdbool.h>

#include "ballast/config.h"

enum { BL_IDENTITY_ROOM = 16 + 1 };

/** Keys that change how a run is made, not what comes out. */
bool bl_identity_passes_over(const char *key);

/** Does a key count?  One that changes what comes out does, if it is read by
 *  one of readers, settled configurations that end with NULL; readers NULL:
 *  every one is taken to be read. */
bool bl_identity_counts(const char *key, const bl_config *const *readers);

/** Hash of a settled configuration, in lower-case hex, of the keys that
 *  count.  parent: what counts instead of the path init.weights, NULL: the
 *  path. */
BL_MUST_USE bl_status bl_identity_hash(char hex[BL_IDENTITY_ROOM],
                                       const bl_config *config,
                                       const char *parent,
                                       const bl_config *const *readers);

#endif
