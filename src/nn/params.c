/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.c: one slab a role.  The optimiser is one loop over three of them, a
 * file is a header and a copy of them.
 */
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"

static bl_status slab(bl_params *p, void **out, int64_t count)
{
    size_t bytes;
    BL_TRY(bl_size_mul(&bytes, count, bl_dtype_size(p->real)));
    return p->backend->alloc(p->dev, out, bytes ? bytes : 1);
}

bl_status bl_params_create(bl_params **out, const bl_graph *graph,
                           const bl_backend *backend, bl_device *dev,
                           bl_dtype real, bool training)
{
    bl_status status;
    bl_params *p = NULL;
    BL_CHECK(bl_calloc(&p, 1, sizeof *p));
    p->backend = backend;
    p->dev = dev;
    p->real = real;
    p->n = graph->n_param;
    p->n_trained = graph->n_trained;
    p->n_buffered = graph->n_buffered;
    p->version = 1;
    BL_CHECK(bl_calloc(&p->table, p->n, sizeof *p->table));
    memcpy(p->table, graph->params, (size_t)p->n * sizeof *p->table);
    BL_CHECK(slab(p, &p->w, p->n_trained));
    BL_CHECK(slab(p, &p->buffers, p->n_buffered));
    if (training) {
        BL_CHECK(slab(p, &p->diff_w, p->n_trained));
        BL_CHECK(slab(p, &p->v, p->n_trained));
    }
    *out = p;
    return BL_OK;
done:
    bl_params_free(p);
    return status;
}

void bl_params_free(bl_params *params)
{
    if (!params) return;
    void *const slabs[] = {params->w, params->diff_w, params->v,
                           params->buffers};
    for (size_t i = 0; i < sizeof slabs / sizeof *slabs; i++)
        if (slabs[i]) params->backend->free(params->dev, slabs[i]);
    bl_free(params->table);
    bl_free(params);
}

int32_t bl_params_find(const bl_params *params, const char *name)
{
    for (int32_t i = 0; i < params->n; i++)
        if (!strcmp(params->table[i].name, name)) return i;
    return -1;
}

/** Address of parameter i in a slab of its kind. */
static void *within(const bl_params *p, void *slab_, int32_t i)
{
    return (char *)slab_ + (size_t)p->table[i].offset * bl_dtype_size(p->real);
}

void *bl_params_value(const bl_params *params, int32_t i)
{
    return within(params, params->table[i].buffer ? params->buffers
                                                  : params->w, i);
}

void *bl_params_diff(const bl_params *params, int32_t i)
{
    return within(params, params->diff_w, i);
}

/* ---- initial values ----------------------------------------------------- */

static double draw(bl_rng *rng, const bl_init *init)
{
    switch (init->rule) {
    case BL_INIT_NORMAL: return init->scale * bl_rng_normal(rng);
    case BL_INIT_UNIFORM:
    case BL_INIT_UNIT_ROWS: return init->scale * (2 * bl_rng_unit(rng) - 1);
    case BL_INIT_CONSTANT: break;
    }
    return init->scale;
}

static void unit_rows(double *w, int64_t rows, int64_t d)
{
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t k = 0; k < d; k++) sum += w[r * d + k] * w[r * d + k];
        for (int64_t k = 0; k < d; k++) w[r * d + k] /= sqrt(sum);
    }
}

/** Draws parameter i into host [count], then narrows it in place. */
static bl_status init_one(bl_params *p, int32_t i, uint64_t seed,
                          uint32_t turn, double *host)
{
    const bl_parameter *const row = &p->table[i];
    bl_rng rng = bl_rng_at(seed, BL_PURPOSE_INIT, turn, (uint64_t)i);
    for (int64_t k = 0; k < row->count; k++) host[k] = draw(&rng, &row->init);
    if (row->init.rule == BL_INIT_UNIT_ROWS)
        unit_rows(host, row->shape[0], row->count / row->shape[0]);
    if (p->real == BL_F32)
        for (int64_t k = 0; k < row->count; k++)
            ((float *)host)[k] = (float)host[k];
    return p->backend->upload(p->dev, bl_params_value(p, i), host,
                              (size_t)row->count * bl_dtype_size(p->real));
}

static bool begins(const char *name, const char *prefix)
{
    return prefix && !strncmp(name, prefix, strlen(prefix));
}

bl_status bl_params_draw(bl_params *params, const char *prefix, uint64_t seed,
                         uint32_t turn)
{
    bl_status status = BL_OK;
    double *host = NULL;
    int64_t most = 1;
    for (int32_t i = 0; i < params->n; i++)
        if (most < params->table[i].count) most = params->table[i].count;
    BL_CHECK(bl_calloc(&host, most, sizeof *host));
    for (int32_t i = 0; i < params->n; i++)
        if (begins(params->table[i].name, prefix))
            BL_CHECK(init_one(params, i, seed, turn, host));
    params->version++;
done:
    bl_free(host);
    return status;
}

bl_status bl_params_init(bl_params *params, uint64_t seed)
{
    return bl_params_draw(params, "", seed, 0);
}

/* ---- host copies --------------------------------------------------------- */

bl_status bl_params_get(const bl_params *params, int32_t i, float *to)
{
    return params->backend->download(params->dev, to,
                                     bl_params_value(params, i),
                                     (size_t)params->table[i].count *
                                         sizeof *to);
}

bl_status bl_params_set(bl_params *params, int32_t i, const float *from)
{
    params->version++;
    return params->backend->upload(params->dev, bl_params_value(params, i),
                                   from, (size_t)params->table[i].count *
                                             sizeof *from);
}

bl_status bl_params_keep(const bl_params *params, float *w, float *buffers)
{
    const bl_backend *const b = params->backend;
    BL_TRY(b->download(params->dev, w, params->w,
                       (size_t)params->n_trained * sizeof *w));
    return b->download(params->dev, buffers, params->buffers,
                       (size_t)params->n_buffered * sizeof *buffers);
}

/** Exchanges a slab of n floats with its host copy, through spare. */
static bl_status swap_slab(bl_params *p, void *slab_, float *host,
                           float *spare, int64_t n)
{
    const size_t bytes = (size_t)n * sizeof(float);
    BL_TRY(p->backend->download(p->dev, spare, slab_, bytes));
    BL_TRY(p->backend->upload(p->dev, slab_, host, bytes));
    memcpy(host, spare, bytes);
    return BL_OK;
}

bl_status bl_params_swap(bl_params *params, float *w, float *buffers,
                         float *spare)
{
    params->version++;
    BL_TRY(swap_slab(params, params->w, w, spare, params->n_trained));
    return swap_slab(params, params->buffers, buffers, spare,
                     params->n_buffered);
}

/* ---- files -------------------------------------------------------------- */

#define MOMENTUM "momentum."

/** Memory of an export: the slabs, then names. */
typedef struct slabs {
    float *w, *buffers, *v;
    char (*names)[BL_NAME_ROOM + sizeof MOMENTUM]; // [n]
} slabs;

static bl_status fetch(const bl_params *p, bool momentum, slabs *s,
                       void **memory)
{
    const size_t names = (size_t)p->n * sizeof *s->names;
    const size_t w = (size_t)p->n_trained * sizeof(float);
    const size_t b = (size_t)p->n_buffered * sizeof(float);
    BL_TRY(bl_slab_alloc(memory, 2 * w + b + names + 1));
    s->w = *memory;
    s->v = s->w + p->n_trained;
    s->buffers = s->v + p->n_trained;
    s->names = (void *)(s->buffers + p->n_buffered);
    BL_TRY(p->backend->download(p->dev, s->w, p->w, w));
    BL_TRY(p->backend->download(p->dev, s->buffers, p->buffers, b));
    if (!momentum) return BL_OK;
    return p->backend->download(p->dev, s->v, p->v, w);
}

static bl_named_tensor describe(const bl_parameter *row, const char *name,
                                const float *slab_)
{
    bl_named_tensor t = {.name = name, .dtype = "F32", .rank = row->rank,
                         .data = slab_ + row->offset,
                         .bytes = (size_t)row->count * sizeof(float)};
    for (int32_t k = 0; k < row->rank; k++) t.shape[k] = row->shape[k];
    return t;
}

bl_status bl_params_export(const bl_params *params, bool momentum,
                           bl_named_tensor **tensors, int64_t *n,
                           void **memory)
{
    bl_status status;
    slabs s = {0};
    void *held = NULL;
    bl_named_tensor *list = NULL;
    int64_t count = 0;
    BL_CHECK(bl_calloc(&list, 2 * (int64_t)params->n, sizeof *list));
    BL_CHECK(fetch(params, momentum, &s, &held));
    for (int32_t i = 0; i < params->n; i++) {
        const bl_parameter *const row = &params->table[i];
        list[count++] = describe(row, row->name, row->buffer ? s.buffers : s.w);
    }
    for (int32_t i = 0; momentum && i < params->n; i++) {
        const bl_parameter *const row = &params->table[i];
        if (row->buffer) continue;
        memcpy(s.names[i], MOMENTUM, sizeof MOMENTUM);
        memcpy(s.names[i] + sizeof MOMENTUM - 1, row->name, BL_NAME_ROOM);
        list[count++] = describe(row, s.names[i], s.v);
    }
    *tensors = list;
    *n = count;
    *memory = held;
    return BL_OK;
done:
    bl_free(list);
    bl_free(held);
    return status;
}

static bl_status wrong_shape(const char *path, const bl_named_tensor *t,
                             const bl_parameter *row)
{
    char found[96] = "", wanted[96] = "";
    size_t f = 0, w = 0;
    for (int32_t k = 0; k < t->rank && f + 24 < sizeof found; k++)
        f += (size_t)snprintf(found + f, sizeof found - f, "%s%lld",
                              k ? "," : "", (long long)t->shape[k]);
    for (int32_t k = 0; k < row->rank && w + 24 < sizeof wanted; k++)
        w += (size_t)snprintf(wanted + w, sizeof wanted - w, "%s%lld",
                              k ? "," : "", (long long)row->shape[k]);
    return BL_RAISE(BL_EFORMAT, "%s: tensor %s: found %s [%s], wanted F32 "
                    "[%s]: weights of another model?", path, t->name,
                    t->dtype, found, wanted);
}

/** No weights of a network that works: not finite, or a variance below 0. */
static bl_status check_numbers(const bl_named_tensor *t, const char *path)
{
    const size_t n = t->bytes / sizeof(float), end = strlen(t->name);
    const bool variance =
        end >= 11 && !strcmp(t->name + end - 11, "running_var");
    for (size_t i = 0; i < n; i++) {
        float x;
        char found[32];
        memcpy(&x, (const char *)t->data + i * sizeof x, sizeof x);
        if (isfinite(x) && !(variance && x < 0)) continue;
        bl_real_format(found, (double)x);
        return BL_RAISE(BL_EFORMAT, "%s: tensor %s: number %zu is %s, wanted a "
                        "finite one%s", path, t->name, i, found,
                        variance ? ", 0 or more" : "");
    }
    return BL_OK;
}

/** Checks the tensor found for a parameter, NULL where there is none. */
static bl_status check_tensor(const bl_named_tensor *t, const char *path,
                              const char *name, const bl_parameter *row)
{
    if (!t)
        return BL_RAISE(BL_EFORMAT, "%s: tensor %s is missing: weights of "
                        "another model?", path, name);
    bool same = t->rank == row->rank && !strcmp(t->dtype, "F32");
    for (int32_t k = 0; same && k < row->rank; k++)
        same = t->shape[k] == row->shape[k];
    return same ? BL_OK : wrong_shape(path, t, row);
}

/** Finds the tensor of a parameter; it must have its shape, and numbers. */
static bl_status find_tensor(const bl_named_tensor **out,
                             const bl_safetensors *file, const char *path,
                             const char *name, const bl_parameter *row)
{
    *out = bl_safetensors_find(file, name);
    BL_TRY(check_tensor(*out, path, name, row));
    return check_numbers(*out, path);
}

static bl_status import_one(bl_params *p, const bl_safetensors *file,
                            const char *path, const char *name, int32_t i,
                            void *dst)
{
    const bl_named_tensor *t;
    BL_TRY(find_tensor(&t, file, path, name, &p->table[i]));
    return p->backend->upload(p->dev, dst, t->data, t->bytes);
}

bl_status bl_params_match(const bl_graph *graph, const bl_safetensors *file,
                          const char *path)
{
    const bl_named_tensor *t;
    for (int32_t i = 0; i < graph->n_param; i++)
        BL_TRY(find_tensor(&t, file, path, graph->params[i].name,
                           &graph->params[i]));
    return BL_OK;
}

/** Refuses a file with tensors that no parameter asked for. */
static bl_status nothing_left(const bl_params *p, const bl_safetensors *file,
                              const char *path, bool momentum)
{
    int64_t n;
    const bl_named_tensor *const list = bl_safetensors_list(file, &n);
    for (int64_t k = 0; k < n; k++) {
        const char *name = list[k].name;
        if (momentum && !strncmp(name, MOMENTUM, sizeof MOMENTUM - 1))
            name += sizeof MOMENTUM - 1;
        if (bl_params_find(p, name) < 0)
            return BL_RAISE(BL_EFORMAT, "%s: tensor %s belongs to no layer: "
                            "weights of another model?", path, list[k].name);
    }
    return BL_OK;
}

bl_status bl_params_import(bl_params *params, const bl_safetensors *file,
                           const char *path, bool momentum)
{
    BL_TRY(nothing_left(params, file, path, momentum));
    for (int32_t i = 0; i < params->n; i++) {
        const bl_parameter *const row = &params->table[i];
        BL_TRY(import_one(params, file, path, row->name, i,
                          bl_params_value(params, i)));
        if (!momentum || row->buffer) continue;
        char name[BL_NAME_ROOM + sizeof MOMENTUM];
        memcpy(name, MOMENTUM, sizeof MOMENTUM);
        memcpy(name + sizeof MOMENTUM - 1, row->name, BL_NAME_ROOM);
        BL_TRY(import_one(params, file, path, name, i,
                          within(params, params->v, i)));
    }
    params->version++;
    return BL_OK;
}

/** Finds the tensor of a parameter among tensors [n], in its shape. */
static bl_status pick(const bl_named_tensor **out,
                      const bl_named_tensor *tensors, int64_t n,
                      const bl_parameter *row, const char *path)
{
    *out = NULL;
    for (int64_t k = 0; k < n && !*out; k++)
        if (!strcmp(tensors[k].name, row->name)) *out = &tensors[k];
    return check_tensor(*out, path, row->name, row);
}

bl_status bl_params_fit(const bl_graph *graph, const bl_named_tensor *tensors,
                        int64_t n, const char *except, const char *path)
{
    const bl_named_tensor *t;
    for (int32_t i = 0; i < graph->n_param; i++)
        if (!begins(graph->params[i].name, except))
            BL_TRY(pick(&t, tensors, n, &graph->params[i], path));
    return BL_OK;
}

bl_status bl_params_adopt(bl_params *params, const bl_named_tensor *tensors,
                          int64_t n, const char *except, const char *path)
{
    for (int32_t i = 0; i < params->n; i++) {
        const bl_parameter *const row = &params->table[i];
        const bl_named_tensor *t;
        if (begins(row->name, except)) continue;
        BL_TRY(pick(&t, tensors, n, row, path));
        BL_TRY(check_numbers(t, path));
        BL_TRY(params->backend->upload(params->dev, bl_params_value(params, i),
                                       t->data, t->bytes));
    }
    params->version++;
    return BL_OK;
}
