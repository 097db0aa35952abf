/* SPDX-License-Identifier: Apache-2.0 */
/*
 * near.h: comparison of doubles; cmocka's own goes through float.
 */
#ifndef BALLAST_TESTS_NEAR_H
#define BALLAST_TESTS_NEAR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

/** Fails unless |got - want| <= bound; equal infinities are near. */
#define assert_near(got, want, bound) \
    near_check((got), (want), (bound), __FILE__, __LINE__)

static inline void near_check(double got, double want, double bound,
                              const char *file, int line)
{
    if (got == want || fabs(got - want) <= bound) return;
    print_error("%.17g is not %.17g within %.3g\n", got, want, bound);
    _fail(file, line);
}

#endif
