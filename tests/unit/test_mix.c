/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mix.c: what is drawn for a step, and what becomes of pixels and
 * labels, each against the plainest way to do it.
 */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#include "ballast/status.h"
#include "mix/mix.h"

enum { N = 23, H = 6, W = 5, C = 3, SIZE = H * W * C, CLASSES = 4 };

static const int64_t counts[CLASSES] = {1700, 290, 97, 11};

static bl_mix_spec spec_of(const char *name)
{
    return (bl_mix_spec){.type = bl_mix_find(name), .alpha = .8, .kappa = 3,
                         .tau = .5, .probability = 1, .layer = BL_MIX_RANDOM,
                         .epochs = 20, .train_n = counts, .n_class = CLASSES,
                         .h = H, .w = W, .c = C, .seed = 0xdecade};
}

static void fill(float *x, int64_t n, uint64_t index)
{
    bl_rng rng = bl_rng_at(6, BL_PURPOSE_TEST, 0, index);
    for (int64_t i = 0; i < n; i++) x[i] = (float)bl_rng_normal(&rng);
}

/* ---- draws --------------------------------------------------------------- */

static bool same(const bl_mix_draw *a, const bl_mix_draw *b)
{
    return a->lambda == b->lambda && a->location == b->location &&
           a->mixed == b->mixed && a->box.top == b->box.top &&
           a->box.left == b->box.left && a->box.height == b->box.height &&
           a->box.width == b->box.width;
}

static void test_draws_are_pure_and_keyed(void **state)
{
    (void)state;
    for (int64_t t = 1; bl_mix_types()[t] != NULL; t++) {
        bl_mix_spec spec = spec_of(bl_mix_types()[t]->name);
        const bool partners = spec.type->parts == 1;
        int32_t perm[N], again[N];
        const bl_mix_draw a = bl_mix_draw_at(&spec, 3, 7, N,
                                             partners ? perm : NULL);
        (void)bl_mix_draw_at(&spec, 3, 8, N, NULL);
        const bl_mix_draw b = bl_mix_draw_at(&spec, 3, 7, N,
                                             partners ? again : NULL);
        assert_true(same(&a, &b));
        if (partners) assert_memory_equal(perm, again, sizeof perm);
        const bl_mix_draw step = bl_mix_draw_at(&spec, 3, 8, N, NULL);
        const bl_mix_draw epoch = bl_mix_draw_at(&spec, 4, 7, N, NULL);
        spec.seed++;
        const bl_mix_draw seed = bl_mix_draw_at(&spec, 3, 7, N, NULL);
        assert_false(same(&a, &step) || same(&a, &epoch) || same(&a, &seed));
    }
}

/* Not the numbers that BBN's alpha is made of. */
static void test_streams_apart_from_alpha(void **state)
{
    (void)state;
    const bl_mix_spec spec = spec_of("mixup");
    for (int64_t step = 0; step < 5; step++) {
        bl_rng rng = bl_rng_at(spec.seed, BL_PURPOSE_MIX, 3, (uint64_t)step);
        (void)bl_rng_unit(&rng);
        assert_true(bl_rng_beta(&rng, .8, .8) !=
                    bl_mix_draw_at(&spec, 3, step, N, NULL).lambda);
    }
}

static void expect_nothing(const bl_mix_spec *spec, int64_t epoch)
{
    int32_t perm[N];
    for (int64_t step = 0; step < 20; step++) {
        const bl_mix_draw draw = bl_mix_draw_at(spec, epoch, step, N, perm);
        assert_false(draw.mixed || bl_mix_at_input(&draw));
        assert_true(draw.lambda == 1 && draw.location == BL_MIX_INPUT);
        for (int32_t i = 0; i < N; i++) assert_int_equal(perm[i], i);
    }
}

static void test_when_nothing_is_mixed(void **state)
{
    (void)state;
    for (int64_t t = 0; bl_mix_types()[t] != NULL; t++) {
        const char *const name = bl_mix_types()[t]->name;
        bl_mix_spec spec = spec_of(name);
        if (strcmp(name, "none") == 0) expect_nothing(&spec, 9);
        spec.alpha = 0;
        expect_nothing(&spec, 9);
        spec = spec_of(name);
        spec.probability = 0;
        expect_nothing(&spec, 9);
    }
}

/* Skipping 4 first and 3 last of 20 mixes in epochs 5 to 17. */
static void test_seasons(void **state)
{
    (void)state;
    for (int64_t t = 1; bl_mix_types()[t] != NULL; t++) {
        bl_mix_spec spec = spec_of(bl_mix_types()[t]->name);
        spec.skip_first = 4;
        spec.skip_last = 3;
        spec.alpha = 5; /* a box is never empty */
        for (int64_t epoch = 1; epoch <= 20; epoch++)
            if (epoch < 5 || epoch > 17) expect_nothing(&spec, epoch);
            else
                assert_true(bl_mix_draw_at(&spec, epoch, 2, N, NULL).mixed);
    }
}

static void test_layers(void **state)
{
    (void)state;
    static const char *const names[] = {"manifold", "manifold-two"};
    for (int k = 0; k < 2; k++) {
        bl_mix_spec spec = spec_of(names[k]);
        int found[4] = {0};
        for (int64_t step = 0; step < 60; step++) {
            const bl_mix_draw draw = bl_mix_draw_at(&spec, 1, step, N, NULL);
            found[draw.location]++;
            assert_int_equal(bl_mix_at_input(&draw), draw.location == 0);
        }
        assert_true(found[0] > 0 && found[1] > 0 && found[2] > 0);
        assert_int_equal(found[3], 0);
        for (spec.layer = 0; spec.layer < 4; spec.layer++)
            for (int64_t step = 0; step < 9; step++)
                assert_int_equal(
                    bl_mix_draw_at(&spec, 1, step, N, NULL).location,
                    spec.layer);
    }
    bl_mix_spec spec = spec_of("mixup"); /* knows no other place */
    spec.layer = BL_MIX_POOL;
    assert_int_equal(bl_mix_draw_at(&spec, 1, 1, N, NULL).location, 0);
}

/* ---- pixels -------------------------------------------------------------- */

static void test_batch_in_place(void **state)
{
    (void)state;
    static const char *const names[] = {"mixup", "remix", "manifold"};
    static float x[N * SIZE], before[N * SIZE], spare[SIZE];
    for (int64_t step = 0; step < 30; step++) {
        const int64_t n = 1 + step % N;
        const bl_mix_spec spec = spec_of(names[step % 3]);
        int32_t perm[N], kept[N];
        const bl_mix_draw draw = bl_mix_draw_at(&spec, 2, step, n, perm);
        const double l = draw.lambda;
        memcpy(kept, perm, sizeof kept);
        fill(x, N * SIZE, (uint64_t)step);
        memcpy(before, x, sizeof x);
        bl_mix_batch(x, perm, n, spare, &spec, &draw);
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k < SIZE; k++)
                assert_near((double)x[i * SIZE + k],
                            l * (double)before[i * SIZE + k] +
                                (1 - l) * (double)before[kept[i] * SIZE + k],
                            1e-6);
        assert_memory_equal(perm, kept, (size_t)n * sizeof *perm);
        assert_memory_equal(x + n * SIZE, before + n * SIZE,
                            (size_t)(N - n) * SIZE * sizeof *x);
    }
}

/* b inside the box, a outside; the share of a is lambda. */
static void test_paste(void **state)
{
    (void)state;
    const bl_mix_spec spec = spec_of("cmo");
    float x[SIZE], a[SIZE], b[SIZE];
    int64_t mixed = 0;
    for (int64_t step = 0; step < 200; step++) {
        const bl_mix_draw draw = bl_mix_draw_at(&spec, 5, step, N, NULL);
        const bl_mix_box *const box = &draw.box;
        int64_t of_a = 0;
        fill(a, SIZE, (uint64_t)(2 * step));
        fill(b, SIZE, (uint64_t)(2 * step + 1));
        memcpy(x, a, sizeof x);
        if (!draw.mixed) continue;
        bl_mix_pair(x, b, &spec, &draw);
        assert_true(box->top >= 0 && box->top + box->height <= H);
        assert_true(box->left >= 0 && box->left + box->width <= W);
        for (int32_t i = 0; i < SIZE; i++) {
            const int32_t row = i / (W * C), col = i / C % W;
            const bool in = row >= box->top && row < box->top + box->height &&
                            col >= box->left && col < box->left + box->width;
            assert_true(x[i] == (in ? b[i] : a[i]));
            of_a += !in;
        }
        assert_near(draw.lambda, (double)of_a / SIZE, 1e-15);
        mixed++;
    }
    assert_true(mixed > 100);
}

/* CutMix's box, written down again from the same stream. */
static void test_box(void **state)
{
    (void)state;
    bl_mix_spec spec = spec_of("cmo");
    spec.h = 32;
    spec.w = 20;
    for (int64_t step = 0; step < 200; step++) {
        const bl_mix_draw draw = bl_mix_draw_at(&spec, 5, step, N, NULL);
        bl_rng rng = bl_rng_at(spec.seed, BL_PURPOSE_MIX, 5,
                               (UINT64_C(1) << 40) + (uint64_t)step);
        (void)bl_rng_unit(&rng);
        const double cut = sqrt(1 - bl_rng_beta(&rng, spec.alpha, spec.alpha));
        const int high = (int)(32 * cut), wide = (int)(20 * cut);
        const int y = (int)bl_rng_below(&rng, 32);
        const int x = (int)bl_rng_below(&rng, 20);
        const int top = (int)fmax(y - high / 2, 0);
        const int left = (int)fmax(x - wide / 2, 0);
        const int height = (int)fmin(y + high / 2, 32) - top;
        const int width = (int)fmin(x + wide / 2, 20) - left;
        assert_near(draw.lambda, 1 - height * width / 640., 1e-15);
        if (!draw.mixed) continue;
        assert_int_equal(draw.box.top, top);
        assert_int_equal(draw.box.left, left);
        assert_int_equal(draw.box.height, height);
        assert_int_equal(draw.box.width, width);
    }
}

/* ---- labels -------------------------------------------------------------- */

/* 1700 : 290 : 97 : 11 with kappa 3; 290 : 97 is just below it. */
static void test_remix_weights(void **state)
{
    (void)state;
    static const struct {
        int32_t y_0, y_1;
        double lambda, want;
    } rows[] = {
        {0, 1, .31, 0}, {0, 1, .49, 0}, {0, 1, .5, .5}, {0, 1, .77, .77},
        {1, 0, .31, .31}, {1, 0, .5, .5}, {1, 0, .51, 1}, {1, 0, .77, 1},
        {1, 2, .31, .31}, {2, 1, .77, .77}, {0, 3, .02, 0}, {3, 0, .98, 1},
        {2, 2, .31, .31}, {3, 3, .77, .77}, {2, 3, .43, 0}, {3, 2, .57, 1},
    };
    const bl_mix_spec spec = spec_of("remix");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bl_mix_draw draw = {.lambda = rows[i].lambda, .mixed = true};
        const int32_t perm[] = {1, 0};
        int32_t y[4] = {rows[i].y_0, rows[i].y_1};
        double w[4];
        bl_mix_labels(y, w, perm, 2, &spec, &draw);
        assert_near(w[0], rows[i].want, 0);
        assert_near(w[2], 1 - rows[i].want, 0);
        assert_int_equal(y[2], rows[i].y_1);
        assert_int_equal(y[3], rows[i].y_0);
    }
}

/* At exactly kappa the rarer class takes all; tau says from which share. */
static void test_remix_bounds(void **state)
{
    (void)state;
    static const int64_t n[] = {300, 100};
    static const int32_t perm[] = {1, 0};
    bl_mix_spec spec = spec_of("remix");
    bl_mix_draw draw = {.lambda = .4, .mixed = true};
    int32_t y[4] = {0, 1};
    double w[4];
    spec.train_n = n;
    bl_mix_labels(y, w, perm, 2, &spec, &draw);
    assert_near(w[0], 0, 0);
    assert_near(w[1], .4, 0);
    spec.tau = .65; /* 0.6 is below it, from either side */
    bl_mix_labels(y, w, perm, 2, &spec, &draw);
    assert_near(w[1], 1, 0);
    spec.tau = .35;
    bl_mix_labels(y, w, perm, 2, &spec, &draw);
    assert_near(w[0], .4, 0);
    spec.tau = .65;
    spec.kappa = 3.01;
    bl_mix_labels(y, w, perm, 2, &spec, &draw);
    assert_near(w[0], .4, 0);
    assert_near(w[1], .4, 0);
}

static void test_plain_weights(void **state)
{
    (void)state;
    for (int64_t t = 1; bl_mix_types()[t] != NULL; t++) {
        const bl_mix_spec spec = spec_of(bl_mix_types()[t]->name);
        const bl_mix_draw mixed = {.lambda = .3125, .mixed = true};
        const bl_mix_draw not = {.lambda = 1};
        int32_t y[] = {2, 0, 1, 1, 3, 0};
        double w[6];
        if (strcmp(spec.type->name, "remix") == 0) continue;
        bl_mix_labels(y, w, NULL, 3, &spec, &mixed);
        for (int i = 0; i < 3; i++) {
            assert_near(w[i], .3125, 0);
            assert_near(w[3 + i], .6875, 0);
        }
        assert_int_equal(y[4], 3); /* as they were drawn */
        bl_mix_labels(y, w, NULL, 3, &spec, &not);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(y[3 + i], y[i]);
            assert_near(w[i], 1, 0);
            assert_near(w[3 + i], 0, 0);
        }
    }
}

/* ---- rows ---------------------------------------------------------------- */

static void test_check_refuses(void **state)
{
    (void)state;
    static const char *const said[] = {
        "not in the table", "mix.alpha: -0.1", "mix.alpha: nan",
        "mix.probability: 1.01", "mix.layer: 4, wanted -1 to 3",
        "mix.skip-first: -1", "mix.skip-last: -2", "mix.kappa: 0.9",
        "mix.tau: 1.2", "no counts of classes", "mix: height: 0",
    };
    enum { ROWS = sizeof said / sizeof said[0] };
    static const bl_mix_type stranger = {.name = "mixup", .parts = 1};
    bl_mix_spec bad[ROWS];
    for (int i = 0; i < ROWS; i++) bad[i] = spec_of("remix");
    assert_int_equal(bl_mix_check(&bad[0]), BL_OK);
    bad[0].type = &stranger;
    bad[1].alpha = -.1;
    bad[2].alpha = (double)NAN;
    bad[3].probability = 1.01;
    bad[4].layer = 4;
    bad[5].skip_first = -1;
    bad[6].skip_last = -2;
    bad[7].kappa = .9;
    bad[8].tau = 1.2;
    bad[9].train_n = NULL;
    bad[10].h = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(bl_mix_check(&bad[i]), BL_EINVAL);
        if (strstr(bl_error_last()->message, said[i]) == NULL)
            fail_msg("'%s' lacks '%s'", bl_error_last()->message, said[i]);
    }
}

static void test_rows_are_complete(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int parts, inside;
    } want[] = {{"none", 1, 0}, {"mixup", 1, 0}, {"remix", 1, 0},
                {"cmo", 2, 0}, {"manifold", 1, 1}, {"manifold-two", 2, 1}};
    for (int i = 0; i < 6; i++) {
        const bl_mix_type *row = bl_mix_types()[i];
        assert_string_equal(row->name, want[i].name);
        assert_int_equal(row->parts, want[i].parts);
        assert_int_equal(row->inside, want[i].inside);
        assert_ptr_equal(row, bl_mix_find(row->name));
        assert_true(strlen(row->summary) > 0 && strlen(row->summary) <= 60);
        assert_non_null(row->paper);
    }
    assert_null(bl_mix_types()[6]);
    assert_null(bl_mix_find("no such row"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_are_pure_and_keyed),
        cmocka_unit_test(test_streams_apart_from_alpha),
        cmocka_unit_test(test_when_nothing_is_mixed),
        cmocka_unit_test(test_seasons),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_batch_in_place),
        cmocka_unit_test(test_paste),
        cmocka_unit_test(test_box),
        cmocka_unit_test(test_remix_weights),
        cmocka_unit_test(test_remix_bounds),
        cmocka_unit_test(test_plain_weights),
        cmocka_unit_test(test_check_refuses),
        cmocka_unit_test(test_rows_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
