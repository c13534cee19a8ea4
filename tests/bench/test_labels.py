"""Names of cells for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cell import Cell
from bench.grid import PRESETS, unique
from bench.labels import label

SIZES = {"width": 16, "batch": 8}
PICARD = Cell("torch", "tanh", "ift", SIZES, {"K": 60, "M": 60, "linear_solver": "picard"})
GMRES = Cell("torch", "tanh", "ift", SIZES, {"K": 60, "M": 20, "linear_solver": "gmres"})
JFB = Cell("torch", "tanh", "jfb", SIZES, {"K": 60})


def test_what_all_cells_of_a_problem_share_is_left_out_of_the_short_name() -> None:
    found = label(PICARD, [PICARD, GMRES, JFB, Cell("torch", "mlp", "backprop")])
    assert found.short == "tanh-ift(picard,M=60)-torch"
    assert found.problem == "tanh(batch=8,width=16)"
    assert found.method == "ift(K=60,M=60,linear_solver=picard)"
    wider = Cell("torch", "tanh", "jfb", {"width": 32, "batch": 8}, {"K": 60})
    assert label(JFB, [JFB, wider]).short == "tanh(width=16)-jfb-torch"


def test_a_cell_alone_keeps_all_its_settings() -> None:
    assert label(PICARD, [PICARD]).short == "tanh(batch=8,width=16)-ift(picard,K=60,M=60)-torch"


@pytest.mark.parametrize(
    ("cell", "framework"),
    [
        (Cell("torch", "tanh", "jfb"), "torch"),
        (Cell("torch", "tanh", "jfb", mode="compiled"), "torch-compiled"),
        (Cell("jax", "tanh", "jfb", dtype="float64", seed=3), "jax-float64-seed=3"),
    ],
)
def test_what_is_not_usual_in_a_framework_follows_its_name(cell: Cell, framework: str) -> None:
    assert label(cell, [cell]).framework == framework


def test_a_gradient_method_through_an_adjoint_is_named() -> None:
    cell = Cell("jax", "tanh", "unrolled", gradient="forward_gradient")
    assert label(cell, [cell]).method == "forward_gradient×unrolled"
    assert label(Cell("jax", "mlp", "backprop", gradient="backprop"), []).method == "backprop"


SETTINGS = st.dictionaries(st.sampled_from(["width", "batch"]), st.integers(1, 3))
OPTIONS = st.dictionaries(st.sampled_from(["K", "M"]), st.integers(1, 3)) | st.fixed_dictionaries(
    {"linear_solver": st.sampled_from(["picard", "gmres"])}, optional={"solver": st.just("picard")}
)
CELLS = st.builds(
    Cell,
    st.sampled_from(["torch", "jax"]),
    st.sampled_from(["tanh", "fpn"]),
    st.sampled_from(["ift", "jfb"]),
    SETTINGS,
    OPTIONS,
    mode=st.sampled_from(["", "compiled"]),
    gradient=st.sampled_from(["backprop", "forward_gradient"]),
)


@given(st.lists(CELLS, max_size=8))
def test_different_cells_have_different_short_names_and_parts(chosen: list[Cell]) -> None:
    cells = unique(chosen)
    labels = [label(cell, cells) for cell in cells]
    assert len({one.short for one in labels}) == len(cells)
    assert len({(one.problem, one.method, one.framework) for one in labels}) == len(cells)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_method_in_two_frameworks_differs_in_the_framework_alone(preset: str) -> None:
    cells = PRESETS[preset].cells
    frameworks: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        found = label(cell, cells)
        frameworks.setdefault((found.problem, found.method), set()).add(found.framework.partition("-")[0])
    assert {"torch", "jax"} in frameworks.values()
