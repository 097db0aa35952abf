/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log.c: a line reaches the sink, or nothing is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/log.h"

typedef struct heard {
    int lines;
    bl_log_level level;
    char last[1024];
} heard;

static void hear(void *payload, bl_log_level level, const char *message)
{
    heard *const h = payload;
    h->lines++;
    h->level = level;
    (void)strncpy(h->last, message, sizeof h->last - 1);
}

static void levels_above_the_sink_are_silent(void **state)
{
    (void)state;
    heard h = {0};
    const bl_log log = {.write = hear, .payload = &h, .level = BL_LOG_INFO};
    bl_log_say(&log, BL_LOG_DEBUG, "%d buffers", 17);
    assert_int_equal(h.lines, 0);
    bl_log_say(&log, BL_LOG_INFO, "%d buffers", 17);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, BL_LOG_INFO);
    assert_string_equal(h.last, "17 buffers");
    bl_log_say(&log, BL_LOG_WARNING, "%s", "beware");
    assert_string_equal(h.last, "beware");
}

static void no_sink_is_no_harm(void **state)
{
    (void)state;
    const bl_log silent = {0};
    bl_log_say(&silent, BL_LOG_WARNING, "%s", "beware");
    bl_log_say(NULL, BL_LOG_WARNING, "%s", "beware");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    char text[900];
    heard h = {0};
    const bl_log log = {.write = hear, .payload = &h};
    memset(text, 'q', sizeof text);
    text[sizeof text - 1] = '\0';
    bl_log_say(&log, BL_LOG_WARNING, "%s", text);
    assert_int_equal(h.lines, 1);
    assert_true(strlen(h.last) > 512 && strlen(h.last) < sizeof text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_above_the_sink_are_silent),
        cmocka_unit_test(no_sink_is_no_harm),
        cmocka_unit_test(long_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
