"""One cell in one framework: its arrays, the calls of its contenders, and how far their gradients are off."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.experiments.loops import framework_of
from bench.instruments.accuracy import error
from bench.nest import nest_map
from bench.older import module
from bench.peers import ours
from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender, gradient

Call = Callable[[], Any]


class Stage:
    """Arrays of one cell. ``scratch``: a folder where the workers of one run share the reference."""

    def __init__(self, cell: PeerCell, framework: str, device: str, scratch: Path) -> None:
        self.cell, self.framework, self._scratch = cell, framework, scratch
        self.problem, self._place = cell.make(), framework_of(framework, device)
        self._params, self._batch = (
            nest_map(lambda value: self._place.array(value, cell.dtype), tree)
            for tree in (self.problem.params, self.problem.batch)
        )
        self.sync = self._place.sync

    def call(self, contender: Contender, K: int | None, options: Mapping[str, Any]) -> Call:
        """A contender's call, jitted in jax with every array as an argument."""
        fn = gradient(contender, self.framework, self.cell, K, options)
        found: Call = self._place.gradient(fn, self._params, self._batch, self._place.rng(0))[0]
        return found

    def tried(self, contender: Contender, K: int | None, fixed: Mapping[str, Any], name: str) -> Callable[[Any], Any]:
        """fn(value) -> what the contender's call returns with the option ``name`` at that value; compiled once."""
        import jax

        def fn(params: Any, batch: Any, rng: Any, value: Any) -> Any:
            return gradient(contender, self.framework, self.cell, K, {**fixed, name: value})(params, batch, rng)

        compiled = jax.jit(fn)
        return lambda value: compiled(self._params, self._batch, self._place.rng(0), value)

    def forward(self, K: int | None) -> Call:
        """Our value alone, with no gradient recorded."""
        found: Call = self._place.forward(ours.forward(self.framework, self.cell, K), self._params, self._batch)
        return found

    def error(self, contender: Contender, result: Any) -> float:
        """‖g − g_ref‖/‖g_ref‖ of what a call returned; of an estimate along a random tangent, how far it is off that
        tangent's law. A training step's new parameters tell its gradient."""
        found = self._flat(result[1])
        if contender.method == "step":
            found = (self._flat(self._params) - found) / ours.RATE
        if contender.method in ("forward_gradient", "step") and "backprop" not in contender.kind:
            return off_law(found, self._reference)
        return error(found, self._reference)

    @cached_property
    def _reference(self) -> np.ndarray:
        """The true gradient, computed by the worker that comes first and written whole or not at all."""
        from impls import oracles

        path = self._scratch / f"peers-{hashlib.sha256(self.cell.name.encode()).hexdigest()[:24]}.npy"
        if path.exists():
            return np.load(path)
        found = oracles.flat(oracles.reference(self.problem))
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._scratch, delete=False) as file:
            np.save(file, found)
        os.replace(file.name, path)
        return found

    def _flat(self, tree: Any) -> np.ndarray:
        leaves = module(f"impls.{self.framework}.ops").leaves(tree)
        return np.concatenate([self._place.numpy(leaf).ravel() for leaf in leaves])


def off_law(estimate: np.ndarray, true: np.ndarray) -> float:
    """|n ⟨ĝ, ∇L⟩/‖ĝ‖² − 1| of an estimate ĝ = (∇L·v) v by one tangent v of length √n.

    ⟨ĝ, ∇L⟩ = (∇L·v)² and ‖ĝ‖² = (∇L·v)² ‖v‖², so it is |n/‖v‖² − 1|: 0 for signs, about √(2/n) for gaussians. A vector
    that is no such estimate is far off.
    """
    square = float(estimate @ estimate)
    return abs(len(true) * float(estimate @ true) / square - 1) if square > 0 else float("inf")
