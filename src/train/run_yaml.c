/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_yaml.c: run.yaml, the configuration a run can be repeated from.
 *
 * Every key of the table is written with the value it was settled to, flat
 * ("schedule.decay: 0.01"), in the order of the table, so that two runs can
 * be compared by diff.  Text is written plain where no YAML reader could take
 * it for something else, and in double quotes otherwise.  What was written is
 * parsed again and compared before it is given: a run that could not be
 * repeated must not start.
 *
 * Facts lie under "ballast:", which bl_config_read passes over.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "train/run_parts.h"

enum { YAML_LIMIT = 1 << 20 }; /* bytes; ours are of 2000 */

#define FACTS "ballast"

/* Compiler, and the commit that CMake found, if any. */
#if defined(__clang__)
#define COMPILER __VERSION__ /* names itself */
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown compiler"
#endif
#ifdef BL_COMMIT
#define BUILD COMPILER ", commit " BL_COMMIT
#else
#define BUILD COMPILER
#endif

static const char *const fact_names[BL_RUN_FACT_TEXTS] = {
    "data_fingerprint", "backend", "precision", "device"};

/* ---- writing ------------------------------------------------------------- */

static int is_letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* Would every reader of YAML take this for a string without quotes? */
static int is_plain(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off",
                                        "true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0) return 0;
    if (!is_letter(text[0]) && text[0] != '/') return 0;
    for (const char *at = text; *at != '\0'; at++)
        if (!is_letter(*at) && !(*at >= '0' && *at <= '9') &&
            strchr("/._+-", *at) == NULL)
            return 0;
    return 1;
}

static void add_quoted(bl_text *out, const char *text)
{
    bl_text_add(out, "\"", 1);
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char ch = (unsigned char)*at;
        if (ch == '"' || ch == '\\') bl_text_add(out, "\\", 1);
        if (ch < 0x20 || ch == 0x7F)
            bl_text_printf(out, "\\x%02X", (unsigned)ch);
        else
            bl_text_add(out, at, 1);
    }
    bl_text_add(out, "\"", 1);
}

static void add_string(bl_text *out, const char *text)
{
    if (is_plain(text))
        bl_text_add(out, text, strlen(text));
    else
        add_quoted(out, text);
}

static int is_text(bl_param_kind kind)
{
    return kind == BL_PARAM_STRING || kind == BL_PARAM_CHOICE;
}

static void add_values(bl_text *out, const bl_config *config)
{
    const bl_param *row = bl_config_table(config);
    for (; row->name != NULL; row++) {
        const char *const value = bl_config_text(config, row->name);
        bl_text_printf(out, "%s: ", row->name);
        if (is_text(row->kind) || value[0] == '\0')
            add_string(out, value);
        else
            bl_text_add(out, value, strlen(value));
        bl_text_add(out, "\n", 1);
    }
}

static void add_facts(bl_text *out, const bl_run_facts *facts)
{
    const char *const values[BL_RUN_FACT_TEXTS] = {
        facts->data_fingerprint, facts->backend, facts->precision,
        facts->device};
    bl_text_printf(out, FACTS ":\n  version: \"%s\"\n  build: ", bl_version());
    add_quoted(out, BUILD);
    for (int i = 0; i < BL_RUN_FACT_TEXTS; i++) {
        bl_text_printf(out, "\n  %s: ", fact_names[i]);
        add_quoted(out, values[i] == NULL ? "" : values[i]);
    }
    bl_text_add(out, "\n", 1);
}

/* YAML is UTF-8; a path may hold any byte. */
static bl_status check_utf8(const bl_config *config)
{
    const bl_param *row = bl_config_table(config);
    for (; row->name != NULL; row++) {
        const char *const text = bl_config_text(config, row->name);
        const char *at = text;
        size_t n = 0;
        while (*at != '\0' && (n = bl_utf8_bytes(at)) > 0) at += n;
        if (*at != '\0')
            return BL_RAISE(BL_EINVAL, "%s: holds byte %02x at %td, wanted "
                            "UTF-8", row->name, (unsigned)(unsigned char)*at,
                            at - text);
    }
    return BL_OK;
}

/* Parses the text and compares every key with config. */
static bl_status check_reads_back(const bl_text *text,
                                  const bl_config *config)
{
    bl_status status = BL_OK;
    bl_config *again = NULL;
    const bl_param *row = bl_config_table(config);
    BL_TRY(bl_config_create(&again, row));
    BL_CHECK(bl_config_parse(again, "run.yaml", text->text, text->bytes));
    for (; row->name != NULL; row++) {
        const char *const was = bl_config_text(config, row->name);
        const char *const is = bl_config_text(again, row->name);
        if (strcmp(was, is) != 0)
            BL_CHECK(BL_RAISE(BL_EINVAL, "run.yaml: %s would read back as "
                              "\"%.160s\", wanted \"%.160s\"", row->name, is,
                              was));
    }
done:
    bl_config_free(again);
    return status;
}

bl_status bl_run_yaml_emit(bl_text *text, const bl_config *config,
                           const bl_run_facts *facts)
{
    BL_TRY(check_utf8(config));
    bl_text_printf(text,
                   "# A run of ballast %s: every setting it was made with.\n"
                   "# Repeat it:     ballast train --config run.yaml --out "
                   "NEW\n"
                   "# Go on with it: ballast train --resume FOLDER, where "
                   "FOLDER holds this file\n",
                   bl_version());
    add_values(text, config);
    add_facts(text, facts);
    BL_TRY(text->status);
    return check_reads_back(text, config);
}

/* ---- reading ------------------------------------------------------------- */

/* Text of a scalar without NUL bytes, or NULL. */
static const char *scalar(const yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE) return NULL;
    const char *const text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

static yaml_node_t *member(yaml_document_t *doc, const yaml_node_t *mapping,
                           const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE) return NULL;
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    for (; pair < mapping->data.mapping.pairs.top; pair++) {
        const char *const name = scalar(yaml_document_get_node(doc, pair->key));
        if (name != NULL && strcmp(name, key) == 0)
            return yaml_document_get_node(doc, pair->value);
    }
    return NULL;
}

/* Reads one fact; path is for the message. */
static bl_status read_fact(const char **out, const char *path,
                           yaml_document_t *doc, const yaml_node_t *facts,
                           const char *key)
{
    const char *const text = scalar(member(doc, facts, key));
    if (text == NULL)
        return BL_RAISE(BL_EFORMAT, "%s: " FACTS ".%s is missing: this file "
                        "was not written by a run", path, key);
    *out = text;
    return BL_OK;
}

static bl_status read_facts(char *texts[BL_RUN_FACT_TEXTS],
                            bl_run_facts *out, const char *path,
                            yaml_document_t *doc)
{
    const yaml_node_t *const facts =
        member(doc, yaml_document_get_root_node(doc), FACTS);
    const char *text = NULL;
    for (int i = 0; i < BL_RUN_FACT_TEXTS; i++) {
        BL_TRY(read_fact(&text, path, doc, facts, fact_names[i]));
        BL_TRY(bl_strdup(&texts[i], text));
    }
    *out = (bl_run_facts){.data_fingerprint = texts[0], .backend = texts[1],
                          .precision = texts[2], .device = texts[3]};
    return BL_OK;
}

static bl_status parse_facts(char *texts[BL_RUN_FACT_TEXTS],
                             bl_run_facts *facts, const char *path,
                             const char *yaml, size_t bytes)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    bl_status status = BL_OK;
    if (!yaml_parser_initialize(&parser))
        return BL_RAISE(BL_ENOMEM, "out of memory for a YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
    if (yaml_parser_load(&parser, &doc)) {
        status = read_facts(texts, facts, path, &doc);
        yaml_document_delete(&doc);
    } else if (parser.error == YAML_MEMORY_ERROR) {
        status = BL_RAISE(BL_ENOMEM, "out of memory for a YAML document");
    } else {
        status = BL_RAISE(BL_EFORMAT, "%s:%zu: %s", path,
                          parser.problem_mark.line + 1,
                          parser.problem != NULL ? parser.problem
                                                 : "is not YAML");
    }
    yaml_parser_delete(&parser);
    return status;
}

bl_status bl_run_fingerprint(char **out, const char *path)
{
    char *texts[BL_RUN_FACT_TEXTS] = {NULL};
    bl_run_facts facts;
    bl_status status = bl_run_yaml_facts(texts, &facts, path);
    if (status >= 0) status = bl_strdup(out, facts.data_fingerprint);
    for (int i = 0; i < BL_RUN_FACT_TEXTS; i++) bl_free(texts[i]);
    return status;
}

bl_status bl_run_yaml_facts(char *texts[BL_RUN_FACT_TEXTS],
                            bl_run_facts *facts, const char *path)
{
    char *yaml = NULL;
    size_t bytes = 0;
    BL_TRY(bl_file_read(&yaml, &bytes, path, YAML_LIMIT));
    const bl_status status = parse_facts(texts, facts, path, yaml, bytes);
    bl_free(yaml);
    return status;
}
