/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source.c: files and archives that are not whole are refused, whatever
 * their readers look at: every cut of the end, a changed bit in the data or in
 * a checksum, bytes appended.
 *
 * Data are larger than zlib's window and packed at level 0 where a bit is
 * changed: unpacking goes well then, and only the checksum tells.
 */
#include "near.h"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "data/source.h"
#include "support/sets.h"

enum { BYTES = 150001, REST = 70000, PADDING = 90000,
       ROOM = 1 << 19, TRAILER = 8 };

static uint8_t data[BYTES]; /* of the file that is read; noise and gaps */
static uint8_t found[BYTES], packed[ROOM], other[ROOM];

static int make_data(void **state)
{
    (void)state;
    for (int i = 0; i < BYTES; i++)
        data[i] = i % 3001 < 997 ? 0 : sets_byte(3, i % 89, i);
    return 0;
}

/* Reads "a" in parts and demands its end, as IDX does; leaves others. */
typedef struct taken {
    size_t part;
    int files;
} taken;

static bl_status take(void *payload, const char *name, bl_stream *stream)
{
    taken *t = payload;
    t->files++;
    if (strcmp(name, "a") != 0) return BL_OK;
    memset(found, 0, sizeof found);
    for (size_t at = 0; at < BYTES; at += t->part) {
        const size_t n = BYTES - at < t->part ? BYTES - at : t->part;
        const bl_status status = bl_stream_fill(stream, found + at, n);
        if (status < 0) return status;
    }
    return bl_stream_end(stream);
}

static bl_status each(const char *path, taken *t)
{
    static const char *const names[] = {"a", NULL};
    return bl_source_each(path, names, take, t);
}

static void must_read(const char *path, size_t part, int files)
{
    taken t = {.part = part};
    if (each(path, &t) != BL_OK) fail_msg("%s", bl_error_last()->message);
    assert_int_equal(t.files, files);
    assert_memory_equal(found, data, BYTES);
}

static void must_refuse(const char *path, const char *said)
{
    taken t = {.part = BYTES};
    assert_int_equal(each(path, &t), BL_EFORMAT);
    if (strstr(bl_error_last()->message, said) == NULL)
        fail_msg("'%s' lacks '%s'", bl_error_last()->message, said);
    assert_non_null(strstr(bl_error_last()->message, path));
}

/* ---- gzip ---------------------------------------------------------------- */

static size_t gzip(uint8_t *to, const uint8_t *from, size_t n, int level)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)from, .avail_in = (uInt)n,
                  .next_out = to, .avail_out = ROOM};
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8,
                                  Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return ROOM - z.avail_out;
}

static void test_whole_gzip(void **state)
{
    (void)state;
    static const size_t parts[] = {BYTES, 40000, 777, 13};
    scratch s;
    scratch_make(&s);
    for (int level = 0; level < 10; level += 3) {
        const size_t n = gzip(packed, data, BYTES, level);
        sets_put(s.folder, "a.gz", packed, n);
        for (size_t i = 0; i < 4; i++) must_read(s.folder, parts[i], 1);
    }
    sets_put(s.folder, "a.gz", data, BYTES); /* unpacked on the way */
    must_read(s.folder, 777, 1);
    scratch_remove(&s);
}

static void test_gzip_of_two_members(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    size_t n = gzip(packed, data, 50000, 6);
    n += gzip(packed + n, data, 0, 6);
    const size_t last = n;
    n += gzip(packed + n, data + 50000, BYTES - 50000, 0);
    sets_put(s.folder, "a.gz", packed, n);
    must_read(s.folder, BYTES, 1);
    must_read(s.folder, 777, 1);
    sets_put(s.folder, "a.gz", packed, n - 5);
    must_refuse(s.folder, "the file ends early");
    sets_put(s.folder, "a.gz", packed, last);
    must_refuse(s.folder, "a.gz: ends at byte 50000");
    packed[last - 5]++; /* the checksum of the empty one */
    sets_put(s.folder, "a.gz", packed, n);
    must_refuse(s.folder, "incorrect data check");
    scratch_remove(&s);
}

static void test_cut_gzip(void **state)
{
    (void)state;
    char said[100];
    scratch s;
    scratch_make(&s);
    for (int level = 0; level < 10; level += 3) {
        const size_t n = gzip(packed, data, BYTES, level);
        for (size_t cut = 1; cut <= 12; cut++) {
            (void)snprintf(said, sizeof said, "a.gz: packed byte %zu: the "
                           "file ends early, wanted", n - cut);
            sets_put(s.folder, "a.gz", packed, n - cut);
            must_refuse(s.folder, said);
        }
    }
    scratch_remove(&s);
}

static void test_changed_gzip(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    const size_t n = gzip(packed, data, BYTES, 0);
    const struct {
        size_t at;
        const char *said;
    } bits[] = {{n / 2, "incorrect data check"},
                {n - TRAILER - 1, "incorrect data check"},
                {n - TRAILER, "incorrect data check"},
                {n - 2, "incorrect length check"}};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        packed[bits[i].at] ^= 4;
        sets_put(s.folder, "a.gz", packed, n);
        must_refuse(s.folder, bits[i].said);
        packed[bits[i].at] ^= 4;
    }
    memcpy(packed + n, "garbage", 8);
    sets_put(s.folder, "a.gz", packed, n + 7);
    must_refuse(s.folder, "incorrect header check, wanted whole gzip data");
    sets_put(s.folder, "a.gz", packed, n + 1);
    must_refuse(s.folder, "the file ends early");
    memset(packed + n, 0, 512);
    sets_put(s.folder, "a.gz", packed, n + 512);
    must_refuse(s.folder, "incorrect header check");
    scratch_remove(&s);
}

/* ---- archives ------------------------------------------------------------ */

typedef int add_filter(struct archive *);

/* A tar of "set/readme" and "set/a"; sparse: where a's only data end, or 0. */
static void pack(const char *path, add_filter *filter, int64_t sparse)
{
    static const char *const names[] = {"set/readme", "set/a"};
    static const size_t sizes[] = {REST, BYTES};
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
    if (filter != NULL) assert_int_equal(filter(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (int i = 0; i < 2; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, names[i]);
        archive_entry_set_size(entry, (la_int64_t)sizes[i]);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        if (i == 1 && sparse > 0)
            archive_entry_sparse_add_entry(entry, 0, sparse);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, data, sizes[i]), sizes[i]);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

/* Packs the tar at path by gzip.  The zeros that tar puts behind its end keep
 * the checksum out of sight of who stops there. */
static size_t pack_gzip(const char *path, int level)
{
    pack(path, NULL, 0);
    memset(other, 0, sizeof other);
    const size_t n = scratch_get(path, other, ROOM);
    const size_t n_packed = gzip(packed, other, n + PADDING, level);
    scratch_put(path, packed, n_packed);
    return n_packed;
}

static void test_whole_archives(void **state)
{
    (void)state;
    static add_filter *const filters[] = {NULL, archive_write_add_filter_bzip2,
                                          archive_write_add_filter_xz};
    scratch s;
    scratch_make(&s);
    const char *path = scratch_path(&s, "x.tar");
    for (int i = 0; i < 3; i++) {
        pack(path, filters[i], 0);
        must_read(path, 777, 2);
        must_read(path, BYTES, 2);
    }
    for (int level = 0; level < 10; level += 9) {
        (void)pack_gzip(path, level);
        must_read(path, 777, 2);
        must_read(path, BYTES, 2);
    }
    scratch_remove(&s);
}

static void cut_each_byte(const char *path, const char *said)
{
    const size_t n = scratch_get(path, packed, ROOM);
    for (size_t cut = 1; cut <= 12; cut++) {
        scratch_put(path, packed, n - cut);
        must_refuse(path, said);
    }
}

static void test_cut_archives(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    const char *path = scratch_path(&s, "x.tar");
    for (int level = 0; level < 10; level += 9) {
        (void)pack_gzip(path, level);
        cut_each_byte(path, "the file ends early, wanted whole gzip data");
    }
    pack(path, archive_write_add_filter_bzip2, 0);
    cut_each_byte(path, ": unpacked byte ");
    pack(path, archive_write_add_filter_xz, 0);
    cut_each_byte(path, ": unpacked byte ");
    (void)pack_gzip(path, 0);
    scratch_put(path, packed, REST + 50000);
    must_refuse(path, "x.tar: a: packed byte 120000: the file ends early");
    scratch_put(path, other, REST + 50000);
    must_refuse(path, "x.tar: a: byte ");
    assert_non_null(strstr(bl_error_last()->message, "wanted a whole tar"));
    scratch_remove(&s);
}

/* Bits of a member that is read, of one that is not, and of the checksum. */
static void test_changed_archives(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    const char *path = scratch_path(&s, "x.tar");
    const size_t n = pack_gzip(path, 0);
    const size_t places[] = {REST + 40000, 30000, n - TRAILER - 100,
                             n - TRAILER};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        packed[places[i]] ^= 4;
        scratch_put(path, packed, n);
        must_refuse(path, ": incorrect data check, wanted whole gzip data");
        assert_non_null(strstr(bl_error_last()->message, ": packed byte "));
        packed[places[i]] ^= 4;
    }
    scratch_put(path, packed, n);
    must_read(path, BYTES, 2);
    scratch_remove(&s);
}

static void test_sparse_archives(void **state)
{
    (void)state;
    scratch s;
    scratch_make(&s);
    const char *path = scratch_path(&s, "x.tar");
    pack(path, NULL, 3073);
    must_refuse(path, "x.tar: a: is sparse, wanted a file without holes");
    pack(path, NULL, BYTES); /* one without holes */
    must_read(path, BYTES, 2);
    scratch_remove(&s);
}

/* ---- limits -------------------------------------------------------------- */

static bl_status read_anything(bl_stream *stream, void *bytes, size_t n,
                               size_t *got)
{
    (void)stream;
    (void)bytes;
    *got = n;
    return BL_OK;
}

static void test_limit(void **state)
{
    (void)state;
    uint8_t bytes[8];
    size_t got = 0;
    bl_stream stream = {.place = "bomb", .limit = BL_MEMBER_BYTES,
                        .offset = BL_MEMBER_BYTES - 7, .read = read_anything};
    assert_int_equal(bl_stream_read(&stream, bytes, 7, &got), BL_OK);
    assert_int_equal(stream.offset, BL_MEMBER_BYTES);
    assert_int_equal(bl_stream_end(&stream), BL_EFORMAT);
    assert_string_equal(bl_error_last()->message,
                        "bomb: holds more than 2147483648 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_gzip),
        cmocka_unit_test(test_gzip_of_two_members),
        cmocka_unit_test(test_cut_gzip),
        cmocka_unit_test(test_changed_gzip),
        cmocka_unit_test(test_whole_archives),
        cmocka_unit_test(test_cut_archives),
        cmocka_unit_test(test_changed_archives),
        cmocka_unit_test(test_sparse_archives),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
