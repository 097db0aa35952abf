/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin.c: compute threads that share their cores with other programs.
 *
 * Between two parallel loops GCC's OpenMP threads spin for about a millisecond
 * before they sleep.  A step has hundreds of loops; where somebody else wants
 * the cores, the spinning threads use up the time that the working one waits
 * for, and training crawls.  A shorter spin costs nothing on an idle machine
 * and keeps its rate on a busy one (docs/performance.md).
 *
 * The runtime reads the setting before main, so the program starts itself
 * again with it.  A user's own OMP_WAIT_POLICY or GOMP_SPINCOUNT is obeyed;
 * where a program cannot start itself, it goes on as it is.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

void cli_spin(char *const *argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("GOMP_SPINCOUNT", "20000", 1) == 0)
        (void)execv("/proc/self/exe", argv);
}
