"""Sentences that a verdict on a target is explained by."""

from __future__ import annotations

from collections.abc import Sequence

from reports.load import Failure
from reports.numbers import sig
from reports.peers.entries import Cells, Entry, fitting, middle
from reports.peers.measured import Value, mine
from reports.peers.targets import Target

MOST_REASONS = 2


def shortfall(target: Target, values: Sequence[Value]) -> list[str]:
    """By how much the limits are exceeded, a sentence each."""
    told = []
    median = middle(one.number.value for one in values)
    if median > target.limit:
        told.append(f"The median {sig(median)} is {sig(100 * (median / target.limit - 1))} % over {sig(target.limit)}.")
    above = [one for one in values if target.every is not None and one.number.value > target.every]
    if above and target.every is not None:
        worst = max(above, key=lambda one: one.number.value)
        told.append(
            f"{len(above)} of {len(values)} cells above {sig(target.every)}, the worst {worst.cell} "
            f"at {worst.text} (÷ {worst.other})."
        )
    return told


def why_nothing(target: Target, found: Cells, failed: Sequence[Failure]) -> str:
    """Why a target has no number in any cell."""
    if not found:
        more = f": {reasons(failed)}" if failed else ""
        return f"No row of {target.framework} has the method {target.method}{more}."
    wide = [one for of_cell in found.values() for one in mine(target, of_cell)]
    if not wide:
        if any(fitting(of_cell, [target.ours]) for of_cell in found.values()):
            wanted = f"to have the width {target.width} or more" if target.width else f"as {target.cell}"
            return f"No cell is known {wanted}."
        return f"No contender is named {target.ours}."
    if not any(one.ok for one in wide):
        return f"Ours has no time: {reasons(wide)}."
    if not target.against:
        return "No row carries both a flop ratio and the seconds of the forward."
    others = [one for of_cell in found.values() for one in fitting(of_cell, target.against)]
    if not others:
        return f"No contender is named {' or '.join(target.against)}."
    if any(one.ok for one in others):
        return "No worker timed ours and a contender in the same cell."
    return f"No contender reached the error in any cell: {reasons(others)}."


def reasons(lost: Sequence[Entry] | Sequence[Failure]) -> str:
    """The first reasons, and how many more there are."""
    first = list(dict.fromkeys(f"{one.status}, {one.reason.rstrip('.')}" for one in lost))
    more = f", and {len(first) - MOST_REASONS} more reasons" if len(first) > MOST_REASONS else ""
    return "; ".join(first[:MOST_REASONS]) + more


def cells(count: int) -> str:
    """A number of cells."""
    return "1 cell" if count == 1 else f"{count} cells"
