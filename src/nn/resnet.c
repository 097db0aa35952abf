/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resnet.c: the residual networks for small images, and their BBN form.
 *
 *   stem    3x3 conv c -> 16, norm, ReLU
 *   stage k (6 k' + 2 layers have k' blocks a stage): 16, 32, 64 channels; the
 *           first block of stages 2 and 3 halves the image, its shortcut is
 *           option A
 *   block   relu(norm(conv(relu(norm(conv(x))))) + shortcut(x))
 *   head    global average pooling, classifier
 *
 * BBN: the trunk ends one block earlier; that block stands twice, as cb_block
 * and rb_block with weights of their own.  In training the trunk runs on the
 * uniform batch and again on the reversed batch, with one set of weights:
 *
 *   z = W [2 alpha f_c ; 2 (1 - alpha) f_r] + b
 *
 * and at inference both branches see the same image, without the factors.
 *
 * Sources: He et al., CVPR 2016, arXiv:1512.03385, section 4.2; Zhou, Cui,
 * Wei, Chen, CVPR 2020, arXiv:1912.02413, section 4.  The factor 2 is the
 * authors' code's.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "nn/network.h"
#include "nn/plan.h"

enum { STAGES = 3, WIDTH = 16 };

const bl_form_type *const bl_form_types[] = {
    &(const bl_form_type){.name = "plain", .streams = 1, .targets = 1},
    &(const bl_form_type){.name = "cosine", .streams = 1, .targets = 1,
                          .cosine = true},
    &(const bl_form_type){.name = "bbn", .streams = 2, .targets = 2,
                          .branches = true},
    NULL};

const bl_form_type *bl_form_find(const char *name)
{
    for (int32_t i = 0; bl_form_types[i]; i++)
        if (!strcmp(bl_form_types[i]->name, name)) return bl_form_types[i];
    return NULL;
}

/* ---- blocks -------------------------------------------------------------- */

/** conv and norm "<prefix>conv<i>", "<prefix>bn<i>". */
static int32_t conv_norm(bl_graph *g, int32_t x, const char *prefix, int32_t i,
                         int64_t oc, int64_t stride)
{
    char name[2 * BL_NAME_ROOM];
    (void)snprintf(name, sizeof name, "%sconv%d", prefix, i);
    x = bl_graph_conv(g, x, name, oc, 3, stride, 1, 1);
    (void)snprintf(name, sizeof name, "%sbn%d", prefix, i);
    return bl_graph_norm(g, x, name);
}

static int32_t block(bl_graph *g, int32_t x, const char *prefix, int64_t oc,
                     int64_t stride)
{
    if (x < 0 || g->status < 0) return -1;
    const bool same = g->values[x].c == oc && stride == 1;
    int32_t y = bl_graph_relu(g, conv_norm(g, x, prefix, 1, oc, stride));
    const int32_t shortcut = same ? x : bl_graph_shortcut(g, x, oc, stride);
    y = conv_norm(g, y, prefix, 2, oc, 1);
    return bl_graph_relu(g, bl_graph_add(g, y, shortcut));
}

/** Stem and stages; `less` blocks are left out of the last stage. */
static int32_t trunk(bl_graph *g, int32_t x, const bl_model_type *model,
                     int32_t less)
{
    x = bl_graph_relu(g, conv_norm(g, x, "", 1, WIDTH, 1));
    for (int32_t s = 0; s < STAGES; s++) {
        const int32_t blocks = model->blocks[s] - (s == STAGES - 1 ? less : 0);
        for (int32_t k = 0; k < blocks; k++) {
            char name[BL_NAME_ROOM];
            (void)snprintf(name, sizeof name, "layer%d.%d.", s + 1, k);
            x = block(g, x, name, (int64_t)WIDTH << s, s && !k ? 2 : 1);
        }
    }
    return x;
}

static int32_t branch(bl_graph *g, int32_t x, const char *name)
{
    return bl_graph_gap(g, block(g, x, name, WIDTH << (STAGES - 1), 1));
}

/* ---- whole networks ------------------------------------------------------ */

/** Default of PyTorch's linear layers, which BBN keeps. */
static bl_init uniform_fan_in(int64_t d)
{
    return (bl_init){BL_INIT_UNIFORM, 1 / sqrt((double)d)};
}

/** The LDAM code's: its classifier is initialised as the convolutions are. */
static bl_init normal_fan_in(int64_t d)
{
    return (bl_init){BL_INIT_NORMAL, sqrt(2 / (double)d)};
}

static int32_t input(bl_graph *g, const bl_network_spec *spec, int64_t n)
{
    return bl_graph_input(g, n, spec->h, spec->w, spec->c);
}

static int32_t plain(bl_graph *g, const bl_network_spec *spec,
                     const bl_form_type *form, int64_t n)
{
    const int32_t x = trunk(g, input(g, spec, n), spec->model, 0);
    const int32_t f = bl_graph_gap(g, x);
    if (form->cosine) return bl_graph_cosine(g, f, "fc", spec->n_class);
    const int64_t d = (int64_t)WIDTH << (STAGES - 1);
    return bl_graph_linear(g, f, "fc", spec->n_class, normal_fan_in(d));
}

static int32_t joint(bl_graph *g, const bl_network_spec *spec, int32_t f_c,
                     int32_t f_r)
{
    const int64_t d = (int64_t)2 * (WIDTH << (STAGES - 1));
    return bl_graph_linear(g, bl_graph_concat(g, f_c, f_r), "classifier",
                           spec->n_class, uniform_fan_in(d));
}

static int32_t bbn_training(bl_graph *g, const bl_network_spec *spec,
                            int64_t n)
{
    const int32_t x_c = trunk(g, input(g, spec, n), spec->model, 1);
    const int32_t f_c = branch(g, x_c, "cb_block.");
    const int32_t x_r = trunk(g, input(g, spec, n), spec->model, 1);
    const int32_t f_r = branch(g, x_r, "rb_block.");
    return joint(g, spec, bl_graph_scale(g, f_c, BL_SLOT_SCALE),
                 bl_graph_scale(g, f_r, BL_SLOT_SCALE + 1));
}

static int32_t bbn_inference(bl_graph *g, const bl_network_spec *spec,
                             int64_t n)
{
    const int32_t x = trunk(g, input(g, spec, n), spec->model, 1);
    const int32_t f_c = branch(g, x, "cb_block.");
    return joint(g, spec, f_c, branch(g, x, "rb_block."));
}

bl_status bl_network_check(const bl_network_spec *spec)
{
    if (!spec->model || !spec->form || !bl_form_find(spec->form))
        return BL_RAISE(BL_EINVAL, "network: form %s is unknown, wanted "
                        "plain, cosine or bbn",
                        spec->form ? spec->form : "(none)");
    if (spec->h < 1 || spec->w < 1 || spec->c < 1 || spec->n_class < 1)
        return BL_RAISE(BL_EINVAL, "network: input %dx%dx%d with %d classes: "
                        "every number must be at least 1", spec->h, spec->w,
                        spec->c, spec->n_class);
    if (spec->h > 4096 || spec->w > 4096 || spec->c > 16)
        return BL_RAISE(BL_EINVAL, "network: input %dx%dx%d is larger than "
                        "4096x4096x16", spec->h, spec->w, spec->c);
    return BL_OK;
}

bl_status bl_network_graph(bl_graph **out, const bl_network_spec *spec,
                           int64_t n, bool training)
{
    bl_graph *g = NULL;
    BL_TRY(bl_network_check(spec));
    BL_TRY(bl_graph_create(&g));
    const bl_form_type *const form = bl_form_find(spec->form);
    g->output = !form->branches ? plain(g, spec, form, n)
                : training      ? bbn_training(g, spec, n)
                                : bbn_inference(g, spec, n);
    if (training) bl_graph_loss(g, g->output, form->targets);
    const bl_status status = bl_graph_finish(g);
    if (status < 0) {
        bl_graph_free(g);
        return status;
    }
    *out = g;
    return BL_OK;
}
