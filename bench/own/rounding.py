"""What rounding the arrays of a model to its dtype changes its loss and its gradient by.

Near a minimum a gradient is the small rest of large terms, and no float32 gradient is within 1e-3 of it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.own.nest import inexact

DRAWS = 2
"""Random roundings of which the largest effect counts."""

_BITS = {"float64": 52, "float32": 23, "bfloat16": 7, "float16": 10}


def eps(dtype: str) -> float:
    """The distance from 1 to the next number of a dtype; of a small float, such as float8_e4m3fn, by its name."""
    named = re.search(r"e\d+m(\d+)", dtype)
    return 2.0 ** -(int(named[1]) if named else _BITS[dtype])


def spread(
    value: Callable[[Any, np.ndarray | None], Any], exact: Any, dtype: str, at: Any, z: np.ndarray | None = None
) -> float:
    """The largest ‖value(near, z near) − at‖ over ``DRAWS`` models whose floating arrays differ by ε of ``dtype``.

    exact: the model in float64, so that nothing else rounds. z: a state to be rounded with it. Every entry x becomes
    x (1 + ε n) with n from N(0, 1); frozen parameters and buffers of modules stay.
    """
    rng, found = np.random.default_rng(0), 0.0
    for _ in range(DRAWS):
        near = nearby(exact, eps(dtype), rng)
        moved = None if z is None else _rounded(z, eps(dtype), rng)
        found = max(found, float(np.linalg.norm(np.asarray(value(near, moved)) - at)))
    return found


def nearby(exact: Any, part: float, rng: np.random.Generator) -> Any:
    """The model with every floating array changed by a relative ``part``, the start of a solve left as it is."""

    def changed(arrays: list[Any]) -> list[Any]:
        return [exact.like(_rounded(exact.numpy(one), part, rng), one) if inexact(one) else one for one in arrays]

    near = copy.copy(exact)
    near.leaves = changed(exact.leaves)
    near.rest = exact.rest | {name: changed(exact.rest[name]) for name in ("held", "batch")}
    return near


def _rounded(one: np.ndarray, part: float, rng: np.random.Generator) -> np.ndarray:
    if np.iscomplexobj(one):
        return _rounded(one.real, part, rng) + 1j * _rounded(one.imag, part, rng)
    return one * (1 + part * rng.normal(size=one.shape))
