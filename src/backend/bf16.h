/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bf16.h: bfloat16, the upper half of an IEEE binary32.
 *
 * Eight bits of exponent, seven stored bits of fraction.  Conversion rounds
 * to nearest, ties to even; what exceeds the largest finite value becomes
 * infinity; a NaN stays a (quiet) NaN, which plain rounding would carry into
 * infinity or into a zero of the other sign.
 */
#ifndef BL_BACKEND_BF16_H
#define BL_BACKEND_BF16_H

#include <stdint.h>
#include <string.h>

typedef uint16_t bl_bf16;

static inline bl_bf16 bl_bf16_from_f32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return (bl_bf16)(bits >> 16 | 0x0040u);
    }
    bits += 0x7fffu + (bits >> 16 & 1u);
    return (bl_bf16)(bits >> 16);
}

static inline float bl_bf16_to_f32(bl_bf16 value)
{
    const uint32_t bits = (uint32_t)value << 16;
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

#endif
