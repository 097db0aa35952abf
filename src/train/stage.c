/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.c: from keys to stages.
 *
 * Lengths and milestones are given for a run of 200 epochs, those of a second
 * stage included: the 30 epochs of cRT become 3 behind 20.  Inside the stage
 * the schedule counts from its own start; it scales its milestones by its own
 * length over 200, so they are handed to it as 200 ths of that.
 */
#include "train/stage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"

enum { NOMINAL = 200, MOST = 1000000 };

/* ---- the second stage's keys take their places --------------------------- */

typedef struct stand_in {
    const char *key, *place;
} stand_in;

static const stand_in stand_ins[] = {
    {"stage2.sampler", "sampler"},
    {"stage2.loss", "loss"},
    {"stage2.weights", "weights"},
    {"stage2.lr", "lr"},
    {"stage2.weight-decay", "sgd.weight-decay"},
    {"stage2.schedule", "schedule"},
    {"stage2.warmup", "schedule.warmup"},
    {"stage2.decay", "schedule.decay"},
};

/** What a first stage may do and a second does not. */
static const char *const off[] = {"weights.from=0", "sampler.later=",
                                  "mix=none", "sam.rho=0"};

/** Sets `place` to epochs [n], as parts of a stage that has `nominal` epochs
 *  in a run of 200. */
static bl_status set_epochs(bl_config *config, const char *place,
                            const double *epochs, int64_t n, double nominal)
{
    bl_text text = {0};
    char real[32];
    bl_text_add(&text, "", 0);
    for (int64_t i = 0; i < n; i++) {
        const double at = epochs[i] * NOMINAL / nominal;
        bl_real_format(real, fmin(at, MOST)); /* keys take no more */
        bl_text_printf(&text, "%s%s", i ? "," : "", real);
    }
    bl_status status = text.status;
    if (status == BL_OK)
        status = bl_config_set(config, place, text.text, BL_ORIGIN_OPTION);
    bl_text_free(&text);
    return status;
}

static bl_status stand_in_all(bl_config *to, const bl_config *from)
{
    const double nominal = bl_config_real(from, "stage2.epochs");
    const double warmup = bl_config_real(from, "stage2.warmup-epochs");
    const double *milestones;
    int64_t n = bl_config_reals(from, "stage2.milestones", &milestones);
    while (n > 0 && milestones[n - 1] > nominal) n--; /* never reached */
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        BL_TRY(bl_config_assign(to, off[i], BL_ORIGIN_OPTION));
    for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
        BL_TRY(bl_config_set(to, stand_ins[i].place,
                             bl_config_text(from, stand_ins[i].key),
                             BL_ORIGIN_OPTION));
    BL_TRY(set_epochs(to, "schedule.warmup-epochs", &warmup, 1, nominal));
    return set_epochs(to, "schedule.milestones", milestones, n, nominal);
}

/* ---- checks -------------------------------------------------------------- */

/** key: where the user has named the loss. */
static bl_status check_loss(const bl_config *config, const bl_form_type *form,
                            const char *key)
{
    const char *const name = bl_config_string(config, key);
    const bl_loss_kind *const loss = bl_loss_find(name);
    if (loss->needs_cosine && !form->cosine)
        return BL_RAISE(BL_EINVAL, "%s: %s needs the normalised classifier; "
                        "take --method ldam, which has it", key, name);
    if (loss->needs_pair && !form->branches)
        return BL_RAISE(BL_EINVAL, "%s: %s is that of --method bbn, whose "
                        "samples have two labels", key, name);
    return BL_OK;
}

static bl_status check_mix(const bl_config *config, const bl_form_type *form)
{
    const char *const name = bl_config_string(config, "mix");
    if (form->branches && strcmp(name, "none") != 0)
        return BL_RAISE(BL_EINVAL, "mix: %s cannot join --method bbn, which "
                        "mixes branches of its own", name);
    return BL_OK;
}

/** Scales are folded into the rows of the classifier when it is written. */
static bl_status check_scales(const bl_config *config,
                              const bl_form_type *form)
{
    const char *const train = bl_config_string(config, "stage2.train");
    if (!strcmp(train, "head")) return BL_OK;
    if (form->cosine)
        return BL_RAISE(BL_EINVAL, "stage2.train: %s needs a linear "
                        "classifier, this method's is normalised; wanted head",
                        train);
    if (!strcmp(train, "scale") &&
        strcmp(bl_config_string(config, "stage2.head"), "keep") != 0)
        return BL_RAISE(BL_EINVAL, "stage2.head: scales of a classifier that "
                        "was drawn and never trained; wanted keep, or "
                        "stage2.train head");
    if (strcmp(bl_config_string(config, "posthoc"), "none") != 0)
        return BL_RAISE(BL_EINVAL, "posthoc: a classifier with trained scales "
                        "is not rewritten; wanted none, or stage2.train head");
    return BL_OK;
}

/** A rate of 0 would freeze all that the second stage is to train. */
static bl_status check_rates(const bl_config *config)
{
    const bool head = !strcmp(bl_config_string(config, "stage2.train"), "head");
    const char *const frozen =
        bl_config_real(config, "stage2.lr") <= 0 ? "stage2.lr"
        : head && bl_config_real(config, "stage2.head-rate") <= 0
            ? "stage2.head-rate" : NULL;
    if (!frozen) return BL_OK;
    return BL_RAISE(BL_EINVAL, "%s: 0 freezes all that the second stage "
                    "trains; wanted above 0", frozen);
}

/** The same of the first, where it is trained. */
static bl_status check_rate(const bl_config *config)
{
    const bool given = *bl_config_string(config, "init.weights") != '\0';
    const bool skipped = given && bl_config_real(config, "stage2.epochs") > 0;
    if (skipped || bl_config_real(config, "lr") > 0) return BL_OK;
    return BL_RAISE(BL_EINVAL, "lr: 0 freezes all that there is to train; "
                    "wanted above 0");
}

static bl_status check_second(const bl_config *config,
                              const bl_form_type *form)
{
    if (bl_config_real(config, "stage2.epochs") <= 0) return BL_OK;
    if (form->branches)
        return BL_RAISE(BL_EINVAL, "stage2.epochs: a second stage needs one "
                        "branch; retrain that of a finished run: --method "
                        "retrain --init.weights RUN/last.safetensors "
                        "--init.branch cb");
    BL_TRY(check_loss(config, form, "stage2.loss"));
    BL_TRY(check_rates(config));
    return check_scales(config, form);
}

static bl_status check_bias(const bl_config *config, const bl_form_type *form)
{
    const char *const name = bl_config_string(config, "head.bias");
    if (!form->cosine || !strcmp(name, "default")) return BL_OK;
    return BL_RAISE(BL_EINVAL, "head.bias: %s, but the normalised classifier "
                    "has no bias", name);
}

static bl_status check_posthoc(const bl_config *config,
                               const bl_form_type *form)
{
    const char *const name = bl_config_string(config, "posthoc");
    const double tau = bl_config_real(config, "posthoc.tau");
    if (!strcmp(name, "none")) return BL_OK;
    if (tau < 0 && tau > -1)
        return BL_RAISE(BL_EINVAL, "posthoc.tau: found %g, wanted 0 or more, "
                        "or -1 for the best on images held out", tau);
    if (form->cosine)
        return BL_RAISE(BL_EINVAL, "posthoc: %s rewrites a linear classifier, "
                        "this method's is normalised", name);
    if (strcmp(name, "ncm") != 0 && tau < 0 &&
        bl_config_real(config, "holdout") <= 0)
        return BL_RAISE(BL_EINVAL, "posthoc.tau: it is chosen on images held "
                        "out; give --holdout 0.1, or a tau");
    return BL_OK;
}

bl_status bl_stage_check(const bl_config *config, const bl_form_type *form)
{
    BL_TRY(check_loss(config, form, "loss"));
    BL_TRY(check_mix(config, form));
    BL_TRY(check_bias(config, form));
    BL_TRY(check_rate(config));
    BL_TRY(check_second(config, form));
    return check_posthoc(config, form);
}

/* ---- reading ------------------------------------------------------------- */

static const bl_schedule_type *find_schedule(const char *name)
{
    const bl_schedule_type *const *const all = bl_schedule_types();
    for (int32_t i = 0; all[i]; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

static const bl_adaptor_type *find_adaptor(const char *name)
{
    const bl_adaptor_type *const *const all = bl_adaptor_types();
    for (int32_t i = 0; all[i]; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

/** Places where batches of a stage are mixed, as a set of bits.  Bit 0, for
 *  batches that are not, is always one of them: a share drawn from a Beta of
 *  small alpha is 1 often enough. */
static uint32_t mix_places(const bl_config *config, const bl_mix_type *mix)
{
    static const struct {
        const char *name;
        uint32_t places;
    } rows[] = {{"random", 7}, {"input", 1}, {"stage1", 2}, {"stage2", 4},
                {"pool", 8}};
    const char *const layer = bl_config_string(config, "mix.layer");
    uint32_t places = 1;
    if (!mix->inside) return 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, layer)) places = rows[i].places;
    return places | 1;
}

/** Epochs of the run after which what `key` defers holds in this stage. */
static int64_t deferral(const bl_stage *stage, const char *key)
{
    const double from = bl_config_real(stage->config, key);
    return stage->first + llround(from * (double)stage->epochs / NOMINAL);
}

static void read_rows(bl_stage *stage, const bl_form_type *form)
{
    const bl_config *const c = stage->config;
    stage->schedule = find_schedule(bl_config_string(c, "schedule"));
    if (form->branches)
        stage->adaptor = find_adaptor(bl_config_string(c, "bbn.adaptor"));
    stage->loss = bl_loss_find(bl_config_string(c, "loss"));
    stage->mix = bl_mix_find(bl_config_string(c, "mix"));
    stage->weights_from = deferral(stage, "weights.from");
    stage->sampler_from = deferral(stage, "sampler.from");
    stage->parts = form->branches ? form->streams : stage->mix->parts;
    stage->locations = mix_places(c, stage->mix);
    stage->graph.pair = stage->mix->parts > 1;
    if (strcmp(stage->mix->name, "none") != 0) stage->graph.targets = 2;
}

static bl_status read_first(bl_stage *stage, const bl_config *config,
                            const bl_form_type *form)
{
    BL_TRY(bl_config_clone(&stage->config, config));
    stage->epochs = bl_config_integer(config, "epochs");
    read_rows(stage, form);
    return BL_OK;
}

int64_t bl_stage2_epochs(const bl_config *config)
{
    const double nominal = bl_config_real(config, "stage2.epochs");
    const double scale = (double)bl_config_integer(config, "epochs") / NOMINAL;
    const int64_t epochs = llround(nominal * scale);
    if (nominal <= 0) return 0;
    return epochs < 1 ? 1 : epochs;
}

static bl_status read_second(bl_stage *stage, const bl_config *config,
                             const bl_form_type *form, int64_t first)
{
    const char *const train = bl_config_string(config, "stage2.train");
    BL_TRY(bl_config_clone(&stage->config, config));
    BL_TRY(stand_in_all(stage->config, config));
    stage->second = true;
    stage->first = first;
    stage->epochs = bl_stage2_epochs(config);
    stage->fresh_head =
        !strcmp(bl_config_string(config, "stage2.head"), "fresh");
    stage->graph.fix_trunk = true;
    stage->graph.fix_head = !strcmp(train, "scale");
    stage->graph.scale = strcmp(train, "head") != 0;
    stage->graph.freeze_norm =
        !strcmp(bl_config_string(config, "stage2.norm"), "frozen");
    read_rows(stage, form);
    return BL_OK;
}

bl_status bl_stages_read(bl_stage *stages, int32_t *n,
                         const bl_config *config, const bl_form_type *form)
{
    const bool second = bl_stage2_epochs(config) > 0;
    const bool given = *bl_config_string(config, "init.weights") != '\0';
    *n = 0;
    if (!second || !given) /* weights given stand for the first stage */
        BL_TRY(read_first(&stages[(*n)++], config, form));
    if (!second) return BL_OK;
    const int64_t first = *n ? stages[0].epochs : 0;
    return read_second(&stages[(*n)++], config, form, first);
}

void bl_stage_free(bl_stage *stage)
{
    bl_config_free(stage->config);
    *stage = (bl_stage){0};
}

double bl_stage_rate(const bl_stage *stage, int64_t e)
{
    return bl_config_real(stage->config, "lr") *
           stage->schedule->factor(stage->config, e - stage->first,
                                   stage->epochs);
}

bl_status bl_stage_check_rate(const bl_stage *stage)
{
    for (int64_t e = 1; e <= stage->epochs; e++)
        if (bl_stage_rate(stage, stage->first + e) > 0) return BL_OK;
    return BL_RAISE(BL_EINVAL, "%s.decay: the learning rate is 0 in every "
                    "epoch, which freezes all; wanted above 0, or milestones "
                    "behind the first epoch",
                    stage->second ? "stage2" : "schedule");
}
