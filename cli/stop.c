/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.c: SIGINT, SIGTERM and SIGHUP ask a run to stop.
 *
 * The handler only notes the signal; the loop of training looks between two
 * steps and writes a checkpoint.  SA_RESETHAND gives the signal back its usual
 * meaning, so a second one ends the process at once.  SIGHUP stays ignored
 * under nohup.  SIGPIPE is ignored: a run does not end because whoever read
 * its progress did, and Ctrl-C in "ballast train ... | tee log" ends tee
 * before the checkpoint is written.  The flag is the one variable of this
 * program that outlives a call: a handler has no argument.
 *
 * SIGXFSZ is ignored by every command: past a limit on the size of files a
 * write then fails like one to a full disk, and is told and cleaned up.
 * SIGCHLD has its usual meaning even under a parent that ignored it: the ends
 * of children are waited for.
 */
#include <signal.h>
#include <string.h>

#include "cli.h"

static volatile sig_atomic_t stop_signal;

static void note(int signal_number)
{
    stop_signal = signal_number;
}

void cli_signals_settle(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
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
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    (void)sigaction(SIGPIPE, &action, NULL);
}

int cli_stop_signal(void)
{
    return stop_signal;
}

const char *cli_stop_name(int signal_number)
{
    if (signal_number == SIGINT) return "SIGINT";
    return signal_number == SIGHUP ? "SIGHUP" : "SIGTERM";
}
