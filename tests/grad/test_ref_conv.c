/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients of the reference convolution, over strides, padding, dilation and
 * shapes where none of them divides the extent.
 */
#include "grad/check.h"

#include "backend/ref/ref.h"

enum { ROOM = 512 };

static const bl_backend *const ref = &bl_backend_ref;

typedef struct conv_case {
    const char *name;
    bl_conv_desc desc;
} conv_case;

typedef struct conv_data {
    bl_conv *conv;
    int64_t n_dst;
    double src[ROOM], weights[ROOM], r[ROOM]; // as the description says
} conv_data;

/* n ih iw ic oh ow oc kh kw sh sw ph pw dh dw */
#define DESC(n, ih, iw, ic, oh, ow, oc, kh, kw, sh, sw, ph, pw, dh, dw)     \
    {n, ih, iw, ic, oh, ow, oc, kh, kw, sh, sw, ph, pw, dh, dw, BL_F64,     \
     false, false, false, true}

static const conv_case cases[] = {
    {"dense", DESC(2, 5, 4, 3, 5, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1)},
    {"pointwise", DESC(2, 3, 4, 3, 3, 4, 5, 1, 1, 1, 1, 0, 0, 1, 1)},
    {"stride 2", DESC(1, 7, 6, 2, 4, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1)},
    {"stride 2, 1x1", DESC(2, 5, 6, 2, 3, 3, 3, 1, 1, 2, 2, 0, 0, 1, 1)},
    {"dilation 2", DESC(1, 7, 6, 2, 7, 6, 2, 3, 3, 1, 1, 2, 2, 2, 2)},
    {"stride and dilation",
     DESC(1, 9, 8, 1, 3, 4, 2, 3, 2, 3, 2, 2, 1, 2, 3)},
    {"ragged kernel", DESC(2, 6, 5, 2, 3, 6, 3, 2, 4, 2, 1, 0, 2, 1, 1)},
    {"7x7 stride 2", DESC(1, 11, 10, 1, 6, 5, 2, 7, 7, 2, 2, 3, 3, 1, 1)},
    {"one pixel", DESC(3, 1, 1, 2, 1, 1, 2, 3, 3, 1, 1, 1, 1, 1, 1)},
};

static double conv_loss(const void *context)
{
    const conv_data *const data = (const conv_data *)context;
    double dst[ROOM];
    assert_int_equal(BL_OK, ref->conv_forward(data->conv, data->src, NULL,
                                              dst, NULL));
    return dot(dst, data->r, data->n_dst);
}

static void check_conv(bl_device *dev, const conv_case *row)
{
    const bl_conv_desc *const d = &row->desc;
    const int64_t n_src = d->n * d->ih * d->iw * d->ic;
    const int64_t n_weights = d->oc * d->ic * d->kh * d->kw;
    conv_data data = {.n_dst = d->n * d->oh * d->ow * d->oc};
    assert_true(n_src <= ROOM && n_weights <= ROOM && data.n_dst <= ROOM);
    fill(data.src, n_src, 11, -1, 1);
    fill(data.weights, n_weights, 12, -1, 1);
    fill(data.r, data.n_dst, 13, -1, 1);
    assert_int_equal(BL_OK, ref->conv_create(dev, &data.conv, d));
    assert_int_equal(BL_OK,
                     ref->conv_prepare(data.conv, data.weights, NULL, NULL));

    double diff_src[ROOM], diff_weights[ROOM], twice[ROOM];
    assert_int_equal(BL_OK, ref->conv_backward_data(data.conv, data.r,
                                                    diff_src, NULL));
    assert_int_equal(BL_OK, ref->conv_backward_weights(
                                data.conv, data.src, data.r, diff_weights,
                                false, NULL));
    check_grad(row->name, "src", conv_loss, &data, data.src, diff_src, n_src);
    check_grad(row->name, "weights", conv_loss, &data, data.weights,
               diff_weights, n_weights);

    for (int64_t i = 0; i < n_weights; i++) twice[i] = diff_weights[i];
    assert_int_equal(BL_OK, ref->conv_backward_weights(data.conv, data.src,
                                                       data.r, twice, true,
                                                       NULL));
    for (int64_t i = 0; i < n_weights; i++) {
        assert_near(twice[i], 2 * diff_weights[i], 1e-12);
    }
    ref->conv_free(data.conv);
}

static void test_conv(void **state)
{
    (void)state;
    bl_device *dev = NULL;
    assert_int_equal(BL_OK, ref->open(&dev, 0));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_conv(dev, &cases[i]);
    }
    ref->close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
