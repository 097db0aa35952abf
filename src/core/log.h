/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: saying things to a caller's bl_log.
 */
#ifndef BL_CORE_LOG_H
#define BL_CORE_LOG_H

#include "ballast/log.h"
#include "core/compiler.h"

/** Says one line; nothing where there is no sink or the level is above it. */
void bl_log_say(const bl_log *log, bl_log_level level, const char *format,
                ...) BL_PRINTF(3, 4);

#endif
