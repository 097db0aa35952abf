/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 02_classify.c: puts trained weights to use.
 *
 *   02_classify WEIGHTS.safetensors IMAGE ...
 *
 * Images are PPM (P6, colour) or PGM (P5, grey) of the size the network was
 * trained on.  Printed are the class and its probability; weights know the
 * normalisation, so pixels go in as they are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ballast/ballast.h"

/** Reads an image of the network's size; 0 if it is not one. */
static int read_image(uint8_t *pixels, const char *path,
                      const bl_network_spec *spec)
{
    FILE *file = fopen(path, "rb");
    int form = 0, w = 0, h = 0, most = 0;
    const size_t bytes = (size_t)spec->h * (size_t)spec->w * (size_t)spec->c;
    const int good =
        file && fscanf(file, "P%d %d %d %d", &form, &w, &h, &most) == 4 &&
        form == (spec->c == 3 ? 6 : 5) && w == spec->w && h == spec->h &&
        most == 255 && getc(file) != EOF &&
        fread(pixels, 1, bytes, file) == bytes;
    if (file) fclose(file);
    return good;
}

/** Gives the likeliest class, and p = softmax(z) of it. */
static int32_t likeliest(const float *z, int32_t n_class, double *p)
{
    int32_t best = 0;
    double sum = 0;
    for (int32_t i = 1; i < n_class; i++)
        if (z[i] > z[best]) best = i;
    for (int32_t i = 0; i < n_class; i++) sum += exp((double)(z[i] - z[best]));
    *p = 1 / sum;
    return best;
}

int main(int argc, char **argv)
{
    bl_classifier *classifier = NULL;
    uint8_t *pixels = NULL; // [h][w][c]
    float *z = NULL;        // [C]
    int bad_images = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: %s WEIGHTS.safetensors IMAGE ...\n", argv[0]);
        return 2;
    }

    const bl_compute fastest = {.backend = "auto"};
    bl_status status = bl_classifier_open(&classifier, argv[1], &fastest);
    if (status < 0) goto done;
    const bl_network_spec *spec = bl_classifier_spec(classifier);
    pixels = malloc((size_t)spec->h * (size_t)spec->w * (size_t)spec->c);
    z = malloc((size_t)spec->n_class * sizeof *z);
    status = pixels && z ? BL_OK : BL_ENOMEM;

    for (int i = 2; i < argc && status == BL_OK; i++) {
        if (!read_image(pixels, argv[i], spec)) {
            fprintf(stderr, "%s: wanted a P%d image of %d x %d pixels\n",
                    argv[i], spec->c == 3 ? 6 : 5, (int)spec->w, (int)spec->h);
            bad_images++;
            continue;
        }
        double p;
        status = bl_classifier_logits(classifier, pixels, 1, z);
        if (status < 0) break;
        const int32_t best = likeliest(z, spec->n_class, &p);
        printf("%s: class %d, p = %.3f\n", argv[i], (int)best, p);
    }

done:
    if (status < 0)
        fprintf(stderr, "%s: %s\n", bl_status_name(status),
                bl_error_last()->message);
    free(z);
    free(pixels);
    bl_classifier_free(classifier);
    return status < 0 || bad_images > 0;
}
