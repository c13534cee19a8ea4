"""A cell turned into something that can be called: arrays, forward, gradient, and the check that comes before time."""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.cell import Cell
from bench.instruments import accuracy

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
"""Largest relative deviation of a gradient from its oracle."""

KINK = 1e-2
"""Where float32 puts a preactivation on the other side of ReLU's kink, one unit of one sample changes its derivative by
a finite amount. Up to this deviation the cell is built again in float64, and must meet the tight tolerance there."""

IMPLICIT = {"K": 60, "solver": "picard"}
NEWTON_STEPS = 6
LINEAR = {"linear_solver": "picard", "M": 60}
KRYLOV_STEPS = 20
"""Options that a cell does not name."""


class Wrong(Exception):
    """The gradient is off its oracle."""


class Diverged(Exception):
    """The loss or gradient is no number."""


class NotApplicable(Exception):
    """This combination does not exist, for the reason given."""


def build(cell: Cell, scratch: Path) -> Job:
    """The job of a cell; raises what ``impls`` raises for bad sizes and options. ``scratch`` keeps oracles between
    the workers of one run."""
    return Job(cell, scratch)


class Job:
    """A cell in its framework. ``forward`` and ``gradient`` take no arguments and return what ``sync`` waits for."""

    def __init__(self, cell: Cell, scratch: Path) -> None:
        from impls import problems

        self.cell, self._scratch = cell, scratch
        self.problem = problems.make(cell.problem, seed=cell.seed, **cell.sizes)
        self.sizes = dict(self.problem.sizes)
        self.options = _with_defaults(cell)
        self._framework = importlib.import_module(f"bench.frameworks.{cell.framework}_{cell.mode}").Framework()
        self._ops = importlib.import_module(f"impls.{cell.framework}.ops")
        self.params = self._arrays(self.problem.params)
        self.batch = self._arrays(self.problem.batch)

        loss = self._loss_of(self._fixed_point())
        method = importlib.import_module(f"impls.{cell.framework}.gradients.{cell.gradient}")
        self._taken = {name: self.options[name] for name in ("tangents", "count") if name in self.options}
        fn = method.value_and_grad(loss, **self._taken)
        # The forward is the plain solve with nothing attached, the same for every adjoint.
        plain = self._loss_of(self._plain())
        self._loss = partial(loss, self._leaves_that_require_grad(), self.batch)
        self.forward: Callable[[], Any] = self._framework.forward(
            lambda params, batch: plain(params, batch)[0], self.params, self.batch
        )
        self.gradient, self._compile_s = self._framework.gradient(fn, self.params, self.batch, self._rng())
        self.sync = self._framework.sync

    def check(self) -> float:
        """Deviation from the oracle: ‖g − g_oracle‖/‖g_oracle‖, or in units of ‖∇L‖‖v‖ along a tangent, whose product
        with the gradient may be near zero by chance."""
        value, grads, _ = self._once
        loss = float(self._framework.numpy(value))
        if not np.isfinite(loss) or not np.isfinite(grads).all():
            raise Diverged(f"The loss is {loss:.3g} and its gradient has entries that are no finite numbers.")
        oracle = self._saved("oracle", self._oracle)
        deviation = float(np.linalg.norm(grads - self._expected(oracle)) / np.linalg.norm(oracle))
        if self._tangent is not None:
            deviation /= float(np.linalg.norm(self._tangent))
        if self.cell.dtype == "float32" and TOLERANCE["float32"] < deviation <= KINK:
            with self._framework.double():
                Job(replace(self.cell, dtype="float64"), self._scratch).check()
        elif not deviation <= TOLERANCE[self.cell.dtype]:
            raise Wrong(
                f"The gradient is {deviation:.2g} away from its oracle, more than {TOLERANCE[self.cell.dtype]:.0e}."
            )
        return deviation

    def exact(self) -> dict[str, Any]:
        """Noise-free values: bytes, gradient error, steps and residuals."""
        value, grads, aux = self._once
        reference = self._saved("reference", self._reference)
        item = np.dtype(self.cell.dtype).itemsize
        return {
            **self._framework.bytes(self.forward, self.gradient, self._loss),
            "parameters": len(grads),
            "parameter_bytes": len(grads) * item,
            "tangent_bytes": len(grads) * item * int(self._tangent is not None),
            "result_bytes": len(grads) * item,
            "gradient_error": accuracy.error(grads, reference),
            "cosine": accuracy.cosine(grads, reference),
            "loss": float(self._framework.numpy(value)),
            "forward_steps": float(self._framework.numpy(aux.steps)) if aux else None,
            "forward_residual": float(self._framework.numpy(aux.residual)) if aux else None,
            **self._backward(),
        }

    def values(self) -> dict[str, Any]:
        """What building gave: compile seconds of the gradient call."""
        return {"compile_s": self._compile_s}

    # ------------------------------------------------------------------------------------------------------------

    def _arrays(self, tree: Any) -> Any:
        return _map(lambda value: self._framework.array(value, self.cell.dtype), tree)

    def _leaves_that_require_grad(self) -> Any:
        if self.cell.framework != "torch":
            return self.params
        return _map(lambda p: p.detach().clone().requires_grad_(), self.params)

    def _solver(self) -> Any:
        solvers = importlib.import_module(f"impls.{self.cell.framework}.solvers")
        from impls.names import pick

        return pick("solver", self.options["solver"], solvers.SOLVERS)(steps=self.options["K"])

    def _loss_of(self, fixed_point: Any) -> Any:
        models = importlib.import_module(f"impls.{self.cell.framework}.models")
        return models.loss(self.cell.problem, fixed_point)

    def _fixed_point(self, linear_solver: Any = None) -> Any:
        """The cell's adjoint with its solvers bound; none for an explicit problem."""
        if "K" not in self.options:
            return None
        adjoint = importlib.import_module(f"impls.{self.cell.framework}.adjoints.{self.cell.method}")
        bound = {"solver": self._solver()}
        if "linear_solver" in self.options:
            bound["linear_solver"] = linear_solver or self._linear_solver()
        return partial(adjoint.fixed_point, **bound)

    def _plain(self) -> Any:
        if "K" not in self.options:
            return None
        jfb = importlib.import_module(f"impls.{self.cell.framework}.adjoints.jfb")
        return partial(jfb.fixed_point, solver=self._solver())

    def _linear_solver(self) -> Any:
        from impls.names import pick

        table = importlib.import_module(f"impls.{self.cell.framework}.linear_solvers").LINEAR_SOLVERS
        kind = pick("linear solver", self.options["linear_solver"], table)
        return kind() if "M" not in self.options else kind(steps=self.options["M"])

    def _rng(self) -> Any:
        """The third argument of the gradient call: tangents that were given, a generator, or nothing."""
        tangents = self.options.get("tangents")
        if tangents is None:
            return None
        return self._drawn if tangents == "given" else self._framework.rng(self.cell.seed)

    @cached_property
    def _drawn(self) -> Any:
        """The tangents that the first gradient call uses: given ones from numpy, else the law's own first draw."""
        tangents, count = self.options["tangents"], self.options.get("count", 1)
        if tangents == "given":
            rng = np.random.default_rng(self.cell.seed + 1)
            shape = (lambda p: p.shape) if count == 1 else (lambda p: (count, *p.shape))
            return self._arrays(_map(lambda p: rng.normal(size=shape(p)), self.problem.params))
        sampler = importlib.import_module(f"impls.{self.cell.framework}.tangents").sampler(tangents, count)
        rng = self._framework.rng(self.cell.seed)
        if count > 1:
            raise NotApplicable("The oracle of several sampled tangents is not built: use tangents=given with count.")
        drawn = sampler(rng, self.params, 0)
        return drawn[0] if isinstance(drawn, tuple) else drawn

    @cached_property
    def _tangent(self) -> np.ndarray | None:
        if "tangents" not in self.options:
            return None
        return self._flat(self._drawn)

    def _expected(self, oracle: np.ndarray) -> np.ndarray:
        """The oracle's gradient, or what forward gradient makes of it with the tangents of the first call."""
        if self._tangent is None:
            return oracle
        count = self.options.get("count", 1)
        if count == 1:
            return (oracle @ self._tangent) * self._tangent
        rows = np.concatenate(
            [self._framework.numpy(v).reshape(count, -1) for v in self._ops.leaves(self._drawn)], axis=1
        )
        return (rows @ oracle) @ rows / count

    @cached_property
    def _once(self) -> tuple[Any, np.ndarray, Any]:
        """Loss, flat float64 gradient and aux of the first call."""
        value, grads, aux = self.sync(self.gradient())
        return value, self._flat(grads), aux

    def _flat(self, tree: Any) -> np.ndarray:
        return np.concatenate([self._framework.numpy(leaf).ravel() for leaf in self._ops.leaves(tree)])

    def _oracle(self) -> np.ndarray:
        from impls import oracles

        options = {name: self.options[name] for name in ("K", "solver", "linear_solver", "M") if name in self.options}
        method = "backprop" if self.cell.method == "forward_gradient" else self.cell.method
        return oracles.flat(oracles.gradient(self.problem, method, **options))

    def _reference(self) -> np.ndarray:
        from impls import oracles

        return oracles.flat(oracles.reference(self.problem))

    def _saved(self, what: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Computed once a run: workers share it through ``scratch``, written whole or not at all."""
        cell = self.cell
        method = "" if what == "reference" else f"{cell.method}{sorted(self.options.items())}"
        key = f"{what}{cell.problem}{sorted(self.sizes.items())}{cell.seed}{method}"
        path = self._scratch / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if path.exists():
            return np.load(path)
        found = compute()
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._scratch, delete=False) as file:
            np.save(file, found)
        os.replace(file.name, path)
        return found

    def _backward(self) -> dict[str, Any]:
        """Steps and residual of the backward solve, where the method makes one: from one more gradient call, untimed,
        whose linear solver reports what it found."""
        if "linear_solver" not in self.options:
            return {"backward_steps": None, "backward_residual": None}
        found: dict[str, float] = {}

        def note(steps: Any, residual: Any) -> None:
            found.update(backward_steps=float(steps), backward_residual=float(residual))

        watched = Watched(self._linear_solver(), lambda one: self._framework.tell(note, one.steps, one.residual))
        method = importlib.import_module(f"impls.{self.cell.framework}.gradients.{self.cell.gradient}")
        call, _ = self._framework.gradient(
            method.value_and_grad(self._loss_of(self._fixed_point(watched)), **self._taken),
            self.params,
            self.batch,
            self._rng(),
        )
        self._framework.settle(call())
        return found


class Watched:
    """A linear solver that shows each solution to ``look`` before it returns it."""

    def __init__(self, inner: Any, look: Callable[[Any], None]) -> None:
        self._inner, self._look = inner, look
        self.tol, self.differentiable = inner.tol, inner.differentiable

    def __call__(self, A: Any, b: Any) -> Any:
        found = self._inner(A, b)
        self._look(found)
        return found


def _map(fn: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``fn`` to the arrays of a nest, before there is a framework to do it."""
    if isinstance(tree, dict):
        return {key: _map(fn, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_map(fn, value) for value in tree]
    return fn(tree)


def _with_defaults(cell: Cell) -> dict[str, Any]:
    """Every option of a cell, with what it does not name filled in."""
    from impls.catalog import METHODS

    given = dict(cell.options)
    filled: dict[str, Any] = {}
    if METHODS[cell.method].interface == "adjoint":
        filled |= IMPLICIT | ({"solver": "newton"} if cell.problem == "newton" else {})
        if given.get("solver", filled["solver"]) == "newton":
            filled["K"] = NEWTON_STEPS
    if "linear_solver" in METHODS[cell.method].options:
        filled |= LINEAR
        kind = given.get("linear_solver", filled["linear_solver"])
        if kind == "gmres":
            filled["M"] = KRYLOV_STEPS
        if kind == "dense":
            del filled["M"]
    if cell.gradient == "forward_gradient":
        filled["tangents"] = "gaussian"
    return filled | given
