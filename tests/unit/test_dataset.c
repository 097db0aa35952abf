/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dataset.c: reading CIFAR and IDX sets, plain, compressed and packed;
 * where they are looked for; and what is said about each kind of damage.
 *
 * Damage is a table: a good set is written, one file of it is changed, and
 * opening must fail with one line that names the place, what was found and
 * what was wanted.
 */
#include "near.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>
#include <zlib.h>

#include "ballast/data.h"
#include "support/sets.h"

static void must_open(bl_dataset **out, const char *name, const char *dir)
{
    if (bl_dataset_open(out, name, dir) != BL_OK)
        fail_msg("%s", bl_error_last()->message);
}

static void must_fail(const char *name, const char *dir, bl_status status,
                      const char *said)
{
    bl_dataset *data = NULL;
    const bl_status found = bl_dataset_open(&data, name, dir);
    if (found != status || strstr(bl_error_last()->message, said) == NULL)
        fail_msg("%s '%s', wanted %s '%s'", bl_status_name(found),
                 found < 0 ? bl_error_last()->message : "",
                 bl_status_name(status), said);
    assert_null(data);
}

/* ---- good sets ----------------------------------------------------------- */

/* CIFAR's planes become [h][w][c]; f is the file, n the record. */
static void check_image(const bl_split *split, int64_t i, int f, int n)
{
    for (int px = 0; px < SETS_PLANE; px++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(split->pixels[(i * SETS_PLANE + px) * 3 + k],
                             sets_byte(f, n, k * SETS_PLANE + px));
}

/* The small set's labels end at 7; two records more bring 8 and 9. */
static void make_full_cifar10(const char *folder)
{
    sets_make_cifar10(folder);
    sets_put_cifar(folder, "data_batch_5.bin", 4, 6, 1, 10);
}

static void test_cifar10(void **state)
{
    (void)state;
    scratch s;
    bl_dataset *data = NULL;
    scratch_make(&s);
    make_full_cifar10(s.folder);
    must_open(&data, s.folder, NULL);
    assert_int_equal(data->train->n, 22);
    for (int i = 0; i < 22; i++) {
        const int f = i < 16 ? i / 4 : 4, n = i < 16 ? i % 4 : i - 16;
        assert_int_equal(data->train->labels[i], n + f);
        check_image(data->train, i, f, n);
    }
    check_image(data->test, 2, 5, 2);
    assert_int_equal(data->test->n, 3);
    assert_string_equal(data->class_names[9], "erne");
    assert_string_equal(data->path, s.folder);
    assert_string_equal(data->name, strrchr(s.folder, '/') + 1);
    assert_near(data->published.mean[1], .4822, 0);
    assert_near(data->published.std[2], .2010, 0);
    bl_dataset_free(data);
    scratch_remove(&s);
}

static void test_cifar100(void **state)
{
    (void)state;
    scratch s;
    bl_dataset *data = NULL;
    scratch_make(&s);
    sets_make_cifar100(s.folder);
    must_open(&data, s.folder, NULL);
    assert_int_equal(data->train->n, 101);
    assert_int_equal(data->train->n_class, 100);
    assert_int_equal(data->train->labels[99], 99);
    check_image(data->train, 100, 0, 100);
    assert_int_equal(data->test->labels[1], 2);
    check_image(data->test, 1, 1, 1);
    assert_string_equal(data->class_names[99], "99");
    bl_dataset_free(data);
    scratch_remove(&s);
}

static void check_idx(const bl_dataset *data)
{
    assert_int_equal(data->train->n, 11);
    assert_int_equal(data->test->n, 6);
    assert_int_equal(data->train->h, 5);
    assert_int_equal(data->train->w, 3);
    assert_int_equal(data->train->c, 1);
    assert_int_equal(data->train->n_class, 4);
    for (int i = 0; i < 11; i++) {
        assert_int_equal(data->train->labels[i], i % 4);
        for (int j = 0; j < 15; j++)
            assert_int_equal(data->train->pixels[i * 15 + j],
                             sets_byte(0, i, j));
    }
    assert_int_equal(data->test->pixels[5 * 15 + 14], sets_byte(1, 5, 14));
}

static void gzip(const char *folder, const char *name)
{
    char from[1280], to[1300];
    uint8_t bytes[4096];
    sets_path(from, folder, name);
    (void)snprintf(to, sizeof to, "%s.gz", from);
    const size_t n = scratch_get(from, bytes, sizeof bytes);
    gzFile file = gzopen(to, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(remove(from), 0);
}

/* A set of unknown name: classes are counted, the normalisation measured. */
static void test_idx(void **state)
{
    (void)state;
    scratch s;
    bl_dataset *data = NULL;
    bl_normalization measured;
    scratch_make(&s);
    sets_make_idx(s.folder);
    for (int packed = 0; packed < 2; packed++) {
        if (packed) {
            gzip(s.folder, "train-images-idx3-ubyte");
            gzip(s.folder, "t10k-labels-idx1-ubyte");
        }
        must_open(&data, s.folder, NULL);
        check_idx(data);
        bl_split_measure(data->train, &measured);
        assert_near(data->published.mean[0], measured.mean[0], 0);
        assert_near(data->published.std[0], measured.std[0], 0);
        assert_string_equal(data->class_names[3], "3");
        bl_dataset_free(data);
    }
    scratch_remove(&s);
}

/* In a folder of its usual name IDX files are Fashion-MNIST. */
static void test_idx_of_a_known_folder(void **state)
{
    (void)state;
    scratch s;
    bl_dataset *data = NULL;
    scratch_make(&s);
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%s/fashion-mnist/", s.folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    sets_put_idx(folder, "train", 0, 13, 10);
    sets_put_idx(folder, "t10k", 1, 4, 10);
    must_open(&data, folder, NULL);
    assert_string_equal(data->name, "fashion-mnist");
    assert_string_equal(data->class_names[9], "Ankle boot");
    assert_near(data->published.mean[0], .2860, 0);
    assert_near(data->published.std[0], .3530, 0);
    bl_dataset_free(data);
    scratch_remove(&s);
}

/* ---- archives ------------------------------------------------------------ */

/* Packs files of a folder under "set/", in the order given. */
static void pack(const char *to, const char *folder, const char *const *names,
                 int gzipped)
{
    static uint8_t bytes[1 << 20];
    char path[1280];
    struct archive *a = archive_write_new();
    archive_write_set_format_ustar(a);
    if (gzipped) archive_write_add_filter_gzip(a);
    assert_int_equal(archive_write_open_filename(a, to), ARCHIVE_OK);
    for (int i = 0; names[i] != NULL; i++) {
        sets_path(path, folder, names[i]);
        const size_t n = scratch_get(path, bytes, sizeof bytes);
        struct archive_entry *entry = archive_entry_new();
        (void)snprintf(path, sizeof path, "set/%s", names[i]);
        archive_entry_set_pathname(entry, path);
        archive_entry_set_size(entry, (la_int64_t)n);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, bytes, n), n);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static const char *const shuffled[] = {
    "data_batch_4.bin", "readme.html",      "data_batch_1.bin",
    "test_batch.bin",   "data_batch_5.bin", "batches.meta.txt",
    "data_batch_3.bin", "data_batch_2.bin", NULL,
};

/* Members come in any order; the split's order is that of the batches. */
static void test_archives(void **state)
{
    (void)state;
    scratch s;
    bl_dataset *plain = NULL, *packed = NULL;
    char path[1024];
    scratch_make(&s);
    make_full_cifar10(s.folder);
    sets_put(s.folder, "readme.html", "hello", 5);
    must_open(&plain, s.folder, NULL);
    for (int gzipped = 0; gzipped < 2; gzipped++) {
        (void)snprintf(path, sizeof path, "%s/x.tar", s.folder);
        pack(path, s.folder, shuffled, gzipped);
        must_open(&packed, path, NULL);
        assert_int_equal(bl_split_fingerprint(packed->train),
                         bl_split_fingerprint(plain->train));
        assert_int_equal(bl_split_fingerprint(packed->test),
                         bl_split_fingerprint(plain->test));
        assert_string_equal(packed->class_names[0], "wren");
        assert_string_equal(packed->name, "x.tar");
        bl_dataset_free(packed);
    }
    bl_dataset_free(plain);
    scratch_remove(&s);
}

static void test_bad_archives(void **state)
{
    (void)state;
    static const char *const twice[] = {"train-images-idx3-ubyte",
                                        "t10k-labels-idx1-ubyte",
                                        "train-images-idx3-ubyte", NULL};
    static const char *const none[] = {"readme", NULL};
    static uint8_t bytes[1 << 20];
    scratch s;
    char path[1024];
    scratch_make(&s);
    make_full_cifar10(s.folder);
    sets_make_idx(s.folder);
    sets_put(s.folder, "readme", "hello", 5);
    (void)snprintf(path, sizeof path, "%s/x.tar", s.folder);
    pack(path, s.folder, twice, 0);
    must_fail(path, NULL, BL_EFORMAT,
              "x.tar: train-images-idx3-ubyte: is there twice");
    pack(path, s.folder, none, 1);
    must_fail(path, NULL, BL_EFORMAT, "x.tar: holds no data set");
    pack(path, s.folder, twice + 1, 0);
    must_fail(path, NULL, BL_EFORMAT, "x.tar: holds no train-labels-idx1");
    for (int gzipped = 0; gzipped < 2; gzipped++) {
        pack(path, s.folder, shuffled, gzipped);
        const size_t n = scratch_get(path, bytes, sizeof bytes);
        scratch_put(path, bytes, n / 3);
        must_fail(path, NULL, BL_EFORMAT, "x.tar: ");
    }
    scratch_put(path, "this is no archive at all", 25);
    must_fail(path, NULL, BL_EFORMAT,
              "x.tar: byte 0: Unrecognized archive format");
    scratch_put(path, "", 0);
    must_fail(path, NULL, BL_EFORMAT, "x.tar: ");
    scratch_remove(&s);
}

/* ---- damage -------------------------------------------------------------- */

typedef enum damage { CUT, SET, APPEND, REMOVE } damage;

typedef struct bad {
    void (*make)(const char *folder);
    const char *file;
    damage how;
    int64_t at; /* CUT: bytes left; SET: offset; APPEND: bytes more */
    int value;  /* SET: the byte                                    */
    const char *said;
} bad;

#define ROW "data_batch_2.bin: record "
#define IMAGES "train-images-idx3-ubyte"
#define LABELS "train-labels-idx1-ubyte"

static const bad cases[] = {
    {make_full_cifar10, "data_batch_2.bin", CUT, 0, 0,
     "data_batch_2.bin: is empty, wanted records of 3073 bytes"},
    {make_full_cifar10, "data_batch_2.bin", CUT, 3073 * 3 + 71, 0,
     ROW "3 ends after 71 bytes, wanted 3073"},
    {make_full_cifar10, "data_batch_2.bin", APPEND, 1, 0,
     ROW "4 ends after 1 bytes, wanted 3073"},
    {make_full_cifar10, "data_batch_2.bin", SET, 3073 * 2, 12,
     ROW "2: label 12 is not in [0, 9]"},
    {make_full_cifar10, "data_batch_5.bin", CUT, 3073 * 5, 0,
     ": class 9 (erne) has no training image, wanted at least one"},
    {make_full_cifar10, "data_batch_3.bin", REMOVE, 0, 0,
     ": holds no data_batch_3.bin, wanted all files of cifar10"},
    {make_full_cifar10, "test_batch.bin", REMOVE, 0, 0,
     ": holds no test_batch.bin"},
    {make_full_cifar10, "batches.meta.txt", CUT, 40, 0,
     "/batches.meta.txt: 8 class names, wanted 10"},
    {make_full_cifar10, "batches.meta.txt", CUT, 0, 0,
     "/batches.meta.txt: 0 class names, wanted 10"},
    {make_full_cifar10, "batches.meta.txt", APPEND, 3, 0,
     "batches.meta.txt: offset 51: byte 0, wanted text"},
    {make_full_cifar10, "batches.meta.txt", APPEND, 70000, 0,
     "batches.meta.txt: is no list of class names"},
    {sets_make_cifar100, "test.bin", SET, 3074, 20,
     "test.bin: record 1: coarse label 20 is not in [0, 19]"},
    {sets_make_cifar100, "test.bin", SET, 1, 100,
     "test.bin: record 0: fine label 100 is not in [0, 99]"},
    {sets_make_cifar100, "train.bin", CUT, 3074 * 99, 0,
     ": class 99 (99) has no training image"},
    {sets_make_idx, IMAGES, CUT, 0, 0, IMAGES ": ends at byte 0"},
    {sets_make_idx, IMAGES, CUT, 9, 0,
     IMAGES ": ends at byte 9, wanted at least 16"},
    {sets_make_idx, IMAGES, CUT, 100, 0,
     IMAGES ": ends at byte 100, wanted at least 181"},
    {sets_make_idx, IMAGES, APPEND, 1, 0,
     IMAGES ": goes on after byte 181, wanted its end there"},
    {sets_make_idx, IMAGES, SET, 3, 1,
     IMAGES ": offset 0: magic 00 00 08 01, wanted 00 00 08 03"},
    {sets_make_idx, IMAGES, SET, 4, 255,
     IMAGES ": offset 4: extent 4278190091, wanted 1 to 16777216"},
    {sets_make_idx, IMAGES, SET, 4, 1,
     IMAGES ": offset 4: extent 16777227, wanted 1 to 16777216"},
    {sets_make_idx, IMAGES, SET, 5, 127, IMAGES ": ends at byte 181"},
    {sets_make_idx, LABELS, SET, 4, 1,
     LABELS ": offset 4: extent 16777227, wanted 1 to 16777216"},
    {sets_make_idx, IMAGES, SET, 10, 255,
     IMAGES ": offset 8: extent 65285, wanted 1 to 4096"},
    {sets_make_idx, IMAGES, SET, 15, 0,
     IMAGES ": offset 12: extent 0, wanted 1 to 4096"},
    {sets_make_idx, LABELS, SET, 3, 3,
     LABELS ": offset 0: magic 00 00 08 03, wanted 00 00 08 01"},
    {sets_make_idx, LABELS, CUT, 12, 0, LABELS ": ends at byte 12"},
    {sets_make_idx, LABELS, SET, 12, 9,
     ": training labels go up to 9 (record 4), but classes 4 to 8 have no "
     "image"},
    {sets_make_idx, LABELS, SET, 12, 5,
     ": training labels go up to 5 (record 4), but class 4 has no image"},
    {sets_make_idx, "t10k-labels-idx1-ubyte", SET, 10, 4,
     ": test record 2: label 4 is not in [0, 3], the labels of training"},
    {sets_make_idx, "t10k-images-idx3-ubyte", REMOVE, 0, 0,
     ": holds no t10k-images-idx3-ubyte, wanted all files of fashion-mnist"},
};

static void do_damage(const char *folder, const bad *b)
{
    static uint8_t bytes[1 << 20];
    char path[1280];
    sets_path(path, folder, b->file);
    memset(bytes, 0, sizeof bytes);
    size_t n = scratch_get(path, bytes, sizeof bytes);
    assert_true(n > 0);
    if (b->how == REMOVE) {
        assert_int_equal(remove(path), 0);
        return;
    }
    if (b->how == CUT) n = (size_t)b->at;
    if (b->how == APPEND) n += (size_t)b->at;
    if (b->how == SET) bytes[b->at] = (uint8_t)b->value;
    scratch_put(path, bytes, n);
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scratch s;
        scratch_make(&s);
        cases[i].make(s.folder);
        do_damage(s.folder, &cases[i]);
        must_fail(s.folder, NULL, BL_EFORMAT, cases[i].said);
        assert_non_null(strstr(bl_error_last()->message, s.folder));
        scratch_remove(&s);
    }
}

/* Counts and sizes that are right each, but not together. */
static void test_parts_that_do_not_fit(void **state)
{
    (void)state;
    static const uint32_t extent[] = {6, 3, 5};
    uint8_t bytes[16 + 90] = {0};
    scratch s;
    scratch_make(&s);
    sets_make_idx(s.folder);
    assert_int_equal(sets_idx(bytes, extent, 3), 16);
    sets_put(s.folder, "t10k-images-idx3-ubyte", bytes, sizeof bytes);
    must_fail(s.folder, NULL, BL_EFORMAT,
              ": test images of 3 x 5 x 1, wanted 5 x 3 x 1 as in training");
    const uint32_t five[] = {5};
    assert_int_equal(sets_idx(bytes, five, 1), 8);
    sets_put(s.folder, "t10k-labels-idx1-ubyte", bytes, 13);
    must_fail(s.folder, NULL, BL_EFORMAT,
              ": 6 test images, wanted 5, one a label");
    const uint32_t many[] = {1 << 17, 129, 128};
    assert_int_equal(sets_idx(bytes, many, 3), 16);
    sets_put(s.folder, "t10k-images-idx3-ubyte", bytes, sizeof bytes);
    must_fail(s.folder, NULL, BL_EFORMAT, "t10k-images-idx3-ubyte: offset 4: "
              "131072 images of 129 x 128, wanted at most 2147483648 bytes");
    scratch_remove(&s);
}

static void test_long_class_name(void **state)
{
    (void)state;
    char text[] = "wren\n" "0123456789012345678901234567890123456789"
                  "0123456789012345678901234567890123456789"
                  "012345678901234567890\n";
    scratch s;
    scratch_make(&s);
    make_full_cifar10(s.folder);
    sets_put(s.folder, "batches.meta.txt", text, sizeof text - 1);
    must_fail(s.folder, NULL, BL_EFORMAT, "/batches.meta.txt: class name 1 "
              "has 101 bytes, wanted at most 100");
    scratch_remove(&s);
}

static void test_damaged_gzip(void **state)
{
    (void)state;
    static const char name[] = "train-images-idx3-ubyte.gz";
    uint8_t bytes[4096];
    char path[1280];
    scratch s;
    scratch_make(&s);
    sets_make_idx(s.folder);
    gzip(s.folder, "train-images-idx3-ubyte");
    sets_path(path, s.folder, name);
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    scratch_put(path, bytes, n / 2);
    must_fail(s.folder, NULL, BL_EFORMAT, "the file ends early");
    assert_non_null(strstr(bl_error_last()->message, name));
    scratch_put(path, bytes, n - 3);
    must_fail(s.folder, NULL, BL_EFORMAT, "the file ends early");
    bytes[n - 6] ^= 0x15; /* the checksum at its end */
    scratch_put(path, bytes, n);
    must_fail(s.folder, NULL, BL_EFORMAT, "wanted whole gzip data");
    const char *said = strstr(bl_error_last()->message, name);
    assert_non_null(said);
    assert_null(strstr(said + 1, name)); /* zlib says the path as well */
    scratch_put(path, bytes, 0);
    must_fail(s.folder, NULL, BL_EFORMAT, "ends at byte 0");
    scratch_remove(&s);
}

static void test_odd_files(void **state)
{
    (void)state;
    char path[1280];
    scratch s;
    scratch_make(&s);
    sets_make_idx(s.folder);
    sets_path(path, s.folder, "train-images-idx3-ubyte");
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    must_fail(s.folder, NULL, BL_EIO, "is not a regular file");
    scratch_remove(&s);
}

/* ---- search -------------------------------------------------------------- */

static void make_folder(char out[1024], const char *parent, const char *name)
{
    (void)snprintf(out, 1024, "%.900s/%.100s", parent, name);
    assert_int_equal(mkdir(out, 0700), 0);
}

/* Points every place that is looked at into one folder. */
static void aim(const scratch *s)
{
    char list[1024];
    (void)snprintf(list, sizeof list, "%s/b::%s/c", s->folder, s->folder);
    assert_int_equal(setenv("BALLAST_DATA", list, 1), 0);
    (void)snprintf(list, sizeof list, "%s/d", s->folder);
    assert_int_equal(setenv("XDG_CACHE_HOME", list, 1), 0);
}

static void test_search_says_where(void **state)
{
    (void)state;
    scratch s;
    char dir[1024], want[2048];
    scratch_make(&s);
    aim(&s);
    (void)snprintf(dir, sizeof dir, "%s/a", s.folder);
    (void)snprintf(want, sizeof want, "no cifar-10-batches-bin or "
                   "cifar-10-binary.tar.gz in: %s/a, %s/b, %s/c, "
                   "%s/d/ballast, /usr/local/share/datasets, "
                   "/usr/share/datasets", s.folder, s.folder, s.folder,
                   s.folder);
    must_fail("cifar10", dir, BL_EIO, want);
    assert_non_null(strstr(bl_error_last()->message,
                           "cifar10 not found (get it: "));
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(setenv("HOME", s.folder, 1), 0);
    must_fail("cifar100", NULL, BL_EIO, "/.cache/ballast, /usr/local");
    must_fail("cifar-10", NULL, BL_EIO,
              "(cifar10, cifar100, fashion-mnist); the nearest is cifar10");
    must_fail("fashonmnist", NULL, BL_EIO, "; the nearest is fashion-mnist");
    must_fail("wolverine", NULL, BL_EIO, "(cifar10, cifar100, fashion-mnist)");
    assert_null(strstr(bl_error_last()->message, "nearest"));
    scratch_remove(&s);
}

/* Of a list that does not fit the last folders are counted; the rest of the
 * message stays whole. */
static void test_search_says_where_in_short(void **state)
{
    (void)state;
    char list[1024] = "", want[1024];
    for (int i = 0; i < 20; i++)
        (void)snprintf(list + strlen(list), 64, "%s/nowhere/%036d",
                       i ? ":" : "", i);
    assert_int_equal(setenv("BALLAST_DATA", list, 1), 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", "/cache", 1), 0);
    for (int first = 0; first < 2; first++) {
        (void)snprintf(want, sizeof want, "cifar-10-binary.tar.gz in: %s"
                       "/nowhere/%036d, /nowhere/%036d, ",
                       first ? "/first, " : "", 0, 1);
        must_fail("cifar10", first ? "/first" : NULL, BL_EIO, want);
        const char *const message = bl_error_last()->message;
        assert_non_null(strstr(message, "get it: cifar-10-binary.tar.gz"));
        assert_non_null(strstr(message, ", and 15 more of BALLAST_DATA, "
                                        "/cache/ballast, /usr/local/share/"
                                        "datasets, /usr/share/datasets"));
    }
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
}

/* The places in order.  The sets found are too small for their names, and
 * what is said of them tells which was found. */
static void test_search_order(void **state)
{
    (void)state;
    static const char *const places[] = {"d/ballast", "c", "b", "a"};
    scratch s;
    char dir[1024], folder[1024], set[1024], want[1280];
    scratch_make(&s);
    aim(&s);
    make_folder(folder, s.folder, "d");
    (void)snprintf(dir, sizeof dir, "%s/a", s.folder);
    for (int i = 0; i < 4; i++) {
        make_folder(folder, s.folder, places[i]);
        make_folder(set, folder, "cifar-10-batches-bin");
        make_full_cifar10(set);
        (void)snprintf(want, sizeof want, "%s: 22 training images, wanted "
                       "the 50000 of cifar10", set);
        must_fail("cifar10", dir, BL_EFORMAT, want);
    }
    scratch_remove(&s);
}

static void test_search_finds_the_archive(void **state)
{
    (void)state;
    scratch s;
    char path[1024];
    scratch_make(&s);
    aim(&s);
    make_full_cifar10(s.folder);
    sets_put(s.folder, "readme.html", "hello", 5);
    (void)snprintf(path, sizeof path, "%s/cifar-10-binary.tar.gz", s.folder);
    pack(path, s.folder, shuffled, 1);
    must_fail("cifar10", s.folder, BL_EFORMAT,
              "cifar-10-binary.tar.gz: 22 training images, wanted the 50000");
    scratch_remove(&s);
}

/* ---- from memory and the list -------------------------------------------- */

static void test_create(void **state)
{
    (void)state;
    static const char *const names[] = {"wren", "gull", "rook"};
    bl_split *train = sets_images(9, 4, 3, 2, 3);
    bl_split *test = sets_images(5, 4, 3, 2, 3);
    bl_split *other = sets_images(5, 3, 4, 2, 3);
    bl_dataset *data = NULL;
    bl_normalization measured;
    assert_int_equal(bl_dataset_create(&data, "birds", train, other, names),
                     BL_EINVAL);
    assert_non_null(strstr(bl_error_last()->message, "birds: test of 3 x 4"));
    assert_int_equal(bl_dataset_create(&data, "birds", train, test, names),
                     BL_OK);
    assert_string_equal(data->name, "birds");
    assert_null(data->path);
    assert_ptr_equal(data->train, train);
    assert_string_equal(data->class_names[2], "rook");
    bl_split_measure(train, &measured);
    assert_int_equal(data->published.c, 2);
    assert_near(data->published.std[1], measured.std[1], 0);
    bl_dataset_free(data);
    bl_dataset_free(NULL);
    bl_split_free(other);
}

static void test_rows_are_complete(void **state)
{
    (void)state;
    static const char *const names[] = {"cifar10", "cifar100",
                                        "fashion-mnist"};
    for (int i = 0; i < 3; i++) {
        const bl_dataset_type *row = bl_dataset_types()[i];
        assert_string_equal(row->name, names[i]);
        assert_true(strlen(row->summary) > 0 && strlen(row->summary) <= 60);
        assert_true(strlen(row->folder) > 0 && strlen(row->obtain) > 0);
        assert_int_equal(row->n_class, i == 1 ? 100 : 10);
        for (int k = 0; k < row->published.c; k++)
            assert_true(row->published.std[k] > 0);
    }
    assert_null(bl_dataset_types()[3]);
}

/* ---- real files ---------------------------------------------------------- */

/* Balance, means of pixel / 255 and the subset of a real set, where there is
 * one on the search path. */
static void check_real(const char *name, int32_t n_class, const double *mean,
                       const char *last)
{
    bl_dataset *data = NULL;
    bl_normalization found;
    int64_t *ordinals = NULL, n = 0, n_c[100];
    if (bl_dataset_open(&data, name, NULL) == BL_EIO) {
        print_message("skipped: %s\n", bl_error_last()->message);
        return;
    }
    if (data == NULL) fail_msg("%s", bl_error_last()->message);
    bl_split_counts(data->train, n_c);
    for (int c = 0; c < n_class; c++)
        assert_int_equal(n_c[c], data->train->n / n_class);
    assert_int_equal(data->test->n, 10000);
    bl_split_measure(data->train, &found);
    for (int k = 0; k < found.c; k++)
        assert_near(found.mean[k], mean[k], 2e-4);
    assert_string_equal(data->class_names[n_class - 1], last);
    if (data->train->n == 50000) {
        assert_int_equal(bl_longtail(NULL, &ordinals, &n, data->train, "exp",
                                     100), BL_OK);
        assert_int_equal(bl_subset_crc32(ordinals, n),
                         n_class == 10 ? 0xcf64ba8f : 0x021cfafa);
        bl_free(ordinals);
    }
    bl_dataset_free(data);
}

static void test_real_sets(void **state)
{
    (void)state;
    static const double cifar10[] = {.4914, .4822, .4465},
                        cifar100[] = {.5071, .4866, .4409}, fashion[] = {.2860};
    check_real("cifar10", 10, cifar10, "truck");
    check_real("cifar100", 100, cifar100, "worm");
    check_real("fashion-mnist", 10, fashion, "Ankle boot");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_sets), /* first: others set BALLAST_DATA */
        cmocka_unit_test(test_cifar10),
        cmocka_unit_test(test_cifar100),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_idx_of_a_known_folder),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_parts_that_do_not_fit),
        cmocka_unit_test(test_long_class_name),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_odd_files),
        cmocka_unit_test(test_search_says_where),
        cmocka_unit_test(test_search_says_where_in_short),
        cmocka_unit_test(test_search_order),
        cmocka_unit_test(test_search_finds_the_archive),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_rows_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
