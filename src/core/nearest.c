/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest.c: which known word was meant.
 *
 * Edit distance with insertions, deletions, substitutions and swaps of two
 * neighbours (optimal string alignment: Damerau, CACM 7, 1964), since a swap
 * is the commonest slip of a typist.  Three rows of the table are kept.
 */
#include <limits.h>
#include <string.h>

#include "ballast/config.h"

enum { WORD = 64 }; /* longer words are not compared */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Distance of a and b, both of at most WORD bytes. */
static int distance(const char *a, const char *b)
{
    int rows[3][WORD + 1]; /* of prefixes of a: i - 2, i - 1, i; [3][|b| + 1] */
    const int n = (int)strlen(a), m = (int)strlen(b);
    int *older = rows[0], *old = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++) old[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int differ = a[i - 1] != b[j - 1];
            row[j] = smaller(smaller(old[j], row[j - 1]) + 1,
                             old[j - 1] + differ);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], older[j - 2] + 1);
        }
        int *const spare = older;
        older = old;
        old = row;
        row = spare;
    }
    return old[m];
}

const char *bl_nearest(const char *word, const char *const *list)
{
    const char *best = NULL;
    int best_distance = INT_MAX;
    const size_t n = strlen(word);
    if (n > WORD) return NULL;
    for (; *list != NULL; list++) {
        if (strlen(*list) > WORD) continue;
        const int d = distance(word, *list);
        if (3 * d > (int)n || d >= best_distance) continue;
        best = *list;
        best_distance = d;
    }
    return best;
}
