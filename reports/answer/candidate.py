"""What a decision chooses among: one way of getting a gradient, and the cases in which several were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

from bench.stats import Estimate
from reports.below_one import no_unit
from reports.headline import Record, options
from reports.labels import label, order, settings
from reports.numbers import interval, number, size

BYTES, FORWARDS = "B", "forwards"
"""Units of what a decision minimises."""


@dataclass(frozen=True)
class Candidate:
    """One measured cell. cost: what a decision minimises, in the unit of its case."""

    row: Record
    cost: Estimate

    @property
    def label(self) -> str:
        """The method."""
        return label(self.row["method"], self.row["options"], self.row["gradient"])

    @property
    def options(self) -> str:
        """The options that the method's name does not tell."""
        return options(self.row)

    @property
    def name(self) -> str:
        """Method and options: ``IFT, Picard (K 60, M 60)``."""
        return f"{self.label} ({self.options})" if self.options else self.label

    @property
    def K(self) -> float:
        """Evaluations of the step in the forward solve; NaN for an explicit method."""
        return number(self.row["options"].get("K"))

    @property
    def error(self) -> float:
        """The gradient error; NaN where nobody measured it."""
        return number(self.row["gradient_error"])

    @property
    def beyond(self) -> float:
        """Peak bytes beyond those of the forward."""
        return number(self.row["peak_bytes"]) - number(self.row["forward_peak_bytes"])

    @property
    def peak(self) -> float:
        """Peak bytes of a gradient call."""
        return number(self.row["peak_bytes"])

    @property
    def random(self) -> bool:
        """Whether it is a forward gradient, whose error is that of one draw of tangents."""
        return str(self.row["gradient"]) == "forward_gradient"

    @property
    def exact(self) -> bool:
        """Whether its error is known, and is that of a solve or of rounding: no draw, and no approximation as JFB is
        one."""
        return comparable(self) and not self.random and str(self.row["method"]) != "jfb"

    @property
    def ratio(self) -> Estimate:
        """R, in forwards of its own cell."""
        return ratio(self.row)


def ratio(row: Record) -> Estimate:
    """R of a cell with its interval."""
    value, low, high, workers = (number(row[name]) for name in ("R", "R_low", "R_high", "workers"))
    return Estimate(value, low, high, 0 if isnan(workers) else int(workers))


TOLD = ("depth", "width", "channels", "batch")
"""Sizes that stand beside every answer, since at others another method may win."""


@dataclass(frozen=True)
class Case:
    """One problem at one size on one runner, and what was measured there.

    source: which part of the page has the rows. unit: of the costs, ``BYTES`` or ``FORWARDS``; longest: K of the
    forward that is the unit, where forward solves differ in length, else NaN: then it is each cell's own. lost: method
    and status of the cells without numbers. hardness: the greatest stands for its situation.
    """

    problem: str
    sizes: Mapping[str, Any]
    runner: str
    dtype: str
    source: str
    unit: str
    candidates: tuple[Candidate, ...]
    hardness: tuple[float, ...] = ()
    longest: float = float("nan")
    lost: tuple[str, ...] = field(default=())

    @property
    def methods(self) -> list[str]:
        """The methods that were measured, each once."""
        return sorted({one.label for one in self.candidates}, key=order)

    @property
    def about(self) -> str:
        """Problem and sizes in one line; the dtype where it is not float32."""
        said = [self.problem, settings(self.sizes), "" if self.dtype == "float32" else self.dtype]
        return ", ".join(filter(None, said))

    @property
    def place(self) -> str:
        """Problem and the sizes that decide what it costs, in a few words; the dtype where it is not float32."""
        sizes = (f"{name} {self.sizes[name]}" for name in TOLD if name in self.sizes)
        return ", ".join(filter(None, [self.problem, *sizes, "" if self.dtype == "float32" else self.dtype]))

    @property
    def measure(self) -> str:
        """The unit of a cost, in words that stand behind its number."""
        if self.unit == BYTES:
            return "beyond the forward’s peak"
        return "forwards" if isnan(self.longest) else f"forwards of K = {self.longest:g}"

    def unit_of(self, *ones: Candidate) -> str:
        """The unit of the costs of some candidates; it says so where they are no R, in forwards of another K."""
        own = [self.own(one) for one in ones]
        if self.unit == BYTES or all(own):
            return self.measure
        return f"{self.measure}, {'R at that K alone' if any(own) else 'no R'}"

    def quantity_of(self, one: Candidate) -> str:
        """What the cost of one candidate is, for a column that holds several kinds."""
        if self.unit == BYTES:
            return self.measure
        return f"{self.measure} (R)" if self.own(one) else self.unit_of(one)

    def own(self, one: Candidate) -> bool:
        """Whether a cost in forwards is in those of its own cell, so that it is R."""
        return isnan(self.longest) or self.longest == one.K

    def unfit(self, one: Candidate) -> bool:
        """Whether a cost in forwards of its own cell lies below 1, so that its forward is no unit."""
        return self.unit == FORWARDS and self.own(one) and no_unit(one.row)

    @property
    def quantity(self) -> str:
        """What the costs are, for the head of a row of them."""
        if isnan(self.longest):
            return "forwards (R)" if self.unit == FORWARDS else self.measure
        return f"time in {self.unit_of(*self.candidates)}"

    def amount(self, found: Estimate) -> str:
        """A cost with its interval, without the words of its unit."""
        return size(found.value) if self.unit == BYTES else interval(found.value, found.low, found.high)

    def cost(self, one: Candidate) -> str:
        """The cost of a candidate with its interval and its unit."""
        return f"{self.amount(one.cost)} {self.unit_of(one)}"


def comparable(one: Candidate) -> bool:
    """Whether cost and error are both known."""
    return isfinite(one.cost.value) and isfinite(one.error)
