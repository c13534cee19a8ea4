"""Bytes of a set of regions of memory, each counted once."""

from __future__ import annotations

from collections.abc import Hashable


class Regions:
    """Regions inside pieces of memory. Regions of one key are one; others may overlap, so that together they are at
    most the piece that they lie in."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[int, dict[Hashable, int]]] = {}

    def add(self, memory: Hashable, size: int, key: Hashable, region: int) -> None:
        """Add a region of so many bytes, named ``key``, in a piece of memory of ``size`` bytes."""
        self._found.setdefault(memory, (size, {}))[1][key] = region

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def bytes(self) -> int:
        """Bytes of all of them together."""
        return sum(min(size, sum(regions.values())) for size, regions in self._found.values())
