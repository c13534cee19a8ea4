"""What an older ``impls`` does not have yet: its cells are n/a there, which is no failure."""

from __future__ import annotations

import importlib
from collections.abc import Container
from typing import Any

from bench.failures import NotApplicable


def module(name: str) -> Any:
    """A module of ``impls``; ``NotApplicable`` where this ``impls`` has no such file."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # the file is there, and lacks something else
        raise NotApplicable(f"This impls has no {error.name}.") from None


def require(kind: str, name: str, known: Container[str]) -> None:
    """Raise ``NotApplicable`` where this ``impls`` knows no problem or method of this name."""
    if name not in known:
        raise NotApplicable(f"This impls has no {kind} {name!r}.")
