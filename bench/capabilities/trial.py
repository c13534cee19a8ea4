"""A tiny problem in float64 and what is right for it, in numpy: gradients, and second derivatives along a direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.nest import nest_map

SIZES: Mapping[str, Mapping[str, Any]] = {
    "tanh": {"width": 4, "inputs": 3, "batch": 3, "gamma": 0.3},
    "mlp": {"depth": 2, "width": 4, "batch": 3, "inputs": 3, "classes": 3},
}
"""At γ = 0.3 thirty steps leave 0.3³⁰ = 2e-16 to gain."""

STEPS = {"picard": 30, "newton": 8, "anderson": 15}
"""K of each forward solver, enough for float64."""

TERMS = {"picard": 30, "anderson": 15}
"""M of a linear solver; the others are exact after as many steps as the state has numbers."""

CLOSE = 1e-10
"""Largest relative distance between two ways to compute the same in float64."""

CURVED = 1e-6
"""The same beside central differences at ``H``: H² of truncation, 1e-14/H of rounding."""

H = 1e-5


class Trial:
    """The problem ``name`` with one fixed direction v, shaped as its parameters; vectors are as of ``oracles.flat``."""

    def __init__(self, name: str) -> None:
        from impls.problems import make

        self.problem = make(name, seed=1, **SIZES[name])  # at 0 the first unit of mlp is dead
        size = self.vector(self.problem.params).size
        self.v = np.random.default_rng(1).normal(size=size)

    def vector(self, nest: Any) -> np.ndarray:
        """All numbers of a nest of numpy arrays."""
        from impls.oracles import flat

        return flat(nest)

    def nest(self, vector: np.ndarray) -> Any:
        """The nest shaped as the parameters whose ``vector`` is this one."""
        found, start = {}, 0
        for leaf in _leaves(self.problem.params):
            found[id(leaf)] = vector[start : start + leaf.size].reshape(leaf.shape)
            start += leaf.size
        return nest_map(lambda leaf: found[id(leaf)], self.problem.params)

    @property
    def samples(self) -> list[Any]:
        """The batch as one batch a sample."""
        batch = self.problem.batch
        return [{name: x[i : i + 1] for name, x in batch.items()} for i in range(self.problem.sizes["batch"])]

    def closed(self, method: str, **options: Any) -> np.ndarray:
        """What ``method`` must return with these options."""
        from impls import oracles

        return oracles.flat(oracles.gradient(self.problem, method, **options))

    @cached_property
    def true(self) -> np.ndarray:
        """The true gradient, at the fixed point itself."""
        return self._true(self.problem.params)

    @cached_property
    def curvature(self) -> np.ndarray:
        """The true gradient's derivative along v, H v, by central differences."""
        at = self.vector(self.problem.params)
        ahead, behind = (self._true(self.nest(at + step * self.v)) for step in (H, -H))
        return (ahead - behind) / (2 * H)

    def of_samples(self, method: str, **options: Any) -> np.ndarray:
        """What ``method`` must return for each sample alone, one row a sample."""
        from impls import oracles

        ones = [replace(self.problem, batch=batch) for batch in self.samples]
        return np.stack([oracles.flat(oracles.gradient(one, method, **options)) for one in ones])

    def _true(self, params: Any) -> np.ndarray:
        from impls import oracles

        return oracles.flat(oracles.reference(replace(self.problem, params=params)))


def _leaves(nest: Any) -> list[np.ndarray]:
    """Arrays of a nest, dict keys sorted."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in _leaves(nest[key])]
    return [leaf for item in nest for leaf in _leaves(item)] if isinstance(nest, list | tuple) else [nest]
