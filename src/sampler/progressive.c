/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progressive.c: from natural frequency to balance, epoch by epoch.
 *
 *   p_c = (1 - t) n_c / N + t / C,   t = (e - 1) / max(E - 1, 1)
 *
 * Progressively balanced sampling (Kang et al., "Decoupling representation
 * and classifier for long-tailed recognition", ICLR 2020, arXiv:1910.09217,
 * equation 2): features are learnt from the data as they are, and the
 * classifier ends on balanced classes.  The paper counts epochs from 0 to T
 * and divides by T; here epochs 1 to E reach both ends, t = 0 and t = 1.  In
 * a run of two stages e and E are counted within the stage.
 *
 * Draws are with replacement even at t = 0, where the distribution is that of
 * `uniform`.
 */
#include "sampler/sampler.h"

static double weight(const bl_class_view *view)
{
    const double natural = (double)view->n / (double)view->n_total;
    return (1 - view->t) * natural + view->t / view->n_class;
}

const bl_sampler_type bl_sampler_progressive = {
    .name = "progressive",
    .summary = "natural frequency at first, balanced at last",
    .paper = "arXiv:1910.09217",
    .equation = "P(c) = (1 - t) n_c / N + t / C, t from 0 to 1",
    .class_weight = weight,
    .moves = 1,
};
