/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run directory refuses to lose what is in it, reads back what it wrote,
 * and has a good checkpoint after any accident.
 */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "core/jsonread.h"
#include "support/scratch.h"
#include "train/run.h"

static const char *const methods[] = {"ce", "bbn", "none", NULL};

/* A table with every kind of value. */
static const bl_param table[] = {
    {"data", BL_PARAM_STRING, "", 0, 0, NULL, "D", "text"},
    {"method", BL_PARAM_CHOICE, "ce", 0, 0, methods, "M", "a choice"},
    {"seed", BL_PARAM_INTEGER, "0", 0, 9007199254740992.0, NULL, "S", "int"},
    {"schedule.decay", BL_PARAM_REAL, "0.01", 0, 1, NULL, "X", "a real"},
    {"schedule.milestones", BL_PARAM_REALS, "160,180", 0, 1e6, NULL, "L",
     "a list"},
    {"drop-last", BL_PARAM_FLAG, "false", 0, 0, NULL, NULL, "a flag"},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static const bl_run_facts facts = {
    .data_fingerprint = "0f1e2d3c4b5a6978 8796a5b4c3d2e1f0",
    .backend = "onednn", .precision = "bf16",
    .device = "oneDNN 2.6.3: \"AVX-512\" #2",
};

static scratch s;
static char run_dir[512];
static bl_config *config;

static int set_up(void **state)
{
    (void)state;
    scratch_make(&s);
    (void)snprintf(run_dir, sizeof run_dir, "%s/runs/a", s.folder);
    return bl_config_create(&config, table) != BL_OK;
}

static int tear_down(void **state)
{
    (void)state;
    bl_config_free(config);
    scratch_remove(&s);
    return 0;
}

static const char *in_run(const char *name)
{
    char relative[128];
    (void)snprintf(relative, sizeof relative, "runs/a/%s", name);
    return scratch_path(&s, relative);
}

static int exists(const char *name)
{
    return access(in_run(name), F_OK) == 0;
}

static bl_run *create(bl_overwrite overwrite)
{
    bl_run *run = NULL;
    if (bl_run_create(&run, run_dir, overwrite, config, &facts) < 0)
        fail_msg("%s", bl_error_last()->message);
    return run;
}

static bl_run *reopen(void)
{
    bl_run *run = NULL;
    bl_run_facts noted;
    if (bl_run_open(&run, run_dir, &noted) < 0)
        fail_msg("%s", bl_error_last()->message);
    return run;
}

static void says(const char *text)
{
    if (strstr(bl_error_last()->message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", bl_error_last()->message,
                 text);
}

/* ---- checkpoints of one number, in a file of 40 kB ----------------------- */

enum { PAYLOAD = 10000 };

static bl_status checkpoint(bl_run *run, int64_t number)
{
    static float values[PAYLOAD];
    char text[32];
    const bl_named_tensor tensor = {
        "values", "F32", 1, {PAYLOAD}, values, sizeof values};
    const bl_metadata meta = {"number", text};
    for (int64_t i = 0; i < PAYLOAD; i++)
        values[i] = (float)number * 2.385F + (float)i;
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    return bl_run_checkpoint(run, &tensor, 1, &meta, 1);
}

static void save(bl_run *run, int64_t number)
{
    if (checkpoint(run, number) < 0) fail_msg("%s", bl_error_last()->message);
}

typedef struct heard {
    int n;
    char last[640];
} heard;

static void hear(void *payload, bl_log_level level, const char *message)
{
    heard *const h = payload;
    assert_int_equal(level, BL_LOG_WARNING);
    h->n++;
    (void)snprintf(h->last, sizeof h->last, "%s", message);
}

/* Loads the newest good checkpoint and gives its number. */
static long long load(bl_run *run, heard *h)
{
    bl_safetensors *file = NULL;
    const bl_log log = {hear, h, BL_LOG_WARNING};
    *h = (heard){0};
    const bl_status status = bl_run_load(run, &file, &log);
    if (status != BL_OK) fail_msg("%s", bl_error_last()->message);
    const long long number = atoll(bl_safetensors_meta(file, "number"));
    const float *const values = bl_safetensors_find(file, "values")->data;
    for (int64_t i = 0; i < PAYLOAD; i++)
        assert_true(values[i] == (float)number * 2.385F + (float)i);
    bl_safetensors_free(file);
    return number;
}

/* Flips one bit in the middle of a file's data. */
static void damage(const char *name)
{
    static char bytes[100000];
    const size_t n = scratch_get(in_run(name), bytes, sizeof bytes);
    bytes[n / 2] ^= 4;
    scratch_put(in_run(name), bytes, n);
}

static void loads_the_newest(void **state)
{
    (void)state;
    heard h;
    bl_safetensors *none = NULL;
    bl_run *run = create(0);
    assert_int_equal(bl_run_load(run, &none, NULL), BL_END);
    save(run, 1);
    assert_true(exists("resume.safetensors"));
    assert_false(exists("resume.previous.safetensors"));
    save(run, 2);
    save(run, 3);
    assert_int_equal(load(run, &h), 3);
    bl_run_free(run);

    run = reopen();
    assert_int_equal(load(run, &h), 3);
    assert_int_equal(h.n, 0);
    (void)remove(in_run("resume.safetensors")); /* killed between renames */
    assert_int_equal(load(run, &h), 2);
    bl_run_free(run);
}

static void passes_a_damaged_one_over(void **state)
{
    (void)state;
    heard h;
    bl_run *run = create(0);
    save(run, 1);
    save(run, 2);
    damage("resume.safetensors");
    bl_run_free(run);
    run = reopen();
    assert_int_equal(load(run, &h), 1);
    assert_int_equal(h.n, 1);
    assert_non_null(strstr(h.last, "resume.safetensors: checksum"));

    /* The damaged one must not take the place of the good one. */
    save(run, 3);
    assert_int_equal(load(run, &h), 3);
    assert_int_equal(h.n, 0);
    damage("resume.safetensors");
    assert_int_equal(load(run, &h), 1);
    bl_run_free(run);
}

/* The counters of a run are metadata. */
static void passes_a_damaged_header_over(void **state)
{
    (void)state;
    static char bytes[100000];
    heard h;
    bl_run *run = create(0);
    save(run, 1);
    save(run, 2);
    bl_run_free(run);
    const char *const path = in_run("resume.safetensors");
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    char *const number = strstr(bytes + 8, "\"number\":\"") + 10;
    assert_int_equal(*number, '2');
    *number ^= 1;
    scratch_put(path, bytes, n);
    run = reopen();
    assert_int_equal(load(run, &h), 1);
    assert_int_equal(h.n, 1);
    assert_non_null(strstr(h.last, "resume.safetensors: checksum"));
    bl_run_free(run);
}

/* A disk that does not answer is no damage: it may answer tomorrow. */
static void passes_on_what_the_system_says(void **state)
{
    (void)state;
    bl_safetensors *file = NULL;
    bl_run *const run = create(0);
    save(run, 1);
    save(run, 2);
    (void)remove(in_run("resume.safetensors"));
    assert_int_equal(mkdir(in_run("resume.safetensors"), 0777), 0);
    assert_int_equal(bl_run_load(run, &file, NULL), BL_EIO);
    says("resume.safetensors: is not a regular file");
    bl_run_free(run);
}

static void keeps_the_good_one_without_a_load(void **state)
{
    (void)state;
    heard h;
    bl_run *run = create(0);
    save(run, 1);
    save(run, 2);
    damage("resume.safetensors");
    bl_run_free(run);
    run = reopen();
    save(run, 3);
    (void)remove(in_run("resume.safetensors"));
    assert_int_equal(load(run, &h), 1);
    bl_run_free(run);
}

static void names_each_that_is_not_good(void **state)
{
    (void)state;
    bl_safetensors *file = NULL;
    bl_run *const run = create(0);
    save(run, 1);
    save(run, 2);
    damage("resume.safetensors");
    scratch_put(in_run("resume.previous.safetensors"),
                "\2\0\0\0\0\0\0\0{}", 10);
    assert_int_equal(bl_run_load(run, &file, NULL), BL_EFORMAT);
    says("resume.safetensors: checksum");
    says("resume.previous.safetensors: has no checksum");
    bl_run_free(run);
}

/* ---- kill ---------------------------------------------------------------- */

/* Writes checkpoints until it is killed; says how far it is on fd. */
static void write_for_ever(int fd)
{
    bl_run *run = NULL;
    bl_run_facts noted;
    if (bl_run_open(&run, run_dir, &noted) < 0) _exit(1);
    for (int64_t i = 1;; i++) {
        if (checkpoint(run, i) < 0) _exit(2);
        if (write(fd, &i, sizeof i) != sizeof i) _exit(3);
    }
}

static void survives_kill(void **state)
{
    (void)state;
    enum { KILLS = 30 };
    bl_run_free(create(0));
    for (int k = 0; k < KILLS; k++) {
        int ends[2];
        heard h;
        int64_t told = 0, number = 0;
        const struct timespec wait = {0, 700001L * (k % 8) + 131071L * k};
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) write_for_ever(ends[1]);
        assert_int_equal(close(ends[1]), 0);
        assert_int_equal(read(ends[0], &number, sizeof number),
                         sizeof number);
        told = number;
        (void)nanosleep(&wait, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &number, sizeof number) == sizeof number)
            told = number;
        assert_int_equal(close(ends[0]), 0);

        bl_run *const run = reopen(); /* the lock went with the child */
        const long long loaded = load(run, &h);
        assert_in_range(loaded, told, told + 1);
        assert_int_equal(h.n, 0);
        bl_run_free(run);
        (void)remove(in_run("resume.safetensors"));
        (void)remove(in_run("resume.previous.safetensors"));
    }
}

/* ---- creating ------------------------------------------------------------ */

static void refuses_a_folder_with_a_run(void **state)
{
    (void)state;
    static const char *const files[] = {
        "run.yaml", "metrics.jsonl", "last.safetensors", "best.safetensors",
        "resume.safetensors", "resume.previous.safetensors", "result.json"};
    bl_run_free(create(0));
    (void)remove(in_run("run.yaml"));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        bl_run *run = NULL;
        scratch_put(in_run(files[i]), "old", 3);
        assert_int_equal(bl_run_create(&run, run_dir, 0, config, &facts),
                         BL_EEXIST);
        says(files[i]);
        says(i == 0 ? "go on with: ballast train --resume "
                    : "whose run.yaml is gone, so it cannot go on");
        says(" add --overwrite to replace it");
        char old[8];
        assert_int_equal(scratch_get(in_run(files[i]), old, 8), 3);
        (void)remove(in_run(files[i]));
    }
    scratch_put(in_run("notes.txt"), "mine", 4);
    scratch_put(in_run("run.yaml.orig"), "mine", 4);
    bl_run_free(create(0));
    assert_true(exists("notes.txt"));
}

static void a_refused_folder_gets_no_lock(void **state)
{
    (void)state;
    bl_run *run = NULL;
    bl_run_facts noted;
    scratch_put(scratch_path(&s, "result.json"), "{}", 2);
    assert_int_equal(bl_run_create(&run, s.folder, 0, config, &facts),
                     BL_EEXIST);
    assert_int_equal(bl_run_open(&run, s.folder, &noted), BL_EIO);
    assert_int_not_equal(access(scratch_path(&s, ".lock"), F_OK), 0);
}

static void overwrite_removes_what_was_written(void **state)
{
    (void)state;
    bl_run *run = create(0);
    save(run, 1);
    save(run, 2);
    scratch_put(in_run("last.safetensors"), "old", 3);
    scratch_put(in_run("best.safetensors"), "old", 3);
    scratch_put(in_run("metrics.jsonl"), "old", 3);
    scratch_put(in_run("result.json"), "old", 3);
    scratch_put(in_run("notes.txt"), "mine", 4);
    scratch_put(in_run("best.safetensors.bak"), "mine", 4);
    scratch_put(in_run("metrics.jsonl.tmp-notes"), "mine", 4);
    scratch_put(in_run("last.safetensors.tmp-4711"), "torn", 4);
    bl_run_free(run);

    assert_int_equal(bl_config_set(config, "seed", "17", BL_ORIGIN_OPTION),
                     BL_OK);
    bl_run_free(create(1));
    assert_false(exists("resume.safetensors"));
    assert_false(exists("resume.previous.safetensors"));
    assert_false(exists("last.safetensors"));
    assert_false(exists("best.safetensors"));
    assert_false(exists("metrics.jsonl"));
    assert_false(exists("result.json"));
    assert_false(exists("last.safetensors.tmp-4711"));
    assert_true(exists("notes.txt"));
    assert_true(exists("best.safetensors.bak"));
    assert_true(exists("metrics.jsonl.tmp-notes"));
    char yaml[4096] = {0};
    (void)scratch_get(in_run("run.yaml"), yaml, sizeof yaml - 1);
    assert_non_null(strstr(yaml, "\nseed: 17\n"));
}

/* What only begins may go; a checkpoint may not. */
static void overwrites_what_has_only_begun(void **state)
{
    (void)state;
    bl_run *run = create(BL_OVERWRITE_NONE), *other = NULL;
    assert_int_equal(bl_run_create(&other, run_dir, BL_OVERWRITE_BEGUN, config,
                                   &facts), BL_EBUSY);
    bl_run_free(run);
    scratch_put(in_run("metrics.jsonl"), "old", 3);
    scratch_put(in_run("last.safetensors"), "old", 3);
    run = create(BL_OVERWRITE_BEGUN);
    assert_false(exists("last.safetensors"));
    bl_run_free(run);
    scratch_put(in_run("metrics.jsonl"), "1\n2\n", 4);
    assert_int_equal(bl_run_create(&other, run_dir, BL_OVERWRITE_BEGUN, config,
                                   &facts), BL_EEXIST);
    says("metrics.jsonl: 2 epochs are noted");
    (void)remove(in_run("metrics.jsonl"));
    run = reopen();
    save(run, 1);
    bl_run_free(run);
    assert_int_equal(bl_run_create(&other, run_dir, BL_OVERWRITE_BEGUN, config,
                                   &facts), BL_EEXIST);
    says("has more than begun; go on with: ballast train --resume");
    assert_true(exists("resume.safetensors"));
}

/* A run that is being written is busy before it is there. */
static void a_run_at_work_is_busy(void **state)
{
    (void)state;
    bl_run *other = NULL;
    bl_run *run = create(BL_OVERWRITE_NONE);
    for (int twice = 0; twice < 2; twice++)
        assert_int_equal(bl_run_create(&other, run_dir, BL_OVERWRITE_NONE,
                                       config, &facts), BL_EBUSY);
    bl_run_free(run);
    assert_int_equal(bl_run_create(&other, run_dir, BL_OVERWRITE_NONE, config,
                                   &facts), BL_EEXIST);
    bl_run_free(reopen());
}

static void one_writer_at_a_time(void **state)
{
    (void)state;
    bl_run *other = NULL;
    bl_run_facts noted;
    bl_run *run = create(0);
    assert_int_equal(bl_run_open(&other, run_dir, &noted), BL_EBUSY);
    says("is being written by another process");
    assert_int_equal(bl_run_create(&other, run_dir, 1, config, &facts),
                     BL_EBUSY);
    says("is being written by another process");
    assert_true(exists("run.yaml"));
    bl_run_free(run);
    bl_run_free(reopen());
}

/* ---- run.yaml ------------------------------------------------------------ */

static void facts_come_back(void **state)
{
    (void)state;
    bl_run *run = NULL;
    bl_run_facts noted;
    bl_run_free(create(0));
    assert_int_equal(bl_run_open(&run, run_dir, &noted), BL_OK);
    assert_string_equal(noted.data_fingerprint, facts.data_fingerprint);
    assert_string_equal(noted.backend, facts.backend);
    assert_string_equal(noted.precision, facts.precision);
    assert_string_equal(noted.device, facts.device);
    bl_run_free(run);
}

static void settings_come_back(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"data", ""}, {"data", "cifar10"}, {"data", "/data/long tails/x"},
        {"data", "yes"}, {"data", "No"}, {"data", "null"}, {"data", "~"},
        {"data", "1e3"}, {"data", "- a"}, {"data", "a: b"}, {"data", "a #b"},
        {"data", "'\"\\\t\n"}, {"data", "  "}, {"data", "*x"},
        {"data", "\xC3\xA4\xE2\x82\xAC"}, {"data", "{a, b}"},
        {"method", "none"}, {"seed", "9007199254740992"},
        {"schedule.decay", "1e-300"}, {"schedule.decay", "0.1"},
        {"schedule.milestones", "1,2.5,1e5"}, {"drop-last", "true"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_config *again = NULL;
        assert_int_equal(bl_config_set(config, rows[i][0], rows[i][1],
                                       BL_ORIGIN_OPTION), BL_OK);
        bl_run_free(create(1));
        assert_int_equal(bl_config_create(&again, table), BL_OK);
        if (bl_config_read(again, in_run("run.yaml")) < 0)
            fail_msg("%s", bl_error_last()->message);
        for (const bl_param *row = table; row->name != NULL; row++)
            assert_string_equal(bl_config_text(again, row->name),
                                bl_config_text(config, row->name));
        bl_config_free(again);
    }
}

static void is_plain_yaml(void **state)
{
    (void)state;
    char yaml[4096] = {0};
    assert_int_equal(bl_config_set(config, "data", "cifar10",
                                   BL_ORIGIN_OPTION), BL_OK);
    bl_run_free(create(0));
    (void)scratch_get(in_run("run.yaml"), yaml, sizeof yaml - 1);
    assert_non_null(strstr(yaml, "ballast train --config run.yaml --out NEW"));
    assert_non_null(strstr(yaml,
                           "\ndata: cifar10\n"
                           "method: ce\n"
                           "seed: 0\n"
                           "schedule.decay: 0.01\n"
                           "schedule.milestones: 160,180\n"
                           "drop-last: false\n"
                           "ballast:\n"
                           "  version: "));
    const char *const build = strstr(yaml, "\n  build: \"");
    assert_non_null(build);
    assert_true(isalpha((unsigned char)build[11])); /* gcc, or clang's */
}

static void refuses_what_would_not_read_back(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"bad \xFF byte", "data: holds byte ff at 4, wanted UTF-8"},
        {"\xC3\xA4 ti\xE9ny", "data: holds byte e9 at 5, wanted UTF-8"},
        {"cut \xE2\x82", "data: holds byte e2 at 4, wanted UTF-8"},
        {"\x7F \xEF\xBF\xBE", "run.yaml:"}, /* U+FFFE: not of YAML */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_run *run = NULL;
        assert_int_equal(bl_config_set(config, "data", rows[i][0],
                                       BL_ORIGIN_OPTION), BL_OK);
        assert_true(bl_run_create(&run, run_dir, 0, config, &facts) < 0);
        says(rows[i][1]);
        assert_false(exists("run.yaml"));
    }
}

static void refuses_bad_facts(void **state)
{
    (void)state;
#define SOME "data_fingerprint: a, backend: b, precision: c"
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"", "ballast.data_fingerprint is missing"},
        {"- 1\n", "ballast.data_fingerprint is missing"},
        {"ballast: 3\n", "ballast.data_fingerprint is missing"},
        {"ballast: {data_fingerprint: [a]}\n", "data_fingerprint is missing"},
        {"ballast: {data_fingerprint: \"a\\0b\"}\n", "fingerprint is missing"},
        {"ballast: {" SOME "}\n", "ballast.device is missing"},
        {"ballast: {" SOME ", device: [d]}\n", "ballast.device is missing"},
        {"a: b\nballast: {\n", "run.yaml:"},
        {"\tx", "run.yaml:1"},
    };
    bl_run_free(create(0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bl_run *run = NULL;
        bl_run_facts noted;
        scratch_put(in_run("run.yaml"), rows[i].yaml, strlen(rows[i].yaml));
        assert_int_equal(bl_run_open(&run, run_dir, &noted), BL_EFORMAT);
        says(rows[i].says);
    }
}

/* ---- metrics.jsonl and result.json --------------------------------------- */

static void append(bl_run *run, int64_t number)
{
    const bl_epoch epoch = {
        .epoch = number, .lr = 0.1, .alpha = number == 1 ? 0.9375 : (double)NAN,
        .train_loss = 2.385, .train_error = 0.875, .test_error = 0.8125,
        .balanced_error = 0.75, .seconds = 12.5, .samples_per_second = 989.25};
    assert_int_equal(bl_run_metrics(run, &epoch), BL_OK);
}

static const char *metrics(void)
{
    static char text[4096];
    memset(text, 0, sizeof text);
    (void)scratch_get(in_run("metrics.jsonl"), text, sizeof text - 1);
    return text;
}

#define REST                                                           \
    "\"train_loss\":2.385,\"train_error\":0.875,\"test_error\":0.8125,"  \
    "\"balanced_error\":0.75,\"seconds\":12.5,\"samples_per_second\":989.25}\n"
#define LINE_1 "{\"epoch\":1,\"lr\":0.1,\"alpha\":0.9375," REST
#define LINE_2 "{\"epoch\":2,\"lr\":0.1,\"alpha\":null," REST
#define LINE_3 "{\"epoch\":3,\"lr\":0.1,\"alpha\":null," REST

static void one_line_an_epoch(void **state)
{
    (void)state;
    bl_run *const run = create(0);
    assert_int_equal(bl_run_rewind(run, 0), BL_OK); /* nothing there */
    append(run, 1);
    append(run, 2);
    append(run, 3);
    assert_string_equal(metrics(), LINE_1 LINE_2 LINE_3);
    bl_run_free(run);
}

static void rewind_cuts(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        int64_t epoch;
        const char *after; /* NULL: refused */
    } rows[] = {
        {LINE_1 LINE_2 LINE_3, 3, LINE_1 LINE_2 LINE_3},
        {LINE_1 LINE_2 LINE_3, 2, LINE_1 LINE_2},
        {LINE_1 LINE_2 LINE_3, 0, ""},
        {LINE_1 LINE_2 "{\"epoch\":3,\"lr\"", 9, LINE_1 LINE_2},
        {LINE_1 LINE_2 "{\"epoch\":3}", 9, LINE_1 LINE_2}, /* no newline */
        {LINE_1 "{\"epo\n", 9, LINE_1},
        {LINE_1 "[]\n", 9, LINE_1},
        {"\n", 9, ""},
        {LINE_1 "{\"epo\n" LINE_3, 9, NULL},
        {LINE_1 "{\"epoch\":2.5}\n" LINE_3, 9, NULL},
        {"", 9, ""},
    };
    bl_run *const run = create(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scratch_put(in_run("metrics.jsonl"), rows[i].before,
                    strlen(rows[i].before));
        const bl_status status = bl_run_rewind(run, rows[i].epoch);
        assert_int_equal(status, rows[i].after != NULL ? BL_OK : BL_EFORMAT);
        if (rows[i].after == NULL) says("metrics.jsonl: line 2");
        assert_string_equal(metrics(), rows[i].after != NULL
                            ? rows[i].after : rows[i].before);
    }
    bl_run_free(run);
}

static void rewind_says_what_the_parser_said(void **state)
{
    (void)state;
    static const char torn[] = LINE_1 "{\"epo\n" LINE_3;
    bl_run *const run = create(0);
    scratch_put(in_run("metrics.jsonl"), torn, sizeof torn - 1);
    assert_int_equal(bl_run_rewind(run, 9), BL_EFORMAT);
    says("metrics.jsonl: line 2: offset ");
    bl_run_free(run);
}

static const bl_json_value *member(const bl_json_value *value,
                                   const char *key, bl_json_kind kind)
{
    const bl_json_value *const found = bl_json_member(value, key);
    if (found == NULL || found->kind != kind) fail_msg("member %s", key);
    return found;
}

static bl_json_value *write_result(const bl_evaluation *last)
{
    static const char *const names[2] = {"cat", "dog"};
    static const bl_result_facts said = {
        .method = "bbn", .model = "resnet32", .data = "cifar10",
        .imbalance = 12.5, .holdout = 0.125, .seed = 17, .epochs = 200,
        .class_names = names};
    static char text[8192];
    bl_json_value *tree = NULL;
    bl_result result = {
        .test_error_last = 0.3125, .test_error_best = 0.25, .best_epoch = 181,
        .seconds = 1234.5, .samples_per_second = 989.25, .last = last,
        .posthoc_tau = (double)NAN, .parameters = 464154,
        .backend = "onednn", .precision = "bf16"};
    bl_run *const run = create(1);
    assert_int_equal(bl_run_result(run, &result, &said), BL_OK);
    bl_run_free(run);
    const size_t n = scratch_get(in_run("result.json"), text, sizeof text);
    assert_int_equal(text[n - 1], '\n');
    assert_int_equal(bl_json_parse(&tree, "result.json", text, n), BL_OK);
    return tree;
}

static void result_has_all_keys(void **state)
{
    (void)state;
    double class_error[2] = {0.125, 0.5};
    int64_t class_n[2] = {8, 8}, train_n[2] = {400, 30};
    const bl_evaluation last = {
        .n = 16, .n_class = 2, .error = 0.3125,
        .shot_error = {0.125, 0.5, (double)NAN}, .shot_classes = {1, 1, 0},
        .class_error = class_error, .class_n = class_n, .train_n = train_n};
    static const char *const keys[] = {
        "method", "model", "data", "imbalance", "holdout", "seed",
        "epochs", "precision", "backend", "parameters", "test_error_last",
        "test_error_best", "best_epoch", "shot", "shot_limits", "per_class",
        "balanced_error", "worst_class", "nll", "ece", "reliability",
        "seconds", "samples_per_second"};
    bl_json_value *const tree = write_result(&last);
    const bl_json_value *at = tree->first;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_non_null(at);
        assert_string_equal(at->key, keys[i]);
        at = at->next;
    }
    assert_null(at);
    assert_string_equal(member(tree, "method", BL_JSON_STRING)->string, "bbn");
    assert_true(member(tree, "imbalance", BL_JSON_REAL)->real == 12.5);
    assert_true(member(tree, "holdout", BL_JSON_REAL)->real == 0.125);
    assert_int_equal(member(tree, "parameters", BL_JSON_INTEGER)->integer,
                     464154);
    const bl_json_value *const shot = member(tree, "shot", BL_JSON_OBJECT);
    assert_true(member(shot, "medium", BL_JSON_REAL)->real == 0.5);
    (void)member(shot, "few", BL_JSON_NULL);
    const bl_json_value *const classes =
        member(tree, "per_class", BL_JSON_ARRAY);
    assert_int_equal(classes->count, 2);
    assert_string_equal(member(classes->first->next, "name",
                               BL_JSON_STRING)->string, "dog");
    bl_json_value_free(tree);
}

static void result_before_an_epoch(void **state)
{
    (void)state;
    bl_json_value *const tree = write_result(NULL);
    (void)member(member(tree, "shot", BL_JSON_OBJECT), "many", BL_JSON_NULL);
    assert_int_equal(member(tree, "per_class", BL_JSON_ARRAY)->count, 0);
    bl_json_value_free(tree);
}

static void paths_are_borrowed(void **state)
{
    (void)state;
    bl_run *const run = create(0);
    assert_string_equal(bl_run_path(run, "best.safetensors"),
                        in_run("best.safetensors"));
    assert_string_equal(bl_run_path(run, "confusion.npy"),
                        in_run("confusion.npy"));
    bl_run_free(run);
    bl_run_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loads_the_newest),
        TEST(passes_a_damaged_one_over),
        TEST(passes_a_damaged_header_over),
        TEST(passes_on_what_the_system_says),
        TEST(keeps_the_good_one_without_a_load),
        TEST(names_each_that_is_not_good),
        TEST(survives_kill),
        TEST(refuses_a_folder_with_a_run),
        TEST(a_refused_folder_gets_no_lock),
        TEST(overwrite_removes_what_was_written),
        TEST(overwrites_what_has_only_begun),
        TEST(a_run_at_work_is_busy),
        TEST(one_writer_at_a_time),
        TEST(facts_come_back),
        TEST(settings_come_back),
        TEST(is_plain_yaml),
        TEST(refuses_what_would_not_read_back),
        TEST(refuses_bad_facts),
        TEST(one_line_an_epoch),
        TEST(rewind_cuts),
        TEST(rewind_says_what_the_parser_said),
        TEST(result_has_all_keys),
        TEST(result_before_an_epoch),
        TEST(paths_are_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
