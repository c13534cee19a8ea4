"""Tables in Markdown, for README and docs, and words that are fit for them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], left: Container[int] = (0,)) -> list[str]:
    """The lines of a table: columns in ``left`` flush left, the others flush right. Words of others are to be
    ``escape``d."""
    under = ["---" if column in left else "---:" for column in range(len(head))]
    return [f"| {' | '.join(line)} |" for line in (head, under, *rows)]


def escape(text: str) -> str:
    """Text that ends no cell, starts no link and no tag."""
    text = " ".join(str(text).split())
    for mark in "\\|[]*_`":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
