"""Problems are what their names promise, and refuse junk."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impls import datasets
from impls.problems import KIND, PROBLEMS, STARTS, circular_norm, make
from tests.impls.frameworks import flat, small

NAMES = st.sampled_from(sorted(PROBLEMS))
SIZES = sorted({name for build in PROBLEMS.values() for name in inspect.signature(build).parameters} - {"seed"})
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.integers(max_value=0),
    st.floats(max_value=0),
    st.floats(min_value=4.001),
    st.just(float("nan")),
    st.lists(st.integers(), max_size=2),
)


def circular_matrix(kernel: np.ndarray, size: int) -> np.ndarray:
    """The matrix of circular cross-correlation, entry by entry."""
    kh, kw, i, o = kernel.shape
    matrix = np.zeros((size, size, o, size, size, i))
    for row in range(size):
        for column in range(size):
            for a in range(kh):
                for b in range(kw):
                    source = (row + a - kh // 2) % size, (column + b - kw // 2) % size
                    matrix[row, column, :, source[0], source[1], :] += kernel[a, b].T
    return matrix.reshape(size * size * o, size * size * i)


@pytest.mark.parametrize(("size", "channels"), [(4, (2, 3)), (5, (1, 1)), (8, (2, 2))])
def test_circular_norm(size: int, channels: tuple[int, int]) -> None:
    kernel = np.random.default_rng(size).normal(size=(3, 3, *channels))
    expected = np.linalg.norm(circular_matrix(kernel, size), 2)
    assert circular_norm(kernel, size) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.3, 0.8, 1.0])
def test_spectral_norms(gamma: float) -> None:
    for name, weight in (("linear", "A"), ("newton", "W"), ("tanh", "W")):
        assert np.linalg.norm(small(name, gamma=gamma).params[weight], 2) == pytest.approx(gamma, rel=1e-12)
    kernel = small("fpn", gamma=gamma).params["R"]
    assert np.linalg.norm(circular_matrix(kernel, 8), 2) == pytest.approx(gamma, rel=1e-12)


def test_kinds_of_tanh() -> None:
    orthogonal = small("tanh", kind="orthogonal", gamma=1.0).params["W"]
    symmetric = small("tanh", kind="symmetric", gamma=1.0).params["W"]
    for w in (orthogonal, symmetric):
        assert np.allclose(w @ w.T, np.eye(len(w)), rtol=0, atol=1e-13)
    assert np.allclose(symmetric, symmetric.T, rtol=0, atol=1e-13)
    assert not np.allclose(orthogonal, orthogonal.T, rtol=0, atol=0.1)


@pytest.mark.parametrize("name", PROBLEMS)
def test_same_seed_same_arrays(name: str) -> None:
    """Another seed draws others, where anything is drawn: a test function is at its start whatever the seed."""
    sizes = small(name).sizes
    first, again, other = make(name, **sizes), make(name, **sizes), make(name, seed=1, **sizes)
    assert np.array_equal(flat(first.params), flat(again.params))
    assert np.array_equal(flat(first.params), flat(other.params)) == (name in STARTS)
    if name in STARTS:
        assert first.batch == other.batch == {}
    else:
        assert np.array_equal(flat(dict(first.batch)), flat(dict(again.batch)))
        assert not np.array_equal(first.batch["x"], other.batch["x"])
    assert set(sizes) == set(inspect.signature(PROBLEMS[name]).parameters) - {"seed"}


def test_kinds() -> None:
    assert set(KIND) == set(PROBLEMS)
    assert set(KIND.values()) == {"explicit", "implicit"}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(name=NAMES, size=st.sampled_from(SIZES), value=JUNK)
def test_junk_is_refused(name: str, size: str, value: Any) -> None:
    with pytest.raises((LookupError, ValueError)):
        make(name, **{size: value})


@given(name=st.text(max_size=8))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_unknown_names_are_refused(name: str) -> None:
    if name not in PROBLEMS:
        with pytest.raises(LookupError, match="No problem"):
            make(name)


def test_digits() -> None:
    images, labels = datasets.digits(1797, np.random.default_rng(0))
    assert images.shape == (1797, 8, 8, 1)
    assert (images.min(), images.max()) == (0, 1)
    assert set(labels) == set(range(10))
    for batch in (0, 1798):
        with pytest.raises(ValueError, match=f"not {batch}"):
            datasets.digits(batch, np.random.default_rng(0))
