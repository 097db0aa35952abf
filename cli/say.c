/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c: errors, JSON documents, and facts that are printed as either JSON
 * or lines.
 *
 * A command states its facts once; "seconds_per_step" is a key in JSON and
 * the label "seconds per step" on the screen.
 */
#include <stdarg.h>
#include <string.h>

#include "cli.h"

enum { LABEL = 24 }; /* columns of the label of a line */

int cli_say(const cli_args *args, int code, const char *format, ...)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, args ? "ballast %s: " : "ballast: ",
                  args ? args->command->name : "");
    va_list list;
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fputc('\n', stderr);
    return code;
}

int cli_fail(const cli_args *args, int code)
{
    return cli_say(args, code, "%s", bl_error_last()->message);
}

int cli_fail_data(const cli_args *args, const bl_config *config)
{
    const bl_error *error = bl_error_last();
    if (error->status != BL_EIO ||
        bl_config_origin(config, "data") != BL_ORIGIN_FILE)
        return cli_fail(args, CLI_FAILED);
    return cli_say(args, CLI_FAILED,
                   "%s; data is set in a file, --data sets another",
                   error->message);
}

int cli_fail_run(const cli_args *args)
{
    const bl_error *error = bl_error_last();
    if (error->status != BL_EIO) return cli_fail(args, CLI_FAILED);
    return cli_say(args, CLI_FAILED, "%s; wanted the folder of a run",
                   error->message);
}

bl_status cli_json_print(bl_json *json)
{
    const char *text;
    size_t bytes;
    const bl_status status = bl_json_text(json, &text, &bytes);
    if (status == BL_OK) {
        (void)fwrite(text, 1, bytes, stdout);
        if (bytes > 0 && text[bytes - 1] != '\n') (void)putchar('\n');
    }
    bl_json_free(json);
    return status;
}

/* ---- facts -------------------------------------------------------------- */

bl_status cli_facts_open(cli_facts *facts, int json)
{
    memset(facts, 0, sizeof *facts);
    if (!json) return BL_OK;
    const bl_status status = bl_json_create(&facts->json, 1);
    if (status == BL_OK) bl_json_object(facts->json, NULL);
    return status;
}

static void label(const char *key)
{
    int columns = 0;
    for (const char *c = key; *c; c++, columns++)
        (void)putchar(*c == '_' ? ' ' : *c);
    printf("%*s", columns < LABEL ? LABEL - columns : 1, "");
}

void cli_fact_string(cli_facts *facts, const char *key, const char *text)
{
    if (facts->json) {
        bl_json_string(facts->json, key, text);
        return;
    }
    label(key);
    printf("%s\n", text);
}

void cli_fact_integer(cli_facts *facts, const char *key, int64_t value)
{
    if (facts->json) {
        bl_json_integer(facts->json, key, value);
        return;
    }
    label(key);
    printf("%lld\n", (long long)value);
}

void cli_fact_real(cli_facts *facts, const char *key, double value)
{
    if (facts->json) {
        bl_json_real(facts->json, key, value);
        return;
    }
    label(key);
    printf("%.6g\n", value);
}

void cli_fact_bool(cli_facts *facts, const char *key, int value)
{
    if (facts->json) {
        bl_json_bool(facts->json, key, value);
        return;
    }
    cli_fact_string(facts, key, value ? "yes" : "no");
}

void cli_fact_list(cli_facts *facts, const char *key)
{
    facts->in_list = 1;
    if (facts->json)
        bl_json_array(facts->json, key);
    else
        label(key);
}

void cli_fact_item(cli_facts *facts, const char *text)
{
    if (facts->json)
        bl_json_string(facts->json, NULL, text);
    else
        printf("%*s%s\n", facts->in_list ? 0 : LABEL, "", text);
    facts->in_list = 0;
}

void cli_fact_list_close(cli_facts *facts)
{
    if (facts->json)
        bl_json_close(facts->json);
    else if (facts->in_list)
        printf("-\n");
    facts->in_list = 0;
}

bl_status cli_facts_close(cli_facts *facts)
{
    if (!facts->json) return BL_OK;
    bl_json_close(facts->json);
    const bl_status status = cli_json_print(facts->json);
    facts->json = NULL;
    return status;
}
