"""Time to another method's loss, seed by seed, in closed form; and what a seed that never gets there does."""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

import pandas as pd
import pytest

from bench.stats import Estimate, centre, exactly
from reports.claims import reach
from reports.claims.verdict import FAILS, UNDECIDED
from tests.reports.claims.test_claims import became
from tests.reports.claims.test_runs import frame
from tests.reports.claims.worlds import fit, papers, step_times
from tests.rows import Row, part

BACKPROP = [2.0, 1.0, 1.0]


def test_each_seed_has_a_target_of_its_own() -> None:
    # The first backprop run is at its least loss, 1, after 10 iterations; the second, at 0.5, after 20.
    other = frame([2.0, 1.0, 1.5], [2.0, 1.0, 0.5], [2.0, 3.0, 4.0])
    own = frame([2.0, 1.5, 1.0], [2.0, 0.0, 0.0], [2.0, 0.0, 0.0])
    assert reach.shares(own, other) == pytest.approx({"0": 2.0, "1": 7.5 / 20})
    assert reach.shares(frame([2.0, None]), frame(BACKPROP)) == {"0": inf}
    assert reach.shares(own, pd.DataFrame()) == {}


def test_the_interval_is_the_product_of_both_ends() -> None:
    ratios, seconds = {"0": 1.0, "1": 4.0}, Estimate(0.5, 0.4, 0.6, 8)
    found, over = reach.times(ratios, seconds), centre(ratios.values())
    assert found[:4] == pytest.approx((1.25, 0.4 * over.low, 0.6 * over.high, 2))
    assert sqrt(over.low * over.high) == pytest.approx(2)


def test_a_seed_that_never_gets_there_opens_the_interval() -> None:
    some = reach.times({"0": 3.0, "1": 4.0, "2": inf}, exactly(0.5))
    assert (some.value, some.low, some.high) == (2.0, 0.5 * centre([3.0, 4.0]).low, inf)
    assert reach.times({"0": inf, "1": inf}, exactly(nan))[:3] == (inf, inf, inf)
    for one in ({"0": 3.0}, {"0": inf}):
        assert isnan(reach.times(one, exactly(0.5)).low)
    assert isnan(reach.times({"0": 3.0, "1": 3.1}, Estimate(0.5, nan, nan, 1)).low)


def training(*forward: list[float | None], **settings: str) -> list[Row]:
    """Parts of runs, a seed each, beside backprop, at half the seconds a step."""
    parts = step_times("training", {"backprop": 1.0, "forward_gradient": 0.5}, **settings)
    for seed, losses in enumerate(forward):
        for method, found in (("forward_gradient", losses), ("backprop", BACKPROP)):
            own: Row = {"protocol": "shared", "method": method, "rate": 0.1, "seed": seed, **settings}
            parts.append(part("training", fit(found), **own))
    return parts


def test_verdicts_count_the_seeds() -> None:
    never = became("baydin-training-shared", papers(parts=training([2.0, 1.9], [2.0, None])))
    assert (never.verdict, never.cases[0].note) == (
        FAILS,
        "2 of 2 seeds never: forward gradient diverges, backprop ends at 1; 1 of 2 seeds diverged",
    )
    some = became("baydin-training-shared", papers(parts=training([2.0, 1.0], [2.0, 1.0], [2.0, 1.9])))
    assert (some.verdict, some.cases[0].value, some.cases[0].high) == (UNDECIDED, 0.5, inf)
    assert some.measured == "torch, rate 0.1: 0.500 [0.500, ∞] (1 of 3 seeds never)"


def test_two_data_sets_are_two_cases() -> None:
    parts = training([2.0, 1.0], [2.0, 1.0], data="digits") + training([2.0, 1.9], [2.0, 1.9], data="idx")
    found = became("baydin-training-shared", papers(parts=parts))
    assert found.detail == "Holds for digits. Not for idx."
