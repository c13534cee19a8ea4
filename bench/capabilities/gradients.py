"""What is tried of a way in which a whole loss is differentiated; each method has the name of an ability."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from bench.capabilities.outcome import NO, Outcome, tried
from bench.capabilities.subject import Subject
from bench.capabilities.trial import CLOSE, CURVED

PROBLEM = "mlp"


class Gradient:
    """One row of the catalogue in one framework. Where it takes tangents, it is given the direction v."""

    def __init__(self, subject: Subject, row: Any) -> None:
        self._subject, self._trial, self._calls = subject, subject.trial, subject.calls
        self._along = "tangents" in row.options
        self._loss = subject.module("models").loss(PROBLEM)
        build = subject.module(f"gradients.{row.name}").value_and_grad
        self._call = build(self._loss, tangents="given") if self._along else build(self._loss)
        self._rng = subject.v if self._along else None

    def reverse(self) -> Outcome:
        return tried(lambda: self._found, lambda: self._projected(self._trial.true), CLOSE)

    def true(self) -> Outcome:
        return tried(lambda: self._found, lambda: self._trial.true, CLOSE, beyond=NO)

    def again(self) -> Outcome:
        """Of ⟨g, v⟩; along v itself g is (∇L·v) v, so that its derivative is ‖v‖² H v."""

        def product() -> np.ndarray:
            found = self._calls.again(self._gradient, self._subject.params, self._subject.v)
            return self._subject.vector(found)

        scale = float(self._trial.v @ self._trial.v) if self._along else 1.0
        return tried(product, lambda: scale * self._trial.curvature, CURVED)

    def compiled(self) -> Outcome:
        def call() -> np.ndarray:
            found = self._calls.compiled(self._call, self._subject.params, self._subject.batch, self._rng)
            return self._subject.vector(found[1])

        return tried(call, lambda: self._projected(self._trial.true), CLOSE)

    def samples(self) -> Outcome:
        def rows() -> np.ndarray:
            def one(params: Any, batch: Any) -> Any:
                return self._call(params, batch, self._rng)[1]

            return self._calls.rows(self._calls.each(one, self._subject.params, self._subject.samples()))

        def right() -> np.ndarray:
            return np.stack([self._projected(g) for g in self._trial.of_samples("backprop")])

        return tried(rows, right, CLOSE)

    def choice(self, option: str, value: str) -> Outcome:
        """The call along tangents of another law."""
        found, tangent = self._subject.along(value, self._loss)
        return tried(found, lambda: (self._trial.true @ tangent()) * tangent(), CLOSE)

    # ------------------------------------------------------------------------------------------------------------

    def _gradient(self, params: Any) -> Any:
        return self._call(params, self._subject.batch, self._rng)[1]

    @cached_property
    def _found(self) -> np.ndarray:
        return self._subject.vector(self._gradient(self._subject.params))

    def _projected(self, gradient: np.ndarray) -> np.ndarray:
        """What the method makes of a gradient g: (g·v) v along v."""
        return (gradient @ self._trial.v) * self._trial.v if self._along else gradient
