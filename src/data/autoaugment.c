/* SPDX-License-Identifier: Apache-2.0 */
/*
 * autoaugment.c: one of 25 pairs of operations, each step by chance.
 *
 * A search found the pairs, their probabilities and their levels 0 ... 9 on
 * CIFAR-10; what is left here is two tables.  A level is a place on the range
 * of its operation,
 *
 *   value = base + sign (low + (high - low) level / 9)
 *
 * where the sign is a coin's for operations that have two directions.  Base 1
 * stands for enhancement, whose value 1 changes nothing.
 *
 * Cubuk, Zoph, Mane, Vasudevan, Le: AutoAugment: Learning Augmentation
 * Policies from Data, CVPR 2019, arXiv:1805.09501.
 */
#include "data/autoaugment.h"

#include <stddef.h>
#include <string.h>

/* ---- operations and their ranges ----------------------------------------- */

static const bl_autoaugment_op
    shear_y = {"shear-y", bl_image_shear_y, 0, 0, 0.3, 1},
    translate_x = {"translate-x", bl_image_translate_x, 0, 0, 150.0 / 331, 1},
    translate_y = {"translate-y", bl_image_translate_y, 0, 0, 150.0 / 331, 1},
    rotate = {"rotate", bl_image_rotate, 0, 0, 30, 1},
    color = {"color", bl_image_color, 1, 0, 0.9, 1},
    contrast = {"contrast", bl_image_contrast, 1, 0, 0.9, 1},
    brightness = {"brightness", bl_image_brightness, 1, 0, 0.9, 1},
    sharpness = {"sharpness", bl_image_sharpness, 1, 0, 0.9, 1},
    posterize = {"posterize", bl_image_posterize, 0, 8, 4, 0},
    solarize = {"solarize", bl_image_solarize, 0, 256, 0, 0},
    autocontrast = {"autocontrast", bl_image_autocontrast, 0, 0, 0, 0},
    equalize = {"equalize", bl_image_equalize, 0, 0, 0, 0},
    invert = {"invert", bl_image_invert, 0, 0, 0, 0};

static double value_of(const bl_autoaugment_step *step, int negative)
{
    const bl_autoaugment_op *const op = step->op;
    const double part = op->low + (op->high - op->low) * step->level / 9;
    return op->base + (op->has_sign && negative ? -part : part);
}

/* ---- draw and apply ------------------------------------------------------ */

bl_autoaugment bl_autoaugment_draw(bl_rng *rng)
{
    bl_autoaugment draw = {0};
    draw.policy = (int32_t)bl_rng_below(rng, BL_AUTOAUGMENT_POLICIES);
    for (int i = 0; i < 2; i++) {
        const double p = bl_autoaugment_policies[draw.policy][i].probability;
        draw.fires[i] = bl_rng_unit(rng) < p;
        draw.negative[i] = bl_rng_below(rng, 2) == 1;
    }
    return draw;
}

void bl_autoaugment_apply(uint8_t *restrict out, const uint8_t *restrict in,
                          uint8_t *restrict scratch, bl_image_size size,
                          const bl_autoaugment *draw)
{
    const bl_autoaugment_step *const step =
        bl_autoaugment_policies[draw->policy];
    const uint8_t *from = in;
    if (draw->fires[0]) {
        step[0].op->apply(scratch, in, size,
                          value_of(&step[0], draw->negative[0]));
        from = scratch;
    }
    if (draw->fires[1])
        step[1].op->apply(out, from, size,
                          value_of(&step[1], draw->negative[1]));
    else
        memcpy(out, from, (size_t)size.h * (size_t)size.w * (size_t)size.c);
}

/* ---- the policy ---------------------------------------------------------- */

const bl_autoaugment_step
    bl_autoaugment_policies[BL_AUTOAUGMENT_POLICIES][2] = {
    {{.1, &invert, 7}, {.2, &contrast, 6}},
    {{.7, &rotate, 2}, {.3, &translate_x, 9}},
    {{.8, &sharpness, 1}, {.9, &sharpness, 3}},
    {{.5, &shear_y, 8}, {.7, &translate_y, 9}},
    {{.5, &autocontrast, 8}, {.9, &equalize, 2}},
    {{.2, &shear_y, 7}, {.3, &posterize, 7}},
    {{.4, &color, 3}, {.6, &brightness, 7}},
    {{.3, &sharpness, 9}, {.7, &brightness, 9}},
    {{.6, &equalize, 5}, {.5, &equalize, 1}},
    {{.6, &contrast, 7}, {.6, &sharpness, 5}},
    {{.7, &color, 7}, {.5, &translate_x, 8}},
    {{.3, &equalize, 7}, {.4, &autocontrast, 8}},
    {{.4, &translate_y, 3}, {.2, &sharpness, 6}},
    {{.9, &brightness, 6}, {.2, &color, 8}},
    {{.5, &solarize, 2}, {0, &invert, 3}},
    {{.2, &equalize, 0}, {.6, &autocontrast, 0}},
    {{.2, &equalize, 8}, {.6, &equalize, 4}},
    {{.9, &color, 9}, {.6, &equalize, 6}},
    {{.8, &autocontrast, 4}, {.2, &solarize, 8}},
    {{.1, &brightness, 3}, {.7, &color, 0}},
    {{.4, &solarize, 5}, {.9, &autocontrast, 3}},
    {{.9, &translate_y, 9}, {.7, &translate_y, 9}},
    {{.9, &autocontrast, 2}, {.8, &solarize, 3}},
    {{.8, &equalize, 8}, {.1, &invert, 3}},
    {{.7, &translate_y, 9}, {.9, &autocontrast, 1}},
};
