# SPDX-License-Identifier: Apache-2.0
"""Image operations and AutoAugment's policy for CIFAR-10, by Pillow.

An image NAME is a tensor NAME.in, U8 [h][w][c].  Operation OP on it at n
values is NAME.OP, U8 [n][h][w][c], with the values in OP.values, F64 [n].
policy.out, U8 [25][2][h][w][c], is policy.in after both operations of each
of the 25 sub-policies, with signs + and - where an operation has a sign; policy.p,
F64 [25][2], holds their probabilities.
"""
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

SEED = 20177
GREY = 128


def affine(image, matrix):
    """Pillow's nearest neighbour, grey from outside."""
    fill = (GREY,) * len(image.getbands())
    return image.transform(image.size, Image.Transform.AFFINE, matrix,
                           Image.Resampling.NEAREST, fillcolor=fill)


def rotate(image, degrees):
    """Turns by way of an alpha channel, as codes for CIFAR do it."""
    turned = image.convert("RGBA").rotate(degrees)
    grey = Image.new("RGBA", turned.size, (GREY,) * 4)
    return Image.composite(turned, grey, turned).convert(image.mode)


def enhanced(kind):
    return lambda image, v: kind(image).enhance(v)


OPS = {
    "shear_x": lambda i, v: affine(i, (1, v, 0, 0, 1, 0)),
    "shear_y": lambda i, v: affine(i, (1, 0, 0, v, 1, 0)),
    "translate_x": lambda i, v: affine(i, (1, 0, v * i.size[0], 0, 1, 0)),
    "translate_y": lambda i, v: affine(i, (1, 0, 0, 0, 1, v * i.size[1])),
    "rotate": rotate,
    "color": enhanced(ImageEnhance.Color),
    "contrast": enhanced(ImageEnhance.Contrast),
    "brightness": enhanced(ImageEnhance.Brightness),
    "sharpness": enhanced(ImageEnhance.Sharpness),
    "posterize": lambda i, v: ImageOps.posterize(i, int(v)),
    "solarize": lambda i, v: ImageOps.solarize(i, v),
    "autocontrast": lambda i, v: ImageOps.autocontrast(i),
    "equalize": lambda i, v: ImageOps.equalize(i),
    "invert": lambda i, v: ImageOps.invert(i),
}

FACTORS = (0.0, 0.1, 0.37, 0.9, 1.0, 1.1, 1.9, 3.3)
SLOPES = (0.0, 0.0333, -0.1, 0.2667, -0.3, 0.71)
PARTS = (0.0, 0.05, -0.151, 0.3021, 150 / 331, -150 / 331, 1.0)
VALUES = {
    "shear_x": SLOPES, "shear_y": SLOPES,
    "translate_x": PARTS, "translate_y": PARTS,
    "rotate": (0.0, 3.333, -6.667, 13.4, 30.0, -30.0, 45.0, 90.0, 180.0),
    "color": FACTORS, "contrast": FACTORS, "brightness": FACTORS,
    "sharpness": FACTORS,
    "posterize": (1.0, 4.0, 5.0, 7.0, 8.0),
    "solarize": (0.0, 28.45, 113.8, 128.0, 255.0, 256.0),
    "autocontrast": (0.0,), "equalize": (0.0,), "invert": (0.0,),
}

# Cubuk et al. 2019, appendix: probability, operation, magnitude of 0 ... 9.
POLICY = """
.1 invert 7        .2 contrast 6     | .7 rotate 2       .3 translate_x 9
.8 sharpness 1     .9 sharpness 3    | .5 shear_y 8      .7 translate_y 9
.5 autocontrast 8  .9 equalize 2     | .2 shear_y 7      .3 posterize 7
.4 color 3         .6 brightness 7   | .3 sharpness 9    .7 brightness 9
.6 equalize 5      .5 equalize 1     | .6 contrast 7     .6 sharpness 5
.7 color 7         .5 translate_x 8  | .3 equalize 7     .4 autocontrast 8
.4 translate_y 3   .2 sharpness 6    | .9 brightness 6   .2 color 8
.5 solarize 2      .0 invert 3       | .2 equalize 0     .6 autocontrast 0
.2 equalize 8      .6 equalize 4     | .9 color 9        .6 equalize 6
.8 autocontrast 4  .2 solarize 8     | .1 brightness 3   .7 color 0
.4 solarize 5      .9 autocontrast 3 | .9 translate_y 9  .7 translate_y 9
.9 autocontrast 2  .8 solarize 3     | .8 equalize 8     .1 invert 3
.7 translate_y 9   .9 autocontrast 1
"""

RANGES = {
    "shear_x": (0, 0.3), "shear_y": (0, 0.3),
    "translate_x": (0, 150 / 331), "translate_y": (0, 150 / 331),
    "rotate": (0, 30), "color": (0, 0.9), "contrast": (0, 0.9),
    "brightness": (0, 0.9), "sharpness": (0, 0.9), "posterize": (8, 4),
    "solarize": (256, 0), "autocontrast": (0, 0), "equalize": (0, 0),
    "invert": (0, 0),
}
SIGNED = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
AROUND_ONE = ("color", "contrast", "brightness", "sharpness")


def value_of(name, magnitude, sign):
    level = np.linspace(*RANGES[name], 10)[magnitude]
    if name in SIGNED:
        return sign * level
    if name in AROUND_ONE:
        return 1 + sign * level
    return np.round(level) if name == "posterize" else level


def policies():
    """[((p, name, magnitude), (p, name, magnitude))] of 25 sub-policies."""
    words = POLICY.replace("|", " ").split()
    steps = [(float(words[i]), words[i + 1], int(words[i + 2]))
             for i in range(0, len(words), 3)]
    return list(zip(steps[::2], steps[1::2]))


def picture(rng, h, w, low, high):
    """Noise on a gradient, a range to each channel; U8 [h][w][c]."""
    y, x = np.mgrid[0:h, 0:w]
    slope = (x / max(w - 1, 1) + 2 * y / max(h - 1, 1)) / 3
    planes = [a + (b - a) * (0.6 * slope + 0.4 * rng.random((h, w)))
              for a, b in zip(low, high)]
    return np.stack(planes, -1).astype(np.uint8)


def image_of(pixels):
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def pixels_of(image, like):
    return np.asarray(image, np.uint8).reshape(like.shape)


def pictures():
    rng = np.random.default_rng(SEED)
    rgb = picture(rng, 13, 17, (12, 40, 90), (231, 250, 170))
    # One channel of one value, one of two: nothing to stretch or to level.
    flat = picture(rng, 7, 9, (0, 77, 200), (255, 77, 202))
    low, high = (10, 20, 30), (200, 210, 220)
    # Levelling needs more than 255 pixels, half its step more than 510.
    return {"rgb": rgb, "wide": picture(rng, 14, 20, (5, 30, 60),
                                        (250, 190, 140)),
            "gray": picture(rng, 27, 29, (33,), (207,)), "flat": flat,
            "thin": picture(rng, 5, 2, low, high),
            "row": picture(rng, 1, 6, low, high),
            "dot": picture(rng, 1, 1, low, high)}


def build():
    """Every operation on every picture, and the 25 sub-policies."""
    tensors = {name + ".values": np.array(v, "<f8")
               for name, v in VALUES.items()}
    shown = pictures()
    for title, pixels in shown.items():
        tensors[title + ".in"] = pixels
        image = image_of(pixels)
        for name, values in VALUES.items():
            tensors["%s.%s" % (title, name)] = np.stack(
                [pixels_of(OPS[name](image, v), pixels) for v in values])
    start = picture(np.random.default_rng(SEED + 1), 14, 20, (20, 5, 70),
                    (220, 180, 250))
    results = []
    for steps in policies():
        for sign in (1, -1):
            image = image_of(start)
            for _, name, magnitude in steps:
                image = OPS[name](image, value_of(name, magnitude, sign))
            results.append(pixels_of(image, start))
    tensors["policy.in"] = start
    tensors["policy.out"] = np.stack(results).reshape(25, 2, *start.shape)
    tensors["policy.p"] = np.array([[p for p, _, _ in steps]
                                    for steps in policies()])
    return tensors, {"golden.pictures": ",".join(shown)}


FILES = {"imageops": build}
