/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c: draws images by a row of bl_sampler_types.
 *
 * Draw i of an epoch opens the stream (seed, DRAW, epoch, stream << 40 | i)
 * and takes all its random numbers from there.  No draw depends on the one
 * before, so any thread may ask for any i, and a stopped run goes on at i.
 *
 * A class is drawn by Walker's alias method in Vose's form ("A linear
 * algorithm for generating random numbers with a given distribution", IEEE
 * Trans. Software Eng. 17(9), 1991): C columns of height one, each shared by
 * at most two classes.  A draw is then one column and one comparison, where
 * the search in a cumulative sum costs log C; the distribution is the same.
 *
 * The image within the class comes from a list of positions sorted by class:
 * class c owns by_class[start[c] .. start[c + 1]).
 *
 * A type whose weights move with training gets its tables anew at each epoch,
 * in memory taken at creation; there its weights are checked at both ends of
 * the way, so that begin() cannot fail.
 */
#include "sampler/sampler.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/error.h"
#include "core/group.h"
#include "core/mem.h"

enum { DRAW_BITS = 40, MAX_STREAM = 255 }; /* stream << 40 stays below 2^48 */

struct bl_sampler {
    const bl_sampler_type *type;
    uint64_t seed;
    uint32_t stream, epoch, first, span;
    int64_t n;
    int32_t n_class;
    int64_t *order;    /* [n] of this epoch, NULL unless type permutes   */
    int64_t *start;    /* [C + 1]                                        */
    int64_t *by_class; /* [n] positions, class by class                  */
    double *p;         /* [C] probability of a class in one draw         */
    double *keep;      /* [C] share of column c that belongs to class c  */
    int32_t *alias;    /* [C] class that owns the rest of column c       */
    int32_t *stack;    /* [C] columns to be levelled, for set_alias      */
};

static const bl_sampler_type *const types[] = {
    &bl_sampler_permutation, &bl_sampler_uniform, &bl_sampler_balanced,
    &bl_sampler_reversed, &bl_sampler_sqrt, &bl_sampler_progressive, NULL,
};

const bl_sampler_type *const *bl_sampler_types(void)
{
    return types;
}

const bl_sampler_type *bl_sampler_find(const char *name)
{
    for (int64_t i = 0; types[i] != NULL; i++)
        if (strcmp(types[i]->name, name) == 0) return types[i];
    return NULL;
}

/* ---- tables -------------------------------------------------------------- */

static bl_status check(const bl_sampler_type *type, const int32_t *labels,
                       int64_t n, int32_t n_class, uint32_t stream)
{
    if (type == NULL) return BL_RAISE(BL_EINVAL, "a sampler without a type");
    if (n < 1 || n >= INT64_C(1) << DRAW_BITS)
        return BL_RAISE(BL_EINVAL, "sampler %s: %" PRId64 " images, wanted "
                        "1 to 2^%d - 1", type->name, n, DRAW_BITS);
    if (n_class < 1)
        return BL_RAISE(BL_EINVAL, "sampler %s: %" PRId32 " classes, wanted "
                        ">= 1", type->name, n_class);
    if (stream > MAX_STREAM)
        return BL_RAISE(BL_EINVAL, "sampler %s: stream %" PRIu32 ", wanted "
                        "<= %d", type->name, stream, MAX_STREAM);
    for (int64_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= n_class)
            return BL_RAISE(BL_EINVAL, "sampler %s: label %" PRId64 " is %"
                            PRId32 ", wanted [0, %" PRId32 "]", type->name, i,
                            labels[i], n_class - 1);
    return BL_OK;
}

static bl_status allocate(bl_sampler *s)
{
    BL_TRY(bl_calloc(&s->start, (int64_t)s->n_class + 1, sizeof *s->start));
    BL_TRY(bl_calloc(&s->by_class, s->n, sizeof *s->by_class));
    BL_TRY(bl_calloc(&s->p, s->n_class, sizeof *s->p));
    BL_TRY(bl_calloc(&s->keep, s->n_class, sizeof *s->keep));
    BL_TRY(bl_calloc(&s->alias, s->n_class, sizeof *s->alias));
    BL_TRY(bl_calloc(&s->stack, s->n_class, sizeof *s->stack));
    if (!s->type->permutes) return BL_OK;
    return bl_calloc(&s->order, s->n, sizeof *s->order);
}

static int64_t count(const bl_sampler *s, int32_t c)
{
    return s->start[c + 1] - s->start[c];
}

/* w_c at t of the way into p, or n_c where no class is drawn first. */
static void weigh(bl_sampler *s, double t)
{
    bl_class_view view = {.n_total = s->n, .n_class = s->n_class, .t = t};
    for (int32_t c = 0; c < s->n_class; c++)
        if (count(s, c) > view.n_max) view.n_max = count(s, c);
    for (int32_t c = 0; c < s->n_class; c++) {
        view.n = count(s, c);
        s->p[c] = s->type->class_weight != NULL ? s->type->class_weight(&view)
                                                : (double)view.n;
    }
}

static bl_status check_weights(bl_sampler *s, double t)
{
    weigh(s, t);
    for (int32_t c = 0; c < s->n_class; c++) {
        if (count(s, c) == 0 && s->p[c] != 0)
            return BL_RAISE(BL_EINVAL, "sampler %s: class %" PRId32 " has no "
                            "image, wanted at least one", s->type->name, c);
        if (!(s->p[c] >= 0) || !isfinite(s->p[c]))
            return BL_RAISE(BL_EINVAL, "sampler %s: class %" PRId32 " has "
                            "weight %g, wanted a finite one >= 0",
                            s->type->name, c, s->p[c]);
    }
    return BL_OK;
}

/* p_c = w_c / sum w. */
static void set_p(bl_sampler *s, double t)
{
    double sum = 0;
    weigh(s, t);
    for (int32_t c = 0; c < s->n_class; c++) sum += s->p[c];
    for (int32_t c = 0; c < s->n_class; c++) s->p[c] /= sum;
}

/* Vose: a column below height one is filled up by a class above it.  `stack`
 * holds the low columns from its bottom and the high ones from its top.  What
 * is left over differs from one by rounding alone; a class that is never to be
 * drawn may be among it, and leaves its column to the likeliest. */
static void set_alias(bl_sampler *s)
{
    int32_t *const stack = s->stack; /* [C] */
    int32_t low = 0, high = s->n_class, likeliest = 0;
    for (int32_t c = 0; c < s->n_class; c++)
        if (s->p[c] > s->p[likeliest]) likeliest = c;
    for (int32_t c = 0; c < s->n_class; c++) {
        s->keep[c] = s->p[c] * s->n_class;
        s->alias[c] = likeliest;
        if (s->keep[c] < 1) stack[low++] = c;
        else stack[--high] = c;
    }
    while (low > 0 && high < s->n_class) {
        const int32_t small = stack[--low], big = stack[high];
        s->alias[small] = big;
        s->keep[big] -= 1 - s->keep[small];
        if (s->keep[big] < 1) {
            high++;
            stack[low++] = big;
        }
    }
    for (; low > 0; low--) s->keep[stack[low - 1]] = s->p[stack[low - 1]] > 0;
    for (; high < s->n_class; high++) s->keep[stack[high]] = 1;
}

static void set_tables(bl_sampler *s, double t)
{
    set_p(s, t);
    set_alias(s);
}

/* ---- public -------------------------------------------------------------- */

bl_status bl_sampler_create(bl_sampler **out, const bl_sampler_type *type,
                            const int32_t *labels, int64_t n, int32_t n_class,
                            uint64_t seed, uint32_t stream)
{
    bl_sampler *s = NULL;
    bl_status status = BL_OK;
    BL_TRY(check(type, labels, n, n_class, stream));
    BL_TRY(bl_calloc(&s, 1, sizeof *s));
    *s = (bl_sampler){.type = type, .seed = seed, .stream = stream, .n = n,
                      .n_class = n_class, .span = 1};
    BL_CHECK(allocate(s));
    bl_group(s->start, s->by_class, labels, n, n_class);
    BL_CHECK(check_weights(s, 0));
    if (type->moves) BL_CHECK(check_weights(s, 1));
    set_tables(s, 0);
    bl_sampler_begin(s, 1);
    *out = s;
    s = NULL;
done:
    bl_sampler_free(s);
    return status;
}

void bl_sampler_free(bl_sampler *sampler)
{
    if (sampler == NULL) return;
    bl_free(sampler->order);
    bl_free(sampler->start);
    bl_free(sampler->by_class);
    bl_free(sampler->p);
    bl_free(sampler->keep);
    bl_free(sampler->alias);
    bl_free(sampler->stack);
    bl_free(sampler);
}

void bl_sampler_span(bl_sampler *sampler, uint32_t first, uint32_t epochs)
{
    sampler->first = first;
    sampler->span = epochs;
}

/* How far epoch e is on the way of E epochs behind `first`, in [0, 1]. */
static double progress(uint32_t e, uint32_t first, uint32_t E)
{
    if (e <= first || e - first <= 1) return 0;
    const uint32_t own = e - first;
    return own < E ? (double)(own - 1) / (double)(E - 1) : 1;
}

void bl_sampler_begin(bl_sampler *sampler, uint32_t epoch)
{
    int64_t *order = sampler->order; /* [n] */
    sampler->epoch = epoch;
    if (sampler->type->moves)
        set_tables(sampler, progress(epoch, sampler->first, sampler->span));
    if (order == NULL) return;
    bl_rng rng = bl_rng_at(sampler->seed, BL_PURPOSE_ORDER, epoch,
                           sampler->stream);
    for (int64_t i = 0; i < sampler->n; i++) order[i] = i;
    for (int64_t i = sampler->n - 1; i > 0; i--) {
        const uint64_t j = bl_rng_below(&rng, (uint64_t)i + 1);
        const int64_t held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}

int64_t bl_sampler_at(const bl_sampler *sampler, int64_t i)
{
    const bl_sampler *s = sampler;
    if (s->order != NULL) return s->order[i];
    bl_rng rng = bl_rng_at(s->seed, BL_PURPOSE_DRAW, s->epoch,
                           (uint64_t)s->stream << DRAW_BITS | (uint64_t)i);
    if (s->type->class_weight == NULL)
        return (int64_t)bl_rng_below(&rng, (uint64_t)s->n);
    const int32_t column = (int32_t)bl_rng_below(&rng, (uint64_t)s->n_class);
    const int32_t c =
        bl_rng_unit(&rng) < s->keep[column] ? column : s->alias[column];
    const uint64_t member = bl_rng_below(&rng, (uint64_t)count(s, c));
    return s->by_class[s->start[c] + (int64_t)member];
}

void bl_sampler_class_p(const bl_sampler *sampler, double *p)
{
    memcpy(p, sampler->p, (size_t)sampler->n_class * sizeof *p);
}
