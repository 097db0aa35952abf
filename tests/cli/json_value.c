/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_value.c: reads a JSON document from standard input and prints values.
 *
 *   json_value KEY ...      a line each; "shot.many" and "per_class.3.error"
 *                           go inside; an array or object prints its length
 *
 * Exit status 1: not JSON, or no such key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

enum { LIMIT = 1 << 22 };

static yajl_val member(yajl_val value, const char *key)
{
    if (YAJL_IS_ARRAY(value)) {
        const size_t i = (size_t)strtoul(key, NULL, 10);
        return i < value->u.array.len ? value->u.array.values[i] : NULL;
    }
    if (!YAJL_IS_OBJECT(value)) return NULL;
    for (size_t i = 0; i < value->u.object.len; i++)
        if (strcmp(value->u.object.keys[i], key) == 0)
            return value->u.object.values[i];
    return NULL;
}

static yajl_val find(yajl_val value, const char *path)
{
    char key[128];
    while (value && *path) {
        const size_t n = strcspn(path, ".");
        if (n >= sizeof key) return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        value = member(value, key);
        path += n + (path[n] == '.');
    }
    return value;
}

static void print(yajl_val value)
{
    if (YAJL_IS_STRING(value)) printf("%s\n", value->u.string);
    else if (YAJL_IS_NUMBER(value)) printf("%s\n", value->u.number.r);
    else if (YAJL_IS_ARRAY(value)) printf("%zu\n", value->u.array.len);
    else if (YAJL_IS_OBJECT(value)) printf("%zu\n", value->u.object.len);
    else if (YAJL_IS_TRUE(value)) printf("true\n");
    else if (YAJL_IS_FALSE(value)) printf("false\n");
    else printf("null\n");
}

int main(int argc, char **argv)
{
    char *text = calloc(LIMIT, 1), message[256];
    const size_t bytes = text ? fread(text, 1, LIMIT - 1, stdin) : 0;
    yajl_val root = bytes > 0 ? yajl_tree_parse(text, message, sizeof message)
                              : NULL;
    int code = root ? 0 : 1;
    if (!root) (void)fprintf(stderr, "json_value: not a JSON document\n");
    for (int i = 1; i < argc && root; i++) {
        yajl_val value = find(root, argv[i]);
        if (value) {
            print(value);
        } else {
            (void)fprintf(stderr, "json_value: no %s\n", argv[i]);
            code = 1;
        }
    }
    yajl_tree_free(root);
    free(text);
    return code;
}
