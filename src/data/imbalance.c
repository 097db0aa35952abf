/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imbalance.c: how unbalanced are class counts n_c?
 *
 *   factor            n_max / n_min
 *   Gini              (2 sum_i i n_(i)) / (C N) - (C + 1) / C,  n_(i) ascending
 *   entropy           H / log C,  H = -sum pi_c log pi_c,  pi_c = n_c / N
 *   effective number  exp(H): as many classes of equal size have this entropy
 *
 * The factor is what the literature quotes but it looks at two classes alone;
 * the others see the whole curve.  Classes without images count in the Gini
 * coefficient and in log C, not in n_min.
 *
 * Shot groups are those of Liu et al., CVPR 2019 (arXiv:1904.05160), unless
 * told otherwise with the boundaries that most papers share: 20 and 100 are
 * both medium.
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ballast/data.h"
#include "core/error.h"
#include "core/mem.h"

bl_shot_limits bl_usual_shots(void)
{
    return (bl_shot_limits){.many_above = 100, .few_below = 20};
}

bl_status bl_shot_limits_check(const bl_shot_limits *limits)
{
    if (limits->many_above < 0 || limits->few_below < 0)
        return BL_RAISE(BL_EINVAL, "many-above %" PRId64 ", few-below %" PRId64
                        ": wanted at least 0", limits->many_above,
                        limits->few_below);
    if (limits->few_below - 1 > limits->many_above)
        return BL_RAISE(BL_EINVAL, "few-below: %" PRId64 ", wanted at most %"
                        PRId64 ", one more than many-above",
                        limits->few_below, limits->many_above + 1);
    return BL_OK;
}

bl_shot bl_shot_of(int64_t n, const bl_shot_limits *limits)
{
    const bl_shot_limits by = limits != NULL ? *limits : bl_usual_shots();
    if (n > by.many_above) return BL_SHOT_MANY;
    return n < by.few_below ? BL_SHOT_FEW : BL_SHOT_MEDIUM;
}

const char *bl_shot_name(bl_shot shot)
{
    static const char *const names[] = {"many", "medium", "few"};
    return names[shot];
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All that a sum over the sorted counts can tell; total is known. */
static void sum_up(bl_imbalance *out, const int64_t *sorted,
                   const bl_shot_limits *limits)
{
    const double n = (double)out->total, n_class = out->n_class;
    double ranked = 0, h = 0;
    for (int32_t i = 0; i < out->n_class; i++) {
        const double pi = (double)sorted[i] / n;
        out->shots[bl_shot_of(sorted[i], limits)]++;
        ranked += (i + 1.0) * pi;
        if (sorted[i] == 0) {
            out->n_empty++;
            continue;
        }
        if (out->n_min == 0) out->n_min = sorted[i];
        h -= pi * log(pi);
    }
    out->n_max = sorted[out->n_class - 1];
    out->factor = (double)out->n_max / (double)out->n_min;
    out->gini = 2 * ranked / n_class - (n_class + 1) / n_class;
    out->entropy = out->n_class > 1 ? h / log(n_class) : 1;
    out->effective_number = exp(h);
}

bl_status bl_imbalance_measure(bl_imbalance *out, const int64_t *n_c,
                               int32_t n_class, const bl_shot_limits *limits)
{
    bl_imbalance found = {.n_class = n_class};
    int64_t *sorted = NULL; /* [C] */
    if (limits != NULL) BL_TRY(bl_shot_limits_check(limits));
    if (n_class < 1)
        return BL_RAISE(BL_EINVAL, "%" PRId32 " classes, wanted >= 1",
                        n_class);
    for (int32_t c = 0; c < n_class; c++) {
        if (n_c[c] < 0 || n_c[c] > INT64_MAX - found.total)
            return BL_RAISE(BL_EINVAL, "class %" PRId32 " has count %" PRId64
                            ", wanted >= 0 and a sum below 2^63", c, n_c[c]);
        found.total += n_c[c];
    }
    if (found.total == 0)
        return BL_RAISE(BL_EINVAL, "%" PRId32 " classes without any image",
                        n_class);
    BL_TRY(bl_calloc(&sorted, n_class, sizeof *sorted));
    memcpy(sorted, n_c, (size_t)n_class * sizeof *sorted);
    qsort(sorted, (size_t)n_class, sizeof *sorted, ascending);
    sum_up(&found, sorted, limits);
    bl_free(sorted);
    *out = found;
    return BL_OK;
}
