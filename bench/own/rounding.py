"""What rounding the arrays of a model to its dtype changes its loss and its gradient by.

Near a minimum a gradient is the small rest of large terms, and no float32 gradient is within 1e-3 of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

DRAWS = 2
"""Random roundings of which the largest effect counts."""

EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}


def spread(
    value: Callable[[Any, np.ndarray | None], Any], exact: Any, dtype: str, at: Any, z: np.ndarray | None = None
) -> float:
    """The largest ‖value(near, z near) − at‖ over ``DRAWS`` models whose floating arrays differ by ε of ``dtype``.

    exact: the model in float64, so that nothing else rounds. z: a state to be rounded with it. Every entry x becomes
    x (1 + ε n) with n from N(0, 1); frozen parameters and buffers of modules stay.
    """
    rng, found = np.random.default_rng(0), 0.0
    for _ in range(DRAWS):
        near = nearby(exact, EPS.get(dtype, EPS["bfloat16"]), rng)
        moved = None if z is None else _rounded(z, EPS.get(dtype, EPS["bfloat16"]), rng)
        found = max(found, float(np.linalg.norm(np.asarray(value(near, moved)) - at)))
    return found


def nearby(exact: Any, eps: float, rng: np.random.Generator) -> Any:
    """The model with every floating array changed by a relative eps, the start of a solve left as it is."""

    def changed(arrays: list[Any]) -> list[Any]:
        return [exact.like(_rounded(exact.numpy(one), eps, rng), one) if _floats(one) else one for one in arrays]

    near = copy.copy(exact)
    near.leaves = changed(exact.leaves)
    near.rest = exact.rest | {name: changed(exact.rest[name]) for name in ("held", "batch")}
    return near


def _rounded(one: np.ndarray, eps: float, rng: np.random.Generator) -> np.ndarray:
    return one * (1 + eps * rng.normal(size=one.shape))


def _floats(one: Any) -> bool:
    return "float" in str(one.dtype)
