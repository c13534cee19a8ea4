"""The interval against closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import ratio

POSITIVE = st.floats(min_value=1e-3, max_value=1e3)


def test_two_workers_in_closed_form() -> None:
    # One degree of freedom is Cauchy: t(0.975) = tan(0.475 π). Logs ±a have sd a√2: half-width t·a.
    half = math.tan(0.475 * math.pi) * math.log(1.1)
    found = ratio([1.1, 1 / 1.1])
    assert found.low == pytest.approx(math.exp(-half), rel=1e-10)
    assert found.high == pytest.approx(math.exp(half), rel=1e-10)
    assert found.sd_log == pytest.approx(math.sqrt(2) * math.log(1.1))


def test_three_workers_in_closed_form() -> None:
    # Two degrees of freedom: t(p) = q·√2 / √(1 - q²), q = 2p - 1. Logs -a, 0, a have sd a: half-width t·a/√3.
    half = 0.95 * math.sqrt(2 / (1 - 0.95**2)) * math.log(1.2) / math.sqrt(3)
    found = ratio([3.0, 3.0 * 1.2, 3.0 / 1.2])
    assert found.value == 3.0
    assert (found.low, found.high) == pytest.approx((3 * math.exp(-half), 3 * math.exp(half)), rel=1e-10)


def test_one_worker_has_no_interval_and_none_has_no_value() -> None:
    assert ratio([2.5]).value == 2.5
    assert all(math.isnan(value) for value in ratio([2.5])[1:])
    assert all(math.isnan(value) for value in ratio([]))


@given(st.lists(POSITIVE, min_size=2, max_size=12), POSITIVE)
def test_scales_with_its_unit(values: list[float], scale: float) -> None:
    one, other = ratio(values), ratio([value * scale for value in values])
    assert other[:3] == pytest.approx([value * scale for value in one[:3]], rel=1e-6)
    assert one.low <= one.high
