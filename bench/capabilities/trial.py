"""A tiny problem in float64: what is right for it, in numpy; the problem in one framework with its derivatives; and
what came of one attempt: the numbers agree, someone raised, or the numbers are wrong."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.failures import without_paths
from bench.job import Binding, Loss, Tangents, flat, framework_of
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
        numbers = iter(vector)

        def shaped(like: Any) -> Any:
            if isinstance(like, dict):
                found = {key: shaped(like[key]) for key in sorted(like)}
                return {key: found[key] for key in like}
            if isinstance(like, list | tuple):
                return [shaped(one) for one in like]
            return np.fromiter(islice(numbers, like.size), float).reshape(like.shape)

        return shaped(self.problem.params)

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


# What came of an attempt ----------------------------------------------------------------------------------------

YES, NO, REFUSED, WRONG = "yes", "no", "refused", "wrong"

LONGEST = 200
"""Characters of a reason; what a framework raises can fill a page."""


@dataclass(frozen=True)
class Outcome:
    """outcome: yes, no, refused or wrong. reason: the first line of the error, or the distance; empty for yes."""

    outcome: str
    reason: str = ""


Vector = Callable[[], np.ndarray]


def tried(attempt: Vector, right: Vector, most: float, *, beyond: str = WRONG) -> Outcome:
    """The outcome of ``attempt``, whose numbers must be the ``right`` ones, up to ``most`` of their length.

    Farther off they are ``beyond``. Numbers that are not finite deceive nobody: that is no. What ``right`` raises is no
    outcome, and is raised.
    """
    try:
        found = attempt()
    except Exception as error:
        return Outcome(REFUSED if _ours(error) else NO, _first_line(error))
    if not np.isfinite(found).all():
        return Outcome(NO, "Its numbers are not finite.")
    wanted = right()
    if found.shape != wanted.shape:
        return Outcome(WRONG, f"Its numbers have the shape {found.shape}, the right ones {wanted.shape}.")
    distance = float(np.linalg.norm(found - wanted)) / float(np.linalg.norm(wanted))  # not over zero: a useless trial
    return (
        Outcome(YES) if distance <= most else Outcome(beyond, f"Off by {distance:.1g} of the length of the right one.")
    )


def _ours(error: Exception) -> bool:
    """Whether a ``raise`` statement of ``impls`` made the error, and not a call there that failed in a framework."""
    trace = traceback.extract_tb(error.__traceback__)
    spec = importlib.util.find_spec("impls")
    if not trace or spec is None:
        return False
    folders = [Path(folder).resolve() for folder in spec.submodule_search_locations or ()]
    inside = any(folder in Path(trace[-1].filename).resolve().parents for folder in folders)
    return inside and linecache.getline(trace[-1].filename, trace[-1].lineno or 0).lstrip().startswith("raise ")


def _first_line(error: Exception) -> str:
    """The first line of an error without paths, or its kind where it has no words."""
    lines = without_paths(str(error)).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
