/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle.c: from what a user said to a configuration that can run, and to the
 * data it names.
 */
#include <stdio.h>
#include <string.h>

#include "ballast/sampler.h"
#include "ballast/train.h"
#include "core/error.h"
#include "core/mem.h"
#include "train/stage.h"

bl_status bl_train_config(bl_config **out)
{
    return bl_config_create(out, bl_train_params());
}

/* ---- names -------------------------------------------------------------- */

/** Name of row i of a registry, NULL behind the last. */
typedef const char *name_at(int32_t i);

/* Row types differ from registry to registry, so each is asked in its own. */
#define NAME_AT(kind)                                                   \
    static const char *kind##_name(int32_t i)                           \
    {                                                                   \
        const bl_##kind##_type *const row = bl_##kind##_types()[i];     \
        return row ? row->name : NULL;                                  \
    }

NAME_AT(method)
NAME_AT(loss)
NAME_AT(mix)
NAME_AT(model)
NAME_AT(schedule)
NAME_AT(sampler)
NAME_AT(adaptor)

/** A configuration key whose value is a name of a registry. */
typedef struct named_key {
    const char *key, *kind; /* kind: of ballast list */
    name_at *name;
    bool may_be_empty;
} named_key;

static const named_key method_key = {"method", "methods", method_name, false};
static const named_key keys[] = {
    {"model", "models", model_name, false},
    {"loss", "losses", loss_name, false},
    {"stage2.loss", "losses", loss_name, false},
    {"schedule", "schedules", schedule_name, false},
    {"stage2.schedule", "schedules", schedule_name, false},
    {"sampler", "samplers", sampler_name, false},
    {"sampler.later", "samplers", sampler_name, true},
    {"stage2.sampler", "samplers", sampler_name, false},
    {"mix", "mixes", mix_name, false},
    {"mix.sampler", "samplers", sampler_name, false},
    {"bbn.sampler", "samplers", sampler_name, false},
    {"bbn.adaptor", "adaptors", adaptor_name, false},
};

enum { NAMES = 64 };

static bl_status check_name(const bl_config *config, const named_key *named)
{
    const char *const word = bl_config_string(config, named->key);
    const char *names[NAMES + 1] = {NULL};
    if (!*word && named->may_be_empty) return BL_OK;
    for (int32_t i = 0; i < NAMES && (names[i] = named->name(i)); i++)
        if (!strcmp(names[i], word)) return BL_OK;
    const char *const near = bl_nearest(word, names);
    if (near)
        return BL_RAISE(BL_EINVAL, "%s: %s is unknown; did you mean %s? "
                        "(ballast list %s)", named->key, word, near,
                        named->kind);
    return BL_RAISE(BL_EINVAL, "%s: %s is unknown; see ballast list %s",
                    named->key, word, named->kind);
}

bl_status bl_train_check_name(const bl_config *config, const char *key)
{
    if (!strcmp(key, method_key.key)) return check_name(config, &method_key);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i].key)) return check_name(config, &keys[i]);
    return BL_OK;
}

bl_shot_limits bl_train_shots(const bl_config *config)
{
    return (bl_shot_limits){
        .many_above = bl_config_integer(config, "many-above"),
        .few_below = bl_config_integer(config, "few-below")};
}

static bl_status assign_all(bl_config *config, const char *const *settings)
{
    for (int32_t i = 0; settings && settings[i]; i++)
        BL_TRY(bl_config_assign(config, settings[i], BL_ORIGIN_METHOD));
    return BL_OK;
}

/** The loss that a key names, NULL where nobody reads the key. */
static const bl_loss_type *loss_of(const bl_config *config, const char *key)
{
    const bl_loss_kind *const loss =
        bl_loss_find(bl_config_string(config, key));
    return loss && bl_train_use(config, key) != BL_KEY_IDLE ? &loss->type
                                                            : NULL;
}

/** Two stages read one value of a key: it must be said where their losses
 *  differ about it. */
static bl_status check_shared(const bl_config *config)
{
    const bl_loss_type *const a = loss_of(config, "loss");
    const bl_loss_type *const b = loss_of(config, "stage2.loss");
    for (const bl_param *p = bl_train_params(); a && b && p->name; p++) {
        const char *const one = bl_loss_default(a, p->name);
        const char *const two = bl_loss_default(b, p->name);
        if (one && two && strcmp(one, two) != 0 &&
            bl_config_origin(config, p->name) <= BL_ORIGIN_METHOD)
            return BL_RAISE(BL_EINVAL, "stage2.loss: %s takes %s=%s, and loss "
                            "%s takes %s; say the one that both stages have",
                            b->name, p->name, two, a->name, one);
    }
    return BL_OK;
}

/** A method says which losses there are, and these bring values of their own;
 *  over those of its own loss stand the method's. */
static bl_status apply_rows(bl_config *config, const bl_method_type *method)
{
    static const char *const loss_keys[] = {"stage2.loss", "loss"};
    BL_TRY(assign_all(config, method->settings));
    BL_TRY(bl_config_set(config, "loss", method->loss, BL_ORIGIN_METHOD));
    for (int i = 0; i < 2; i++) {
        const bl_loss_type *const loss = loss_of(config, loss_keys[i]);
        if (loss) BL_TRY(assign_all(config, loss->settings));
    }
    if (strcmp(bl_config_string(config, "loss"), method->loss) != 0)
        return BL_OK;
    return assign_all(config, method->settings);
}

static bl_status settle(bl_config *config)
{
    BL_TRY(check_name(config, &method_key));
    const bl_method_type *const method =
        bl_method_find(bl_config_string(config, "method"));
    BL_TRY(apply_rows(config, method));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        BL_TRY(check_name(config, &keys[i]));
    BL_TRY(check_shared(config));
    const bl_shot_limits shots = bl_train_shots(config);
    BL_TRY(bl_shot_limits_check(&shots));
    return bl_stage_check(config, bl_form_find(method->form));
}

/** Puts file and line in front of a message "KEY: ..." if a file has set the
 *  key. */
static bl_status name_place(const bl_config *config)
{
    const char *const message = bl_error_last()->message;
    char key[64];
    (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(message, ":"),
                   message);
    const char *const place = bl_config_place(config, key);
    return *place ? bl_error_prefix("%s", place) : bl_error_last()->status;
}

bl_status bl_train_settle(bl_config *config)
{
    return settle(config) < 0 ? name_place(config) : BL_OK;
}

/* ---- data --------------------------------------------------------------- */

/** Replaces *split by its images index[0..n). */
static bl_status keep(bl_split **split, const int64_t *index, int64_t n)
{
    bl_split *part;
    BL_TRY(bl_split_subset(&part, *split, index, n));
    bl_split_free(*split);
    *split = part;
    return BL_OK;
}

static bl_status cut_tail(bl_dataset *data, const bl_config *config)
{
    const double F = bl_config_real(config, "imbalance");
    int64_t *index = NULL, n;
    if (F <= 1) return BL_OK;
    if (bl_longtail(&index, NULL, &n, data->train,
                    bl_config_string(config, "profile"), F) < 0)
        return bl_error_prefix("%s", data->name);
    const bl_status status = keep(&data->train, index, n);
    bl_free(index);
    return status;
}

static bl_status cut_holdout(bl_dataset *data, bl_split **validation,
                             const bl_config *config)
{
    const double fraction = bl_config_real(config, "holdout");
    int64_t *kept = NULL, *cut = NULL, n_kept, n_cut;
    if (fraction <= 0) return BL_OK;
    if (bl_holdout(&kept, &n_kept, &cut, &n_cut, data->train, fraction,
                   (uint64_t)bl_config_integer(config, "seed")) < 0)
        return bl_error_prefix("%s", data->name);
    bl_status status = bl_split_subset(validation, data->train, cut, n_cut);
    if (status == BL_OK) status = keep(&data->train, kept, n_kept);
    bl_free(kept);
    bl_free(cut);
    return status;
}

bl_status bl_train_data(bl_dataset **data, bl_split **validation,
                        const bl_config *config)
{
    bl_dataset *found = NULL;
    bl_split *part = NULL;
    bl_status status;
    const char *const name = bl_config_string(config, "data");
    const char *const folder = bl_config_string(config, "data-dir");
    if (!*name)
        return BL_RAISE(BL_EINVAL, "data: say what to train on: a name "
                        "(ballast list data) or a path");
    BL_CHECK(bl_dataset_open(&found, name, *folder ? folder : NULL));
    BL_CHECK(cut_tail(found, config));
    BL_CHECK(cut_holdout(found, &part, config));
    *data = found;
    *validation = part;
    return BL_OK;
done:
    bl_dataset_free(found);
    bl_split_free(part);
    return status;
}
