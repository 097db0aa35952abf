/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loader.c: batches come in order, the same with any number of threads
 * and after any interruption, and a worker's error reaches the caller.
 *
 * An epoch is reduced to one hash per batch (pixels, labels, positions), and
 * runs are compared by these.
 */
#include "near.h"

#include <time.h>
#include <xxhash.h>

#include "ballast/rng.h"
#include "core/mem.h"
#include "data/augment.h"
#include "data/autoaugment.h"
#include "data/loader.h"
#include "support/sets.h"

enum { N = 37, BATCH = 5, STEPS = 8, STREAMS = 2 }; /* the last step: 2 */

/* A split, two samplers and a specification over them. */
typedef struct rig {
    bl_split *split;
    bl_sampler *samplers[STREAMS];
    bl_loader_spec spec;
} rig;

static void rig_make_of(rig *r, int32_t h, int32_t w)
{
    static const char *const names[] = {"permutation", "reversed"};
    *r = (rig){.split = sets_images(N, h, w, 3, 4)};
    for (uint32_t i = 0; i < STREAMS; i++)
        assert_int_equal(bl_sampler_create(&r->samplers[i],
                                           bl_sampler_find(names[i]),
                                           r->split->labels, N, 4, 31, i),
                         BL_OK);
    r->spec = (bl_loader_spec){
        .split = r->split, .samplers = r->samplers, .streams = STREAMS,
        .batch = BATCH, .steps = STEPS, .pad = 2, .flip = 1, .seed = 31,
        .threads = 1, .ahead = 3,
        .normalization = {.c = 3, .mean = {.4914, .4822, .4465},
                          .std = {.2023, .1994, .2010}}};
}

static void rig_make(rig *r)
{
    rig_make_of(r, 6, 5);
}

static void rig_free(rig *r)
{
    for (int i = 0; i < STREAMS; i++) bl_sampler_free(r->samplers[i]);
    bl_split_free(r->split);
}

static bl_loader *loader_of(const bl_loader_spec *spec)
{
    bl_loader *loader = NULL;
    if (bl_loader_create(&loader, spec) != BL_OK)
        fail_msg("%s", bl_error_last()->message);
    return loader;
}

static uint64_t hash(const rig *r, const bl_batch *b)
{
    const size_t n = (size_t)(b->n * STREAMS);
    const size_t image = (size_t)(r->split->h * r->split->w * r->split->c);
    uint64_t h = XXH3_64bits(b->x, n * image * sizeof *b->x);
    h = XXH3_64bits_withSeed(b->y, n * sizeof *b->y, h);
    return XXH3_64bits_withSeed(b->index, n * sizeof *b->index, h);
}

/* Hashes of the epoch's batches from a step on. */
static void run(const rig *r, bl_loader *loader, int64_t epoch, int64_t step,
                uint64_t out[STEPS])
{
    bl_batch b;
    assert_int_equal(bl_loader_begin(loader, epoch, step), BL_OK);
    for (int64_t s = step; s < STEPS; s++) {
        assert_int_equal(bl_loader_next(loader, &b), BL_OK);
        assert_int_equal(b.epoch, epoch);
        assert_int_equal(b.step, s);
        assert_int_equal(b.n, s == STEPS - 1 ? N - (STEPS - 1) * BATCH
                                             : BATCH);
        out[s] = hash(r, &b);
    }
    assert_int_equal(bl_loader_next(loader, &b), BL_END);
    assert_int_equal(bl_loader_next(loader, &b), BL_END);
}

/* Each image is its sampler's draw, cropped by its own stream. */
static void test_contents(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    bl_pixel_table table;
    float want[6 * 5 * 3];
    rig_make(&r);
    bl_loader *loader = loader_of(&r.spec);
    bl_pixel_table_set(&table, &r.spec.normalization);
    assert_int_equal(bl_loader_begin(loader, 6, 0), BL_OK);
    for (int64_t s = 0; bl_loader_next(loader, &b) == BL_OK; s++)
        for (int64_t at = 0; at < b.n * STREAMS; at++) {
            const int64_t part = at / b.n, draw = s * BATCH + at % b.n;
            const int64_t i = bl_sampler_at(r.samplers[part], draw);
            bl_rng rng = bl_rng_at(31, BL_PURPOSE_AUGMENT, 6,
                                   (uint64_t)part << 40 | (uint64_t)draw);
            bl_crop_apply(want, r.split->pixels + i * 90, 6, 5, 3, 2,
                          bl_crop_draw(&rng, 2, 1), &table);
            assert_int_equal(b.index[at], i);
            assert_int_equal(b.y[at], r.split->labels[i]);
            assert_memory_equal(b.x + at * 90, want, sizeof want);
        }
    bl_loader_free(loader);
    rig_free(&r);
}

/* Hashes of epoch 5 from before there was AutoAugment: a run without it has
 * the batches it always had. */
static void test_plain_batches_are_as_ever(void **state)
{
    (void)state;
    static const uint64_t want[STEPS] = {
        0xaec89401edbe4ddc, 0x096bc427e5d231f6, 0xf700977ccfae69a1,
        0x51a3f5e9978901a7, 0xbc99899cd46f70fb, 0x152d5594be0e384b,
        0xbef26e95935c1ff8, 0x877c74afecddbd56};
    uint64_t found[STEPS];
    rig r;
    rig_make(&r);
    bl_loader *loader = loader_of(&r.spec);
    run(&r, loader, 5, 0, found);
    for (int i = 0; i < STEPS; i++) assert_int_equal(found[i], want[i]);
    bl_loader_free(loader);
    rig_free(&r);
}

/* One image as the specification has it: crop, policy, hole, normalisation,
 * each drawing behind the one before. */
static void distort(float *x, const bl_loader_spec *spec,
                    const uint8_t *pixels, bl_rng rng)
{
    static const bl_image_size size = {6, 5, 3};
    uint8_t crop[90], room[90], image[90];
    bl_crop_pixels(crop, pixels, 6, 5, 3, 2, bl_crop_draw(&rng, 2, 1));
    memcpy(image, crop, sizeof image);
    if (spec->autoaugment) {
        const bl_autoaugment draw = bl_autoaugment_draw(&rng);
        bl_autoaugment_apply(image, crop, room, size, &draw);
    }
    if (spec->cutout > 0)
        bl_hole_apply(image, 6, 5, 3, spec->cutout,
                      bl_hole_draw(&rng, 6, 5));
    bl_normalize(x, image, 30, 3, &spec->normalization);
}

static void test_distorted_contents(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    float want[90];
    rig_make(&r);
    for (int both = 1; both <= 3; both++) {
        r.spec.autoaugment = both & 1;
        r.spec.cutout = both & 2 ? 3 : 0;
        bl_loader *loader = loader_of(&r.spec);
        assert_int_equal(bl_loader_begin(loader, 6, 0), BL_OK);
        for (int64_t s = 0; bl_loader_next(loader, &b) == BL_OK; s++)
            for (int64_t at = 0; at < b.n * STREAMS; at++) {
                const int64_t part = at / b.n, draw = s * BATCH + at % b.n;
                distort(want, &r.spec, r.split->pixels + b.index[at] * 90,
                        bl_rng_at(31, BL_PURPOSE_AUGMENT, 6,
                                  (uint64_t)part << 40 | (uint64_t)draw));
                assert_memory_equal(b.x + at * 90, want, sizeof want);
            }
        bl_loader_free(loader);
    }
    rig_free(&r);
}

/* The rig's epoch 3 with any number of threads. */
static void check_threads(rig *r)
{
    static const struct {
        int32_t threads, ahead;
    } rows[] = {{1, 2}, {2, 2}, {2, 5}, {4, 3}};
    uint64_t want[STEPS], found[STEPS];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        r->spec.threads = rows[i].threads;
        r->spec.ahead = rows[i].ahead;
        bl_loader *loader = loader_of(&r->spec);
        for (int64_t epoch = 1; epoch <= 3; epoch++)
            run(r, loader, epoch, 0, i == 0 && epoch == 3 ? want : found);
        if (i > 0) assert_memory_equal(found, want, sizeof want);
        assert_true(bl_loader_waited(loader) >= 0);
        bl_loader_free(loader);
    }
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    rig r;
    rig_make(&r);
    check_threads(&r);
    r.spec.autoaugment = 1;
    r.spec.cutout = 3;
    check_threads(&r);
    rig_free(&r);
}

static void test_epochs_and_batches_differ(void **state)
{
    (void)state;
    uint64_t all[2 * STEPS];
    rig r;
    rig_make(&r);
    bl_loader *loader = loader_of(&r.spec);
    run(&r, loader, 1, 0, all);
    run(&r, loader, 2, 0, all + STEPS);
    for (int i = 0; i < 2 * STEPS; i++)
        for (int j = 0; j < i; j++) assert_int_not_equal(all[i], all[j]);
    bl_loader_free(loader);
    rig_free(&r);
}

/* A new loader, or the same one, goes on from any step of any epoch. */
static void test_resume(void **state)
{
    (void)state;
    uint64_t whole[STEPS], rest[STEPS];
    rig r;
    rig_make(&r);
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

/* begin() in the middle of an epoch, with batches held and in the making. */
static void test_begin_again(void **state)
{
    (void)state;
    uint64_t want[STEPS], found[STEPS];
    rig r;
    bl_batch b;
    rig_make_of(&r, 64, 64); /* slow enough to be caught in the act */
    r.spec.threads = 3;
    bl_loader *loader = loader_of(&r.spec);
    run(&r, loader, 7, 0, want);
    for (int64_t taken = 0; taken < STEPS; taken++) {
        assert_int_equal(bl_loader_begin(loader, 2, 0), BL_OK);
        for (int64_t i = 0; i < taken; i++)
            assert_int_equal(bl_loader_next(loader, &b), BL_OK);
        run(&r, loader, 7, 0, found);
        assert_memory_equal(found, want, sizeof want);
    }
    for (long pause_ns = 0; pause_ns < 100000; pause_ns += 2000) {
        const struct timespec pause = {0, pause_ns};
        assert_int_equal(bl_loader_begin(loader, 2, 0), BL_OK);
        (void)nanosleep(&pause, NULL); /* workers are at some point or other */
        run(&r, loader, 7, 0, found);
        assert_memory_equal(found, want, sizeof want);
    }
    assert_int_equal(bl_loader_begin(loader, 3, 0), BL_OK);
    bl_loader_free(loader); /* with workers busy */
    rig_free(&r);
}

/* A batch stays as it is until the next call, however far workers are. */
static void test_a_held_batch_stays(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    rig_make(&r);
    r.spec.threads = 2;
    r.spec.ahead = 2;
    bl_loader *loader = loader_of(&r.spec);
    assert_int_equal(bl_loader_begin(loader, 1, 0), BL_OK);
    while (bl_loader_next(loader, &b) == BL_OK) {
        const uint64_t before = hash(&r, &b);
        const struct timespec pause = {0, 2000000};
        (void)nanosleep(&pause, NULL);
        assert_int_equal(hash(&r, &b), before);
    }
    bl_loader_free(loader);
    rig_free(&r);
}

/* A sampler over more images than the split has. */
static void test_a_worker_error_travels(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    rig_make(&r);
    bl_split *small = sets_images(N - 1, 6, 5, 3, 4);
    r.spec.split = small;
    r.spec.threads = 2;
    bl_loader *loader = loader_of(&r.spec);
    for (int64_t epoch = 1; epoch <= 2; epoch++) {
        bl_status status = BL_OK;
        assert_int_equal(bl_loader_begin(loader, epoch, 0), BL_OK);
        while (status == BL_OK) status = bl_loader_next(loader, &b);
        assert_int_equal(status, BL_EINVAL);
        assert_int_equal(bl_error_last()->status, BL_EINVAL);
        assert_non_null(strstr(bl_error_last()->message,
                               "position 36, wanted [0, 35]"));
        assert_int_equal(bl_loader_next(loader, &b), BL_EINVAL);
    }
    bl_loader_free(loader);
    bl_split_free(small);
    rig_free(&r);
}

/* Once made, a loader takes no memory. */
static void test_steps_allocate_nothing(void **state)
{
    (void)state;
    uint64_t found[STEPS];
    rig r;
    rig_make(&r);
    r.spec.threads = 2;
    r.spec.autoaugment = 1;
    r.spec.cutout = 3;
    bl_loader *loader = loader_of(&r.spec);
    const int64_t before = bl_mem_count();
    for (int64_t epoch = 1; epoch < 4; epoch++)
        run(&r, loader, epoch, 0, found);
    assert_int_equal(bl_mem_count(), before);
    bl_loader_free(loader);
    rig_free(&r);
}

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
    rig_make(&r);
    const bl_loader_spec good = r.spec;
    bl_loader_spec bad[11];
    static const char *const said[] = {
        "streams 0, wanted 1", "batch 0", "steps 0", "pad -1", "threads 0",
        "ahead 1, wanted 2", "channels of the normalisation 1, wanted 3",
        "deviation of channel 1 is 0", "leave the last one empty",
        "cutout -1", "cutout 4097, wanted 0 to 4096",
    };
    for (int i = 0; i < 11; i++) bad[i] = good;
    bad[0].streams = 0;
    bad[1].batch = 0;
    bad[2].steps = 0;
    bad[3].pad = -1;
    bad[4].threads = 0;
    bad[5].ahead = 1;
    bad[6].normalization.c = 1;
    bad[7].normalization.std[1] = 0;
    bad[8].steps = STEPS + 1;
    bad[9].cutout = -1;
    bad[10].cutout = 4097;
    for (int i = 0; i < 11; i++) refuse(&bad[i], said[i]);
    rig_free(&r);
}

/* Black squares have no opinion on channels, AutoAugment has. */
static void test_channels(void **state)
{
    (void)state;
    rig r;
    rig_make(&r);
    bl_split *two = sets_images(N, 6, 5, 2, 4);
    r.spec.split = two;
    r.spec.normalization.c = 2;
    r.spec.cutout = 2;
    bl_loader_free(loader_of(&r.spec));
    r.spec.autoaugment = 1;
    refuse(&r.spec, "AutoAugment on images of 2 channels, wanted 1 or 3");
    bl_split_free(two);
    rig_free(&r);
}

static void test_begin_refuses(void **state)
{
    (void)state;
    rig r;
    bl_batch b;
    rig_make(&r);
    bl_loader *loader = loader_of(&r.spec);
    assert_int_equal(bl_loader_next(loader, &b), BL_EINVAL);
    assert_int_equal(bl_loader_begin(loader, 0, 0), BL_EINVAL);
    assert_int_equal(bl_loader_begin(loader, 1, -1), BL_EINVAL);
    assert_int_equal(bl_loader_begin(loader, 1, STEPS + 1), BL_EINVAL);
    bl_loader_free(loader);
    bl_loader_free(NULL);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_plain_batches_are_as_ever),
        cmocka_unit_test(test_distorted_contents),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_epochs_and_batches_differ),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_begin_again),
        cmocka_unit_test(test_a_held_batch_stays),
        cmocka_unit_test(test_a_worker_error_travels),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_begin_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
