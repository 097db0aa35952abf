/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.h: the inner loops over memory, one table for each instruction set.
 *
 * The library is built for the plainest processor of its family and chooses
 * among these tables when a device is opened.  kernels_body.h is the one text
 * of all of them; a file kernels_<isa>.c compiles it for one instruction set.
 *
 * A tile is rows x lanes numbers, lanes <= bl_kernels.lanes, rows a stride
 * apart.  Arrays over lanes (constants, sums) have bl_kernels.lanes elements,
 * read and written in full, and number i of a row belongs to lane_of(i): the
 * order that suits the registers.  Lanes of no number must hold numbers.
 */
#ifndef BL_BACKEND_ONEDNN_KERNELS_H
#define BL_BACKEND_ONEDNN_KERNELS_H

#include "backend/backend.h"

enum { BL_LANES_MAX = 64 };

typedef struct bl_tile {
    int64_t rows, lanes, stride; /* stride in elements */
} bl_tile;

typedef struct bl_kernels {
    const char *isa;
    int64_t lanes;               /* of a full tile */
    int64_t (*lane_of)(int64_t i);

    /** a += sum of (src - centre), b += sum of (src - centre)^2. */
    void (*sums)(bl_tile tile, const void *src, const float *centre,
                 double *a, double *b);
    /** dst = [relu]((src - mean) scale + beta [+ add]); add may be NULL. */
    void (*normalise)(bl_tile tile, const void *src, const void *add,
                      bool relu, const float *mean, const float *scale,
                      const float *beta, void *dst);
    /** g = (d1 + d2) [dst > 0]; dst and d2 may be NULL; written to keep
     *  unless NULL.  a += sum of g, b += sum of g (src - mean). */
    void (*grad_sums)(bl_tile tile, const void *src, const void *dst,
                      const void *d1, const void *d2, const float *mean,
                      void *keep, double *a, double *b);
    /** diff_src = (g - m1 - (src - mean) m2) scale, g as above. */
    void (*grad_src)(bl_tile tile, const void *src, const void *dst,
                     const void *d1, const void *d2, const float *mean,
                     const float *m1, const float *m2, const float *scale,
                     void *diff_src);

    void (*convert)(int64_t n, const float *src, void *dst);
    void (*relu)(int64_t n, const void *src, void *dst);
    void (*relu_back)(int64_t n, const void *dst, const void *diff_dst,
                      void *diff_src);
    void (*add)(int64_t n, const void *a, const void *b, void *dst);
    /** dst = p a + q b; b may be NULL, and a or b may be dst. */
    void (*blend)(int64_t n, float p, const void *a, float q, const void *b,
                  void *dst);
    /** dst [c] f32 = factor times the sum over rows of src [rows][c]. */
    void (*sum_rows)(int64_t rows, int64_t c, const void *src, float factor,
                     float *dst);
} bl_kernels;

/** The i-th fastest table that this processor runs, or NULL. */
const bl_kernels *bl_kernels_find(bl_dtype act, int i);

extern const bl_kernels bl_kernels_base_f32, bl_kernels_base_bf16;
#if defined(__x86_64__) && defined(__GNUC__)
#define BL_KERNELS_X86
extern const bl_kernels bl_kernels_avx2_f32, bl_kernels_avx2_bf16;
extern const bl_kernels bl_kernels_avx512_f32, bl_kernels_avx512_bf16;
extern const bl_kernels bl_kernels_avx512_native_bf16;
#endif

#endif
