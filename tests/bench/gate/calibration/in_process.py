"""Exact visits in the process of tests, with the ``impls`` of any folder: a framework is imported once for all sides.

What they find is what a worker process finds, which builds and visits cells with the same two functions.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import torch  # noqa: F401  (here, so that what it brings is not searched for garbage at each visit: see tests/conftest.py)
from jax.experimental.compilation_cache import compilation_cache

from bench.cells import Cell
from bench.instruments import machine, sources
from bench.plan import Visit, visit_row
from bench.rows import Visited, append, now, plain
from bench.run import run_row
from bench.subjects import build
from bench.worker import visit


@contextmanager
def impls_of(folder: Path) -> Iterator[None]:
    """Let ``import impls`` mean the package in a folder; what was imported before comes back afterwards."""
    ours = _forgotten()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        found = importlib.import_module("impls").__file__
        assert found == str(folder / "impls" / "__init__.py"), f"impls came from {found}"
        yield
    finally:
        sys.path.remove(str(folder))
        _forgotten()
        sys.modules.update(ours)


def measure(cells: Iterable[Cell], *, path: Path, pythonpath: str, preset: str, **settings: Any) -> Iterator[Visited]:
    """As ``bench.run.measure`` for exact visits, with what that takes for its worker processes left aside."""
    cells, folder = list(cells), Path(pythonpath)
    ready = {"impls": sources.digest(folder / "impls"), "versions": machine.versions()}
    run = run_row(cells, ready, workers=1, preset=preset, commit=settings.get("commit"))
    append(path, run)
    with impls_of(folder), TemporaryDirectory() as scratch:
        return iter([_visited(run.run, cell, Path(scratch)) for cell in cells])


@contextmanager
def shared_compiled(folder: Path) -> Iterator[None]:
    """Let jax keep in a folder what it compiles, with the plan of its memory: the sides differ in few programs."""
    wanted = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}

    def use(settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()  # it looks for its folder once

    use(wanted)
    try:
        yield
    finally:
        use(before)


def _visited(run: str, cell: Cell, scratch: Path) -> Visited:
    """The row of one visit."""
    with _precision(cell):
        answer = plain(visit(lambda: build(cell, scratch), "exact"))
    return visit_row(run, Visit(cell, "exact", 0), answer | {"started": now(), "load": None}, None, 0.0)


def _precision(cell: Cell) -> AbstractContextManager[Any]:
    """Each dtype has processes of its own, since float64 is a setting of all of jax."""
    if cell.framework != "jax":
        return nullcontext()
    return jax.enable_x64(cell.dtype == "float64")


def _forgotten() -> dict[str, Any]:
    """The modules of ``impls``, which the next import will not find."""
    names = [name for name in sys.modules if name.partition(".")[0] == "impls"]
    return {name: sys.modules.pop(name) for name in names}
