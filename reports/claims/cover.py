"""Many conditions in few words: ``torch, depth 1, 3; jax``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from reports.claims.claim import Case, said

MOST = 6
"""Phrases that are listed; the others are counted."""

MOST_VALUES = 8
"""Values of one axis that a phrase lists."""

Condition = tuple[tuple[str, str], ...]
"""Pairs of an axis and a value, all of which a case has."""


def cover(wanted: Sequence[Case], everything: Sequence[Case]) -> str:
    """A short text that describes the wanted cases and none of the others; conditions that differ in the value of their
    last axis alone are joined."""
    phrases = _joined(_ordered(covering(wanted, everything), everything))
    more = len(phrases) - MOST
    return "; ".join(phrases if more <= 0 else [*phrases[:MOST], f"and {more} more"])


def covering(wanted: Sequence[Case], everything: Sequence[Case]) -> list[Condition]:
    """Conditions of which each wanted case meets one, and no other case any.

    Greedy: of those of fewest axes the one that covers most of what is left goes first.
    """
    left = list(wanted)
    others = [case for case in everything if not any(case is one for one in wanted)]
    found: list[Condition] = []
    while left:
        best = max(_candidates(left, others), key=lambda one: sum(_meets(case, one) for case in left))
        found.append(best)
        left = [case for case in left if not _meets(case, best)]
    return found


def _meets(case: Case, condition: Condition) -> bool:
    return all(case.conditions.get(axis) == value for axis, value in condition)


def _candidates(left: list[Case], others: list[Case]) -> list[Condition]:
    """Conditions that some case left meets and no other case does, of as few axes as there are any; each case's own
    whole condition at the last."""
    axes = list(dict.fromkeys(axis for case in left for axis in case.conditions))
    for count in range(1, len(axes) + 1):
        good: dict[Condition, None] = {}
        for chosen in combinations(axes, count):
            taken = {tuple(case.conditions.get(axis) for axis in chosen) for case in others}
            for case in left:
                values = tuple(case.conditions.get(axis) for axis in chosen)
                if values not in taken and None not in values:
                    good[tuple(zip(chosen, map(str, values), strict=True))] = None
        if good:
            return list(good)
    return [tuple(left[0].conditions.items())]


def _ordered(found: list[Condition], everything: Sequence[Case]) -> list[Condition]:
    """In the order in which cases first meet them."""
    return sorted(found, key=lambda one: next(n for n, case in enumerate(everything) if _meets(case, one)))


def _joined(found: list[Condition]) -> list[str]:
    """Phrases; conditions that share all but the value of their last axis become one."""
    if () in found:
        return ["all"]
    values: dict[tuple[Condition, str], list[str]] = {}
    for condition in found:
        *head, (axis, value) = condition
        values.setdefault((tuple(head), axis), []).append(value)
    return [
        ", ".join([*(said(name, value) for name, value in head), said(axis, *_first(some))])
        for (head, axis), some in values.items()
    ]


def _first(values: list[str]) -> list[str]:
    """The first values and how many more there are."""
    more = len(values) - MOST_VALUES
    return values if more <= 0 else [*values[:MOST_VALUES], f"{more} more"]
