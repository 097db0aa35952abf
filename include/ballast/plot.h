/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.h: pictures of runs and studies, as scripts for gnuplot.
 *
 * The library writes scripts, each with its data inside, and starts nothing:
 *
 *     gnuplot -d <curves.gp >curves.svg
 *
 * turns one into a picture; `ballast plot` does so for all.  A script never
 * evaluates what stood in a file: names are data, with every character that
 * gnuplot could read as anything else written as its number.
 */
#ifndef BALLAST_PLOT_H
#define BALLAST_PLOT_H

#include <stdint.h>

#include "ballast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One picture that can be made. */
typedef struct bl_picture {
    char name[24];     /* "curves", "table-2"                        */
    const char *about; /* what it shows, at most 60 characters       */
    char *script;      /* path of the script, "DIR/curves.gp"        */
    char *file;        /* path for the picture, "DIR/curves.svg"     */
} bl_picture;

typedef struct bl_pictures {
    int32_t n;
    bl_picture *picture; /* [n] */
} bl_pictures;

/** Writes scripts for what is in folder into the folder "into", which is made
 *  if it is not there; format is that of the pictures: "svg" or "png".
 *
 * A run gives curves and rates, and once it has a result.json: classes,
 * confusion, reliability, norms (of BBN norms-uniform and norms-reversed as
 * well) and compactness, each where the result has what it needs.  A study
 * gives a bar a row with its deviation over seeds, in a picture a column of
 * its table, and where there are rows and columns a map of all; errors are
 * those after the last epoch.
 *
 * Errors   BL_EINVAL: no such format, or nothing there to draw; BL_EIO if
 *          folder holds neither a run nor a study; BL_EFORMAT names the file,
 *          the place, what was found and wanted.
 * Owns     the caller, bl_pictures_free.
 */
BL_API BL_MUST_USE bl_status bl_plot(bl_pictures **out, const char *folder,
                                     const char *into, const char *format);
BL_API void bl_pictures_free(bl_pictures *pictures); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
