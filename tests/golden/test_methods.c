/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_methods.c: training steps of every method against PyTorch.
 *
 * A case takes a row of bl_method_types as a user does, by its name, and the
 * trainer that comes of it; only the batches are the file's.  So the row's own
 * settings, the epoch at which weights or stages change, the rate, the class
 * terms, the mixing of pixels, maps and labels, what a second stage keeps and
 * trains, and the rewriting of a classifier are all what the trainer makes of
 * them.  The images that the trainer's own loader would have drawn are counted
 * by class, and its mixed batches as well.
 *
 * Bounds.  PyTorch's own run in F32 strays from the one in F64 that made the
 * file by up to 9e-7 in a loss, 1.4e-5 in a logit and 4e-5 of the way that a
 * tensor went (each over 1 + size); another order of summation is granted
 * twenty times that.  A wrong factor anywhere is far outside.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/ballast.h"
#include "core/clock.h"
#include "core/mem.h"
#include "io/safetensors.h"
#include "support/scratch.h"
#include "train/trainer.h"

enum {
    N = 6, H = 6, W = 5, C = 3, CLASSES = 7, IMAGE = H * W * C, EVAL = 8,
    TEXT = 128, FULL = 512
};

static const double loss_bound = 2e-5, logit_bound = 1e-4, head_bound = 1e-5,
                    moved_bound = 3e-4;

/** One case on one backend. */
typedef struct bench {
    const char *name;        /* "crt", "crt/frozen"                    */
    char method[TEXT];       /* the name up to the slash               */
    const char *backend;
    bl_safetensors *file;    /* methods.safetensors                    */
    bl_safetensors *init;    /* weights before the first step          */
    bl_dataset *data;
    bl_split *held;
    bl_trainer *t;
} bench;

static void ok(const bench *b, bl_status status)
{
    if (status < 0)
        fail_msg("%s on %s: %s", b->name, b->backend,
                 bl_error_last()->message);
}

static bl_safetensors *open_file(const char *name)
{
    char path[512];
    bl_safetensors *file;
    (void)snprintf(path, sizeof path, "%s/golden/data/%s.safetensors",
                   BL_TEST_FILES, name);
    if (bl_safetensors_open(&file, path) < 0)
        fail_msg("%s", bl_error_last()->message);
    return file;
}

/** Data of a tensor all cases share. */
static const void *shared(const bench *b, const char *name)
{
    const bl_named_tensor *const t = bl_safetensors_find(b->file, name);
    if (!t) fail_msg("golden file lacks %s", name);
    return t->data;
}

/** Data of a tensor of this case, or NULL; *n elements of `size` bytes. */
static const void *maybe(const bench *b, const char *name, size_t size,
                         int64_t *n)
{
    char full[FULL];
    (void)snprintf(full, sizeof full, "%s.%s", b->name, name);
    const bl_named_tensor *const t = bl_safetensors_find(b->file, full);
    if (t && n) *n = (int64_t)(t->bytes / size);
    return t ? t->data : NULL;
}

static const void *own(const bench *b, const char *name, size_t size,
                       int64_t *n)
{
    const void *const data = maybe(b, name, size, n);
    if (!data) fail_msg("golden file lacks %s.%s", b->name, name);
    return data;
}

static void near(const bench *b, double found, double wanted, double bound,
                 const char *what, int64_t k)
{
    if (fabs(found - wanted) <= bound * (1 + fabs(wanted))) return;
    fail_msg("%s on %s: %s %d: found %.9g, wanted %.9g", b->name, b->backend,
             what, (int)k, found, wanted);
}

/* ---- data --------------------------------------------------------------- */

/** counts[c] images of class c, all black: nobody looks at their pixels. */
static bl_split *blank_split(const bench *b)
{
    const int32_t *const counts = shared(b, "counts");
    int32_t *labels;
    uint8_t *pixels;
    int64_t n = 0;
    bl_split *split;
    for (int32_t c = 0; c < CLASSES; c++) n += counts[c];
    ok(b, bl_calloc(&labels, n, sizeof *labels));
    ok(b, bl_calloc(&pixels, n * IMAGE, sizeof *pixels));
    int64_t at = 0;
    for (int32_t c = 0; c < CLASSES; c++)
        for (int32_t i = 0; i < counts[c]; i++) labels[at++] = c;
    ok(b, bl_split_create(&split, n, H, W, C, CLASSES, pixels, labels));
    bl_free(labels);
    bl_free(pixels);
    return split;
}

static bl_split *named_split(const bench *b, const char *name)
{
    char pixels[TEXT], labels[TEXT];
    bl_split *split;
    (void)snprintf(pixels, sizeof pixels, "%s.pixels", name);
    (void)snprintf(labels, sizeof labels, "%s.labels", name);
    const int32_t *const y = shared(b, labels);
    const int64_t n =
        (int64_t)(bl_safetensors_find(b->file, labels)->bytes / sizeof *y);
    ok(b, bl_split_create(&split, n, H, W, C, CLASSES, shared(b, pixels), y));
    return split;
}

static void make_data(bench *b, bool rewrites)
{
    const int32_t y[EVAL] = {0, 1, 2, 3, 4, 5, 6, 0};
    bl_split *test;
    ok(b, bl_split_create(&test, EVAL, H, W, C, CLASSES,
                          shared(b, "eval.pixels"), y));
    bl_split *const train = rewrites ? named_split(b, "train")
                                     : blank_split(b);
    ok(b, bl_dataset_create(&b->data, "golden", train, test, NULL));
    b->data->published.c = C;
    memcpy(b->data->published.mean, shared(b, "mean"), C * sizeof(double));
    memcpy(b->data->published.std, shared(b, "std"), C * sizeof(double));
    b->held = named_split(b, "held");
}

/* ---- a trainer ---------------------------------------------------------- */

/** Sets "key=value,key=value" of the metadata; the value has no comma. */
static void set_all(const bench *b, bl_config *config, const char *list)
{
    char text[TEXT];
    while (list && *list) {
        const size_t n = strcspn(list, ",");
        (void)snprintf(text, sizeof text, "%.*s", (int)n, list);
        ok(b, bl_config_assign(config, text, BL_ORIGIN_OPTION));
        list += n + (list[n] == ',');
    }
}

static const char *meta(const bench *b, const char *what)
{
    char key[TEXT];
    (void)snprintf(key, sizeof key, "golden.%s.%s", what, b->name);
    return bl_safetensors_meta(b->file, key);
}

static bl_config *make_config(const bench *b, const char *method,
                              const char *weights)
{
    static const char *const common[] = {
        "model=resnet20", "batch=6", "precision=fp32", "threads=1",
        "augment=none", "seed=23"};
    bl_config *config;
    ok(b, bl_train_config(&config));
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        ok(b, bl_config_assign(config, common[i], BL_ORIGIN_OPTION));
    ok(b, bl_config_set(config, "method", method, BL_ORIGIN_OPTION));
    ok(b, bl_config_set(config, "backend", b->backend, BL_ORIGIN_OPTION));
    ok(b, bl_config_set(config, "init.weights", weights, BL_ORIGIN_OPTION));
    set_all(b, config, bl_safetensors_meta(b->file, "golden.settings"));
    return config;
}

static const bl_named_tensor *start_tensor(const bench *b, const char *name)
{
    char full[FULL];
    const char *const branch = meta(b, "branch");
    (void)snprintf(full, sizeof full, "init.%s", name);
    if (branch && !strncmp(name, "layer3.2.", 9))
        (void)snprintf(full, sizeof full, "init.%s_block.%s", branch,
                       name + 9);
    const bl_named_tensor *const t = bl_safetensors_find(b->init, full);
    if (!t) fail_msg("golden file lacks %s", full);
    return t;
}

static void upload(const bench *b, bl_trainer *t, const char *name,
                   const float *values)
{
    bl_params *const p = t->engine->params;
    const int32_t i = bl_params_find(p, name);
    if (i < 0) fail_msg("%s: no parameter %s", b->name, name);
    ok(b, p->backend->upload(p->dev, bl_params_value(p, i), values,
                             (size_t)p->table[i].count * sizeof *values));
    p->version++;
}

/** Gives a network the file's first weights by its own names. */
static void load_init(const bench *b, bl_trainer *t)
{
    const bl_params *const p = t->engine->params;
    for (int32_t i = 0; i < p->n; i++) {
        char full[FULL];
        (void)snprintf(full, sizeof full, "init.%s", p->table[i].name);
        const bl_named_tensor *const from = bl_safetensors_find(b->init, full);
        if (!from) fail_msg("golden file lacks %s", full);
        upload(b, t, p->table[i].name, from->data);
    }
}

/** Writes the weights of another run, which a case is to begin with. */
static void write_weights(const bench *b, const char *path)
{
    bl_trainer *t;
    bl_config *const config =
        make_config(b, meta(b, "branch") ? "bbn" : "ce", "");
    ok(b, bl_trainer_create(&t, config, b->data, NULL));
    load_init(b, t);
    ok(b, bl_trainer_save(t, path));
    bl_trainer_free(t);
    bl_config_free(config);
}

/** A method that cannot go without init.weights is given some. */
static bool needs_weights(const bench *b)
{
    return !strcmp(b->method, "retrain");
}

/** The bias that head.bias sets is not loaded but checked. */
static void load_first_weights(const bench *b)
{
    const float *const bias = maybe(b, "init.bias", 4, NULL);
    const float *const rows = maybe(b, "init.weight", 4, NULL);
    const bl_params *const p = b->t->engine->params;
    if (bias) {
        float found[CLASSES];
        void *const at = bl_params_value(p, bl_params_find(p, "fc.bias"));
        ok(b, p->backend->download(p->dev, found, at, sizeof found));
        for (int c = 0; c < CLASSES; c++)
            near(b, (double)found[c], (double)bias[c], 1e-7, "first bias", c);
    }
    load_init(b, b->t);
    if (bias) upload(b, b->t, "fc.bias", bias);
    if (rows) upload(b, b->t, "fc.weight", rows);
}

static void open_bench(bench *b, const char *name, const char *backend)
{
    *b = (bench){.name = name, .backend = backend};
    (void)snprintf(b->method, sizeof b->method, "%.*s",
                   (int)strcspn(name, "/"), name);
    b->file = open_file("methods");
    const bl_method_type *const row = bl_method_find(b->method);
    if (!row) fail_msg("golden case %s is of no method", name);
    b->init = open_file(!strcmp(row->form, "bbn") || meta(b, "branch")
                            ? "bbn_resnet20" : "ce_resnet20");
    make_data(b, maybe(b, "tau", 8, NULL) != NULL);
    scratch at;
    scratch_make(&at);
    const bool given = needs_weights(b);
    const char *const path = scratch_path(&at, "run.safetensors");
    if (given) write_weights(b, path);
    bl_config *const config = make_config(b, b->method, given ? path : "");
    set_all(b, config, meta(b, "settings"));
    const bl_trainer_options options = {.validation = b->held};
    const bool chooses = maybe(b, "tau", 8, NULL) != NULL;
    ok(b, bl_trainer_create(&b->t, config, b->data,
                            chooses ? &options : NULL));
    bl_config_free(config);
    scratch_remove(&at);
    if (!given) load_first_weights(b);
}

static void close_bench(bench *b)
{
    bl_trainer_free(b->t);
    bl_dataset_free(b->data);
    bl_split_free(b->held);
    bl_safetensors_free(b->file);
    bl_safetensors_free(b->init);
}

/* ---- batches ------------------------------------------------------------ */

typedef struct made {
    float x[2 * N * IMAGE];      // [2][n][h][w][c]
    int32_t y[2 * N], perm[N];   // [2][n], [n]
    double lambda[2 * N];        // [2][n]
    bl_batch batch;
} made;

/** Mixes as the loader does, by the trainer's own settings, what the file
 *  says was drawn. */
static void mix(const bench *b, made *m, int64_t k)
{
    const bl_mix_spec *const spec = &b->t->mix;
    const int32_t *const box = (const int32_t *)shared(b, "box") + 4 * k;
    const double *const share = own(b, "mix.share", 8, NULL);
    const bl_mix_draw draw = {
        .lambda = ((const double *)own(b, "mix.lambda", 8, NULL))[k],
        .location = ((const int32_t *)own(b, "mix.place", 4, NULL))[k],
        .mixed = ((const int32_t *)own(b, "mix.mixed", 4, NULL))[k],
        .box = {box[0], box[1], box[2], box[3]}};
    const bool one = spec->type->parts == 1, here = bl_mix_at_input(&draw);
    float spare[IMAGE];
    for (int32_t i = 0; i < N && !draw.mixed; i++) m->perm[i] = i;
    if (here && one)
        bl_mix_batch(m->x, m->perm, N, spare, spec, &draw);
    for (int32_t i = 0; i < N && here && !one; i++)
        bl_mix_pair(m->x + i * IMAGE, m->x + (N + i) * IMAGE, spec, &draw);
    bl_mix_labels(m->y, m->lambda, one ? m->perm : NULL, N, spec, &draw);
    for (int32_t i = 0; i < 2 * N; i++)
        near(b, m->lambda[i], share[2 * N * k + i], 1e-12, "share of label",
             i);
    m->batch.parts = !one && draw.mixed && !here ? 2 : 1;
    m->batch.targets = 2;
    m->batch.lambda = m->lambda;
    m->batch.perm = one ? m->perm : NULL;
    m->batch.location = draw.location;
    m->batch.mix = draw.lambda;
}

static void make_batch(const bench *b, made *m, int64_t k)
{
    const int64_t images = 2 * N * IMAGE;
    const bl_stage *const stage = b->t->stage;
    memcpy(m->x, (const float *)shared(b, "x") + k * images, sizeof m->x);
    memcpy(m->y, (const int32_t *)shared(b, "y") + k * 2 * N, sizeof m->y);
    memcpy(m->perm, (const int32_t *)shared(b, "perm") + k * N,
           sizeof m->perm);
    m->batch = (bl_batch){.epoch = b->t->at.epoch, .n = N,
                          .parts = stage->parts, .targets = stage->parts,
                          .x = m->x, .y = m->y, .mix = 1};
    if (strcmp(stage->mix->name, "none") != 0) mix(b, m, k);
}

/* ---- steps -------------------------------------------------------------- */

/** A classifier drawn anew is one more that the file must give. */
static void begin_second(const bench *b, const float *before)
{
    const bl_params *const p = b->t->engine->params;
    const bool fresh = b->t->stage->fresh_head;
    float now[CLASSES * 64];
    void *const at = bl_params_value(p, bl_params_find(p, "fc.weight"));
    ok(b, p->backend->download(p->dev, now, at, sizeof now));
    if (before && fresh == !memcmp(now, before, sizeof now))
        fail_msg("%s: the classifier is %s", b->name,
                 fresh ? "not a fresh one" : "another one");
    if (!fresh) return;
    upload(b, b->t, "fc.weight", shared(b, "fresh.weight"));
    upload(b, b->t, "fc.bias", shared(b, "fresh.bias"));
}

/** Enters epoch e as the trainer would have come there. */
static void enter(const bench *b, int64_t e)
{
    bl_trainer *const t = b->t;
    const bool second = t->stage->second;
    float before[CLASSES * 128];
    const bl_params *const p = t->engine->params;
    const int32_t i = bl_params_find(
        p, *t->form->name == 'b' ? "classifier.weight" : "fc.weight");
    ok(b, p->backend->download(p->dev, before, bl_params_value(p, i),
                               (size_t)p->table[i].count * sizeof *before));
    t->at.epoch = e;
    t->loading = false;
    ok(b, bl_trainer_begin(t));
    if (!second && t->stage->second) begin_second(b, before);
}

static void take_steps(const bench *b)
{
    int64_t steps;
    const int32_t *const epochs = own(b, "epochs", 4, &steps);
    const double *const losses = own(b, "loss", 8, NULL);
    const double *const rates = own(b, "lr", 8, NULL);
    bl_trainer *const t = b->t;
    static made m;
    if (t->stage->second) begin_second(b, NULL);
    for (int64_t k = 0; k < steps; k++) {
        enter(b, epochs[k]);
        near(b, bl_trainer_rate(t) / rates[k], 1, 1e-12, "rate of step", k);
        make_batch(b, &m, k);
        const double before = t->at.loss_sum;
        ok(b, bl_trainer_learn(t, &m.batch, bl_clock()));
        near(b, (t->at.loss_sum - before) / N, losses[k], loss_bound,
             "loss of step", k);
    }
}

/* ---- outcomes ----------------------------------------------------------- */

static double distance(const float *a, const float *b, int64_t n, double *size)
{
    double sum = 0, of_b = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        of_b += (double)b[i] * (double)b[i];
    }
    *size = sqrt(of_b);
    return sqrt(sum);
}

/** Values of a parameter, which the caller frees. */
static float *values_of(const bench *b, const char *name, int64_t *n)
{
    const bl_params *const p = b->t->engine->params;
    const int32_t i = bl_params_find(p, name);
    float *host;
    if (i < 0) fail_msg("%s: no parameter %s", b->name, name);
    *n = p->table[i].count;
    ok(b, bl_calloc(&host, *n, sizeof *host));
    ok(b, p->backend->download(p->dev, host, bl_params_value(p, i),
                               (size_t)*n * sizeof *host));
    return host;
}

static void check_head(const bench *b)
{
    static const char *const parts[] = {"weight", "bias", "scale"};
    const char *const head = b->t->form->branches ? "classifier" : "fc";
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        char name[TEXT], golden[TEXT];
        int64_t n, wanted_n = 0;
        double size;
        (void)snprintf(name, sizeof name, "%s.%s", head, parts[k]);
        (void)snprintf(golden, sizeof golden, "head.%s", parts[k]);
        const float *const wanted = maybe(b, golden, 4, &wanted_n);
        const bool there = bl_params_find(b->t->engine->params, name) >= 0;
        if (there != (wanted != NULL))
            fail_msg("%s: %s is %sthere", b->name, name, there ? "" : "not ");
        if (!there) continue;
        float *const found = values_of(b, name, &n);
        assert_int_equal(n, wanted_n);
        const double far = distance(found, wanted, n, &size);
        bl_free(found);
        near(b, far / (size + 1e-3), 0, head_bound, name, 0);
    }
}

/** How far a tensor went; one that was fixed must not have moved at all. */
static void check_moved(const bench *b, const char *name, double wanted)
{
    int64_t n;
    double size;
    float *const found = values_of(b, name, &n);
    const double far = distance(found, start_tensor(b, name)->data, n, &size);
    bl_free(found);
    if (wanted > 0 ? fabs(far - wanted) <= moved_bound * wanted + 3e-7 * size
                   : far <= 0)
        return;
    fail_msg("%s on %s: %s moved by %.9g, wanted %.9g", b->name, b->backend,
             name, far, wanted);
}

static void check_trunk(const bench *b)
{
    int64_t n;
    const double *const wanted = own(b, "moved", 8, &n);
    const char *list = bl_safetensors_meta(
        b->file, b->t->form->branches ? "golden.tensors.bbn"
                                      : "golden.tensors.plain");
    for (int64_t k = 0; k < n; k++) {
        char name[TEXT];
        const size_t length = strcspn(list, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)length, list);
        check_moved(b, name, wanted[k]);
        list += length + (list[length] == ',');
    }
    assert_int_equal(*list, '\0');
}

static void check_logits(const bench *b)
{
    const double *const wanted = own(b, "logits", 8, NULL);
    float z[EVAL * CLASSES];
    ok(b, bl_trainer_logits(b->t, b->data->test, z));
    for (int k = 0; k < EVAL * CLASSES; k++)
        near(b, (double)z[k], wanted[k], logit_bound, "logit", k);
}

static void check_rewriting(const bench *b)
{
    const double *const tau = maybe(b, "tau", 8, NULL);
    if (bl_trainer_rewrites(b->t) != (tau != NULL))
        fail_msg("%s: a classifier is%s rewritten", b->name, tau ? " not" : "");
    if (!tau) return;
    ok(b, bl_trainer_rewrite(b->t));
    const double found = b->t->at.posthoc_tau;
    if (*tau < 0 ? !isnan(found) : !(fabs(found - *tau) < 1e-12))
        fail_msg("%s on %s: tau %g, wanted %g", b->name, b->backend, found,
                 *tau);
}

static void follow_case(const char *name, const char *backend)
{
    bench b;
    open_bench(&b, name, backend);
    take_steps(&b);
    check_rewriting(&b);
    check_head(&b);
    check_trunk(&b);
    check_logits(&b);
    close_bench(&b);
}

/* ---- what the loader draws ---------------------------------------------- */

/** Images of each class that an epoch drew, and its batches. */
typedef struct census {
    int64_t seen[2][CLASSES]; /* of the sampler, and of its partner */
    int64_t images[2];
    int64_t batches, mixed, places[BL_MIX_PLACES];
} census;

static void count_batch(const bench *b, census *c, const bl_batch *batch)
{
    const bl_stage *const stage = b->t->stage;
    const bool mixed = batch->mix < 1;
    const bool second = stage->parts > 1 && (!batch->lambda || mixed);
    for (int64_t i = 0; i < batch->n; i++) {
        c->seen[0][batch->y[i]]++;
        if (second) c->seen[1][batch->y[batch->n + i]]++;
    }
    c->images[0] += batch->n;
    if (second) c->images[1] += batch->n;
    c->batches++;
    c->mixed += mixed;
    c->places[batch->location] += mixed;
}

static census count_epoch(const bench *b, int64_t e)
{
    census c = {0};
    bl_batch batch;
    enter(b, e);
    for (int64_t k = 0; k < b->t->steps; k++) {
        ok(b, bl_loader_next(b->t->loader, &batch));
        count_batch(b, &c, &batch);
    }
    return c;
}

/** A number out of n whose chance is p: within five standard deviations, or
 *  exactly where it is no matter of chance. */
static void likely(const bench *b, int64_t found, int64_t n, double p,
                   bool exactly, const char *what, int64_t e)
{
    const double wanted = (double)n * p;
    const double room = exactly ? 1e-6 : 5 * sqrt(wanted * (1 - p)) + 1e-6;
    if (fabs((double)found - wanted) <= room) return;
    fail_msg("%s, epoch %d: %s: %d of %d, wanted %.1f within %.1f", b->name,
             (int)e, what, (int)found, (int)n, wanted, room);
}

static void check_sampling(const bench *b)
{
    int64_t n;
    const int32_t *const epochs = own(b, "p.epochs", 4, &n);
    const int32_t *const once = own(b, "p.once", 4, NULL);
    const double *const p = own(b, "p", 8, NULL);
    const double *const partner = maybe(b, "p.partner", 8, NULL);
    for (int64_t k = 0; k < n; k++) {
        const census c = count_epoch(b, epochs[k]);
        for (int32_t j = 0; j < CLASSES; j++) {
            likely(b, c.seen[0][j], c.images[0], p[k * CLASSES + j], once[k],
                   "images of a class", epochs[k]);
            if (partner)
                likely(b, c.seen[1][j], c.images[1], partner[k * CLASSES + j],
                       false, "partners of a class", epochs[k]);
        }
        if (partner && !b->t->stage->adaptor && epochs[k] == 80)
            assert_true(c.images[1] > 0);
    }
}

static void check_mixing(const bench *b)
{
    int64_t n;
    const int32_t *const epochs = maybe(b, "mix.epochs", 4, &n);
    if (!epochs) return;
    const double *const p = own(b, "mix.probability", 8, NULL);
    const double *const drawn = own(b, "mix.drawn", 8, NULL);
    census all = {0};
    for (int64_t k = 0; k < n; k++) {
        const census c = count_epoch(b, epochs[k]);
        likely(b, c.mixed, c.batches, p[k], p[k] <= 0 || p[k] >= 1,
               "mixed batches", epochs[k]);
        all.mixed += c.mixed;
        for (int32_t i = 0; i < BL_MIX_PLACES; i++)
            all.places[i] += c.places[i];
    }
    for (int32_t i = 0; i < BL_MIX_PLACES; i++)
        likely(b, all.places[i], all.mixed, drawn[i], false, "mixed there",
               i);
}

/* ---- all of them -------------------------------------------------------- */

typedef void for_case(const char *name, const char *backend);

/** Calls back for every case of the file. */
static void each_case(for_case *call, const char *backend)
{
    bl_safetensors *const file = open_file("methods");
    const char *list = bl_safetensors_meta(file, "golden.cases");
    while (*list) {
        char name[TEXT];
        const size_t n = strcspn(list, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, list);
        call(name, backend);
        list += n + (list[n] == ',');
    }
    bl_safetensors_free(file);
}

static void every_method_follows_on(const char *name)
{
    const bl_backend *backend;
    if (bl_backend_find(&backend, name) < 0 || !backend->runs(BL_F32)) {
        print_message("skipped: %s is not in this build or machine\n", name);
        return;
    }
    each_case(follow_case, name);
}

static void every_method_follows_on_ref(void **state)
{
    (void)state;
    every_method_follows_on("ref");
}

static void every_method_follows_on_onednn(void **state)
{
    (void)state;
    every_method_follows_on("onednn");
}

static void count_case(const char *name, const char *backend)
{
    bench b;
    open_bench(&b, name, backend);
    check_sampling(&b);
    close_bench(&b);
    open_bench(&b, name, backend);
    check_mixing(&b);
    close_bench(&b);
}

static void every_method_draws_its_images(void **state)
{
    (void)state;
    each_case(count_case, "ref");
}

static void no_method_is_left_out(void **state)
{
    (void)state;
    bl_safetensors *const file = open_file("methods");
    char cases[4096], wanted[TEXT], variant[TEXT];
    (void)snprintf(cases, sizeof cases, ",%s,",
                   bl_safetensors_meta(file, "golden.cases"));
    for (int32_t i = 0; bl_method_types()[i]; i++) {
        const char *const name = bl_method_types()[i]->name;
        (void)snprintf(wanted, sizeof wanted, ",%s,", name);
        (void)snprintf(variant, sizeof variant, ",%s/", name);
        if (!strstr(cases, wanted) && !strstr(cases, variant))
            fail_msg("method %s has no case in methods.safetensors; give it "
                     "one in tools/golden/methods.py", name);
    }
    bl_safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_method_is_left_out),
        cmocka_unit_test(every_method_follows_on_ref),
        cmocka_unit_test(every_method_follows_on_onednn),
        cmocka_unit_test(every_method_draws_its_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
