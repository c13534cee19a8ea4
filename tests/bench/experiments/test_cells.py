"""Experiments that are cells alone: what is in their lists, and that they list no parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cells import Cell
from bench.experiments.catalog import SIZES, Experiment, Place
from bench.experiments.depth import Depth
from bench.experiments.grids import Inverse, MemorySteps, NewtonLayer, Ratios, SolverIndependence, WorkPrecision
from bench.plan import Part
from bench.select import Facts
from impls import problems

ALONE = (Ratios(), NewtonLayer(), Inverse(), SolverIndependence(), MemorySteps(), WorkPrecision())
WITH_CELLS = (*ALONE, Depth())
SOME = 500_000_000
"""Bytes that a process with a framework takes in any case."""


@pytest.mark.parametrize("experiment", WITH_CELLS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("size", SIZES)
def test_cells_are_unique_in_both_frameworks_and_made_of_what_there_is(experiment: Experiment, size: str) -> None:
    cells: list[Cell] = experiment.cells(size)
    facts = Facts()
    assert len({cell.id for cell in cells}) == len(cells)
    assert {cell.framework for cell in cells} == {"torch", "jax"}
    for cell in cells:
        assert cell.measures, cell.id
        assert cell.sizes.keys() <= facts.sizes(cell.problem).keys(), cell.id
        assert cell.method in facts.fitting(cell.problem), cell.id
        assert cell.options.keys() <= facts.options(cell), cell.id
    assert experiment.memory_bytes(size) > SOME


@pytest.mark.parametrize("experiment", ALONE, ids=lambda one: type(one).__name__)
def test_cells_alone_have_no_parts(experiment: Experiment) -> None:
    assert [experiment.parts(size, data) for size in SIZES for data in (False, True)] == 6 * [[]]


def test_a_part_that_nobody_listed_is_refused() -> None:
    with pytest.raises(LookupError, match="no part of this experiment"):
        Ratios().perform(Part("ratios", "torch"), Place(Path(".")))
    with pytest.raises(LookupError, match="no part of this experiment"):
        Depth().perform(Part("depth", "torch", {"what": "other"}), Place(Path(".")))


def test_along_all_axes_there_is_one_tangent_for_each_parameter() -> None:
    for size in SIZES:
        found = [cell for cell in Ratios().cells(size) if cell.options.get("tangents") == "basis"]
        assert len(found) == 2
        for cell in found:
            layers = problems.make(cell.problem, **cell.sizes).params
            assert sum(array.size for layer in layers for array in layer.values()) == cell.options["count"]


def test_a_state_takes_the_bytes_of_theseus() -> None:
    layer = MemorySteps.LAYER["quick"]
    assert 4 * layer["width"] * layer["batch"] == pytest.approx(4.75e6, rel=1e-3)


def test_the_paper_has_what_quick_has_of_kinds() -> None:
    for experiment in WITH_CELLS:
        kinds = [{(cell.problem, cell.method, cell.gradient) for cell in experiment.cells(size)} for size in SIZES[1:]]
        assert kinds[0] <= kinds[1]
