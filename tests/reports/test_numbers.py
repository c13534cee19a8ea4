"""Printed numbers: three digits, a unit, and never a rounding up into a fourth digit."""

from __future__ import annotations

import re
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import numbers
from reports.numbers import clip, quoted, shorten


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


@given(st.text(min_size=0, max_size=60), st.text(max_size=60), st.integers(10, 40))
def test_shortened_names_stay_apart(one: str, other: str, most: int) -> None:
    short = [shorten(text, most) for text in (one, other)]
    assert all(len(text) <= most for text in short)
    assert (short[0] == short[1]) == (one == other)


def test_lengths_of_texts() -> None:
    assert shorten("a" * 30, 12) == "aaa…3a54fc0c"
    assert clip("a" * 30, 5) == "aaaa…" and clip("abc", 3) == "abc"
    assert quoted("x" * 100) == "'" + "x" * 38 + "…" and quoted("\x1b[2J\n") == repr("\x1b[2J\n")


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1.0), (2.5, 2.5), (None, nan), ("1", nan), (True, nan), (inf, nan), (10**400, nan)]
)
def test_a_number_is_finite_or_nan(value: object, expected: float) -> None:
    assert numbers.number(value) == pytest.approx(expected, nan_ok=True)
