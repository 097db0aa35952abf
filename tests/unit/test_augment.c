/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_augment.c: crops in bytes and in floats are one crop, Cutout's square
 * lies where it was drawn and ends at the borders, and operations hold on
 * images of any shape.
 */
#include "near.h"

#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "data/imageops.h"

/* Not zero anywhere, so that black is told from the image. */
static void fill(uint8_t *pixels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(1 + (i * 2654435761u >> 13) % 255);
}

/* Bytes cropped and then normalised are the floats that are made at once. */
static void test_crops_agree(void **state)
{
    (void)state;
    static const struct {
        int32_t h, w, c, pad;
    } rows[] = {{6, 5, 3, 2}, {5, 7, 1, 4}, {1, 1, 3, 1}, {3, 2, 3, 5},
                {4, 4, 2, 0}, {2, 9, 1, 13}};
    static const bl_normalization n = {
        .c = 3, .mean = {.4914, .4822, .4465}, .std = {.2023, .1994, .2010}};
    bl_pixel_table table;
    uint8_t in[128], found[128];
    float want[128], x[128];
    bl_pixel_table_set(&table, &n);
    fill(in, sizeof in);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int32_t h = rows[i].h, w = rows[i].w, c = rows[i].c;
        const int32_t pad = rows[i].pad, places = 2 * pad + 1;
        const size_t size = (size_t)(h * w * c);
        for (int32_t at = 0; at < 2 * places * places; at++) {
            const bl_crop crop = {at / 2 / places, at / 2 % places, at % 2};
            bl_crop_apply(want, in, h, w, c, pad, crop, &table);
            memset(found, 0xa5, sizeof found);
            bl_crop_pixels(found, in, h, w, c, pad, crop);
            assert_int_equal(found[size], 0xa5);
            bl_pixel_run(x, found, h * w, c, 1, &table);
            assert_memory_equal(x, want, size * sizeof *x);
        }
    }
}

/* Every place of squares smaller and larger than the image. */
static void test_holes_are_clipped(void **state)
{
    (void)state;
    static const int32_t sides[] = {0, 1, 2, 3, 4, 5, 8, 17, 4096};
    enum { H = 5, W = 7, C = 3, SIZE = H * W * C };
    uint8_t before[SIZE], after[SIZE + 1];
    fill(before, SIZE);
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++)
        for (int32_t at = 0; at < H * W; at++) {
            const bl_hole hole = {at / W, at % W};
            const int32_t top = hole.row - sides[k] / 2;
            const int32_t left = hole.column - sides[k] / 2;
            memcpy(after, before, SIZE);
            after[SIZE] = 0xa5;
            bl_hole_apply(after, H, W, C, sides[k], hole);
            assert_int_equal(after[SIZE], 0xa5);
            for (int i = 0; i < SIZE; i++) {
                const int32_t y = i / C / W, x = i / C % W;
                const int black = y >= top && y < top + sides[k] &&
                                  x >= left && x < left + sides[k];
                assert_int_equal(after[i], black ? 0 : before[i]);
            }
        }
}

/* Uniform over the pixels, to five standard deviations. */
static void test_holes_are_uniform(void **state)
{
    (void)state;
    enum { H = 3, W = 5, N = 30000 };
    int32_t count[H * W] = {0};
    for (uint64_t i = 0; i < N; i++) {
        bl_rng rng = bl_rng_at(5, BL_PURPOSE_TEST, 1, i);
        const bl_hole hole = bl_hole_draw(&rng, H, W);
        assert_in_range(hole.row, 0, H - 1);
        assert_in_range(hole.column, 0, W - 1);
        count[hole.row * W + hole.column]++;
    }
    for (int i = 0; i < H * W; i++) assert_near(count[i], N / 15, 5 * 43.3);
}

static bl_image_op *const ops[] = {
    bl_image_shear_x, bl_image_shear_y, bl_image_translate_x,
    bl_image_translate_y, bl_image_rotate, bl_image_color, bl_image_contrast,
    bl_image_brightness, bl_image_sharpness, bl_image_posterize,
    bl_image_solarize, bl_image_invert, bl_image_autocontrast,
    bl_image_equalize,
};
enum { OPS = sizeof ops / sizeof *ops };

/* The farthest values on thin images, in blocks of exactly their size, so
 * that a sanitizer sees a step beside them. */
static void test_any_shape_and_value(void **state)
{
    (void)state;
    static const bl_image_size sizes[] = {
        {1, 1, 1}, {1, 1, 3}, {1, 2, 3}, {2, 1, 1}, {3, 3, 1}, {1, 517, 3},
        {611, 1, 3}, {2, 300, 1}, {33, 17, 3}};
    static const double values[] = {0, 1, -1, 0.5, 255, 256, -1000, 1000};
    for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++) {
        const size_t bytes =
            (size_t)(sizes[z].h * sizes[z].w * sizes[z].c);
        uint8_t *const in = malloc(bytes), *const kept = malloc(bytes);
        uint8_t *const out = malloc(bytes), *const again = malloc(bytes);
        assert_true(in && kept && out && again);
        fill(in, bytes);
        memcpy(kept, in, bytes);
        for (size_t i = 0; i < OPS * sizeof values / sizeof *values; i++) {
            bl_image_op *const op = ops[i % OPS];
            memset(out, 0x00, bytes);
            memset(again, 0xff, bytes);
            op(out, in, sizes[z], values[i / OPS]);
            op(again, in, sizes[z], values[i / OPS]);
            assert_memory_equal(out, again, bytes); /* all of it is written */
            assert_memory_equal(in, kept, bytes);
        }
        free(in);
        free(kept);
        free(out);
        free(again);
    }
}

/* What leaves the image shows grey, from every side. */
static void test_outside_is_gray(void **state)
{
    (void)state;
    static const bl_image_size size = {4, 6, 3};
    uint8_t in[72], out[72], gray[72];
    memset(in, 7, sizeof in);
    memset(gray, 128, sizeof gray);
    for (int sign = -1; sign <= 1; sign += 2) {
        bl_image_translate_x(out, in, size, sign * 1.0);
        assert_memory_equal(out, gray, sizeof gray);
        bl_image_translate_y(out, in, size, sign * 1.0);
        assert_memory_equal(out, gray, sizeof gray);
    }
    bl_image_translate_x(out, in, size, 1.0 / 3); /* two of six columns */
    for (int i = 0; i < 24; i++)
        assert_int_equal(out[3 * i], i % 6 < 4 ? 7 : 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crops_agree),
        cmocka_unit_test(test_holes_are_clipped),
        cmocka_unit_test(test_holes_are_uniform),
        cmocka_unit_test(test_any_shape_and_value),
        cmocka_unit_test(test_outside_is_gray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
