/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c: drives a fuzz target without a fuzzer.
 *
 *   replay_<what> FOLDER
 *
 * Every file of the folder is a seed.  Each is given whole, cut short at 64
 * places, and with one byte changed at 192 places that a counter-based stream
 * chooses, so two runs do the same.  Without the folder the target still gets
 * the empty input and short nonsense.  A target fails by crashing or by a
 * sanitizer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/data.h"
#include "ballast/rng.h"
#include "core/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 64, FLIPS = 192, SEED_BYTES_MAX = 1 << 24 };

/* Gives the target a block of exactly n bytes: reading past it is seen. */
static void feed(const char *bytes, size_t n)
{
    uint8_t *copy = calloc(n > 0 ? n : 1, 1);
    if (copy == NULL) return;
    if (n > 0) memcpy(copy, bytes, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void feed_around(char *bytes, size_t n, uint64_t seed)
{
    feed(bytes, n);
    if (n == 0) return;
    bl_rng rng = bl_rng_at(seed, BL_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < CUTS; i++) feed(bytes, bl_rng_below(&rng, n));
    for (int i = 0; i < FLIPS; i++) {
        /* Headers are where the decisions are: half of all hits go there. */
        const size_t room = i % 2 != 0 && n > 64 ? 64 : n;
        const size_t at = bl_rng_below(&rng, room);
        const char was = bytes[at];
        bytes[at] = (char)bl_rng_below(&rng, 256);
        feed(bytes, n);
        bytes[at] = was;
    }
}

static void feed_nonsense(void)
{
    feed("", 0);
    char bytes[256];
    for (uint64_t i = 1; i <= 256; i++) {
        bl_rng rng = bl_rng_at(i, BL_PURPOSE_TEST, 0, 1);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)bl_rng_below(&rng, 256);
        feed(bytes, (size_t)i);
    }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    feed_nonsense();
    struct dirent **entries = NULL;
    const int n = argc > 1 ? scandir(argv[1], &entries, visible, by_name) : 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1],
                       entries[i]->d_name);
        char *bytes = NULL;
        size_t size = 0;
        if (bl_file_read(&bytes, &size, path, SEED_BYTES_MAX) < 0) {
            (void)fprintf(stderr, "%s\n", bl_error_last()->message);
            return 1;
        }
        feed_around(bytes, size, (uint64_t)i);
        bl_free(bytes);
        free(entries[i]);
    }
    free(entries);
    (void)printf("%d seeds\n", n > 0 ? n : 0);
    return 0;
}
