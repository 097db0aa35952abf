/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as run.yaml: as the facts of a run, and as the settings that a
 * run is repeated from.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ballast/train.h"
#include "core/file.h"
#include "train/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not bl_file_write, which waits for the disk. */
static void put(const char *path, const uint8_t *data, size_t size)
{
    FILE *const file = fopen(path, "wb");
    if (file == NULL) abort();
    if (fwrite(data, 1, size, file) != size) abort();
    if (fclose(file) != 0) abort();
}

static void read_facts(const char *folder)
{
    bl_run *run = NULL;
    bl_run_facts facts;
    if (bl_run_open(&run, folder, &facts) < 0) return;
    if (strlen(facts.data_fingerprint) > (1 << 20)) abort();
    if (strlen(facts.device) > (1 << 20)) abort();
    bl_run_free(run);
}

static void read_settings(const uint8_t *data, size_t size)
{
    bl_config *config = NULL;
    const char *const text = size > 0 ? (const char *)data : "";
    if (bl_config_create(&config, bl_train_params()) < 0) abort();
    if (bl_config_parse(config, "run.yaml", text, size) < 0 &&
        bl_error_last()->message[0] == '\0')
        abort();
    bl_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[64], path[96];
    (void)snprintf(folder, sizeof folder, "fuzz-run-%ld", (long)getpid());
    (void)snprintf(path, sizeof path, "%s/run.yaml", folder);
    if (bl_folder_create(folder) < 0) abort();
    put(path, data, size);
    read_facts(folder);
    read_settings(data, size);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/.lock", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    return 0;
}
