"""What an older ``impls`` lacks is n/a; what is broken in it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.cells import Cell
from bench.failures import NotApplicable
from bench.older import module, require
from bench.subjects import build

SIZES = {"width": 4, "inputs": 3, "batch": 2}


def test_a_file_that_is_not_there_yet_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match=r"^This impls has no impls\.torch\.adjoints\.phantom\.$"):
        module("impls.torch.adjoints.phantom")
    with pytest.raises(NotApplicable, match=r"^This impls has no impls\.numpy\.$"):
        module("impls.numpy.ops")


def test_a_file_that_lacks_something_else_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, line in (("half_done", "import half\n"), ("needs_more", "import no_such_library\n")):
        (tmp_path / f"{name}.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("half_done", "needs_more"):
        with pytest.raises(ModuleNotFoundError):
            module(name)
        assert name not in sys.modules


def test_a_problem_or_method_that_is_not_there_yet_is_not_applicable(tmp_path: Path) -> None:
    require("problem", "tanh", {"tanh"})
    with pytest.raises(NotApplicable, match=r"^This impls has no problem 'deq'\.$"):
        build(Cell("torch", "deq", "jfb", SIZES), tmp_path)
    with pytest.raises(NotApplicable, match=r"^This impls has no method 'phantom'\.$"):
        build(Cell("torch", "tanh", "phantom", SIZES), tmp_path)
