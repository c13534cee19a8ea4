"""What is said of a ratio R whose whole interval lies below 1: its forward is no unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NO_UNIT = "below 1, no unit"
"""What stands beside an R whose interval lies below 1."""

SLOW = "the forward runs slower than the same forward inside its own gradient, so it is no unit"
"""Why such an R says nothing of the gradient: the gradient contains a forward."""

CAUSES: tuple[tuple[Mapping[str, Any], Mapping[str, Any], str], ...] = (
    (
        {"framework": "jax", "device": "cpu", "problem": "mlp"},
        {"batch": 512, "width": 512},
        "XLA (jaxlib 0.10.2) compiles this forward into one library fusion (YNNPACK: all three products with their "
        "biases, ReLUs and the row maximum of log-softmax), which at batch 512 and width 512 computes the second "
        "hidden layer’s product 8 times, once for each tile of 64 columns that reads it (1 211 million multiply-adds "
        "where 271 million are needed); in the gradient the activations are results of their own, so every product is "
        "a fusion of its own and runs once: the forward is slow, the gradient is not fast",
    ),
)
"""Causes that were found: columns and sizes of the cells, and the sentence."""


def no_unit(row: Mapping[Any, Any]) -> bool:
    """Whether the whole interval of a cell's R, in its own forward, lies below 1."""
    high = row.get("R_high")
    return isinstance(high, float | int) and high < 1


def note(rows: Iterable[Mapping[Any, Any]]) -> str:
    """What a figure of R says below it of cells whose R is no unit, with a space before it; empty where none is."""
    low = [row for row in rows if no_unit(row)]
    return f" R of {len(low)} cell{'s' if len(low) > 1 else ''} here is {NO_UNIT}. {causes(low)}" if low else ""


def causes(rows: Iterable[Mapping[Any, Any]]) -> str:
    """Why R of these cells lies below 1, as sentences: what holds of all, then what is known of some."""
    rows = list(rows)
    known = [
        words
        for columns, sizes, words in CAUSES
        if any(
            all(row.get(name) == one for name, one in columns.items()) and sizes.items() <= row["sizes"].items()
            for row in rows
        )
    ]
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in (SLOW, *known))
