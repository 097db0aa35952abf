/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mix.c: the rows by name, and what all of them have in common.
 *
 * A step opens one stream and reads from it, in this order: whether the batch
 * is mixed at all, what the row draws, and the permutation.
 *
 * A batch is mixed in place.  x_i needs the old x_perm(i), so the permutation
 * is walked cycle by cycle: i, perm(i), perm(perm(i)), ... each image is still
 * its old self when the one before takes it in, but for the first, which is
 * kept aside until the last one wants it.  A copy of one image then does where
 * a copy of the batch would be the plain way.  Entries already walked are
 * marked by their complement, ~perm(i) < 0.
 */
#include "mix/mix.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"

/* BBN's alpha is drawn from streams of the same purpose below this index. */
static const uint64_t first_index = UINT64_C(1) << 40;

static const bl_mix_type *const types[] = {
    &bl_mix_none.type, &bl_mix_mixup.type, &bl_mix_remix.type,
    &bl_mix_cmo.type, &bl_mix_manifold.type, &bl_mix_manifold_two.type, NULL};

const bl_mix_type *const *bl_mix_types(void)
{
    return types;
}

const bl_mix_type *bl_mix_find(const char *name)
{
    for (int64_t i = 0; types[i] != NULL; i++)
        if (strcmp(types[i]->name, name) == 0) return types[i];
    return NULL;
}

static const bl_mix_kind *kind_of(const bl_mix_spec *spec)
{
    return (const bl_mix_kind *)spec->type; /* its first member */
}

static bool is_row(const bl_mix_type *type)
{
    for (int64_t i = 0; types[i] != NULL; i++)
        if (types[i] == type) return true;
    return false;
}

static bl_status check_integers(const bl_mix_spec *spec)
{
    const struct {
        const char *name;
        int64_t found, min, max;
    } rows[] = {
        {"mix.layer", spec->layer, BL_MIX_RANDOM, BL_MIX_POOL},
        {"mix.skip-first", spec->skip_first, 0, INT64_MAX},
        {"mix.skip-last", spec->skip_last, 0, INT64_MAX},
        {"mix: epochs", spec->epochs, 1, INT64_MAX},
        {"mix: classes", spec->n_class, 1, INT32_MAX},
        {"mix: height", spec->h, 1, INT32_MAX},
        {"mix: width", spec->w, 1, INT32_MAX},
        {"mix: channels", spec->c, 1, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].found < rows[i].min || rows[i].found > rows[i].max)
            return BL_RAISE(BL_EINVAL, "%s: %" PRId64 ", wanted %" PRId64
                            " to %" PRId64, rows[i].name, rows[i].found,
                            rows[i].min, rows[i].max);
    return BL_OK;
}

bl_status bl_mix_check(const bl_mix_spec *spec)
{
    if (!is_row(spec->type))
        return BL_RAISE(BL_EINVAL, "mix: a type that is not in the table");
    BL_TRY(check_integers(spec));
    if (!(spec->alpha >= 0) || !isfinite(spec->alpha))
        return BL_RAISE(BL_EINVAL, "mix.alpha: %g, wanted 0 or above",
                        spec->alpha);
    if (!(spec->probability >= 0 && spec->probability <= 1))
        return BL_RAISE(BL_EINVAL, "mix.probability: %g, wanted 0 to 1",
                        spec->probability);
    return kind_of(spec)->check != NULL ? kind_of(spec)->check(spec) : BL_OK;
}

double bl_mix_beta(const bl_mix_spec *spec, bl_rng *rng)
{
    return spec->alpha > 0 ? bl_rng_beta(rng, spec->alpha, spec->alpha) : 1;
}

/* ---- a step -------------------------------------------------------------- */

static bool in_season(const bl_mix_spec *spec, int64_t epoch)
{
    return epoch > spec->skip_first && epoch <= spec->epochs - spec->skip_last;
}

/* Fisher and Yates. */
static void shuffle(int32_t *perm, int64_t n, bl_rng *rng)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const uint64_t j = bl_rng_below(rng, (uint64_t)i + 1);
        const int32_t held = perm[i];
        perm[i] = perm[j];
        perm[j] = held;
    }
}

bl_mix_draw bl_mix_draw_at(const bl_mix_spec *spec, int64_t epoch,
                           int64_t step, int64_t n, int32_t *perm)
{
    static const bl_mix_draw nothing = {.lambda = 1};
    const bl_mix_kind *const kind = kind_of(spec);
    bl_mix_draw draw = nothing;
    for (int64_t i = 0; perm != NULL && i < n; i++) perm[i] = (int32_t)i;
    if (kind->draw == NULL || !in_season(spec, epoch)) return nothing;
    bl_rng rng = bl_rng_at(spec->seed, BL_PURPOSE_MIX, (uint32_t)epoch,
                           first_index | (uint64_t)step);
    if (!(bl_rng_unit(&rng) < spec->probability)) return nothing;
    kind->draw(&draw, spec, &rng);
    if (!(draw.lambda < 1)) return nothing;
    draw.mixed = true;
    if (perm != NULL) shuffle(perm, n, &rng);
    return draw;
}

/* ---- pixels -------------------------------------------------------------- */

bool bl_mix_at_input(const bl_mix_draw *draw)
{
    return draw->mixed && draw->location == BL_MIX_INPUT;
}

void bl_mix_pair(float *a, const float *b, const bl_mix_spec *spec,
                 const bl_mix_draw *draw)
{
    kind_of(spec)->pixels(a, b, spec, draw);
}

void bl_mix_batch(float *x, int32_t *perm, int64_t n, float *spare,
                  const bl_mix_spec *spec, const bl_mix_draw *draw)
{
    const int64_t size = (int64_t)spec->h * spec->w * spec->c;
    for (int64_t first = 0; first < n; first++) {
        int64_t i = first;
        if (perm[first] < 0) continue;
        memcpy(spare, x + first * size, (size_t)size * sizeof *spare);
        do {
            const int64_t next = perm[i];
            bl_mix_pair(x + i * size,
                        next == first ? spare : x + next * size, spec, draw);
            perm[i] = ~perm[i];
            i = next;
        } while (i != first);
    }
    for (int64_t i = 0; i < n; i++) perm[i] = ~perm[i];
}

/* ---- labels -------------------------------------------------------------- */

void bl_mix_labels(int32_t *y, double *weight, const int32_t *perm, int64_t n,
                   const bl_mix_spec *spec, const bl_mix_draw *draw)
{
    const bl_mix_kind *const kind = kind_of(spec);
    int32_t *const y_1 = y + n; /* [n] */
    for (int64_t i = 0; i < n; i++) {
        if (perm != NULL) y_1[i] = y[perm[i]];
        else if (!draw->mixed) y_1[i] = y[i];
        weight[i] = draw->mixed && kind->weight != NULL
                        ? kind->weight(spec, draw, y[i], y_1[i])
                        : draw->lambda;
        weight[n + i] = 1 - weight[i];
    }
}
