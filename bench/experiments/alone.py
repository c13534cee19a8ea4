"""The other half of an experiment that is cells alone."""

from __future__ import annotations

from bench.experiments.catalog import Place, Record
from bench.plan import Part


def parts(size: str, data: bool) -> list[Part]:
    """None: the instruments of the grid measure all of it, with data or without."""
    return []


def perform(part: Part, place: Place) -> list[Record]:
    """Refuse: no list of parts has this one."""
    raise LookupError(f"{part.experiment}: {part.id!r} is no part of this experiment: take one that parts() lists.")
