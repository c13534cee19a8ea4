"""Printed numbers: three digits, a unit, and never a rounding up into a fourth digit."""

from __future__ import annotations

import re
from fractions import Fraction
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.sig(0), "0"),
        (numbers.sig(2.9649), "2.96"),
        (numbers.sig(9.999), "10.0"),
        (numbers.sig(1234.5), "1230"),
        (numbers.sig(-0.0123456), "-0.0123"),
        (numbers.sig(1.25e-9), "1.25×10⁻⁹"),
        (numbers.sig(nan), "–"),
        (numbers.size(0), "0 B"),
        (numbers.size(999), "999 B"),
        (numbers.size(999_999), "1.00 MB"),
        (numbers.size(131_072), "131 kB"),
        (numbers.size(-2_500_000), "-2.50 MB"),
        (numbers.size(3.2e10), "32.0 GB"),
        (numbers.size(7e12), "7.00 TB"),
        (numbers.milliseconds(0.0123456), "12.3 ms"),
        (numbers.milliseconds(1.2345), "1230 ms"),
        (numbers.seconds(nan), "–"),
        (numbers.interval(3, 2.9, 3.1), "3.00 [2.90, 3.10]"),
        (numbers.interval(3, nan, nan), "3.00 [one worker]"),
        (numbers.exact(Fraction(131_072)), "131072"),
        (numbers.exact(Fraction(1, 3)), "0.333"),
    ],
)
def test_prints(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_at_most_three_digits_and_close_to_the_value(value: float) -> None:
    text = numbers.sig(value)
    mantissa = text.split("×")[0]
    assert len(re.sub(r"^0+|0+$", "", mantissa.replace(".", "")).strip("0")) <= 3
    plain = text.replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(plain) == pytest.approx(value, rel=0.00501)
