"""Estimates against closed forms."""

from __future__ import annotations

import math

import pytest

from reports.intervals import centre, difference, exactly, mean, quotient


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
    found = quotient({0: 2.0, 1: 20.0, 2: 5.0}, {0: 1.0, 1: 10.0, 7: 1.0})
    assert found[:3] == pytest.approx((2, 2, 2)) and found.samples == 2


def test_a_difference_is_taken_for_each_seed_first() -> None:
    found = difference({"0": 2.0, "1": 12.0, "2": 1.0}, {"0": 1.0, "1": 11.0})
    assert found[:3] == pytest.approx((1, 1, 1)) and found.samples == 2


def test_what_cannot_be_divided_is_left_out() -> None:
    assert quotient({0: 1.0, 1: 2.0}, {0: 0.0, 1: 1.0}).samples == 1
    assert centre([-1.0, 0.0, 4.0]).value == 4


def test_scaling_takes_the_interval_along() -> None:
    assert exactly(3.0).scaled(2) == exactly(6.0)
