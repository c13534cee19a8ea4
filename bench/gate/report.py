"""What a gate found, the exit status that it means, and its table in Markdown, fit for a comment on a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench import tables
from bench.gate import judge
from bench.gate.judge import BETTER, FLOOR_S, MARGIN, SAME, UNDECIDED, WORSE, Finding
from bench.gate.sides import Side

ORDER = (WORSE, BETTER, UNDECIDED, SAME)
HEADER = ("verdict", "cell", "what", "base", "head", "head ÷ base")
TITLES = {0: "gradratio gate: no regression", 1: "gradratio gate: regression", 2: "**undecided** · gradratio gate"}
"""By exit status."""

MOST_NAMED = 5
"""Cells that a sentence above the table names; the table has all."""

WHAT = {
    "forward": "forward, ms",
    "gradient": "gradient call, ms",
    "R": "R",
    "peak_bytes": "peak bytes of the gradient",
    "forward_peak_bytes": "peak bytes of the forward",
    "held_bytes": "bytes held for the backward pass",
    "flops": "flops of the gradient",
    "forward_flops": "flops of the forward",
    "gradient_error": "gradient error, float64",
    "status": "status",
}


@dataclass(frozen=True)
class Report:
    """findings: of base against head. control: of base against itself. cells: the ids of those that both sides should
    be able to do. timed: the ids of those among them that were set against each other. pairs: of processes in one
    comparison."""

    base: Side
    head: Side
    findings: tuple[Finding, ...]
    control: tuple[Finding, ...]
    cells: frozenset[str]
    timed: frozenset[str]
    pairs: int

    @property
    def restless(self) -> str:
        """Why no time is judged, where base against itself forbids it; else empty."""
        return judge.restless(self.control)

    @property
    def failed(self) -> frozenset[str]:
        """The cells that a side could not do."""
        return self.cells & {found.cell for found in self.findings if found.quantity == "status"}

    @property
    def open(self) -> frozenset[str]:
        """The cells that were timed and of whose gradient call no verdict came: it is what a cell is measured for."""
        decided = {one.cell for one in self.findings if one.quantity == "gradient" and one.verdict != UNDECIDED}
        return self.cells & (self.timed - decided - self.failed)

    @property
    def measured(self) -> int:
        """How many of the cells were measured."""
        return len(self.cells) - len(self.failed) - len(self.open)

    @property
    def status(self) -> int:
        """The exit status: 1 on a regression; 2, undecided, where a cell that both sides have was not measured, or none
        was, or the control was restless; 0 otherwise."""
        if any(found.verdict == WORSE for found in self.findings):
            return 1
        return 2 if self.restless or self.measured < len(self.cells) or not self.cells else 0


def table(report: Report) -> str:
    """The verdict in one line, a table of all that is not the same, and the rest folded away."""
    found = sorted(report.findings, key=lambda one: ORDER.index(one.verdict))
    number = Counter(one.verdict for one in found)
    counted = " · ".join(f"{number[verdict]} {verdict}" for verdict in ORDER)
    lines = [f"### {TITLES[report.status]}", "", *_undecided(report)]
    lines += [
        f"base `{report.base.label}` · head `{report.head.label}` · {counted} "
        f"({report.measured} of {len(report.cells)} cells measured, {report.pairs} pairs of processes each)",
        "",
    ]
    told = [one for one in found if one.verdict != SAME]
    if told:
        lines += [*_rows(told), ""]
    lines += [*_control(report), ""]
    same = [one for one in found if one.verdict == SAME]
    if same:
        lines += [f"<details><summary>{len(same)} the same</summary>", "", *_rows(same), "", "</details>"]
    return "\n".join(lines).rstrip() + "\n"


def _undecided(report: Report) -> Iterable[str]:
    """Why the gate cannot say that there is no regression."""
    if report.status != 2:
        return
    told = [f"{report.restless.capitalize()}, so no time is judged."] if report.restless else []
    told += _without(report, report.failed, "not measured, since a side failed")
    if not report.restless:  # every time is open then, and that is said
        told += _without(report, report.open, "timed, and no verdict came of the gradient call")
    yield from (" ".join(told or ["No cell was measured on both sides."]), "")


def _without(report: Report, cells: frozenset[str], why: str) -> Iterable[str]:
    """The sentence on cells that the gate says nothing of."""
    if cells:
        names = ", ".join(map(_code, sorted(cells)[:MOST_NAMED]))
        more = f" and {len(cells) - MOST_NAMED} more" if len(cells) > MOST_NAMED else ""
        were = "was" if len(cells) == 1 else "were"
        yield f"{len(cells)} of {len(report.cells)} cells that both sides have {were} {why}: {names}{more}."


def _control(report: Report) -> Iterable[str]:
    """What base against itself showed, and what a difference has to exceed."""
    if report.control:
        known = [one.interval for one in report.control if one.interval and one.interval.known]
        ends = [end for one in known for end in (one.low, one.high)]
        if ends:
            yield (
                f"A/A control, base against itself: {_percent(min(ends))} to {_percent(max(ends))} "
                f"on {len({one.cell for one in report.control})} cells."
            )
    if report.restless:
        yield f"**The machine is too restless ({report.restless}): no time is judged. Run it again.**"
    yield (
        f"Worse: the whole 95 % interval lies beyond {100 * MARGIN:g} % and {FLOOR_S * 1e6:g} µs, twice. "
        "Bytes, flops and float64 errors are compared for equality."
    )


def _rows(found: Iterable[Finding]) -> list[str]:
    return tables.markdown([HEADER, *map(_row, found)], left=(0, 1, 2))


def _row(one: Finding) -> tuple[str, ...]:
    bold = "**" if one.verdict == WORSE else ""
    ratio = ""
    found = one.interval
    if found:
        ratio = _percent(found.value) + (f" [{_percent(found.low)}, {_percent(found.high)}]" if found.known else "")
    elif one.base and one.head is not None and one.base != one.head:
        ratio = _percent(one.head / one.base)
    shown = "; ".join(part for part in (ratio, _code(one.note)) if part)
    named = f"{bold}{one.verdict}{bold}", _code(one.cell), WHAT[one.quantity]
    return *named, _number(one, one.base), _number(one, one.head), shown


def _code(text: str) -> str:
    """The text as a code span, since words of a failure are anybody's and may look like Markdown."""
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`" if text else ""


def _number(one: Finding, value: float | None) -> str:
    if value is None:
        return ""
    if one.quantity in ("forward", "gradient"):
        return f"{1e3 * value:.3f}"
    if one.quantity == "gradient_error":
        return f"{value:.2e}" if one.verdict == SAME else f"{value:.10e}"
    return f"{value:.3f}" if one.quantity == "R" else f"{value}"


def _percent(ratio: float) -> str:
    change = 100 * (ratio - 1)
    return f"{change:+.1f} %" if change == 0 or abs(change) >= 0.05 else f"{change:+.1e} %"
