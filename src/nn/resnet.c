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

/** A graph that is being built, and for what. */
typedef struct builder {
    bl_graph *g;
    const bl_network_spec *network;
    const bl_graph_spec *spec;
    const bl_form_type *form;
    int64_t n;
} builder;

/* ---- blocks -------------------------------------------------------------- */

/** conv and norm "<prefix>conv<i>", "<prefix>bn<i>". */
static int32_t conv_norm(const builder *b, int32_t x, const char *prefix,
                         int32_t i, int64_t oc, int64_t stride)
{
    char name[2 * BL_NAME_ROOM];
    (void)snprintf(name, sizeof name, "%sconv%d", prefix, i);
    x = bl_graph_conv(b->g, x, name, oc, 3, stride, 1, 1);
    (void)snprintf(name, sizeof name, "%sbn%d", prefix, i);
    return b->spec->freeze_norm ? bl_graph_norm_frozen(b->g, x, name)
                                : bl_graph_norm(b->g, x, name);
}

static int32_t block(const builder *b, int32_t x, const char *prefix,
                     int64_t oc, int64_t stride)
{
    bl_graph *const g = b->g;
    if (x < 0 || g->status < 0) return -1;
    const bool same = g->values[x].c == oc && stride == 1;
    int32_t y = bl_graph_relu(g, conv_norm(b, x, prefix, 1, oc, stride));
    const int32_t shortcut = same ? x : bl_graph_shortcut(g, x, oc, stride);
    y = conv_norm(b, y, prefix, 2, oc, 1);
    return bl_graph_relu(g, bl_graph_add(g, y, shortcut));
}

static int32_t input(const builder *b)
{
    const bl_network_spec *const net = b->network;
    return bl_graph_input(b->g, b->n, net->h, net->w, net->c);
}

static int32_t stem(const builder *b, int32_t x)
{
    return bl_graph_relu(b->g, conv_norm(b, x, "", 1, WIDTH, 1));
}

/** Stage s, counted from 1; `less` blocks are left out of the last one. */
static int32_t stage(const builder *b, int32_t x, int32_t s, int32_t less)
{
    const int32_t blocks =
        b->network->model->blocks[s - 1] - (s == STAGES ? less : 0);
    for (int32_t k = 0; k < blocks; k++) {
        char name[BL_NAME_ROOM];
        (void)snprintf(name, sizeof name, "layer%d.%d.", s, k);
        x = block(b, x, name, (int64_t)WIDTH << (s - 1), s > 1 && !k ? 2 : 1);
    }
    return x;
}

/** BBN's: the last block is left to the branches. */
static int32_t trunk(const builder *b)
{
    int32_t x = stem(b, input(b));
    for (int32_t s = 1; s <= STAGES; s++) x = stage(b, x, s, 1);
    return x;
}

static int32_t branch(const builder *b, int32_t x, const char *name)
{
    return bl_graph_gap(b->g, block(b, x, name, WIDTH << (STAGES - 1), 1));
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

/** Stem and stages of one input up to the place where it is mixed. */
static int32_t up_to(const builder *b, int32_t place)
{
    int32_t x = stem(b, input(b));
    for (int32_t s = 1; s <= place && s <= STAGES; s++) x = stage(b, x, s, 0);
    return place == BL_MIX_POOL ? bl_graph_gap(b->g, x) : x;
}

/** Features of plain networks.  With a mix inside, second images run through
 *  the same layers up to the place where they meet the first: two passes,
 *  each with its own batch statistics. */
static int32_t plain_features(const builder *b)
{
    const int32_t place = b->spec->location;
    int32_t x = up_to(b, place);
    if (place > 0) {
        const int32_t other = b->spec->pair ? up_to(b, place) : x;
        x = bl_graph_mix(b->g, x, other, BL_SLOT_MIX);
    }
    if (place == BL_MIX_POOL) return x;
    for (int32_t s = place + 1; s <= STAGES; s++) x = stage(b, x, s, 0);
    return bl_graph_gap(b->g, x);
}

/** The classifier, its parameters trained or not, and its scales. */
static int32_t head(const builder *b, int32_t f, const char *name,
                    bl_init init)
{
    bl_graph *const g = b->g;
    const int32_t C = b->network->n_class;
    g->features = f;
    g->fixing = b->spec->fix_head;
    int32_t z = b->form->cosine ? bl_graph_cosine(g, f, name, C)
                                : bl_graph_linear(g, f, name, C, init);
    g->fixing = false;
    if (b->spec->scale) z = bl_graph_class_scale(g, z, name);
    return z;
}

static int32_t plain(const builder *b)
{
    const int64_t d = (int64_t)WIDTH << (STAGES - 1);
    return head(b, plain_features(b), "fc", normal_fan_in(d));
}

static int32_t joint(const builder *b, int32_t f_c, int32_t f_r)
{
    const int64_t d = (int64_t)2 * (WIDTH << (STAGES - 1));
    return head(b, bl_graph_concat(b->g, f_c, f_r), "classifier",
                uniform_fan_in(d));
}

static int32_t bbn_training(const builder *b)
{
    const int32_t f_c = branch(b, trunk(b), "cb_block.");
    const int32_t f_r = branch(b, trunk(b), "rb_block.");
    return joint(b, bl_graph_scale(b->g, f_c, BL_SLOT_SCALE),
                 bl_graph_scale(b->g, f_r, BL_SLOT_SCALE + 1));
}

static int32_t bbn_inference(const builder *b)
{
    const int32_t x = trunk(b);
    const int32_t f_c = branch(b, x, "cb_block.");
    return joint(b, f_c, branch(b, x, "rb_block."));
}

const char *bl_network_head(const bl_network_spec *network)
{
    return bl_form_find(network->form)->branches ? "classifier" : "fc";
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

bl_status bl_network_graph(bl_graph **out, const bl_network_spec *network,
                           int64_t n, const bl_graph_spec *spec)
{
    bl_graph *g = NULL;
    BL_TRY(bl_network_check(network));
    BL_TRY(bl_graph_create(&g));
    const bl_form_type *const form = bl_form_find(network->form);
    const builder b = {g, network, spec, form, n};
    g->fixing = spec->fix_trunk;
    g->output = !form->branches ? plain(&b)
                : spec->training ? bbn_training(&b) : bbn_inference(&b);
    if (spec->training)
        bl_graph_loss(g, g->output,
                      spec->targets ? spec->targets : form->targets);
    const bl_status status = bl_graph_finish(g);
    if (status < 0) {
        bl_graph_free(g);
        return status;
    }
    *out = g;
    return BL_OK;
}
