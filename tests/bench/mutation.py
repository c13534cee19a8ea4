"""A module with lines of its source replaced, to show that a test notices when they are missing."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any


def mutated(module: ModuleType, *changes: tuple[str, str]) -> dict[str, Any]:
    """The names of ``module`` run again with each ``(old, new)`` applied; each old text stands there once."""
    source = inspect.getsource(module)
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {module.__name__}"
        source = source.replace(old, new)
    names: dict[str, Any] = {"__name__": f"{module.__name__}_mutated"}
    exec(compile(source, f"<{module.__name__} mutated>", "exec"), names)
    return names
