"""Work in torch, counted exactly: the flops of every operation that a call runs, seen by a dispatch mode.

Matrix products, convolutions and linear algebra count (``flop_formulas``); elementwise operations, reductions, views,
factories and copies count nothing. An operation of neither kind is an error, never a silent zero. What runs is what
counts: reverse mode, dual numbers and vmap show the operations they are made of. Never count a compiled callable:
torch.compile steps aside under a dispatch mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.instruments.flop_formulas import UnknownOp
from bench.instruments.torch_flop_table import FORMULAS, NOTHING


def count(fn: Callable[[], Any]) -> int:
    """Flops of one call of ``fn``, on the CPU or on meta; ``UnknownOp`` for an operation that is in no table."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Flops(TorchDispatchMode):
        total = 0

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch imports its compiler for the mode, which takes a process two seconds

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            name = _name(op)
            formula = FORMULAS.get(name)
            if formula is None and not _counts_nothing(op, name, torch.Tag.pointwise):
                # In inference mode composite operations arrive undivided.
                with self:
                    out = op.decompose(*args, **kwargs) if hasattr(op, "decompose") else NotImplemented
                if out is NotImplemented:
                    raise UnknownOp(
                        f"torch_flops: {name} is in no table: add it to torch_flop_table.py with its formula, "
                        "or among the operations that count nothing."
                    )
                return out
            out = op(*args, **kwargs)
            if formula is not None:
                self.total += formula(args, out)
            return out

    with Flops() as flops:
        fn()
    return flops.total


def _name(op: Any) -> str:
    """``aten.mm`` for each of its overloads, its in-place variant among them."""
    return str(getattr(op, "overloadpacket", op)).rstrip("_")


def _counts_nothing(op: Any, name: str, pointwise: Any) -> bool:
    return name in NOTHING or pointwise in getattr(op, "tags", ()) or getattr(op, "is_view", False)
