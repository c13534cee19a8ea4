"""Two results files side by side, of two commits or two machines: the part of the page, and how they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import pandas as pd

from bench.rows import printable, told_path
from bench.stats import CLASSES, MARGIN, geometric_mean
from reports.across.differences import differences, equal_runs, listed
from reports.across.exact import EQUAL, FEWER, MORE
from reports.across.forest import forest
from reports.across.pairs import EXACT, Matched, Pair, identities, match, shared
from reports.draw import Drawing
from reports.labels import settings
from reports.load import Results, ResultsError, read
from reports.part import Part

MOST_ROWS = 300
"""Cells of one table; the others are counted, and all are in the CSV."""

WORDS = {"peak_bytes": "Peak bytes", "flops": "Flops", "gradient_error": "Gradient error"}


@dataclass(frozen=True)
class Comparison:
    """All that the template needs. sides: letter, name and newest run of each file; mean, least, most: of the quotients
    of R over the cells that have one; same: a sentence where nothing but the run differs."""

    sides: list[tuple[str, str, Results]]
    found: Matched
    cautions: list[str]
    same: str
    drawing: Drawing | None
    only: list[tuple[str, str]]
    margin: float = MARGIN
    most: int = MOST_ROWS

    @property
    def pairs(self) -> list[Pair]:
        """The cells that are compared."""
        return self.found.pairs

    @property
    def quotients(self) -> list[float]:
        """R of B ÷ R of A of each cell that has both."""
        return [pair.ratio.value for pair in self.pairs if pair.verdict]

    @property
    def mean(self) -> float:
        """Their geometric mean."""
        return geometric_mean(self.quotients)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest."""
        return min(self.quotients, default=nan), max(self.quotients, default=nan)

    @property
    def classes(self) -> list[tuple[str, int]]:
        """How many quotients are of each class."""
        count = Counter(pair.verdict for pair in self.pairs)
        return [(name, count[name]) for name in CLASSES]

    @property
    def exact(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Of each exact number: in how many cells it is more, fewer and equal."""
        found = []
        for name, words in WORDS.items():
            count = Counter(pair.change(name).word for pair in self.pairs)
            found.append((words, [(word, count[word]) for word in (MORE, FEWER, EQUAL)]))
        return found

    @property
    def turned(self) -> list[Pair]:
        """Cells whose status changed."""
        return [pair for pair in self.pairs if pair.status]

    @property
    def timed(self) -> list[Pair]:
        """Cells that a side timed, or tried to."""
        return [pair for pair in self.pairs if pair.timed]

    @property
    def untimed(self) -> list[Pair]:
        """Cells of exact numbers alone of which one changed."""
        return [pair for pair in self.pairs if not pair.timed and (pair.status or _moved(pair))]

    @property
    def unmoved(self) -> int:
        """How many cells of exact numbers alone are as they were."""
        return sum(not pair.timed for pair in self.pairs) - len(self.untimed)


def read_both(paths: Sequence[Path]) -> tuple[Results, Results]:
    """The newest group of each of two files; ``ResultsError``, one sentence, where they cannot be compared."""
    if len(paths) != 2:
        raise ResultsError(f"A comparison is of two results files, but {len(paths)} were named: name A and B.")
    one, other = (Path(path) for path in paths)
    a, b = read(one), read(other)
    if one.resolve() == other.resolve():
        raise ResultsError(f"{told_path(one)} was named twice: name two different results files to compare.")
    both = identities(a) & identities(b)
    if not both:
        raise ResultsError(
            f"{told_path(one)} and {told_path(other)} have no cell in common: "
            "measure the same preset for both, then compare."
        )
    if both == shared(a, b):
        raise ResultsError(
            f"{told_path(one)} and {told_path(other)} hold the same visits of every cell they share: "
            "compare two measurements."
        )
    return a, b


def part(a: Results, b: Results, names: tuple[str, str]) -> Part:
    """The part of the page; ``names``: what A and B are called there."""
    found = match(a, b)
    drawing = forest(found.pairs)
    first, second = (printable(name, 60) for name in names)
    only = [(letter, listed(cells)) for letter, cells in (("A", found.only_a), ("B", found.only_b)) if cells]
    content = Comparison(
        [("A", first, a), ("B", second, b)], found, differences(a, b, found), equal_runs(a, b), drawing, only
    )
    return Part(
        name="compared",
        title=f"{first} against {second}",
        template="compared.html.j2",
        content=content,
        drawings=(drawing,) if drawing else (),
        tables={"compared": frame(found.pairs)},
        short="A against B",
    )


def frame(pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row a cell that is compared.

    Columns: ``cell``, ``problem``, ``label``, ``runner``, ``sizes``, ``options``; ``status_A``, ``status_B``; ``R_A``
    and ``R_B`` with ``quotient`` (R_B ÷ R_A), ``low``, ``high`` (95 %) and ``class``; ``peak_bytes``, ``flops`` and
    ``gradient_error`` of each side, and ``…_change``: equal, more or fewer.
    """
    rows = []
    for pair in pairs:
        row = {name: pair.b[name] for name in ("cell", "problem", "label", "runner")}
        row |= {name: settings(pair.b[name]) for name in ("sizes", "options")}
        for name in ("status", "R"):
            row |= {f"{name}_A": pair.a[name], f"{name}_B": pair.b[name]}
        row |= {"quotient": pair.ratio.value, "low": pair.ratio.low, "high": pair.ratio.high, "class": pair.verdict}
        for name in EXACT:
            row |= {f"{name}_A": pair.a[name], f"{name}_B": pair.b[name], f"{name}_change": pair.change(name).word}
        rows.append(row)
    return pd.DataFrame(rows)


def _moved(pair: Pair) -> bool:
    """Whether an exact number changed, or is known on one side alone."""
    changes = [pair.change(name) for name in EXACT]
    return any(one.changed or (one.before == one.before) != (one.after == one.after) for one in changes)
