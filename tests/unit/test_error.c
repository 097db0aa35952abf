/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_error.c: the record of the last error: places, prefixes, threads, and
 * messages that are long or hold what a terminal would act upon.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/error.h"

static void raise_stores_place_and_text(void **state)
{
    (void)state;
    const int line = __LINE__ + 1;
    assert_int_equal(BL_RAISE(BL_EFORMAT, "a.bin: record %d", 12), BL_EFORMAT);
    const bl_error *const e = bl_error_last();
    assert_int_equal(e->status, BL_EFORMAT);
    assert_string_equal(e->message, "a.bin: record 12");
    assert_string_equal(e->file, __FILE__);
    assert_int_equal(e->line, line);
}

static void errno_is_put_in_words(void **state)
{
    (void)state;
    errno = ENOENT;
    const int line = __LINE__ + 1;
    assert_int_equal(BL_RAISE_ERRNO("a.bin", "open"), BL_EIO);
    assert_string_equal(bl_error_last()->message,
                        "a.bin: cannot open: No such file or directory");
    assert_int_equal(bl_error_last()->line, line);
}

static void arguments_may_point_into_the_record(void **state)
{
    (void)state;
    (void)BL_RAISE(BL_EIO, "deep");
    (void)BL_RAISE(BL_EINVAL, "again: %s", bl_error_last()->message);
    assert_string_equal(bl_error_last()->message, "again: deep");
}

static void prefix_keeps_status_and_place(void **state)
{
    (void)state;
    (void)BL_RAISE(BL_EINVAL, "lr: 3 is not in [0, 1]");
    const int line = bl_error_last()->line;
    assert_int_equal(bl_error_prefix("%s:%d", "run.yaml", 7), BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "run.yaml:7: lr: 3 is not in [0, 1]");
    assert_int_equal(bl_error_last()->line, line);
}

static void places_are_named_once(void **state)
{
    (void)state;
    (void)BL_RAISE(BL_EINVAL, "run.yaml:7: lr: 3 is not in [0, 1]");
    assert_int_equal(bl_error_prefix("%s", "run.yaml"), BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "run.yaml:7: lr: 3 is not in [0, 1]");
    assert_int_equal(bl_error_prefix("%s", "run"), BL_EINVAL);
    assert_string_equal(bl_error_last()->message,
                        "run: run.yaml:7: lr: 3 is not in [0, 1]");
}

static void messages_are_one_clean_line(void **state)
{
    (void)state;
    (void)BL_RAISE(BL_EFORMAT, "a\nb\033[2Jc\x7F");
    assert_string_equal(bl_error_last()->message, "a?b?[2Jc?");
}

static void long_messages_are_cut_between_characters(void **state)
{
    (void)state;
    char text[1200];
    const size_t room = sizeof bl_error_last()->message;
    for (size_t shift = 0; shift < 3; shift++) { /* U+20AC: three bytes */
        memset(text, 'x', shift);
        for (size_t i = 0; i < 300; i++)
            memcpy(text + shift + 3 * i, "\xE2\x82\xAC", 4);
        (void)BL_RAISE(BL_EFORMAT, "%s", text);
        const size_t n = strlen(bl_error_last()->message);
        assert_in_range(n, room - 4, room - 1);
        assert_int_equal((n - shift) % 3, 0);
        (void)bl_error_prefix("%s", text);
        assert_true(strlen(bl_error_last()->message) < room);
    }
}

static void *raise_elsewhere(void *payload)
{
    (void)BL_RAISE(BL_ENUMERIC, "of the worker");
    *(bl_error *)payload = *bl_error_last();
    return NULL;
}

static void threads_have_their_own_record(void **state)
{
    (void)state;
    pthread_t worker;
    bl_error record;
    (void)BL_RAISE(BL_EIO, "mine");
    assert_int_equal(pthread_create(&worker, NULL, raise_elsewhere, &record),
                     0);
    assert_int_equal(pthread_join(worker, NULL), 0);
    assert_string_equal(bl_error_last()->message, "mine");
    assert_int_equal(bl_error_adopt(&record), BL_ENUMERIC);
    assert_string_equal(bl_error_last()->message, "of the worker");
    assert_int_equal(bl_error_adopt(bl_error_last()), BL_ENUMERIC);
}

static void statuses_have_names(void **state)
{
    (void)state;
    static const struct { bl_status status; const char *name; } rows[] = {
        {BL_OK, "BL_OK"},           {BL_END, "BL_END"},
        {BL_ENOMEM, "BL_ENOMEM"},   {BL_EINVAL, "BL_EINVAL"},
        {BL_EFORMAT, "BL_EFORMAT"}, {BL_EIO, "BL_EIO"},
        {BL_EUNSUPPORTED, "BL_EUNSUPPORTED"},
        {BL_ENUMERIC, "BL_ENUMERIC"},
        {BL_EDEVICE, "BL_EDEVICE"}, {BL_EEXIST, "BL_EEXIST"},
        {BL_EBUSY, "BL_EBUSY"},
        {(bl_status)-10, "unknown status"}, {(bl_status)2, "unknown status"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(bl_status_name(rows[i].status), rows[i].name);
}

static void version_has_three_numbers(void **state)
{
    (void)state;
    int major, minor, patch;
    char rest;
    assert_int_equal(sscanf(bl_version(), "%d.%d.%d%c", &major, &minor,
                            &patch, &rest), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raise_stores_place_and_text),
        cmocka_unit_test(errno_is_put_in_words),
        cmocka_unit_test(arguments_may_point_into_the_record),
        cmocka_unit_test(prefix_keeps_status_and_place),
        cmocka_unit_test(places_are_named_once),
        cmocka_unit_test(messages_are_one_clean_line),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(threads_have_their_own_record),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(version_has_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
