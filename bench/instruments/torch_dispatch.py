"""Every operation that a torch call runs, shown to an instrument."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from bench.failures import require_sight

Handle = Callable[[Any, tuple[Any, ...], dict[str, Any], Callable[[], Any]], Any]
"""``handle(op, args, kwargs, divided)`` runs ``op`` and returns its result. ``divided()`` runs a composite operation as
those that it is made of, each of which is shown by itself, and returns NotImplemented for any other: in inference mode
composite operations arrive undivided."""


def stored(one: Any) -> list[Any]:
    """The dense tensors that a tensor is stored in: a dense one itself, of a sparse one its values and indices."""
    import torch

    if one.layout is torch.strided:
        return [one]
    if one.layout is torch.sparse_coo:
        return [one._values(), one._indices()]
    if one.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [one.values(), one.crow_indices(), one.col_indices()]
    if one.layout in (torch.sparse_csc, torch.sparse_bsc):
        return [one.values(), one.ccol_indices(), one.row_indices()]
    return [one]


def show(fn: Callable[[], Any], handle: Handle) -> None:
    """Call ``fn`` once, with each of its operations run by ``handle``.

    Reverse mode, dual numbers and vmap show the operations that they are made of. Never show a compiled callable:
    torch.compile steps aside under a dispatch mode. Raises ``Unavailable`` where torch shows none.
    """
    _require_sight()
    _show(fn, handle)


@functools.cache
def _require_sight() -> None:
    """Look at two products, once a process."""
    import torch

    def look() -> int:
        x, seen = torch.ones(2, 2), list[Any]()

        def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
            seen.append(str(op.overloadpacket))
            return op(*args, **kwargs)

        _show(lambda: x.mm(x).mm(x), handle)
        return seen.count("aten.mm")

    require_sight("torch", "operations", look, 2)


def _show(fn: Callable[[], Any], handle: Handle) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Shown(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch imports its compiler for the mode, which takes a process two seconds

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            def divided() -> Any:
                with self:
                    return op.decompose(*args, **kwargs or {}) if hasattr(op, "decompose") else NotImplemented

            return handle(op, args, kwargs or {}, divided)

    with Shown():
        fn()
