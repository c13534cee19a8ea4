"""The tangents of a forward gradient cell: those of its first call, which the oracle needs too."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.failures import NotApplicable
from bench.nest import nest_map


class Tangent:
    """The tangents of one cell. options name a law or ``given``; ``arrays`` makes the framework's nest from numpy's.

    Raises ``NotApplicable`` where the oracle could not follow.
    """

    def __init__(
        self, cell: Cell, options: Mapping[str, Any], framework: Any, params: Any, arrays: Callable[[Any], Any]
    ) -> None:
        self._cell, self._framework, self._params, self._arrays = cell, framework, params, arrays
        self._law, self._count = options.get("tangents"), options.get("count", 1)
        if self._law not in (None, "given", "basis") and self._count > 1:
            raise NotApplicable("The oracle of several sampled tangents is not built: use tangents=given with count.")
        if self._law not in (None, "given") and cell.device == "meta":
            raise NotApplicable("Tangents cannot be drawn from shapes alone: use tangents=given on meta.")

    @property
    def rng(self) -> Any:
        """The third argument of a gradient call: tangents that were given, a generator, or nothing."""
        if self._law is None:
            return None
        return self._drawn if self._law == "given" else self._framework.rng(self._cell.seed)

    @cached_property
    def rows(self) -> np.ndarray | None:
        """The tangents of the first call as rows over the concatenated parameters; None for a method without."""
        if self._law is None:
            return None
        if self._law == "basis":
            sizes: list[int] = []
            nest_map(lambda p: sizes.append(prod(p.shape)), self._params)
            n = sum(sizes)
            return n**0.5 * (np.arange(n) == np.arange(self._count)[:, None] % n)
        leaves = importlib.import_module(f"impls.{self._cell.framework}.ops").leaves(self._dense)
        return np.concatenate([self._framework.numpy(v).reshape(self._count, -1) for v in leaves], axis=1)

    @property
    def scale(self) -> float:
        """How long the estimate of a gradient of length 1 may be, by order: ‖V‖/count, which is √(n/count)."""
        return 1.0 if self.rows is None else float(np.linalg.norm(self.rows)) / self._count

    def expected(self, oracle: np.ndarray) -> np.ndarray:
        """The oracle's gradient, or what forward gradient makes of it: the mean of (g·v) v."""
        return oracle if self.rows is None else (self.rows @ oracle) @ self.rows / self._count

    @property
    def _dense(self) -> Any:
        """Every tangent as an array; the law factored draws their factors."""
        if self._law != "factored":
            return self._drawn
        dense = importlib.import_module(f"impls.{self._cell.framework}.perturbed").dense
        return importlib.import_module(f"impls.{self._cell.framework}.ops").tree_map(
            lambda _, v: dense(v), self._params, self._drawn
        )

    @cached_property
    def _drawn(self) -> Any:
        """Given tangents from numpy, else the law's own first draw."""
        if self._law == "given":
            return self._arrays(nest_map(self._given, self._params))
        sampler = importlib.import_module(f"impls.{self._cell.framework}.tangents").sampler(self._law, self._count)
        drawn = sampler(self._framework.rng(self._cell.seed), self._params, 0)
        return drawn[0] if isinstance(drawn, tuple) else drawn

    def _given(self, p: Any) -> np.ndarray:
        shape = (*(() if self._count == 1 else (self._count,)), *p.shape)
        return np.broadcast_to(1.0, shape) if self._cell.device == "meta" else self._normal(size=shape)

    @cached_property
    def _normal(self) -> Callable[..., np.ndarray]:
        """One generator for all leaves of a nest."""
        return np.random.default_rng(self._cell.seed + 1).normal
