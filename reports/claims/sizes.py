"""The sizes of the published models, and what a cell's differ in."""

from __future__ import annotations

from collections.abc import Mapping

from reports.claims.select import Row, value
from reports.numbers import number, sig

MODELS: Mapping[str, Mapping[str, int]] = {
    "logistic": {"inputs": 784, "batch": 64},
    "mlp": {"inputs": 784, "width": 1024, "depth": 3, "batch": 64},
    "cnn": {"batch": 64},
}
"""Baydin, figures 3 to 5."""

NET: Mapping[str, int] = {"width": 1024, "batch": 64}
"""Baydin, figure 6, at every depth."""


def unlike(row: Row, published: Mapping[str, int]) -> str:
    """``batch 16 (published 64)`` for each size of a cell that is another one; empty where none is."""
    own = {name: row["sizes"].get(name) for name in published}
    differ = [name for name, one in own.items() if one is not None and number(one) != published[name]]
    return ", ".join(f"{name} {value(own[name])} (published {published[name]})" for name in differ)


def speed(row: Row) -> str:
    """``forward at 12 Gflop/s``: the flops of one forward ÷ its seconds; empty where one of them is unknown."""
    flops, seconds = number(row.get("forward_flops")), number(row.get("forward_s"))
    return f"forward at {sig(1e-9 * flops / seconds)} Gflop/s" if flops > 0 and seconds > 0 else ""


def noted(*notes: str) -> str:
    """Notes that there are, in one."""
    return "; ".join(note for note in notes if note)
