# SPDX-License-Identifier: Apache-2.0
"""Named tensors in the safetensors format, read and written with NumPy.

A file is a u64 little-endian header length, a JSON header {name: {dtype,
shape, data_offsets}, "__metadata__": {str: str}} and the data section.  This
is a second, independent implementation beside src/io, so that a mistake in
one cannot hide in the other.

The writer puts tensors of larger elements first, in their given order within
a size, and pads the header to eight bytes: every element is then aligned and
the same input gives the same bytes.
"""
import json
import os
import struct

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}


def write(path, tensors, metadata):
    """Writes {name: ndarray} and {str: str}, by renaming a whole file."""
    order = sorted(tensors, key=lambda name: -tensors[name].dtype.itemsize)
    header, offset = {"__metadata__": metadata}, 0
    for name in order:
        tensor = tensors[name]
        end = offset + tensor.nbytes
        header[name] = {"dtype": NAMES[tensor.dtype],
                        "shape": list(tensor.shape),
                        "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    aside = "%s.%d.tmp" % (path, os.getpid())
    with open(aside, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            out.write(tensors[name].tobytes())
    os.replace(aside, path)


def read(path):
    """Returns ({name: ndarray}, {str: str}); BF16 is widened to F32."""
    with open(path, "rb") as source:
        (length,) = struct.unpack("<Q", source.read(8))
        header = json.loads(source.read(length))
        data = source.read()
    metadata = header.pop("__metadata__", {})
    tensors, total = {}, 0
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        total = max(total, end)
        chunk = data[begin:end]
        if entry["dtype"] == "BF16":
            wide = np.frombuffer(chunk, "<u2").astype("<u4") << 16
            flat = wide.view("<f4")
        else:
            flat = np.frombuffer(chunk, DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    if total != len(data):
        raise ValueError("%s: tensors end at byte %d of %d"
                         % (path, total, len(data)))
    return tensors, metadata
