/* SPDX-License-Identifier: Apache-2.0 */
/*
 * losses.c: the losses by name, and their terms made ready for a kernel.
 */
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "loss/loss.h"

static const bl_loss_type *const types[] = {
    &bl_loss_ce.type, &bl_loss_cumulative.type, &bl_loss_focal.type,
    &bl_loss_focal_sigmoid.type, &bl_loss_ldam.type,
    &bl_loss_logit_adjustment.type, &bl_loss_balanced_softmax.type,
    &bl_loss_vs.type, &bl_loss_cdt.type, &bl_loss_smoothing.type, NULL};

const bl_loss_type *const *bl_loss_types(void)
{
    return types;
}

const char *bl_loss_default(const bl_loss_type *loss, const char *key)
{
    const char *const *s = loss->settings;
    const size_t n = strlen(key);
    if (!bl_is_word_of(loss->keys, key)) return NULL;
    for (; s && *s; s++)
        if (!strncmp(*s, key, n) && (*s)[n] == '=') return *s + n + 1;
    return bl_param_find(bl_train_params(), key)->def;
}

const bl_loss_kind *bl_loss_find(const char *name)
{
    for (int32_t i = 0; types[i]; i++) /* the row is a kind's first member */
        if (!strcmp(types[i]->name, name))
            return (const bl_loss_kind *)types[i];
    return NULL;
}

static bl_status allocate(bl_loss_terms *terms)
{
    double **const arrays[] = {&terms->s, &terms->m, &terms->b, &terms->w,
                               &terms->e};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        BL_TRY(bl_calloc(arrays[i], terms->c, sizeof **arrays[i]));
    return BL_OK;
}

/** Softmax of bare cosines, all within [-1, 1], could not tell classes apart:
 *  they are multiplied by s first. */
static void scale_cosines(bl_loss_terms *terms, const bl_loss_setting *with)
{
    const double s = bl_config_real(with->config, "loss.scale");
    for (int32_t j = 0; j < terms->c; j++)
        terms->s[j] = terms->has_s ? s * terms->s[j] : s;
    terms->has_s = true;
}

/** Weights of an unweighted loss are 1 all, which need not be said. */
static void weigh(bl_loss_terms *terms, const bl_loss_setting *with)
{
    const char *const rule = bl_config_string(with->config, "weights");
    if (!strcmp(rule, "none")) return;
    bl_class_weights(terms->w, rule,
                     bl_config_real(with->config, "weights.beta"), with->n,
                     with->c);
    terms->has_w = true;
}

bl_status bl_loss_terms_make(bl_loss_terms **out, const bl_loss_setting *with,
                             bool weighted)
{
    bl_loss_terms *terms = NULL;
    bl_status status;
    const char *const name = bl_config_string(with->config, "loss");
    const bl_loss_kind *const kind = bl_loss_find(name);
    if (!kind) return BL_RAISE(BL_EINVAL, "loss: %s is unknown", name);
    BL_CHECK(bl_calloc(&terms, 1, sizeof *terms));
    terms->c = with->c;
    terms->divide_by_weight = !kind->type.by_batch;
    BL_CHECK(allocate(terms));
    if (kind->prepare) BL_CHECK(kind->prepare(terms, with));
    if (with->cosine && !kind->needs_cosine) scale_cosines(terms, with);
    if (weighted) weigh(terms, with);
    *out = terms;
    return BL_OK;
done:
    bl_loss_terms_free(terms);
    return status;
}

void bl_loss_terms_free(bl_loss_terms *terms)
{
    if (!terms) return;
    double *const arrays[] = {terms->s, terms->m, terms->b, terms->w,
                              terms->e};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        bl_free(arrays[i]);
    bl_free(terms);
}
