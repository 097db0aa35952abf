/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.c: what a BBN step on ResNet-32 costs, kernel by kernel.
 *
 *   bench_kernels [backend [batch [repetitions [threads]]]]
 *
 * Runs the trunk as a step would: every layer in order, forward and back, on
 * buffers of its own, so that a kernel finds the caches as the kernel before
 * left them.  Each call is timed alone; a layer's time is the least of the
 * repetitions, which is what the machine can do when nobody else uses it.
 * Layers of one shape are printed together, in milliseconds a call with
 * GFLOP/s (convolutions) or GB/s of tensors read and written once or twice as
 * the pass needs them (norms).  A step is two passes over the trunk, one
 * preparation of weights and one update.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "ballast/status.h"

enum { MAX_LAYERS = 64, PARAMETERS = 464154 };

typedef enum op {
    FORWARD, BACK_DATA, BACK_WEIGHTS, NORM, NORM_BACK, PREPARE, OPS
} op;

static const char *const op_names[] = {"conv", "conv data", "conv weights",
                                       "norm", "norm back", "prepare"};

/** A run of equal layers: times convolutions, of which the second of each
 *  pair ends a block and so adds the shortcut. */
typedef struct row {
    int64_t ic, oc, in, stride;
    int times;
    bool pairs_end_odd; /* the first of the run ends no block */
} row;

static const row resnet32[] = {
    {3, 16, 32, 1, 1, false},  {16, 16, 32, 1, 10, false},
    {16, 32, 32, 2, 1, false}, {32, 32, 16, 1, 9, true},
    {32, 64, 16, 2, 1, false}, {64, 64, 8, 1, 9, true},
};
enum { ROWS = sizeof resnet32 / sizeof *resnet32 };

typedef struct layer {
    int row;
    bl_conv_desc conv;
    bl_norm_desc norm;
    bl_conv *planned;
    void *weights, *diff_weights; // f32 OIHW
    void *y, *z;                  // act [n][oh][ow][oc], conv and norm out
    void *channels;               // f32 [8][oc]
    double best[OPS];             /* seconds */
} layer;

typedef struct trunk {
    const bl_backend *e;
    bl_device *dev;
    layer layers[MAX_LAYERS];
    int n;
    bl_dtype act;
    void *x;               // act [n][32][32][3]
    void *diff[4];         // act, as large as any layer's
    void *scratch;
    double sgd;
} trunk;

static void stop_on(bl_status status)
{
    if (status >= 0) return;
    (void)fprintf(stderr, "bench_kernels: %s\n", bl_error_last()->message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/** count numbers of dtype in [-1, 1), repeatable. */
static void *noise(trunk *t, bl_dtype dtype, int64_t count)
{
    void *memory = NULL;
    float *const host = malloc((size_t)count * sizeof *host);
    uint64_t state = (uint64_t)count;
    void *staging = NULL;
    const size_t bytes = (size_t)count * sizeof *host;
    if (host == NULL) exit(1);
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        host[i] = (float)(state >> 40) * 0x1p-23f - 1;
    }
    stop_on(t->e->alloc(t->dev, &memory,
                        (size_t)count * bl_dtype_size(dtype)));
    stop_on(t->e->alloc(t->dev, &staging, bytes));
    stop_on(t->e->upload(t->dev, staging, host, bytes));
    stop_on(t->e->convert(t->dev, memory, dtype, staging, count));
    stop_on(t->e->sync(t->dev));
    t->e->free(t->dev, staging);
    free(host);
    return memory;
}

static void layer_open(trunk *t, int index, int turn, int64_t n)
{
    const row *const r = &resnet32[index];
    layer *const l = &t->layers[t->n++];
    const int64_t stride = turn == 0 ? r->stride : 1, out = r->in / r->stride;
    const int64_t count = n * out * out * r->oc;
    const bool ends = index > 0 && (turn % 2 == 0) == r->pairs_end_odd
        && r->times > 1;
    l->row = index;
    l->conv = (bl_conv_desc){
        .n = n, .ih = out * stride, .iw = out * stride, .ic = r->ic,
        .oh = out, .ow = out, .oc = r->oc, .kh = 3, .kw = 3, .sh = stride,
        .sw = stride, .ph = 1, .pw = 1, .dh = 1, .dw = 1, .act = t->act,
        .need_diff_src = index > 0};
    l->norm = (bl_norm_desc){.rows = n * out * out, .c = r->oc,
                             .act = t->act, .eps = 1e-5, .momentum = 0.1,
                             .relu = true, .add = ends};
    stop_on(t->e->conv_create(t->dev, &l->planned, &l->conv));
    l->weights = noise(t, BL_F32, r->oc * r->ic * 9);
    l->diff_weights = noise(t, BL_F32, r->oc * r->ic * 9);
    l->channels = noise(t, BL_F32, 8 * r->oc);
    l->y = noise(t, t->act, count);
    l->z = noise(t, t->act, count);
    for (int i = 0; i < OPS; i++) l->best[i] = 1e9;
}

static void trunk_open(trunk *t, int64_t n)
{
    size_t scratch = 0;
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < resnet32[i].times; k++) layer_open(t, i, k, n);
    for (int i = 0; i < t->n; i++) {
        const layer *const l = &t->layers[i];
        const size_t a = t->e->conv_scratch(l->planned);
        const size_t b = t->e->norm_scratch(t->dev, &l->norm);
        if (a > scratch) scratch = a;
        if (b > scratch) scratch = b;
    }
    stop_on(t->e->alloc(t->dev, &t->scratch, scratch));
    t->x = noise(t, t->act, n * 32 * 32 * 3);
    for (int i = 0; i < 4; i++)
        t->diff[i] = noise(t, t->act, n * 32 * 32 * 16);
}

static void trunk_close(trunk *t)
{
    for (int i = 0; i < t->n; i++) {
        layer *const l = &t->layers[i];
        void *const owned[] = {l->weights, l->diff_weights, l->channels, l->y,
                               l->z};
        for (int k = 0; k < 5; k++) t->e->free(t->dev, owned[k]);
        t->e->conv_free(l->planned);
    }
    for (int i = 0; i < 4; i++) t->e->free(t->dev, t->diff[i]);
    t->e->free(t->dev, t->x);
    t->e->free(t->dev, t->scratch);
}

/** Notes the time since *from under op, and starts anew. */
static void lap(trunk *t, layer *l, op which, double *from)
{
    stop_on(t->e->sync(t->dev));
    const double at = now();
    if (at - *from < l->best[which]) l->best[which] = at - *from;
    *from = at;
}

static float *channel(const layer *l, int which)
{
    return (float *)l->channels + which * l->conv.oc;
}

static void forward(trunk *t)
{
    const void *src = t->x;
    for (int i = 0; i < t->n; i++) {
        layer *const l = &t->layers[i];
        double from = now();
        stop_on(t->e->conv_forward(l->planned, src, NULL, l->y, t->scratch));
        lap(t, l, FORWARD, &from);
        stop_on(t->e->norm_forward(
            t->dev, &l->norm, l->y, l->norm.add ? t->layers[i - 2].z : NULL,
            channel(l, 0), channel(l, 1), channel(l, 2), channel(l, 3),
            channel(l, 4), channel(l, 5), l->z, t->scratch));
        lap(t, l, NORM, &from);
        src = l->z;
    }
}

/* Gradients go round four buffers: d1 from the convolution above, d2 from the
 * shortcut above. */
static void backward(trunk *t)
{
    void *d1 = t->diff[0], *d2 = t->diff[1], *free1 = t->diff[2];
    void *free2 = t->diff[3];
    for (int i = t->n - 1; i >= 0; i--) {
        layer *const l = &t->layers[i];
        const void *const src = i > 0 ? t->layers[i - 1].z : t->x;
        double from = now();
        stop_on(t->e->norm_backward(
            t->dev, &l->norm, false, l->y, l->z, d1,
            l->norm.add ? d2 : NULL, channel(l, 0), channel(l, 4),
            channel(l, 5), channel(l, 6), channel(l, 7), false, free1,
            l->norm.add ? free2 : NULL, t->scratch));
        lap(t, l, NORM_BACK, &from);
        stop_on(t->e->conv_backward_weights(l->planned, src, free1,
                                            l->diff_weights, false,
                                            t->scratch));
        lap(t, l, BACK_WEIGHTS, &from);
        if (i == 0) continue;
        stop_on(t->e->conv_backward_data(l->planned, free1, d1, t->scratch));
        lap(t, l, BACK_DATA, &from);
        if (l->norm.add) {
            void *const kept = d2;
            d2 = free2;
            free2 = kept;
        }
    }
}

static void prepare(trunk *t)
{
    for (int i = 0; i < t->n; i++) {
        layer *const l = &t->layers[i];
        double from = now();
        stop_on(t->e->conv_prepare(l->planned, l->weights, NULL, NULL));
        lap(t, l, PREPARE, &from);
    }
}

static void update(trunk *t)
{
    const bl_sgd_desc desc = {PARAMETERS, BL_F32, 0.9, 2e-4, false};
    const double lr = 1e-3;
    const double from = now();
    stop_on(t->e->sgd(t->dev, &desc, &lr, t->layers[1].y, t->layers[2].y,
                      t->layers[3].y));
    stop_on(t->e->sync(t->dev));
    if (now() - from < t->sgd) t->sgd = now() - from;
}

/* ---- the table ---------------------------------------------------------- */

/** GFLOP or GB of one call; 0 where neither means anything. */
static double work_of(const layer *l, op which)
{
    const bl_conv_desc *const c = &l->conv;
    const double dst = (double)(c->n * c->oh * c->ow * c->oc);
    const double bytes = dst * (double)bl_dtype_size(c->act) * 1e-9;
    const double add = l->norm.add ? 1 : 0;
    switch (which) {
    case FORWARD: case BACK_DATA: case BACK_WEIGHTS:
        return 2 * dst * (double)(c->ic * c->kh * c->kw) * 1e-9;
    case NORM: return bytes * (3 + add);
    case NORM_BACK: return bytes * (add > 0 ? 8 : 7);
    case PREPARE: case OPS: break;
    }
    return 0;
}

static void print_row(const trunk *t, int index)
{
    const row *const r = &resnet32[index];
    (void)printf("%2d x %2lld>%2lld %2lldx%-2lld", r->times, (long long)r->ic,
                 (long long)r->oc, (long long)(r->in / r->stride),
                 (long long)(r->in / r->stride));
    for (int k = 0; k < PREPARE; k++) {
        double seconds = 0, work = 0;
        for (int i = 0; i < t->n; i++) {
            const layer *const l = &t->layers[i];
            if (l->row != index || l->best[k] > 1e8) continue;
            seconds += l->best[k];
            work += work_of(l, (op)k);
        }
        (void)printf("  %6.3f %5.0f", seconds * 1e3 / r->times,
                     seconds > 0 ? work / seconds : 0);
    }
    (void)printf("\n");
}

static void print_step(const trunk *t, int64_t n)
{
    double sum[OPS] = {0}, all = t->sgd;
    (void)printf("step, ms:");
    for (int k = 0; k < OPS; k++) {
        for (int i = 0; i < t->n; i++)
            if (t->layers[i].best[k] < 1e8) sum[k] += t->layers[i].best[k];
        if (k != PREPARE) sum[k] *= 2;
        all += sum[k];
        (void)printf(" %s %.2f,", op_names[k], sum[k] * 1e3);
    }
    (void)printf(" sgd %.2f; in all %.1f = %.0f pairs/s\n", t->sgd * 1e3,
                 all * 1e3, (double)n / all);
}

static void run(const bl_backend *e, bl_dtype act, int64_t n, int repetitions,
                int32_t threads)
{
    static trunk t;
    memset(&t, 0, sizeof t);
    t.e = e;
    t.act = act;
    t.sgd = 1e9;
    stop_on(e->open(&t.dev, threads));
    trunk_open(&t, n);
    for (int i = 0; i < repetitions; i++) {
        prepare(&t);
        forward(&t);
        backward(&t);
        update(&t);
    }
    (void)printf("%s, %s, batch %lld\n%18s", e->describe(t.dev),
                 bl_dtype_name(act), (long long)n, "");
    for (int k = 0; k < PREPARE; k++)
        (void)printf("  %12s", op_names[k]);
    (void)printf("\n");
    for (int i = 0; i < ROWS; i++) print_row(&t, i);
    print_step(&t, n);
    trunk_close(&t);
    e->close(t.dev);
}

int main(int argc, char **argv)
{
    const bl_backend *e = NULL;
    const long n = argc > 2 ? strtol(argv[2], NULL, 10) : 128;
    const long repetitions = argc > 3 ? strtol(argv[3], NULL, 10) : 10;
    const long threads = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    stop_on(bl_backend_find(&e, argc > 1 ? argv[1] : "auto"));
    if (n < 1 || repetitions < 1 || threads < 0) {
        (void)fprintf(stderr, "usage: bench_kernels [backend [batch "
                      "[repetitions [threads]]]]\n");
        return 2;
    }
    if (e->runs(BL_F32)) run(e, BL_F32, n, (int)repetitions, (int)threads);
    if (e->runs(BL_BF16)) run(e, BL_BF16, n, (int)repetitions, (int)threads);
    return 0;
}
