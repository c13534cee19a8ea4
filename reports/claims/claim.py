"""What a claim of a document is, and what is measured against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan

from bench.stats import Estimate
from reports.claims.scope import Scope
from reports.numbers import DASH, sig, size
from reports.papers import Papers


@dataclass(frozen=True)
class Case:
    """What was measured under one condition: a value with its 95 % interval.

    conditions: what tells this case from the claim's others, such as framework, problem and size. An exact value is its
    own interval; an interval of NaN is unknown, since one sample has none. unit: of the value, ``B`` for bytes.
    note: words that belong to the number, or that stand in its place where it is infinite. scope: the rows behind it.
    doubt: why the number decides nothing, whatever its interval; empty where it may.
    """

    conditions: Mapping[str, str]
    value: float
    low: float
    high: float
    unit: str = ""
    note: str = ""
    scope: Scope = field(default_factory=Scope)
    doubt: str = ""

    @property
    def name(self) -> str:
        """The condition as a text: ``torch, depth 3``."""
        return ", ".join(said(axis, value) for axis, value in self.conditions.items())

    @property
    def measured(self) -> str:
        """The number, its interval unless it is exact, its unit, its note."""
        words = "; ".join(filter(None, (self.note, self.doubt)))
        note = f" ({words})" if words else ""
        if isnan(self.value):
            return DASH + note
        if not isfinite(self.value):
            return self.note or "unbounded"
        if self.low == self.high == self.value:
            return self._number(self.value) + note
        if isnan(self.low) or isnan(self.high):
            return f"{self._number(self.value)} [one sample]{note}"
        low, high = (sig(end) if isfinite(end) else "∞" for end in (self.low, self.high))
        return f"{sig(self.value)} [{low}, {high}]{self.unit and f' {self.unit}'}{note}"

    def _number(self, value: float) -> str:
        return size(value) if self.unit == "B" else f"{sig(value)}{self.unit and f' {self.unit}'}"


def case(
    conditions: Mapping[str, str],
    found: Estimate,
    unit: str = "",
    note: str = "",
    *,
    scope: Scope,
    doubt: str = "",
) -> Case:
    """A case of an estimate."""
    return Case(conditions, found.value, found.low, found.high, unit, note, scope, doubt)


BARE = ("framework", "problem", "data", "method", "solver", "tangents", "kind")
"""Conditions whose values speak for themselves; the others are shown with their names."""


def said(axis: str, *values: str) -> str:
    """One condition, of one or several values, as a text: ``depth 1, 3``; ``torch and jax``."""
    if axis not in BARE:
        return f"{axis} {', '.join(values)}"
    *head, last = values
    return f"{', '.join(head)} and {last}" if head else last


@dataclass(frozen=True)
class Rule:
    """What a claim demands of each case. ``words`` can follow "the value is to be"."""

    words: str
    judge: Callable[[Case], bool | None] = field(repr=False)

    def __call__(self, measured: Case) -> bool | None:
        """True or False; None where the interval is unknown or reaches over the limit."""
        return self.judge(measured)


@dataclass(frozen=True)
class Claim:
    """One statement of one document, and how it is measured and judged here.

    name: unique, for links and files. experiments: those whose rows ``query`` reads. quantity: what the value of a case
    is. figure: name of the drawing that shows it, where that is not the first one of its experiments. names: conditions
    that the claim itself names, such as the tangents of the published algorithm: cases that have them decide.
    """

    name: str
    document: str
    where: str
    statement: str
    published: str
    quantity: str
    experiments: Sequence[str]
    query: Callable[[Papers], list[Case]] = field(repr=False)
    rule: Rule
    figure: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
