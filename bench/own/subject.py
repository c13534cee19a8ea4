"""The caller's model under one method as a subject: what is looked at before the method's time counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.failures import Diverged, NotApplicable, Wrong
from bench.instruments import accuracy
from bench.instruments.counting import UnknownOp
from bench.job import Job, Loss, Subject, framework_of
from bench.older import module
from bench.own import float64, state, verdict
from bench.own.model import INDEPENDENT, SAME, missing_modes, model, require_same
from bench.own.nest import eps
from bench.own.question import Question, Unsuitable
from bench.own.references import AGREES, IS_SINGULAR, Along, Reference
from bench.own.state import radius_of, regular, require_regular, require_solved
from bench.own.verdict import allowed


def job_of(question: Question, cell: Cell, taken: Any, reference: Reference) -> Job:
    """The job of a cell on the caller's model ``taken``, which all cells of a process share.

    Raises ``Unsuitable`` for a model that cannot be measured, before anything else is looked at.
    """
    framework = framework_of(cell.framework, "cpu", cell.mode)
    return Job(cell, CallersModel(question, cell, taken, reference), framework, cell.options)


def subject_of(job: Job) -> CallersModel:
    """The subject of a job that ``job_of`` made."""
    assert isinstance(job.subject, CallersModel)
    return job.subject


class CallersModel(Subject):
    """One a job, which it knows once it is inspected."""

    job: Job

    def __init__(self, question: Question, cell: Cell, taken: Any, reference: Reference) -> None:
        self.cell, self._question, self.reference = cell, question, reference
        # The tangents of a forward gradient are of real numbers.
        self._model = taken.in_reals if cell.gradient == "forward_gradient" else taken
        self.params, self.batch = self._model.leaves, self._model.rest
        self.sizes: Mapping[str, Any] = dict(cell.sizes)
        self._note, self._uncounted = "", ""

    # As a job needs it ------------------------------------------------------------------------------------------

    def loss(self, fixed_point: Any) -> Loss:
        """See ``Subject``."""
        found: Loss = self._model.loss(fixed_point)
        return found

    def arrays(self, nest: Any) -> Any:
        """See ``Subject``."""
        return self._model.with_leaves(nest)

    def size(self) -> tuple[int, int]:
        """See ``Subject``."""
        found: tuple[int, int] = self._model.sizes(self._model.leaves)
        return found

    def taken(self, gradient: Any) -> tuple[np.ndarray, int]:
        """See ``Subject``."""
        leaves = module(f"impls.{self.cell.framework}.ops").leaves(gradient)
        return self._model.flat(leaves), self._model.sizes(leaves)[1]

    def inspected(self, job: Job) -> Any:
        """The loss must be the same twice. Code that the caller compiled is measured by what sees through it, and has
        no forward mode: it drops tangents without a word."""
        self.job = job
        with missing_modes(), regular():
            self._value = job.framework.numpy(job.forward())
        require_same(self._value, job.framework.numpy(job.forward()))
        self._opaque = job.framework.opaque(job.forward)
        if self._opaque and self.cell.gradient == "forward_gradient":
            raise NotApplicable("The model runs code that torch.compile made, which has no forward mode.")
        return self._opaque or job.framework

    @contextmanager
    def explained(self) -> Iterator[None]:
        """See ``Subject``."""
        try:
            with missing_modes(), regular():
                yield
        except RuntimeError as error:
            if "does not require grad" not in str(error):
                raise
            raise Unsuitable(INDEPENDENT) from None

    def counted(self, flops: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Without a flop ratio, and with a note, where an operation is unknown."""
        try:
            return flops()
        except UnknownOp as error:
            words = str(error).split(": ")[1] if ": " in str(error) else error
            self._uncounted = f"No flop ratio: {words}."
            return {"flops": None, "forward_flops": None}

    def check(self, job: Job) -> float | None:
        """See ``judged``."""
        return self.judged()

    def values(self, job: Job) -> dict[str, Any]:
        """Loss, errors and solve; ``notes`` says of what is missing why, and why a gradient that is off is not
        wrong."""
        notes = [self.reference.note, self._note, *self._model.notes]
        if self._opaque:
            notes.append("No held bytes, flop ratio and traffic: the model runs code that torch.compile made.")
        notes.append(self._uncounted)
        if self.reference.singular and IS_SINGULAR not in self.reference.note:
            notes.append(f"ρ(J) ≈ {self.radius:.4g}: {IS_SINGULAR}.")
        found = {"loss": float(self._value), **self._errors(), **self._solve()}
        return {**found, "notes": [note for note in notes if note]}

    def judged(self, *, last: bool = False) -> float | None:
        """Deviation from what the method must return, None without a reference: the true gradient for an exact one,
        (g·v) v for a forward gradient. Raises ``Unsuitable``, ``Diverged`` and ``Wrong``. last: see ``verdict.judged``.
        """
        value, options = self.job.first.value, self.cell.options
        dense = options.get("linear_solver") == "dense" or options.get("solver") == "newton"
        if dense and not (np.isfinite(self.residual) and np.isfinite(self.grads).all()):
            require_regular(self._model, self.K)
        if self.implicit:
            require_solved(self.residual, self._tol, self.K, str(options.get("solver", "picard")), lambda: self.radius)
        if not np.isfinite(self._value):
            raise Diverged(f"The loss is {float(self._value):.3g}: the input or a parameter is bad, or it overflows.")
        theta = sum(float(np.linalg.norm(self._model.numpy(one))) for one in self._model.leaves)
        slack = 0.1 * theta * float(np.linalg.norm(self.grads)) if np.isfinite(self.grads).all() else 0.0
        require_same(self._value, value, SAME * (abs(float(self._value)) + slack))
        if not np.isfinite(self.grads).all():
            raise Diverged(f"The loss is {float(self._value):.3g} and its gradient has entries that are not finite.")
        if not self._has_oracle:
            return None
        if self.reference.gradient is None:
            return self._along_tangents() if self.reference.differences else None
        deviation = self.job.deviation(self.reference.gradient)
        self._note = verdict.judged(self, deviation, last=last)
        return deviation

    # What a verdict looks at ------------------------------------------------------------------------------------

    @property
    def implicit(self) -> bool:
        """Whether there is a solve."""
        return self._question.implicit

    @property
    def K(self) -> int:
        """Steps of the forward solve."""
        return int(self.cell.options["K"])

    @property
    def grads(self) -> np.ndarray:
        """The flat gradient of the first call."""
        return self.job.first.gradient

    @property
    def _tol(self) -> float:
        """The largest residual that counts as solved: rounding alone may move a state by ε for ever."""
        return max(self._question.residual_tol, 2 * eps(self.cell.dtype))

    @cached_property
    def residual(self) -> float:
        """The largest ‖step(z) − z‖/‖z‖ that the solve left; near z* = 0 against a part of the start's length."""
        aux = self.job.first.aux
        found = float(self.job.framework.numpy(aux.residual))
        if np.isnan(found) or found <= self._tol:
            return found
        step, z = self._model.apply(), self.job.framework.numpy(aux.value)
        least = state.shortest(step, self.job.framework.numpy(self._model.rest["z0"]))
        near = state.residual(z, step(self._model.numpy(self._model.state(z))), least)
        return min(found, near)

    @cached_property
    def backward_residual(self) -> float:
        """What the backward solve left; 0 for a method without."""
        return float(self.job.backward()["backward_residual"] or 0.0)

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
        true, most = self.reference.gradient, float64.LONGEST * self.K if self.implicit else 1
        if true is None or self.reference.differences:
            return 0.0
        if self.reference.singular:  # rounded, I − J has an inverse, any one
            return 0.0
        with float64.doubled(self.job.framework):
            exact = model(self._question, double=True, one_sample=self._model.one_sample, in_reals=True)
            return float64.gradient_spread(self._question, self.job.framework, exact, true, self.cell.dtype, most)

    def doubled(self, found: Callable[[CallersModel], Any], options: Mapping[str, Any] | None = None) -> Any:
        """What ``found`` returns of the same method in float64, or of one with other options."""
        cell = replace(self.cell, dtype="float64", options=self.cell.options if options is None else options)
        with float64.doubled(self.job.framework):
            exact = model(self._question, double=True, one_sample=self._model.one_sample)
            return exact.holding(lambda: found(subject_of(job_of(self._question, cell, exact, self.reference))))

    # ------------------------------------------------------------------------------------------------------------

    def _along_tangents(self) -> float | None:
        """Deviation of a forward gradient from (∇L·v) v by central differences along its own tangents, where there is
        no gradient to compare it with; None where they do not settle. Raises ``Wrong``."""
        if (rows := self.job.tangents.rows) is None:
            return None
        try:
            with float64.doubled(self.job.framework):
                exact = model(self._question, double=True, one_sample=self._model.one_sample, in_reals=True)
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
        true = self.reference.gradient
        if true is None:
            return {"gradient_error": None, "cosine": None}
        cosine = accuracy.cosine(self.grads, true) if np.linalg.norm(self.grads) > 0 else None
        return {"gradient_error": accuracy.error(self.grads, true), "cosine": cosine}

    def _solve(self) -> dict[str, float | None]:
        if not self.job.first.aux:
            return {}
        steps = float(self.job.framework.numpy(self.job.first.aux.steps))
        return {"forward_steps": steps, "forward_residual": self.residual, "spectral_radius": self.radius}
