/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.c: the backends of this build, by name.
 *
 * The list is ordered fastest first, so "auto" is its first entry that works
 * on this machine.  A new backend is one extern declaration and one row here,
 * the only place where a build option chooses code.
 */
#include "backend/backend.h"

#include <string.h>

#include "ballast/model.h"
#include "core/error.h"
#include "core/text.h"

#ifdef BL_WITH_ONEDNN
#include "backend/onednn/onednn.h"
#endif

static const bl_backend *const backends[] = {
#ifdef BL_WITH_ONEDNN
    &bl_backend_onednn,
#endif
    &bl_backend_ref,
    NULL,
};

static const struct {
    const char *name;
    size_t size;
    bl_dtype real;
} dtypes[] = {
    [BL_F32] = {"f32", 4, BL_F32},
    [BL_BF16] = {"bf16", 2, BL_F32},
    [BL_F64] = {"f64", 8, BL_F64},
};

size_t bl_dtype_size(bl_dtype dtype)
{
    return dtypes[dtype].size;
}

bl_dtype bl_dtype_real(bl_dtype act)
{
    return dtypes[act].real;
}

const char *bl_dtype_name(bl_dtype dtype)
{
    return dtypes[dtype].name;
}

const bl_backend *const *bl_backends(void)
{
    return backends;
}

static bl_status find_first(const bl_backend **out)
{
    for (const bl_backend *const *b = backends; *b != NULL; b++) {
        if ((*b)->available()) {
            *out = *b;
            return BL_OK;
        }
    }
    return BL_RAISE(BL_EUNSUPPORTED,
                    "backend auto: none of this build runs on this machine");
}

static bl_status refuse_name(const char *name)
{
    bl_text built = {0};
    for (const bl_backend *const *b = backends; *b != NULL; b++) {
        bl_text_printf(&built, "%s%s", b == backends ? "" : ", ", (*b)->name);
    }
    const bl_status status =
        BL_RAISE(BL_EINVAL, "backend %.64s: not in this build, which has %s",
                 name, built.text != NULL ? built.text : "ref");
    bl_text_free(&built);
    return status;
}

bl_status bl_backend_find(const bl_backend **out, const char *name)
{
    if (name == NULL || strcmp(name, "auto") == 0) return find_first(out);
    for (const bl_backend *const *b = backends; *b != NULL; b++) {
        if (strcmp((*b)->name, name) != 0) continue;
        if (!(*b)->available()) {
            return BL_RAISE(BL_EUNSUPPORTED,
                            "backend %s: built, but this machine lacks what "
                            "it needs (%s)", name, (*b)->summary);
        }
        *out = *b;
        return BL_OK;
    }
    return refuse_name(name);
}

bl_status bl_compute_threads(int32_t *out, const bl_compute *compute)
{
    const bl_backend *backend;
    bl_device *dev;
    BL_TRY(bl_backend_find(&backend, compute->backend));
    BL_TRY(backend->open(&dev, compute->threads));
    *out = backend->threads(dev);
    backend->close(dev);
    return BL_OK;
}

int32_t bl_backend_list(bl_backend_info *rows, int32_t max)
{
    int32_t n = 0;
    for (; backends[n] != NULL; n++) {
        if (n >= max) continue;
        const bl_backend *const b = backends[n];
        rows[n] = (bl_backend_info){
            .name = b->name,
            .summary = b->summary,
            .available = b->available(),
            .fp32 = b->runs(BL_F32),
            .bf16 = b->runs(BL_BF16),
            .bf16_native = b->bf16_native(),
        };
    }
    return n;
}
