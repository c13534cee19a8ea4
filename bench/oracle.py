"""What a cell's gradient must be, and what the true one is: float64 closed forms, computed once a run."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.instruments import contraction


class Oracle:
    """The closed forms of one cell. ``scratch`` is a folder where the workers of one run share what they computed."""

    def __init__(self, cell: Cell, problem: Any, options: Mapping[str, Any], scratch: Path) -> None:
        self._cell, self._problem, self._options, self._scratch = cell, problem, options, scratch

    def gradient(self) -> np.ndarray:
        """What the cell's method must return at its K and M, as one vector; along a tangent: the gradient that is
        multiplied with it."""
        from impls import oracles

        taken = {name: self._options[name] for name in ("K", "solver", "linear_solver", "M") if name in self._options}
        method = "backprop" if self._cell.method == "forward_gradient" else self._cell.method
        key = f"{method}{sorted(taken.items())}"
        return self._saved(key, lambda: oracles.flat(oracles.gradient(self._problem, method, **taken)))

    def reference(self) -> np.ndarray:
        """The true gradient at the fixed point."""
        from impls import oracles

        return self._saved("reference", lambda: oracles.flat(oracles.reference(self._problem)))

    def contraction(self) -> dict[str, float | None]:
        """‖J(z*)‖₂ and the spectral radius of J(z*), the largest over samples; None where there is no fixed point."""

        def computed() -> np.ndarray:
            found = contraction.of(self._problem)
            return np.array([np.nan, np.nan] if found is None else [found.norm, found.radius])

        norm, radius = self._saved("contraction", computed)
        known = np.isfinite(norm)
        return {"jacobian_norm": float(norm) if known else None, "spectral_radius": float(radius) if known else None}

    def _saved(self, what: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Computed by the worker that comes first, written whole or not at all."""
        key = f"{what}{self._cell.problem}{sorted(self._problem.sizes.items())}{self._cell.seed}"
        path = self._scratch / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if path.exists():
            return np.load(path)
        found = compute()
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._scratch, delete=False) as file:
            np.save(file, found)
        os.replace(file.name, path)
        return found
