/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stages.c: runs of two stages, deferral, rewritten classifiers and
 * weights that are given: what changes, what stays, and that a run stopped
 * anywhere ends with the same bits.
 */
#include <math.h>
#include <string.h>

#include "io/safetensors.h"
#include "support/bars.h"
#include "train/trainer.h"

enum { VALUES = 21 * CLASSES };

static const char *const ce[] = {"method=ce", NULL};
static const char *const crt[] = {"method=crt", NULL};
static const char *const lws[] = {"method=lws", NULL};
static const char *const mislas[] = {"method=mislas", NULL};
static const char *const ncm[] = {"method=ncm", NULL};
static const char *const tau[] = {"method=tau-norm", "holdout=0",
                                  "posthoc.tau=0.7", NULL};

/* ---- weights of a run --------------------------------------------------- */

static bl_safetensors *weights_in(const char *folder, const char *name)
{
    char path[700];
    bl_safetensors *file;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    ok(bl_safetensors_open(&file, path));
    return file;
}

static bool same_tensor(const bl_safetensors *a, const char *name,
                        const bl_safetensors *b, const char *other)
{
    const bl_named_tensor *const x = bl_safetensors_find(a, name);
    const bl_named_tensor *const y = bl_safetensors_find(b, other);
    assert_non_null(x);
    assert_non_null(y);
    return x->bytes == y->bytes && !memcmp(x->data, y->data, x->bytes);
}

/** Trains in a folder below `at`. */
static void train_in(const scratch *at, const char *name,
                     const char *const *settings, char folder[600], float *z)
{
    (void)snprintf(folder, 600, "%s/%s", at->folder, name);
    train(settings, folder, z);
}

/* ---- stopping ----------------------------------------------------------- */

static void stages_stop_and_resume_anywhere(void **state)
{
    (void)state;
    /* Two epochs of five steps and an evaluation, then one of the second
     * stage: 12 is the place between the two. */
    static const int32_t calls[] = {1, 11, 12, 13, 16, 17};
    static const char *const *const all[] = {crt, lws, mislas};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            stop_and_resume(all[k], calls[i]);
}

static void rewriting_stops_and_resumes_anywhere(void **state)
{
    (void)state;
    static const int32_t calls[] = {11, 12, 13};
    static const char *const *const all[] = {ncm, tau};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            stop_and_resume(all[k], calls[i]);
}

static void mixing_stops_and_resumes_anywhere(void **state)
{
    (void)state;
    static const char *const mixes[] = {"mixup", "remix", "cmo", "manifold",
                                        "manifold-two"};
    for (size_t k = 0; k < sizeof mixes / sizeof *mixes; k++) {
        char mix[64];
        (void)snprintf(mix, sizeof mix, "mix=%s", mixes[k]);
        const char *const settings[] = {"method=ce", mix, NULL};
        stop_and_resume(settings, 3);
        stop_and_resume(settings, 8);
    }
}

/** A share of one mixes nothing, wherever the place is. */
static void a_share_of_one_trains_at_every_place(void **state)
{
    (void)state;
    static const char *const mixes[] = {"mix=manifold", "mix=manifold-two"};
    static const char *const layers[] = {"mix.layer=input", "mix.layer=stage1",
                                         "mix.layer=stage2", "mix.layer=pool"};
    for (int32_t i = 0; i < 8; i++) {
        float z[VALUES];
        const char *const settings[] = {mixes[i / 4], layers[i % 4],
                                        "mix.alpha=0", "epochs=1", NULL};
        train(settings, NULL, z);
    }
}

/** Each stage goes the whole way from natural frequency to balance. */
static void samplers_go_their_way_within_a_stage(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "method=crt", "sampler=progressive", "stage2.sampler=progressive",
        "epochs=3", "stage2.epochs=200", NULL};
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    bl_trainer *t;
    double tail[6], p[CLASSES];
    ok(bl_trainer_create(&t, config, data, NULL));
    while (bl_trainer_step(t) == BL_OK) {
        if (t->at.phase != BL_PHASE_TRAIN || t->at.step != 1) continue;
        bl_sampler_class_p(t->samplers[0], p);
        tail[t->at.epoch - 1] = p[2];
    }
    for (int32_t e = 0; e < 6; e++) {
        const double way = 0.5 * (e % 3);
        const double wanted = (1 - way) * 5 / 48 + way / 3;
        assert_true(fabs(tail[e] - wanted) < 1e-12);
    }
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

/** A second stage that cannot be opened leaves the first one as it was. */
static void a_stage_that_fails_can_be_entered_again(void **state)
{
    (void)state;
    float whole[VALUES], parts[VALUES];
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(lws);
    const bl_trainer_options options = {.run_dir = at.folder};
    bl_trainer *t;
    bl_result result;
    train(lws, NULL, whole);
    ok(bl_trainer_create(&t, config, data, &options));
    for (int32_t i = 0; i < 12; i++) ok(bl_trainer_step(t));
    ok(bl_config_set(t->stages[1].config, "backend", "abacus",
                     BL_ORIGIN_OPTION));
    for (int32_t i = 0; i < 2; i++) assert_true(bl_trainer_step(t) < 0);
    bl_trainer_result(t, &result);
    assert_true(isnan(result.test_error_best)); /* of the new stage, so far */
    assert_true(result.test_error_last <= 1);
    ok(bl_trainer_checkpoint(t));
    ok(bl_config_set(t->stages[1].config, "backend", "auto",
                     BL_ORIGIN_OPTION));
    run_to_end(t);
    ok(bl_trainer_logits(t, data->test, parts));
    assert_memory_equal(whole, parts, sizeof whole);
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
    scratch_remove(&at);
}

/* ---- what a second stage leaves alone ----------------------------------- */

static void a_second_stage_leaves_the_trunk_alone(void **state)
{
    (void)state;
    static const char *const frozen[] = {"method=crt", "stage2.norm=frozen",
                                         NULL};
    char one[600], moving[600], still[600];
    float z[VALUES];
    scratch at;
    scratch_make(&at);
    train_in(&at, "one", ce, one, z);
    train_in(&at, "moving", crt, moving, z);
    train_in(&at, "still", frozen, still, z);
    bl_safetensors *const a = weights_in(one, "last.safetensors");
    bl_safetensors *const b = weights_in(moving, "last.safetensors");
    bl_safetensors *const c = weights_in(still, "last.safetensors");
    const char *const mean = "layer3.2.bn2.running_mean";
    assert_true(same_tensor(a, "conv1.weight", b, "conv1.weight"));
    assert_true(same_tensor(a, "layer3.2.bn2.weight", b,
                            "layer3.2.bn2.weight"));
    assert_false(same_tensor(a, mean, b, mean));
    assert_true(same_tensor(a, mean, c, mean));
    assert_false(same_tensor(a, "fc.weight", b, "fc.weight"));
    bl_safetensors_free(a);
    bl_safetensors_free(b);
    bl_safetensors_free(c);
    scratch_remove(&at);
}

/** Its schedule counts from its own start, in 200ths of its length. */
static void a_second_stage_may_be_of_any_length(void **state)
{
    (void)state;
    static const char *const lengths[] = {"stage2.epochs=1e-5",
                                          "stage2.epochs=500"};
    for (int32_t i = 0; i < 2; i++) {
        float z[VALUES];
        const char *const settings[] = {"method=crt", "epochs=1", lengths[i],
                                        NULL};
        train(settings, NULL, z);
    }
}

static void scales_are_folded_into_a_plain_classifier(void **state)
{
    (void)state;
    char folder[600], path[700];
    float z[VALUES], again[VALUES];
    scratch at;
    scratch_make(&at);
    bl_dataset *const data = make_data(3);
    train_in(&at, "lws", lws, folder, z);
    (void)snprintf(path, sizeof path, "%.600s/last.safetensors",
                   folder);
    bl_classifier *classifier;
    const bl_compute compute = {.threads = 1};
    ok(bl_classifier_open(&classifier, path, &compute));
    ok(bl_classifier_logits(classifier, data->test->pixels, data->test->n,
                            again));
    for (int32_t i = 0; i < VALUES; i++)
        assert_true(fabsf(z[i] - again[i]) < 1e-4f * (1 + fabsf(z[i])));
    bl_safetensors *const raw = weights_in(folder, "resume.safetensors");
    const bl_named_tensor *const s = bl_safetensors_find(raw, "fc.scale");
    assert_non_null(s);
    assert_true(((const float *)s->data)[0] != 1);
    bl_safetensors_free(raw);
    bl_classifier_free(classifier);
    bl_dataset_free(data);
    scratch_remove(&at);
}

static void weights_given_stand_for_the_first_stage(void **state)
{
    (void)state;
    char bbn[600], plain[600], weights[700];
    float z[VALUES];
    scratch at;
    scratch_make(&at);
    const char *const from[] = {"method=bbn", NULL};
    train_in(&at, "bbn", from, bbn, z);
    (void)snprintf(weights, sizeof weights,
                   "init.weights=%.600s/last.safetensors", bbn);
    const char *const retrain[] = {"method=retrain", weights, "init.branch=rb",
                                   "stage2.norm=frozen", NULL};
    train_in(&at, "plain", retrain, plain, z);
    bl_safetensors *const a = weights_in(bbn, "last.safetensors");
    bl_safetensors *const b = weights_in(plain, "last.safetensors");
    assert_true(same_tensor(a, "conv1.weight", b, "conv1.weight"));
    assert_true(same_tensor(a, "rb_block.conv2.weight", b,
                            "layer3.2.conv2.weight"));
    assert_true(same_tensor(a, "rb_block.bn1.running_var", b,
                            "layer3.2.bn1.running_var"));
    bl_safetensors_free(a);
    bl_safetensors_free(b);
    scratch_remove(&at);
}

static void refused(const char *const *settings, const char *word);

static void weights_of_others_are_refused(void **state)
{
    (void)state;
    char deep[600], cosine[600], weights[4][700];
    float z[VALUES];
    scratch at;
    scratch_make(&at);
    const char *const deeper[] = {"model=resnet32", NULL};
    const char *const ldam[] = {"method=ldam", NULL};
    train_in(&at, "deep", deeper, deep, z);
    train_in(&at, "cosine", ldam, cosine, z);
    const struct {
        const char *folder, *file, *method, *word;
    } cases[] = {
        {deep, "last", "method=retrain", "layer1.3.conv1.weight belongs to no"},
        {deep, "resume", "method=retrain", "state a run resumes from"},
        {cosine, "last", "method=ce", "fc.bias is missing"},
        {cosine, "last", "method=bbn", "weights of another model?"}};
    for (int32_t i = 0; i < 4; i++) {
        (void)snprintf(weights[i], sizeof weights[i],
                       "init.weights=%.600s/%s.safetensors", cases[i].folder,
                       cases[i].file);
        const char *const settings[] = {cases[i].method, weights[i], NULL};
        refused(settings, cases[i].word);
    }
    scratch_remove(&at);
}

/* ---- deferral ----------------------------------------------------------- */

/** Loss of each epoch of a run of five. */
static void losses(const char *method, double loss[5])
{
    char name[64];
    (void)snprintf(name, sizeof name, "method=%s", method);
    const char *const settings[] = {name, "epochs=5", NULL};
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    bl_trainer *t;
    bl_progress now;
    ok(bl_trainer_create(&t, config, data, NULL));
    while (bl_trainer_step(t) == BL_OK) {
        bl_trainer_progress(t, &now);
        if (now.last.epoch > 0) loss[now.last.epoch - 1] = now.last.train_loss;
    }
    bl_trainer_progress(t, &now);
    loss[4] = now.last.train_loss;
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

static void deferral_waits_for_its_epoch(void **state)
{
    (void)state;
    static const char *const methods[] = {"ce-drw", "ce-drs"};
    double plain[5], deferred[5];
    losses("ce", plain);
    for (size_t k = 0; k < 2; k++) {
        losses(methods[k], deferred);
        for (int32_t e = 0; e < 4; e++)
            assert_true(plain[e] == deferred[e]);
        assert_true(plain[4] != deferred[4]);
    }
}

/* ---- rewritten classifiers ---------------------------------------------- */

static void the_mean_of_a_class_has_length_one(void **state)
{
    (void)state;
    char folder[600];
    float z[VALUES];
    scratch at;
    scratch_make(&at);
    train_in(&at, "ncm", ncm, folder, z);
    bl_safetensors *const file = weights_in(folder, "last.safetensors");
    const bl_named_tensor *const w = bl_safetensors_find(file, "fc.weight");
    const float *const row = w->data; // [C][64]
    for (int32_t j = 0; j < CLASSES; j++) {
        double square = 0;
        for (int32_t k = 0; k < 64; k++)
            square += (double)row[64 * j + k] * (double)row[64 * j + k];
        assert_true(fabs(square - 1) < 1e-5);
    }
    bl_safetensors_free(file);
    scratch_remove(&at);
}

static void the_prior_is_taken_off_the_logits(void **state)
{
    (void)state;
    static const char *const adjusted[] = {
        "method=logit-adjustment-posthoc", "holdout=0", "posthoc.tau=1.3",
        NULL};
    static const double n[CLASSES] = {31, 12, 5};
    float plain[VALUES], z[VALUES];
    train(ce, NULL, plain);
    train(adjusted, NULL, z);
    for (int32_t i = 0; i < VALUES; i++) {
        const double want =
            (double)plain[i] - 1.3 * log(n[i % CLASSES] / 48);
        assert_true(fabs((double)z[i] - want) < 1e-4 * (1 + fabs(want)));
    }
}

static void rows_are_divided_by_a_power_of_their_norm(void **state)
{
    (void)state;
    char before[600], after[600];
    float z[VALUES];
    scratch at;
    scratch_make(&at);
    train_in(&at, "ce", ce, before, z);
    train_in(&at, "tau", tau, after, z);
    bl_safetensors *const a = weights_in(before, "last.safetensors");
    bl_safetensors *const b = weights_in(after, "last.safetensors");
    const float *const w = bl_safetensors_find(a, "fc.weight")->data;
    const float *const v = bl_safetensors_find(b, "fc.weight")->data;
    const float *const bias = bl_safetensors_find(b, "fc.bias")->data;
    for (int32_t j = 0; j < CLASSES; j++) {
        double square = 0;
        for (int32_t k = 0; k < 64; k++)
            square += (double)w[64 * j + k] * (double)w[64 * j + k];
        const double factor = pow(square, -0.35);
        for (int32_t k = 64 * j; k < 64 * j + 64; k++)
            assert_true(fabs((double)v[k] - (double)w[k] * factor) < 1e-6);
        assert_true(bias[j] == 0);
    }
    bl_safetensors_free(a);
    bl_safetensors_free(b);
    scratch_remove(&at);
}

/** The held-out images choose tau; the test split is met once, by best and
 *  last weights. */
static void tau_is_chosen_on_images_held_out(void **state)
{
    (void)state;
    static const char *const settings[] = {"method=tau-norm", "epochs=3",
                                           NULL};
    const int32_t n[CLASSES] = {9, 4, 2};
    bl_dataset *const data = make_data(3);
    bl_split *const held = make_split(n, 8);
    bl_config *const config = make_config(settings);
    const bl_trainer_options options = {.validation = held};
    bl_trainer *t;
    bl_result result;
    ok(bl_trainer_create(&t, config, data, &options));
    run_to_end(t);
    bl_trainer_result(t, &result);
    assert_true(t->at.posthoc_tau >= 0 && t->at.posthoc_tau <= 2);
    assert_true(result.posthoc_tau == t->at.posthoc_tau);
    assert_true(result.test_error_last == result.last->error);
    assert_true(isnan(result.test_error_best));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_split_free(held);
    bl_dataset_free(data);
}

/** No epoch had the classifier that the run ends with. */
static void a_rewritten_classifier_has_no_best_error(void **state)
{
    (void)state;
    static const char *const *const all[] = {ncm, tau, ce};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        static char text[1 << 14];
        char folder[600], path[700];
        float z[VALUES];
        scratch at;
        scratch_make(&at);
        train_in(&at, "run", all[k], folder, z);
        (void)snprintf(path, sizeof path, "%s/result.json", folder);
        text[scratch_get(path, text, sizeof text - 1)] = '\0';
        assert_null(strstr(text, "\"test_error_last\": null"));
        assert_int_equal(strstr(text, "\"test_error_best\": null") != NULL,
                         all[k] != ce);
        scratch_remove(&at);
    }
}

/* ---- sharpness-aware steps ---------------------------------------------- */

/** With next to no learning rate only running statistics move; a step that
 *  looks from another point must not move them twice. */
static void running_statistics_move_once_a_step(void **state)
{
    (void)state;
    static const char *const still[] = {"method=ce", "lr=1e-300", NULL};
    static const char *const looking[] = {"method=ce", "lr=1e-300",
                                          "sam.rho=0.3", NULL};
    static const char *const moving[] = {"method=ce", "sam.rho=0.3", NULL};
    float a[VALUES], b[VALUES], c[VALUES], d[VALUES];
    train(still, NULL, a);
    train(looking, NULL, b);
    train(ce, NULL, c);
    train(moving, NULL, d);
    assert_memory_equal(a, b, sizeof a);
    assert_true(memcmp(c, d, sizeof c) != 0);
}

/* ---- keys --------------------------------------------------------------- */

static void keys_that_nobody_reads_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *method, *key;
        bl_key_use use;
    } cases[] = {{"ce", "lr", BL_KEY_COMMON},
                 {"ce", "weights", BL_KEY_COMMON},
                 {"ce", "loss.gamma", BL_KEY_IDLE},
                 {"ce", "bbn.adaptor", BL_KEY_IDLE},
                 {"ce", "stage2.lr", BL_KEY_IDLE},
                 {"ce", "sampler.from", BL_KEY_IDLE},
                 {"ce-drs", "sampler.from", BL_KEY_OWN},
                 {"focal", "loss.gamma", BL_KEY_OWN},
                 {"bbn", "bbn.adaptor", BL_KEY_OWN},
                 {"crt", "stage2.lr", BL_KEY_OWN},
                 {"mislas", "loss.smooth-head", BL_KEY_OWN},
                 {"mixup", "mix.kappa", BL_KEY_IDLE},
                 {"tau-norm", "posthoc.tau", BL_KEY_OWN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_config *config;
        ok(bl_train_config(&config));
        ok(bl_config_set(config, "method", cases[i].method,
                         BL_ORIGIN_OPTION));
        ok(bl_train_settle(config));
        assert_int_equal(bl_train_use(config, cases[i].key), cases[i].use);
        bl_config_free(config);
    }
}

/** A loss brings its own values, whoever chose it, and only where it is read;
 *  a method's stand over those of its own loss. */
static void losses_bring_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *settings[4], *key;
        double wanted;
    } cases[] = {
        {{"method=ce", "loss=cdt"}, "loss.gamma", 0.2},
        {{"method=ce-drw", "loss=focal"}, "loss.gamma", 1},
        {{"method=ce", "loss=vs"}, "loss.gamma", 0.15},
        {{"method=ce", "loss=vs"}, "loss.tau", 1.25},
        {{"method=ce", "loss=vs", "loss.tau=3"}, "loss.tau", 3},
        {{"method=focal"}, "loss.gamma", 1},
        {{"method=focal-sigmoid"}, "loss.gamma", 2},
        {{"method=cb-focal"}, "loss.gamma", 1},
        {{"method=cb-focal", "loss=cdt"}, "loss.gamma", 0.2},
        {{"method=mislas"}, "loss.smooth-head", 0.4},
        {{"method=crt", "stage2.loss=vs"}, "loss.tau", 1.25},
        {{"method=logit-adjustment", "stage2.loss=vs"}, "loss.tau", 1},
        {{"method=crt", "loss=logit-adjustment", "stage2.loss=vs",
          "loss.tau=1"}, "loss.tau", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_config *config;
        ok(bl_train_config(&config));
        for (int k = 0; k < 4 && cases[i].settings[k]; k++)
            ok(bl_config_assign(config, cases[i].settings[k],
                                BL_ORIGIN_OPTION));
        ok(bl_train_settle(config));
        assert_true(bl_config_real(config, cases[i].key) == cases[i].wanted);
        bl_config_free(config);
    }
}

/** Weights given take the place of the first stage, and of its keys. */
static void keys_of_a_first_stage_left_out_are_idle(void **state)
{
    (void)state;
    static const char *const idle[] = {"lr", "mix", "mix.alpha", "sam.rho",
                                       "sampler", "weights", "loss.gamma"};
    static const char *const settings[] = {"method=retrain", "loss=focal",
                                           "mix=mixup", NULL};
    bl_config *const config = make_config(settings);
    ok(bl_train_settle(config));
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        assert_int_not_equal(bl_train_use(config, idle[i]), BL_KEY_IDLE);
    ok(bl_config_assign(config, "init.weights=w", BL_ORIGIN_OPTION));
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        assert_int_equal(bl_train_use(config, idle[i]), BL_KEY_IDLE);
    assert_int_equal(bl_train_use(config, "stage2.lr"), BL_KEY_OWN);
    assert_int_equal(bl_train_use(config, "batch"), BL_KEY_COMMON);
    bl_config_free(config);
}

static void keep_warning(void *payload, bl_log_level level, const char *line)
{
    char *const all = payload;
    if (level == BL_LOG_WARNING) strncat(all, line, 511 - strlen(all));
}

/** What a run says when it is made; an epoch is the shortest run there is. */
static void warnings_of(char all[512], const char *const *settings)
{
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    bl_trainer *t;
    all[0] = '\0';
    const bl_trainer_options options = {
        .log = {.write = keep_warning, .payload = all}};
    ok(bl_trainer_create(&t, config, data, &options));
    bl_trainer_free(t);
    bl_config_free(config);
    bl_dataset_free(data);
}

static void what_never_comes_is_told(void **state)
{
    (void)state;
    const char *const cases[][5] = {
        {"", "method=ce", NULL},
        {"", "method=crt", NULL},
        {"", "method=ce-drw", "epochs=3", NULL},
        {"", "method=cmo", NULL},
        {"loss.gamma changes nothing here", "method=ce", "loss.gamma=2", NULL},
        {"class weights never hold", "method=ce-drw", "epochs=2", NULL},
        {"class weights never hold", "method=rw", "weights.from=200", NULL},
        {"sampler.later never draws", "method=ce-drs", "epochs=2", NULL},
        {"no batch to mix", "method=mixup", "mix.alpha=0", NULL},
        {"no batch to mix", "method=mixup", "mix.probability=0", NULL},
        {"no batch to mix", "method=mixup", "mix.skip-first=100",
         "mix.skip-last=100", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char all[512];
        warnings_of(all, cases[i] + 1);
        if (!cases[i][0][0]) assert_string_equal(all, "");
        assert_non_null(strstr(all, cases[i][0]));
    }
}

/** A loss that was not made for cosines sees them times s. */
static void cosines_are_scaled_for_every_loss(void **state)
{
    (void)state;
    static const int64_t n[CLASSES] = {31, 12, 5};
    static const char *const losses_[] = {"ce", "cdt", "ldam"};
    const double wanted[] = {17, 17 * pow(5.0 / 31, 0.2), 17};
    for (size_t i = 0; i < sizeof losses_ / sizeof *losses_; i++) {
        bl_config *config;
        bl_loss_terms *terms;
        ok(bl_train_config(&config));
        ok(bl_config_set(config, "loss", losses_[i], BL_ORIGIN_OPTION));
        ok(bl_config_assign(config, "loss.scale=17", BL_ORIGIN_OPTION));
        ok(bl_config_assign(config, "loss.gamma=0.2", BL_ORIGIN_OPTION));
        const bl_loss_setting with = {config, n, CLASSES, .cosine = true};
        ok(bl_loss_terms_make(&terms, &with, false));
        assert_true(terms->has_s);
        assert_true(fabs(terms->s[2] - wanted[i]) < 1e-12);
        bl_loss_terms_free(terms);
        bl_config_free(config);
    }
}

/* ---- what does not go together ------------------------------------------ */

static void refused(const char *const *settings, const char *word)
{
    bl_dataset *const data = make_data(3);
    bl_config *const config = make_config(settings);
    bl_trainer *t;
    assert_true(bl_trainer_create(&t, config, data, NULL) < 0);
    assert_non_null(strstr(bl_error_last()->message, word));
    assert_null(strchr(bl_error_last()->message, '\n'));
    bl_config_free(config);
    bl_dataset_free(data);
}

static void keys_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    const char *const cases[][5] = {
        {"loss:", "method=ce", "loss=ldam", NULL},
        {"loss:", "method=ce", "loss=cumulative-ce", NULL},
        {"stage2.loss: ldam", "method=crt", "stage2.loss=ldam", NULL},
        {"stage2.loss: c", "method=crt", "stage2.loss=cumulative-ce", NULL},
        {"stage2.loss: vs takes loss.tau=1.25", "method=crt",
         "loss=logit-adjustment", "stage2.loss=vs", NULL},
        {"stage2.head:", "method=crt", "stage2.train=scale", NULL},
        {"stage2.train:", "method=ldam", "stage2.epochs=30",
         "stage2.train=head-scale", NULL},
        {"lr: 0 freezes", "method=ce", "lr=0", NULL},
        {"lr: 0 freezes", "method=crt", "lr=0", NULL},
        {"stage2.lr:", "method=crt", "stage2.lr=0", NULL},
        {"stage2.lr:", "method=mislas", "stage2.lr=0", NULL},
        {"stage2.head-rate:", "method=crt", "stage2.head-rate=0", NULL},
        {"schedule.decay:", "method=ce", "schedule.milestones=0",
         "schedule.decay=0", NULL},
        {"stage2.decay:", "method=crt", "stage2.milestones=0",
         "stage2.decay=0", NULL},
        {"head.bias:", "method=ldam", "head.bias=rare", NULL},
        {"loss:", "method=ce", "loss=cross", NULL},
        {"mix:", "method=bbn", "mix=mixup", NULL},
        {"stage2.epochs:", "method=bbn", "stage2.epochs=30", NULL},
        {"posthoc:", "method=ldam", "posthoc=ncm", NULL},
        {"posthoc:", "method=lws", "posthoc=ncm", NULL},
        {"posthoc.tau:", "method=tau-norm", "holdout=0", NULL},
        {"posthoc.tau:", "method=tau-norm", "holdout=0.1", NULL},
        {"posthoc.tau: found -0.5", "method=tau-norm", "posthoc.tau=-0.5",
         NULL},
        {"no-such-file", "method=retrain", "init.weights=no-such-file", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i] + 1, cases[i][0]);
}

/** Every method meets a class of one image, and a class of none: it trains,
 *  or says in one line why not, before it begins. */
static void rare_classes_under_every_method(void **state)
{
    (void)state;
    const int32_t counts[][CLASSES] = {{31, 12, 1}, {31, 12, 0}};
    const int32_t even[CLASSES] = {7, 7, 7};
    for (int32_t k = 0; k < 2; k++)
        for (int32_t i = 0; bl_method_types()[i]; i++) {
            char method[64];
            (void)snprintf(method, sizeof method, "method=%s",
                           bl_method_types()[i]->name);
            const char *const settings[] = {method, "epochs=1", "holdout=0",
                                            "posthoc.tau=1", NULL};
            bl_dataset *data;
            bl_config *const config = make_config(settings);
            bl_trainer *t = NULL;
            ok(bl_dataset_create(&data, "bars", make_split(counts[k], 4),
                                 make_split(even, 5), NULL));
            bl_status status = bl_trainer_create(&t, config, data, NULL);
            if (status == BL_OK)
                while ((status = bl_trainer_step(t)) == BL_OK) continue;
            if (k == 0) ok(status);
            if (status < 0) assert_true(status == BL_EINVAL && !t);
            bl_trainer_free(t);
            bl_config_free(config);
            bl_dataset_free(data);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_stop_and_resume_anywhere),
        cmocka_unit_test(rewriting_stops_and_resumes_anywhere),
        cmocka_unit_test(mixing_stops_and_resumes_anywhere),
        cmocka_unit_test(a_share_of_one_trains_at_every_place),
        cmocka_unit_test(a_second_stage_may_be_of_any_length),
        cmocka_unit_test(a_stage_that_fails_can_be_entered_again),
        cmocka_unit_test(samplers_go_their_way_within_a_stage),
        cmocka_unit_test(a_second_stage_leaves_the_trunk_alone),
        cmocka_unit_test(scales_are_folded_into_a_plain_classifier),
        cmocka_unit_test(weights_given_stand_for_the_first_stage),
        cmocka_unit_test(weights_of_others_are_refused),
        cmocka_unit_test(deferral_waits_for_its_epoch),
        cmocka_unit_test(the_mean_of_a_class_has_length_one),
        cmocka_unit_test(the_prior_is_taken_off_the_logits),
        cmocka_unit_test(rows_are_divided_by_a_power_of_their_norm),
        cmocka_unit_test(tau_is_chosen_on_images_held_out),
        cmocka_unit_test(a_rewritten_classifier_has_no_best_error),
        cmocka_unit_test(running_statistics_move_once_a_step),
        cmocka_unit_test(keys_that_nobody_reads_are_told),
        cmocka_unit_test(losses_bring_their_values),
        cmocka_unit_test(keys_of_a_first_stage_left_out_are_idle),
        cmocka_unit_test(what_never_comes_is_told),
        cmocka_unit_test(cosines_are_scaled_for_every_loss),
        cmocka_unit_test(keys_that_do_not_go_together_are_refused),
        cmocka_unit_test(rare_classes_under_every_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
