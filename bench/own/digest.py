"""A short name for a model's functions and arrays, so that rows of two models never stand for one."""

from __future__ import annotations

import dis
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

LETTERS = 8
"""Hexadecimal letters of a digest."""

MOST = 100_000
"""Objects that are looked at; what lies behind them counts with its type alone."""

DEEPEST = 4
"""Sets inside sets whose members are put in an order of their own; deeper ones count with their size."""

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))

CALLED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR | inspect.CO_COROUTINE
"""Flags of code that change what a call does. Others tell of a docstring, or of the file's imports."""

UNUSED = ("__doc__", "__firstlineno__", "__static_attributes__")
"""What the body of a class stores and nothing computes with. Since Python 3.13 the line that the class begins on is
there, and names in an order that each process draws."""


def digest(*objects: Any) -> str:
    """Of what functions compute (their code, defaults, closures and the globals they name) and of what arrays hold.

    The same in every process that runs the same code, wherever its files and lines lie. An object of an unknown kind
    counts with its type and attributes; code of the standard library and of installed packages with its name alone.
    """
    return _digest(objects, 0)


def _digest(objects: tuple[Any, ...], depth: int) -> str:
    """``digest``, ``depth`` sets deep."""
    found, seen, stack = hashlib.sha256(), dict[int, tuple[int, Any]](), list(reversed(objects))
    while stack:
        one = stack.pop()
        if not isinstance(one, PLAIN):
            if id(one) in seen:
                found.update(b"again %d;" % seen[id(one)][0])
                continue
            seen[id(one)] = len(seen), one  # kept alive, so that no other object gets its id
        try:
            said, inside = _looked(one, depth, shallow=len(seen) > MOST)
        except Exception:  # an object whose attributes cannot be read
            said, inside = b"", []
        found.update(f"{type(one).__qualname__} {len(said)}:".encode() + said)
        stack += reversed(inside)
    return found.hexdigest()[:LETTERS]


def _looked(one: Any, depth: int, *, shallow: bool) -> tuple[bytes, list[Any]]:
    """What an object says of itself, and the objects inside it."""
    if isinstance(one, PLAIN):
        return repr(one).encode(), []
    if isinstance(one, ModuleType) or (isinstance(one, type | FunctionType) and installed(one)):
        return f"{getattr(one, '__module__', '')} {getattr(one, '__qualname__', one.__name__)}".encode(), []
    if shallow:
        return b"", []
    if hasattr(one, "dtype") and hasattr(one, "shape"):
        return _array(one)
    if isinstance(one, FunctionType):
        return b"", [one.__code__, one.__defaults__, one.__kwdefaults__, *_used(one)]
    if isinstance(one, MethodType):
        return b"", [one.__func__, one.__self__]
    if isinstance(one, CodeType):
        return _code(one)
    if isinstance(one, type):
        return one.__qualname__.encode(), [*one.__bases__, *_attributes(one)]
    if isinstance(one, Mapping):
        return b"", [inner for item in one.items() for inner in item]
    if isinstance(one, list | tuple):
        return b"", list(one)
    if isinstance(one, set | frozenset):  # in an order that depends on no hash and no address
        members = sorted(_digest((inner,), depth + 1) for inner in one) if depth < DEEPEST else []
        return f"{len(one)} {members}".encode(), []
    wrapped = [one.__wrapped__] if hasattr(one, "__wrapped__") else []
    partial = [getattr(one, name) for name in ("func", "args", "keywords", "__self__") if hasattr(one, name)]
    named = getattr(one, "__name__", "")  # built in, such as torch.tanh
    return named.encode() if isinstance(named, str) else b"", [type(one), *wrapped, *partial, *_attributes(one)]


def _code(code: CodeType) -> tuple[bytes, list[Any]]:
    """Its instructions with their constants, and its names; not where it stands, nor a docstring that nothing loads."""
    said, constants = [], list[Any]()
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if after is not None and after.opname == "STORE_NAME" and after.argval in UNUSED:
            continue  # what is stored, loaded
        loads = step.opcode in dis.hasconst
        constants += [step.argval] if loads else []
        said.append((step.opcode, None if loads else step.arg))
    shape = code.co_flags & CALLED, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    return f"{said} {shape} {code.co_exceptiontable!r}".encode(), [*constants, *code.co_names, *code.co_varnames]


def _array(one: Any) -> tuple[bytes, list[Any]]:
    """Shape, dtype and numbers."""
    said = f"{tuple(one.shape)} {one.dtype}".encode()
    if "sparse" in str(getattr(one, "layout", "")):
        from bench.instruments.torch_memory import stored

        return said + str(one.layout).encode(), stored(one.detach())
    try:
        plain = one.detach().cpu() if hasattr(one, "detach") else one
        return said + np.ascontiguousarray(np.asarray(plain)).tobytes(), []
    except Exception:  # a dtype that numpy lacks, a key of random numbers, a device without memory
        try:
            return said + repr(one.tolist()).encode(), []
        except Exception:
            return said, []


def _used(fn: FunctionType) -> Iterator[Any]:
    """What a function reads from outside: its cells, the globals that it names, and what it names in a module."""
    for cell in fn.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet, as in a recursive function
            yield None
    named = dict.fromkeys(_names(fn.__code__))
    for name in named:
        if name in fn.__globals__:
            value = fn.__globals__[name]
            yield name
            yield value
            if isinstance(value, ModuleType) and not installed(value):
                yield from (vars(value)[other] for other in named if other in vars(value))


def _names(code: CodeType) -> Iterator[str]:
    """The names in a function and in the functions inside it."""
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)


def _attributes(one: Any) -> list[Any]:
    """Names and values of an object's or a class's own attributes; of Python's own names what can be called alone."""
    named = list(vars(one).items()) if hasattr(one, "__dict__") else []
    if isinstance(one, property):
        named += [("fget", one.fget)]
    if not isinstance(one, type):
        named += [(name, getattr(one, name)) for name in slots(type(one)) if hasattr(one, name)]
    return [inner for name, value in named if not _of_python(name) or _is_code(value) for inner in (name, value)]


def slots(kind: type) -> Iterator[str]:
    """Names of attributes that lie in no ``__dict__``."""
    for one in kind.__mro__:
        found = vars(one).get("__slots__", ())
        yield from (found,) if isinstance(found, str) else found


def _of_python(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("__") and name.endswith("__")


def _is_code(value: Any) -> bool:
    return isinstance(value, FunctionType | staticmethod | classmethod | property)


def installed(one: Any) -> bool:
    """Whether it is of the standard library or of an installed package, or built in."""
    name = one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", None) or ""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if name == "__main__" or (file is None and module is None):
        return False
    return file is None or file.startswith(
        tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))
    )
