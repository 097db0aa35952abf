/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.c: SIGINT and SIGTERM ask a run to stop.
 *
 * The handler only notes the signal; the loop of training looks between two
 * steps and writes a checkpoint.  SA_RESETHAND gives the signal back its usual
 * meaning, so a second one ends the process at once.  The flag is the one
 * variable of this program that outlives a call: a handler has no argument.
 */
#include <signal.h>
#include <string.h>

#include "cli.h"

static volatile sig_atomic_t stop_signal;

static void note(int signal_number)
{
    stop_signal = signal_number;
}

void cli_stop_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = (int)SA_RESETHAND; /* some systems make it unsigned */
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

int cli_stop_signal(void)
{
    return stop_signal;
}
