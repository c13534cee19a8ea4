"""Tensors that a torch model uses and that ask for a gradient, though they are none of its arguments."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.own.question import Unsuitable

CUT = "None of the inputs have requires_grad=True"
"""How torch's warning begins that a checkpoint passes no gradient on."""

REENTRANT = (
    "torch.utils.checkpoint with use_reentrant=True works with .backward() alone, and passes on no gradient of "
    "parameters where none of its inputs asks for one: set use_reentrant=False."
)

NAMED = 3
"""Tensors that a sentence names; it counts the others."""


def closed_over(value: Callable[[], Any], passed: list[Any]) -> list[Any]:
    """The tensors that a backward pass of ``value()`` would end in and that were there before, but not in ``passed``.

    A loss may make some that ask for a gradient itself, to differentiate inside (``x.clone().requires_grad_()``): of
    two calls each makes its own, while a parameter that lies outside is the same one in both. Raises ``Unsuitable``
    for a graph that does not show what it depends on.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", CUT)
            first, second = value(), value()  # both graphs stay alive: no two tensors have one identity
    except UserWarning as warning:
        if not re.match(CUT, str(warning)):
            raise
        raise Unsuitable(REENTRANT) from None
    again = {id(one) for one in ends(second)}
    return [one for one in ends(first) if id(one) in again and not any(one is other for other in passed)]


def named(tensors: list[Any], *functions: Any) -> str:
    """What the functions call these tensors, or their shapes; the first few."""
    known = {id(tensor): name for fn in functions for name, tensor in _reached(fn)}
    names = list(dict.fromkeys(known.get(id(one), f"one of shape {tuple(one.shape)}") for one in tensors))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def ends(value: Any) -> list[Any]:
    """The leaves of the graph behind a value, each once."""
    found: dict[int, Any] = {}
    stack, seen = [value.grad_fn], {None}
    if value.grad_fn is None and value.requires_grad:
        return [value]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() == "CheckpointFunctionBackward":
            raise Unsuitable(REENTRANT)
        if hasattr(node, "variable"):
            found.setdefault(id(node.variable), node.variable)
        stack += [following for following, _ in node.next_functions]
    return list(found.values())


def _reached(fn: Any) -> Iterator[tuple[str, Any]]:
    """Tensors in what a function closes over and in the globals that it names, by the names that it has for them."""
    import torch

    try:
        outside = inspect.getclosurevars(inspect.unwrap(fn))
    except (TypeError, ValueError):
        return
    stack = [*outside.nonlocals.items(), *outside.globals.items()]
    if (owner := getattr(fn, "__self__", None)) is not None:
        stack.append(("self", owner))
    while stack:
        name, one = stack.pop()
        if isinstance(one, torch.Tensor):
            yield from ((name, end) for end in ends(one))
        elif isinstance(one, torch.nn.Module):
            yield from ((f"{name}.{inner}", parameter) for inner, parameter in one.named_parameters())
        elif isinstance(one, Mapping):
            stack += [(f"{name}[{key!r}]", part) for key, part in one.items()]
        elif isinstance(one, list | tuple):
            stack += [(f"{name}[{index}]", part) for index, part in enumerate(one)]
