/* SPDX-License-Identifier: Apache-2.0 */
/*
 * longtail.c: cuts a long tail out of a balanced split.
 *
 * The images are those of the reference generator (Cao et al., NeurIPS 2019,
 * arXiv:1906.07413), because another subset moves the test error by more than
 * most methods differ.  That generator seeds NumPy's legacy MT19937 with 0
 * once, and for class 0, 1, ... shuffles the ascending list of *all* images of
 * the class and keeps the first n_i.  The whole list is shuffled even where
 * few are kept: the state the generator hands to the next class depends on it.
 *
 * n_max is N / C as a real number and counts are truncated towards zero, as
 * Python's int() does.  pow() of any libm will do: for the factors in use,
 * no n_max r^x of an inner class is nearer than 6e-4 to an integer, and the
 * two ends are exact.
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/mt19937.h"
#include "data/split.h"

/* ---- profiles ------------------------------------------------------------ */

static int64_t count_exp(double n_max, double r, int32_t i, int32_t n_class)
{
    if (n_class < 2) return (int64_t)n_max;
    return (int64_t)(n_max * pow(r, i / (n_class - 1.0)));
}

static int64_t count_step(double n_max, double r, int32_t i, int32_t n_class)
{
    return (int64_t)(i < n_class / 2 ? n_max : n_max * r);
}

static const bl_profile exponential = {
    .name = "exp",
    .summary = "n_max r^(i / (C - 1)): each class smaller by a factor",
    .count = count_exp,
};

static const bl_profile step = {
    .name = "step",
    .summary = "first half of the classes n_max, the others n_max r",
    .count = count_step,
};

static const bl_profile *const profiles[] = {&exponential, &step, NULL};

const bl_profile *const *bl_profiles(void)
{
    return profiles;
}

static bl_status find_profile(const bl_profile **out, const char *name)
{
    for (int64_t i = 0; profiles[i] != NULL; i++) {
        if (strcmp(profiles[i]->name, name) != 0) continue;
        *out = profiles[i];
        return BL_OK;
    }
    return BL_RAISE(BL_EINVAL, "profile '%s' is not known, wanted exp or step",
                    name);
}

/* ---- cutting ------------------------------------------------------------- */

/* Counts of all classes, n_c [C], and their sum. */
static bl_status set_counts(int64_t *n_c, int64_t *total,
                            const bl_classes *classes, int64_t n,
                            const bl_profile *profile, double imbalance)
{
    const int32_t n_class = classes->n_class;
    const double n_max = (double)n / n_class;
    *total = 0;
    for (int32_t c = 0; c < n_class; c++) {
        const int64_t found = classes->start[c + 1] - classes->start[c];
        n_c[c] = profile->count(n_max, 1 / imbalance, c, n_class);
        if (n_c[c] < 1)
            return BL_RAISE(BL_EINVAL, "imbalance %g leaves class %" PRId32
                            " without an image; a head of %g allows at most "
                            "%g", imbalance, c, n_max, floor(n_max));
        if (n_c[c] > found)
            return BL_RAISE(BL_EINVAL, "long tail: class %" PRId32 " has %"
                            PRId64 " images, wanted %" PRId64 "; is the set "
                            "balanced?", c, found, n_c[c]);
        *total += n_c[c];
    }
    return BL_OK;
}

/* Shuffles each class's ordinals and keeps the first n_c of them. */
static bl_status choose(int64_t *index, int64_t *ordinals,
                        const bl_classes *classes, const int64_t *n_c)
{
    int64_t *deck = NULL; /* [largest class] */
    int64_t largest = 0, done = 0;
    bl_mt19937 mt;
    for (int32_t c = 0; c < classes->n_class; c++) {
        const int64_t n = classes->start[c + 1] - classes->start[c];
        if (n > largest) largest = n;
    }
    if (largest > UINT32_MAX)
        return BL_RAISE(BL_EINVAL, "long tail: a class of %" PRId64 " images, "
                        "wanted at most 2^32 - 1", largest);
    BL_TRY(bl_calloc(&deck, largest, sizeof *deck));
    bl_mt19937_seed(&mt, 0);
    for (int32_t c = 0; c < classes->n_class; c++) {
        const int64_t *member = classes->member + classes->start[c];
        const int64_t n = classes->start[c + 1] - classes->start[c];
        for (int64_t i = 0; i < n; i++) deck[i] = i;
        bl_mt19937_shuffle(&mt, deck, n);
        for (int64_t i = 0; i < n_c[c]; i++, done++) {
            ordinals[done] = deck[i];
            index[done] = member[deck[i]];
        }
    }
    bl_free(deck);
    return BL_OK;
}

/* Hands *memory over to *out, if the caller wants it. */
static void hand_over(int64_t **out, int64_t **memory)
{
    if (out == NULL) return;
    *out = *memory;
    *memory = NULL;
}

bl_status bl_longtail(int64_t **index, int64_t **ordinals, int64_t *n,
                      const bl_split *split, const char *profile,
                      double imbalance)
{
    const bl_profile *row = NULL;
    bl_classes classes = {0};
    int64_t *n_c = NULL, *chosen = NULL, *ordinal = NULL, total = 0;
    bl_status status = BL_OK;
    if (!(imbalance >= 1) || !isfinite(imbalance))
        return BL_RAISE(BL_EINVAL, "imbalance %g, wanted a finite factor >= 1",
                        imbalance);
    BL_TRY(find_profile(&row, profile));
    BL_CHECK(bl_split_group(&classes, split));
    BL_CHECK(bl_calloc(&n_c, split->n_class, sizeof *n_c));
    BL_CHECK(set_counts(n_c, &total, &classes, split->n, row, imbalance));
    BL_CHECK(bl_calloc(&chosen, total, sizeof *chosen));
    BL_CHECK(bl_calloc(&ordinal, total, sizeof *ordinal));
    BL_CHECK(choose(chosen, ordinal, &classes, n_c));
    *n = total;
    hand_over(index, &chosen);
    hand_over(ordinals, &ordinal);
done:
    bl_classes_free(&classes);
    bl_free(n_c);
    bl_free(chosen);
    bl_free(ordinal);
    return status;
}

uint32_t bl_subset_crc32(const int64_t *ordinals, int64_t n)
{
    uLong crc = crc32(0, NULL, 0);
    for (int64_t i = 0; i < n; i++) {
        const uint32_t v = (uint32_t)ordinals[i];
        const Bytef bytes[] = {(Bytef)(v & 255), (Bytef)(v >> 8 & 255),
                               (Bytef)(v >> 16 & 255), (Bytef)(v >> 24)};
        crc = crc32(crc, bytes, sizeof bytes);
    }
    return (uint32_t)crc;
}
