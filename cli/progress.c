/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c: how far a run is, on standard error.
 *
 * On a terminal one line is rewritten, at most ten times a second, and what
 * does not fit it is left out, the least wanted first; elsewhere each closed
 * epoch gets a plain line of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { LINE = 256 };
#define REDRAW_S 0.1

static int is_live(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void cli_progress_begin(cli_progress *p, int quiet, const bl_config *config,
                        const bl_trainer *trainer)
{
    const bl_method_type *method =
        bl_method_find(bl_config_string(config, "method"));
    bl_progress now;
    bl_trainer_progress(trainer, &now);
    p->quiet = quiet;
    p->live = !quiet && is_live();
    p->unit = method && strcmp(method->form, "bbn") == 0 ? "pairs" : "images";
    p->error = bl_config_real(config, "holdout") > 0 ? "validation error"
                                                     : "test error";
    p->brief = bl_config_real(config, "holdout") > 0 ? "validation"
                                                     : "test error";
    p->said = now.last.epoch;
}

static void plain_line(const cli_progress *p, const bl_progress *now)
{
    char test[16], train[16], left[32];
    cli_percent(test, now->last.test_error);
    cli_percent(train, now->last.train_error);
    cli_duration(left, now->seconds_left + p->later);
    if (p->lead) (void)fprintf(stderr, "%s  ", p->lead);
    (void)fprintf(stderr,
                  "epoch %lld/%lld  lr %.4g  loss %.4f  train error %s  "
                  "%s %s  %.0f %s/s  %s left\n",
                  (long long)now->last.epoch, (long long)now->epochs,
                  now->last.lr, now->last.train_loss, train, p->error, test,
                  now->last.samples_per_second, p->unit, left);
}

/** Appends a piece to the line, whole or not at all. */
static void append(char line[LINE], int width, const char *piece)
{
    const size_t used = strlen(line);
    const size_t gap = used > 0 ? 2 : 0;
    const size_t room = width > LINE ? LINE : (size_t)width;
    if (used + gap + strlen(piece) >= room) return;
    (void)snprintf(line + used, LINE - used, "%*s%s", (int)gap, "", piece);
}

static void live_line(cli_progress *p, const bl_progress *now)
{
    char percent[16], left[32], line[LINE] = "", piece[64];
    const int width = cli_width(STDERR_FILENO);
    if (p->lead) append(line, width, p->lead);
    (void)snprintf(piece, sizeof piece, "epoch %lld/%lld",
                   (long long)now->epoch, (long long)now->epochs);
    append(line, width, piece);
    (void)snprintf(piece, sizeof piece, "%s %lld/%lld",
                   now->evaluating ? "test" : "step", (long long)now->step,
                   (long long)now->steps);
    append(line, width, piece);
    (void)snprintf(piece, sizeof piece, "%.0f %s/s", now->samples_per_second,
                   p->unit);
    append(line, width, piece);
    cli_duration(left, now->seconds_left + p->later);
    (void)snprintf(piece, sizeof piece, "%s left", left);
    append(line, width, piece);
    if (now->last.epoch > 0) {
        cli_percent(percent, now->last.test_error);
        (void)snprintf(piece, sizeof piece, "%s %s", p->brief, percent);
        append(line, width, piece);
    }
    (void)fprintf(stderr, "\r%s\033[K", line);
    p->open = 1;
}

void cli_progress_show(cli_progress *p, const bl_trainer *trainer)
{
    if (p->quiet) return;
    const double clock = cli_clock();
    if (p->live && clock - p->drawn < REDRAW_S) return;
    bl_progress now;
    bl_trainer_progress(trainer, &now);
    if (p->live) {
        live_line(p, &now);
        p->drawn = clock;
    } else if (now.last.epoch > p->said) {
        plain_line(p, &now);
        p->said = now.last.epoch;
    }
}

void cli_progress_end(cli_progress *p)
{
    if (p->open) (void)fputc('\n', stderr);
    p->open = 0;
}

void cli_progress_log(void *payload, bl_log_level level, const char *message)
{
    cli_progress *p = payload;
    if (p->open) (void)fputs("\r\033[K", stderr);
    p->open = 0;
    (void)fprintf(stderr, "ballast: %s%s%s%s\n",
                  level == BL_LOG_WARNING ? "warning: " : "",
                  p->lead ? p->lead : "", p->lead ? ": " : "", message);
}
