"""Objects that stand for an array: whatever nothing better is known of for them happens to that array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BINARY = ("add", "sub", "mul", "truediv", "pow", "matmul")
OPERATORS = (*BINARY, *(f"r{name}" for name in BINARY), "neg", "abs", "getitem", "len", "iter")


def stands_for_dual(cls: type) -> type:
    """A class whose objects have the operators and the attributes of what their ``dual()`` returns."""

    def operator(name: str) -> Callable[..., Any]:
        return lambda self, *args: getattr(self.dual(), name)(*args)

    def attribute(self: Any, name: str) -> Any:
        if name.startswith("__"):  # protocols of Python's own, such as copying
            raise AttributeError(name)
        return getattr(self.dual(), name)

    for name in OPERATORS:
        setattr(cls, f"__{name}__", operator(f"__{name}__"))
    cls.__getattr__ = attribute  # type: ignore[attr-defined]
    return cls
