"""Nests of arrays before there is a framework to walk them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def nest_map(fn: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``fn`` to each leaf of a nest of dicts, lists and tuples."""
    if isinstance(tree, dict):
        return {key: nest_map(fn, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [nest_map(fn, value) for value in tree]
    return fn(tree)
