/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibration.c: whether a network is right as often as it is sure.
 *
 * Confidence is the largest softmax probability.  Images are sorted by it
 * into 15 bins of equal width; where the images of a bin are right less often
 * than their mean confidence says, the network is overconfident.  The expected
 * calibration error is the mean gap, weighted by images.  Bin k, from 0, takes
 * (k / 15, (k + 1) / 15].
 *
 * With z_top the largest logit, p_top = 1 / S and -log p_y = log S - (z_y -
 * z_top), S = sum_j exp(z_j - z_top) >= 1: nothing can overflow.  Infinite
 * logits: those equal to an infinite largest share the probability.
 *
 * With thousands of classes the exponentials are all the work, and the one of
 * the C library, a call each, takes three times as long as a loop that the
 * compiler vectorises:
 *
 *   exp x = 2^k exp r,   k = round(x / ln 2),   |r| <= ln 2 / 2
 *
 * with Taylor's series of exp r to r^13, whose rest is below 5e-18.
 *
 * Reference: Guo et al., "On calibration of modern neural networks", ICML
 * 2017, equation 3; bins as in their code.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "eval/parts.h"

enum { BLOCK = 256 };

/* exp(x) to an ulp or two for x in [-700, 0], where 2^k is a normal number.
 * Adding 1.5 * 2^52 rounds, and leaves k in the low bits of the sum. */
static inline double exp_below(double x)
{
    const double shift = 0x1.8p52;
    const double shifted = x * 0x1.71547652b82fep0 + shift; /* x / ln 2 */
    const double k = shifted - shift;
    const double r = x - k * 0x1.62e42fefa38p-1 - k * 0x1.ef35793c7673p-45;
    double p = 1 / 6227020800.0;
    p = p * r + 1 / 479001600.0;
    p = p * r + 1 / 39916800.0;
    p = p * r + 1 / 3628800.0;
    p = p * r + 1 / 362880.0;
    p = p * r + 1 / 40320.0;
    p = p * r + 1 / 5040.0;
    p = p * r + 1 / 720.0;
    p = p * r + 1 / 120.0;
    p = p * r + 1 / 24.0;
    p = p * r + 1 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    uint64_t bits, scale;
    memcpy(&scale, &shifted, sizeof scale);
    memcpy(&bits, &p, sizeof bits);
    bits += scale << 52;
    memcpy(&p, &bits, sizeof p);
    return p;
}

/* How many of z [C] are equal to top. */
static double count_equal(const float *z, int32_t n_class, float top)
{
    double n = 0;
    for (int32_t j = 0; j < n_class; j++) n += z[j] == top;
    return n;
}

/* sum_j exp(z_j - top) over z [C], top the largest.  In one loop the clamp
 * would become a branch and the sum a chain, and nothing be vectorised. */
static double sum_exp(const float *z, int32_t n_class, float top)
{
    double p[BLOCK], sum = 0;
    if (isinf(top)) return count_equal(z, n_class, top);
    for (int32_t at = 0; at < n_class; at += BLOCK) {
        const int32_t n = n_class - at < BLOCK ? n_class - at : BLOCK;
        for (int32_t j = 0; j < n; j++) {
            const double x = (double)z[at + j] - (double)top;
            p[j] = x > -700 ? x : -700;
        }
        for (int32_t j = 0; j < n; j++) p[j] = exp_below(p[j]);
        for (int32_t j = 0; j < n; j++) sum += p[j];
    }
    return sum;
}

static int bin_of(double confidence)
{
    const int bin = (int)ceil(confidence * BL_RELIABILITY_BINS) - 1;
    if (bin < 0) return 0;
    return bin < BL_RELIABILITY_BINS ? bin : BL_RELIABILITY_BINS - 1;
}

void bl_calibration_add(bl_evaluation *e, const float *z, int32_t label,
                        int32_t top)
{
    const double sum = sum_exp(z, e->n_class, z[top]);
    bl_reliability_bin *const bin = &e->bins[bin_of(1 / sum)];
    bin->n++;
    bin->confidence += 1 / sum;
    bin->accuracy += top == label;
    e->nll += log(sum);
    if (z[label] != z[top]) e->nll += (double)z[top] - (double)z[label];
}

void bl_calibration_close(bl_evaluation *e)
{
    double gaps = 0;
    for (int k = 0; k < BL_RELIABILITY_BINS; k++) {
        bl_reliability_bin *const bin = &e->bins[k];
        const double n = bin->n > 0 ? (double)bin->n : (double)NAN;
        gaps += fabs(bin->accuracy - bin->confidence);
        bin->confidence /= n;
        bin->accuracy /= n;
    }
    const double n = e->n > 0 ? (double)e->n : (double)NAN;
    e->ece = gaps / n;
    e->nll /= n;
}

void bl_evaluation_forget_calibration(bl_evaluation *evaluation)
{
    evaluation->nll = evaluation->ece = (double)NAN;
    for (int k = 0; k < BL_RELIABILITY_BINS; k++)
        evaluation->bins[k] =
            (bl_reliability_bin){0, (double)NAN, (double)NAN};
}
