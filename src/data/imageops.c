/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imageops.c: shears, turns, enhancements and histograms, as Pillow has them.
 *
 * Published numbers with AutoAugment were made by Pillow, so its arithmetic
 * is followed to the last bit and not only its idea:
 *
 *   affine      coordinates in 16.16 fixed point, one pixel centre to the
 *               next by addition; a coordinate is cut down, not rounded
 *   enhance     a + f (b - a) in single precision, clipped and cut down
 *   luminance   (19595 R + 38470 G + 7471 B + 2^15) / 2^16
 *   smooth      3 x 3 of ones, 5 in the middle, over 13, rounded; the border
 *               of one pixel is left as it is
 *   stretch     255 / (high - low) in double, cut down
 *   equalize    integers: (half a step + pixels below) / step
 *
 * Smoothing is done in integers: 13ths have no ties, so every correct rounding
 * is the same one.  Fixed point runs in 64 bits; Pillow's 32 agree as long as
 * no coordinate reaches 2^15, and no such image is trained on.
 *
 * A sum stands apart from its product, so that no compiler contracts the two.
 */
#include "data/imageops.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { GREY = 128, LEVELS = 256 };

static int64_t pixels_of(bl_image_size size)
{
    return (int64_t)size.h * size.w;
}

static void copy(uint8_t *out, const uint8_t *in, bl_image_size size)
{
    memcpy(out, in, (size_t)pixels_of(size) * (size_t)size.c);
}

/* ---- where pixels lie ---------------------------------------------------- */

static int64_t fixed(double v)
{
    return (int64_t)floor(v * 65536.0 + 0.5);
}

/* out(x, y) = in(a0 x + a1 y + a2, a3 x + a4 y + a5) at pixel centres. */
static void affine(uint8_t *restrict out, const uint8_t *restrict in,
                   bl_image_size size, const double a[6])
{
    const int64_t w = (int64_t)size.w << 16, h = (int64_t)size.h << 16;
    const int64_t x_step = fixed(a[0]), y_step = fixed(a[3]);
    int64_t x_row = fixed(a[2] + a[0] * 0.5 + a[1] * 0.5);
    int64_t y_row = fixed(a[5] + a[3] * 0.5 + a[4] * 0.5);
    for (int32_t i = 0; i < size.h; i++) {
        int64_t x = x_row, y = y_row;
        for (int32_t j = 0; j < size.w; j++, out += size.c) {
            const int inside = x >= 0 && x < w && y >= 0 && y < h;
            const int64_t at = inside ? (y >> 16) * size.w + (x >> 16) : 0;
            for (int32_t k = 0; k < size.c; k++)
                out[k] = inside ? in[at * size.c + k] : GREY;
            x += x_step;
            y += y_step;
        }
        x_row += fixed(a[1]);
        y_row += fixed(a[4]);
    }
}

void bl_image_shear_x(uint8_t *restrict out, const uint8_t *restrict in,
                      bl_image_size size, double value)
{
    const double a[6] = {1, value, 0, 0, 1, 0};
    affine(out, in, size, a);
}

void bl_image_shear_y(uint8_t *restrict out, const uint8_t *restrict in,
                      bl_image_size size, double value)
{
    const double a[6] = {1, 0, 0, value, 1, 0};
    affine(out, in, size, a);
}

void bl_image_rotate(uint8_t *restrict out, const uint8_t *restrict in,
                     bl_image_size size, double value)
{
    const double angle = -value * (3.14159265358979323846 / 180.0);
    const double c = cos(angle), s = sin(angle);
    const double x = size.w / 2.0, y = size.h / 2.0;
    const double a[6] = {c, s, -c * x - s * y + x, -s, c, s * x - c * y + y};
    affine(out, in, size, a);
}

/* Whole pixels nearest to value * extent; no further than out of sight. */
static int32_t shift_of(double value, int32_t extent)
{
    const double shift = floor(value * extent + 0.5);
    return (int32_t)fmax(-extent, fmin(shift, extent));
}

void bl_image_translate_x(uint8_t *restrict out, const uint8_t *restrict in,
                          bl_image_size size, double value)
{
    const int32_t shift = shift_of(value, size.w);
    const size_t row = (size_t)size.w * (size_t)size.c;
    const size_t grey = (size_t)(shift < 0 ? -shift : shift) * (size_t)size.c;
    for (int32_t i = 0; i < size.h; i++, in += row, out += row) {
        memcpy(out + (shift < 0 ? grey : 0), in + (shift < 0 ? 0 : grey),
               row - grey);
        memset(out + (shift < 0 ? 0 : row - grey), GREY, grey);
    }
}

void bl_image_translate_y(uint8_t *restrict out, const uint8_t *restrict in,
                          bl_image_size size, double value)
{
    /* An image is one row of a taller kind. */
    const int32_t shift = shift_of(value, size.h);
    const size_t row = (size_t)size.w * (size_t)size.c;
    const size_t all = row * (size_t)size.h;
    const size_t grey = (size_t)(shift < 0 ? -shift : shift) * row;
    memcpy(out + (shift < 0 ? grey : 0), in + (shift < 0 ? 0 : grey),
           all - grey);
    memset(out + (shift < 0 ? 0 : all - grey), GREY, grey);
}

/* ---- enhancement --------------------------------------------------------- */

/* from + factor (to - from), cut down and held within a byte. */
static inline uint8_t blend(int from, int to, float factor)
{
    const float part = factor * (float)(to - from);
    const float v = (float)from + part;
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v;
}

static inline int luminance(const uint8_t *rgb)
{
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

void bl_image_color(uint8_t *restrict out, const uint8_t *restrict in,
                    bl_image_size size, double value)
{
    const float factor = (float)value;
    const int64_t n = pixels_of(size);
    if (size.c != 3) {
        copy(out, in, size);
        return;
    }
    for (int64_t i = 0; i < n; i++, in += 3, out += 3) {
        const int grey = luminance(in);
        for (int k = 0; k < 3; k++) out[k] = blend(grey, in[k], factor);
    }
}

/* Mean luminance of an image, rounded half up. */
static int mean_of(const uint8_t *in, bl_image_size size)
{
    const int64_t n = pixels_of(size);
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += size.c == 3 ? luminance(in + 3 * i) : in[i * size.c];
    return (int)((double)sum / (double)n + 0.5);
}

static void map_all(uint8_t *restrict out, const uint8_t *restrict in,
                    bl_image_size size, const uint8_t map[LEVELS])
{
    const int64_t n = pixels_of(size) * size.c;
    for (int64_t i = 0; i < n; i++) out[i] = map[in[i]];
}

/* Blends every byte with the same one. */
static void blend_with(uint8_t *restrict out, const uint8_t *restrict in,
                       bl_image_size size, int from, double value)
{
    uint8_t map[LEVELS];
    for (int v = 0; v < LEVELS; v++) map[v] = blend(from, v, (float)value);
    map_all(out, in, size, map);
}

void bl_image_contrast(uint8_t *restrict out, const uint8_t *restrict in,
                       bl_image_size size, double value)
{
    blend_with(out, in, size, mean_of(in, size), value);
}

void bl_image_brightness(uint8_t *restrict out, const uint8_t *restrict in,
                         bl_image_size size, double value)
{
    blend_with(out, in, size, 0, value);
}

/* The row between two others, its ends left out: in points at its second
 * pixel, row is the bytes from one row to the next. */
static void sharpen_row(uint8_t *restrict out, const uint8_t *restrict in,
                        ptrdiff_t row, ptrdiff_t c, ptrdiff_t n, float factor)
{
    const uint8_t *const up = in - row, *const down = in + row;
    for (ptrdiff_t i = 0; i < n; i++) {
        const int sum = up[i - c] + up[i] + up[i + c] +
                        in[i - c] + 5 * in[i] + in[i + c] +
                        down[i - c] + down[i] + down[i + c];
        out[i] = blend((2 * sum + 13) / 26, in[i], factor);
    }
}

void bl_image_sharpness(uint8_t *restrict out, const uint8_t *restrict in,
                        bl_image_size size, double value)
{
    const ptrdiff_t c = size.c, row = size.w * c;
    copy(out, in, size);
    if (size.w < 3) return;
    for (int32_t i = 1; i < size.h - 1; i++)
        sharpen_row(out + i * row + c, in + i * row + c, row, c, row - 2 * c,
                    (float)value);
}

/* ---- each byte by itself ------------------------------------------------- */

void bl_image_posterize(uint8_t *restrict out, const uint8_t *restrict in,
                        bl_image_size size, double value)
{
    uint8_t map[LEVELS];
    const int bits = (int)fmax(1, fmin(floor(value + 0.5), 8));
    for (int v = 0; v < LEVELS; v++)
        map[v] = (uint8_t)(v >> (8 - bits) << (8 - bits));
    map_all(out, in, size, map);
}

void bl_image_solarize(uint8_t *restrict out, const uint8_t *restrict in,
                       bl_image_size size, double value)
{
    uint8_t map[LEVELS];
    for (int v = 0; v < LEVELS; v++)
        map[v] = (uint8_t)(v < value ? v : 255 - v);
    map_all(out, in, size, map);
}

void bl_image_invert(uint8_t *restrict out, const uint8_t *restrict in,
                     bl_image_size size, double value)
{
    (void)value;
    bl_image_solarize(out, in, size, 0);
}

/* ---- each channel by its histogram --------------------------------------- */

/* Fills map from a channel's histogram; zero where the channel stays. */
typedef int map_from(uint8_t map[LEVELS], const int64_t count[LEVELS]);

static void map_channels(uint8_t *restrict out, const uint8_t *restrict in,
                         bl_image_size size, map_from *from)
{
    const int64_t n = pixels_of(size);
    for (int32_t k = 0; k < size.c; k++) {
        int64_t count[LEVELS] = {0};
        uint8_t map[LEVELS];
        for (int64_t i = 0; i < n; i++) count[in[i * size.c + k]]++;
        if (!from(map, count))
            for (int v = 0; v < LEVELS; v++) map[v] = (uint8_t)v;
        for (int64_t i = 0; i < n; i++)
            out[i * size.c + k] = map[in[i * size.c + k]];
    }
}

static int highest(const int64_t count[LEVELS])
{
    int v = LEVELS - 1;
    while (v > 0 && count[v] == 0) v--;
    return v;
}

static int stretched(uint8_t map[LEVELS], const int64_t count[LEVELS])
{
    const int high = highest(count);
    int low = 0;
    while (low < high && count[low] == 0) low++;
    if (high == low) return 0;
    const double scale = 255.0 / (high - low), offset = -low * scale;
    for (int v = 0; v < LEVELS; v++) {
        const double part = v * scale;
        const double to = part + offset;
        map[v] = to <= 0 ? 0 : to >= 255 ? 255 : (uint8_t)to;
    }
    return 1;
}

void bl_image_autocontrast(uint8_t *restrict out, const uint8_t *restrict in,
                           bl_image_size size, double value)
{
    (void)value;
    map_channels(out, in, size, stretched);
}

/* The pixels of the highest level count for no step: a channel of one value
 * has none, and stays. */
static int leveled(uint8_t map[LEVELS], const int64_t count[LEVELS])
{
    int64_t sum = -count[highest(count)];
    for (int v = 0; v < LEVELS; v++) sum += count[v];
    const int64_t step = sum / 255;
    if (step == 0) return 0;
    int64_t below = step / 2;
    for (int v = 0; v < LEVELS; v++) {
        map[v] = (uint8_t)(below / step < 255 ? below / step : 255);
        below += count[v];
    }
    return 1;
}

void bl_image_equalize(uint8_t *restrict out, const uint8_t *restrict in,
                       bl_image_size size, double value)
{
    (void)value;
    map_channels(out, in, size, leveled);
}
