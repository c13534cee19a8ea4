"""One method on the caller's model as a job that ``bench.worker.visit`` checks and measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from bench.cells import Cell
from bench.failures import Diverged, Wrong
from bench.instruments import accuracy
from bench.instruments.counting import UnknownOp
from bench.own import derived, state, verdict
from bench.own.calls import Calls
from bench.own.question import INDEPENDENT, Question, Unsuitable, missing_modes, model
from bench.own.references import AGREES, IS_SINGULAR, Along, Reference
from bench.own.rounding import eps
from bench.own.solved import SAME, radius_of, regular, require_regular, require_same, require_solved
from bench.own.tolerances import allowed


class First(NamedTuple):
    """A loss, its flat float64 gradient, the Solution of a fixed point, and the bytes of the gradient."""

    value: np.ndarray
    gradient: np.ndarray
    aux: Any
    bytes: int


class Job:
    """taken: the model of the question, which all cells of a process share.

    Raises ``Unsuitable`` for a model that cannot be measured, before anything else is looked at.
    """

    def __init__(self, question: Question, cell: Cell, taken: Any, reference: Reference) -> None:
        taken = taken.paired if cell.gradient == "forward_gradient" else taken  # its tangents are of real numbers
        self.cell, self._question, self._model, self._reference = cell, question, taken, reference
        self.sizes: Mapping[str, Any] = dict(cell.sizes)
        with missing_modes(), regular():
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
        value, options = self._once.value, self.cell.options
        dense = options.get("linear_solver") == "dense" or options.get("solver") == "newton"
        if dense and not (np.isfinite(self.residual) and np.isfinite(self.grads).all()):
            require_regular(self._model, self.K)
        if self.implicit:
            require_solved(self.residual, self._tol, self.K, self._calls.solver, lambda: self.radius)
        if not np.isfinite(self._value):
            raise Diverged(f"The loss is {float(self._value):.3g}: the input or a parameter is bad, or it overflows.")
        theta = sum(float(np.linalg.norm(self._model.numpy(one))) for one in self._model.leaves)
        slack = 0.1 * theta * float(np.linalg.norm(self.grads)) if np.isfinite(self.grads).all() else 0.0
        require_same(self._value, value, SAME * (abs(float(self._value)) + slack))
        if not np.isfinite(self.grads).all():
            raise Diverged(f"The loss is {float(self._value):.3g} and its gradient has entries that are not finite.")
        if not self._has_oracle:
            return None
        if self._reference.gradient is None:
            return self._along_tangents() if self._reference.differences else None
        wrong = float(np.linalg.norm(self.grads - self._calls.tangent.expected(self._reference.gradient)))
        deviation = wrong / self.length / self._calls.tangent.scale
        self._note = verdict.judged(self, deviation, last=last)
        return deviation

    def exact(self) -> dict[str, Any]:
        """Noise-free values; ``notes`` says of those that are missing why, and why one that is off is not wrong."""
        notes = [note for note in (self._reference.note, self._note, *self._model.notes) if note]
        shown = self._calls.opaque or self._framework
        if self._calls.opaque:
            notes.append("No held bytes, flop ratio and traffic: the model runs code that torch.compile made.")
        try:
            flops = shown.flops(self.forward, self.gradient)
        except UnknownOp as error:
            flops = {"flops": None, "forward_flops": None}
            notes.append(f"No flop ratio: {str(error).split(': ')[1] if ': ' in str(error) else error}.")
        if self._reference.singular and IS_SINGULAR not in self._reference.note:
            notes.append(f"ρ(J) ≈ {self.radius:.4g}: {IS_SINGULAR}.")
        reverse = self._calls.loss if self.cell.gradient == "backprop" else None
        numbers, taken = self._model.sizes(self._model.leaves)
        options = self.cell.options
        return {
            **shown.bytes(self.forward, self.gradient, reverse, *self._calls.args),
            **flops,
            **shown.traffic(self.forward, self.gradient),
            "parameters": numbers,
            "parameter_bytes": taken,
            "tangent_bytes": taken * int(options.get("count", 1)) * int("tangents" in options),
            "result_bytes": self._once.bytes,
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
        return self._once.gradient

    @property
    def singular(self) -> bool:
        """Whether I − J is singular at the fixed point, by the reference's estimate of ρ(J)."""
        return self._reference.singular

    @property
    def own_error(self) -> float:
        """The part of its length by which the reference may be off itself."""
        return self._reference.error

    @property
    def reference_note(self) -> str:
        """What the reference is, where it is none of the usual ones."""
        return self._reference.note

    @property
    def length(self) -> float:
        """Of the reference; the gradient error is relative to it."""
        return float(np.linalg.norm(self._reference.gradient)) if self._reference.gradient is not None else 0.0

    @property
    def _tol(self) -> float:
        """The largest residual that counts as solved: rounding alone may move a state by ε for ever."""
        return max(self._question.residual_tol, 2 * eps(self.cell.dtype))

    @cached_property
    def residual(self) -> float:
        """The largest ‖step(z) − z‖/‖z‖ that the solve left; near z* = 0 against a part of the start's length."""
        aux = self._once.aux
        found = float(self._framework.numpy(aux.residual))
        if np.isnan(found) or found <= self._tol:
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
        if true is None or self._reference.differences or self.singular:  # rounded, I − J has an inverse, any one
            return 0.0
        with derived.doubled(self._framework):
            exact = model(self._question, double=True, alone=self._model.alone, pairs=True)
            return derived.spread(self._question, self._framework, exact, true, self.cell.dtype, most)

    def doubled(self, look: Callable[[Job], Any], options: Mapping[str, Any] | None = None) -> Any:
        """What ``look`` returns of the same method in float64, or of one with other options."""
        cell = replace(self.cell, dtype="float64", options=self.cell.options if options is None else options)
        with derived.doubled(self._framework):
            exact = model(self._question, double=True, alone=self._model.alone)
            return exact.holding(lambda: look(Job(self._question, cell, exact, self._reference)))

    # ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _once(self) -> First:
        """What the first call returned."""
        try:
            with missing_modes(), regular():
                value, grads, aux = self.sync(self.gradient())
        except RuntimeError as error:
            if "does not require grad" not in str(error):
                raise
            raise Unsuitable(INDEPENDENT) from None
        leaves = import_module(f"impls.{self.cell.framework}.ops").leaves(grads)
        size = self._model.sizes(leaves)[1]
        return First(self._framework.numpy(value), self._model.flat(leaves), aux, size)

    def _along_tangents(self) -> float | None:
        """Deviation of a forward gradient from (∇L·v) v by central differences along its own tangents, where there is
        no gradient to compare it with; None where they do not settle. Raises ``Wrong``."""
        if (rows := self._calls.tangent.rows) is None:
            return None
        try:
            with derived.doubled(self._framework):
                exact = model(self._question, double=True, alone=self._model.alone, pairs=True)
                slopes, off = zip(*(Along(exact, exact.value).slope(v) for v in rows), strict=True)
        except Exception:  # it does not run in float64, as the reference's note says
            return None
        estimate = np.array(slopes) @ rows / len(rows)
        length = float(np.linalg.norm(estimate))
        if not length > 0 or not (error := max(off) / max(map(abs, slopes))) <= AGREES:
            return None
        deviation = float(np.linalg.norm(self.grads - estimate)) / length
        if deviation > (most := allowed(self.cell.dtype) + error):
            raise Wrong(
                f"The forward gradient is {deviation:.2g} away from central differences of the float64 loss "
                f"along its tangent, more than {most:.1g}."
            )
        self._note = "The forward gradient was checked by central differences of the float64 loss along its tangent."
        return deviation

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
        if not self._once.aux:
            return {}
        steps = float(self._framework.numpy(self._once.aux.steps))
        return {"forward_steps": steps, "forward_residual": self.residual, "spectral_radius": self.radius}
