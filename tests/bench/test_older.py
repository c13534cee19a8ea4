"""What an older ``impls`` lacks is n/a; what is broken in it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import older, work
from bench.cells import Cell
from bench.failures import NotApplicable
from bench.older import module, require
from bench.subjects import build
from impls import problems
from tests.impls.frameworks import SMALL

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


@pytest.mark.parametrize("name", ["beale", "rosenbrock", *older.FACTS])
def test_facts_that_an_older_impls_does_not_state_are_those_of_today(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [problems.make(name, **SMALL[name])]
    if name == "fpn":
        made.append(problems.make(name, image=28, encoder=3, channels=2, batch=2))
    stated, parts = older.facts(name), [work.parts(one) for one in made]
    assert stated is problems.FACTS[name]
    monkeypatch.delattr(problems, "FACTS")
    supplied = older.facts(name)
    assert (supplied.kinked, supplied.solver) == (stated.kinked, stated.solver)
    assert [work.parts(one) for one in made] == parts


def test_nothing_is_supplied_for_a_problem_that_is_unknown() -> None:
    assert older.facts("later") == ((), False, "picard")
