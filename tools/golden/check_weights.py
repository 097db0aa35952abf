# SPDX-License-Identifier: Apache-2.0
"""Opens weights that Ballast wrote as a PyTorch user would, and runs them.

    python check_weights.py run/last.safetensors --images test_batch.bin
    python check_weights.py run/last.safetensors --images images.npy \
        --against logits.npy

The network is built from the file's metadata, its tensors are loaded by name
with strict=True (a missing, unknown or misshapen one is an error) and the raw
8-bit images are normalised as the metadata says.  Without --against the
logits are printed, one image a line; with it, the logits that `ballast eval
--logits` wrote are compared and the exit status is 1 beyond --tolerance.

Images: .npy u8 [N][H][W][C]; CIFAR binary records (.bin); IDX (.gz or not).
"""
import argparse
import gzip
import pathlib
import struct
import sys

import numpy as np
import torch

import models
import safetensors_io


def network(tensors, metadata):
    """The model of a file in eval mode, and its input size (H, W, C)."""
    size = tuple(int(v) for v in metadata["ballast.input"].split("x"))
    model = models.build(metadata["ballast.model"], metadata["ballast.form"],
                         int(metadata["ballast.classes"]), size[2])
    state = {name: torch.from_numpy(np.array(tensor))
             for name, tensor in tensors.items()}
    model.load_state_dict(state, strict=True)
    return model.eval(), size


def read_idx(data, path):
    """Images of the MNIST family: big-endian extents, one channel."""
    magic, n, h, w = struct.unpack(">IIII", data[:16])
    if magic != 2051:
        raise SystemExit("%s: magic %d, wanted 2051 (images)" % (path, magic))
    return np.frombuffer(data, np.uint8, n * h * w, 16).reshape(n, h, w, 1)


def read_cifar(data, path, classes):
    """Records of one label byte (CIFAR-100: two) and 3072 planar pixels."""
    record = 3072 + (2 if classes == 100 else 1)
    if len(data) % record:
        raise SystemExit("%s: %d bytes are not records of %d"
                         % (path, len(data), record))
    planes = np.frombuffer(data, np.uint8).reshape(-1, record)[:, -3072:]
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def read_images(path, classes):
    if path.suffix == ".npy":
        return np.load(path)
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".bin":
        return read_cifar(data, path, classes)
    return read_idx(data, path)


def logits(model, images, metadata, dtype, batch=500):
    """z [N][C] f64 of raw images [N][H][W][C] u8."""
    mean, std = (torch.tensor([float(v) for v in metadata[key].split(",")],
                              dtype=dtype)
                 for key in ("ballast.mean", "ballast.std"))
    rows = []
    with torch.no_grad():
        for first in range(0, len(images), batch):
            chunk = np.array(images[first:first + batch])
            x = (torch.from_numpy(chunk).to(dtype) / 255 - mean) / std
            rows.append(model.infer(x.permute(0, 3, 1, 2)).double().numpy())
    return np.concatenate(rows)


def compare(z, path, tolerance):
    """Prints how far path is from z; 0 if near enough, else 1."""
    other = np.load(path)[:len(z)].astype(np.float64)
    if other.shape != z.shape:
        print("%s holds logits %s, wanted %s" % (path, other.shape, z.shape))
        return 1
    far = np.abs(other - z)
    n, c = np.unravel_index(far.argmax(), far.shape)
    same = int((other.argmax(1) == z.argmax(1)).sum())
    print("logits of %d images, up to %.4g: largest difference %.3e (image "
          "%d, class %d); %d of %d predictions agree"
          % (len(z), np.abs(z).max(), far[n, c], n, c, same, len(z)))
    return 0 if far[n, c] <= tolerance else 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, help="only the first COUNT")
    parser.add_argument("--against", type=pathlib.Path, metavar="LOGITS.npy")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--double", action="store_true",
                        help="compute in double precision")
    args = parser.parse_args()
    tensors, metadata = safetensors_io.read(args.weights)
    dtype = torch.float64 if args.double else torch.float32
    model, size = network(tensors, metadata)
    images = read_images(args.images, int(metadata["ballast.classes"]))
    images = images[:args.count]
    if images.dtype != np.uint8 or images.shape[1:] != size:
        parser.error("images are %s %s, wanted uint8 (N, %d, %d, %d)"
                     % (images.dtype, images.shape, *size))
    z = logits(model.to(dtype), images, metadata, dtype)
    if args.against:
        return compare(z, args.against, args.tolerance)
    for row in z:
        print(" ".join("%.7g" % value for value in row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
