"""Lines of words as tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.tables import markdown, text


def lines(width: int) -> st.SearchStrategy[list[list[str]]]:
    """A head of words, and lines of words or nothing."""
    word = st.text("ab9.-", min_size=1, max_size=4)
    head, line = (st.lists(one, min_size=width, max_size=width) for one in (word, word | st.just("")))
    return st.builds(lambda first, others: [first, *others], head, st.lists(line, max_size=3))


@given(st.integers(1, 4).flatmap(lines), st.sets(st.integers(0, 3)))
def test_columns_are_two_spaces_apart_and_flush_as_asked(words: list[list[str]], left: set[int]) -> None:
    widths = [max(map(len, column)) for column in zip(*words, strict=True)]
    for line, made in zip(words, text(words, left), strict=True):
        places = enumerate(zip(line, widths, strict=True))
        padded = [word.ljust(width) if place in left else word.rjust(width) for place, (word, width) in places]
        assert made == "  ".join(padded).rstrip()


def test_markdown_says_which_columns_are_flush_right() -> None:
    made = markdown([("what", "rate", "why"), ("a", "1 %", "so")], left=(0, 2))
    assert made == ["| what | rate | why |", "| --- | ---: | --- |", "| a | 1 % | so |"]
