"""The options that the search tries for a contender: ladders whose rungs cost more and err less one after the other."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.cells import Value
from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender

Options = dict[str, Value]

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)
"""Steps of a backward solve, the same rungs for everyone."""

BATCHED = ("whole", "vmap")
"""How a library of jax that knows no batches takes one: as one state, or every sample alone."""


@dataclass(frozen=True)
class Ladder:
    """fixed: options of every rung. name, values: the option that moves, cheapest first; none: one rung. traced: it may
    be an array in jax, so that one compilation serves to try all rungs."""

    fixed: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    values: Sequence[Value] = (0,)
    traced: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Options:
        if not 0 <= index < len(self.values):
            raise IndexError(index)
        return {**self.fixed, **({self.name: self.values[index]} if self.name else {})}


def ladders(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """All that a contender may choose from. Raises ``NotApplicable`` and ``ValueError`` where there is nothing."""
    maker: Any = importlib.import_module(f"bench.peers.{contender.maker}")
    found: tuple[Ladder, ...] = maker.options(contender, framework, cell)
    return found
