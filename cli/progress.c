/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c: how far a run is, on standard error.
 *
 * On a terminal one line is rewritten, at most ten times a second; elsewhere
 * each closed epoch gets a plain line of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

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
    p->said = now.last.epoch;
}

static void plain_line(const cli_progress *p, const bl_progress *now)
{
    char test[16], train[16], left[32];
    cli_percent(test, now->last.test_error);
    cli_percent(train, now->last.train_error);
    cli_duration(left, now->seconds_left);
    (void)fprintf(stderr,
                  "epoch %lld/%lld  lr %.4g  loss %.4f  train error %s  "
                  "%s %s  %.0f %s/s  %s left\n",
                  (long long)now->last.epoch, (long long)now->epochs,
                  now->last.lr, now->last.train_loss, train, p->error, test,
                  now->last.samples_per_second, p->unit, left);
}

static void live_line(cli_progress *p, const bl_progress *now)
{
    char test[16], left[32], line[256], last[48] = "";
    cli_duration(left, now->seconds_left);
    if (now->last.epoch > 0) {
        cli_percent(test, now->last.test_error);
        (void)snprintf(last, sizeof last, "%s %s  ", p->error, test);
    }
    (void)snprintf(line, sizeof line,
                   "epoch %lld/%lld  %s %lld/%lld  %.0f %s/s  %s%s left",
                   (long long)now->epoch, (long long)now->epochs,
                   now->evaluating ? "test" : "step", (long long)now->step,
                   (long long)now->steps, now->samples_per_second, p->unit,
                   last, left);
    (void)fprintf(stderr, "\r%.*s\033[K", cli_width() - 1, line);
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
    (void)fprintf(stderr, "ballast: %s%s\n",
                  level == BL_LOG_WARNING ? "warning: " : "", message);
}
