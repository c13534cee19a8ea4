"""The quotient of independent measurements: closed forms, another implementation, and its word."""

from __future__ import annotations

import math
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.across.quotient import BETTER, MARGIN, SAME, UNDECIDED, WORSE, geometric_mean, judge, quotient
from reports.intervals import Estimate

POSITIVE = st.floats(0.1, 10)
SIDES = st.tuples(st.lists(POSITIVE, min_size=2, max_size=9), st.lists(POSITIVE, min_size=2, max_size=9))


def test_without_spread_the_interval_is_the_quotient_itself() -> None:
    found = quotient([3.0] * 8, [2.0] * 8)
    assert found[:3] == pytest.approx((1.5, 1.5, 1.5), rel=1e-15) and found.samples == 8


def test_alike_sides_have_the_degrees_of_freedom_of_both_together() -> None:
    # Logarithms ±s on both sides, n each: the variance is s² n/(n − 1), and Welch's degrees of freedom are 2n − 2.
    n, s = 4, 0.1
    above, below = ([middle * math.exp(sign * s) for sign in (1, -1) * (n // 2)] for middle in (6.0, 2.0))
    found = quotient(above, below)
    reach = stats.t.ppf(0.975, 2 * n - 2) * math.sqrt(2 * s**2 / (n - 1))
    assert found.low == pytest.approx(3 * math.exp(-reach), rel=1e-12)
    assert found.high == pytest.approx(3 * math.exp(reach), rel=1e-12)


def test_a_side_without_spread_leaves_the_other_one_its_own_degrees_of_freedom() -> None:
    found = quotient([math.exp(0.1), math.exp(-0.1)], [1.0] * 9)
    reach = stats.t.ppf(0.975, 1) * 0.1
    assert (found.low, found.high) == pytest.approx((math.exp(-reach), math.exp(reach)), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(SIDES)
def test_agrees_with_welch_of_scipy_and_inverts(sides: tuple[list[float], list[float]]) -> None:
    above, below = sides
    found, back = quotient(above, below), quotient(below, above)
    assert found.value == pytest.approx(1 / back.value, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((1 / back.high, 1 / back.low), rel=1e-9)
    logs = [[math.log(one) for one in side] for side in sides]
    if min(map(stdev, logs)) > 1e-6:
        ends = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)), rel=1e-6)


@pytest.mark.parametrize("above, below", [([], [1.0, 2.0]), ([1.0], []), ([math.nan, 0.0, -1.0], [1.0, 2.0])])
def test_a_side_without_samples_has_no_quotient(above: list[float], below: list[float]) -> None:
    found = quotient(above, below)
    assert math.isnan(found.value) and found.samples == 0 and judge(found) == UNDECIDED


def test_one_worker_on_a_side_has_no_interval_and_decides_nothing() -> None:
    found = quotient([30.0], [1.0, 1.0, 1.0])
    assert found.value == pytest.approx(30) and math.isnan(found.low) and judge(found) == UNDECIDED


def test_an_interval_beyond_all_numbers_says_nothing() -> None:
    assert judge(quotient([1e-290, 1e290], [1e-290, 1e290])) == UNDECIDED
    assert math.isnan(quotient([1e300] * 2, [1e-300] * 2).value)


@pytest.mark.parametrize(
    "low, high, word",
    [
        (1.051, 1.2, WORSE),
        (0.7, 0.95, BETTER),
        (0.96, 1.05, SAME),
        (1.0, 1.051, UNDECIDED),
        (0.95, 1.0, UNDECIDED),
        (0.5, 2.0, UNDECIDED),
        (math.nan, math.nan, UNDECIDED),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, word: str) -> None:
    assert MARGIN == 0.05
    assert judge(Estimate(1.0, low, high, 8)) == word


def test_the_geometric_mean_of_a_number_and_its_inverse_is_one() -> None:
    assert geometric_mean([4.0, 0.25]) == pytest.approx(1)
    assert math.isnan(geometric_mean([]))
