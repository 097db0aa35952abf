# SPDX-License-Identifier: Apache-2.0
"""Learning rate and alpha of every epoch of a 200-epoch run.

Epochs e count from 1.  The rates are those of the two published recipes with
base rate 0.1; BBN's are numbered as PyTorch 1.0.1 did (t = e - 1), which the
published results were made with.  Alphas are functions of x = (e - 1) / 200.
"""
import math

import numpy as np

EPOCHS, BASE = 200, 0.1


def ldam(e):
    """Cao et al. 2019: ramp e / 5, then x0.01 after epochs 160 and 180."""
    if e <= 5:
        return BASE * e / 5
    return BASE * 0.01 ** ((e > 160) + (e > 180))


def bbn(e):
    """Zhou et al. 2020: linear from a third, x0.01 after 120 and 160."""
    t = e - 1
    if t < 5:
        return BASE * ((1 - t / 5) / 3 + t / 5)
    return BASE * 0.01 ** ((t >= 120) + (t >= 160))


def retraining(t):
    """Factor in epoch t of a classifier's 30: warm-up from a third in 5,
    x0.1 after 10 and 20."""
    if t <= 5:
        return (1 - (t - 1) / 5) / 3 + (t - 1) / 5
    return 0.1 ** ((t > 10) + (t > 20))


def cosine_of_ten(t):
    """Factor in epoch t of 10 on half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * (t - 1) / 10))


ADAPTORS = {
    "parabolic": lambda x: 1 - x * x,
    "linear": lambda x: 1 - x,
    "cosine": lambda x: math.cos(x * math.pi / 2),
    "increment": lambda x: x * x,
    "equal": lambda x: 0.5,
    "separated": lambda x: 1.0 if x < 120 / EPOCHS else 0.0,
}

# Values printed in the literature: (tensor, epoch, value, digits).
KNOWN = (("lr.ldam", 1, 0.02, 9), ("lr.ldam", 160, 0.1, 9),
         ("lr.ldam", 161, 1e-3, 9), ("lr.ldam", 181, 1e-5, 9),
         ("lr.bbn", 1, 0.03333, 5), ("lr.bbn", 2, 0.04667, 5),
         ("lr.bbn", 5, 0.08667, 5), ("lr.bbn", 120, 0.1, 9),
         ("lr.bbn", 121, 1e-3, 9), ("lr.bbn", 161, 1e-5, 9),
         ("alpha.parabolic", 50, 0.93998, 5),
         ("alpha.parabolic", 101, 0.75, 9),
         ("alpha.parabolic", 200, 0.009975, 9),
         ("alpha.separated", 120, 1, 9), ("alpha.separated", 121, 0, 9))


def build():
    """lr.NAME and alpha.NAME, F64 [200], index e - 1."""
    epochs = range(1, EPOCHS + 1)
    rows = {"lr.ldam": [ldam(e) for e in epochs],
            "lr.bbn": [bbn(e) for e in epochs]}
    for name, alpha in ADAPTORS.items():
        rows["alpha." + name] = [alpha((e - 1) / EPOCHS) for e in epochs]
    for name, e, value, digits in KNOWN:
        if abs(rows[name][e - 1] - value) > 0.51 * 10 ** -digits:
            raise ArithmeticError("%s at epoch %d is %.9g, not %.9g"
                                  % (name, e, rows[name][e - 1], value))
    tensors = {name: np.array(row, "<f8") for name, row in rows.items()}
    return tensors, {"golden.epochs": str(EPOCHS), "golden.lr": repr(BASE)}


FILES = {"schedules": build}


def main():
    tensors, _ = build()
    for name, row in tensors.items():
        print("%-16s %s" % (name, " ".join("%.5g" % v for v in row[::20])))


if __name__ == "__main__":
    main()
