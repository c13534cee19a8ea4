"""One method on the caller's model as a job that ``bench.visit`` checks and measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from bench.cell import Cell
from bench.failures import Diverged
from bench.instruments import accuracy
from bench.instruments.flop_formulas import UnknownOp
from bench.own import derived, state, verdict
from bench.own.calls import Calls, missing_modes
from bench.own.question import Question, Unsuitable, model
from bench.own.references import Reference
from bench.own.solved import SAME, radius_of, require_same, require_solved


class Job:
    """taken: the model of the question, which all cells of a process share.

    Raises ``Unsuitable`` for a model that cannot be measured, before anything else is looked at.
    """

    def __init__(self, question: Question, cell: Cell, taken: Any, reference: Reference) -> None:
        self.cell, self._question, self._model, self._reference = cell, question, taken, reference
        self.sizes: Mapping[str, Any] = dict(cell.sizes)
        taken.require_closed()
        self._calls = Calls(taken, cell)
        self._framework = self._calls.framework
        self.sync, self.forward = self._framework.sync, self._calls.forward
        self._value = self._framework.numpy(self.forward())
        require_same(self._value, self._framework.numpy(self.forward()))
        self._calls.compile()
        self.gradient = self._calls.gradient
        self._note = ""

    def check(self, *, last: bool = False) -> float | None:
        """Deviation from what the method must return, None without a reference: the true gradient for an exact one,
        (g·v) v for a forward gradient. Raises ``Unsuitable``, ``Diverged`` and ``Wrong``. last: see ``verdict.judged``.
        """
        value = self._once[0]
        if self.implicit:
            require_solved(self.residual, self._question.residual_tol, self.K, self._calls.solver, lambda: self.radius)
        if not np.isfinite(self._value):
            raise Diverged(f"The loss is {float(self._value):.3g}: the input or a parameter is bad, or it overflows.")
        theta = sum(float(np.linalg.norm(self._framework.numpy(one))) for one in self._model.leaves)
        slack = 0.1 * theta * float(np.linalg.norm(self.grads)) if np.isfinite(self.grads).all() else 0.0
        require_same(self._value, value, SAME * (abs(float(self._value)) + slack))
        if not np.isfinite(self.grads).all():
            raise Diverged(f"The loss is {float(self._value):.3g} and its gradient has entries that are not finite.")
        true = self._reference.gradient
        if true is None or not self._has_oracle:
            return None
        wrong = float(np.linalg.norm(self.grads - self._calls.tangent.expected(true)))
        deviation = wrong / self.length / self._calls.tangent.scale
        self._note = verdict.judged(self, deviation, last=last)
        return deviation

    def exact(self) -> dict[str, Any]:
        """Noise-free values; ``notes`` says of those that are missing why, and why one that is off is not wrong."""
        notes = [note for note in (self._reference.note, self._note) if note]
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

    # What a verdict looks at ------------------------------------------------------------------------------------

    @property
    def implicit(self) -> bool:
        """Whether there is a solve."""
        return self._question.implicit

    @property
    def K(self) -> int:
        """Steps of the forward solve."""
        return self._calls.K

    @property
    def grads(self) -> np.ndarray:
        """The flat gradient of the first call."""
        return self._once[1]

    @property
    def length(self) -> float:
        """Of the reference; the gradient error is relative to it."""
        return float(np.linalg.norm(self._reference.gradient)) if self._reference.gradient is not None else 0.0

    @cached_property
    def residual(self) -> float:
        """The largest ‖step(z) − z‖/‖z‖ that the solve left; near z* = 0 against a part of the start's length."""
        aux = self._once[2]
        found = float(self._framework.numpy(aux.residual))
        if np.isnan(found) or found <= self._question.residual_tol:
            return found
        step, z = self._model.apply(), self._framework.numpy(aux.value)
        least = state.shortest(step, self._framework.numpy(self._model.rest["z0"]))
        near = state.residual(z, step(self._model.numpy(self._model.state(z))), least)
        return min(found, near)

    @cached_property
    def backward_residual(self) -> float:
        """What the backward solve left; 0 for a method without."""
        return float(self._calls.backward().get("backward_residual", 0.0))

    @cached_property
    def radius(self) -> float:
        """ρ(J) where the forward solve ends; NaN where J cannot be applied."""
        try:
            return radius_of(self._model, self.K)
        except Exception:  # an operation without the derivative that an estimate takes costs the estimate alone
            return float("nan")

    @cached_property
    def spread(self) -> float:
        """By which part of its length rounding the arrays changes the true gradient; 0 where that is not known."""
        true, most = self._reference.gradient, derived.LONGEST * self.K if self.implicit else 1
        if true is None:
            return 0.0
        with self._framework.double():
            exact = model(self._question, double=True, alone=self._model.alone)
            return derived.spread(self._question, self._framework, exact, true, self.cell.dtype, most)

    @contextmanager
    def doubled(self, options: Mapping[str, Any] | None = None) -> Iterator[Job]:
        """The same method in float64, or one with other options."""
        cell = replace(self.cell, dtype="float64", options=self.cell.options if options is None else options)
        with self._framework.double():
            exact = model(self._question, double=True, alone=self._model.alone)
            yield Job(self._question, cell, exact, self._reference)

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
    def _has_oracle(self) -> bool:
        from impls.catalog import METHODS

        return METHODS[self.cell.method].exact or self.cell.method == "forward_gradient"

    def _errors(self) -> dict[str, float | None]:
        true = self._reference.gradient
        if true is None:
            return {"gradient_error": None, "cosine": None}
        cosine = accuracy.cosine(self.grads, true) if np.linalg.norm(self.grads) > 0 else None
        return {"gradient_error": accuracy.error(self.grads, true), "cosine": cosine}

    def _solve(self) -> dict[str, float | None]:
        if not self._once[2]:
            return {}
        steps = float(self._framework.numpy(self._once[2].steps))
        return {"forward_steps": steps, "forward_residual": self.residual, "spectral_radius": self.radius}
