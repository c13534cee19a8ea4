"""Memory traffic in jax, counted exactly: the bytes that the equations of a jaxpr read and write, each by itself.

    traffic = Σ over equations (distinct bytes of the arguments + bytes of the results)

The rules are those of ``torch_traffic``: one array given twice is read once, and what only looks at an array otherwise
(another shape, a transpose, a broadcast, a slice) moves nothing. A constant that is broadcast is written; an update in
place moves the update alone; a scan counts its body times its length; what no result depends on is left out. Nothing is
compiled or run, so the count depends on no backend. It is an upper bound of what compiled code moves, but for copies
that the compiler adds: every result is written here, while fusion keeps many of them in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from bench.instruments.jaxpr_runs import inside
from bench.instruments.regions import Regions

VIEWS = frozenset(
    {
        "broadcast_in_dim",
        "expand_dims",
        "name",
        "optimization_barrier",
        "reshape",
        "squeeze",
        "stop_gradient",
        "transpose",
    }
)
"""Primitives whose results are their arguments in memory, one by one."""

PARTS = frozenset({"dynamic_slice", "slice", "split", "unstack"})
"""Primitives whose results are parts of their first argument."""

UPDATES = {"dynamic_update_slice": 1, "scatter": 2}
"""Primitives that write one argument, whose place this is, into the first."""


class Place(NamedTuple):
    """Where an array lies: the variable that first held the memory, the part of it, and the part's bytes."""

    memory: Any
    part: Any
    bytes: int


def count(fn: Callable[..., Any], *args: Any) -> int:
    """Bytes that ``fn(*args)`` reads and writes; the arguments may be ``jax.ShapeDtypeStruct``. ``UnknownOp`` for a
    loop whose number of turns is unknown."""
    import jax
    from jax.interpreters.partial_eval import dce_jaxpr

    jaxpr = jax.make_jaxpr(fn)(*args).jaxpr
    return _traffic(dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))[0])


def _traffic(jaxpr: Any) -> int:
    """Of an open or a closed jaxpr, whose arguments are memory of their own."""
    from jax.extend.core import Literal

    places: dict[Any, Place] = {}

    def place(atom: Any) -> Place:
        return places.get(atom) or Place(atom, None, _bytes(atom))

    def read(atoms: Any) -> int:
        found = Regions()
        for atom in atoms:
            if not isinstance(atom, Literal):  # part of the program
                memory, part, size = place(atom)
                found.add(memory, _bytes(memory), part, size)
        return found.bytes

    total = 0
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        name, given, results = equation.primitive.name, equation.invars, equation.outvars
        if name in VIEWS and not any(isinstance(atom, Literal) for atom in given):
            places.update((result, place(atom)) for result, atom in zip(results, given, strict=False))
        elif name in PARTS and not isinstance(given[0], Literal):
            places.update((result, Place(place(given[0]).memory, result, _bytes(result))) for result in results)
        elif name in UPDATES:
            total += read(given[1:]) + _bytes(given[UPDATES[name]])
        else:
            within = inside(equation, _traffic)
            total += read(given) + sum(map(_bytes, results)) if within is None else within
    return total


def _bytes(atom: Any) -> int:
    """Bytes of an array; 0 for what is none, such as the order of effects."""
    shape = getattr(atom.aval, "shape", None)
    return 0 if shape is None else prod(shape) * atom.aval.dtype.itemsize
