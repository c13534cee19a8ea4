"""One file in the IDX format, plain or gzipped: a header with the sizes of an array, and its bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8

MOST = 1_000_000
"""The most items of a file: what memory a file takes must not be up to its header alone."""

CHUNK = 1 << 20
AGAIN = "fetch or unpack it again."


def read(path: Path, axes: int) -> tuple[UInt8[np.ndarray, "n *shape"], str]:
    """The array of one file and the MD5 sum of all its bytes; not a byte past what its header promises is kept."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            header = _upto(stream, 4 + 4 * axes)
            shape = _shape(path.name, header, axes)
            promised = math.prod(shape)
            data = _upto(stream, promised + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{path.name} is no whole gzip file: {AGAIN}") from None
    if len(data) != promised:
        lies = f"only {len(data)} follow" if len(data) < promised else "more follow"
        raise ValueError(f"{path.name}: its header promises {promised} bytes, but {lies}: {AGAIN}")
    array = np.frombuffer(data, np.uint8).reshape(shape)
    if axes == 1 and array.max() > 9:
        raise ValueError(f"{path.name} has the label {array.max()}: give a data set of ten classes, labelled 0 to 9.")
    return array, hashlib.md5(header + data, usedforsecurity=False).hexdigest()


def _upto(stream: BinaryIO | gzip.GzipFile, count: int) -> bytes:
    """So many bytes, or what there is of them; piece by piece, since ``count`` is what the file says of itself."""
    data = bytearray()
    while piece := stream.read(min(CHUNK, count - len(data))):
        data += piece
    return bytes(data)


def _shape(name: str, header: bytes, axes: int) -> tuple[int, ...]:
    """The sizes in a header: 0, 0, 8 for bytes, the number of axes, then each size as four bytes, highest first."""
    if len(header) < 4 + 4 * axes:
        raise ValueError(f"{name} ends within its header of {4 + 4 * axes} bytes: {AGAIN}")
    if header[:4] != bytes((0, 0, 8, axes)):
        kind = "images" if axes == 3 else "labels"
        raise ValueError(
            f"{name} begins with {header[:4].hex()}, but an IDX file of {kind} with 0000080{axes}: "
            "look whether it is unpacked (or named .gz) and is the file that its name says."
        )
    count, *image = (int(size) for size in np.frombuffer(header, ">u4", axes, 4))
    if image not in ([], [28, 28]):
        raise ValueError(f"{name} promises images of {image[0]}×{image[1]} pixels: give 28×28 ones, as MNIST's.")
    if not 1 <= count <= MOST:
        raise ValueError(f"{name} promises {count} items, but 1 to {MOST} are read: {AGAIN}")
    return count, *image
