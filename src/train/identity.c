/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c: what a run computes, in sixteen digits.
 *
 * XXH3 of the keys whose values differ from their defaults, a line each in
 * the order of the table.  So a key that a later version brings changes no
 * identity that is noted in a checkpoint or names the folder of a cell.  Keys
 * that change only how fast a run is made, or how its classes are grouped, are
 * left out.
 *
 * A key that is set and not read counts or not, as the caller likes.  A study
 * looks for what is computed, and leaves it out; a second stage has the keys
 * that its first reads, since its weights come of them.  A checkpoint notes
 * every key, as it always has, so that those that are there can be resumed.
 */
#include "train/identity.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "ballast/train.h"
#include "core/error.h"
#include "core/text.h"

static const char *const passed_over[] = {
    "data-dir", "threads", "loader.threads", "checkpoint.minutes",
    "many-above", "few-below"};

bool bl_identity_passes_over(const char *key)
{
    for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
        if (strcmp(passed_over[i], key) == 0) return true;
    return false;
}

bool bl_identity_counts(const char *key, const bl_config *const *readers)
{
    bool read = readers == NULL;
    for (; !read && *readers != NULL; readers++)
        read = bl_train_use(*readers, key) != BL_KEY_IDLE;
    return read && !bl_identity_passes_over(key);
}

static void add_settings(bl_text *text, const bl_config *config,
                         const bl_config *plain, const char *parent,
                         const bl_config *const *readers)
{
    const bl_param *row = bl_config_table(config);
    for (; row->name != NULL; row++) {
        const bool weights = strcmp(row->name, "init.weights") == 0;
        const char *const value = weights && parent != NULL
                                      ? parent
                                      : bl_config_text(config, row->name);
        if (strcmp(value, bl_config_text(plain, row->name)) != 0 &&
            bl_identity_counts(row->name, readers))
            bl_text_printf(text, "%s=%s\n", row->name, value);
    }
}

bl_status bl_identity_hash(char hex[BL_IDENTITY_ROOM], const bl_config *config,
                           const char *parent,
                           const bl_config *const *readers)
{
    bl_status status;
    bl_config *plain = NULL;
    bl_text text = {0};
    BL_CHECK(bl_train_config(&plain));
    add_settings(&text, config, plain, parent, readers);
    BL_CHECK(text.status);
    const char *const bytes = text.text != NULL ? text.text : "";
    (void)snprintf(hex, BL_IDENTITY_ROOM, "%016llx",
                   (unsigned long long)XXH3_64bits(bytes, text.bytes));
done:
    bl_text_free(&text);
    bl_config_free(plain);
    return status;
}
