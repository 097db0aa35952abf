/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c: the monotonic clock, which no correction of the time of day moves.
 *
 * A double holds a machine's uptime of years to better than a microsecond.
 */
#include "core/clock.h"

#include <time.h>

double bl_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
