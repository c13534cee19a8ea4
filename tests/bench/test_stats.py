"""Ratios, intervals, differences, quotients and the margin rule: closed forms, another implementation, coverage."""

from __future__ import annotations

import math
import random
from statistics import stdev
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.stats import (
    BETTER,
    CPU,
    MARGIN,
    SAME,
    UNDECIDED,
    WALL,
    WORSE,
    Estimate,
    centre,
    clock,
    difference,
    exactly,
    geometric_mean,
    had_core,
    judge,
    mean,
    paired,
    seconds,
    unpaired,
    worker_ratio,
)

POSITIVE = st.floats(0.1, 10)
SIDES = st.tuples(st.lists(POSITIVE, min_size=2, max_size=9), st.lists(POSITIVE, min_size=2, max_size=9))


def test_the_ratio_of_a_worker_is_the_median_of_its_pairs() -> None:
    assert worker_ratio([1.0, 2.0, 4.0], [3.0, 4.0, 40.0]) == 3.0  # the pairs give 3, 2, 10


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert centre([2.0] * 8)[:3] == pytest.approx((2.0, 2.0, 2.0))


def pairs_of_a_worker(draw: random.Random, ratio: float) -> tuple[list[float], list[float]]:
    """Seconds of 15 pairs: the process has a ratio of its own (sd 2 %), the machine drifts and both calls are noisy."""
    own, drift = ratio * draw.lognormvariate(0, 0.02), draw.uniform(-0.02, 0.02)
    forward = [1e-3 * math.exp(drift * n) * draw.lognormvariate(0, 0.05) for n in range(15)]
    gradient = [own * 1e-3 * math.exp(drift * n) * draw.lognormvariate(0, 0.05) for n in range(15)]
    return forward, gradient


@pytest.mark.parametrize("workers", [2, 8])
def test_95_percent_of_intervals_cover_the_truth(workers: int) -> None:
    draw, repeats, covered = random.Random(1), 4000, 0
    for _ in range(repeats):
        ratios = [worker_ratio(*pairs_of_a_worker(draw, 2.5)) for _ in range(workers)]
        found = centre(ratios)
        covered += found.low < 2.5 < found.high
    assert abs(covered / repeats - 0.95) < 0.01  # 2.9 standard errors of 4 000 repeats


def test_two_workers_in_closed_form() -> None:
    # One degree of freedom is Cauchy: t(0.975) = tan(0.475 π). Logs ±a have sd a√2: half-width t·a.
    half = math.tan(0.475 * math.pi) * math.log(1.1)
    found = centre([1.1, 1 / 1.1])
    assert found.low == pytest.approx(math.exp(-half), rel=1e-10)
    assert found.high == pytest.approx(math.exp(half), rel=1e-10)
    assert found.sd == pytest.approx(math.sqrt(2) * math.log(1.1))


def test_three_workers_in_closed_form() -> None:
    # Two degrees of freedom: t(p) = q·√2 / √(1 - q²), q = 2p - 1. Logs -a, 0, a have sd a: half-width t·a/√3.
    half = 0.95 * math.sqrt(2 / (1 - 0.95**2)) * math.log(1.2) / math.sqrt(3)
    found = centre([3.0, 3.0 * 1.2, 3.0 / 1.2])
    assert found.value == 3.0
    assert (found.low, found.high) == pytest.approx((3 * math.exp(-half), 3 * math.exp(half)), rel=1e-10)


@given(st.lists(POSITIVE, min_size=2, max_size=12), POSITIVE)
def test_scales_with_its_unit(values: list[float], scale: float) -> None:
    one, other = centre(values), centre([value * scale for value in values])
    assert other[:3] == pytest.approx([value * scale for value in one[:3]], rel=1e-6)
    assert one.low <= one.high


def test_a_mean_of_two_in_closed_form() -> None:
    # One degree of freedom is Cauchy: t(0.975) = tan(0.475 π). Values ±a have sd a√2: half-width t·a.
    found = mean([-0.3, 0.3])
    assert found.value == 0
    assert found[1:3] == pytest.approx((-0.3 * math.tan(0.475 * math.pi), 0.3 * math.tan(0.475 * math.pi)))


def test_one_sample_has_no_interval_and_none_has_no_value() -> None:
    for of in (mean, centre):
        assert of([2.0]).value == 2 and math.isnan(of([2.0]).low) and of([2.0]).samples == 1
        assert math.isnan(of([]).value) and of([math.nan, math.inf]).samples == 0


def test_a_quotient_is_taken_for_each_worker_first() -> None:
    # The workers' seconds differ tenfold and their ratios not at all.
    found = paired({0: 2.0, 1: 20.0, 2: 5.0}, {0: 1.0, 1: 10.0, 7: 1.0})
    assert found[:3] == pytest.approx((2, 2, 2)) and found.samples == 2


def test_a_difference_is_taken_for_each_seed_first() -> None:
    found = difference({"0": 2.0, "1": 12.0, "2": 1.0}, {"0": 1.0, "1": 11.0})
    assert found[:3] == pytest.approx((1, 1, 1)) and found.samples == 2


def test_what_cannot_be_divided_is_left_out() -> None:
    assert paired({0: 1.0, 1: 2.0}, {0: 0.0, 1: 1.0}).samples == 1
    assert centre([-1.0, 0.0, 4.0]).value == 4


def test_scaling_takes_the_interval_along() -> None:
    assert exactly(3.0).scaled(2) == exactly(6.0)


def test_without_spread_the_interval_is_the_quotient_itself() -> None:
    found = unpaired([3.0] * 8, [2.0] * 8)
    assert found[:3] == pytest.approx((1.5, 1.5, 1.5), rel=1e-15) and found.samples == 8


def test_alike_sides_have_the_degrees_of_freedom_of_both_together() -> None:
    # Logarithms ±s on both sides, n each: the variance is s² n/(n − 1), and Welch's degrees of freedom are 2n − 2.
    n, s = 4, 0.1
    above, below = ([middle * math.exp(sign * s) for sign in (1, -1) * (n // 2)] for middle in (6.0, 2.0))
    found = unpaired(above, below)
    reach = stats.t.ppf(0.975, 2 * n - 2) * math.sqrt(2 * s**2 / (n - 1))
    assert found.low == pytest.approx(3 * math.exp(-reach), rel=1e-12)
    assert found.high == pytest.approx(3 * math.exp(reach), rel=1e-12)


def test_a_side_without_spread_leaves_the_other_one_its_own_degrees_of_freedom() -> None:
    found = unpaired([math.exp(0.1), math.exp(-0.1)], [1.0] * 9)
    reach = stats.t.ppf(0.975, 1) * 0.1
    assert (found.low, found.high) == pytest.approx((math.exp(-reach), math.exp(reach)), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(SIDES)
def test_agrees_with_welch_of_scipy_and_inverts(sides: tuple[list[float], list[float]]) -> None:
    above, below = sides
    found, back = unpaired(above, below), unpaired(below, above)
    assert found.value == pytest.approx(1 / back.value, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((1 / back.high, 1 / back.low), rel=1e-9)
    logs = [[math.log(one) for one in side] for side in sides]
    if min(map(stdev, logs)) > 1e-6:
        ends = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)), rel=1e-6)


@pytest.mark.parametrize("above, below", [([], [1.0, 2.0]), ([1.0], []), ([math.nan, 0.0, -1.0], [1.0, 2.0])])
def test_a_side_without_samples_has_no_quotient(above: list[float], below: list[float]) -> None:
    found = unpaired(above, below)
    assert math.isnan(found.value) and found.samples == 0 and judge(found) == UNDECIDED


def test_one_worker_on_a_side_has_no_interval_and_decides_nothing() -> None:
    found = unpaired([30.0], [1.0, 1.0, 1.0])
    assert found.value == pytest.approx(30) and math.isnan(found.low) and judge(found) == UNDECIDED


def test_an_interval_beyond_all_numbers_says_nothing() -> None:
    assert judge(unpaired([1e-290, 1e290], [1e-290, 1e290])) == UNDECIDED
    assert math.isnan(unpaired([1e300] * 2, [1e-300] * 2).value)


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


class Worker(NamedTuple):
    """What a worker found, pair by pair."""

    forward_s: list[float]
    gradient_s: list[float]
    forward_cpu_s: list[float]
    gradient_cpu_s: list[float]


CALM = Worker([1.0, 1.0], [2.0, 2.0], [1.0, 0.9], [1.9, 2.0])
CUT = Worker([1.0, 1.0], [8.0, 16.0], [1.0, 1.0], [2.0, 2.0])
"""The scheduler cut the gradient calls, which are longer than its slice."""


def test_the_processor_s_clock_is_taken_where_one_worker_did_not_have_its_core() -> None:
    assert clock([CALM, CALM]) == WALL and clock([]) == WALL
    assert clock([CALM, CUT]) == CPU
    assert worker_ratio(*seconds(CUT, WALL)) == 12.0
    assert worker_ratio(*seconds(CUT, CPU)) == 2.0


def test_where_no_other_clock_was_read_there_is_the_wall_clock() -> None:
    old = CUT._replace(forward_cpu_s=[], gradient_cpu_s=[])
    assert clock([old]) == WALL
    assert seconds(old, CPU) == (old.forward_s, old.gradient_s)


@pytest.mark.parametrize(("computed", "had"), [(0.9, True), (0.89, False), (1.1, True)])
def test_a_core_is_had_for_nine_tenths_of_the_time(computed: float, had: bool) -> None:
    assert had_core([1.0] * 10, [computed] * 10) is had
