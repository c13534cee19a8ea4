"""A tiny problem in float64: what is right for it, in numpy, and the problem in one framework with its derivatives."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.job import Binding, Loss, Tangents, flat, framework_of, nest_map
from bench.subjects import CatalogueProblem

SIZES: Mapping[str, Mapping[str, Any]] = {
    "tanh": {"width": 4, "inputs": 3, "batch": 3, "gamma": 0.3},
    "mlp": {"depth": 2, "width": 4, "batch": 3, "inputs": 3, "classes": 3},
}
"""At γ = 0.3 thirty steps leave 0.3³⁰ = 2e-16 to gain."""

SEED = 1
"""At 0 the first unit of mlp is dead."""

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

        self.problem = make(name, seed=SEED, **SIZES[name])
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


class TrialProblem(CatalogueProblem):
    """A trial's problem in one framework: params, batch and the direction v in its arrays; calls: its derivatives."""

    def __init__(self, framework: str, problem: str) -> None:
        self.calls = importlib.import_module(f"bench.capabilities.{framework}_calls").Calls()
        self.trial, used = Trial(problem), framework_of(framework)
        with used.double():
            super().__init__(self.trial.problem, used, "float64", seed=SEED)
            self.v = self.arrays(self.trial.nest(self.trial.v))

    def double(self) -> AbstractContextManager[Any]:
        """Inside it all is float64."""
        found: AbstractContextManager[Any] = self.framework.double()
        return found

    def vector(self, nest: Any) -> np.ndarray:
        """All numbers of a nest of the framework's arrays."""
        return flat(self.framework, nest)

    def stacked(self) -> Any:
        """The batch as batches of one sample, stacked."""
        first, *others = self.trial.samples
        return self.arrays({name: np.stack([first[name], *(one[name] for one in others)]) for name in first})

    def along(self, law: str, loss: Loss) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
        """Two functions: the forward gradient of ``loss`` along a tangent of a law, and that tangent, as vectors."""
        name, method = self.framework.name, "forward_gradient"
        cell = Cell(name, self.problem.name, method, gradient=method)
        tangents = Tangents(cell, {"tangents": law}, self.framework, self.params, self.arrays)
        value_and_grad = Binding(name, method, {"tangents": law}, method).value_and_grad(loss)

        def gradient() -> np.ndarray:
            return self.vector(value_and_grad(self.params, self.batch, tangents.rng)[1])

        def tangent() -> np.ndarray:
            assert tangents.rows is not None
            return tangents.rows[0]

        return gradient, tangent


def _leaves(nest: Any) -> list[np.ndarray]:
    """Arrays of a nest, dict keys sorted."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in _leaves(nest[key])]
    return [leaf for item in nest for leaf in _leaves(item)] if isinstance(nest, list | tuple) else [nest]
