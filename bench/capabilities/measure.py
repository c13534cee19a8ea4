"""Every ability of every method in one framework, tried one after another: in this process, or in one a framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cache, cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench import run
from bench.capabilities.abilities import abilities
from bench.capabilities.trial import CLOSE, CURVED, NO, STEPS, TERMS, Outcome, TrialProblem, Vector, tried
from bench.experiments.catalog import Experiment, Place, Record
from bench.job import Binding
from bench.plan import Part
from bench.rows import PartRow

Outcomes = dict[str, dict[str, Outcome]]
"""By method and ability."""

RECORD = ("method", "ability", "outcome", "reason")
"""The fields of what a worker process finds."""

TIMEOUT_S = 600.0
"""Of one framework, which takes half a minute on a free core."""


def measure(framework: str, wanted: Callable[[str, str], bool] = lambda method, ability: True) -> Outcomes:
    """The outcomes in one framework; of those abilities alone that are ``wanted``."""
    from impls.catalog import CHOICES, METHODS

    problem = cache(lambda name: TrialProblem(framework, name))
    found: Outcomes = {}
    for row in METHODS.values():
        kind: Any = Adjoint if row.interface == "adjoint" else Gradient
        one = kind(problem(kind.PROBLEM), row)
        found[row.name] = {}
        for ability in abilities(row, CHOICES):
            if wanted(row.name, ability.name):
                option, named, value = ability.name.partition("=")
                with problem(kind.PROBLEM).double():
                    found[row.name][ability.name] = one.choice(option, value) if named else getattr(one, option)()
    return found


class Capabilities(Experiment):
    """What ``measure`` finds, as a part that a worker process performs."""

    def perform(self, part: Part, place: Place) -> list[Record]:
        """The outcomes in the framework of a part, a record each."""
        return [
            {"method": method, "ability": ability, **asdict(one)}
            for method, found in measure(part.framework).items()
            for ability, one in found.items()
        ]


def in_processes(frameworks: Iterable[str]) -> dict[str, Outcomes]:
    """The outcomes of each framework, from a worker process of its own that has imported nothing else.
    ``RuntimeError`` where one does not come to its end."""
    parts = [Part("capabilities", name) for name in frameworks]
    found: dict[str, Outcomes] = {part.framework: {} for part in parts}
    with TemporaryDirectory(prefix="gradratio-") as folder:
        path = Path(folder, "capabilities.jsonl")
        for row in run.measure((), parts=parts, experiments={}, path=path, preset="capabilities", timeout_s=TIMEOUT_S):
            if not isinstance(row, PartRow) or row.status != "ok":
                raise RuntimeError(f"Trying {row.framework} failed: {row.reason}")
            for record in row.records:
                method, ability, outcome, reason = (str(record[name]) for name in RECORD)
                found[row.framework].setdefault(method, {})[ability] = Outcome(outcome, reason)
    return found


FEW = 3
"""K of what is compiled: unrolled steps are compiled one by one."""


class Adjoint:
    """What is tried of a way in which a fixed point passes its gradient on: one row of the catalogue in one framework.
    Each method has the name of an ability."""

    PROBLEM = "tanh"

    def __init__(self, problem: TrialProblem, row: Any) -> None:
        self._problem, self._row = problem, row
        self._calls, self._trial = problem.calls, problem.trial
        self._reversed = cache(self._reverse)  # what several abilities look at is computed once

    def reverse(self) -> Outcome:
        return tried(self._gradient(), self._closed(), CLOSE)

    def true(self) -> Outcome:
        return tried(self._gradient(), lambda: self._trial.true, CLOSE, beyond=NO)

    def forward(self) -> Outcome:
        def slope() -> np.ndarray:
            return np.array([self._calls.slope(self._value(), self._problem.params, self._problem.v)])

        return tried(slope, lambda: np.array([self._closed()() @ self._trial.v]), CLOSE)

    def factored(self) -> Outcome:
        found, tangent = self._problem.along("factored", self._loss())
        return tried(found, lambda: (self._closed()() @ tangent()) * tangent(), CLOSE)

    def reverse_over_reverse(self) -> Outcome:
        return self._second("reverse_over_reverse")

    def forward_over_reverse(self) -> Outcome:
        return self._second("forward_over_reverse")

    def reverse_over_forward(self) -> Outcome:
        return self._second("reverse_over_forward")

    def compiled(self) -> Outcome:
        def call() -> np.ndarray:
            fn = self._bound(K=FEW).value_and_grad(self._loss(K=FEW))
            found = self._calls.compiled(fn, self._problem.params, self._problem.batch, None)
            return self._problem.vector(found[1])

        return tried(call, self._closed(K=FEW), CLOSE)

    def compiled_loss(self) -> Outcome:
        def call() -> np.ndarray:
            return self._problem.vector(self._calls.compiled_value(self._value(K=FEW), self._problem.params))

        return tried(call, self._closed(K=FEW), CLOSE)

    def samples(self) -> Outcome:
        def rows() -> np.ndarray:
            loss = self._loss()
            each = partial(self._calls.gradients, lambda params, batch: loss(params, batch)[0])
            return self._calls.rows(each(self._problem.params, self._problem.stacked()))

        return tried(rows, lambda: self._trial.of_samples(self._row.name, **self._options()), CLOSE)

    def choice(self, option: str, value: str) -> Outcome:
        """Reverse mode with one option of another value."""
        return tried(self._gradient(**{option: value}), self._closed(**{option: value}), CLOSE)

    # ------------------------------------------------------------------------------------------------------------

    def _second(self, form: str) -> Outcome:
        def product() -> np.ndarray:
            second = self._calls.second[form]
            return self._problem.vector(second(self._value(), self._problem.params, self._problem.v))

        return tried(product, lambda: self._trial.curvature, CURVED)

    def _gradient(self, **options: Any) -> Vector:
        return partial(self._reversed, **self._options(**options))

    def _reverse(self, **options: Any) -> np.ndarray:
        return self._problem.vector(self._calls.reverse(self._value(**options), self._problem.params))

    def _closed(self, **options: Any) -> Vector:
        return lambda: self._trial.closed(self._row.name, **self._options(**options))

    def _value(self, **options: Any) -> Any:
        loss = self._loss(**options)
        return lambda params: loss(params, self._problem.batch)[0]

    def _loss(self, **options: Any) -> Any:
        """The loss with the method bound in it."""
        return self._problem.loss(self._bound(**options).fixed_point())

    def _bound(self, **options: Any) -> Binding:
        return Binding(self._problem.framework.name, self._row.name, self._options(**options))

    def _options(self, **given: Any) -> dict[str, Any]:
        """Every option, with as many steps as leave nothing to gain where none are given; a direct solve has none."""
        solver = given.get("solver", self._row.solvers[0])
        found = {"solver": solver, "K": given.get("K", STEPS[solver])}
        if "linear_solver" in self._row.options:
            found["linear_solver"] = linear = given.get("linear_solver", "picard")
            width = int(self._trial.problem.sizes["width"])
            if linear != "dense":
                found["M"] = TERMS.get(linear, width)
        return found


class Gradient:
    """The same of a way in which a whole loss is differentiated; one that takes tangents is given the direction v."""

    PROBLEM = "mlp"

    def __init__(self, problem: TrialProblem, row: Any) -> None:
        self._problem, self._trial, self._calls = problem, problem.trial, problem.calls
        self._along, self._loss = "tangents" in row.options, problem.loss()
        options = {"tangents": "given"} if self._along else {}
        self._call = Binding(problem.framework.name, row.name, options, row.name).value_and_grad(self._loss)
        self._rng = problem.v if self._along else None

    def reverse(self) -> Outcome:
        return tried(lambda: self._found, lambda: self._projected(self._trial.true), CLOSE)

    def true(self) -> Outcome:
        return tried(lambda: self._found, lambda: self._trial.true, CLOSE, beyond=NO)

    def again(self) -> Outcome:
        """Of ⟨g, v⟩; along v itself g is (∇L·v) v, so that its derivative is ‖v‖² H v."""

        def product() -> np.ndarray:
            found = self._calls.again(self._gradient, self._problem.params, self._problem.v)
            return self._problem.vector(found)

        scale = float(self._trial.v @ self._trial.v) if self._along else 1.0
        return tried(product, lambda: scale * self._trial.curvature, CURVED)

    def compiled(self) -> Outcome:
        def call() -> np.ndarray:
            found = self._calls.compiled(self._call, self._problem.params, self._problem.batch, self._rng)
            return self._problem.vector(found[1])

        return tried(call, lambda: self._projected(self._trial.true), CLOSE)

    def samples(self) -> Outcome:
        def rows() -> np.ndarray:
            def one(params: Any, batch: Any) -> Any:
                return self._call(params, batch, self._rng)[1]

            return self._calls.rows(self._calls.each(one, self._problem.params, self._problem.stacked()))

        def right() -> np.ndarray:
            return np.stack([self._projected(g) for g in self._trial.of_samples("backprop")])

        return tried(rows, right, CLOSE)

    def choice(self, option: str, value: str) -> Outcome:
        """The call along tangents of another law."""
        found, tangent = self._problem.along(value, self._loss)
        return tried(found, lambda: (self._trial.true @ tangent()) * tangent(), CLOSE)

    # ------------------------------------------------------------------------------------------------------------

    def _gradient(self, params: Any) -> Any:
        return self._call(params, self._problem.batch, self._rng)[1]

    @cached_property
    def _found(self) -> np.ndarray:
        return self._problem.vector(self._gradient(self._problem.params))

    def _projected(self, gradient: np.ndarray) -> np.ndarray:
        """What the method makes of a gradient g: (g·v) v along v."""
        return (gradient @ self._trial.v) * self._trial.v if self._along else gradient
