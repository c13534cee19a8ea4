"""One attempt comes to the outcome that its numbers or its error say, and a trial's right numbers are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.capabilities.trial import NO, REFUSED, WRONG, YES, Outcome, Trial, tried
from impls import checks, oracles


def raising(error: Exception) -> Any:
    def attempt() -> np.ndarray:
        raise error

    return attempt


ONES = np.ones(4)


@pytest.mark.parametrize(
    ("attempt", "outcome", "reason"),
    [
        (lambda: ONES + 1e-11, YES, ""),
        (lambda: ONES + 1e-9, WRONG, "Off by 1e-09 of the length of the right one."),
        (lambda: ONES[:3], WRONG, "Its numbers have the shape (3,), the right ones (4,)."),
        (lambda: ONES * np.nan, NO, "Its numbers are not finite."),
        (lambda: ONES * np.inf, NO, "Its numbers are not finite."),
        (raising(RuntimeError("no rule\nfor this")), NO, "no rule"),
        (raising(RuntimeError(f"no file {Path.home()}/secret/name.txt here")), NO, "no file name.txt here"),
        (raising(KeyError()), NO, "KeyError"),
        (raising(ValueError("w" * 300)), NO, "w" * 199 + "…"),
        (lambda: oracles.flat("text"), NO, "could not convert string to float: 'text'"),
        (
            lambda: checks.require_steps("Picard", 0, 0.0),
            REFUSED,
            "Picard: steps must be a whole number from 1 up, not 0.",
        ),
    ],
)
def test_an_outcome(attempt: Any, outcome: str, reason: str) -> None:
    assert tried(attempt, lambda: ONES, 1e-10) == Outcome(outcome, reason)


def test_far_off_by_design_is_no() -> None:
    assert tried(lambda: ONES, lambda: 2 * ONES, 1e-10, beyond=NO) == Outcome(
        NO, "Off by 0.5 of the length of the right one."
    )


def test_a_trial_that_decides_nothing_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        tried(lambda: ONES, lambda: 0 * ONES, 1e-10)
    with pytest.raises(LookupError, match="itf"):
        tried(lambda: ONES, lambda: Trial("tanh").closed("itf"), 1e-10)


@pytest.mark.parametrize("name", ["mlp", "tanh"])
def test_a_trials_curvature(name: str) -> None:
    """v·H v is the second difference of the loss along v; the truncation of both is h² of higher derivatives."""
    trial, h = Trial(name), 1e-3
    at = trial.vector(trial.problem.params)

    def loss(step: float) -> float:
        problem = type(trial.problem)(name, trial.problem.sizes, trial.nest(at + step * trial.v), trial.problem.batch)
        return oracles.loss(problem)

    second = (loss(h) - 2 * loss(0) + loss(-h)) / h**2
    assert trial.v @ trial.curvature == pytest.approx(second, rel=1e-4)
    assert np.array_equal(trial.vector(trial.nest(at)), at)
