"""Full MNIST, or what comes in its format (Fashion-MNIST, KMNIST), from four IDX files in a folder of the user's."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8

from impls.datasets.carried import Split, scaled

STEMS = (("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1))
"""Names of the four files, up to ``-idx3-ubyte``, and the number of axes of each array."""

KNOWN = {
    "MNIST": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    )
}
"""MD5 sums of the four files, unpacked, of each data set that is told by name; all others are "unknown"."""

MOST = 1_000_000
"""The most items of a file: what memory a file takes must not be up to its header alone."""

CHUNK = 1 << 20
AGAIN = "fetch or unpack it again."


def idx(folder: str | os.PathLike[str]) -> Split:
    """The training and test set of the folder's four IDX files, plain or gzipped, such as ``train-images-idx3-ubyte``
    (or ``train-images.idx3-ubyte.gz``); the split's name is "MNIST" where all four are MNIST's own, else "unknown".

    Raises ``FileNotFoundError`` for a missing folder or file and ``ValueError`` for a file that is no such array of
    28×28 images or of labels from 0 to 9. Format: Y. LeCun, C. Cortes and C. Burges, the MNIST database's own page.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(f"idx: there is no folder {folder}: name the one that holds {_name(*STEMS[0])}.")
    found = [read(_find(place, stem, axes), axes) for stem, axes in STEMS]
    (train_images, train_labels, test_images, test_labels), sums = zip(*found, strict=True)
    for images, labels, (stem, axes) in ((train_images, train_labels, STEMS[1]), (test_images, test_labels, STEMS[3])):
        if len(images) != len(labels):
            raise ValueError(f"{_name(stem, axes)}: {len(labels)} labels for {len(images)} images: {AGAIN}")
    name = next((known for known, theirs in KNOWN.items() if theirs == sums), "unknown")
    return scaled((train_images, train_labels), (test_images, test_labels), 255, name)


def _name(stem: str, axes: int) -> str:
    return f"{stem}-idx{axes}-ubyte"


def _find(folder: Path, stem: str, axes: int) -> Path:
    """The file by one of its names, the plain one first."""
    name = _name(stem, axes)
    for end in ("", ".gz"):
        for spelt in (name, name.replace("-idx", ".idx")):
            if (folder / (spelt + end)).is_file():
                return folder / (spelt + end)
    raise FileNotFoundError(f"idx: there is no {name}, plain or .gz, in {folder}: put it beside the other three files.")


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
