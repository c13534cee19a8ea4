"""What counts as a line of code, and what a definition reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cells import MODES
from bench.experiments.catalog import Place
from bench.experiments.code_lines import CodeLines, Sources, code_lines

TEXT = '''"""A module."""

import os
from os import (
    path,
)  # over three lines

LIMIT = 3
"""What it limits."""


@property
def f(x):
    """Says
    what it does."""
    # why
    y = """no
docstring"""

    return x + (
        LIMIT
    )
'''


def test_lines_of_code_by_hand() -> None:
    text = TEXT.splitlines()
    counted = [text[line - 1].strip() for line in sorted(code_lines(TEXT))]
    rest = ['y = """no', 'docstring"""', "return x + (", "LIMIT", ")"]
    assert counted == ["LIMIT = 3", "@property", "def f(x):", *rest]


def test_what_a_definition_reaches(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "inner" / "__init__.py").write_text("from package.far import g as h\n")
    (package / "near.py").write_text(
        "import numpy\nfrom package import far\nfrom package.inner import h\n\n"
        "def a():\n    return h(numpy.zeros(1))\n\n"
        "def b():\n    return far.alone(2)\n\nT = {'one': a, 'two': b}\n"
    )
    (package / "far.py").write_text("LIMIT = 1\n\ndef g(x):\n    return LIMIT\n\ndef alone(x):\n    return x\n")
    sources = Sources(package)
    near, far = "package.near", "package.far"
    assert sources.reached((near, "a")) == {(near, "a"), (far, "g"), (far, "LIMIT")}
    assert sources.reached((near, "b")) == {(near, "b"), (far, "alone")}
    assert sources.lines(sources.reached((near, "a"))) == 5
    assert sources.table(near, "T") == {"one": "a", "two": "b"}
    with pytest.raises(LookupError, match=r"T of package\.near is no dict|a of package\.near is no dict"):
        sources.table(near, "a")
    with pytest.raises(LookupError, match=r"package\.none is no module of the folder package"):
        sources.module("package.none")


def test_every_adjoint_and_every_linear_solver_has_a_record() -> None:
    (part,) = CodeLines().parts("smoke", False)
    found = CodeLines().perform(part, Place(Path("none")))
    for framework in MODES:
        own = {(one["method"], one["linear_solver"]): one for one in found if one["framework"] == framework}
        solvers = ("picard", "gmres", "dense", "normal_cg", "normal_cg_published", "bicgstab", "anderson")
        assert {("jfb", ""), ("unrolled", ""), *(("ift", name) for name in solvers)} <= set(own)
        assert all(one["total_lines"] == one["code_lines"] + one["solver_lines"] for one in own.values())
        assert own["jfb", ""]["solver_lines"] == own["unrolled", ""]["solver_lines"] == 0
        assert all(own["ift", name]["solver_lines"] > 0 for name in solvers)
        assert own["ift", "gmres"]["total_lines"] > own["ift", "picard"]["total_lines"]
