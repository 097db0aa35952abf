/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.c: values of an axis as text, and texts as numbers.
 *
 * The values stand in one text with commas between, in a file, on the command
 * line and in the tables of named studies.  Keys whose value is itself a list
 * of numbers (milestones) write it with "/" there: "160/180,120/160".
 *
 * Texts are numbered by a hash table, for a sweep may have as many of them as
 * cells: open addressing, never more than half full.
 */
#include <string.h>
#include <xxhash.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "study/study.h"

/* The control character that text begins with, 0 where there is none; of
 * UTF-8 also U+0080 to U+009F, which some terminals obey. */
static unsigned control_at(const char *text)
{
    const unsigned char a = (unsigned char)text[0];
    if (a < 0x20 || a == 0x7F) return a;
    const unsigned char b = (unsigned char)text[1]; /* a is not the end */
    return a == 0xC2 && b >= 0x80 && b < 0xA0 ? b : 0;
}

bl_status bl_label_check(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (control_at(at) != 0)
            return BL_RAISE(BL_EINVAL, "found the control character U+%04X "
                            "behind \"%.*s\", wanted a text of one line",
                            control_at(at), (int)(at - text < 40 ? at - text
                                                                 : 40), text);
    return BL_OK;
}

/* Hands over text[0..n) without the blanks around it. */
static bl_status take_trimmed(const char *text, size_t n, bl_label_take *take,
                              void *payload)
{
    bl_text label = {0};
    while (n > 0 && *text == ' ') text++, n--;
    while (n > 0 && text[n - 1] == ' ') n--;
    if (n == 0) return BL_RAISE(BL_EINVAL, "a value is empty");
    bl_text_add(&label, text, n);
    bl_status status = label.status;
    if (status >= 0) status = bl_label_check(label.text);
    if (status >= 0) status = take(payload, label.text);
    bl_text_free(&label);
    return status;
}

bl_status bl_labels_split(const char *text, bl_label_take *take,
                          void *payload)
{
    if (*text == '\0') return BL_RAISE(BL_EINVAL, "has no values");
    for (const char *at = text;;) {
        const size_t n = strcspn(at, ",");
        BL_TRY(take_trimmed(at, n, take, payload));
        if (at[n] == '\0') return BL_OK;
        at += n + 1;
    }
}

bl_status bl_label_set(bl_config *config, const char *key, const char *label,
                       bl_origin origin)
{
    const bl_param *const row = bl_param_find(bl_config_table(config), key);
    if (row == NULL || row->kind != BL_PARAM_REALS)
        return bl_config_set(config, key, label, origin);
    char *list = NULL;
    BL_TRY(bl_strdup(&list, label));
    for (char *at = list; *at != '\0'; at++)
        if (*at == '/') *at = ',';
    const bl_status status = bl_config_set(config, key, list, origin);
    bl_free(list);
    return status;
}

/* ---- numbers of texts ---------------------------------------------------- */

bl_status bl_numbering_make(bl_numbering *all, int64_t most)
{
    all->n_slots = 16;
    while (all->n_slots < 2 * most) all->n_slots *= 2;
    BL_TRY(bl_calloc(&all->texts, most, sizeof *all->texts));
    return bl_calloc(&all->slots, all->n_slots, sizeof *all->slots);
}

void bl_numbering_drop(bl_numbering *all)
{
    for (int64_t i = 0; i < all->n; i++) bl_free(all->texts[i]);
    bl_free(all->texts);
    bl_free(all->slots);
}

bl_status bl_numbering_of(int64_t *out, bl_numbering *all, const char *text)
{
    const uint64_t mask = (uint64_t)all->n_slots - 1;
    uint64_t at = XXH3_64bits(text, strlen(text)) & mask;
    for (; all->slots[at] != 0; at = (at + 1) & mask) {
        *out = all->slots[at] - 1;
        if (strcmp(all->texts[*out], text) == 0) return BL_OK;
    }
    BL_TRY(bl_strdup(&all->texts[all->n], text));
    *out = all->n++;
    all->slots[at] = all->n;
    return BL_OK;
}
