"""A nest of containers and arrays, taken apart into what gets a gradient and what does not.

One rule for both frameworks, whose own part is in ``torch_nest`` and ``jax_nest``:

    a floating or complex array of the framework    gets a gradient; of a sparse one, its stored values
    an integer, a flag, a key, a text, None         none
    a plain number (Python's, or a scalar of numpy) none, and a note of the row names it, wherever it lies
    an array that a class declares to be constant   none, and a note of the row names it
    any other object that holds floating arrays     refused, by its path in the nest
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, Protocol

import numpy as np

from bench.own.digest import installed, slots

MOST = 100_000
"""Objects that a search for arrays looks at."""

BITS = {"float64": 52, "float32": 23, "bfloat16": 7, "float16": 10}
"""Of the fraction of a number."""

NAMED = 3
"""Paths that a note names; it counts the others."""


@dataclass(frozen=True)
class Position:
    """Where an array of the nest went: its list and its number in it. in_reals: as pairs of real numbers."""

    among: str
    index: int
    in_reals: bool = False


@dataclass(frozen=True)
class Node:
    """A container without its entries. rebuild: makes it from new ones."""

    rebuild: Callable[[list[Any]], Any]
    entries: list[Any]


@dataclass(frozen=True)
class Constant:
    """An object that stays as it is."""

    value: Any


@dataclass(frozen=True)
class Opened:
    """A container's entries, what each adds to its path, and how the container is made from new ones."""

    keys: list[str]
    entries: list[Any]
    rebuild: Callable[[list[Any]], Any]


class Arrays(Protocol):
    """A framework's own part."""

    framework: str
    offer: str
    """Words for a container that could hold the arrays of an object that is refused."""

    def take(self, nest: Nest, one: Any, path: str) -> Position | Node | Constant | None:
        """The array, module or other thing of the framework put away; None for what is none."""

    def opened(self, nest: Nest, one: Any, path: str) -> Opened | None:
        """A container that the framework knows; None for what is none."""

    def finish(self, nest: Nest) -> None:
        """What is put away after all else."""

    def call(self, nest: Nest, leaves: list[Any], held: list[Any], body: Callable[[Any], Any]) -> Any:
        """``body(nest)`` with these arrays in their places."""

    def joined(self, reals: Any) -> Any:
        """Complex numbers from their real and imaginary parts, along the last axis."""

    def apart(self, array: Any) -> Any:
        """The parts of complex numbers, along a last axis."""


class Nest:
    """Mappings, lists, tuples and dataclasses of arrays, and what else ``arrays`` opens.

    leaves: what gets a gradient. held: the other arrays. Both are copies where the caller could change them. paths: of
    both. notes: one sentence for each kind of number that gets no gradient though it could.
    """

    def __init__(self, arrays: Arrays, tree: Any, name: str, *, fixed: bool) -> None:
        """name: what the caller calls the nest. fixed: nothing gets a gradient. Raises ``ValueError``, in one sentence,
        for a floating array that is out of reach."""
        self._arrays, self.fixed = arrays, fixed
        self.leaves: list[Any] = []
        self.held: list[Any] = []
        self.paths: dict[str, list[str]] = {"leaves": [], "held": []}
        self._passed: dict[str, list[str]] = {}
        self._within: list[Any] = []
        self._tree = self.taken(tree, name)
        arrays.finish(self)

    @property
    def notes(self) -> list[str]:
        """One sentence for each kind of number that gets no gradient."""
        return [words.format(listed(paths), *_verb(len(paths))) for words, paths in self._passed.items()]

    def passed_over(self, path: str, words: str) -> None:
        """Let a note say that what lies there gets no gradient. words: with {} for the paths, "is" and "gets"."""
        if not self.fixed:
            self._passed.setdefault(words, []).append(path)

    def put(self, array: Any, path: str, *, leaf: bool, in_reals: bool = False) -> Position:
        """Keep an array, among the leaves or apart from them."""
        among = "leaves" if leaf and not self.fixed else "held"
        into = self.leaves if among == "leaves" else self.held
        into.append(array)
        self.paths[among].append(path)
        return Position(among, len(into) - 1, in_reals)

    def call(self, leaves: list[Any], held: list[Any], body: Callable[[Any], Any]) -> Any:
        """``body(nest)`` with these arrays in their places."""
        return self._arrays.call(self, leaves, held, body)

    def filled(self, leaves: list[Any], held: list[Any]) -> Any:
        """The nest with these arrays in their places."""
        return self._filled(self._tree, {"leaves": leaves, "held": held})

    def taken(self, one: Any, path: str) -> Position | Node | Constant:
        """The nest with places instead of arrays."""
        found = self._arrays.take(self, one, path)
        if found is not None:
            return found
        container = self._arrays.opened(self, one, path) or opened(one)
        if container is None:
            return self._constant(one, path)
        if any(one is outer for outer in self._within):
            raise ValueError(f"{path} holds itself: a nest has an end.")
        self._within.append(one)
        entries = [self.taken(entry, path + key) for key, entry in zip(container.keys, container.entries, strict=True)]
        self._within.pop()
        return Node(container.rebuild, entries)

    def _constant(self, one: Any, path: str) -> Constant:
        if not self.fixed:
            for where, array in floats(one, path):
                raise ValueError(self._refusal(one, path, array, where))
            for where, _ in numbers(one, path):
                self.passed_over(where, NUMBER)
        return Constant(one.copy() if isinstance(one, np.ndarray) else one)

    def _refusal(self, one: Any, path: str, array: Any, where: str) -> str:
        module, kind = type(one).__module__.partition(".")[0], type(one).__name__
        kind = kind if module in ("__main__", "builtins") else f"{module}.{kind}"
        if array is one:
            return (
                f"{path} is a {kind} of {dtype_of(one)}, which {self._arrays.framework} does not differentiate: make "
                f"it an array of {self._arrays.framework}, or close over it in loss or step."
            )
        return (
            f"{path} is of the type {kind}, which is not looked into, so that {where} would get no gradient: pass its "
            f"arrays in a mapping, list, tuple, dataclass or {self._arrays.offer}, or close over it in loss or step."
        )

    def _filled(self, tree: Any, arrays: dict[str, list[Any]]) -> Any:
        if isinstance(tree, Position):
            found = arrays[tree.among][tree.index]
            return self._arrays.joined(found) if tree.in_reals else found
        if isinstance(tree, Node):
            return tree.rebuild([self._filled(entry, arrays) for entry in tree.entries])
        return tree.value


NUMBER = "{} {} no array and {} no gradient: make an array of a number that is to get one."


def opened(one: Any) -> Opened | None:
    """What a mapping (as a dict), a list, a tuple of its kind, or a dataclass holds; None for anything else."""
    if isinstance(one, Mapping):
        names = list(one)
        return Opened([key(name) for name in names], list(one.values()), lambda new: dict(zip(names, new, strict=True)))
    if isinstance(one, list | tuple):
        kind = type(one)
        made: Callable[[list[Any]], Any] = (lambda new: kind(*new)) if hasattr(one, "_fields") else kind
        try:
            made(list(one))
        except Exception:  # a list or tuple with a constructor of its own cannot be made anew
            return None
        return Opened([f"[{place}]" for place in range(len(one))], list(one), made)
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        own = dict.fromkeys([*(field.name for field in dataclasses.fields(one)), *getattr(one, "__dict__", {})])
        names = [name for name in own if hasattr(one, name)]
        return Opened(
            [f".{name}" for name in names], [getattr(one, name) for name in names], partial(_with, one, names)
        )
    return None


def _with(one: Any, names: list[str], new: list[Any]) -> Any:
    """A copy of a dataclass, frozen or not, with other attributes."""
    found = copy.copy(one)
    for name, value in zip(names, new, strict=True):
        object.__setattr__(found, name, value)
    return found


def inexact(one: Any) -> bool:
    """Whether it is an array, of whichever library, of floating or complex numbers."""
    dtype = dtype_of(one) if is_array(one) else ""
    return "float" in dtype or "complex" in dtype


def dtype_of(array: Any) -> str:
    """The name of an array's dtype; of a table of several, of the one that holds them all."""
    found = getattr(array, "dtype", None)
    return str(np.asarray(array).dtype if found is None else found)


def real_dtype(array: Any) -> str:
    """The dtype of an array's numbers, of complex ones that of their parts: ``float32`` of complex64."""
    name = dtype_of(array).removeprefix("torch.")
    return {"complex32": "float16", "complex64": "float32", "complex128": "float64"}.get(name, name)


def eps(dtype: str) -> float:
    """The distance from 1 to the next number of a dtype; of a small float, such as float8_e4m3fn, by its name."""
    named = re.search(r"e\d+m(\d+)", dtype)
    return 2.0 ** -(int(named[1]) if named else BITS[dtype])


def is_array(one: Any) -> bool:
    """Whether it is an array of whichever library: its class, which is asked since an array may not answer, says so."""
    kind = type(one)
    return (
        hasattr(kind, "shape")
        and (hasattr(kind, "dtype") or hasattr(kind, "__array__"))
        and not isinstance(one, np.generic)
    )


def floats(one: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The arrays of floating or complex numbers that can be reached from an object, each with its path."""
    return ((where, array) for where, array in reached(one, path) if inexact(array))


def numbers(one: Any, path: str, seen: dict[int, Any] | None = None) -> Iterator[tuple[str, Any]]:
    """The plain floating and complex numbers that can be reached from an object, each with its path.

    Not those in a function or in an object of an installed package, such as the ``eps`` of a layer: nobody takes them
    for parameters.
    """

    def ours(one: Any) -> bool:
        builtin = type(one).__module__ == "builtins" or isinstance(one, partial)
        return not isinstance(one, FunctionType | MethodType) and (builtin or not installed(type(one)))

    return ((where, inner) for where, inner in reached(one, path, seen, opens=ours) if is_number(inner))


def is_number(one: Any) -> bool:
    """Whether it is a floating or complex number that is no array."""
    return isinstance(one, float | complex | np.inexact)


def reached(
    one: Any, path: str, seen: dict[int, Any] | None = None, opens: Callable[[Any], bool] = lambda _: True
) -> Iterator[tuple[str, Any]]:
    """An object and all that it holds, each once with its path, numbers wherever they are; not what is in ``seen``, by
    id, which grows. opens: whether to look into an object."""
    seen, stack, most = {} if seen is None else seen, [(path, one)], MOST
    while stack and most:
        path, one = stack.pop()
        if id(one) in seen:
            continue
        if not is_number(one):  # one of Python's stands in many places, as an object that these share
            seen[id(one)] = one  # kept alive, so that no other object gets its id
        most -= 1
        yield path, one
        if opens(one):
            stack += reversed([(path + more, inner) for more, inner in _inside(one)])


def _inside(one: Any) -> list[tuple[str, Any]]:
    """What an object holds, with what it adds to a path. Functions hold what they close over, not their globals."""
    if one is None or isinstance(one, str | bytes | int | float | complex | np.generic | ModuleType | type):
        return []
    if isinstance(one, np.ndarray):
        return [(f"[{place}]", inner) for place, inner in enumerate(one.flat)] if one.dtype == object else []
    if is_array(one):
        return []
    if isinstance(one, Mapping):
        return [(key(name), inner) for name, inner in one.items()]
    if isinstance(one, list | tuple | set | frozenset | deque | KeysView | ValuesView):
        return [(f"[{place}]", inner) for place, inner in enumerate(one)]
    if isinstance(one, FunctionType):
        cells = dict(zip(one.__code__.co_freevars, one.__closure__ or (), strict=True))
        closed = [(f".{name}", cell.cell_contents) for name, cell in cells.items() if _has_contents(cell)]
        given = [(f".{name}", inner) for name, inner in (one.__kwdefaults__ or {}).items()]
        return [*closed, *given, (".__defaults__", one.__defaults__)]
    if isinstance(one, MethodType):
        return [(".__self__", one.__self__)]
    named = [(f".{name}", getattr(one, name)) for name in ("func", "args", "keywords") if isinstance(one, partial)]
    if hasattr(one, "__wrapped__"):
        named.append((".__wrapped__", one.__wrapped__))
    return named + attributes(one)


def attributes(one: Any) -> list[tuple[str, Any]]:
    """The attributes of an object; of a ``torch.nn.Module`` its parameters and modules by their own names."""
    found = dict(getattr(one, "__dict__", {}))
    found |= {name: getattr(one, name) for name in slots(type(one)) if name[:2] != "__" and hasattr(one, name)}
    for group in ("_parameters", "_buffers", "_modules"):
        if isinstance(found.get(group), Mapping):
            found |= found.pop(group)
    return [(f".{name}", inner) for name, inner in found.items()]


def _has_contents(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (one that is not filled yet, as in a recursive function, raises)
    except ValueError:
        return False
    return True


def key(name: Any) -> str:
    """What an entry of a mapping adds to its path."""
    return f"[{json.dumps(name, ensure_ascii=False) if isinstance(name, str) else repr(name)}]"


def listed(paths: list[str]) -> str:
    """The first few of some paths, and how many more there are."""
    named, more = paths[:NAMED], len(paths) - NAMED
    if more > 0:
        return f"{', '.join(named)} and {more} more"
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]


def _verb(count: int) -> tuple[str, str]:
    return ("is", "gets") if count == 1 else ("are", "get")
