"""What is tried of a way in which a fixed point passes its gradient on; each method has the name of an ability."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from bench.capabilities.outcome import NO, Outcome, Vector, tried
from bench.capabilities.subject import Subject
from bench.capabilities.trial import CLOSE, CURVED, STEPS, TERMS

PROBLEM = "tanh"

FEW = 3
"""K of what is compiled: unrolled steps are compiled one by one."""


class Adjoint:
    """One row of the catalogue in one framework."""

    def __init__(self, subject: Subject, row: Any) -> None:
        self._subject, self._row = subject, row
        self._calls, self._trial = subject.calls, subject.trial
        self._reversed = cache(self._reverse)  # what several abilities look at is computed once

    def reverse(self) -> Outcome:
        return tried(self._gradient(), self._closed(), CLOSE)

    def true(self) -> Outcome:
        return tried(self._gradient(), lambda: self._trial.true, CLOSE, beyond=NO)

    def forward(self) -> Outcome:
        def slope() -> np.ndarray:
            return np.array([self._calls.slope(self._value(), self._subject.params, self._subject.v)])

        return tried(slope, lambda: np.array([self._closed()() @ self._trial.v]), CLOSE)

    def factored(self) -> Outcome:
        found, tangent = self._subject.along("factored", self._loss())
        return tried(found, lambda: (self._closed()() @ tangent()) * tangent(), CLOSE)

    def reverse_over_reverse(self) -> Outcome:
        return self._second("reverse_over_reverse")

    def forward_over_reverse(self) -> Outcome:
        return self._second("forward_over_reverse")

    def reverse_over_forward(self) -> Outcome:
        return self._second("reverse_over_forward")

    def compiled(self) -> Outcome:
        def call() -> np.ndarray:
            fn = self._subject.module("gradients.backprop").value_and_grad(self._loss(K=FEW))
            found = self._calls.compiled(fn, self._subject.params, self._subject.batch, None)
            return self._subject.vector(found[1])

        return tried(call, self._closed(K=FEW), CLOSE)

    def compiled_loss(self) -> Outcome:
        def call() -> np.ndarray:
            return self._subject.vector(self._calls.compiled_value(self._value(K=FEW), self._subject.params))

        return tried(call, self._closed(K=FEW), CLOSE)

    def samples(self) -> Outcome:
        def rows() -> np.ndarray:
            loss = self._loss()
            alone = partial(self._calls.gradients, lambda params, batch: loss(params, batch)[0])
            return self._calls.rows(alone(self._subject.params, self._subject.samples()))

        return tried(rows, lambda: self._trial.of_samples(self._row.name, **self._options()), CLOSE)

    def choice(self, option: str, value: str) -> Outcome:
        """Reverse mode with one option of another value."""
        return tried(self._gradient(**{option: value}), self._closed(**{option: value}), CLOSE)

    # ------------------------------------------------------------------------------------------------------------

    def _second(self, form: str) -> Outcome:
        def product() -> np.ndarray:
            second = self._calls.second[form]
            return self._subject.vector(second(self._value(), self._subject.params, self._subject.v))

        return tried(product, lambda: self._trial.curvature, CURVED)

    def _gradient(self, **options: Any) -> Vector:
        return partial(self._reversed, **self._options(**options))

    def _reverse(self, **options: Any) -> np.ndarray:
        return self._subject.vector(self._calls.reverse(self._value(**options), self._subject.params))

    def _closed(self, **options: Any) -> Vector:
        return lambda: self._trial.closed(self._row.name, **self._options(**options))

    def _value(self, **options: Any) -> Any:
        loss = self._loss(**options)
        return lambda params: loss(params, self._subject.batch)[0]

    def _loss(self, **options: Any) -> Any:
        """The loss with the method bound in it."""
        taken = self._options(**options)
        solver = self._subject.module("solvers").SOLVERS[taken["solver"]](steps=taken["K"])
        fixed_point = self._subject.module(f"adjoints.{self._row.name}").fixed_point
        if "linear_solver" in taken:
            kind = self._subject.module("linear_solvers").LINEAR_SOLVERS[taken["linear_solver"]]
            fixed_point = partial(fixed_point, linear_solver=kind(steps=taken["M"]) if taken["M"] else kind())
        return self._subject.module("models").loss(PROBLEM, partial(fixed_point, solver=solver))

    def _options(self, **given: Any) -> dict[str, Any]:
        """Every option, with as many steps as leave nothing to gain where none are given; a direct solve has none."""
        solver = given.get("solver", self._row.solvers[0])
        found = {"solver": solver, "K": given.get("K", STEPS[solver])}
        if "linear_solver" in self._row.options:
            found["linear_solver"] = linear = given.get("linear_solver", "picard")
            width = int(self._trial.problem.sizes["width"])
            found["M"] = 0 if linear == "dense" else TERMS.get(linear, width)
        return found
