"""Work in torch, counted exactly: the flops of every operation that a call runs, seen by a dispatch mode.

Matrix products, convolutions and linear algebra count (``flop_formulas``); elementwise operations, reductions, views,
factories and copies count nothing. An operation of neither kind is an error, never a silent zero. What runs is what
counts (``torch_dispatch``). Never count a compiled callable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.instruments.flop_formulas import UnknownOp
from bench.instruments.torch_dispatch import show
from bench.instruments.torch_flop_table import FORMULAS, NOTHING


def count(fn: Callable[[], Any]) -> int:
    """Flops of one call of ``fn``, on the CPU or on meta; ``UnknownOp`` for an operation that is in no table."""
    import torch

    total = 0

    def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
        nonlocal total
        name = _name(op)
        formula = FORMULAS.get(name)
        if formula is None and not _counts_nothing(op, name, torch.Tag.pointwise):
            out = divided()
            if out is NotImplemented:
                raise UnknownOp(
                    f"torch_flops: {name} is in no table: add it to torch_flop_table.py with its formula, "
                    "or among the operations that count nothing."
                )
            return out
        out = op(*args, **kwargs)
        if formula is not None:
            total += formula(args, out)
        return out

    show(fn, handle)
    return total


def _name(op: Any) -> str:
    """``aten.mm`` for each of its overloads, its in-place variant among them."""
    return str(getattr(op, "overloadpacket", op)).rstrip("_")


def _counts_nothing(op: Any, name: str, pointwise: Any) -> bool:
    return name in NOTHING or pointwise in getattr(op, "tags", ()) or getattr(op, "is_view", False)
