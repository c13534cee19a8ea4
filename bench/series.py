"""Which cells are larger than another in the same series: what outgrew time or memory is not tried larger."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cell import Cell, Value
from bench.part import Part

GROWING = frozenset({"depth", "width", "batch", "inputs", "classes", "channels", "K", "M", "count"})
"""Sizes and options that cost more the larger they are."""

SAME = ("framework", "mode", "device", "dtype", "problem", "method", "gradient")


def larger(one: Cell | Part, other: Cell | Part) -> bool:
    """Whether ``one`` costs more than ``other`` in every way that they differ: the same but for sizes and options that
    grow, none of them smaller and at least one larger. Of parts of experiments nothing is known."""
    if isinstance(one, Part) or isinstance(other, Part):
        return False
    if any(getattr(one, name) != getattr(other, name) for name in SAME):
        return False
    pairs = [*_pairs(one.sizes, other.sizes), *_pairs(one.options, other.options)]
    if any(mine is None or theirs is None for _, mine, theirs in pairs):
        return False
    changed = [(name, mine, theirs) for name, mine, theirs in pairs if mine != theirs]
    return bool(changed) and all(
        name in GROWING and isinstance(mine, int | float) and isinstance(theirs, int | float) and mine > theirs
        for name, mine, theirs in changed
    )


def _pairs(one: Mapping[str, Value], other: Mapping[str, Value]) -> list[tuple[str, Value | None, Value | None]]:
    """Each name with both values; None where one of them leaves it to its default."""
    return [(name, one.get(name), other.get(name)) for name in {**one, **other}]
