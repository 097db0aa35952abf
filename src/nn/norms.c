/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norms.c: lengths of the rows of a classifier.
 *
 *   norm_c = s_c |W_c|,   s_c the learnt scale of a class, or 1
 *
 * A classifier trained on a long tail has long rows for the head and short
 * ones for the tail, and so larger logits for the head; how even the lengths
 * are tells how much of the bias sits in the classifier.  The BBN form has
 * one row over both branches: all of it is measured, and the half of each.  The
 * cosine form divides by the length, which then says nothing: it has none.
 *
 * References: Kang et al., ICLR 2020, section 4; Zhou et al., CVPR 2020,
 * figure 4.
 */
#include <math.h>

#include "ballast/model.h"
#include "core/error.h"
#include "core/mem.h"
#include "nn/engine.h"

static double length(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

/* Lengths of a part of the rows of w [C][d]; scale [C], or NULL. */
static void measure(double *norm, const float *w, const float *scale,
                    int64_t c, int64_t d, bl_row_part part)
{
    const int64_t width = part == BL_ROW_WHOLE ? d : d / 2;
    const int64_t from = part == BL_ROW_REVERSED ? width : 0;
    for (int64_t j = 0; j < c; j++)
        norm[j] = length(w + j * d + from, width) *
                  (scale != NULL ? fabs((double)scale[j]) : 1);
}

/* Does the form have rows of that kind, and do their lengths matter? */
static bool has_part(const bl_network_spec *network, bl_row_part part)
{
    const bl_form_type *const form = bl_form_find(network->form);
    return !form->cosine && (part == BL_ROW_WHOLE || form->branches);
}

bl_status bl_engine_norms(const bl_engine *engine, double *norms)
{
    bl_status status;
    const bl_network_spec *const network = &engine->spec.network;
    const int64_t c = network->n_class;
    const int64_t d = bl_engine_width(engine);
    const int32_t weight = bl_engine_head_param(engine, "weight");
    const int32_t scaled = bl_engine_head_param(engine, "scale");
    float *w = NULL, *scale = NULL; // [C][D], [C]
    size_t row = 0;
    BL_TRY(bl_size_mul(&row, d, sizeof *w));
    BL_CHECK(bl_calloc(&w, c, row));
    if (scaled >= 0) BL_CHECK(bl_calloc(&scale, c, sizeof *scale));
    BL_CHECK(bl_params_get(engine->params, weight, w));
    if (scaled >= 0) BL_CHECK(bl_params_get(engine->params, scaled, scale));
    for (int64_t i = 0; i < BL_ROW_PARTS * c; i++) norms[i] = (double)NAN;
    for (int part = 0; part < BL_ROW_PARTS; part++)
        if (has_part(network, (bl_row_part)part))
            measure(norms + part * c, w, scale, c, d, (bl_row_part)part);
done:
    bl_free(w);
    bl_free(scale);
    return status;
}
