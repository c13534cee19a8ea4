"""HOW it is measured: the grid of cells, the instruments, one measuring core and its shells.

Importing any module of this package imports no framework, no peer, no pytest and no ``impls``, and runs
nothing: asv imports them all to discover benchmarks.

``bench.compare`` measures one's own model. A folder of that name lies here too; the function is what the name means.
"""

import sys
from types import ModuleType
from typing import Any

VERSION = "1"
"""Version of the instruments: raise it when a measured number would change though ``impls`` did not."""


def __getattr__(name: str) -> Any:
    """``compare``, imported when it is first asked for."""
    if name == "compare":
        from bench.own.compare import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Bench(ModuleType):
    """A package in which ``compare`` stays the function when the folder of that name is imported, as pytest does."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "compare":
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Bench
