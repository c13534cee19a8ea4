"""One method on the caller's model as a job that ``bench.visit`` checks and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from bench.cell import Cell
from bench.failures import Diverged, Wrong
from bench.instruments import accuracy
from bench.instruments.flop_formulas import UnknownOp
from bench.own.calls import Calls, missing_modes
from bench.own.question import Question, Unsuitable, model
from bench.own.references import Reference
from bench.own.solved import SAME, radius_of, require_same, require_solved
from bench.own.tolerances import KINK, TOLERANCE, allowed, solves


class Job:
    """taken: the model of the question, which all cells of a process share.

    Raises ``Unsuitable`` for a model that cannot be measured, before anything else is looked at.
    """

    def __init__(self, question: Question, cell: Cell, taken: Any, reference: Reference) -> None:
        self.cell, self._question, self._model, self._reference = cell, question, taken, reference
        self.sizes: Mapping[str, Any] = {}
        taken.require_closed()
        self._calls = Calls(taken, cell)
        self._framework = self._calls.framework
        self.sync, self.forward = self._framework.sync, self._calls.forward
        self._value = self._framework.numpy(self.forward())
        require_same(self._value, self._framework.numpy(self.forward()))
        self._calls.compile()
        self.gradient = self._calls.gradient

    def check(self) -> float | None:
        """Deviation from what the method must return, None without a reference: the true gradient for an exact one,
        (g·v) v for a forward gradient. Raises ``Unsuitable``, ``Diverged`` and ``Wrong``."""
        value, grads, aux = self._once
        if aux:
            require_solved(
                self._residual, self._question.residual_tol, self._calls.K, self._calls.solver, lambda: self._radius
            )
        if not np.isfinite(self._value):
            raise Diverged(f"The loss is {float(self._value):.3g}: the input or a parameter is bad, or it overflows.")
        theta = sum(float(np.linalg.norm(self._framework.numpy(one))) for one in self._model.leaves)
        slack = 0.1 * theta * float(np.linalg.norm(grads)) if np.isfinite(grads).all() else 0.0
        require_same(self._value, value, SAME * (abs(float(self._value)) + slack))
        if not np.isfinite(grads).all():
            raise Diverged(f"The loss is {float(self._value):.3g} and its gradient has entries that are not finite.")
        true = self._reference.gradient
        if true is None or not self._has_oracle:
            return None
        wrong = float(np.linalg.norm(grads - self._calls.tangent.expected(true)))
        deviation = wrong / float(np.linalg.norm(true)) / self._calls.tangent.scale
        self._require_near(deviation)
        return deviation

    def exact(self) -> dict[str, Any]:
        """Noise-free values; ``notes`` says of those that are missing why."""
        notes = [self._reference.note] if self._reference.note else []
        try:
            flops = self._framework.flops(self.forward, self.gradient)
        except UnknownOp as error:
            flops = {"flops": None, "forward_flops": None}
            notes.append(f"No flop ratio: {str(error).split(': ')[1] if ': ' in str(error) else error}.")
        reverse = self._calls.loss if self.cell.gradient == "backprop" else None
        sizes = [int(np.prod(one.shape)) for one in self._model.leaves]
        taken = sum(size * one.dtype.itemsize for size, one in zip(sizes, self._model.leaves, strict=True))
        options = self.cell.options
        return {
            **self._framework.bytes(self.forward, self.gradient, reverse, *self._calls.args),
            **flops,
            **self._framework.traffic(self.forward, self.gradient),
            "parameters": sum(sizes),
            "parameter_bytes": taken,
            "tangent_bytes": taken * int(options.get("count", 1)) * int("tangents" in options),
            "result_bytes": taken,
            "loss": float(self._value),
            **self._errors(),
            **self._solve(),
            "notes": notes,
        }

    def values(self) -> dict[str, Any]:
        """Compile seconds of the gradient call."""
        return {"compile_s": self._calls.compile_s}

    # ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _once(self) -> tuple[np.ndarray, np.ndarray, Any]:
        """Loss, flat float64 gradient and Solution of the first call."""
        try:
            with missing_modes():
                value, grads, aux = self.sync(self.gradient())
        except RuntimeError as error:
            if "does not require grad" not in str(error):
                raise
            raise Unsuitable("The loss depends on no array that gets a gradient: is there a detach in it?") from None
        leaves = import_module(f"impls.{self.cell.framework}.ops").leaves(grads)
        flat = np.concatenate([self._framework.numpy(one).ravel() for one in leaves])
        return self._framework.numpy(value), flat, aux

    @property
    def _residual(self) -> float:
        return float(self._framework.numpy(self._once[2].residual))

    @cached_property
    def _radius(self) -> float:
        """ρ(J) where the forward solve ends; NaN where J cannot be applied."""
        try:
            return radius_of(self._model, self._calls.K)
        except Exception:  # an operation without the derivative that an estimate takes costs the estimate alone
            return float("nan")

    @property
    def _has_oracle(self) -> bool:
        from impls.catalog import METHODS

        return METHODS[self.cell.method].exact or self.cell.method == "forward_gradient"

    def _require_near(self, deviation: float) -> None:
        """``Wrong`` for what neither rounding nor an unfinished solve explains."""
        if deviation <= (most := allowed(self.cell.dtype)):
            return
        if self._once[2]:
            backward = self._calls.backward().get("backward_residual", 0.0)
            most = allowed(self.cell.dtype, solves(self._calls.K, self._residual, backward, self._radius))
        kinked = self.cell.dtype == "float32" and TOLERANCE["float32"] < deviation <= KINK
        if not deviation <= most and not (kinked and self._near_in_double()):
            raise Wrong(f"The gradient is {deviation:.2g} away from the float64 reference, more than {most:.1g}.")

    def _near_in_double(self) -> bool:
        with self._framework.double():
            exact = model(self._question, double=True, alone=self._model.alone)
            try:
                Job(self._question, replace(self.cell, dtype="float64"), exact, self._reference).check()
            except Wrong:
                return False
        return True

    def _errors(self) -> dict[str, float | None]:
        grads, true = self._once[1], self._reference.gradient
        if true is None:
            return {"gradient_error": None, "cosine": None}
        cosine = accuracy.cosine(grads, true) if np.linalg.norm(grads) > 0 else None
        return {"gradient_error": accuracy.error(grads, true), "cosine": cosine}

    def _solve(self) -> dict[str, float | None]:
        if not self._once[2]:
            return {}
        steps = float(self._framework.numpy(self._once[2].steps))
        return {"forward_steps": steps, "forward_residual": self._residual, "spectral_radius": self._radius}
