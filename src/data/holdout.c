/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdout.c: cuts a part of every class off, for validation.
 *
 * The benchmarks of this field have no validation split, so settings and the
 * best epoch are often chosen on the test set.  A part cut off the training
 * set, in the same proportion from each class, is the honest way; at least one
 * image of each class stays on either side.
 *
 * Class c is shuffled by the stream (seed, SPLIT, 0, c) and its first images
 * are cut, so a class's choice does not depend on the other classes.  Both
 * lists keep the order of the split.
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/error.h"
#include "core/mem.h"
#include "data/split.h"

/* Images of n to cut: the nearest count that leaves one on either side. */
static int64_t part(int64_t n, double fraction)
{
    const int64_t wanted = (int64_t)floor((double)n * fraction + 0.5);
    return wanted < 1 ? 1 : wanted > n - 1 ? n - 1 : wanted;
}

/* Marks the images to cut in is_cut [n] and counts them. */
static bl_status mark(uint8_t *is_cut, int64_t *n_cut, bl_classes *classes,
                      double fraction, uint64_t seed)
{
    *n_cut = 0;
    for (int32_t c = 0; c < classes->n_class; c++) {
        int64_t *member = classes->member + classes->start[c];
        const int64_t n = classes->start[c + 1] - classes->start[c];
        if (n == 0) continue;
        if (n == 1)
            return BL_RAISE(BL_EINVAL, "holdout: class %" PRId32 " has one "
                            "image, wanted at least two", c);
        const int64_t n_part = part(n, fraction);
        bl_rng rng = bl_rng_at(seed, BL_PURPOSE_SPLIT, 0, (uint64_t)c);
        for (int64_t i = 0; i < n_part; i++) {
            const int64_t j =
                i + (int64_t)bl_rng_below(&rng, (uint64_t)(n - i));
            is_cut[member[j]] = 1;
            member[j] = member[i];
        }
        *n_cut += n_part;
    }
    return BL_OK;
}

bl_status bl_holdout(int64_t **kept, int64_t *n_kept, int64_t **cut,
                     int64_t *n_cut, const bl_split *split, double fraction,
                     uint64_t seed)
{
    bl_classes classes = {0};
    uint8_t *is_cut = NULL;              /* [n]                  */
    int64_t *list[2] = {NULL, NULL};     /* [n - n_part][n_part] */
    int64_t n_part = 0, at[2] = {0, 0};
    bl_status status = BL_OK;
    if (!(fraction > 0 && fraction < 1))
        return BL_RAISE(BL_EINVAL, "holdout %g, wanted a fraction in (0, 1)",
                        fraction);
    BL_CHECK(bl_split_group(&classes, split));
    BL_CHECK(bl_calloc(&is_cut, split->n, 1));
    BL_CHECK(mark(is_cut, &n_part, &classes, fraction, seed));
    BL_CHECK(bl_calloc(&list[0], split->n - n_part, sizeof *list[0]));
    BL_CHECK(bl_calloc(&list[1], n_part, sizeof *list[1]));
    for (int64_t i = 0; i < split->n; i++)
        list[is_cut[i]][at[is_cut[i]]++] = i;
    *kept = list[0];
    *n_kept = at[0];
    *cut = list[1];
    *n_cut = at[1];
    list[0] = list[1] = NULL;
done:
    bl_classes_free(&classes);
    bl_free(is_cut);
    bl_free(list[0]);
    bl_free(list[1]);
    return status;
}
