"""What a comparison means: worse, better, same or not decided. Pure functions of numbers and rows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.gate.turns import SIDES, by_one_clock, ratios
from bench.rows import SKIPPED, Samples, TurnsRow, Values, VisitRow
from bench.stats import BETTER, MARGIN, SAME, UNDECIDED, WORSE, Estimate, centre, judge, same_error

FLOOR_S = 20e-6
"""The absolute change of a time that is let pass: what a call's bookkeeping differs by."""

TIMES = ("forward", "gradient", "R")
COUNTS = ("peak_bytes", "forward_peak_bytes", "held_bytes", "flops", "forward_flops")
"""Values that are compared for equality."""

FAILURES = 2
"""How many more of head's processes than of base's must fail for that to be a regression."""


@dataclass(frozen=True)
class Finding:
    """One quantity of one cell, compared. interval: head ÷ base, for times, whose ``head`` is
    ``base`` times its value."""

    cell: str
    quantity: str
    verdict: str
    base: float | None = None
    head: float | None = None
    interval: Estimate | None = None
    note: str = ""


def verdict(heads: Sequence[float], unit_s: float) -> tuple[str, Estimate]:
    """What the ratios head ÷ base of some pairs of processes say, and their median with a 95 % interval: Student's t
    over pairs, on logarithms. ``unit_s``: seconds of base, for ``margin``."""
    found = centre(heads)
    return judge(found, margin(unit_s)), found


def margin(unit_s: float) -> float:
    """The relative change of a time of so many seconds that is let pass."""
    return max(MARGIN, FLOOR_S / unit_s)


def times(cell: str, pairs: Sequence[Mapping[str, Samples]]) -> list[Finding]:
    """The three comparisons of time, from the samples of both sides of each pair of processes.

    What stands for base is its median over pairs. What stands for head is that times the ratio: a quotient of two
    medians is another statistic than the median of quotients taken in turns, and may even point the other way.

    R is a quotient: it rises too where only the forward gets faster, which is no regression. So R is worse only where
    the gradient call is slower (all of its interval lies above 1), and better only where that is faster.
    """
    heads = [ratios(samples) for samples in pairs]
    bases = [by_one_clock(samples)[SIDES[0]] for samples in pairs]
    forward, gradient = (statistics.median(map(statistics.median, taken)) for taken in zip(*bases, strict=True))
    shown = {"forward": forward, "gradient": gradient, "R": gradient / forward}
    units = {"forward": forward, "gradient": gradient, "R": min(forward, gradient)}
    found: dict[str, Finding] = {}
    for which in TIMES:
        word, interval = verdict([one[which] for one in heads], units[which])
        found[which] = Finding(cell, which, word, shown[which], shown[which] * interval.value, interval)
    slower = found["gradient"].interval
    if found["R"].verdict == WORSE and not (slower and slower.low > 1):
        found["R"] = replace(found["R"], verdict=SAME, note="only the forward is faster")
    if found["R"].verdict == BETTER and not (slower and slower.high < 1):
        found["R"] = replace(found["R"], verdict=SAME, note="only the forward is slower")
    return list(found.values())


def time(cell: str, rows: Sequence[TurnsRow]) -> list[Finding]:
    """The comparisons of time of one cell, from the rows of its turns; or the one of its status where a side failed too
    often."""
    good = [row.samples for row in rows if row.status == "ok"]
    failed = [row for row in rows if row.status != "ok"]
    sides = [row.side for row in failed]
    worse = sides.count("head") - sides.count("base") >= FAILURES
    if worse or len(good) < max(2, math.ceil(len(rows) / 2)):
        words = "; ".join(sorted({f"{row.side} {row.status}: {row.reason}" for row in failed}))
        note = f"{len(failed)} of {len(rows)} pairs failed: {words}"
        return [Finding(cell, "status", WORSE if worse else UNDECIDED, note=note)]
    note = f"{len(failed)} of {len(rows)} pairs failed" if failed else ""
    return [replace(found, note=found.note or note) for found in times(cell, good)]


def confirmed(first: Finding, second: Mapping[str, Finding]) -> Finding:
    """A regression that a second comparison, by quantity, shows too, else one that is not decided."""
    if first.verdict != WORSE:
        return first
    other = second.get(first.quantity)
    if first.quantity == "status":
        agreed = other is not None and other.verdict == WORSE
        return first if agreed else replace(first, verdict=UNDECIDED, note=f"{first.note}; not so in a second run")
    if other is None or other.interval is None:
        failed = second["status"].note if "status" in second else "nothing"
        return replace(first, verdict=UNDECIDED, note=f"a second run found no time: {failed}")
    if other.verdict != WORSE:
        return replace(first, verdict=UNDECIDED, note=f"a second run found {other.interval.value:.3f}")
    return replace(first, note=f"again: {other.interval.low:.3f} to {other.interval.high:.3f}")


def restless(control: Sequence[Finding]) -> str:
    """Why no time can be judged, of base against itself; empty where one can.

    Equal programs may not differ. And the interval of their gradient call must be able to lie within the margin: one
    that is wider than from 1 ÷ (1 + margin) to 1 + margin could call nothing the same, wherever its middle is.
    """
    if any(found.verdict in (WORSE, BETTER) for found in control):
        return "base differed from itself"
    known = ((one.interval, one.base) for one in control if one.quantity == "gradient" and one.interval and one.base)
    if any(interval.high / interval.low > (1 + margin(unit)) ** 2 for interval, unit in known if interval.known):
        return "base against itself spread by more than the margin"
    return ""


def unjudged(found: Finding, why: str) -> Finding:
    """A time that means nothing, for what is restless; a failure still means what it says."""
    return replace(found, verdict=UNDECIDED, note=why) if found.quantity in TIMES else found


def counts(cell: str, base: Values, head: Values) -> list[Finding]:
    """Bytes and flops, where both sides know them: any more is worse, any fewer better."""
    both = [(name, getattr(base, name), getattr(head, name)) for name in COUNTS]
    return [Finding(cell, name, _order(*two), *two) for name, *two in both if None not in two]


def error(cell: str, base: float, head: float) -> Finding:
    """The gradient's relative error in float64."""
    verdict = SAME if same_error(base, head) else _order(base, head)
    return Finding(cell, "gradient_error", verdict, base, head)


def _order(base: float, head: float) -> str:
    return SAME if head == base else WORSE if head > base else BETTER


def applies(row: VisitRow) -> bool:
    """Whether a side can be expected to do a cell: it is not n/a, or only for the failure of a smaller one."""
    return row.status != "n/a" or row.reason.startswith(SKIPPED)


def outcome(cell: str, base: VisitRow, head: VisitRow) -> Finding | None:
    """How two visits of a cell compare where one of them did not come out well; None where both did.

    A cell that only base can do is worse, one that only head can do is better; but one that base does not have yet is
    new, and one that neither can do is not measured: both are not decided.
    """
    good = base.status == "ok", head.status == "ok"
    if all(good):
        return None
    words = "; ".join(
        f"{name} {row.status}: {row.reason}" for name, row in (("base", base), ("head", head)) if row.status != "ok"
    )
    if good[0]:
        return Finding(cell, "status", WORSE, note=words)
    if good[1] and applies(base):
        return Finding(cell, "status", BETTER, note=words)
    return Finding(cell, "status", UNDECIDED, note=f"new: {words}" if good[1] else words)
