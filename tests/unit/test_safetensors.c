/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named tensors come back as they were written, the bytes are those of the
 * format, and no damage of a file is taken for data.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#include "core/error.h"
#include "io/safetensors.h"
#include "support/each_scratch.h"

static const float weights[2][3] = {{2.385F, -0.1173F, 31.75F},
                                    {-8.06F, 1e-20F, 0.3021F}};
static const uint8_t mask[3] = {7, 0, 251};
static const double momentum[1] = {-0.70413};
static const int64_t step[1] = {90210};

static const bl_named_tensor tensors[] = {
    {"conv1.weight", "F32", 2, {2, 3}, weights, sizeof weights},
    {"mask", "U8", 1, {3}, mask, sizeof mask},
    {"momentum", "F64", 1, {1}, momentum, sizeof momentum},
    {"nothing", "BF16", 3, {4, 0, 2}, NULL, 0},
    {"step \"quoted\"", "I64", 0, {0}, step, sizeof step},
};
enum { TENSORS = sizeof tensors / sizeof tensors[0] };
static const bl_metadata metadata[] = {{"model", "resnet20"},
                                       {"a\nb", "\xC3\xA4\\"}};

static void write_sample(const char *path)
{
    assert_int_equal(bl_safetensors_write(path, NULL, tensors, TENSORS,
                                          metadata, 2), BL_OK);
}

/* Opens path, wants a failure and text in its message. */
static void refuses(const char *path, bl_status wanted, const char *text)
{
    bl_safetensors *file = NULL;
    const bl_status status = bl_safetensors_open(&file, path);
    if (status >= 0) bl_safetensors_free(file);
    assert_int_equal(status, wanted);
    assert_non_null(strstr(bl_error_last()->message, path));
    if (strstr(bl_error_last()->message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", bl_error_last()->message,
                 text);
}

/* Writes length, header and n bytes of data. */
static const char *forge(const char *header, size_t data_bytes)
{
    uint8_t bytes[4096] = {0};
    const size_t n = strlen(header);
    const char *const path = scratch_path(&s, "forged.safetensors");
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)n >> (8 * i));
    memcpy(bytes + 8, header, n);
    scratch_put(path, bytes, 8 + n + data_bytes);
    return path;
}

static void accepts(const char *header, size_t data_bytes)
{
    bl_safetensors *file = NULL;
    const char *const path = forge(header, data_bytes);
    if (bl_safetensors_open(&file, path) < 0)
        fail_msg("%s", bl_error_last()->message);
    bl_safetensors_free(file);
}

/* Wants every value of the sample. */
static void holds_the_sample(const bl_safetensors *file)
{
    int64_t n = 0;
    const bl_named_tensor *const list = bl_safetensors_list(file, &n);
    assert_int_equal(n, TENSORS);
    for (int64_t i = 0; i < n; i++) {
        assert_string_equal(list[i].name, tensors[i].name);
        assert_string_equal(list[i].dtype, tensors[i].dtype);
        assert_int_equal(list[i].rank, tensors[i].rank);
        assert_int_equal(list[i].bytes, tensors[i].bytes);
        assert_int_equal((uintptr_t)list[i].data % 8, 0);
        for (int32_t k = 0; k < list[i].rank; k++)
            assert_int_equal(list[i].shape[k], tensors[i].shape[k]);
        if (list[i].bytes > 0)
            assert_memory_equal(list[i].data, tensors[i].data,
                                list[i].bytes);
        assert_ptr_equal(bl_safetensors_find(file, tensors[i].name),
                         &list[i]);
    }
    assert_string_equal(bl_safetensors_meta(file, "model"), "resnet20");
    assert_string_equal(bl_safetensors_meta(file, "a\nb"), "\xC3\xA4\\");
}

static void comes_back(void **state)
{
    (void)state;
    bl_safetensors *file = NULL;
    const char *const path = scratch_path(&s, "a.safetensors");
    write_sample(path);
    assert_int_equal(bl_safetensors_open(&file, path), BL_OK);
    holds_the_sample(file);
    assert_null(bl_safetensors_find(file, "conv1"));
    assert_null(bl_safetensors_find(file, "__metadata__"));
    assert_null(bl_safetensors_meta(file, "form"));
    assert_int_equal(strlen(bl_safetensors_meta(file, "ballast.xxh3")), 16);
    bl_safetensors_free(file);
}

/* The bytes of a small file, written down by hand from the format. */
static void has_the_bytes_of_the_format(void **state)
{
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\","
        "\"ballast.xxh3\":\"0000000000000000\"},"
        "\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
        "\"step\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[3,11]}}";
    static const bl_named_tensor two[] = {
        {"mask", "U8", 1, {3}, mask, 3},
        {"step", "I64", 0, {0}, step, 8},
    };
    static const bl_metadata meta[] = {{"k", "v"}};
    char bytes[1024] = {0}, again[1024] = {0};
    const char *path = scratch_path(&s, "a.safetensors");
    assert_int_equal(bl_safetensors_write(path, NULL, two, 2, meta, 1),
                     BL_OK);
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    const size_t padded = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(n, 8 + padded + 11);
    assert_int_equal(bytes[0], (char)padded);
    char *const digest = strstr(bytes + 8, "xxh3\":\"") + 7;
    memset(digest, '0', 16);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < padded; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + padded, mask, 3);
    assert_memory_equal(bytes + 8 + padded + 3, step, 8);

    path = scratch_path(&s, "b.safetensors");
    assert_int_equal(bl_safetensors_write(path, NULL, two, 2, meta, 1),
                     BL_OK);
    assert_int_equal(scratch_get(path, again, sizeof again), n);
    memset(again + (digest - bytes), '0', 16);
    assert_memory_equal(bytes, again, n);
}

/* Each has a place of its own, though 8 would fit in the room of one. */
static void a_hundred_bytes_come_back(void **state)
{
    (void)state;
    enum { N = 100 };
    char names[N][8];
    uint8_t values[N];
    bl_named_tensor list[N];
    bl_safetensors *file = NULL;
    const char *const path = scratch_path(&s, "a");
    for (int i = 0; i < N; i++) {
        values[i] = (uint8_t)(211 * i + 7);
        (void)snprintf(names[i], sizeof names[i], "t%d", i);
        list[i] = (bl_named_tensor){names[i], "U8", 0, {0}, &values[i], 1};
    }
    assert_int_equal(bl_safetensors_write(path, NULL, list, N, NULL, 0),
                     BL_OK);
    assert_int_equal(bl_safetensors_open(&file, path), BL_OK);
    for (int i = 0; i < N; i++) {
        const bl_named_tensor *const t = bl_safetensors_find(file, names[i]);
        assert_memory_equal(t->data, &values[i], 1);
        assert_int_equal((uintptr_t)t->data % 8, 0);
    }
    bl_safetensors_free(file);
}

static void keeps_the_file_before(void **state)
{
    (void)state;
    bl_safetensors *file = NULL;
    char path[600], keep[600];
    (void)snprintf(path, sizeof path, "%s/a", s.folder);
    (void)snprintf(keep, sizeof keep, "%s/b", s.folder);
    write_sample(path);
    assert_int_equal(bl_safetensors_write(path, keep, tensors, 1, NULL, 0),
                     BL_OK);
    assert_int_equal(bl_safetensors_open(&file, keep), BL_OK);
    assert_non_null(bl_safetensors_find(file, "mask"));
    bl_safetensors_free(file);
    assert_int_equal(bl_safetensors_open(&file, path), BL_OK);
    assert_null(bl_safetensors_find(file, "mask"));
    bl_safetensors_free(file);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    static char bytes[4096];
    const char *const path = scratch_path(&s, "a.safetensors");
    write_sample(path);
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    assert_in_range(n, 300, sizeof bytes - 1);
    for (size_t cut = 0; cut < n; cut++) {
        scratch_put(path, bytes, cut);
        refuses(path, BL_EFORMAT, "bytes");
        if (cut == 300) cut = n - 60;
    }
    scratch_put(path, bytes, n + 1);
    refuses(path, BL_EFORMAT, "its tensors want");
}

/* The checksum, computed here a second time from its definition. */
static void checksum_covers_header_and_data(void **state)
{
    (void)state;
    static char bytes[4096];
    char digits[17] = {0}, wanted[17];
    const char *const path = scratch_path(&s, "a.safetensors");
    write_sample(path);
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    char *const value = strstr(bytes + 8, "xxh3\":\"") + 7;
    memcpy(digits, value, 16);
    memset(value, '0', 16);
    (void)snprintf(wanted, sizeof wanted, "%016" PRIx64,
                   (uint64_t)XXH3_64bits(bytes + 8, n - 8));
    assert_string_equal(digits, wanted);
}

/* Opens a file with one flipped bit.  Where the name of the checksum itself
 * was hit, the file is one without a checksum, which a checkpoint must have;
 * its values are those that were written. */
static int is_seen(const char *path)
{
    bl_safetensors *file = NULL;
    const bl_status status = bl_safetensors_open(&file, path);
    if (status < 0) {
        assert_int_equal(status, BL_EFORMAT);
        return 1;
    }
    assert_null(bl_safetensors_meta(file, "ballast.xxh3"));
    holds_the_sample(file);
    bl_safetensors_free(file);
    return 0;
}

static void sees_every_flip(void **state)
{
    (void)state;
    static char bytes[4096];
    size_t unseen = 0;
    const char *const path = scratch_path(&s, "a.safetensors");
    write_sample(path);
    const size_t n = scratch_get(path, bytes, sizeof bytes);
    const size_t data = sizeof weights + sizeof mask + 8 + 8;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        const char was = bytes[bit / 8];
        bytes[bit / 8] = (char)(was ^ (1 << bit % 8));
        scratch_put(path, bytes, n);
        if (bit / 8 >= n - data)
            refuses(path, BL_EFORMAT, "checksum");
        else if (!is_seen(path))
            unseen++;
        bytes[bit / 8] = was;
    }
    assert_in_range(unseen, 1, 8 * strlen("ballast.xxh3"));
}

static void refuses_bad_lengths(void **state)
{
    (void)state;
    static const uint8_t huge[16] = {0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, '{', '}'};
    static const uint8_t limit[16] = {0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, '{'};
    static const uint8_t longer[16] = {9, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    const char *const path = scratch_path(&s, "a");
    scratch_put(path, huge, 16);
    refuses(path, BL_EFORMAT, "header length 18446744073709551615");
    scratch_put(path, limit, 16);
    refuses(path, BL_EFORMAT, "header length 100000001, wanted at most "
            "100000000; not a safetensors file?");
    scratch_put(path, longer, 16);
    refuses(path, BL_EFORMAT, "header length 9, but only 8 bytes follow; "
            "cut short, or not a safetensors file?");
    scratch_put(path, "", 0);
    refuses(path, BL_EFORMAT, "holds 0 bytes");
}

#define T(name, dtype, shape, offsets)                              \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape        \
    ",\"data_offsets\":" offsets "}"

static void accepts_what_the_format_allows(void **state)
{
    (void)state;
    accepts("{}", 0);
    accepts("{\"__metadata__\":{}}      ", 0);
    accepts("{" T("b", "F32", "[2]", "[4,12]") "," T("a", "I32", "[1]",
            "[0,4]") "}", 12);
    accepts("{" T("a", "U8", "[0]", "[3,3]") "," T("b", "U8", "[3]", "[0,3]")
            "," T("c", "F64", "[9,0]", "[0,0]") "}", 3);
}

static void refuses_bad_tensors(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } rows[] = {
        {"", 0, "wanted '{'"},
        {"[1]", 0, "wanted '{'"},
        {" {}", 0, "wanted '{'"},
        {"{} {}", 0, ""},
        {"{\"a\":1}", 0, "tensor \"a\" is not an object"},
        {"{\"a\":{}}", 0, "dtype is not a string"},
        {"{" T("a", "Q7", "[1]", "[0,4]") "}", 4, "dtype \"Q7\", wanted"},
        {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, "dtype \"f32\", wanted"},
        {"{" T("a", "F32", "1", "[0,4]") "}", 4, "shape is not an array"},
        {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "extent 0"},
        {"{" T("a", "F32", "[1,1.0]", "[0,4]") "}", 4, "extent 1"},
        {"{" T("a", "F32", "[1,\"1\"]", "[0,4]") "}", 4, "extent 1"},
        {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "rank 9"},
        {"{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0,
         "larger than memory"},
        {"{" T("a", "F32", "[99999999999999999999]", "[0,0]") "}", 0,
         "extent 0"},
        {"{" T("a", "F32", "[1]", "[0]") "}", 4, "not a pair"},
        {"{" T("a", "F32", "[1]", "[0,4,4]") "}", 4, "not a pair"},
        {"{" T("a", "F32", "[1]", "[0,4.5]") "}", 4, "not a pair"},
        {"{" T("a", "F32", "[1]", "[-4,0]") "}", 4, "[-4, 0] are not within"},
        {"{" T("a", "F32", "[1]", "[4,0]") "}", 4, "[4, 0] are not within"},
        {"{" T("a", "F32", "[2]", "[0,8]") "}", 4, "[0, 8] are not within"},
        {"{" T("a", "F32", "[2]", "[0,4]") "}", 4, "4 bytes of data, its "
         "shape wants 8 of F32"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[2,6]")
         "}", 6, "tensor \"b\" begins at offset 2, wanted 4"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]")
         "}", 4, "begins at offset 0, wanted 4"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[5,9]")
         "}", 9, "tensor \"b\" begins at offset 5, wanted 4"},
        {"{" T("a", "U8", "[0]", "[2,2]") "," T("b", "F32", "[1]", "[0,4]")
         "}", 4, "tensor \"a\" begins at offset 2, wanted 4"},
        {"{" T("a", "F32", "[1]", "[1,5]") "}", 5, "offset 1, wanted 0"},
        {"{" T("a", "F32", "[1]", "[0,4]") "}", 5, "tensors want 4"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]")
         "}", 8, "\"a\""},
        {"{\"__metadata__\":[]}", 0, "is not an object"},
        {"{\"__metadata__\":{\"k\":3}}", 0, "\"k\" is not a string"},
        {"{\"__metadata__\":{\"ballast.xxh3\":\"0123456789abcdef\"}}", 0,
         "wanted 0123456789abcdef"},
        {"{\"__metadata__\":{\"ballast.xxh3\":\"0123456789abcde\"}}", 0,
         "ballast.xxh3 is not 16 hexadecimal digits"},
        {"{\"__metadata__\":{\"ballast.xxh3\":\"0123456789abcdef0\"}}", 0,
         "ballast.xxh3 is not 16 hexadecimal digits"},
        {"{\"__metadata__\":{\"ballast.xxh3\" :\"0123456789abcdef\"}}", 0,
         "ballast.xxh3 is not 16 hexadecimal digits"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuses(forge(rows[i].header, rows[i].data), BL_EFORMAT,
                rows[i].says);
}

static void says_what_the_system_said(void **state)
{
    (void)state;
    refuses(scratch_path(&s, "nothing"), BL_EIO, "No such file");
    refuses(s.folder, BL_EIO, "not a regular file");
}

static void writer_refuses(void **state)
{
    (void)state;
    static const bl_metadata reserved[] = {{"ballast.xxh3", "x"}};
    static const bl_metadata twice[] = {{"a", "x"}, {"b", "y"}, {"a", "z"}};
    bl_named_tensor bad[2] = {tensors[0], tensors[0]};
    const char *const path = scratch_path(&s, "a");
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 2, NULL, 0),
                     BL_EINVAL); /* one name twice */
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, reserved, 1),
                     BL_EINVAL);
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, twice, 3),
                     BL_EINVAL);
    bad[0].bytes--;
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, NULL, 0),
                     BL_EINVAL);
    bad[0] = tensors[0];
    bad[0].dtype = "F31";
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, NULL, 0),
                     BL_EINVAL);
    bad[0] = tensors[0];
    bad[0].rank = 9;
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, NULL, 0),
                     BL_EINVAL);
    bad[0] = tensors[0];
    bad[0].name = "__metadata__";
    assert_int_equal(bl_safetensors_write(path, NULL, bad, 1, NULL, 0),
                     BL_EINVAL);
    assert_int_not_equal(access(path, F_OK), 0); /* nothing was written */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back),
        TEST(has_the_bytes_of_the_format),
        TEST(a_hundred_bytes_come_back),
        TEST(keeps_the_file_before),
        TEST(refuses_every_truncation),
        TEST(checksum_covers_header_and_data),
        TEST(sees_every_flip),
        TEST(refuses_bad_lengths),
        TEST(accepts_what_the_format_allows),
        TEST(refuses_bad_tensors),
        TEST(says_what_the_system_said),
        TEST(writer_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
