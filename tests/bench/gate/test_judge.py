"""Verdicts on numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.gate import judge
from bench.gate.turns import ratios
from bench.rows import Samples, Values
from bench.stats import Estimate

MIRROR = {
    judge.WORSE: judge.BETTER,
    judge.BETTER: judge.WORSE,
    judge.SAME: judge.SAME,
    judge.UNDECIDED: judge.UNDECIDED,
}
factors = st.lists(st.floats(0.5, 2), min_size=2, max_size=12)


@settings(deadline=None)
@given(factors, st.floats(1e-6, 10))
def test_turning_the_sides_round_mirrors_the_verdict(heads: list[float], unit: float) -> None:
    there, interval = judge.verdict(heads, unit)
    low, high = interval.low, interval.high
    back, _ = judge.verdict([1 / one for one in heads], unit)
    ends = [abs(math.log(end)) for end in (low, high) if end]
    border = math.log(1 + max(judge.MARGIN, judge.FLOOR_S / unit))
    if all(abs(end - border) > 1e-9 for end in ends):  # on the border itself rounding decides
        assert back == MIRROR[there]


@pytest.mark.parametrize(
    ("factor", "unit", "word"),
    [
        (1.0, 1.0, "same"),
        (1.049, 1.0, "same"),
        (1.051, 1.0, "worse"),
        (1 / 1.051, 1.0, "better"),
        (1.051, 1e-4, "same"),  # 5.1 µs
        (1.19, 1e-4, "same"),
        (1.21, 1e-4, "worse"),  # 21 µs
    ],
)
def test_a_change_must_exceed_the_margin_and_the_floor(factor: float, unit: float, word: str) -> None:
    assert judge.verdict([factor] * 6, unit)[0] == word


def test_one_pair_decides_nothing_and_spread_decides_against_haste() -> None:
    assert judge.verdict([2.0], 1.0)[0] == "not decided"
    assert judge.verdict([1.0, 1.2, 1.0, 1.2], 1.0)[0] == "not decided"
    assert judge.verdict([1.1, 1.12, 1.1, 1.12], 1.0)[0] == "worse"


def test_one_pair_gives_three_ratios_from_neighbours_in_time() -> None:
    base = Samples(forward_s=[1.0, 2.0, 3.0], gradient_s=[2.0, 4.0, 6.0])
    head = Samples(forward_s=[1.0, 2.0, 3.0], gradient_s=[3.0, 6.0, 9.0])
    assert ratios({"base": base, "head": head}) == {"forward": 1.0, "gradient": 1.5, "R": 1.5}


def against_itself(low: float, high: float, unit: float = 1.0, quantity: str = "gradient") -> judge.Finding:
    interval = Estimate(math.sqrt(low * high), low, high, 6)
    return judge.Finding("cell", quantity, judge.judge(interval, judge.margin(unit)), unit, unit, interval)


@pytest.mark.parametrize(
    ("control", "why"),
    [
        (against_itself(0.97, 1.03), ""),
        (against_itself(1 / 1.049, 1.049), ""),
        (against_itself(0.96, 1.055), ""),  # a little off its middle: within 1.05² from end to end
        (against_itself(1 / 1.051, 1.051), "base against itself spread by more than the margin"),
        (against_itself(1 / 1.051, 1.051, quantity="R"), ""),
        (against_itself(0.9, 1.1, unit=1e-4), ""),  # 20 µs are a fifth of it
        (against_itself(0.8, 1.3, unit=1e-4), "base against itself spread by more than the margin"),
        (against_itself(1.051, 1.2, quantity="forward"), "base differed from itself"),
        (against_itself(math.nan, math.nan), ""),
    ],
)
def test_a_control_must_be_able_to_lie_within_the_margin(control: judge.Finding, why: str) -> None:
    assert judge.restless([control]) == why


@pytest.mark.parametrize(
    ("base", "head", "word"),
    [
        (1e-13, 9e-13, "same"),
        (0.0, 0.0, "same"),
        (0.0, 1e-3, "worse"),
        (1e-12, 1.1e-12, "worse"),
        (3.922414417199574e-10, 3.9224156761752224e-10, "same"),  # 1.3e-16 of the gradient: its last digit
        (1e-10, 1.001e-10, "worse"),
        (0.5, 0.5 * (1 + 5e-10), "same"),
        (0.5, 0.5 * (1 + 2e-9), "worse"),
        (0.5, 0.4, "better"),
    ],
)
def test_float64_errors_are_equal_within_rounding_alone(base: float, head: float, word: str) -> None:
    assert judge.error("cell", base, head).verdict == word


def test_a_count_that_one_side_does_not_have_is_left_out() -> None:
    found = judge.counts("cell", Values(peak_bytes=5), Values(peak_bytes=5, flops=7, held_bytes=3))
    assert [(one.quantity, one.verdict) for one in found] == [("peak_bytes", "same")]


seconds = st.lists(st.floats(1e-5, 1.0), min_size=3, max_size=3)
samples = st.builds(Samples, forward_s=seconds, gradient_s=seconds)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"base": samples, "head": samples}), min_size=2, max_size=5))
def test_head_by_base_is_the_ratio_that_stands_beside_them(pairs: list[dict[str, Samples]]) -> None:
    for found in judge.times("cell", pairs):
        assert found.base and found.head and found.interval
        assert found.head / found.base == pytest.approx(found.interval[0])


def test_a_median_of_head_that_points_the_other_way_does_not_stand_beside_the_ratio() -> None:
    """The machine slows down within a pair: two of three rounds say −10 %, and the median of head alone is larger."""
    base = Samples(forward_s=[1.0] * 3, gradient_s=[4.0, 4.5, 9.0])
    head = Samples(forward_s=[1.0] * 3, gradient_s=[3.6, 4.8, 8.1])
    found = {one.quantity: one for one in judge.times("cell", [{"base": base, "head": head}] * 2)}["gradient"]
    assert found.base == 4.5 and found.interval and found.interval[0] == pytest.approx(0.9)
    assert found.head == pytest.approx(0.9 * 4.5), "and not 4.8"
