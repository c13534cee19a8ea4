"""What a training script needs of a data set: images to learn from, and others to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8

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
