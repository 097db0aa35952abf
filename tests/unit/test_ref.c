/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward passes of the reference backend and its optimiser, against values
 * worked out by hand.  Gradients are tests/grad, losses test_ref_softmax.c.
 */
#include "near.h"

#include <string.h>

#include "backend/bf16.h"
#include "backend/ref/ref.h"

static const bl_backend *const ref = &bl_backend_ref;

static void must(bl_status status)
{
    assert_int_equal(status, BL_OK);
}

static void assert_all_near(const double *got, const double *want, int64_t n,
                            double bound)
{
    for (int64_t i = 0; i < n; i++) assert_near(got[i], want[i], bound);
}

/* ---- the machine --------------------------------------------------------- */

static void test_device(void **state)
{
    (void)state;
    bl_device *dev = NULL;
    void *memory = NULL;
    must(ref->open(&dev, 3));
    assert_in_range(dev->threads, 1, 3);
    assert_in_range(strlen(ref->describe(dev)), 1, 200);
    must(ref->alloc(dev, &memory, 1000));
    assert_int_equal((uintptr_t)memory % 64, 0);
    const unsigned char *const bytes = (const unsigned char *)memory;
    for (int i = 0; i < 1000; i++) assert_int_equal(bytes[i], 0);

    const double here[3] = {2.385, -7.5, 1e-300};
    double back[3] = {0};
    must(ref->upload(dev, memory, here, sizeof here));
    must(ref->download(dev, back, memory, sizeof back));
    assert_memory_equal(here, back, sizeof here);
    must(ref->sync(dev));
    ref->free(dev, memory);
    ref->free(dev, NULL);
    ref->close(dev);
    ref->close(NULL);
    assert_int_equal(ref->open(&dev, -1), BL_EINVAL);
}

static void test_convert(void **state)
{
    (void)state;
    const float src[4] = {2.385f, -0.1f, 0.0f, 3e38f};
    float f32[4];
    double f64[4];
    bl_bf16 bf16[4];
    must(ref->convert(NULL, f32, BL_F32, src, 4));
    must(ref->convert(NULL, f64, BL_F64, src, 4));
    must(ref->convert(NULL, bf16, BL_BF16, src, 4));
    assert_memory_equal(f32, src, sizeof src);
    for (int i = 0; i < 4; i++) assert_near(f64[i], (double)src[i], 0);
    const bl_bf16 want[4] = {0x4019, 0xbdcd, 0x0000, 0x7f62};
    assert_memory_equal(bf16, want, sizeof want);
}

/* ---- convolution --------------------------------------------------------- */

static void conv_run(const bl_conv_desc *desc, const void *src,
                     const void *weights, const void *scale,
                     const void *shift, const void *add, void *dst)
{
    bl_conv *conv = NULL;
    char text[64];
    must(ref->conv_create(NULL, &conv, desc));
    ref->conv_describe(conv, text, sizeof text);
    assert_non_null(strstr(text, "ref"));
    assert_int_equal(ref->conv_scratch(conv), 0);
    must(ref->conv_prepare(conv, weights, scale, shift));
    must(ref->conv_forward(conv, src, add, dst, NULL));
    ref->conv_free(conv);
}

static const double nine[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}; // [3][3]
static const double kernel[4] = {1, -2, 3, 0.5};           // [2][2]

/* 3 x 3 image under a 2 x 2 kernel, o x o results. */
static bl_conv_desc square(int64_t o, int64_t stride, int64_t pad,
                           int64_t dilation)
{
    return (bl_conv_desc){1, 3, 3, 1, o, o, 1, 2, 2, stride, stride, pad, pad,
                          dilation, dilation, BL_F64, false, false, false,
                          true};
}

static void test_conv_by_hand(void **state)
{
    (void)state;
    double dst[4];
    const bl_conv_desc dense = square(2, 1, 0, 1);
    conv_run(&dense, nine, kernel, NULL, NULL, NULL, dst);
    assert_all_near(dst, (const double[]){11.5, 14, 19, 21.5}, 4, 1e-13);

    const bl_conv_desc padded = square(2, 2, 1, 1);
    conv_run(&padded, nine, kernel, NULL, NULL, NULL, dst);
    assert_all_near(dst, (const double[]){0.5, 7.5, -4.5, 21.5}, 4, 1e-13);

    const bl_conv_desc dilated = square(1, 1, 0, 2);
    conv_run(&dilated, nine, kernel, NULL, NULL, NULL, dst);
    assert_near(dst[0], 20.5, 1e-13);
}

/* Channels lie innermost in activations, outside the kernel in weights. */
static void test_conv_layouts(void **state)
{
    (void)state;
    const bl_conv_desc desc = {1, 1, 2, 2, 1, 1, 3, 1, 2, 1, 1, 0, 0, 1, 1,
                               BL_F64, false, false, false, true};
    const double src[4] = {1, 10, 100, 1000};       // [iw][ic]
    const double weights[12] = {1, 2, 3, 4,         // [oc][ic][kw]
                                0, 0, 0, 5,
                                6, 0, 0, 0};
    double dst[3];
    conv_run(&desc, src, weights, NULL, NULL, NULL, dst);
    assert_all_near(dst, (const double[]){4231, 5000, 6}, 3, 1e-11);
}

static void test_conv_epilogue(void **state)
{
    (void)state;
    bl_conv_desc desc = square(2, 1, 0, 1);
    desc.infer = true;
    const double scale = -2, shift = 30.25;
    const double add[4] = {0.5, -10, 20, 1};
    double dst[4];
    conv_run(&desc, nine, kernel, &scale, &shift, NULL, dst);
    assert_all_near(dst, (const double[]){7.25, 2.25, -7.75, -12.75}, 4,
                    1e-13);
    desc.relu = true;
    conv_run(&desc, nine, kernel, &scale, &shift, NULL, dst);
    assert_all_near(dst, (const double[]){7.25, 2.25, 0, 0}, 4, 1e-13);
    desc.add = true;
    conv_run(&desc, nine, kernel, &scale, &shift, add, dst);
    assert_all_near(dst, (const double[]){7.75, 0, 12.25, 0}, 4, 1e-13);
}

static void test_conv_refuses(void **state)
{
    (void)state;
    bl_conv *conv = NULL;
    bl_conv_desc desc = square(2, 1, 0, 1);
    desc.relu = true;
    assert_int_equal(ref->conv_create(NULL, &conv, &desc), BL_EINVAL);
    desc = square(2, 0, 0, 1);
    assert_int_equal(ref->conv_create(NULL, &conv, &desc), BL_EINVAL);
    desc = square(2, 1, -1, 1);
    assert_int_equal(ref->conv_create(NULL, &conv, &desc), BL_EINVAL);
    assert_null(conv);
}

/* ---- batch norm ---------------------------------------------------------- */

/* Channel 0 is 1 2 4 7: mean 3.5, variance 5.25, unbiased 7. */
static void test_norm_statistics(void **state)
{
    (void)state;
    const bl_norm_desc desc = {4, 2, BL_F64, 0.01, 0.1, false, false};
    const double src[8] = {1, 5, 2, 5, 4, 5, 7, 5}; // [rows][c]
    const double gamma[2] = {2, 3}, beta[2] = {0.25, -1};
    double mean[2] = {0.5, 5}, var[2] = {2, 1}, save_mean[2], rstd[2], dst[8];
    must(ref->norm_forward(NULL, &desc, src, NULL, gamma, beta, mean, var,
                           save_mean, rstd, dst, NULL));
    assert_all_near(mean, (const double[]){0.8, 5}, 2, 1e-14);
    assert_all_near(var, (const double[]){2.5, 0.9}, 2, 1e-14);
    assert_all_near(save_mean, (const double[]){3.5, 5}, 2, 1e-14);
    assert_near(rstd[0], 1 / sqrt(5.26), 1e-14);
    assert_near(rstd[1], 10, 1e-13);
    for (int r = 0; r < 4; r++) {
        assert_near(dst[2 * r], 2 * (src[2 * r] - 3.5) / sqrt(5.26) + 0.25,
                    1e-13);
        assert_near(dst[2 * r + 1], -1, 1e-13);
    }
}

/* One row has no unbiased variance: statistics stay finite. */
static void test_norm_of_one_row(void **state)
{
    (void)state;
    const bl_norm_desc desc = {1, 1, BL_F64, 1e-5, 0.1, false, false};
    const double src = 2.385, gamma = 1.5, beta = 0.75;
    double mean = 0, var = 1, save_mean, rstd, dst;
    must(ref->norm_forward(NULL, &desc, &src, NULL, &gamma, &beta, &mean,
                           &var, &save_mean, &rstd, &dst, NULL));
    assert_near(mean, 0.2385, 1e-15);
    assert_near(var, 0.9, 1e-15);
    assert_near(dst, 0.75, 1e-15);
}

static void test_norm_infer_in_place(void **state)
{
    (void)state;
    const bl_norm_desc desc = {2, 2, BL_F64, 0.25, 0.1, true, true};
    const double gamma[2] = {2, -3}, beta[2] = {1, 0.5};
    const double mean[2] = {0.5, 1}, var[2] = {2, 3.75};
    const double add[4] = {-1, 2.5, 0.125, -4};
    double x[4] = {2, 5, -4, 1};
    must(ref->norm_infer(NULL, &desc, x, add, gamma, beta, mean, var, x));
    /* 2 * 1.5 / 1.5 + 1 - 1, -3 * 4 / 2 + 0.5 + 2.5, ... */
    assert_all_near(x, (const double[]){2, 0, 0, 0}, 4, 1e-14);
    double y[4] = {2, -5, 4, 1};
    must(ref->norm_infer(NULL, &desc, y, add, gamma, beta, mean, var, y));
    assert_all_near(y, (const double[]){2, 12, 2 * 3.5 / 1.5 + 1.125, 0}, 4,
                    1e-14);
}

/* ---- shapes -------------------------------------------------------------- */

static void test_shortcut_layout(void **state)
{
    (void)state;
    const bl_shortcut_desc desc = {1, 3, 3, 2, 2, 2, 5, 2, BL_F64};
    double src[18], dst[20], want[20] = {0}; // [3][3][2], [2][2][5]
    for (int i = 0; i < 18; i++) src[i] = i + 0.385;
    const int kept[4] = {0, 2, 6, 8}; /* pixels (0,0) (0,2) (2,0) (2,2) */
    for (int p = 0; p < 4; p++) {
        want[p * 5 + 1] = kept[p] * 2 + 0.385;
        want[p * 5 + 2] = kept[p] * 2 + 1.385;
    }
    must(ref->shortcut_forward(NULL, &desc, src, dst));
    assert_all_near(dst, want, 20, 0);
}

static void test_concat_and_scale(void **state)
{
    (void)state;
    const double a[4] = {1, 2, 3, 4}, b[2] = {-5, -6}; // [2][2], [2][1]
    double dst[6];
    must(ref->concat_forward(NULL, BL_F64, 2, 2, 1, a, b, dst));
    assert_all_near(dst, (const double[]){1, 2, -5, 3, 4, -6}, 6, 0);
    const double factor = 0.25;
    must(ref->scale(NULL, BL_F64, 6, &factor, dst, dst));
    assert_all_near(dst, (const double[]){0.25, 0.5, -1.25, 0.75, 1, -1.5}, 6,
                    0);
}

static void test_add_and_relu(void **state)
{
    (void)state;
    double a[4] = {1.5, -2, 0, (double)NAN};
    const double b[4] = {-4, 2.75, 0, 1};
    must(ref->add(NULL, BL_F64, 4, a, b, a));
    assert_all_near(a, (const double[]){-2.5, 0.75, 0}, 3, 0);
    must(ref->relu_forward(NULL, BL_F64, 4, a, a));
    assert_all_near(a, (const double[]){0, 0.75, 0}, 3, 0);
    assert_true(isnan(a[3]));
}

/* ---- pooling ------------------------------------------------------------- */

/* All values negative: padding, read as 0, would win. */
static void test_maxpool(void **state)
{
    (void)state;
    const bl_pool_desc desc = {1, 3, 3, 2, 2, 1, 3, 3, 2, 2, 1, 1, BL_F64};
    const double src[9] = {-5, -2, -7, -4, -3, -2, -9, -8, -2.5};
    double dst[4];
    int32_t index[4];
    must(ref->maxpool_forward(NULL, &desc, src, dst, index));
    assert_all_near(dst, (const double[]){-2, -2, -3, -2}, 4, 0);
    /* Window (0, 1) holds two -2: the first, at its tap (1, 0), wins. */
    const int32_t want[4] = {5, 3, 2, 1};
    assert_memory_equal(index, want, sizeof want);

    const double diff_dst[4] = {1, 10, 100, 1000};
    double diff_src[9];
    must(ref->maxpool_backward(NULL, &desc, diff_dst, index, diff_src));
    assert_all_near(diff_src,
                    (const double[]){0, 11, 0, 0, 100, 1000, 0, 0, 0}, 9, 0);
}

static void test_gap(void **state)
{
    (void)state;
    const double src[6] = {1, -10, 2, -20, 4.5, -30}; // [3][2]
    double dst[2];
    must(ref->gap_forward(NULL, BL_F64, 1, 3, 2, src, dst));
    assert_all_near(dst, (const double[]){2.5, -20}, 2, 1e-15);
}

/* ---- classifiers --------------------------------------------------------- */

static void test_classifiers(void **state)
{
    (void)state;
    const bl_linear_desc desc = {1, 2, 3, BL_F64};
    const double src[2] = {3, 4}, bias[3] = {0.5, -1, 0};
    const double weights[6] = {4, 3, -1.5, -2, 0, 0}; // [3][2]
    double dst[3];
    must(ref->linear_forward(NULL, &desc, src, weights, bias, dst));
    assert_all_near(dst, (const double[]){24.5, -13.5, 0}, 3, 1e-14);
    must(ref->cosine_forward(NULL, &desc, src, weights, dst));
    assert_all_near(dst, (const double[]){0.96, -1, 0}, 3, 1e-15);
}

/* ---- optimiser ----------------------------------------------------------- */

static void test_sgd(void **state)
{
    (void)state;
    static const struct {
        bool nesterov;
        double v[2], w[2]; /* after step 1 and 2 */
    } cases[] = {
        {false, {0.55, 0.334}, {1.39, 1.3232}},
        {true, {0.55, 0.3241}, {1.291, 1.266842}},
    };
    const double lr = 0.2, diff[2] = {0.4, -0.3};
    for (size_t i = 0; i < 2; i++) {
        const bl_sgd_desc desc = {1, BL_F64, 0.9, 0.1, cases[i].nesterov};
        double v = 0, w = 1.5;
        for (int step = 0; step < 2; step++) {
            must(ref->sgd(NULL, &desc, &lr, &diff[step], &v, &w));
            assert_near(v, cases[i].v[step], 1e-15);
            assert_near(w, cases[i].w[step], 1e-15);
        }
    }
}

/* ---- the three storage types --------------------------------------------- */

enum { PIXELS = 20, CHANNELS = 3, COUNT = PIXELS * CHANNELS };
enum { WEIGHTS = CHANNELS * CHANNELS * 3 * 3 };

typedef union tensor {
    float f32[WEIGHTS];
    bl_bf16 bf16[WEIGHTS];
    double f64[WEIGHTS];
} tensor;

static double element(const tensor *t, bl_dtype dtype, int i)
{
    switch (dtype) {
    case BL_F32: return (double)t->f32[i];
    case BL_BF16: return (double)bl_bf16_to_f32(t->bf16[i]);
    case BL_F64: return t->f64[i];
    }
    return 0;
}

/* One 3 x 3 convolution and a batch norm with relu in the given storage, its
 * results as double. */
static void run_in(bl_dtype act, const float *x, const float *weights,
                   double *y)
{
    const bl_conv_desc conv = {1, 4, 5, 3, 4, 5, 3, 3, 3, 1, 1, 1, 1, 1, 1,
                               act, false, false, false, true};
    const bl_norm_desc norm = {PIXELS, CHANNELS, act, 1e-5, 0.1, true, false};
    const bl_dtype real = bl_dtype_real(act);
    const float some[CHANNELS] = {1.25f, 0.75f, 1.5f};
    tensor src, mid, dst, w, gamma, beta, mean, var, save_mean, rstd;
    must(ref->convert(NULL, &src, act, x, COUNT));
    must(ref->convert(NULL, &w, real, weights, WEIGHTS));
    must(ref->convert(NULL, &gamma, real, some, CHANNELS));
    must(ref->convert(NULL, &beta, real, some, CHANNELS));
    must(ref->convert(NULL, &mean, real, some, CHANNELS));
    must(ref->convert(NULL, &var, real, some, CHANNELS));
    conv_run(&conv, &src, &w, NULL, NULL, NULL, &mid);
    must(ref->norm_forward(NULL, &norm, &mid, NULL, &gamma, &beta, &mean,
                           &var, &save_mean, &rstd, &dst, NULL));
    for (int i = 0; i < COUNT; i++) y[i] = element(&dst, act, i);
}

static void test_types_agree(void **state)
{
    (void)state;
    float x[COUNT], weights[WEIGHTS];
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(i * 37 % 61 - 30) / 16; /* exact in bf16 */
    }
    for (int i = 0; i < WEIGHTS; i++) {
        weights[i] = (float)(i * 29 % 83 - 41) / 97;
    }
    double f64[COUNT], f32[COUNT], bf16[COUNT];
    run_in(BL_F64, x, weights, f64);
    run_in(BL_F32, x, weights, f32);
    run_in(BL_BF16, x, weights, bf16);
    double worst32 = 0, worst16 = 0;
    for (int i = 0; i < COUNT; i++) {
        worst32 = fmax(worst32, fabs(f32[i] - f64[i]));
        worst16 = fmax(worst16, fabs(bf16[i] - f64[i]));
    }
    assert_true(worst32 > 0 && worst32 < 2e-6);
    assert_true(worst16 > 1e-4 && worst16 < 4e-2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_convert),
        cmocka_unit_test(test_conv_by_hand),
        cmocka_unit_test(test_conv_layouts),
        cmocka_unit_test(test_conv_epilogue),
        cmocka_unit_test(test_conv_refuses),
        cmocka_unit_test(test_norm_statistics),
        cmocka_unit_test(test_norm_of_one_row),
        cmocka_unit_test(test_norm_infer_in_place),
        cmocka_unit_test(test_shortcut_layout),
        cmocka_unit_test(test_concat_and_scale),
        cmocka_unit_test(test_add_and_relu),
        cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_classifiers),
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_types_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
