"""``bench.compare`` is the function, though a folder of that name lies in the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench

ROOT = Path(bench.__file__).resolve().parents[1]
COLLECT = """
import pytest, sys
status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "--import-mode={mode}", "bench/compare"])
import bench
from bench import compare
assert callable(bench.compare) and compare is bench.compare, bench.compare
assert compare.__module__ == "bench.own.compare"
sys.exit(status)
"""


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_it_is_the_function_after_pytest_has_collected_the_folder(mode: str) -> None:
    command = [sys.executable, "-c", COLLECT.replace("{mode}", mode)]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=alone)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="module 'bench' has no attribute 'compares'"):
        bench.compares  # noqa: B018
