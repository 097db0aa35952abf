/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classifier.c: trained weights put to use.  All that is needed to rebuild the
 * network stands in the file's metadata.
 */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "nn/engine.h"

enum { INFER_BATCH = 64 };

struct bl_classifier {
    bl_engine *engine;
};

static bl_status need(const char **out, const bl_safetensors *file,
                      const char *path, const char *key)
{
    *out = bl_safetensors_meta(file, key);
    if (*out) return BL_OK;
    if (bl_safetensors_meta(file, "resume.epoch"))
        return BL_RAISE(BL_EFORMAT, "%s: is the state a run resumes from, "
                        "wanted weights: last.safetensors or best.safetensors",
                        path);
    return BL_RAISE(BL_EFORMAT, "%s: metadata %s is missing: not weights that "
                    "Ballast wrote", path, key);
}

/** Reads "a,b,c" into values [c]. */
static bl_status read_reals(double *values, int32_t c, const char *text,
                            const char *path, const char *key)
{
    for (int32_t i = 0; i < c; i++) {
        char one[40];
        const size_t n = strcspn(text, ",");
        if (n >= sizeof one) break;
        memcpy(one, text, n);
        one[n] = 0;
        if (!bl_real_parse(&values[i], one)) break;
        text += n;
        if (i == c - 1 && !*text) return BL_OK;
        if (*text) text++;
    }
    return BL_RAISE(BL_EFORMAT, "%s: metadata %s: wanted %d numbers", path, key,
                    c);
}

static bl_status read_normalization(bl_normalization *out,
                                    const bl_safetensors *file,
                                    const char *path, int32_t c)
{
    const char *mean, *std;
    out->c = c;
    BL_TRY(need(&mean, file, path, "ballast.mean"));
    BL_TRY(need(&std, file, path, "ballast.std"));
    BL_TRY(read_reals(out->mean, c, mean, path, "ballast.mean"));
    BL_TRY(read_reals(out->std, c, std, path, "ballast.std"));
    for (int32_t i = 0; i < c; i++)
        if (!(out->std[i] > 0))
            return BL_RAISE(BL_EFORMAT, "%s: metadata ballast.std: %g is not "
                            "above 0", path, out->std[i]);
    return BL_OK;
}

/** Reads n bounded whole numbers with an x between them; false where text is
 *  something else.  One that is not there is 0. */
static bool read_wholes(int32_t *values, int32_t n, const char *text)
{
    for (int32_t i = 0; i < n; i++) {
        if (i > 0 && *text == 'x') text++;
        values[i] = 0;
        while (*text >= '0' && *text <= '9' && values[i] < 100000000)
            values[i] = 10 * values[i] + (*text++ - '0');
    }
    return !*text;
}

static bl_status refuse(const char *path, const char *key, const char *found,
                        const char *wanted)
{
    return BL_RAISE(BL_EFORMAT, "%s: metadata %s: \"%.60s\", wanted %s", path,
                    key, found, wanted);
}

static bl_status read_spec(bl_engine_spec *spec, const bl_safetensors *file,
                           const char *path)
{
    const char *model, *form, *classes, *input;
    int32_t extent[3];
    BL_TRY(need(&model, file, path, "ballast.model"));
    BL_TRY(need(&form, file, path, "ballast.form"));
    BL_TRY(need(&classes, file, path, "ballast.classes"));
    BL_TRY(need(&input, file, path, "ballast.input"));
    bl_network_spec *const net = &spec->network;
    net->model = bl_model_find(model);
    if (!net->model)
        return refuse(path, "ballast.model", model, "a model of this version");
    const bl_form_type *const f = bl_form_find(form);
    if (!f)
        return refuse(path, "ballast.form", form, "a form of this version");
    net->form = f->name;
    if (!read_wholes(&net->n_class, 1, classes) || net->n_class < 1)
        return refuse(path, "ballast.classes", classes, "a number above 0");
    const bool whole = read_wholes(extent, 3, input);
    net->h = extent[0];
    net->w = extent[1];
    net->c = extent[2];
    if (!whole || bl_network_check(net) < 0)
        return refuse(path, "ballast.input", input,
                      "HxWxC, at most 4096x4096x16");
    return read_normalization(&spec->normalization, file, path, net->c);
}

/** The metadata alone could ask for any amount of memory. */
static bl_status check_size(const bl_engine_spec *spec,
                            const bl_safetensors *file, const char *path)
{
    bl_graph *graph;
    BL_TRY(bl_network_graph(&graph, &spec->network, 1, &(bl_graph_spec){0}));
    const bl_status status = bl_params_match(graph, file, path);
    bl_graph_free(graph);
    return status;
}

static bl_status open(bl_classifier *c, const bl_safetensors *file,
                      const char *path, const bl_compute *compute)
{
    bl_engine_spec spec = {0};
    if (compute) spec.compute = *compute;
    BL_TRY(read_spec(&spec, file, path));
    BL_TRY(check_size(&spec, file, path));
    spec.infer_batch = bl_engine_infer_batch(&spec.network, INFER_BATCH);
    BL_TRY(bl_engine_open(&c->engine, &spec));
    return bl_params_import(c->engine->params, file, path, false);
}

bl_status bl_classifier_open(bl_classifier **out, const char *path,
                             const bl_compute *compute)
{
    bl_status status;
    bl_safetensors *file = NULL;
    bl_classifier *c = NULL;
    BL_CHECK(bl_safetensors_open(&file, path));
    BL_CHECK(bl_calloc(&c, 1, sizeof *c));
    BL_CHECK(open(c, file, path, compute));
    *out = c;
    c = NULL;
done:
    bl_classifier_free(c);
    bl_safetensors_free(file);
    return status;
}

void bl_classifier_free(bl_classifier *classifier)
{
    if (!classifier) return;
    bl_engine_free(classifier->engine);
    bl_free(classifier);
}

bl_status bl_classifier_logits(bl_classifier *classifier,
                               const uint8_t *pixels, int64_t n, float *z)
{
    return bl_engine_infer(classifier->engine, pixels, n, z, NULL);
}

bl_status bl_classifier_infer(bl_classifier *classifier,
                              const uint8_t *pixels, int64_t n, float *z,
                              float *f)
{
    return bl_engine_infer(classifier->engine, pixels, n, z, f);
}

int64_t bl_classifier_width(const bl_classifier *classifier)
{
    return bl_engine_width(classifier->engine);
}

bl_status bl_classifier_norms(const bl_classifier *classifier, double *norms)
{
    return bl_engine_norms(classifier->engine, norms);
}

const bl_network_spec *bl_classifier_spec(const bl_classifier *c)
{
    return &c->engine->spec.network;
}
