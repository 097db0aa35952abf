/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h: the only place with compiler extensions.
 */
#ifndef BL_CORE_COMPILER_H
#define BL_CORE_COMPILER_H

#if defined(__GNUC__)
#define BL_PRINTF(text, first) __attribute__((__format__(printf, text, first)))
#define BL_UNUSED __attribute__((unused))
#else
#define BL_PRINTF(text, first)
#define BL_UNUSED
#endif

#endif
