"""Full MNIST, or what comes in its format (Fashion-MNIST, KMNIST), from four IDX files in a folder of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from impls.datasets.idx_file import AGAIN, read
from impls.datasets.scaled import Split, scaled

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
