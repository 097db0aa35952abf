/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c: batches made ahead of time.
 *
 * A ring of `ahead` slots, each a whole batch.  A worker claims the next step
 * of the epoch, fills slot step % ahead on its own, and marks it ready; the
 * caller takes step after step, waiting for the one it wants.  Whole batches
 * and not parts of one, because then workers share nothing while they work and
 * one mutex, taken twice a batch, is enough.
 *
 *   released <= taken <= claimed <= released + ahead,   taken <= released + 1
 *
 * The fields of the second group below are guarded by the mutex.  A slot's
 * memory belongs to a worker from claim to ready and to the caller until it is
 * released.  All slots are allocated with the loader, `ahead` batches and no
 * more.
 *
 * begin() claims nothing further, waits until no worker is busy, and only then
 * lets the samplers permute: workers read samplers only while they are busy.
 *
 * A worker mixes the batch it has filled, in the slot.  Of a second part only
 * what is needed is made: nothing where the batch is not mixed; image by image
 * in the slot's spare one where pixels are mixed; a whole part where the
 * network mixes.
 *
 * Workers block all signals, so that a handler runs in the caller's threads.
 */
#include "data/loader.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "ballast/rng.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "data/augment.h"
#include "data/autoaugment.h"
#include "data/split.h"

enum { DRAW_BITS = 40, MAX_STREAMS = 16, MAX_THREADS = 1024, MAX_PAD = 4096,
       MAX_CUTOUT = 4096 };

typedef struct slot {
    float *x;         /* [parts_most * batch][h][w][c]     */
    int32_t *y;       /* [targets * batch]                 */
    int64_t *index;   /* [streams * batch]                 */
    float *spare;     /* [h][w][c], NULL without mixing    */
    uint8_t *room;    /* [3][h][w][c], NULL where no work  */
                      /*   is done in 8 bits               */
    int32_t *perm;    /* [batch], NULL without mixing      */
    double *lambda;   /* [targets * batch], or NULL        */
    bl_mix_draw draw; /* of the batch in x                 */
    int ready;
    bl_error error; /* status < 0: why the batch could not be made */
} slot;

struct bl_loader {
    bl_loader_spec spec;
    bl_sampler *samplers[MAX_STREAMS]; /* [streams] */
    bl_mix_spec mix;
    int32_t targets;    /* labels a sample             */
    int32_t parts_most; /* images a sample in x        */
    bool mixing;        /* a mix other than none      */
    bl_pixel_table table;
    slot *slots;        /* [ahead]   */
    pthread_t *threads; /* [started] */
    int32_t started;

    pthread_mutex_t mutex;
    pthread_cond_t work; /* a step may be claimed, or it is time to stop */
    pthread_cond_t news; /* a batch is ready, or a worker has come idle  */
    int64_t epoch;       /* 0: none begun                                */
    int64_t claimed;     /* steps given to workers                       */
    int64_t taken;       /* steps given to the caller                    */
    int64_t released;    /* steps the caller is done with                */
    int32_t busy;        /* workers at work                              */
    int stop;

    double waited; /* s; the caller's alone */
};

/* ---- one batch ----------------------------------------------------------- */

static int64_t images_at(const bl_loader_spec *spec, int64_t step)
{
    const int64_t left = spec->split->n - step * spec->batch;
    return left < spec->batch ? left : spec->batch;
}

/* Whether images are worked on in 8 bits before they are normalised. */
static bool distorts(const bl_loader_spec *spec)
{
    return spec->autoaugment || spec->cutout > 0;
}

/* Crop and mirror, AutoAugment, Cutout, normalisation; draws in this order. */
static void distort(const bl_loader *l, const slot *s, float *x,
                    const uint8_t *pixels, bl_crop crop, bl_rng *rng)
{
    const bl_split *split = l->spec.split;
    const bl_image_size size = {split->h, split->w, split->c};
    const size_t bytes = bl_split_image_bytes(split);
    uint8_t *image = s->room;
    bl_crop_pixels(image, pixels, size.h, size.w, size.c, l->spec.pad, crop);
    if (l->spec.autoaugment) {
        const bl_autoaugment draw = bl_autoaugment_draw(rng);
        bl_autoaugment_apply(image + bytes, image, image + 2 * bytes, size,
                             &draw);
        image += bytes;
    }
    if (l->spec.cutout > 0)
        bl_hole_apply(image, size.h, size.w, size.c, l->spec.cutout,
                      bl_hole_draw(rng, size.h, size.w));
    bl_pixel_run(x, image, (int64_t)size.h * size.w, size.c, 1, &l->table);
}

/* Draw `draw` of part `part` into x; label and position at `at` of a batch. */
static bl_status make_image(const bl_loader *l, slot *s, float *x, int64_t at,
                            int64_t epoch, int32_t part, int64_t draw)
{
    const bl_split *split = l->spec.split;
    const int64_t bytes = (int64_t)bl_split_image_bytes(split);
    const int64_t i = bl_sampler_at(l->samplers[part], draw);
    if (i < 0 || i >= split->n)
        return BL_RAISE(BL_EINVAL, "sampler of part %" PRId32 ", draw %" PRId64
                        ": position %" PRId64 ", wanted [0, %" PRId64 "]",
                        part, draw, i, split->n - 1);
    bl_rng rng = bl_rng_at(l->spec.seed, BL_PURPOSE_AUGMENT, (uint32_t)epoch,
                           (uint64_t)part << DRAW_BITS | (uint64_t)draw);
    const bl_crop crop = bl_crop_draw(&rng, l->spec.pad, l->spec.flip);
    if (s->room != NULL)
        distort(l, s, x, split->pixels + i * bytes, crop, &rng);
    else
        bl_crop_apply(x, split->pixels + i * bytes, split->h, split->w,
                      split->c, l->spec.pad, crop, &l->table);
    s->y[at] = split->labels[i];
    s->index[at] = i;
    return BL_OK;
}

static bl_status make_part(const bl_loader *l, slot *s, int64_t epoch,
                           int64_t step, int32_t part)
{
    const int64_t n = images_at(&l->spec, step);
    const int64_t size = (int64_t)bl_split_image_bytes(l->spec.split);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = part * n + i;
        BL_TRY(make_image(l, s, s->x + at * size, at, epoch, part,
                          step * l->spec.batch + i));
    }
    return BL_OK;
}

/* Each image of part 1 is made in the spare one and put into its own of part
 * 0. */
static bl_status mix_parts(const bl_loader *l, slot *s, int64_t epoch,
                           int64_t step)
{
    const int64_t n = images_at(&l->spec, step);
    const int64_t size = (int64_t)bl_split_image_bytes(l->spec.split);
    for (int64_t i = 0; i < n; i++) {
        BL_TRY(make_image(l, s, s->spare, n + i, epoch, 1,
                          step * l->spec.batch + i));
        bl_mix_pair(s->x + i * size, s->spare, &l->mix, &s->draw);
    }
    return BL_OK;
}

/* Part 1 of a row of two parts. */
static bl_status make_second(const bl_loader *l, slot *s, int64_t epoch,
                             int64_t step)
{
    const int64_t n = images_at(&l->spec, step);
    if (bl_mix_at_input(&s->draw)) return mix_parts(l, s, epoch, step);
    if (s->draw.mixed) return make_part(l, s, epoch, step, 1);
    memcpy(s->index + n, s->index, (size_t)n * sizeof *s->index);
    return BL_OK;
}

static bl_status make_mixed(const bl_loader *l, slot *s, int64_t epoch,
                            int64_t step)
{
    const int64_t n = images_at(&l->spec, step);
    int32_t *const perm = l->mix.type->parts == 1 ? s->perm : NULL;
    s->draw = bl_mix_draw_at(&l->mix, epoch, step, n, perm);
    BL_TRY(make_part(l, s, epoch, step, 0));
    if (perm == NULL) BL_TRY(make_second(l, s, epoch, step));
    else if (bl_mix_at_input(&s->draw))
        bl_mix_batch(s->x, perm, n, s->spare, &l->mix, &s->draw);
    bl_mix_labels(s->y, s->lambda, perm, n, &l->mix, &s->draw);
    return BL_OK;
}

static bl_status make_batch(const bl_loader *l, slot *s, int64_t epoch,
                            int64_t step)
{
    if (l->mixing) return make_mixed(l, s, epoch, step);
    for (int32_t part = 0; part < l->spec.streams; part++)
        BL_TRY(make_part(l, s, epoch, step, part));
    return BL_OK;
}

/* ---- workers ------------------------------------------------------------- */

static int may_claim(const bl_loader *l)
{
    return l->claimed < l->spec.steps &&
           l->claimed < l->released + l->spec.ahead;
}

static void *worker(void *argument)
{
    bl_loader *l = argument;
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        while (!l->stop && !may_claim(l))
            pthread_cond_wait(&l->work, &l->mutex);
        if (l->stop) break;
        const int64_t step = l->claimed++, epoch = l->epoch;
        slot *s = &l->slots[step % l->spec.ahead];
        l->busy++;
        pthread_mutex_unlock(&l->mutex);

        const bl_status status = make_batch(l, s, epoch, step);
        if (status < 0) s->error = *bl_error_last();
        else s->error.status = BL_OK;

        pthread_mutex_lock(&l->mutex);
        l->busy--;
        s->ready = 1;
        pthread_cond_signal(&l->news);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static bl_status start(bl_loader *l)
{
    sigset_t all, before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (error == 0 && l->started < l->spec.threads) {
        error = pthread_create(&l->threads[l->started], NULL, worker, l);
        if (error == 0) l->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return BL_OK;
    return BL_RAISE(BL_ENOMEM, "loader: the system gave %" PRId32 " of %"
                    PRId32 " threads (error %d)", l->started,
                    l->spec.threads, error);
}

/* ---- create and free ----------------------------------------------------- */

static bl_status check_counts(const bl_loader_spec *spec)
{
    const struct {
        const char *name;
        int64_t found, min, max;
    } rows[] = {
        {"streams", spec->streams, 1, MAX_STREAMS},
        {"batch", spec->batch, 1, INT32_MAX},
        {"steps", spec->steps, 1, INT64_C(1) << DRAW_BITS},
        {"pad", spec->pad, 0, MAX_PAD},
        {"cutout", spec->cutout, 0, MAX_CUTOUT},
        {"threads", spec->threads, 1, MAX_THREADS},
        {"ahead", spec->ahead, 2, INT32_MAX},
        {"channels of the normalisation", spec->normalization.c,
         spec->split->c, spec->split->c},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].found < rows[i].min || rows[i].found > rows[i].max)
            return BL_RAISE(BL_EINVAL, "loader: %s %" PRId64 ", wanted %"
                            PRId64 " to %" PRId64, rows[i].name,
                            rows[i].found, rows[i].min, rows[i].max);
    return BL_OK;
}

static bool mixes(const bl_loader_spec *spec)
{
    return spec->mix != NULL && spec->mix->type != bl_mix_find("none");
}

static bl_status check_mix(const bl_loader_spec *spec)
{
    const bl_mix_spec *const mix = spec->mix;
    const bl_split *const split = spec->split;
    if (!mixes(spec)) return BL_OK;
    BL_TRY(bl_mix_check(mix));
    if (spec->streams != mix->type->parts)
        return BL_RAISE(BL_EINVAL, "loader: mix %s draws by %d samplers, "
                        "there are %" PRId32, mix->type->name,
                        mix->type->parts, spec->streams);
    if (mix->n_class != split->n_class || mix->h != split->h ||
        mix->w != split->w || mix->c != split->c)
        return BL_RAISE(BL_EINVAL, "loader: a mix for %" PRId32 " classes and "
                        "images %" PRId32 " x %" PRId32 " x %" PRId32 ", the "
                        "split has others", mix->n_class, mix->h, mix->w,
                        mix->c);
    return BL_OK;
}

static bl_status check(const bl_loader_spec *spec)
{
    BL_TRY(check_counts(spec));
    BL_TRY(check_mix(spec));
    if (spec->autoaugment && spec->split->c != 1 && spec->split->c != 3)
        return BL_RAISE(BL_EINVAL, "loader: AutoAugment on images of %" PRId32
                        " channels, wanted 1 or 3", spec->split->c);
    for (int32_t k = 0; k < spec->normalization.c; k++)
        if (!(spec->normalization.std[k] > 0))
            return BL_RAISE(BL_EINVAL, "loader: standard deviation of channel "
                            "%" PRId32 " is %g, wanted > 0", k,
                            spec->normalization.std[k]);
    if ((spec->split->n - 1) / spec->batch < spec->steps - 1)
        return BL_RAISE(BL_EINVAL, "loader: %" PRId64 " steps of %" PRId64
                        " images leave the last one empty, the split has %"
                        PRId64, spec->steps, spec->batch, spec->split->n);
    return BL_OK;
}

static bl_status allocate_slot(const bl_loader *l, slot *s)
{
    const int64_t batch = l->spec.batch, targets = l->targets * batch;
    size_t image = 0, bytes = 0;
    BL_TRY(bl_size_mul(&image, (int64_t)bl_split_image_bytes(l->spec.split),
                       sizeof *s->x));
    BL_TRY(bl_size_mul(&bytes, l->parts_most * batch, image));
    BL_TRY(bl_slab_alloc(&s->x, bytes));
    BL_TRY(bl_calloc(&s->y, targets, sizeof *s->y));
    BL_TRY(bl_calloc(&s->index, l->spec.streams * batch, sizeof *s->index));
    if (distorts(&l->spec))
        BL_TRY(bl_calloc(&s->room, 3, bl_split_image_bytes(l->spec.split)));
    if (!l->mixing) return BL_OK;
    BL_TRY(bl_slab_alloc(&s->spare, image));
    BL_TRY(bl_calloc(&s->perm, batch, sizeof *s->perm));
    return bl_calloc(&s->lambda, targets, sizeof *s->lambda);
}

static bl_status allocate(bl_loader *l)
{
    BL_TRY(bl_calloc(&l->threads, l->spec.threads, sizeof *l->threads));
    BL_TRY(bl_calloc(&l->slots, l->spec.ahead, sizeof *l->slots));
    for (int32_t i = 0; i < l->spec.ahead; i++)
        BL_TRY(allocate_slot(l, &l->slots[i]));
    return BL_OK;
}

/* Copies what the specification borrows for the call alone. */
static void adopt(bl_loader *l, const bl_loader_spec *spec)
{
    l->spec = *spec;
    memcpy(l->samplers, spec->samplers,
           (size_t)spec->streams * sizeof l->samplers[0]);
    l->spec.samplers = l->samplers;
    l->targets = l->parts_most = spec->streams;
    l->mixing = mixes(spec);
    if (!l->mixing) return;
    l->mix = *spec->mix;
    l->spec.mix = &l->mix;
    l->targets = 2;
    l->parts_most = l->mix.type->inside ? l->mix.type->parts : 1;
}

static void free_slot(slot *s)
{
    bl_free(s->x);
    bl_free(s->y);
    bl_free(s->index);
    bl_free(s->spare);
    bl_free(s->room);
    bl_free(s->perm);
    bl_free(s->lambda);
}

bl_status bl_loader_create(bl_loader **out, const bl_loader_spec *spec)
{
    bl_loader *l = NULL;
    bl_status status = BL_OK;
    BL_TRY(check(spec));
    BL_TRY(bl_calloc(&l, 1, sizeof *l));
    adopt(l, spec);
    l->claimed = l->taken = l->released = spec->steps;
    bl_pixel_table_set(&l->table, &spec->normalization);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->news, NULL);
    BL_CHECK(allocate(l));
    BL_CHECK(start(l));
    *out = l;
    l = NULL;
done:
    bl_loader_free(l);
    return status;
}

void bl_loader_free(bl_loader *loader)
{
    bl_loader *l = loader;
    if (l == NULL) return;
    pthread_mutex_lock(&l->mutex);
    l->stop = 1;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->mutex);
    for (int32_t i = 0; i < l->started; i++) pthread_join(l->threads[i], NULL);
    pthread_cond_destroy(&l->news);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->mutex);
    for (int32_t i = 0; l->slots != NULL && i < l->spec.ahead; i++)
        free_slot(&l->slots[i]);
    bl_free(l->slots);
    bl_free(l->threads);
    bl_free(l);
}

/* ---- an epoch ------------------------------------------------------------ */

/* Lets no step be claimed and waits until no worker is at one; called with
 * the mutex held. */
static void quiet(bl_loader *l)
{
    l->claimed = l->spec.steps;
    while (l->busy > 0) pthread_cond_wait(&l->news, &l->mutex);
}

bl_status bl_loader_begin(bl_loader *loader, int64_t epoch, int64_t step)
{
    bl_loader *l = loader;
    if (epoch < 1 || epoch > UINT32_MAX)
        return BL_RAISE(BL_EINVAL, "loader: epoch %" PRId64 ", wanted 1 to "
                        "2^32 - 1", epoch);
    if (step < 0 || step > l->spec.steps)
        return BL_RAISE(BL_EINVAL, "loader: step %" PRId64 ", wanted 0 to %"
                        PRId64, step, l->spec.steps);
    pthread_mutex_lock(&l->mutex);
    quiet(l);
    for (int32_t i = 0; i < l->spec.ahead; i++) l->slots[i].ready = 0;
    for (int32_t i = 0; i < l->spec.streams; i++)
        bl_sampler_begin(l->samplers[i], (uint32_t)epoch);
    l->epoch = epoch;
    l->claimed = l->taken = l->released = step;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->mutex);
    return BL_OK;
}

void bl_loader_samplers(bl_loader *loader, bl_sampler *const *samplers)
{
    bl_loader *l = loader;
    pthread_mutex_lock(&l->mutex);
    quiet(l);
    memcpy(l->samplers, samplers,
           (size_t)l->spec.streams * sizeof l->samplers[0]);
    l->epoch = 0;
    pthread_mutex_unlock(&l->mutex);
}

/* Frees the slot the caller holds; called with the mutex held. */
static void release(bl_loader *l)
{
    if (l->released == l->taken) return;
    l->slots[l->released % l->spec.ahead].ready = 0;
    l->released = l->taken;
    pthread_cond_signal(&l->work);
}

/* Waits until the slot is ready; called with the mutex held. */
static void await(bl_loader *l, const slot *s)
{
    if (s->ready) return;
    const double before = bl_clock();
    while (!s->ready) pthread_cond_wait(&l->news, &l->mutex);
    l->waited += bl_clock() - before;
}

static void give(bl_batch *out, const bl_loader *l, const slot *s,
                 int64_t step)
{
    *out = (bl_batch){.epoch = l->epoch, .step = step,
                      .n = images_at(&l->spec, step), .parts = l->parts_most,
                      .targets = l->targets, .x = s->x, .y = s->y,
                      .index = s->index, .mix = 1};
    if (!l->mixing) return;
    if (!s->draw.mixed || s->draw.location == BL_MIX_INPUT) out->parts = 1;
    out->lambda = s->lambda;
    out->perm = l->mix.type->parts == 1 ? s->perm : NULL;
    out->location = s->draw.location;
    out->mix = s->draw.lambda;
}

bl_status bl_loader_next(bl_loader *loader, bl_batch *out)
{
    bl_loader *l = loader;
    bl_status status = BL_OK;
    if (l->epoch == 0)
        return BL_RAISE(BL_EINVAL, "loader: no epoch was begun");
    pthread_mutex_lock(&l->mutex);
    release(l);
    const int64_t step = l->taken;
    if (step == l->spec.steps) {
        pthread_mutex_unlock(&l->mutex);
        return BL_END;
    }
    const slot *s = &l->slots[step % l->spec.ahead];
    await(l, s);
    status = s->error.status;
    if (status == BL_OK) l->taken++;
    pthread_mutex_unlock(&l->mutex);
    if (status < 0) return bl_error_adopt(&s->error);
    give(out, l, s, step);
    return BL_OK;
}

double bl_loader_waited(const bl_loader *loader)
{
    return loader->waited;
}
