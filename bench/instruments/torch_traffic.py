"""Memory traffic in torch, counted exactly: bytes that the operations of a call read and write, under a dispatch mode.

Every operation that computes reads each distinct element of storage that it is given once, and writes its results once:

    traffic = Σ over operations (distinct bytes of the arguments + bytes of the results)

Views and allocations move nothing; an expanded axis is one element, and one array given twice is read once. What a
kernel reads again because a cache is small, or leaves out because an index asks for a part, is not seen. An operation
that nobody thought of is no error here: all of them move their arguments. Never count a compiled callable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bench.instruments.regions import Regions
from bench.instruments.torch_dispatch import show, stored

_NOTHING = """
_efficientzerotensor _has_same_storage_numel _is_zerotensor _linalg_check_errors empty empty_like empty_permuted
empty_strided is_same_size new_empty new_empty_strided resize resize_as set
"""
NOTHING = frozenset(f"aten.{name}" for name in _NOTHING.split())
"""Operations that allocate, or look at shapes and flags alone."""

_OVERWRITING = "bernoulli copy exponential fill log_normal normal random uniform zero"
OVERWRITING = frozenset(f"aten.{name}_" for name in _OVERWRITING.split())
"""In-place operations that do not read what they write over."""


def count(fn: Callable[[], Any]) -> int:
    """Bytes that one call of ``fn`` reads and writes, on the CPU, a GPU or meta."""
    import torch

    total = 0

    def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
        nonlocal total
        out = divided() if torch.is_inference_mode_enabled() else NotImplemented
        if out is NotImplemented:
            out = op(*args, **kwargs)
            total += _moved(op, args, kwargs, out)
        return out

    show(fn, handle)
    return total


def _moved(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> int:
    """Bytes that one operation moves."""
    name = str(getattr(op, "overloadpacket", op))
    if name.rstrip("_") in NOTHING:
        return 0
    # What is made like another tensor takes its shape and reads none of it.
    shape_alone = name.endswith("_like") or name.startswith(("aten.new_", "aten._new_"))
    read, written, given = Regions(), Regions(), set()
    for argument, value in _arguments(op, args, kwargs):
        target = argument is not None and argument.is_write
        for tensor in _tensors(value):
            given.add(tensor.untyped_storage()._cdata)
            if target:
                _add(written, tensor)
            if not (shape_alone or (target and (argument.is_out or name in OVERWRITING))):
                _add(read, tensor)
    results = list(_tensors(out))
    for tensor in results:
        if tensor.untyped_storage()._cdata not in given:
            _add(written, tensor)
    if results and not written:
        return 0  # a view
    return read.bytes + written.bytes


def _arguments(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each argument's place in the schema, None where the operation has none, and its value."""
    schema = getattr(op, "_schema", None)
    known = schema.arguments if schema is not None else [None] * len(args)
    yield from zip(known, args, strict=False)
    named = {one.name: one for one in known if one is not None}
    yield from ((named.get(name), value) for name, value in kwargs.items())


def _tensors(value: Any) -> Iterator[Any]:
    """Dense tensors of a nest, or that sparse ones are stored in; the zeros of forward mode are never written down."""
    import torch
    from torch.utils._pytree import tree_leaves

    tensors = (one for one in tree_leaves(value) if isinstance(one, torch.Tensor) and not one._is_zerotensor())
    return (part for one in tensors for part in stored(one))


def _add(regions: Regions, tensor: Any) -> None:
    """Add the distinct elements of a tensor: an axis of stride 0 is one element, and windows may overlap."""
    if tensor.numel() == 0:
        return
    storage, item = tensor.untyped_storage(), tensor.element_size()
    axes = sorted(
        (step, size) for step, size in zip(tensor.stride(), tensor.shape, strict=True) if step != 0 and size > 1
    )
    count, span = 1, 1
    for step, size in axes:
        count, span = count * size, span + step * (size - 1)
    where = tensor.storage_offset(), tuple(axes), item
    regions.add(storage._cdata, storage.nbytes(), where, item * min(count, span))
