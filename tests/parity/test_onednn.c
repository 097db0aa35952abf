/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_onednn.c: the layers that oneDNN's backend overrides, against ref; for
 * what follows them see test_heads.c.
 *
 * A problem is a line of text, keys and numbers ("n3ic5ih9iw7oc6kh3sh2ph1"),
 * as in benchdnn; what a line leaves out has its default.  Both backends get
 * the same random numbers.  Every buffer lies between poisoned guards that
 * must survive, and what is to be written is filled with NaN before.
 *
 * Bounds, on |found - wanted| / |wanted| in the Euclidean norm:
 *
 *   f32    1e-5   sums of up to a few thousand terms in float, ref in double
 *   bf16   2^-7   storage rounds by up to 2^-9 of a number: weights, products
 *                 kept between sweeps, and results each do so once
 *
 * Parameters' gradients and statistics are f32 in both plans.  diff_src of a
 * norm is a difference of numbers of diff_dst's size, one of which was stored
 * in between, so its error is held against both norms.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/backend.h"
#include "backend/bf16.h"
#include "ballast/status.h"

#ifdef BL_WITH_ONEDNN

#include "backend/onednn/onednn.h"
#include "parity/guarded.h"

/* ---- problems ----------------------------------------------------------- */

static int64_t extent(int64_t in, int64_t k, int64_t s, int64_t p, int64_t d)
{
    return (in + 2 * p - d * (k - 1) - 1) / s + 1;
}

static bl_conv_desc conv_of(const char *t, bl_dtype act)
{
    bl_conv_desc d = {.n = number_of(t, "n", 1), .ic = number_of(t, "ic", 1),
                      .oc = number_of(t, "oc", 1),
                      .ih = number_of(t, "ih", 1),
                      .kh = number_of(t, "kh", 1),
                      .sh = number_of(t, "sh", 1),
                      .ph = number_of(t, "ph", 0),
                      .dh = number_of(t, "dh", 1), .act = act,
                      .need_diff_src = true};
    d.iw = number_of(t, "iw", d.ih);
    d.kw = number_of(t, "kw", d.kh);
    d.sw = number_of(t, "sw", d.sh);
    d.pw = number_of(t, "pw", d.ph);
    d.dw = number_of(t, "dw", d.dh);
    d.oh = extent(d.ih, d.kh, d.sh, d.ph, d.dh);
    d.ow = extent(d.iw, d.kw, d.sw, d.pw, d.dw);
    return d;
}

static const char *const conv_problems[] = {
    "n1ic1ih1oc1kh1", "n2ic3ih16oc16kh3ph1", "n3ic5ih9iw7oc6kh3sh2ph1",
    "n2ic16ih9oc16kh3ph1", "n2ic16ih8oc32kh3sh2ph1", "n1ic7ih5oc17kh1",
    "n4ic33ih6oc17kh3ph1", "n2ic17ih12iw5oc3kh3ph2dh2",
    "n1ic64ih8oc64kh3ph1", "n2ic32ih8oc64kh3sh2ph1", "n5ic16ih7oc24kh1sh2",
    "n2ic3ih21iw19oc8kh7sh2ph3", "n1ic8ih6iw11oc9kh3kw1sh1ph1pw0",
    "n3ic16ih18oc16kh3ph1", "n2ic48ih7oc40kh3ph3dh3", "n7ic16ih4oc16kh3ph1",
    "n3ic32ih5iw9oc32kh3ph1", "n2ic16ih5iw4oc16kh3sh2ph1",
    "n3ic64ih4iw7oc128kh3sh2ph1",
    "n2ic48ih7oc32kh3ph3dh3", "n3ic16ih6iw9oc32kh1", "n2ic32ih9oc16kh5sh2ph2",
    "n2ic16ih11iw6oc16kh3dh2", "n1ic16ih3oc16kh3ph4", "n9ic32ih3oc48kh3ph1",
};

/* ---- convolution -------------------------------------------------------- */

static void conv_train(bench *b, const char *text, bl_dtype act)
{
    const bl_conv_desc d = conv_of(text, act);
    const int64_t n_src = d.n * d.ih * d.iw * d.ic;
    const int64_t n_dst = d.n * d.oh * d.ow * d.oc;
    const int64_t n_w = d.oc * d.ic * d.kh * d.kw;
    const buffer *const src = noise(b, act, n_src, 0.1, 1);
    const buffer *const diff_dst = noise(b, act, n_dst, 0.05, 1);
    const buffer *const weights = noise(b, BL_F32, n_w, 0, 0.7);
    const buffer *const start = noise(b, BL_F32, n_w, 0, 2.385);
    buffer *dst[2], *diff_src[2], *diff_w[2], *sum_w[2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        bl_conv *conv = NULL;
        ok(e->conv_create(b->dev[k], &conv, &d));
        char note[128];
        e->conv_describe(conv, note, sizeof note);
        assert_true(strlen(note) > 0);
        const buffer *const scratch =
            blank(b, BL_F32, (int64_t)e->conv_scratch(conv) / 4 + 1);
        dst[k] = blank(b, act, n_dst);
        diff_src[k] = blank(b, act, n_src);
        diff_w[k] = blank(b, BL_F32, n_w);
        sum_w[k] = twin(b, start);
        ok(e->conv_prepare(conv, start->at, NULL, NULL));
        ok(e->conv_prepare(conv, weights->at, NULL, NULL));
        ok(e->conv_forward(conv, src->at, NULL, dst[k]->at, scratch->at));
        ok(e->conv_backward_data(conv, diff_dst->at, diff_src[k]->at,
                                 scratch->at));
        ok(e->conv_backward_weights(conv, src->at, diff_dst->at,
                                    diff_w[k]->at, false, scratch->at));
        ok(e->conv_backward_weights(conv, src->at, diff_dst->at,
                                    sum_w[k]->at, true, scratch->at));
        e->conv_free(conv);
    }
    compare("dst", text, act, dst[0], dst[1], bounds[act]);
    compare("diff_src", text, act, diff_src[0], diff_src[1], bounds[act]);
    compare("diff_weights", text, act, diff_w[0], diff_w[1], 1e-5);
    compare("accumulated", text, act, sum_w[0], sum_w[1], 1e-5);
    finish(b);
}

static void conv_infer(bench *b, const char *text, bl_dtype act, bool add,
                       bool relu)
{
    bl_conv_desc d = conv_of(text, act);
    d.infer = true;
    d.add = add;
    d.relu = relu;
    const int64_t n_dst = d.n * d.oh * d.ow * d.oc;
    const buffer *const src =
        noise(b, act, d.n * d.ih * d.iw * d.ic, 0.1, 1);
    const buffer *const other = noise(b, act, n_dst, -0.3, 2);
    const buffer *const weights =
        noise(b, BL_F32, d.oc * d.ic * d.kh * d.kw, 0, 0.7);
    const buffer *const scale = noise(b, BL_F32, d.oc, 1.1, 0.6);
    const buffer *const shift = noise(b, BL_F32, d.oc, 0.1, 0.9);
    buffer *dst[2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        bl_conv *conv = NULL;
        ok(e->conv_create(b->dev[k], &conv, &d));
        const buffer *const scratch =
            blank(b, BL_F32, (int64_t)e->conv_scratch(conv) / 4 + 1);
        dst[k] = blank(b, act, n_dst);
        ok(e->conv_prepare(conv, weights->at, scale->at, shift->at));
        ok(e->conv_forward(conv, src->at, add ? other->at : NULL, dst[k]->at,
                           scratch->at));
        e->conv_free(conv);
    }
    compare(relu ? "dst, relu" : "dst", text, act, dst[0], dst[1],
            bounds[act]);
    finish(b);
}

static void test_conv(void **state)
{
    bench *const b = *state;
    const size_t n = sizeof conv_problems / sizeof *conv_problems;
    assert_true(b->backend[1]->runs(BL_F32));
    if (!b->backend[1]->runs(BL_BF16))
        print_message("skipped: oneDNN has no bf16 on this processor\n");
    for (size_t i = 0; i < n; i++)
        for (int a = 0; a < 2; a++) {
            if (!b->backend[1]->runs(acts[a])) continue;
            conv_train(b, conv_problems[i], acts[a]);
            for (int k = 0; k < 4; k++)
                conv_infer(b, conv_problems[i], acts[a], k & 1, k & 2);
        }
}

/* ---- batch norm --------------------------------------------------------- */

static const char *const norm_problems[] = {
    "rows1c1", "rows2c3", "rows37c17", "rows130c7", "rows600c16",
    "rows290c33", "rows129c64", "rows401c32", "rows41c100", "rows9c300",
    "rows6c130", "rows1700c3", "rows1c64",
};

typedef struct norm_case {
    const char *text;
    bl_norm_desc d;
    bool second, frozen, accumulate; /* diff_dst2 given */
    int in_place; /* 1: diff_add is diff_dst, or diff_src where no add;
                     2: the same with diff_dst2 */
    double centre;
} norm_case;

static void norm_forward(bench *b, const norm_case *c)
{
    const bl_norm_desc *const d = &c->d;
    const int64_t count = d->rows * d->c;
    const buffer *const src = noise(b, d->act, count, c->centre, 1.3);
    const buffer *const add = noise(b, d->act, count, 0.2, 1);
    const buffer *const gamma = noise(b, BL_F32, d->c, 0.9, 0.7);
    const buffer *const beta = noise(b, BL_F32, d->c, 0.1, 0.7);
    const buffer *const mean0 = noise(b, BL_F32, d->c, 0.3, 1);
    const buffer *const var0 = noise(b, BL_F32, d->c, 1.7, 0.9);
    buffer *out[2][6]; /* dst, mean, var, saved mean, saved rstd, inferred */
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        const size_t bytes = e->norm_scratch(b->dev[k], d);
        const buffer *const scratch = blank(b, BL_F64, (int64_t)bytes / 8 + 1);
        out[k][0] = blank(b, d->act, count);
        out[k][1] = twin(b, mean0);
        out[k][2] = twin(b, var0);
        out[k][3] = blank(b, BL_F32, d->c);
        out[k][4] = blank(b, BL_F32, d->c);
        out[k][5] = c->in_place != 0 ? twin(b, src)
                                     : blank(b, d->act, count);
        ok(e->norm_forward(b->dev[k], d, src->at, d->add ? add->at : NULL,
                           gamma->at, beta->at, out[k][1]->at, out[k][2]->at,
                           out[k][3]->at, out[k][4]->at, out[k][0]->at,
                           scratch->at));
        ok(e->norm_infer(b->dev[k], d,
                         c->in_place != 0 ? out[k][5]->at : src->at,
                         d->add ? add->at : NULL, gamma->at, beta->at,
                         mean0->at, var0->at, out[k][5]->at));
    }
    static const char *const names[] = {"dst", "running mean", "running var",
                                        "mean", "rstd", "inferred"};
    for (int i = 0; i < 6; i++)
        compare(names[i], c->text, d->act, out[0][i], out[1][i],
                bounds[out[0][i]->dtype]);
    finish(b);
}

/* What is made again from saved statistics is what forward made, bit for
 * bit, in either backend. */
static void norm_again(bench *b, const norm_case *c)
{
    const bl_norm_desc *const d = &c->d;
    const int64_t count = d->rows * d->c;
    const buffer *const src = noise(b, d->act, count, c->centre, 1.3);
    const buffer *const gamma = noise(b, BL_F32, d->c, 0.9, 0.7);
    const buffer *const beta = noise(b, BL_F32, d->c, 0.1, 0.7);
    const buffer *const running = noise(b, BL_F32, d->c, 1.7, 0.9);
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        const size_t bytes = e->norm_scratch(b->dev[k], d);
        const buffer *const scratch = blank(b, BL_F64, (int64_t)bytes / 8 + 1);
        const buffer *const mean = blank(b, BL_F32, d->c);
        const buffer *const rstd = blank(b, BL_F32, d->c);
        const buffer *const first = blank(b, d->act, count);
        const buffer *const second = blank(b, d->act, count);
        ok(e->norm_forward(b->dev[k], d, src->at, NULL, gamma->at, beta->at,
                           twin(b, running)->at, twin(b, running)->at,
                           mean->at, rstd->at, first->at, scratch->at));
        ok(e->norm_again(b->dev[k], d, src->at, gamma->at, beta->at, mean->at,
                         rstd->at, second->at, scratch->at));
        assert_memory_equal(first->at, second->at,
                            (size_t)count * bl_dtype_size(d->act));
    }
    finish(b);
}

static void norm_backward(bench *b, const norm_case *c)
{
    const bl_norm_desc *const d = &c->d;
    const int64_t count = d->rows * d->c;
    const buffer *const src = noise(b, d->act, count, c->centre, 1.3);
    const buffer *const dst = noise(b, d->act, count, 0.1, 1);
    const buffer *const first = noise(b, d->act, count, 0.2, 1);
    const buffer *const second = noise(b, d->act, count, -0.1, 1);
    const buffer *const gamma = noise(b, BL_F32, d->c, 0.9, 0.7);
    const buffer *const mean = noise(b, BL_F32, d->c, c->centre, 0.2);
    const buffer *const rstd = noise(b, BL_F32, d->c, 1, 0.4);
    const buffer *const start = noise(b, BL_F32, d->c, 0, 2.385);
    buffer *out[2][4]; /* diff_gamma, diff_beta, diff_src, diff_add */
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        const size_t bytes = e->norm_scratch(b->dev[k], d);
        const buffer *const scratch = blank(b, BL_F64, (int64_t)bytes / 8 + 1);
        buffer *const d1 = twin(b, first);
        buffer *const d2 = twin(b, second);
        buffer *const taken = c->in_place == 1 ? d1
            : c->in_place == 2 && c->second ? d2 : blank(b, d->act, count);
        buffer *const other = blank(b, d->act, count);
        out[k][0] = twin(b, start);
        out[k][1] = twin(b, start);
        out[k][2] = d->add ? other : taken;
        out[k][3] = taken;
        ok(e->norm_backward(b->dev[k], d, c->frozen, src->at,
                            d->relu ? dst->at : NULL, d1->at,
                            c->second ? d2->at : NULL, gamma->at, mean->at,
                            rstd->at, out[k][0]->at, out[k][1]->at,
                            c->accumulate, out[k][2]->at,
                            d->add ? taken->at : NULL, scratch->at));
    }
    static const char *const names[] = {"diff_gamma", "diff_beta", "diff_src",
                                        "diff_add"};
    const double both = 1 + norm_of(first) / (norm_of(out[0][2]) + 1e-30);
    const double allowed[] = {1e-5, 1e-5, bounds[d->act] * both,
                              bounds[d->act]};
    for (int i = 0; i < (d->add ? 4 : 3); i++)
        compare(names[i], c->text, d->act, out[0][i], out[1][i], allowed[i]);
    finish(b);
}

static void test_norm(void **state)
{
    bench *const b = *state;
    const size_t n = sizeof norm_problems / sizeof *norm_problems;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 96; k++) {
            const norm_case c = {
                .text = norm_problems[i],
                .d = {.rows = number_of(norm_problems[i], "rows", 1),
                      .c = number_of(norm_problems[i], "c", 1),
                      .act = acts[k & 1], .eps = 1e-5, .momentum = 0.17,
                      .add = k & 2, .relu = k & 4},
                .second = k & 8, .frozen = k & 16, .accumulate = k & 16,
                .in_place = k / 32, .centre = 0.4};
            norm_forward(b, &c);
            if (!c.d.add) norm_again(b, &c);
            norm_backward(b, &c);
        }
}

/* A mean of 300 deviations must not swallow the variance. */
static void test_norm_far_mean(void **state)
{
    const norm_case c = {.text = "rows4096c16, mean 400",
                         .d = {.rows = 4096, .c = 16, .act = BL_F32,
                               .eps = 1e-5, .momentum = 0.1},
                         .centre = 400};
    bench *const b = *state;
    const double kept = bounds[BL_F32];
    const buffer *const src = noise(b, BL_F32, 4096 * 16, c.centre, 1.3);
    const buffer *const one = noise(b, BL_F32, 16, 1, 0);
    buffer *rstd[2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        const size_t bytes = e->norm_scratch(b->dev[k], &c.d);
        const buffer *const scratch = blank(b, BL_F64, (int64_t)bytes / 8 + 1);
        buffer *const moved[3] = {twin(b, one), twin(b, one), twin(b, one)};
        rstd[k] = blank(b, BL_F32, 16);
        ok(e->norm_forward(b->dev[k], &c.d, src->at, NULL, one->at, one->at,
                           moved[0]->at, moved[1]->at, moved[2]->at,
                           rstd[k]->at, blank(b, BL_F32, src->count)->at,
                           scratch->at));
    }
    compare("rstd", c.text, BL_F32, rstd[0], rstd[1], kept);
    finish(b);
}

/* ---- element-wise ------------------------------------------------------- */

typedef bl_status unary(bl_device *dev, bl_dtype act, int64_t count,
                        const void *src, void *dst);
typedef bl_status binary(bl_device *dev, bl_dtype act, int64_t count,
                         const void *a, const void *b, void *dst);

static void flat_case(bench *b, bl_dtype act, int64_t count, bool in_place)
{
    const buffer *const x = noise(b, act, count, 0, 1);
    const buffer *const y = noise(b, act, count, 0, 1);
    const buffer *const f = noise(b, BL_F32, count, 0, 1);
    buffer *out[2][4];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        bl_device *const dev = b->dev[k];
        for (int i = 0; i < 4; i++)
            out[k][i] = in_place ? twin(b, y) : blank(b, act, count);
        const void *const from2 = in_place ? out[k][2]->at : y->at;
        const void *const from3 = in_place ? out[k][3]->at : y->at;
        ok(e->convert(dev, out[k][0]->at, act, f->at, count));
        ok(e->relu_forward(dev, act, count, x->at, out[k][1]->at));
        ok(e->relu_backward(dev, act, count, x->at, from2, out[k][2]->at));
        ok(e->add(dev, act, count, from3, x->at, out[k][3]->at));
    }
    static const char *const names[] = {"convert", "relu", "relu backward",
                                        "add"};
    for (int i = 0; i < 4; i++)
        compare(names[i], in_place ? "in place" : "apart", act, out[0][i],
                out[1][i], 1e-6);
    finish(b);
}

static void test_elementwise(void **state)
{
    static const int64_t counts[] = {1, 3, 17, 64, 100, 4095, 40000};
    bench *const b = *state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int k = 0; k < 4; k++)
            flat_case(b, acts[k & 1], counts[i], k & 2);
}

static void shortcut_case(bench *b, const char *text, bl_dtype act)
{
    bl_shortcut_desc d = {.n = number_of(text, "n", 1),
                          .ih = number_of(text, "ih", 1),
                          .ic = number_of(text, "ic", 1),
                          .oc = number_of(text, "oc", 1),
                          .stride = number_of(text, "s", 1), .act = act};
    d.iw = number_of(text, "iw", d.ih);
    d.oh = (d.ih + d.stride - 1) / d.stride;
    d.ow = (d.iw + d.stride - 1) / d.stride;
    const int64_t n_src = d.n * d.ih * d.iw * d.ic;
    const int64_t n_dst = d.n * d.oh * d.ow * d.oc;
    const buffer *const src = noise(b, act, n_src, 0, 1);
    const buffer *const diff_dst = noise(b, act, n_dst, 0, 1);
    buffer *out[2][2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, act, n_dst);
        out[k][1] = blank(b, act, n_src);
        ok(e->shortcut_forward(b->dev[k], &d, src->at, out[k][0]->at));
        ok(e->shortcut_backward(b->dev[k], &d, diff_dst->at, out[k][1]->at));
    }
    compare("shortcut", text, act, out[0][0], out[1][0], 0);
    compare("shortcut backward", text, act, out[0][1], out[1][1], 0);
    finish(b);
}

static void gap_case(bench *b, const char *text, bl_dtype act)
{
    const int64_t n = number_of(text, "n", 1), hw = number_of(text, "hw", 1);
    const int64_t c = number_of(text, "c", 1);
    const buffer *const src = noise(b, act, n * hw * c, 0.3, 1);
    const buffer *const diff_dst = noise(b, BL_F32, n * c, 0, 1);
    buffer *out[2][2];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        out[k][0] = blank(b, BL_F32, n * c);
        out[k][1] = blank(b, act, n * hw * c);
        ok(e->gap_forward(b->dev[k], act, n, hw, c, src->at, out[k][0]->at));
        ok(e->gap_backward(b->dev[k], act, n, hw, c, diff_dst->at,
                           out[k][1]->at));
    }
    compare("gap", text, act, out[0][0], out[1][0], 1e-5);
    compare("gap backward", text, act, out[0][1], out[1][1],
            bounds[act]);
    finish(b);
}

/** b is a where `same`; without order perm is the identity. */
static void mix_case(bench *b, const char *text, bl_dtype act, bool same,
                     bool order)
{
    const int64_t n = number_of(text, "n", 1), size = number_of(text, "s", 1);
    const double lambda = 0.2385;
    const buffer *const x = noise(b, act, n * size, 0.3, 1);
    const buffer *const y = same ? x : noise(b, act, n * size, -0.2, 1);
    const buffer *const diff = noise(b, act, n * size, 0.1, 1);
    int32_t perm[16], inverse[16];
    for (int32_t i = 0; i < n; i++) {
        perm[i] = (int32_t)((5 * i + 3) % n); /* n has no factor 5 */
        inverse[perm[i]] = i;
    }
    buffer *out[2][3];
    for (int k = 0; k < 2; k++) {
        const bl_backend *const e = b->backend[k];
        for (int i = 0; i < 3; i++) out[k][i] = blank(b, act, n * size);
        void *const diff_b = same ? out[k][1]->at : out[k][2]->at;
        ok(e->mix_forward(b->dev[k], act, n, size, &lambda,
                          order ? perm : NULL, x->at, y->at, out[k][0]->at));
        ok(e->mix_backward(b->dev[k], act, n, size, &lambda,
                           order ? inverse : NULL, diff->at, out[k][1]->at,
                           diff_b));
        if (same) /* one gradient alone, not the sum */
            ok(e->mix_backward(b->dev[k], act, n, size, &lambda,
                               order ? inverse : NULL, diff->at, NULL,
                               out[k][2]->at));
    }
    static const char *const names[] = {"mix", "diff_a", "diff_b"};
    for (int i = 0; i < 3; i++)
        compare(names[i], text, act, out[0][i], out[1][i], bounds[act]);
    finish(b);
}

static void test_mix(void **state)
{
    static const char *const problems[] = {"n1s1", "n3s17", "n8s64",
                                           "n13s4099", "n16s1300"};
    bench *const b = *state;
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 8; k++)
            mix_case(b, problems[i], acts[k & 1], k & 2, k & 4);
}

static void test_shape(void **state)
{
    static const char *const shortcuts[] = {
        "n1ih1ic1oc1s1", "n2ih8ic16oc32s2", "n3ih9iw7ic5oc12s2",
        "n2ih5ic3oc7s3"};
    static const char *const gaps[] = {"n1hw1c1", "n5hw64c64", "n3hw49c17",
                                       "n2hw6c130"};
    bench *const b = *state;
    for (int i = 0; i < 8; i++) {
        shortcut_case(b, shortcuts[i / 2], acts[i & 1]);
        gap_case(b, gaps[i / 2], acts[i & 1]);
    }
}

/* ---- repeatability ------------------------------------------------------ */

static void test_repeats(void **state)
{
    bench *const b = *state;
    const bl_backend *const e = b->backend[1];
    for (int a = 0; a < 2; a++) {
        if (!e->runs(acts[a])) continue;
        const bl_conv_desc d = conv_of("n6ic16ih16oc16kh3ph1", acts[a]);
        const int64_t n = d.n * d.ih * d.iw * d.ic;
        const buffer *const src = noise(b, acts[a], n, 0, 1);
        const buffer *const diff = noise(b, acts[a], n, 0, 1);
        buffer *out[4];
        bl_conv *conv = NULL;
        ok(e->conv_create(b->dev[1], &conv, &d));
        const buffer *const scratch =
            blank(b, BL_F32, (int64_t)e->conv_scratch(conv) / 4 + 1);
        for (int i = 0; i < 4; i++) {
            out[i] = blank(b, BL_F32, d.oc * d.ic * 9);
            ok(e->conv_backward_weights(conv, src->at, diff->at, out[i]->at,
                                        false, scratch->at));
            assert_memory_equal(out[i]->at, out[0]->at, out[0]->bytes);
        }
        e->conv_free(conv);
        finish(b);
    }
}

static void test_describe(void **state)
{
    const bench *const b = *state;
    const bl_backend *const e = b->backend[1];
    assert_non_null(strstr(e->describe(b->dev[1]), "oneDNN"));
    assert_false(e->runs(BL_F64));
    bl_device *none = NULL;
    assert_int_equal(e->open(&none, -1), BL_EINVAL);
    assert_null(none);
}

/* OpenMP would end the process where it cannot start a thread. */
static void test_most_threads(void **state)
{
    const bl_backend *const e = ((const bench *)*state)->backend[1];
    const int32_t processors = (int32_t)sysconf(_SC_NPROCESSORS_CONF);
    bl_device *dev = NULL;
    ok(e->open(&dev, 64));
    assert_int_equal(e->threads(dev), 64);
    e->close(dev);
    ok(e->open(&dev, 8 * processors + 65));
    assert_in_range(e->threads(dev), 64, 8 * processors + 64);
    e->close(dev);
}

/* ---- set-up ------------------------------------------------------------- */

/* The slower tables of kernels, which this processor would not choose. */

static void take_kernels(bench *b, int i)
{
    bl_onednn_device *const dev = (bl_onednn_device *)b->dev[1];
    for (int a = 0; a < 2; a++) {
        const bl_kernels *const found = bl_kernels_find(acts[a], i);
        if (found != NULL) dev->kernels[acts[a]] = found;
    }
    print_message("kernels: %s, %s\n", dev->kernels[BL_F32]->isa,
                  dev->kernels[BL_BF16]->isa);
}

static int open_second(void **state)
{
    const int result = open_with(state, 2);
    take_kernels(*state, 1);
    return result;
}

static int open_third(void **state)
{
    const int result = open_with(state, 2);
    take_kernels(*state, 2);
    return result;
}

static int open_fourth(void **state)
{
    const int result = open_with(state, 2);
    take_kernels(*state, 3);
    return result;
}

static int run(const struct CMUnitTest *tests, size_t n, const char *name,
               CMFixtureFunction open)
{
    return _cmocka_run_group_tests(name, tests, n, open, shut);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm), cmocka_unit_test(test_norm_far_mean),
        cmocka_unit_test(test_elementwise), cmocka_unit_test(test_shape),
        cmocka_unit_test(test_mix), cmocka_unit_test(test_conv),
        cmocka_unit_test(test_repeats), cmocka_unit_test(test_describe),
        cmocka_unit_test(test_most_threads),
    };
    const size_t all = sizeof tests / sizeof *tests, of_kernels = 5;
    return run(tests, all, "1 thread", open_one)
        + run(tests, all, "2 threads", open_two)
        + run(tests, of_kernels, "second kernels", open_second)
        + run(tests, of_kernels, "third kernels", open_third)
        + run(tests, of_kernels, "fourth kernels", open_fourth);
}

#else

int main(void)
{
    print_message("skipped: this build has no oneDNN\n");
    return 0;
}

#endif
