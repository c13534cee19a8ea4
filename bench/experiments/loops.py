"""What a loop needs of a framework that one cell does not: callables that take other arguments every time."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from bench.cells import MODES


def framework_of(name: str, device: str) -> Any:
    """A framework in its usual mode."""
    return importlib.import_module(f"bench.frameworks.{name}_{MODES[name][0]}").Framework(device)


def compiled(framework: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` jitted in jax, once for each set of shapes; itself in eager torch."""
    if framework.name == "jax":
        import jax

        return jax.jit(fn)
    return fn


def plain(framework: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` with no gradient recorded, jitted in jax."""
    if framework.name == "jax":
        return compiled(framework, fn)
    return lambda *args: framework.forward(fn, *args)()


def draw(framework: Any, rng: Any, index: Any) -> Any:
    """The generator of one iteration: jax's keys know no state, so each iteration has its own; torch's has."""
    if framework.name == "jax":
        import jax

        return jax.random.fold_in(rng, index)
    return rng


def spaced(last: int, count: int) -> list[int]:
    """0, ``last``, and whole numbers between them at even steps of the logarithm: no more than ``count`` in all.

    ``ValueError`` unless ``last`` is 1 or more and ``count`` 3 or more.
    """
    if last < 1 or count < 3:
        raise ValueError(f"spaced: last must be 1 or more and count 3 or more, not {last} and {count}.")
    return sorted({0, *(round(last ** (index / (count - 2))) for index in range(count - 1))})
