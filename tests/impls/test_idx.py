"""IDX files: what was written is read back, and what is damaged is refused in one sentence that names the file."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impls import datasets
from impls.datasets import idx, split

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
HEADERS = {IMAGES: 16, LABELS: 8}
"""Bytes of the header."""

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def packed(array: np.ndarray) -> bytes:
    """An array of bytes in the format, by its own definition."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def drawn(seed: int, train: int = 5, test: int = 3) -> list[np.ndarray]:
    """Arrays for the four files, in their order."""
    rng = np.random.default_rng(seed)
    shapes = ((train, 28, 28), (train,), (test, 28, 28), (test,))
    return [rng.integers(0, 256 if len(shape) == 3 else 10, shape, dtype=np.uint8) for shape in shapes]


def write(folder: Path, arrays: list[np.ndarray]) -> None:
    for name, array in zip(NAMES, arrays, strict=True):
        (folder / name).write_bytes(packed(array))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four small files."""
    write(tmp_path, drawn(0))
    return tmp_path


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that the examples of one property share."""
    with tempfile.TemporaryDirectory() as made:
        write(Path(made), drawn(0))
        yield Path(made)


def refusal(path: Path, axes: int) -> str:
    """The sentence by which a file is refused."""
    with pytest.raises(ValueError) as refused:
        datasets.read_idx(path, axes)
    sentence = str(refused.value)
    assert sentence.startswith(path.name) and sentence.endswith(".") and "\n" not in sentence
    assert str(path.parent) not in sentence
    return sentence


@QUICK
@given(
    seed=st.integers(0, 99), train=st.integers(1, 4), test=st.integers(1, 4), spelt=st.lists(st.booleans(), min_size=8)
)
def test_what_was_written_is_read(seed: int, train: int, test: int, spelt: list[bool]) -> None:
    arrays = drawn(seed, train, test)
    with tempfile.TemporaryDirectory() as made:
        for place, (name, array) in enumerate(zip(NAMES, arrays, strict=True)):
            name = name.replace("-idx", ".idx") if spelt[2 * place] else name
            data, end = packed(array), ""
            if spelt[2 * place + 1]:
                data, end = gzip.compress(data, mtime=0), ".gz"
            (Path(made) / (name + end)).write_bytes(data)
        found = idx(made)
    images, labels, test_images, test_labels = arrays
    assert np.array_equal(found.train_labels, labels) and np.array_equal(found.test_labels, test_labels)
    for ours, theirs in ((found.train_images, images), (found.test_images, test_images)):
        assert np.array_equal(ours, (theirs / np.float32(255))[..., None])
        assert ours.dtype == np.float32 and ours.min() >= 0 and ours.max() <= 1
    assert found.train_labels.dtype == np.int64 and found.name == "unknown"


@pytest.mark.parametrize("name", HEADERS)
def test_every_flipped_bit_of_a_header_is_refused(name: str, scratch: Path) -> None:
    data = packed(drawn(0)[NAMES.index(name)])
    path = scratch / name
    for bit in range(8 * HEADERS[name]):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        refusal(path, 3 if name == IMAGES else 1)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
@QUICK
@given(share=st.floats(0, 1, exclude_max=True))
def test_every_truncation_is_refused(name: str, zipped: bool, share: float, scratch: Path) -> None:
    data = packed(drawn(0)[NAMES.index(name)])
    data = gzip.compress(data, mtime=0) if zipped else data
    path = scratch / (name + ".gz" * zipped)
    path.write_bytes(data[: int(share * len(data))])
    refusal(path, 3 if name == IMAGES else 1)


@QUICK
@given(bit=st.integers(0, 8 * 30 - 1), from_the_end=st.booleans())
def test_a_damaged_gzip_file_is_read_right_or_refused(bit: int, from_the_end: bool, scratch: Path) -> None:
    labels = drawn(0)[1]
    data = bytearray(gzip.compress(packed(labels), mtime=0))
    data[-1 - bit // 8 % len(data) if from_the_end else bit // 8 % len(data)] ^= 1 << bit % 8
    path = scratch / "damaged.gz"
    path.write_bytes(data)
    try:
        found, _ = datasets.read_idx(path, 1)
    except ValueError:
        refusal(path, 1)
    else:
        assert np.array_equal(found, labels)  # the bit was of the date or the like


@QUICK
@given(data=st.binary(max_size=40), axes=st.sampled_from([1, 3]), end=st.sampled_from(["", ".gz"]))
def test_junk_is_refused(data: bytes, axes: int, end: str, scratch: Path) -> None:
    path = scratch / f"junk{end}"
    path.write_bytes(data)
    refusal(path, axes)


def test_a_file_that_unpacks_to_more_than_it_promises_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{LABELS}.gz"
    path.write_bytes(gzip.compress(packed(np.zeros(5, np.uint8)) + bytes(10 * datasets.CHUNK)))
    taken = []
    read = gzip.GzipFile.read

    def counted(file: gzip.GzipFile, size: int = -1) -> bytes:
        taken.append(len(found := read(file, size)))
        return found

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    assert "promises 5 bytes, but more follow" in refusal(path, 1)
    assert sum(taken) == 8 + 5 + 1


def test_a_file_that_promises_too_much_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / LABELS
    path.write_bytes(bytes([0, 0, 8, 1]) + (datasets.MOST + 1).to_bytes(4, "big"))
    assert "promises 1000001 items, but 1 to 1000000 are read" in refusal(path, 1)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (IMAGES, packed(np.zeros((5, 14, 14), np.uint8)), "promises images of 14×14 pixels"),
        (IMAGES, packed(np.zeros(50, np.uint8)), "begins with 00000801, but an IDX file of images with 00000803"),
        (IMAGES, gzip.compress(b"", mtime=0), "begins with 1f8b08"),
        (LABELS, packed(np.array([1, 2, 10, 3, 4], np.uint8)), "has the label 10"),
        (LABELS, packed(np.zeros(0, np.uint8)), "promises 0 items"),
        (LABELS, packed(np.zeros(6, np.uint8)), "6 labels for 5 images"),
        (TEST_LABELS, packed(np.zeros(2, np.uint8)), "2 labels for 3 images"),
    ],
)
def test_what_is_no_data_set_is_one_sentence(name: str, data: bytes, words: str, folder: Path) -> None:
    (folder / name).write_bytes(data)
    with pytest.raises(ValueError) as refused:
        idx(folder)
    sentence = str(refused.value)
    assert sentence.startswith(name) and words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_missing_folder_or_file_is_named_as_the_user_gave_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(FileNotFoundError, match=f"^idx: there is no folder nowhere: name the one .* {IMAGES}\\.$"):
        idx("nowhere")
    with pytest.raises(FileNotFoundError, match=f"^idx: there is no folder {IMAGES}: "):
        idx(IMAGES)
    (folder / TEST_LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"^idx: there is no {TEST_LABELS}, plain or \\.gz, in \\.: put it "):
        split("idx", folder=".")


def test_mnist_is_told_by_its_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = tuple(datasets.read_idx(folder / name, axes)[1] for name, axes in zip(NAMES, (3, 1, 3, 1), strict=True))
    assert idx(folder).name == "unknown"
    monkeypatch.setitem(datasets.KNOWN, "MNIST", sums)
    assert idx(folder).name == split("idx", folder=folder).name == "MNIST"
    labels = drawn(0)[3]
    labels[0] = (labels[0] + 1) % 10
    (folder / TEST_LABELS).write_bytes(packed(labels))
    assert idx(folder).name == "unknown"


def test_the_sums_are_of_whole_unpacked_files(tmp_path: Path) -> None:
    """The sum of a file is that of its bytes, whichever way they are packed."""
    data = packed(drawn(0)[0])
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(data, mtime=0))
    expected = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert datasets.read_idx(tmp_path / "plain", 3)[1] == datasets.read_idx(tmp_path / "packed.gz", 3)[1] == expected
