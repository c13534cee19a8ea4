"""A cell turned into something that can be called: arrays, forward, gradient, and the check that comes before time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.backward import backward_solve
from bench.cells import Cell
from bench.failures import Diverged, NotApplicable, Wrong
from bench.instruments import accuracy
from bench.nest import nest_map
from bench.older import module, require
from bench.options import require_solver, with_defaults
from bench.oracle import Oracle
from bench.tangent import Tangent
from bench.work import flop_ratio

__all__ = ["Diverged", "Job", "NotApplicable", "Wrong", "build"]

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
"""Largest relative deviation of a gradient from its oracle."""

KINKED = frozenset({"mlp", "cnn", "elghaoui", "mon"})
"""Problems with ReLU. The others are smooth, and float32 has no excuse there."""

KINK = 1e-2
"""Where float32 puts a preactivation on the other side of ReLU's kink, one unit of one sample changes its derivative by
a finite amount. Up to this deviation the cell is built again in float64, and must meet the tight tolerance there."""

GPU_CHECK_BATCH = 64
"""Closed forms are computed in float64 on one CPU core, which takes hours at the sizes of a GPU: there the same cell is
checked with no larger batch than this, on the same device."""


def build(cell: Cell, scratch: Path) -> Job:
    """The job of a cell; raises what ``impls`` raises for bad sizes and options. ``scratch`` keeps oracles between
    the workers of one run."""
    return Job(cell, scratch)


class Job:
    """A cell in its framework. ``forward`` and ``gradient`` take no arguments and return what ``sync`` waits for."""

    def __init__(self, cell: Cell, scratch: Path) -> None:
        from impls import catalog, problems

        self.cell, self._scratch = cell, scratch
        require("problem", cell.problem, problems.PROBLEMS)
        require("method", cell.method, catalog.METHODS)
        self.meta = cell.device == "meta"
        self.problem = problems.make(cell.problem, seed=None if self.meta else cell.seed, **cell.sizes)
        self.sizes = dict(self.problem.sizes)
        self.options = with_defaults(cell)
        if "solver" in self.options:
            require_solver(cell.method, self.options["solver"])
        framework = importlib.import_module(f"bench.frameworks.{cell.framework}_{cell.mode}")
        self._framework = framework.Framework(cell.device)
        self.sync = self._framework.sync
        self.params = self._arrays(self.problem.params)
        self._args = (self.params, self._arrays(self.problem.batch))
        self._oracle = Oracle(cell, self.problem, self.options, scratch)
        self._tangent = Tangent(cell, self.options, self._framework, self.params, self._arrays)

        if cell.device.startswith("cuda") and self._batch > GPU_CHECK_BATCH:
            self.sync(self.forward())  # before the gradient: jax can tell real peaks only as they rise
        self._loss = self._loss_of(self._fixed_point())
        self.gradient, self._compile_s = self._gradient(self._loss)

    @cached_property
    def forward(self) -> Callable[[], Any]:
        """The plain solve with nothing attached, the same for every adjoint."""
        plain = self._loss_of(self._plain())
        return self._framework.forward(lambda params, batch: plain(params, batch)[0], *self._args)

    def check(self) -> float | None:
        """Deviation from the oracle: ‖g − g_oracle‖/‖g_oracle‖, or along tangents in units of ‖∇L‖‖V‖/count, since
        their products with the gradient may be near zero by chance. None on meta, where there are no numbers. Raises
        ``Wrong`` and ``Diverged``."""
        if self.meta:
            return None
        value, grads, _ = self._once
        loss = float(self._framework.numpy(value))
        if not np.isfinite(loss) or not np.isfinite(grads).all():
            raise Diverged(f"The loss is {loss:.3g} and its gradient has entries that are no finite numbers.")
        if self._replica is not None:
            return self._replica.check()
        oracle = self._oracle.gradient()
        wrong = float(np.linalg.norm(grads - self._tangent.expected(oracle)))
        deviation = wrong / float(np.linalg.norm(oracle)) / self._tangent.scale
        kinked = self.cell.problem in KINKED and self.cell.dtype == "float32"
        if kinked and TOLERANCE["float32"] < deviation <= KINK:
            with self._framework.double():
                Job(replace(self.cell, dtype="float64"), self._scratch).check()
        elif not deviation <= TOLERANCE[self.cell.dtype]:
            raise Wrong(
                f"The gradient is {deviation:.2g} away from its oracle, more than {TOLERANCE[self.cell.dtype]:.0e}."
            )
        return deviation

    def exact(self) -> dict[str, Any]:
        """Noise-free values: bytes, flops, traffic, gradient error, contraction factors, steps and residuals."""
        item, count = np.dtype(self.cell.dtype).itemsize, _count(self.problem.params)
        reverse = self._loss if self.cell.gradient == "backprop" else None
        return {
            **self._framework.bytes(self.forward, self.gradient, reverse, *self._args),
            **self._framework.flops(self.forward, self.gradient),
            **self._framework.traffic(self.forward, self.gradient),
            "flop_ratio": flop_ratio(self.problem, self.cell.method, self.options),
            "parameters": count,
            "parameter_bytes": count * item,
            "tangent_bytes": count * item * self.options.get("count", 1) * int("tangents" in self.options),
            "result_bytes": count * item,
            **({} if self.meta else self._numbers()),
        }

    def values(self) -> dict[str, Any]:
        """What building gave: compile seconds of the gradient call."""
        return {"compile_s": self._compile_s}

    # ------------------------------------------------------------------------------------------------------------

    def _numbers(self) -> dict[str, Any]:
        """Values for which the arrays must hold numbers; where a smaller batch is checked, errors are of that one."""
        value, _, aux = self._once
        checked = self._replica or self
        grads, reference = checked._once[1], checked._oracle.reference()
        return {
            "gradient_error": accuracy.error(grads, reference),
            "cosine": accuracy.cosine(grads, reference),
            "checked_batch": checked._batch,
            "loss": float(self._framework.numpy(value)),
            "forward_steps": float(self._framework.numpy(aux.steps)) if aux else None,
            "forward_residual": float(self._framework.numpy(aux.residual)) if aux else None,
            **checked._oracle.contraction(),
            **self._backward(),
        }

    @cached_property
    def _replica(self) -> Job | None:
        """The same cell at a batch whose closed form can be computed; None where this one's can."""
        if not self.cell.device.startswith("cuda") or self._batch <= GPU_CHECK_BATCH:
            return None
        return Job(replace(self.cell, sizes={**self.cell.sizes, "batch": GPU_CHECK_BATCH}), self._scratch)

    @property
    def _batch(self) -> int:
        """Samples; a test function of two variables is one."""
        return int(self.sizes.get("batch", 1))

    def _arrays(self, tree: Any) -> Any:
        return nest_map(lambda value: self._framework.array(value, self.cell.dtype), tree)

    def _gradient(self, loss: Any) -> tuple[Callable[[], Any], float | None]:
        """The gradient call of a loss, and its compile seconds."""
        method = module(f"impls.{self.cell.framework}.gradients.{self.cell.gradient}")
        taken = {name: self.options[name] for name in ("tangents", "count") if name in self.options}
        return self._framework.gradient(method.value_and_grad(loss, **taken), *self._args, self._tangent.rng)

    def _loss_of(self, fixed_point: Any) -> Any:
        models = module(f"impls.{self.cell.framework}.models")
        return models.loss(self.cell.problem, fixed_point)

    def _fixed_point(self, linear_solver: Any = None) -> Any:
        """The cell's adjoint with its solvers bound; none for an explicit problem."""
        if "K" not in self.options:
            return None
        adjoint = module(f"impls.{self.cell.framework}.adjoints.{self.cell.method}")
        bound = {"solver": self._solver()}
        if "linear_solver" in self.options:
            bound["linear_solver"] = linear_solver or self._linear_solver()
        return partial(adjoint.fixed_point, **bound)

    def _plain(self) -> Any:
        if "K" not in self.options:
            return None
        jfb = module(f"impls.{self.cell.framework}.adjoints.jfb")
        return partial(jfb.fixed_point, solver=self._solver())

    def _solver(self) -> Any:
        from impls.names import pick

        solvers = module(f"impls.{self.cell.framework}.solvers")
        return pick("solver", self.options["solver"], solvers.SOLVERS)(steps=self.options["K"])

    def _linear_solver(self) -> Any:
        from impls.names import pick

        table = module(f"impls.{self.cell.framework}.linear_solvers").LINEAR_SOLVERS
        kind = pick("linear solver", self.options["linear_solver"], table)
        return kind() if "M" not in self.options else kind(steps=self.options["M"])

    @cached_property
    def _once(self) -> tuple[Any, np.ndarray, Any]:
        """Loss, flat float64 gradient and aux of the first call; raises ``Wrong`` for another structure than that of
        the parameters."""
        leaves = module(f"impls.{self.cell.framework}.ops").leaves
        value, grads, aux = self.sync(self.gradient())
        wanted, got = [tuple(p.shape) for p in leaves(self.params)], [tuple(g.shape) for g in leaves(grads)]
        if wanted != got:
            raise Wrong(f"The gradient has arrays of the shapes {got}, and the parameters {wanted}.")
        return value, np.concatenate([self._framework.numpy(leaf).ravel() for leaf in leaves(grads)]), aux

    def _backward(self) -> Mapping[str, float | None]:
        """Steps and residual of the backward solve, where the method makes one."""
        if "linear_solver" not in self.options:
            return {"backward_steps": None, "backward_residual": None}

        def call(linear_solver: Any) -> Any:
            return self._gradient(self._loss_of(self._fixed_point(linear_solver)))[0]

        return backward_solve(self._framework, self._linear_solver(), call)


def _count(tree: Any) -> int:
    """Numbers in a nest of arrays."""
    sizes: list[int] = []
    nest_map(lambda array: sizes.append(array.size), tree)
    return sum(sizes)
