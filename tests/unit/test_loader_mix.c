/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loader_mix.c: mixed batches.  Each is compared with what the plain
 * formula makes of the images that a loader without mixing gives, and an epoch
 * must not depend on threads or on where it was begun.
 */
#include "near.h"

#include <stdbool.h>
#include <xxhash.h>

#include "core/mem.h"
#include "data/loader.h"
#include "support/sets.h"

enum {
    N = 37, BATCH = 5, STEPS = 8, /* the last step: 2 */
    H = 6, W = 5, C = 3, SIZE = H * W * C, CLASSES = 4
};

static const int64_t counts[CLASSES] = {900, 280, 91, 13};

/* A split, two samplers, a mix and a specification over them. */
typedef struct rig {
    bl_split *split;
    bl_sampler *samplers[2];
    bl_mix_spec mix;
    bl_loader_spec spec;
} rig;

static void rig_make(rig *r, const char *name)
{
    static const char *const names[] = {"permutation", "reversed"};
    const bl_mix_type *const type = bl_mix_find(name);
    *r = (rig){.split = sets_images(N, H, W, C, CLASSES)};
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(bl_sampler_create(&r->samplers[i],
                                           bl_sampler_find(names[i]),
                                           r->split->labels, N, CLASSES, 53,
                                           i), BL_OK);
    r->mix = (bl_mix_spec){.type = type, .alpha = .7, .kappa = 3, .tau = .5,
                           .probability = .8, .layer = BL_MIX_RANDOM,
                           .epochs = 9, .skip_first = 1, .skip_last = 2,
                           .train_n = counts, .n_class = CLASSES, .h = H,
                           .w = W, .c = C, .seed = 53};
    r->spec = (bl_loader_spec){
        .split = r->split, .samplers = r->samplers, .mix = &r->mix,
        .streams = type->parts, .batch = BATCH, .steps = STEPS, .pad = 2,
        .flip = 1, .seed = 53, .threads = 1, .ahead = 3,
        .normalization = {.c = C, .mean = {.4914, .4822, .4465},
                          .std = {.2023, .1994, .2010}}};
}

static void rig_free(rig *r)
{
    for (int i = 0; i < 2; i++) bl_sampler_free(r->samplers[i]);
    bl_split_free(r->split);
}

static bl_loader *loader_of(const bl_loader_spec *spec)
{
    bl_loader *loader = NULL;
    if (bl_loader_create(&loader, spec) != BL_OK)
        fail_msg("%s", bl_error_last()->message);
    return loader;
}

/* ---- against the plain formula ------------------------------------------- */

/* The same step without mixing, part after part, from a rig of its own:
 * loaders do not share samplers. */
typedef struct plain {
    float x[2 * BATCH * SIZE];
    int32_t y[2 * BATCH];
    int64_t index[2 * BATCH];
} plain;

static void plain_of(plain *out, const rig *r, int64_t epoch, int64_t step)
{
    bl_batch b;
    bl_loader_spec spec = r->spec;
    spec.mix = NULL;
    bl_loader *loader = loader_of(&spec);
    assert_int_equal(bl_loader_begin(loader, epoch, step), BL_OK);
    assert_int_equal(bl_loader_next(loader, &b), BL_OK);
    const size_t n = (size_t)(b.n * spec.streams);
    assert_int_equal(b.parts, spec.streams);
    assert_int_equal(b.targets, spec.streams);
    assert_true(b.lambda == NULL && b.perm == NULL && b.mix == 1);
    memcpy(out->x, b.x, n * SIZE * sizeof *b.x);
    memcpy(out->y, b.y, n * sizeof *b.y);
    memcpy(out->index, b.index, n * sizeof *b.index);
    bl_loader_free(loader);
}

/* Value k of image i as the formula has it; j is i's partner in the images
 * without mixing. */
static double wanted(const plain *p, const bl_mix_draw *draw, bool pastes,
                     int64_t i, int64_t j, int64_t k)
{
    const bl_mix_box *const box = &draw->box;
    const int64_t row = k / (W * C), col = k / C % W;
    const double a = (double)p->x[i * SIZE + k];
    const double b = (double)p->x[j * SIZE + k];
    if (!pastes) return draw->lambda * a + (1 - draw->lambda) * b;
    return row >= box->top && row < box->top + box->height &&
                   col >= box->left && col < box->left + box->width
               ? b : a;
}

static double weight_of(const bl_mix_draw *draw, bool leans, int32_t a,
                        int32_t b)
{
    const double ratio = (double)counts[a] / (double)counts[b];
    if (leans && ratio >= 3 && draw->lambda < .5) return 0;
    if (leans && ratio <= 1. / 3 && 1 - draw->lambda < .5) return 1;
    return draw->lambda;
}

static void check_pixels(const rig *r, const bl_batch *b, const plain *p,
                         const bl_mix_draw *draw)
{
    const bool here = draw->mixed && draw->location == 0;
    const bool pastes = strcmp(r->mix.type->name, "cmo") == 0;
    const bool both = draw->mixed && !here && r->mix.type->parts == 2;
    assert_int_equal(b->parts, both ? 2 : 1);
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t j = b->perm != NULL ? b->perm[i] : b->n + i;
        for (int64_t k = 0; here && k < SIZE; k++)
            assert_near((double)b->x[i * SIZE + k],
                        wanted(p, draw, pastes, i, j, k), 1e-6);
    }
    if (!here)
        assert_memory_equal(b->x, p->x,
                            (size_t)(b->parts * b->n) * SIZE * sizeof *b->x);
}

static void check_labels(const rig *r, const bl_batch *b, const plain *p,
                         const bl_mix_draw *draw)
{
    const bool leans = strcmp(r->mix.type->name, "remix") == 0;
    assert_int_equal(b->targets, 2);
    for (int64_t i = 0; i < b->n; i++) {
        int64_t j = b->perm != NULL ? b->perm[i] : b->n + i;
        if (!draw->mixed) j = i;
        assert_int_equal(b->y[i], p->y[i]);
        assert_int_equal(b->y[b->n + i], p->y[j]);
        assert_int_equal(b->index[i], p->index[i]);
        if (r->mix.type->parts == 2)
            assert_int_equal(b->index[b->n + i], p->index[j]);
        assert_near(b->lambda[i], weight_of(draw, leans, p->y[i], p->y[j]), 0);
        assert_near(b->lambda[i] + b->lambda[b->n + i], 1, 1e-15);
    }
}

static void check_batch(const rig *r, const rig *apart, const bl_batch *b,
                        int found[2])
{
    plain p;
    int32_t perm[BATCH];
    const bool partners = r->mix.type->parts == 1;
    const bl_mix_draw draw = bl_mix_draw_at(&r->mix, b->epoch, b->step, b->n,
                                            partners ? perm : NULL);
    plain_of(&p, apart, b->epoch, b->step);
    assert_near(b->mix, draw.lambda, 0);
    assert_int_equal(b->location, draw.location);
    if (partners) assert_memory_equal(b->perm, perm,
                                      (size_t)b->n * sizeof *perm);
    else assert_null(b->perm);
    check_pixels(r, b, &p, &draw);
    check_labels(r, b, &p, &draw);
    found[draw.mixed]++;
}

static void test_contents(void **state)
{
    (void)state;
    for (int64_t t = 1; bl_mix_types()[t] != NULL; t++) {
        rig r, apart;
        bl_batch b;
        int found[2] = {0};
        rig_make(&r, bl_mix_types()[t]->name);
        rig_make(&apart, bl_mix_types()[t]->name);
        bl_loader *loader = loader_of(&r.spec);
        for (int64_t epoch = 1; epoch <= 4; epoch++) {
            assert_int_equal(bl_loader_begin(loader, epoch, 0), BL_OK);
            while (bl_loader_next(loader, &b) == BL_OK)
                check_batch(&r, &apart, &b, found);
        }
        assert_true(found[0] > STEPS && found[1] > STEPS);
        bl_loader_free(loader);
        rig_free(&apart);
        rig_free(&r);
    }
}

/* ---- the same whatever happens ------------------------------------------- */

static uint64_t add(uint64_t h, const void *bytes, size_t n)
{
    return bytes != NULL ? XXH3_64bits_withSeed(bytes, n, h) : h;
}

static uint64_t hash(const rig *r, const bl_batch *b)
{
    const size_t n = (size_t)b->n, targets = (size_t)b->targets;
    uint64_t h = (uint64_t)(b->parts * 4 + b->location);
    h = add(h, b->x, (size_t)b->parts * n * SIZE * sizeof *b->x);
    h = add(h, b->y, targets * n * sizeof *b->y);
    h = add(h, b->index, (size_t)r->spec.streams * n * sizeof *b->index);
    h = add(h, b->lambda, targets * n * sizeof *b->lambda);
    h = add(h, b->perm, n * sizeof *b->perm);
    return add(h, &b->mix, sizeof b->mix);
}

/* Hashes of the epoch's batches from a step on. */
static void run(const rig *r, bl_loader *loader, int64_t epoch, int64_t step,
                uint64_t out[STEPS])
{
    bl_batch b;
    assert_int_equal(bl_loader_begin(loader, epoch, step), BL_OK);
    for (int64_t s = step; s < STEPS; s++) {
        assert_int_equal(bl_loader_next(loader, &b), BL_OK);
        out[s] = hash(r, &b);
    }
    assert_int_equal(bl_loader_next(loader, &b), BL_END);
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    static const struct {
        int32_t threads, ahead;
    } rows[] = {{1, 2}, {2, 2}, {3, 5}, {4, 3}};
    for (int64_t t = 0; bl_mix_types()[t] != NULL; t++) {
        uint64_t want[STEPS], found[STEPS];
        rig r;
        rig_make(&r, bl_mix_types()[t]->name);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            r.spec.threads = rows[i].threads;
            r.spec.ahead = rows[i].ahead;
            bl_loader *loader = loader_of(&r.spec);
            for (int64_t epoch = 1; epoch <= 3; epoch++)
                run(&r, loader, epoch, 0, i == 0 ? want : found);
            if (i > 0) assert_memory_equal(found, want, sizeof want);
            bl_loader_free(loader);
        }
        rig_free(&r);
    }
}

static void test_resume(void **state)
{
    (void)state;
    for (int64_t t = 0; bl_mix_types()[t] != NULL; t++) {
        uint64_t whole[STEPS], rest[STEPS];
        rig r;
        rig_make(&r, bl_mix_types()[t]->name);
        r.spec.threads = 2;
        bl_loader *loader = loader_of(&r.spec), *other = loader_of(&r.spec);
        run(&r, loader, 4, 0, whole);
        for (int64_t step = 0; step <= STEPS; step++) {
            run(&r, step % 2 == 0 ? loader : other, 4, step, rest);
            assert_memory_equal(rest + step, whole + step,
                                (size_t)(STEPS - step) * sizeof *rest);
        }
        bl_loader_free(other);
        bl_loader_free(loader);
        rig_free(&r);
    }
}

/* "none" is no mix at all, also for two streams that are not mixed. */
static void test_none_is_nothing(void **state)
{
    (void)state;
    for (int32_t streams = 1; streams <= 2; streams++) {
        uint64_t want[STEPS], found[STEPS];
        rig r;
        rig_make(&r, "none");
        r.spec.streams = streams;
        bl_loader *loader = loader_of(&r.spec);
        run(&r, loader, 5, 0, found);
        bl_loader_free(loader);
        r.spec.mix = NULL;
        loader = loader_of(&r.spec);
        run(&r, loader, 5, 0, want);
        bl_loader_free(loader);
        assert_memory_equal(found, want, sizeof want);
        rig_free(&r);
    }
}

/* Once made, a loader takes no memory. */
static void test_steps_allocate_nothing(void **state)
{
    (void)state;
    for (int64_t t = 0; bl_mix_types()[t] != NULL; t++) {
        uint64_t found[STEPS];
        rig r;
        rig_make(&r, bl_mix_types()[t]->name);
        r.spec.threads = 2;
        bl_loader *loader = loader_of(&r.spec);
        const int64_t before = bl_mem_count();
        for (int64_t epoch = 1; epoch < 4; epoch++)
            run(&r, loader, epoch, 0, found);
        assert_int_equal(bl_mem_count(), before);
        bl_loader_free(loader);
        rig_free(&r);
    }
}

/* The specification may go once the loader is there. */
static void test_the_spec_is_copied(void **state)
{
    (void)state;
    uint64_t want[STEPS], found[STEPS];
    rig r;
    rig_make(&r, "mixup");
    bl_loader *loader = loader_of(&r.spec);
    run(&r, loader, 3, 0, want);
    memset(&r.mix, 0, sizeof r.mix);
    run(&r, loader, 3, 0, found);
    assert_memory_equal(found, want, sizeof want);
    bl_loader_free(loader);
    rig_free(&r);
}

/* ---- other samplers ------------------------------------------------------ */

/* Replaced between epochs and in the middle of one, with batches held and in
 * the making: as a loader that has drawn by the other samplers always. */
static void test_samplers_are_replaced(void **state)
{
    (void)state;
    uint64_t want[STEPS], found[STEPS], before[STEPS];
    rig r;
    bl_batch b;
    rig_make(&r, "manifold-two");
    r.spec.threads = 2;
    bl_sampler *const other[] = {r.samplers[1], r.samplers[0]};
    bl_loader *loader = loader_of(&r.spec);
    r.spec.samplers = other;
    bl_loader *swapped = loader_of(&r.spec);
    run(&r, swapped, 5, 0, want);
    bl_loader_free(swapped);
    run(&r, loader, 5, 0, before);
    assert_memory_not_equal(before, want, sizeof want);
    for (int64_t taken = 0; taken <= STEPS; taken++) {
        bl_loader_samplers(loader, r.samplers);
        assert_int_equal(bl_loader_begin(loader, 4, 0), BL_OK);
        for (int64_t i = 0; i < taken; i++)
            assert_int_equal(bl_loader_next(loader, &b), BL_OK);
        bl_loader_samplers(loader, other);
        assert_int_equal(bl_loader_next(loader, &b), BL_EINVAL);
        run(&r, loader, 5, 0, found);
        assert_memory_equal(found, want, sizeof want);
    }
    bl_loader_free(loader);
    rig_free(&r);
}

/* ---- errors -------------------------------------------------------------- */

static void refuse(const bl_loader_spec *spec, const char *said)
{
    bl_loader *loader = NULL;
    assert_int_equal(bl_loader_create(&loader, spec), BL_EINVAL);
    if (strstr(bl_error_last()->message, said) == NULL)
        fail_msg("'%s' lacks '%s'", bl_error_last()->message, said);
    assert_null(loader);
}

static void test_create_refuses(void **state)
{
    (void)state;
    rig r;
    rig_make(&r, "cmo");
    r.spec.streams = 1;
    refuse(&r.spec, "mix cmo draws by 2 samplers, there are 1");
    r.spec.streams = 2;
    r.mix.alpha = -1;
    refuse(&r.spec, "mix.alpha: -1");
    r.mix.alpha = 1;
    r.mix.w++;
    refuse(&r.spec, "6 x 6 x 3, the split has others");
    r.mix.w--;
    r.mix.n_class--;
    refuse(&r.spec, "a mix for 3 classes");
    rig_free(&r);
}

/* The second part's sampler is over more images than the split has. */
static void test_a_worker_error_travels(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    bl_status status = BL_OK;
    bl_split *small = sets_images(N - 1, H, W, C, CLASSES);
    bl_sampler *first = NULL;
    rig_make(&r, "manifold-two");
    assert_int_equal(bl_sampler_create(&first, bl_sampler_find("permutation"),
                                       small->labels, N - 1, CLASSES, 53, 0),
                     BL_OK);
    bl_sampler *const samplers[] = {first, r.samplers[0]};
    r.spec.split = small;
    r.spec.samplers = samplers;
    r.mix.probability = 1;
    bl_loader *loader = loader_of(&r.spec);
    assert_int_equal(bl_loader_begin(loader, 4, 0), BL_OK);
    while (status == BL_OK) status = bl_loader_next(loader, &b);
    assert_int_equal(status, BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "sampler of part 1"));
    bl_loader_free(loader);
    bl_sampler_free(first);
    bl_split_free(small);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_none_is_nothing),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_the_spec_is_copied),
        cmocka_unit_test(test_samplers_are_replaced),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_a_worker_error_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
