/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permutation.c: every image once an epoch, in a new random order.
 *
 * The ordinary shuffled epoch of deep learning and the sampler of BBN's
 * conventional branch.  Class c is met with its natural frequency n_c / N.
 * The order of an epoch is Fisher and Yates' shuffle of 0..N-1 by a stream
 * keyed by (seed, epoch), made anew each epoch and not from the order before
 * it, so a run resumed in epoch 57 need not replay 56 shuffles.
 */
#include "sampler/sampler.h"

#include <stddef.h>

const bl_sampler_type bl_sampler_permutation = {
    .name = "permutation",
    .summary = "each image once an epoch, in random order",
    .paper = "",
    .equation = "",
    .class_weight = NULL,
    .permutes = 1,
};
