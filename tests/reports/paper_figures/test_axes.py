"""Ticks: round numbers inside the axis, few enough to be read, written as a reader writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.paper_figures.axes import MOST_TICKS, ticks, written
from reports.paper_figures.points import LARGEST, Axis


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (0.02, "0.02"), (1.5, "1.5"), (-0.4, "-0.4"), (1000, "1000"), (10_000, "10⁴"), (25_000, "25000")),
        *((1e-7, "10⁻⁷"), (2e-7, "2×10⁻⁷"), (1e12, "10¹²"), (5e8, "5×10⁸")),
    ],
)
def test_a_tick_is_written_short(value: float, text: str) -> None:
    assert written(value) == text


def test_bytes_have_their_unit() -> None:
    assert written(5e6, as_bytes=True) == "5 MB"


def test_a_short_logarithmic_axis_has_more_than_decades() -> None:
    assert ticks(0.9, 5.5, log=True) == [1, 1.5, 2, 3, 4, 5]
    assert ticks(1, 1e20, log=True) == [10.0**power for power in range(0, 21, 3)]


@given(st.floats(1 / LARGEST, LARGEST), st.floats(1, 1e20), st.booleans())
def test_ticks_are_few_and_inside(low: float, times: float, log: bool) -> None:
    found = ticks(low, 1.1 * low * times, log)
    assert len(found) <= MOST_TICKS and found == sorted(set(found))
    assert all(low <= one <= 1.1 * low * times for one in found)


@given(st.floats(allow_nan=True, allow_infinity=True), st.booleans())
def test_an_axis_has_a_place_for_usable_numbers_alone(value: float, log: bool) -> None:
    assert Axis("", log=log).shows(value) is (-LARGEST <= value <= LARGEST and (not log or value >= 1 / LARGEST))
