"""The calls that one method makes of a model: a forward, a gradient, and a gradient whose backward solve reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from bench.cells import Cell
from bench.failures import NotApplicable
from bench.job import Tangents, backward_solve
from bench.own.question import missing_modes


class Calls:
    """forward and gradient take no arguments. loss: what gradient differentiates. compile_s: seconds that compiling it
    took, None where there is nothing to compile."""

    def __init__(self, model: Any, cell: Cell) -> None:
        self._model, self._cell = model, cell
        self._impls = f"impls.{cell.framework}"
        self.framework = import_module(f"bench.frameworks.{cell.framework}_{cell.mode}").Framework("cpu")
        self.args = model.leaves, model.rest
        self.tangent = Tangents(cell, cell.options, self.framework, model.leaves, model.with_leaves)
        # The plain solve with nothing attached, the same for every adjoint.
        plain = model.loss(self._adjoint("jfb"))
        self.forward = self.framework.forward(lambda leaves, rest: plain(leaves, rest)[0], *self.args)
        self.loss = model.loss(self._adjoint(cell.method))

    def compile(self) -> None:
        """Make ``gradient`` and ``compile_s``; apart, so that the forward can be looked at before. opaque: measures
        calls that run code which the caller compiled; None where there is none. ``NotApplicable`` for forward mode
        through such code, which drops tangents without a word."""
        self.opaque = self.framework.opaque(self.forward)
        if self.opaque and self._cell.gradient == "forward_gradient":
            raise NotApplicable("The model runs code that torch.compile made, which has no forward mode.")
        with missing_modes():
            self.gradient, self.compile_s = self._gradient(self.loss)

    @property
    def K(self) -> int:
        """Steps of the forward solve."""
        return int(self._cell.options["K"])

    @property
    def solver(self) -> str:
        """Name of the forward solver."""
        return str(self._cell.options.get("solver", "picard"))

    def backward(self) -> Mapping[str, float]:
        """Steps and residual of the backward solve, from one more gradient call; nothing where the method has none."""
        if "linear_solver" not in self._cell.options:
            return {}

        def call(linear_solver: Any) -> Callable[[], Any]:
            return self._gradient(self._model.loss(self._adjoint(self._cell.method, linear_solver)))[0]

        return backward_solve(self.framework, self._linear_solver(), call)

    def _gradient(self, loss: Any) -> tuple[Callable[[], Any], float | None]:
        method = import_module(f"{self._impls}.gradients.{self._cell.gradient}")
        options = self._cell.options
        taken = {name: options[name] for name in ("tangents", "count") if name in options}
        return self.framework.gradient(method.value_and_grad(loss, **taken), *self.args, self.tangent.rng)

    def _adjoint(self, name: str, linear_solver: Any = None) -> Any:
        """An adjoint with the cell's solvers bound; None for an explicit model."""
        if "K" not in self._cell.options:
            return None
        solvers = import_module(f"{self._impls}.solvers").SOLVERS
        bound = {"solver": solvers[self.solver](steps=self.K)}
        if name == self._cell.method and "linear_solver" in self._cell.options:
            bound["linear_solver"] = linear_solver or self._linear_solver()
        return partial(import_module(f"{self._impls}.adjoints.{name}").fixed_point, **bound)

    def _linear_solver(self) -> Any:
        options = self._cell.options
        kind = import_module(f"{self._impls}.linear_solvers").LINEAR_SOLVERS[options["linear_solver"]]
        return kind() if "M" not in options else kind(steps=options["M"])
