"""What a gate found, the exit status that it means, and its table in Markdown, fit for a comment on a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench.gate.judge import BETTER, FLOOR_S, MARGIN, SAME, TIMES, UNDECIDED, WORSE, Finding
from bench.gate.sides import Side

ORDER = (WORSE, BETTER, UNDECIDED, SAME)
HEADER = "| verdict | cell | what | base | head | head ÷ base |\n| --- | --- | --- | ---: | ---: | ---: |"
TITLES = {0: "gradratio gate: no regression", 1: "gradratio gate: regression", 2: "**undecided** · gradratio gate"}
"""By exit status."""

MOST_NAMED = 5
"""Cells that were not measured and are named in the first sentence; the table has all."""

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
    be able to do. timed: the ids of those among them that were set against each other. pairs: of processes, a look."""

    base: Side
    head: Side
    findings: tuple[Finding, ...]
    control: tuple[Finding, ...]
    cells: frozenset[str]
    timed: frozenset[str]
    pairs: int

    @property
    def noisy(self) -> bool:
        """Whether base differed from itself by more than the margin: no time is judged then."""
        return any(found.verdict in (WORSE, BETTER) for found in self.control)

    @property
    def unmeasured(self) -> frozenset[str]:
        """The cells that a side could not do, or that were timed and of which no time is decided."""
        failed = {found.cell for found in self.findings if found.quantity == "status"}
        decided = {found.cell for found in self.findings if found.quantity in TIMES and found.verdict != UNDECIDED}
        return self.cells & (failed | (self.timed - decided))

    @property
    def measured(self) -> int:
        """How many of the cells were measured."""
        return len(self.cells) - len(self.unmeasured)

    @property
    def status(self) -> int:
        """The exit status: 1 on a regression; 2, undecided, where a cell that both sides have was not measured, or none
        was, or base differed from itself; 0 otherwise."""
        if any(found.verdict == WORSE for found in self.findings):
            return 1
        return 2 if self.noisy or self.unmeasured or not self.measured else 0


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
        lines += [HEADER, *map(_line, told), ""]
    lines += [*_control(report), ""]
    same = [one for one in found if one.verdict == SAME]
    if same:
        lines += [f"<details><summary>{len(same)} the same</summary>", "", HEADER, *map(_line, same), "", "</details>"]
    return "\n".join(lines).rstrip() + "\n"


def _undecided(report: Report) -> Iterable[str]:
    """Why the gate cannot say that there is no regression."""
    if report.status != 2:
        return
    told = ["Base differed from itself, so no time is judged."] if report.noisy else []
    lost = report.unmeasured
    if report.noisy:  # every time is, and that is said
        lost &= {found.cell for found in report.findings if found.quantity == "status"}
    if lost:
        names = ", ".join(map(_code, sorted(lost)[:MOST_NAMED]))
        more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
        were = f"cells that both sides have {'was' if len(lost) == 1 else 'were'}"
        told.append(
            f"{len(lost)} of {len(report.cells)} {were} not measured, since a side failed or no time was decided: "
            f"{names}{more}."
        )
    if not told:
        told.append("No cell was measured on both sides.")
    yield from (" ".join(told), "")


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
    if report.noisy:
        yield "**The machine made equal programs differ by more than the margin: no time is judged. Run it again.**"
    yield (
        f"Worse: the whole 95 % interval lies beyond {100 * MARGIN:g} % and {FLOOR_S * 1e6:g} µs, twice. "
        "Bytes, flops and float64 errors are compared for equality."
    )


def _line(one: Finding) -> str:
    bold = "**" if one.verdict == WORSE else ""
    ratio = ""
    found = one.interval
    if found:
        ratio = _percent(found.value) + (f" [{_percent(found.low)}, {_percent(found.high)}]" if found.known else "")
    elif one.base and one.head is not None and one.base != one.head:
        ratio = _percent(one.head / one.base)
    shown = "; ".join(part for part in (ratio, _code(one.note)) if part)
    cells = (f"{bold}{one.verdict}{bold}", _code(one.cell), WHAT[one.quantity])
    return f"| {' | '.join(cells)} | {_number(one, one.base)} | {_number(one, one.head)} | {shown} |"


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
