# SPDX-License-Identifier: Apache-2.0
"""Checks the golden vectors against what this machine computes, or writes
them anew with --write.

Checking compares integers and metadata exactly, F64 to 1e-9 and F32 to 2e-6
of each tensor's largest value: libraries and processors add in different
orders, and ten training steps carry that on.
"""
import argparse
import pathlib
import sys

import numpy as np
import torch

import imageops
import losses
import methods
import safetensors_io
import schedules
import steps

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/data"
TOLERANCE = {"f8": 1e-9, "f4": 2e-6}


def difference(found, wanted):
    """What is wrong with a tensor, or None."""
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return "%s %s, wanted %s %s" % (found.dtype, found.shape,
                                        wanted.dtype, wanted.shape)
    limit = TOLERANCE.get(found.dtype.str[1:])
    if limit is None:
        return None if np.array_equal(found, wanted) else "values differ"
    size = max(float(np.abs(wanted).max()), 1e-300)
    far = float(np.abs(found - wanted).max()) / size
    return None if far <= limit else "differs by %.1e of its size" % far


def check(path, tensors, metadata):
    """Compares a file with fresh tensors; returns complaints."""
    found, found_metadata = safetensors_io.read(path)
    complaints = []
    if found_metadata != metadata:
        complaints.append("metadata %s, wanted %s"
                          % (found_metadata, metadata))
    for name in sorted(set(found) ^ set(tensors)):
        complaints.append("%s: %s" % (name, "missing" if name in tensors
                                      else "not wanted"))
    for name in sorted(set(found) & set(tensors)):
        text = difference(found[name], tensors[name])
        if text:
            complaints.append("%s: %s" % (name, text))
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true",
                        help="write the files instead of checking them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    builders = {**steps.FILES, **losses.FILES, **schedules.FILES,
                **imageops.FILES, **methods.FILES}
    bad = 0
    for name, build in builders.items():
        path = FOLDER / (name + ".safetensors")
        tensors, metadata = build()
        if args.write:
            safetensors_io.write(path, tensors, metadata)
            print("%s: %d tensors, %d bytes"
                  % (path.name, len(tensors), path.stat().st_size))
            continue
        complaints = check(path, tensors, metadata)
        bad += len(complaints)
        for text in complaints or ["ok"]:
            print("%s: %s" % (path.name, text))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
