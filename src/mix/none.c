/* SPDX-License-Identifier: Apache-2.0 */
/*
 * none.c: every image stays what it is.
 *
 * A row of its own, so that "not mixing" is a choice like the others; a
 * loader that is given it works as one that was given nothing.
 */
#include "mix/mix.h"

const bl_mix_kind bl_mix_none = {
    .type = {.name = "none",
             .summary = "no mixing",
             .paper = "",
             .parts = 1,
             .inside = 0,
             .equation = ""},
};
