"""Numbers without noise: equal, more, fewer, and in words."""

from __future__ import annotations

from math import isnan, nan

import pytest

from reports.across.exact import Change, error


@pytest.mark.parametrize("before, after, word", [(8, 8, "equal"), (8, 9, "more"), (9, 8, "fewer"), (nan, 8, "")])
def test_one_byte_counts(before: float, after: float, word: str) -> None:
    assert Change(before, after).word == word
    assert Change(before, after).changed is (word in ("more", "fewer"))


@pytest.mark.parametrize(
    "before, after, word",
    [
        *((1e-3, 1e-3 * (1 + 5e-10), "equal"), (1e-3, 1e-3 * (1 + 2e-9), "more"), (1e-13, 9e-13, "equal")),
        *((3.922414417199574e-10, 3.9224156761752224e-10, "equal"), (1e-10, 1.001e-10, "more"), (0, 1, "more")),
    ],
)
def test_errors_are_equal_up_to_rounding_in_float64(before: float, after: float, word: str) -> None:
    assert error(before, after).word == word


def test_words() -> None:
    assert Change(1000, 1008).told("bytes") == "8 B more" and Change(1000, 1008).way("bytes") == "1.00 kB → 1.01 kB"
    assert Change(3e9, 1e9).told("flops") == "2.00×10⁹ fewer"
    assert Change(5, 5).told("flops") == "equal" and Change(5, 5).way("bytes") == "5 B"
    assert error(0.2, 0.3).told("relative") == "× 1.50"
    assert error(0.2, 0.2 * (1 + 1e-6)).told("relative") == "2.00×10⁻⁷ more"
    assert error(0.0, 0.5).told("relative") == "0.500 more"
    assert Change(nan, 5).told("bytes") == "–" and isnan(Change(0, 5).factor)
