/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h: how long something takes.
 */
#ifndef BL_CORE_CLOCK_H
#define BL_CORE_CLOCK_H

/** Seconds of a clock that only goes forward, from a start of its own. */
double bl_clock(void);

#endif
