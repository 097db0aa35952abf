/* SPDX-License-Identifier: Apache-2.0 */
/*
 * use.c: which keys a configuration reads.
 *
 * Most keys are read by every run.  The others are read where another key has
 * a certain value, or by a loss or mix, whose rows say so; a key of these that
 * is set and not read changes nothing, and somebody expects that it does.
 */
#include <string.h>

#include "core/text.h"
#include "train/stage.h"

/** Where `key` is `value`, or with '!' is not, `keys` are read. */
typedef struct use_rule {
    const char *key, *value, *keys;
} use_rule;

static const use_rule rules[] = {
    {"weights", "!none", "weights weights.from"},
    {"weights", "effective", "weights.beta"},
    {"stage2.weights", "effective", "weights.beta"},
    {"sampler", "!permutation", "sampler"},
    {"sampler.later", "!", "sampler.later sampler.from"},
    {"mix", "!none", "mix mix.probability mix.skip-first mix.skip-last"},
    {"head.bias", "!default", "head.bias"},
    {"init.weights", "!", "init.branch"},
    {"posthoc", "!none", "posthoc"},
    {"posthoc", "tau-norm", "posthoc.tau holdout"},
    {"posthoc", "logit-adjustment", "posthoc.tau holdout"},
    {"stage2.epochs", "!0", "stage2.epochs stage2.train stage2.head "
                            "stage2.norm stage2.sampler stage2.loss "
                            "stage2.weights stage2.lr stage2.weight-decay "
                            "stage2.schedule stage2.warmup"},
    {"stage2.train", "!scale", "stage2.head-rate"},
    {"stage2.schedule", "step", "stage2.milestones stage2.decay"},
    {"stage2.warmup", "!none", "stage2.warmup-epochs"},
};

enum { RULES = sizeof rules / sizeof *rules };

static const char bbn_keys[] = "bbn.sampler bbn.adaptor";

/** What a first stage alone reads: a second has keys of its own for these. */
static const char first_keys[] =
    "lr loss weights weights.from sampler sampler.later sampler.from sam.rho "
    "sgd.weight-decay schedule schedule.warmup schedule.warmup-epochs "
    "schedule.milestones schedule.decay mix mix.alpha mix.layer mix.sampler "
    "mix.kappa mix.tau mix.probability mix.skip-first mix.skip-last";

static bool has_second(const bl_config *config)
{
    return bl_config_real(config, "stage2.epochs") > 0;
}

/** Weights that are given stand for the first stage of two. */
static bool skips_first(const bl_config *config)
{
    return has_second(config) && *bl_config_string(config, "init.weights");
}

static bool holds(const use_rule *r, const bl_config *config)
{
    const bool wanted = r->value[0] != '!';
    if (!strncmp(r->key, "stage2.", 7) && !has_second(config)) return false;
    return !strcmp(bl_config_text(config, r->key), r->value + !wanted) ==
           wanted;
}

static bool loss_reads(const bl_config *config, const char *key,
                       const char *name)
{
    const bl_loss_kind *const loss =
        bl_loss_find(bl_config_string(config, key));
    return loss && bl_is_word_of(loss->type.keys, name);
}

static bool is_own(const bl_config *config, const char *name)
{
    const bl_mix_type *const mix = bl_mix_find(bl_config_string(config, "mix"));
    const bl_method_type *const method =
        bl_method_find(bl_config_string(config, "method"));
    if (!skips_first(config) && loss_reads(config, "loss", name)) return true;
    if (has_second(config) && loss_reads(config, "stage2.loss", name))
        return true;
    if (mix && bl_is_word_of(mix->keys, name)) return true;
    if (method && !strcmp(method->form, "bbn") && bl_is_word_of(bbn_keys, name))
        return true;
    if (method && !strcmp(method->form, "cosine") &&
        !strcmp(name, "loss.scale"))
        return true;
    for (int32_t i = 0; i < RULES; i++)
        if (bl_is_word_of(rules[i].keys, name) && holds(&rules[i], config))
            return true;
    return false;
}

/** Is there a configuration that reads the key for itself alone?  A switch,
 *  and the few keys that everybody reads, do something wherever they stand. */
static bool is_conditional(const char *name)
{
    for (int32_t i = 0; i < RULES; i++)
        if (!strcmp(rules[i].key, name) && strncmp(name, "stage2.", 7) != 0)
            return false;
    if (!strcmp(name, "holdout") || !strcmp(name, "stage2.epochs"))
        return false;
    for (int32_t i = 0; i < RULES; i++)
        if (bl_is_word_of(rules[i].keys, name)) return true;
    for (int32_t i = 0; bl_loss_types()[i]; i++)
        if (bl_is_word_of(bl_loss_types()[i]->keys, name)) return true;
    for (int32_t i = 0; bl_mix_types()[i]; i++)
        if (bl_is_word_of(bl_mix_types()[i]->keys, name)) return true;
    return bl_is_word_of(bbn_keys, name);
}

bl_key_use bl_train_use(const bl_config *config, const char *key)
{
    if (skips_first(config) && bl_is_word_of(first_keys, key))
        return BL_KEY_IDLE;
    if (is_own(config, key)) return BL_KEY_OWN;
    return is_conditional(key) ? BL_KEY_IDLE : BL_KEY_COMMON;
}
