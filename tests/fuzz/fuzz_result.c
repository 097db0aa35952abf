/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as result.json and as metrics.jsonl of a run, and as table.json
 * of a study, that are drawn.  What is read draws without a fault, and no
 * script has a backquote, by which gnuplot would run a shell command.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "plot/plot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not bl_file_write, which waits for the disk. */
static void put(const char *folder, const char *name, const void *data,
                size_t size)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const file = fopen(path, "wb");
    if (file == NULL) abort();
    if (fwrite(data, 1, size, file) != size) abort();
    if (fclose(file) != 0) abort();
}

static void take(const char *folder, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void draw(const char *folder)
{
    bl_plot_run *run = NULL;
    if (bl_plot_run_load(&run, folder) < 0) return;
    for (int i = 0; bl_picture_types[i]; i++) {
        bl_text script = {0};
        if (!bl_picture_types[i]->wanted(run)) continue;
        bl_script_open(&script, "svg", 720, 540);
        bl_picture_types[i]->draw(&script, run);
        if (script.status < 0) abort();
        if (memchr(script.text, '`', script.bytes)) abort();
        bl_text_free(&script);
    }
    bl_plot_run_free(run);
}

static void draw_table(const char *folder)
{
    bl_plot_table *table = NULL;
    if (bl_plot_table_load(&table, folder) < 0) return;
    for (int64_t c = 0; c <= table->n_columns; c++) {
        bl_text script = {0};
        if (c < table->n_columns)
            bl_plot_draw_column(&script, table, c);
        else
            bl_plot_draw_map(&script, table);
        if (script.status < 0) abort();
        if (memchr(script.text, '`', script.bytes)) abort();
        bl_text_free(&script);
    }
    bl_plot_table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char settings[] = "method: ce\ndata: tiny\n";
    char folder[64];
    (void)snprintf(folder, sizeof folder, "fuzz-result-%ld", (long)getpid());
    if (bl_folder_create(folder) < 0) abort();
    put(folder, "run.yaml", settings, sizeof settings - 1);
    put(folder, "result.json", data, size);
    draw(folder);
    take(folder, "result.json");
    put(folder, "metrics.jsonl", data, size);
    draw(folder);
    take(folder, "metrics.jsonl");
    take(folder, "run.yaml");
    put(folder, "table.json", data, size);
    draw_table(folder);
    take(folder, "table.json");
    (void)rmdir(folder);
    return 0;
}
