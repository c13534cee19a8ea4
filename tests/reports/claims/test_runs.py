"""Curves of training runs in closed form: where they end, when they cross, which rate is the best."""

from __future__ import annotations

from math import inf, isnan

import pandas as pd
import pytest

from reports.claims import runs
from reports.claims.runs import Curve
from tests.reports.claims.test_claims import became
from tests.reports.claims.worlds import fit, training
from tests.rows import Row


def frame(*losses: list[float | None], rate: float = 0.1) -> pd.DataFrame:
    """Runs of one rate, one a seed."""
    rows: list[Row] = []
    for seed, of_seed in enumerate(losses):
        rows += [one | {"seed": seed, "rate": rate} for one in fit(of_seed, error=0.25 + seed)]
    return pd.DataFrame(rows)


def test_the_mean_over_seeds() -> None:
    assert runs.curve(frame([2.0, 1.0], [4.0, 2.0])).points == ((0, 3.0), (10, 1.5))


@pytest.mark.parametrize(("loss", "iteration"), [(3.0, 0), (1.5, 10), (2.25, 5), (1.0, inf), (5.0, 0)])
def test_the_crossing_is_on_a_straight_line(loss: float, iteration: float) -> None:
    assert Curve(((0, 3.0), (10, 1.5))).reaches(loss) == iteration


def test_a_seed_that_diverges_takes_the_mean_with_it() -> None:
    lost = runs.curve(frame([2.0, 1.0, 0.5], [2.0, None]))
    assert (lost.points, lost.loss, lost.reaches(0.1)) == (((0, 2.0), (10, inf), (20, inf)), inf, inf)


def test_no_run_has_no_end() -> None:
    nothing = Curve(())
    assert (isnan(nothing.iterations), nothing.loss, nothing.reaches(1)) == (True, inf, inf)
    assert runs.curve(pd.DataFrame()) == nothing


def test_the_best_rate_has_the_least_final_loss() -> None:
    three = pd.concat([frame([2.0, 0.5], rate=0.1), frame([1.0, 0.4], rate=0.3), frame([0.1, None], rate=1.0)])
    assert set(runs.best(three)["rate"]) == {0.3}
    lost = pd.concat([frame([2.0, None], [2.0, None], rate=0.1), frame([2.0, None], [2.0, 9.0], rate=0.3)])
    assert set(runs.best(lost)["rate"]) == {0.3} and runs.diverged(runs.best(lost)) == 1
    assert runs.best(pd.DataFrame()).empty


def test_final_errors_are_percent_by_seed() -> None:
    assert runs.final_errors(frame([2.0, 1.0], [2.0, 1.0])) == {"0": 25.0, "1": 125.0}
    assert runs.final_errors(frame([2.0, 1.0], [2.0, None])) == {"0": 25.0, "1": inf}


def test_failed_solves_are_those_of_the_last_records() -> None:
    rows = [one | {"failed": n} for seed in (0, 1) for n, one in enumerate(frame([2, 1]).to_dict("records"), 3 * seed)]
    assert runs.failed(pd.DataFrame(rows).assign(seed=[0, 0, 1, 1])) == 1 + 4


def test_the_ratio_of_times_is_that_of_iterations_and_of_seconds() -> None:
    # Backprop is at 1 after 20 iterations of 1 s, forward gradient after 15 of 0.5 s.
    found = became("baydin-training-tuned", training({0.1: [2.0, 1.5, 0.5]}))
    assert [case.value for case in found.cases] == pytest.approx([15 * 0.5 / 20])
    assert found.measured == "torch: 0.375 (rates 0.1, 0.1)"


def test_a_loss_that_is_never_reached_is_told_in_words() -> None:
    found = became("baydin-training-shared", training({0.1: [2.0, 1.9, 1.8]}))
    assert found.cases[0].measured == "2 of 2 seeds never: forward gradient ends at 1.8, backprop ends at 1"
    gone = became("baydin-training-shared", training({0.1: [2.0, None]}))
    assert gone.cases[0].measured == (
        "2 of 2 seeds never: forward gradient diverges, backprop ends at 1; 2 of 2 seeds diverged"
    )
