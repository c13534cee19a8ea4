"""Lines of words as tables: columns of plain text, and Markdown."""

from __future__ import annotations

from collections.abc import Container, Sequence


def text(lines: Sequence[Sequence[str]], left: Container[int] = (0,)) -> list[str]:
    """One text a line, its columns two spaces apart and as wide as their widest word: flush left those in ``left``, the
    others flush right."""
    from tabulate import tabulate

    sides = ["left" if column in left else "right" for column in range(len(lines[0]))]
    made = tabulate(lines, tablefmt="plain", colalign=sides, disable_numparse=True)
    return [line.rstrip() for line in made.split("\n")]


def markdown(lines: Sequence[Sequence[str]], left: Container[int] = (0,)) -> list[str]:
    """The same as a table in Markdown, whose head is the first line. Words of others must be fit for it already."""
    under = ["---" if column in left else "---:" for column in range(len(lines[0]))]
    return [f"| {' | '.join(line)} |" for line in (lines[0], under, *lines[1:])]
