/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of classifier rows, of every form and with scales of classes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ballast/model.h"
#include "core/mem.h"
#include "nn/engine.h"

enum { C = 7 };

static bl_engine *open_engine(const char *form, bool scale)
{
    bl_engine *e = NULL;
    const bl_engine_spec spec = {
        .network = {bl_model_find("resnet20"), form, 8, 8, 1, C},
        .compute = {.backend = "ref", .precision = "fp32"},
        .normalization = {1, {0.317}, {0.253}},
        .batch = scale ? 3 : 0, .infer_batch = 3,
        .graph = {.scale = scale}};
    if (bl_engine_open(&e, &spec) < 0) fail_msg("%s", bl_error_last()->message);
    return e;
}

/** Gives row c the length (c + 1) / 8, its first half 0.8 and its second 0.6 of
 *  that, and scales of which one is negative. */
static void fill(bl_engine *e, bool scale)
{
    bl_params *const p = e->params;
    char name[BL_NAME_ROOM];
    const int64_t d = bl_engine_width(e);
    for (int32_t part = 0; part <= scale; part++) {
        float *values = NULL;
        const int64_t n = part ? C : C * d;
        assert_int_equal(bl_calloc(&values, n, sizeof *values), BL_OK);
        for (int64_t i = 0; i < n; i++)
            values[i] = part ? (float)(i - 2)
                             : (float)((double)(i / d + 1) / 8 *
                                       (i % d < d / 2 ? 0.8 : 0.6) /
                                       sqrt((double)d / 2));
        (void)snprintf(name, sizeof name, "%s.%s",
                       bl_network_head(&e->spec.network),
                       part ? "scale" : "weight");
        assert_int_equal(
            p->backend->upload(p->dev,
                               bl_params_value(p, bl_params_find(p, name)),
                               values, (size_t)n * sizeof *values), BL_OK);
        bl_free(values);
    }
}

static void is(double found, double wanted)
{
    if (isnan(wanted) ? !isnan(found) : !(fabs(found - wanted) < 1e-6))
        fail_msg("%g, wanted %g", found, wanted);
}

static void rows_of_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *form;
        int64_t d;
        bool scale;
    } rows[] = {{"plain", 64, false}, {"cosine", 64, false},
                {"bbn", 128, false}, {"plain", 64, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double norm[BL_ROW_PARTS * C];
        bl_engine *const e = open_engine(rows[i].form, rows[i].scale);
        assert_int_equal(bl_engine_width(e), rows[i].d);
        fill(e, rows[i].scale);
        assert_int_equal(bl_engine_norms(e, norm), BL_OK);
        for (int c = 0; c < C; c++) {
            const double s = rows[i].scale ? abs(c - 2) : 1;
            const double whole = s * (c + 1) / 8;
            is(norm[c], strcmp(rows[i].form, "cosine") ? whole : (double)NAN);
            for (int part = BL_ROW_UNIFORM; part < BL_ROW_PARTS; part++)
                is(norm[part * C + c], rows[i].d == 128
                       ? (part == BL_ROW_UNIFORM ? 0.8 : 0.6) * whole
                       : (double)NAN);
        }
        bl_engine_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
