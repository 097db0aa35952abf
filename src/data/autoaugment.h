/* SPDX-License-Identifier: Apache-2.0 */
/*
 * autoaugment.h: the policy that AutoAugment found for CIFAR-10.
 */
#ifndef BL_DATA_AUTOAUGMENT_H
#define BL_DATA_AUTOAUGMENT_H

#include <stdint.h>

#include "ballast/rng.h"
#include "data/imageops.h"

enum { BL_AUTOAUGMENT_POLICIES = 25 };

/** An operation and its range. */
typedef struct bl_autoaugment_op {
    const char *name;
    bl_image_op *apply;
    double base, low, high; /* value: base + sign (low ... high)    */
    int has_sign;           /* the sign is drawn; otherwise it is + */
} bl_autoaugment_op;

/** One of two steps of a sub-policy. */
typedef struct bl_autoaugment_step {
    double probability;
    const bl_autoaugment_op *op;
    int32_t level; /* 0 ... 9: low ... high */
} bl_autoaugment_step;

/** The sub-policies, each two steps taken one after the other. */
extern const bl_autoaugment_step
    bl_autoaugment_policies[BL_AUTOAUGMENT_POLICIES][2];

/** What happens to one image. */
typedef struct bl_autoaugment {
    int32_t policy;  /* row of the table                         */
    int fires[2];    /* whether the step is taken                */
    int negative[2]; /* sign of its operation, where it has one  */
} bl_autoaugment;

/** Draws a sub-policy, each as likely as another; then, for the first step
 *  and for the second, a real (the step fires below its probability) and the
 *  sign.  Each is drawn whether or not it is needed: five in all. */
bl_autoaugment bl_autoaugment_draw(bl_rng *rng);

/** Does what was drawn.
 *
 * Shapes   out, in, scratch [h][w][c], none overlapping another.
 * Exact    yes: Pillow's bytes (Checked: data/imageops.safetensors).
 * Source   Cubuk, Zoph, Mane, Vasudevan, Le: AutoAugment, CVPR 2019,
 *          arXiv:1805.09501, appendix, table of CIFAR-10.
 * Deviates ranges are those of the codes for long tails: see
 *          docs/augmentation.md.
 */
void bl_autoaugment_apply(uint8_t *restrict out, const uint8_t *restrict in,
                          uint8_t *restrict scratch, bl_image_size size,
                          const bl_autoaugment *draw);

#endif
