"""Texts and numbers from a file, made safe to show."""

from __future__ import annotations

import unicodedata
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.clean import DEEPEST, LONGEST, Unusable, clean, clip, once, plain, quoted, shorten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("‖J‖₂ = 0.8 <b> é 中", "‖J‖₂ = 0.8 <b> é 中"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("a\x00b\x07\x9b", "a\ufffdb\ufffd\ufffd"),
        ("evil\u202egpj.exe", "evil\ufffdgpj.exe"),
        ("\ud800x\uffff", "\ufffdx\ufffd"),
    ],
)
def test_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(st.characters(codec=None)))
def test_a_plain_text_can_be_written_and_controls_nothing(text: str) -> None:
    found = plain(text)
    found.encode("utf-8")
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in found)
    assert plain(found) == found


@given(st.text(min_size=0, max_size=60), st.text(max_size=60), st.integers(10, 40))
def test_shortened_names_stay_apart(one: str, other: str, most: int) -> None:
    short = [shorten(text, most) for text in (one, other)]
    assert all(len(text) <= most for text in short)
    assert (short[0] == short[1]) == (one == other)


def test_lengths() -> None:
    assert shorten("a" * 30, 12) == "aaa…3a54fc0c"
    assert clip("a" * 30, 5) == "aaaa…" and clip("abc", 3) == "abc"
    assert quoted("x" * 100) == "'" + "x" * 38 + "…"
    assert len(clean("x" * 10_000)) == LONGEST


def test_clean_goes_everywhere() -> None:
    found = clean({"a\x1b": ["\x00", 1, 2.5, True, None, nan, inf, {"b": -inf}]})
    assert found == {"a\ufffd": ["\ufffd", 1, 2.5, True, None, None, None, {"b": None}]}


def test_what_cannot_be_made_safe_is_refused() -> None:
    nested: object = 1
    for _ in range(DEEPEST):
        nested = [nested]
    assert clean(nested) == nested
    for value in ([nested], 10**31, -(10**400), {"\x00": 1, "\x01": 2}):
        with pytest.raises(Unusable):
            clean(value)
    with pytest.raises(Unusable, match="'b' twice"):
        once([("a", 1), ("b", 2), ("b", 2)])
