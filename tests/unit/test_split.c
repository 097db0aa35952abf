/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_split.c: splits, their statistics, normalisation and the crop.
 *
 * The crop is compared with the plain way of doing it: make the padded image,
 * cut the window out, mirror it, normalise it.
 */
#include "near.h"

#include <stdlib.h>

#include "data/augment.h"
#include "data/loader.h"
#include "support/sets.h"

static void test_create_copies(void **state)
{
    (void)state;
    uint8_t pixels[2 * 3 * 1 * 2] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
    int32_t labels[] = {6, 0};
    int64_t n_c[7];
    bl_split *split = NULL;
    assert_int_equal(bl_split_create(&split, 2, 3, 1, 2, 7, pixels, labels),
                     BL_OK);
    pixels[7] = 77;
    labels[0] = 1;
    assert_int_equal(split->pixels[7], 6);
    assert_int_equal(split->labels[0], 6);
    bl_split_counts(split, n_c);
    for (int c = 0; c < 7; c++) assert_int_equal(n_c[c], c == 0 || c == 6);
    bl_split_free(split);
    bl_split_free(NULL);
}

static void test_create_refuses(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        int32_t h, w, c, n_class;
        const char *said;
    } rows[] = {
        {0, 1, 1, 1, 2, "split of 0 images"},
        {2, 0, 1, 1, 2, "0 x 1 x 1"},
        {2, 1, -1, 1, 2, "1 x -1 x 1"},
        {2, 1, 1, 0, 2, "1 x 1 x 0"},
        {2, 1, 1, 17, 2, "17 channels, wanted <= 16"},
        {2, 1, 1, 1, 0, "0 classes"},
        {2, 1, 1, 1, 1, "label 1 is 1, wanted [0, 0]"},
        {INT64_MAX / 2, INT32_MAX, INT32_MAX, 16, 2, "memory can hold"},
    };
    static const uint8_t pixels[64] = {0};
    static const int32_t labels[] = {0, 1};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_split *split = NULL;
        assert_int_equal(bl_split_create(&split, rows[i].n, rows[i].h,
                                         rows[i].w, rows[i].c,
                                         rows[i].n_class, pixels, labels),
                         BL_EINVAL);
        if (strstr(bl_error_last()->message, rows[i].said) == NULL)
            fail_msg("'%s' lacks '%s'", bl_error_last()->message,
                     rows[i].said);
        assert_null(split);
    }
}

static void test_subset(void **state)
{
    (void)state;
    static const int64_t index[] = {8, 0, 8, 3}, bad[] = {0, 9};
    bl_split *split = sets_images(9, 3, 2, 2, 5), *subset = NULL;
    assert_int_equal(bl_split_subset(&subset, split, index, 4), BL_OK);
    assert_int_equal(subset->n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(subset->labels[i], split->labels[index[i]]);
        assert_memory_equal(subset->pixels + 12 * i,
                            split->pixels + 12 * index[i], 12);
    }
    bl_split_free(subset);
    subset = NULL;
    assert_int_equal(bl_split_subset(&subset, split, bad, 2), BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "position 1 is 9"));
    assert_int_equal(bl_split_subset(&subset, split, index, 0), BL_EINVAL);
    assert_null(subset);
    bl_split_free(split);
}

/* Equal content, equal fingerprint; a change anywhere shows. */
static void test_fingerprint(void **state)
{
    (void)state;
    bl_split *a = sets_images(9, 4, 3, 2, 5), *b = sets_images(9, 4, 3, 2, 5);
    const uint64_t want = bl_split_fingerprint(a);
    assert_int_equal(bl_split_fingerprint(b), want);
    b->pixels[200] ^= 1;
    assert_int_not_equal(bl_split_fingerprint(b), want);
    b->pixels[200] ^= 1;
    b->labels[8] ^= 1;
    assert_int_not_equal(bl_split_fingerprint(b), want);
    b->labels[8] ^= 1;
    b->h = 3;
    b->w = 4;
    assert_int_not_equal(bl_split_fingerprint(b), want);
    bl_split_free(a);
    bl_split_free(b);
}

static void test_measure(void **state)
{
    (void)state;
    /* channel 0: 10 20 40 90; channel 1: constant 51 */
    static const uint8_t pixels[] = {10, 51, 20, 51, 40, 51, 90, 51};
    static const int32_t labels[] = {0, 1};
    bl_split *split = NULL;
    bl_normalization m;
    assert_int_equal(bl_split_create(&split, 2, 1, 2, 2, 2, pixels, labels),
                     BL_OK);
    bl_split_measure(split, &m);
    assert_int_equal(m.c, 2);
    assert_near(m.mean[0], 40 / 255.0, 1e-15);
    assert_near(m.std[0], sqrt(950) / 255, 1e-15);
    assert_near(m.mean[1], 0.2, 1e-15);
    assert_near(m.std[1], 1, 0);
    bl_split_free(split);
}

/* The formula in double, for each number of channels a loop exists for. */
static void test_normalize(void **state)
{
    (void)state;
    const bl_normalization n = {.c = 5,
                                .mean = {.4914, .4822, .4465, .317, .2085},
                                .std = {.2023, .1994, .2010, .3530, 1.25}};
    uint8_t pixels[5 * 256];
    float x[5 * 256];
    for (int i = 0; i < 5 * 256; i++) pixels[i] = sets_byte(4, 1, i);
    for (int32_t c = 1; c <= 5; c++) {
        bl_normalization part = n;
        part.c = c;
        bl_normalize(x, pixels, 256, c, &part);
        for (int i = 0; i < 256 * c; i++)
            assert_near((double)x[i],
                        (double)(float)((pixels[i] / 255.0 - n.mean[i % c]) /
                                        n.std[i % c]), 0);
    }
}

enum { H = 5, W = 7, CHANNELS_MAX = 4, PAD_MAX = 9 };

/* The plain way: padded image, window, mirror. */
static float crop_plain(const uint8_t *pixels, int32_t c, int32_t pad,
                        bl_crop crop, int i, int j, int k,
                        const bl_pixel_table *table)
{
    uint8_t padded[H + 2 * PAD_MAX][W + 2 * PAD_MAX][CHANNELS_MAX];
    memset(padded, 0, sizeof padded);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            memcpy(padded[y + pad][x + pad], pixels + (y * W + x) * c,
                   (size_t)c);
    const int column = crop.mirrored ? W - 1 - j : j;
    return table->of[k][padded[crop.top + i][crop.left + column][k]];
}

static void check_crop(const uint8_t *pixels, int32_t c, int32_t pad,
                       bl_crop crop, const bl_pixel_table *table)
{
    float x[H * W * CHANNELS_MAX + 1];
    x[H * W * c] = 2.385f; /* must stay */
    bl_crop_apply(x, pixels, H, W, c, pad, crop, table);
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            for (int k = 0; k < c; k++)
                if (x[(i * W + j) * c + k] !=
                    crop_plain(pixels, c, pad, crop, i, j, k, table))
                    fail_msg("c %d pad %d top %d left %d mirrored %d: pixel "
                             "(%d, %d, %d)", c, pad, crop.top, crop.left,
                             crop.mirrored, i, j, k);
    assert_near((double)x[H * W * c], (double)2.385f, 0);
}

/* All crops; pad 9 is larger than the image, so some see nothing of it. */
static void test_crop(void **state)
{
    (void)state;
    static const int32_t pads[] = {0, 2, PAD_MAX};
    const bl_normalization n = {.c = CHANNELS_MAX,
                                .mean = {.49, .48, .44, .31},
                                .std = {.21, .19, .27, .35}};
    uint8_t pixels[H * W * CHANNELS_MAX];
    bl_pixel_table table;
    bl_pixel_table_set(&table, &n);
    for (int i = 0; i < H * W * CHANNELS_MAX; i++)
        pixels[i] = (uint8_t)(sets_byte(6, 1, i) | 1); /* never black */
    for (int32_t c = 1; c <= CHANNELS_MAX; c++)
        for (int p = 0; p < 3; p++)
            for (int32_t top = 0; top <= 2 * pads[p]; top++)
                for (int32_t left = 0; left <= 2 * pads[p]; left++)
                    for (int mirrored = 0; mirrored < 2; mirrored++)
                        check_crop(pixels, c, pads[p],
                                   (bl_crop){top, left, mirrored}, &table);
}

/* Top, left and mirror are drawn in this order; leaving the mirror out does
 * not move the crop. */
static void test_crop_draw(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 64; i++) {
        bl_rng a = bl_rng_at(9, BL_PURPOSE_AUGMENT, 4, i), b = a, c = a;
        const bl_crop crop = bl_crop_draw(&a, 4, 1);
        assert_int_equal(crop.top, bl_rng_below(&b, 9));
        assert_int_equal(crop.left, bl_rng_below(&b, 9));
        assert_int_equal(crop.mirrored, bl_rng_below(&b, 2));
        const bl_crop still = bl_crop_draw(&c, 4, 0);
        assert_int_equal(still.top, crop.top);
        assert_int_equal(still.left, crop.left);
        assert_int_equal(still.mirrored, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_copies),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_subset),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_crop_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
