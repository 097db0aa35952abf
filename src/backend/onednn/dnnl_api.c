/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnnl_api.c: oneDNN behind ten functions.
 *
 * oneDNN 2.x describes a primitive in two steps (operation descriptor, then
 * primitive descriptor) and has tensor descriptors that are values; 3.x has
 * one step and opaque tensor descriptors.  Both are hidden by `layout` (one
 * tensor descriptor) and by create_pd; nothing else differs but two post-ops.
 *
 * Weights.  A primitive chooses the layout of its weights.  Reordering them by
 * oneDNN costs a primitive call for each tensor and step and would need a
 * description of every blocked layout here.  Instead the layout is learnt once
 * by sending the digits of each element's index, base 256 (exact in bf16),
 * through oneDNN's own reorder from the primitive's layout to OIHW; after that
 * a reorder is a gather over the table of places.
 *
 * References: oneDNN developer guide, chapters "Convolution", "Scratchpad",
 * "Transition from v2.x to v3.x".
 */
#include "backend/onednn/dnnl_api.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t layout_ref;
typedef struct layout { dnnl_memory_desc_t md; } layout;
#else
typedef const dnnl_memory_desc_t *layout_ref;
typedef struct layout { dnnl_memory_desc_t md; bool made; } layout;
#endif

struct bl_dnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    int threads;
};

struct bl_dnnl_op {
    bl_dnnl *dnnl;             /* borrowed */
    bl_dnnl_pass pass;
    dnnl_dims_t weight_dims;   /* OIHW */
    dnnl_data_type_t weight_type;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[BL_DNNL_SLOTS];
    void *bound[BL_DNNL_SLOTS];
};

/** oneDNN's names for the slots of each pass; query 0: no such slot. */
typedef struct slot_name {
    int arg;
    dnnl_query_t query;
} slot_name;

static const slot_name slot_names[BL_DNNL_PASSES][BL_DNNL_SLOTS] = {
    [BL_DNNL_FORWARD] = {
        [BL_DNNL_SRC] = {DNNL_ARG_SRC, dnnl_query_src_md},
        [BL_DNNL_WEIGHTS] = {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
        [BL_DNNL_DST] = {DNNL_ARG_DST, dnnl_query_dst_md},
        [BL_DNNL_SCRATCH] = {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
    [BL_DNNL_BACKWARD_DATA] = {
        [BL_DNNL_SRC] = {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
        [BL_DNNL_WEIGHTS] = {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
        [BL_DNNL_DST] = {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
        [BL_DNNL_SCRATCH] = {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
    [BL_DNNL_BACKWARD_WEIGHTS] = {
        [BL_DNNL_SRC] = {DNNL_ARG_SRC, dnnl_query_src_md},
        [BL_DNNL_WEIGHTS] = {DNNL_ARG_DIFF_WEIGHTS,
                             dnnl_query_diff_weights_md},
        [BL_DNNL_DST] = {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
        [BL_DNNL_SCRATCH] = {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md}},
};

static const char *const status_names[] = {
    [dnnl_success] = "success", [dnnl_out_of_memory] = "out of memory",
    [dnnl_invalid_arguments] = "invalid arguments",
    [dnnl_unimplemented] = "unimplemented",
    [dnnl_runtime_error] = "runtime error",
    [dnnl_not_required] = "not required",
};

static const char *status_text(dnnl_status_t status)
{
    const size_t n = sizeof status_names / sizeof *status_names;
    const size_t i = (size_t)status;
    return i < n && status_names[i] != NULL ? status_names[i] : "unknown";
}

static bl_status translate(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return BL_OK;
    const bl_status code = status == dnnl_out_of_memory ? BL_ENOMEM
        : status == dnnl_unimplemented ? BL_EUNSUPPORTED : BL_EDEVICE;
    return BL_RAISE(code, "oneDNN: %s: %s", what, status_text(status));
}

#define DNNL_CHECK(expr, what) BL_CHECK(translate((expr), (what)))

/* ---- what differs between 2.x and 3.x ----------------------------------- */

#if DNNL_VERSION_MAJOR >= 3

static layout_ref layout_of(const layout *l)
{
    return l->md;
}

static dnnl_status_t layout_make(layout *l, int rank, const dnnl_dims_t dims,
                                 dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(&l->md, rank, dims, type, tag);
}

static void layout_drop(layout *l)
{
    if (l->md != NULL) dnnl_memory_desc_destroy(l->md);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

#else

static layout_ref layout_of(const layout *l)
{
    return l->made ? &l->md : NULL;
}

static dnnl_status_t layout_make(layout *l, int rank, const dnnl_dims_t dims,
                                 dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    l->made = true;
    return dnnl_memory_desc_init_by_tag(&l->md, rank, dims, type, tag);
}

static void layout_drop(layout *l)
{
    l->made = false;
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f,
                                        0.0f);
}

#endif

/** Everything that describes a pass to oneDNN. */
typedef struct problem {
    dnnl_prop_kind_t kind;
    layout src, weights, dst, bias;
    dnnl_dims_t strides, dilates, pad_l, pad_r;
    dnnl_primitive_attr_t attr;
} problem;

static const dnnl_alg_kind_t algorithm = dnnl_convolution_direct;

#if DNNL_VERSION_MAJOR >= 3

static dnnl_status_t create_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                               const problem *p, bl_dnnl_pass pass,
                               dnnl_primitive_desc_t hint)
{
    const layout_ref src = layout_of(&p->src), dst = layout_of(&p->dst);
    const layout_ref weights = layout_of(&p->weights);
    const layout_ref bias = layout_of(&p->bias);
    if (pass == BL_DNNL_FORWARD)
        return dnnl_convolution_forward_primitive_desc_create(
            pd, engine, p->kind, algorithm, src, weights, bias, dst,
            p->strides, p->dilates, p->pad_l, p->pad_r, p->attr);
    if (pass == BL_DNNL_BACKWARD_DATA)
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, engine, algorithm, src, weights, dst, p->strides, p->dilates,
            p->pad_l, p->pad_r, hint, p->attr);
    return dnnl_convolution_backward_weights_primitive_desc_create(
        pd, engine, algorithm, src, weights, NULL, dst, p->strides,
        p->dilates, p->pad_l, p->pad_r, hint, p->attr);
}

#else

static dnnl_status_t create_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                               const problem *p, bl_dnnl_pass pass,
                               dnnl_primitive_desc_t hint)
{
    const layout_ref src = layout_of(&p->src), dst = layout_of(&p->dst);
    const layout_ref weights = layout_of(&p->weights);
    const layout_ref bias = layout_of(&p->bias);
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_success;
    if (pass == BL_DNNL_FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(
            &desc, p->kind, algorithm, src, weights, bias, dst, p->strides,
            p->dilates, p->pad_l, p->pad_r);
    else if (pass == BL_DNNL_BACKWARD_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, algorithm, src, weights, dst, p->strides, p->dilates,
            p->pad_l, p->pad_r);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, algorithm, src, weights, NULL, dst, p->strides,
            p->dilates, p->pad_l, p->pad_r);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &desc, p->attr, engine, hint);
}

#endif

/* ---- the machine -------------------------------------------------------- */

void bl_dnnl_version(char *text, size_t room)
{
    const dnnl_version_t *const v = dnnl_version();
    (void)snprintf(text, room, "%d.%d.%d", v->major, v->minor, v->patch);
}

bool bl_dnnl_bf16_native(void)
{
#if defined(__x86_64__)
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    const unsigned bf16 = (unsigned)dnnl_cpu_isa_avx512_core_bf16;
    return (isa & bf16) == bf16;
#else
    return false;
#endif
}

bl_status bl_dnnl_open(bl_dnnl **out, int32_t threads)
{
    bl_dnnl *dnnl = NULL;
    bl_status status = BL_OK;
    BL_TRY(bl_calloc(&dnnl, 1, sizeof *dnnl));
    dnnl->threads = threads;
    DNNL_CHECK(dnnl_engine_create(&dnnl->engine, dnnl_cpu, 0), "engine");
    DNNL_CHECK(dnnl_stream_create(&dnnl->stream, dnnl->engine,
                                  dnnl_stream_default_flags), "stream");
    *out = dnnl;
    return BL_OK;
done:
    bl_dnnl_close(dnnl);
    return status;
}

void bl_dnnl_close(bl_dnnl *dnnl)
{
    if (dnnl == NULL) return;
    if (dnnl->stream != NULL) dnnl_stream_destroy(dnnl->stream);
    if (dnnl->engine != NULL) dnnl_engine_destroy(dnnl->engine);
    bl_free(dnnl);
}

/* The number of threads of a parallel region is a property of the calling
 * thread; oneDNN reads it when it plans and when it runs. */
static int threads_set(int threads)
{
    const int before = omp_get_max_threads();
    if (before != threads) omp_set_num_threads(threads);
    return before;
}

static dnnl_status_t execute(const bl_dnnl *dnnl, dnnl_primitive_t primitive,
                             int n, const dnnl_exec_arg_t *args)
{
    const int before = threads_set(dnnl->threads);
    dnnl_status_t status = dnnl_primitive_execute(primitive, dnnl->stream, n,
                                                  args);
    if (status == dnnl_success) status = dnnl_stream_wait(dnnl->stream);
    threads_set(before);
    return status;
}

bl_status bl_dnnl_multiply(const bl_dnnl *dnnl, const bl_dnnl_product *p,
                           const float *a, const float *b, float *c)
{
    const int before = threads_set(dnnl->threads);
    const dnnl_status_t status = dnnl_sgemm(
        p->turn_a ? 'T' : 'N', p->turn_b ? 'T' : 'N', p->m, p->n, p->k, 1.0f,
        a, p->turn_a ? p->m : p->k, b, p->turn_b ? p->k : p->n,
        p->add ? 1.0f : 0.0f, c, p->n);
    threads_set(before);
    return translate(status, "matrix product");
}

/* ---- planning a pass ---------------------------------------------------- */

static dnnl_status_t attr_make(dnnl_primitive_attr_t *attr,
                               const bl_conv_desc *desc)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(
            *attr, dnnl_scratchpad_mode_user);
    if (status != dnnl_success || !desc->infer) return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success && desc->add) status = append_sum(ops);
    if (status == dnnl_success && desc->relu) status = append_relu(ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (ops != NULL) dnnl_post_ops_destroy(ops);
    return status;
}

/* Padding behind the last row or column that the kernel reaches. */
static int64_t pad_behind(int64_t in, int64_t out, int64_t kernel,
                          int64_t stride, int64_t dilation, int64_t pad)
{
    return (out - 1) * stride + (kernel - 1) * dilation + 1 - in - pad;
}

static dnnl_status_t problem_make(problem *p, const bl_conv_desc *d,
                                  bl_dnnl_pass pass)
{
    const dnnl_data_type_t act = d->act == BL_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_data_type_t weight_type =
        pass == BL_DNNL_BACKWARD_WEIGHTS ? dnnl_f32 : act;
    const dnnl_dims_t src = {d->n, d->ic, d->ih, d->iw};
    const dnnl_dims_t weights = {d->oc, d->ic, d->kh, d->kw};
    const dnnl_dims_t dst = {d->n, d->oc, d->oh, d->ow};
    const dnnl_dims_t bias = {d->oc};
    const int64_t axes[2][4] = {
        {d->sh, d->dh - 1, d->ph,
         pad_behind(d->ih, d->oh, d->kh, d->sh, d->dh, d->ph)},
        {d->sw, d->dw - 1, d->pw,
         pad_behind(d->iw, d->ow, d->kw, d->sw, d->dw, d->pw)}};
    for (int i = 0; i < 2; i++) {
        p->strides[i] = axes[i][0];
        p->dilates[i] = axes[i][1];
        p->pad_l[i] = axes[i][2];
        p->pad_r[i] = axes[i][3];
    }
    p->kind = d->infer ? dnnl_forward_inference : dnnl_forward_training;
    dnnl_status_t status = layout_make(&p->src, 4, src, act, dnnl_nhwc);
    if (status == dnnl_success)
        status = layout_make(&p->weights, 4, weights, weight_type,
                             dnnl_format_tag_any);
    if (status == dnnl_success)
        status = layout_make(&p->dst, 4, dst, act, dnnl_nhwc);
    if (status == dnnl_success && d->infer)
        status = layout_make(&p->bias, 1, bias, dnnl_f32, dnnl_x);
    if (status == dnnl_success) status = attr_make(&p->attr, d);
    return status;
}

static void problem_drop(problem *p)
{
    layout_drop(&p->src);
    layout_drop(&p->weights);
    layout_drop(&p->dst);
    layout_drop(&p->bias);
    if (p->attr != NULL) dnnl_primitive_attr_destroy(p->attr);
}

/* A backward primitive wants the forward one as a hint. */
static dnnl_status_t plan(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const bl_conv_desc *desc, bl_dnnl_pass pass,
                          dnnl_primitive_desc_t hint)
{
    problem p;
    memset(&p, 0, sizeof p);
    dnnl_status_t status = problem_make(&p, desc, pass);
    if (status == dnnl_success) status = create_pd(pd, engine, &p, pass, hint);
    problem_drop(&p);
    return status;
}

static layout_ref layout_query(const bl_dnnl_op *op, bl_dnnl_slot slot)
{
    if (slot == BL_DNNL_BIAS)
        return dnnl_primitive_desc_query_md(op->pd, dnnl_query_weights_md, 1);
    return dnnl_primitive_desc_query_md(
        op->pd, slot_names[op->pass][slot].query, 0);
}

size_t bl_dnnl_bytes(const bl_dnnl_op *op, bl_dnnl_slot slot)
{
    if (slot == BL_DNNL_BIAS && op->memory[slot] == NULL) return 0;
    const layout_ref md = layout_query(op, slot);
    return md != NULL ? dnnl_memory_desc_get_size(md) : 0;
}

static dnnl_status_t memories_make(bl_dnnl_op *op, bool bias)
{
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < BL_DNNL_SLOTS && status == dnnl_success; i++) {
        const layout_ref md = layout_query(op, (bl_dnnl_slot)i);
        const bool has = i == BL_DNNL_BIAS ? bias : md != NULL;
        if (has)
            status = dnnl_memory_create(&op->memory[i], md, op->dnnl->engine,
                                        DNNL_MEMORY_NONE);
    }
    return status;
}

static void weights_describe(bl_dnnl_op *op, const bl_conv_desc *desc)
{
    const dnnl_dims_t dims = {desc->oc, desc->ic, desc->kh, desc->kw};
    memcpy(op->weight_dims, dims, sizeof dims);
    op->weight_type =
        op->pass != BL_DNNL_BACKWARD_WEIGHTS && desc->act == BL_BF16
            ? dnnl_bf16 : dnnl_f32;
}

bl_status bl_dnnl_conv(bl_dnnl_op **out, bl_dnnl *dnnl,
                       const bl_conv_desc *desc, bl_dnnl_pass pass)
{
    const int before = threads_set(dnnl->threads);
    dnnl_primitive_desc_t hint = NULL;
    bl_dnnl_op *op = NULL;
    bl_status status = BL_OK;
    BL_CHECK(bl_calloc(&op, 1, sizeof *op));
    op->dnnl = dnnl;
    op->pass = pass;
    weights_describe(op, desc);
    if (pass != BL_DNNL_FORWARD)
        DNNL_CHECK(plan(&hint, dnnl->engine, desc, BL_DNNL_FORWARD, NULL),
                   "convolution, hint");
    DNNL_CHECK(plan(&op->pd, dnnl->engine, desc, pass, hint), "convolution");
    DNNL_CHECK(dnnl_primitive_create(&op->primitive, op->pd),
               "convolution, primitive");
    DNNL_CHECK(memories_make(op, desc->infer), "convolution, memory");
    *out = op;
    op = NULL;
done:
    bl_dnnl_free(op);
    if (hint != NULL) dnnl_primitive_desc_destroy(hint);
    threads_set(before);
    return status;
}

void bl_dnnl_free(bl_dnnl_op *op)
{
    if (op == NULL) return;
    for (int i = 0; i < BL_DNNL_SLOTS; i++)
        if (op->memory[i] != NULL) dnnl_memory_destroy(op->memory[i]);
    if (op->primitive != NULL) dnnl_primitive_destroy(op->primitive);
    if (op->pd != NULL) dnnl_primitive_desc_destroy(op->pd);
    bl_free(op);
}

const char *bl_dnnl_kernel(const bl_dnnl_op *op)
{
    const char *name = NULL;
    const dnnl_status_t status = dnnl_primitive_desc_query(
        op->pd, dnnl_query_impl_info_str, 0, &name);
    return status == dnnl_success && name != NULL ? name : "unnamed";
}

/* ---- the layout of weights ---------------------------------------------- */

/** The reorder from the op's weights to plain OIHW of the same type. */
typedef struct reader {
    layout plain;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_memory_t src, dst, scratch;
    void *digits;     /* in the op's layout, op->weight_type */
    void *values;     /* OIHW, op->weight_type               */
    void *work;
} reader;

static bl_status reader_make(reader *r, const bl_dnnl_op *op)
{
    bl_status status = BL_OK;
    const dnnl_engine_t engine = op->dnnl->engine;
    const layout_ref md = layout_query(op, BL_DNNL_WEIGHTS);
    DNNL_CHECK(layout_make(&r->plain, 4, op->weight_dims, op->weight_type,
                           dnnl_oihw), "reorder, layout");
    const layout_ref plain = layout_of(&r->plain);
    DNNL_CHECK(dnnl_primitive_attr_create(&r->attr), "reorder, attributes");
    DNNL_CHECK(dnnl_primitive_attr_set_scratchpad_mode(
        r->attr, dnnl_scratchpad_mode_user), "reorder, attributes");
    DNNL_CHECK(dnnl_reorder_primitive_desc_create(
        &r->pd, md, engine, plain, engine, r->attr), "reorder");
    DNNL_CHECK(dnnl_primitive_create(&r->primitive, r->pd), "reorder");
    const layout_ref work = dnnl_primitive_desc_query_md(
        r->pd, dnnl_query_scratchpad_md, 0);
    BL_CHECK(bl_slab_alloc(&r->digits, dnnl_memory_desc_get_size(md)));
    BL_CHECK(bl_slab_alloc(&r->values, dnnl_memory_desc_get_size(plain)));
    BL_CHECK(bl_slab_alloc(&r->work, dnnl_memory_desc_get_size(work)));
    DNNL_CHECK(dnnl_memory_create(&r->src, md, engine, r->digits), "reorder");
    DNNL_CHECK(dnnl_memory_create(&r->dst, plain, engine, r->values),
               "reorder");
    DNNL_CHECK(dnnl_memory_create(&r->scratch, work, engine, r->work),
               "reorder");
done:
    return status;
}

static void reader_drop(reader *r)
{
    if (r->src != NULL) dnnl_memory_destroy(r->src);
    if (r->dst != NULL) dnnl_memory_destroy(r->dst);
    if (r->scratch != NULL) dnnl_memory_destroy(r->scratch);
    if (r->primitive != NULL) dnnl_primitive_destroy(r->primitive);
    if (r->pd != NULL) dnnl_primitive_desc_destroy(r->pd);
    if (r->attr != NULL) dnnl_primitive_attr_destroy(r->attr);
    layout_drop(&r->plain);
    bl_free(r->digits);
    bl_free(r->values);
    bl_free(r->work);
}

/* A digit as f32; its upper half is the same number as bf16. */
static uint32_t digit_bits(uint32_t digit)
{
    const float value = (float)digit;
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void digits_fill(const reader *r, bool bf16, size_t count, int shift)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = digit_bits((uint32_t)(i >> shift) & 0xff);
        if (bf16)
            ((uint16_t *)r->digits)[i] = (uint16_t)(bits >> 16);
        else
            ((uint32_t *)r->digits)[i] = bits;
    }
}

static void digits_read(const reader *r, bool bf16, int64_t count, int shift,
                        uint32_t *place)
{
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = bf16
            ? (uint32_t)((const uint16_t *)r->values)[i] << 16
            : ((const uint32_t *)r->values)[i];
        float value = 0;
        memcpy(&value, &bits, sizeof value);
        place[i] |= (uint32_t)value << shift;
    }
}

bl_status bl_dnnl_places(const bl_dnnl_op *op, uint32_t *place)
{
    const bool bf16 = op->weight_type == dnnl_bf16;
    const size_t room = bl_dnnl_bytes(op, BL_DNNL_WEIGHTS) / (bf16 ? 2 : 4);
    int64_t count = 1;
    reader r;
    memset(&r, 0, sizeof r);
    bl_status status = BL_OK;
    for (int i = 0; i < 4; i++) count *= op->weight_dims[i];
    if (room > UINT32_MAX)
        return BL_RAISE(BL_EUNSUPPORTED, "onednn: convolution: %zu weights "
                        "are more than 2^32 - 1", room);
    BL_CHECK(reader_make(&r, op));
    memset(place, 0, (size_t)count * sizeof *place);
    for (int shift = 0; shift < 32; shift += 8) {
        const dnnl_exec_arg_t args[] = {
            {DNNL_ARG_FROM, r.src}, {DNNL_ARG_TO, r.dst},
            {DNNL_ARG_SCRATCHPAD, r.scratch}};
        digits_fill(&r, bf16, room, shift);
        DNNL_CHECK(execute(op->dnnl, r.primitive, 3, args), "reorder, run");
        digits_read(&r, bf16, count, shift, place);
    }
done:
    reader_drop(&r);
    return status;
}

/* ---- running ------------------------------------------------------------ */

bl_status bl_dnnl_run(bl_dnnl_op *op, void *const at[BL_DNNL_SLOTS])
{
    dnnl_exec_arg_t args[BL_DNNL_SLOTS];
    int n = 0;
    for (int i = 0; i < BL_DNNL_SLOTS; i++) {
        if (op->memory[i] == NULL) continue;
        if (op->bound[i] != at[i]) {
            BL_TRY(translate(dnnl_memory_set_data_handle(op->memory[i],
                                                         at[i]), "binding"));
            op->bound[i] = at[i];
        }
        args[n].arg = i == BL_DNNL_BIAS ? DNNL_ARG_BIAS
                                        : slot_names[op->pass][i].arg;
        args[n].memory = op->memory[i];
        n++;
    }
    return translate(execute(op->dnnl, op->primitive, n, args),
                     bl_dnnl_kernel(op));
}
