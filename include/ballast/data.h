/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data.h: labelled images, long tails cut from them, and how unbalanced a
 * set is.
 *
 * A bl_dataset is opened by name or path, or made from the caller's memory.
 * It has two bl_split: train and test.  A split owns its pixels; a subset of
 * a split is a split of its own.
 */
#ifndef BALLAST_DATA_H
#define BALLAST_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "ballast/json.h"
#include "ballast/log.h"
#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- splits ------------------------------------------------------------ */

/** n labelled images of one size, resident, 8 bits a value. */
typedef struct bl_split {
    int64_t n;
    int32_t h, w, c;       /* px, px, channels (1..16)            */
    int32_t n_class;
    uint8_t *pixels;       /* [n][h][w][c]                        */
    int32_t *labels;       /* [n], each in [0, n_class)           */
} bl_split;

/** Copies pixels and labels into a new split.
 *
 * Shapes   pixels [n][h][w][c] u8; labels [n] i32 in [0, n_class).
 * Errors   BL_EINVAL if an extent is < 1, c > 16, a label is out of range
 *          (its index is named), or sizes overflow; BL_ENOMEM.
 * Owns     the caller, bl_split_free.
 */
BL_API BL_MUST_USE bl_status bl_split_create(bl_split **out, int64_t n,
                                             int32_t h, int32_t w, int32_t c,
                                             int32_t n_class,
                                             const uint8_t *pixels,
                                             const int32_t *labels);
BL_API void bl_split_free(bl_split *split);

/** Copies the images index[0..n), in that order, into a new split. */
BL_API BL_MUST_USE bl_status bl_split_subset(bl_split **out,
                                             const bl_split *split,
                                             const int64_t *index, int64_t n);

/** Counts images per class into n_c [n_class]. */
BL_API void bl_split_counts(const bl_split *split, int64_t *n_c);

/** Content fingerprint (XXH3-64 over shape, labels and pixels). */
BL_API uint64_t bl_split_fingerprint(const bl_split *split);

/* ---- data sets --------------------------------------------------------- */

/** Per-channel statistics of pixel / 255. */
typedef struct bl_normalization {
    int32_t c;       /* channels, 1..16                       */
    double mean[16];
    double std[16];  /* each > 0                              */
} bl_normalization;

/** A known data set or file layout: one row of bl_dataset_types. */
typedef struct bl_dataset_type {
    const char *name;    /* "cifar10": what --data takes                  */
    const char *summary; /* at most 60 characters                         */
    const char *folder;  /* usual folder name, "cifar-10-batches-bin"     */
    const char *obtain;  /* one line: how to get it                       */
    int32_t n_class;
    bl_normalization published; /* constants the literature uses          */
} bl_dataset_type;

/** NULL-terminated list of the known data sets. */
BL_API const bl_dataset_type *const *bl_dataset_types(void);

typedef struct bl_dataset {
    char *name;         /* "cifar10", or the last part of the path          */
    char *path;         /* where it was found, NULL when made from memory   */
    bl_split *train;
    bl_split *test;
    char **class_names; /* [n_class], never NULL entries                    */
    bl_normalization published;
} bl_dataset;

/** Opens a data set by name ("cifar10", "cifar100", "fashion-mnist") or path.
 *
 * A name is looked up in data_dir (may be NULL), then in each folder of the
 * environment variable BALLAST_DATA (colon-separated), then in the user's
 * cache ($XDG_CACHE_HOME/ballast or ~/.cache/ballast), then in the system's
 * folders (/usr/local/share/datasets, /usr/share/datasets); under its usual
 * folder name, or as the official archive (tar.gz) beside it.  A path is a
 * folder or archive; its layout is recognised by the files in it.
 *
 * Errors   BL_EIO if nothing is found: says where it looked and how to get
 *          it.  BL_EFORMAT names file, record or offset, found and wanted.
 * Owns     the caller, bl_dataset_free.
 */
BL_API BL_MUST_USE bl_status bl_dataset_open(bl_dataset **out,
                                             const char *name_or_path,
                                             const char *data_dir);

/** Makes a data set of the caller's two splits, which it then owns (on
 *  success only).  class_names may be NULL: "0", "1", ... are used; the
 *  normalisation is measured on train. */
BL_API BL_MUST_USE bl_status bl_dataset_create(bl_dataset **out,
                                               const char *name,
                                               bl_split *train, bl_split *test,
                                               const char *const *class_names);
BL_API void bl_dataset_free(bl_dataset *data);

/** Measures mean and standard deviation per channel (population, double). */
BL_API void bl_split_measure(const bl_split *split, bl_normalization *out);

/* ---- long tails -------------------------------------------------------- */

/** Profile of a long tail: a row of bl_profiles ("exp", "step"). */
typedef struct bl_profile {
    const char *name;
    const char *summary;
    /** Count of class i of n_class for a head of n_max and r = 1/F. */
    int64_t (*count)(double n_max, double r, int32_t i, int32_t n_class);
} bl_profile;

BL_API const bl_profile *const *bl_profiles(void);

/** Cuts the long tail of the reference generator out of a balanced split.
 *
 *   n_i = trunc(n_max r^(i / (C - 1))),  r = 1 / F   (exp)
 *
 * Classes keep their label order (class 0 is the head).  Images are chosen by
 * NumPy's legacy generator seeded with 0: ascending indices of a class are
 * shuffled (Fisher and Yates, from the end), the first n_i are kept, and the
 * generator runs on from class to class.
 *
 * Shapes   *index: chosen positions in split, class by class, [*n], owned by
 *          the caller (bl_free); *ordinals: the same as positions within
 *          their class, for the checksum; either may be NULL.
 * Errors   BL_EINVAL if F < 1 or not finite, if a class would be left with no
 *          image, or if a class holds fewer images than its count (named).
 * Source   Cao et al., "Learning imbalanced datasets with label-distribution
 *          -aware margin loss", NeurIPS 2019, arXiv:1906.07413, their data
 *          generator.
 */
BL_API BL_MUST_USE bl_status bl_longtail(int64_t **index, int64_t **ordinals,
                                         int64_t *n, const bl_split *split,
                                         const char *profile, double imbalance);

/** CRC-32 (zlib's) of ordinals as little-endian u32. */
BL_API uint32_t bl_subset_crc32(const int64_t *ordinals, int64_t n);

/** Cuts fraction of every class (at least one image, at least one left) off
 *  at random, keyed by seed: two index lists that together are the split.
 *
 * Errors   BL_EINVAL if fraction is not in (0, 1) or a class has one image.
 */
BL_API BL_MUST_USE bl_status bl_holdout(int64_t **kept, int64_t *n_kept,
                                        int64_t **cut, int64_t *n_cut,
                                        const bl_split *split, double fraction,
                                        uint64_t seed);

/** Frees what the functions above return through int64_t **. */
BL_API void bl_free(void *memory);

/* ---- how unbalanced ---------------------------------------------------- */

typedef enum bl_shot { BL_SHOT_MANY, BL_SHOT_MEDIUM, BL_SHOT_FEW } bl_shot;

/** Which classes are many, medium and few, by n training images:
 *
 *   many: n > many_above,   few: n < few_below,   medium: all others
 *
 * The limits themselves are medium.  Papers differ in that: Liu et al. (2019)
 * have many > 100 and few < 20, as here; others count 100 or 20 otherwise. */
typedef struct bl_shot_limits {
    int64_t many_above; /* >= 0; 100 unless told      */
    int64_t few_below;  /* >= 0; 20 unless told; at most many_above + 1 */
} bl_shot_limits;

/** many_above 100, few_below 20. */
BL_API bl_shot_limits bl_usual_shots(void);
/** Errors   BL_EINVAL if a limit is negative, or a class would be both many
 *           and few. */
BL_API BL_MUST_USE bl_status bl_shot_limits_check(const bl_shot_limits *limits);
/** Shot of a class of n training images; limits NULL: the usual ones. */
BL_API bl_shot bl_shot_of(int64_t n, const bl_shot_limits *limits);
BL_API const char *bl_shot_name(bl_shot shot);

/** Measures of imbalance of class counts n_c [C]. */
typedef struct bl_imbalance {
    int32_t n_class;
    int64_t total, n_max, n_min; /* n_min over classes with images    */
    int32_t n_empty;
    double factor;           /* n_max / n_min                         */
    double gini;             /* 0 even .. (C - 1) / C one class       */
    double entropy;          /* normalised: H / log C, 1 even         */
    double effective_number; /* exp(H): classes that would weigh alike*/
    int32_t shots[3];        /* classes that are many, medium, few    */
} bl_imbalance;

/** Measures counts n_c [C]; limits of the shots, NULL: the usual ones.
 *
 * Errors   BL_EINVAL if all counts are zero, one is negative, or the limits
 *          are impossible. */
BL_API BL_MUST_USE bl_status bl_imbalance_measure(bl_imbalance *out,
                                                  const int64_t *n_c,
                                                  int32_t n_class,
                                                  const bl_shot_limits *limits);

#ifdef __cplusplus
}
#endif
#endif
