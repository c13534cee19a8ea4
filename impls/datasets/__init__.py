"""Real data, as numpy arrays; nothing is downloaded, and nothing is unpickled."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from impls.datasets.carried import Labelled, Split, all_digits, all_mnist5k, digits, mnist5k, scaled
from impls.datasets.idx_files import idx
from impls.names import pick

__all__ = ["SPLITS", "Split", "digits", "idx", "mnist5k", "split"]

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
