"""The looks that a gate takes at time: a first one at every cell, more at what is unclear, another at what is worse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.cells import Cell
from bench.gate import judge
from bench.gate.judge import BETTER, UNDECIDED, WORSE, Finding
from bench.gate.ring import CONTROL, Match, Ring
from bench.store import Row

FIRST, MORE, AGAIN = "first", "more", "again"
FAILURES = 2
"""How many more of head's processes than of base's must fail for that to be a regression."""


def looks(ring: Ring, cells: Sequence[Cell], pairs: int, *, control: bool) -> tuple[list[Finding], list[Finding]]:
    """Findings of time of all cells, and those of base against itself on one cell a framework (``control``)."""
    chosen = list({cell.framework: cell for cell in reversed(cells)}.values()) if control else []
    first = _fight(ring, pairs, FIRST, cells, chosen)
    against_itself = [found for cell in chosen for found in judged(cell.id, first[CONTROL, cell.id])]
    noisy = any(found.verdict in (WORSE, BETTER) for found in against_itself)
    rows = {cell.id: first[FIRST, cell.id] for cell in cells}

    def those(verdict: str) -> list[Cell]:
        return [cell for cell in cells if any(one.verdict == verdict for one in judged(cell.id, rows[cell.id]))]

    # What is not clear gets as many pairs again.
    for (_, name), more in _fight(ring, pairs, MORE, () if noisy else those(UNDECIDED)).items():
        rows[name] = rows[name] + more
    # A regression must show again in pairs of its own.
    again = _fight(ring, pairs, AGAIN, () if noisy else those(WORSE))
    findings: list[Finding] = []
    for cell in cells:
        found = judged(cell.id, rows[cell.id])
        if noisy:
            found = [_unjudged(one) for one in found]
        elif (AGAIN, cell.id) in again:
            second = {one.quantity: one for one in judged(cell.id, again[AGAIN, cell.id])}
            found = [_confirmed(one, second) for one in found]
        findings += found
    return findings, against_itself


def judged(cell: str, rows: Sequence[Row]) -> list[Finding]:
    """The comparisons of time of one cell, or the one of its status where a side failed too often."""
    good = [row["samples"] for row in rows if row["status"] == "ok"]
    failed = [row for row in rows if row["status"] != "ok"]
    sides = [row["side"] for row in failed]
    worse = sides.count("head") - sides.count("base") >= FAILURES
    if worse or len(good) < max(2, math.ceil(len(rows) / 2)):
        words = "; ".join(sorted({f"{row['side']} {row['status']}: {row['reason']}" for row in failed}))
        note = f"{len(failed)} of {len(rows)} pairs failed: {words}"
        return [Finding(cell, "status", WORSE if worse else UNDECIDED, note=note)]
    note = f"{len(failed)} of {len(rows)} pairs failed" if failed else ""
    return [replace(found, note=found.note or note) for found in judge.times(cell, good)]


def _fight(
    ring: Ring, pairs: int, stage: str, cells: Iterable[Cell], control: Iterable[Cell] = ()
) -> dict[tuple[str, str], list[Row]]:
    """Rows by stage and cell; all cells once, then all once more, so that a drift of the machine meets all."""
    each = [(stage, cell) for cell in cells] + [(CONTROL, cell) for cell in control]
    found: dict[tuple[str, str], list[Row]] = {(kind, cell.id): [] for kind, cell in each}
    for row in ring.fight(Match(cell, kind, pair) for pair in range(pairs) for kind, cell in each):
        found[row["stage"], row["cell"]].append(row)
    return found


def _unjudged(found: Finding) -> Finding:
    """A time that means nothing, since base differs from itself; a failure still means what it says."""
    if found.quantity not in judge.TIMES:
        return found
    return replace(found, verdict=UNDECIDED, note="base differed from itself")


def _confirmed(first: Finding, second: dict[str, Finding]) -> Finding:
    """A regression that a second run of its own shows too, else one that is not decided."""
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
