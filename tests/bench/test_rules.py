"""Importing bench is free, and no name in it outside the suite looks like a benchmark to asv."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
FILES = [path for path in BENCH.rglob("*.py") if path != BENCH / "suite.py"]
HEAVY = {"torch", "jax", "jaxlib", "impls", "pytest", "scipy", "pandas"}
FORBIDDEN = HEAVY | {
    "torchdeq",
    "jaxopt",
    "optimistix",
    "lineax",
    "equinox",
    "theseus",
    "torchopt",
    "functorch",
}

IMPORT_ALL = """
import json, pkgutil, importlib, sys
import bench
names = [module.name for module in pkgutil.walk_packages(bench.__path__, "bench.")]
for name in names:
    importlib.import_module(name)
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_importing_every_module_imports_nothing_heavy_and_prints_nothing() -> None:
    command = [sys.executable, "-c", IMPORT_ALL]
    answer = subprocess.run(command, cwd=BENCH.parent, capture_output=True, text=True, check=True)
    names, imported = json.loads(answer.stdout)
    assert {"bench.worker", "bench.__main__", "bench.suite", "bench.instruments.timing"} <= set(names)
    assert not FORBIDDEN & set(imported)
    assert answer.stderr == ""


# asv's own patterns, as its classes of benchmarks have them.
BENCHMARK = re.compile(r"(time_|track_|mem_|peakmem_|timeraw_).+|(Time|Track|Mem|PeakMem|Timeraw)[A-Z_].+")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(BENCH).as_posix())
def test_no_name_looks_like_a_benchmark(path: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    assert not [name for name in found if BENCHMARK.match(name)]
