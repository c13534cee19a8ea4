"""Problems as numpy arrays: parameters and one batch, from one seeded generator, so that both frameworks get the same.

States are rows: z is (batch, width), and a weight acts from the right. Images are NHWC, kernels HWIO. Arrays are
float64 here and are cast when they are handed to a framework.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from impls.names import pick
from impls.problems.base import Drawn, Facts, Tree
from impls.problems.explicit import EXPLICIT, MINIMA, STARTS
from impls.problems.implicit import IMPLICIT, circular_norm

__all__ = [
    "FACTS",
    "KIND",
    "MINIMA",
    "PROBLEMS",
    "STARTS",
    "Facts",
    "Problem",
    "Tree",
    "circular_norm",
    "make",
]

FACTS: Mapping[str, Facts] = {row.name: row for row in (*EXPLICIT, *IMPLICIT)}
PROBLEMS: Mapping[str, Callable[..., Drawn]] = {name: row.draw for name, row in FACTS.items()}
KIND: Mapping[str, str] = {name: row.kind for name, row in FACTS.items()}


@dataclass(frozen=True)
class Problem:
    """A named problem with its arrays. ``sizes`` holds every size, defaults filled in."""

    name: str
    sizes: Mapping[str, Any]
    params: Tree
    batch: Mapping[str, np.ndarray]


def make(name: str, *, seed: int | None = 0, **sizes: Any) -> Problem:
    """Build the problem ``name``; ``LookupError`` for an unknown name or size, ``ValueError`` for a bad value.

    seed None: for shapes alone, at sizes that no machine need hold; what is drawn is 1 throughout and takes no memory.
    """
    build = pick("problem", name, PROBLEMS)
    known = {key: p.default for key, p in inspect.signature(build).parameters.items() if key != "seed"}
    for key, value in sizes.items():
        default = pick(f"size of {name}", key, known)
        if isinstance(default, int) and (type(value) is not int or value < 1):
            raise ValueError(f"{name}: {key} must be a whole number from 1 up, not {value!r}.")
        if isinstance(default, float) and (
            type(value) is bool or not isinstance(value, int | float) or not 0 < value <= 4
        ):
            raise ValueError(f"{name}: {key} must lie in (0, 4], not {value!r}.")
    params, batch = build(seed=seed, **sizes)
    return Problem(name, {**known, **sizes}, params, batch)
