/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c: errors as tables.  Errors are fractions in files and per cent
 * here.
 */
#include <math.h>
#include <string.h>

#include "cli.h"

static void row(const char *name, int32_t n_class, double error,
                const char *note)
{
    char text[16];
    cli_percent(text, error);
    printf("%-8s %7d   %9s%s\n", name, (int)n_class, text, note);
}

/** What the errors by shot do not say, in one line. */
static void summary(const bl_evaluation *e, char *const *class_names)
{
    char balanced[16], worst[16], ece[16];
    if (e->worst_class < 0) return;
    cli_percent(balanced, e->balanced_error);
    cli_percent(worst, e->class_error[e->worst_class]);
    cli_percent(ece, e->ece);
    printf("\nmean of classes %s, worst class %s (%s), calibration error %s\n",
           balanced, worst, class_names[e->worst_class], ece);
}

/** Where a shot begins or ends, for papers differ in that. */
static void shot_note(char note[64], const bl_evaluation *e, int shot)
{
    note[0] = '\0';
    if (shot == BL_SHOT_MANY)
        (void)snprintf(note, 64, "   above %lld training images",
                       (long long)e->limits.many_above);
    if (shot == BL_SHOT_FEW)
        (void)snprintf(note, 64, "   below %lld",
                       (long long)e->limits.few_below);
}

void cli_error_table(const bl_evaluation *e, char *const *class_names,
                     double best, int64_t best_epoch)
{
    char note[64] = "", text[16];
    cli_percent(text, best);
    if (best >= 0)
        (void)snprintf(note, sizeof note, "   (best: %s, epoch %lld)", text,
                       (long long)best_epoch);
    else if (isnan(best))
        (void)snprintf(note, sizeof note, "   (best: -, the classifier was "
                       "rewritten)");
    printf("%-8s %7s   %9s\n", "", "classes", "error");
    row("all", e->n_class, e->error, note);
    for (int s = BL_SHOT_MANY; s <= BL_SHOT_FEW; s++) {
        shot_note(note, e, s);
        row(bl_shot_name((bl_shot)s), e->shot_classes[s], e->shot_error[s],
            note);
    }
    summary(e, class_names);
}

static int widest(char *const *names, int32_t n, int width)
{
    for (int32_t i = 0; i < n; i++)
        if (cli_columns(names[i]) > width) width = cli_columns(names[i]);
    return width;
}

/** Four digits, or a dash for what is not known. */
static void number(char text[16], double value)
{
    (void)snprintf(text, 16, isnan(value) ? "-" : "%.4f", value);
}

void cli_class_table(const bl_evaluation *e, char *const *class_names,
                     const double *norms, const double *compactness)
{
    const int width = widest(class_names, e->n_class, 5);
    printf("\n%-*s  %9s  %8s  %9s  %8s  %11s\n", width, "class", "training",
           "test", "error", "weight", "compactness");
    for (int32_t i = 0; i < e->n_class; i++) {
        char error[16], norm[16], compact[16];
        cli_percent(error, e->class_error[i]);
        number(norm, norms[i]);
        number(compact, compactness[i]);
        printf("%s%*s  %9lld  %8lld  %9s  %8s  %11s\n", class_names[i],
               width - cli_columns(class_names[i]), "",
               (long long)e->train_n[i], (long long)e->class_n[i], error,
               norm, compact);
    }
}
