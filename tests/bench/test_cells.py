"""Cells: one normal form, one id that reads back, names for people, and which of a series is larger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cells import Cell, Settings, Value, label, larger, on_gpus, parse, solvers, with_defaults
from bench.failures import NotApplicable
from bench.presets import PRESETS, unique
from bench.subjects import build

names = st.text("abcKM_", min_size=1, max_size=6)
values = st.integers(1, 10**6) | st.floats(0, 10, allow_nan=False) | st.sampled_from(["picard", "gmres"])
settings = st.dictionaries(names, values, max_size=4)
built = st.builds(
    Cell,
    framework=st.sampled_from(["torch", "jax"]),
    problem=st.sampled_from(["mlp", "tanh"]),
    method=st.sampled_from(["backprop", "ift"]),
    sizes=settings,
    options=settings,
    gradient=st.sampled_from(["backprop", "forward_gradient"]),
    seed=st.integers(0, 3),
)


def test_the_id_says_everything_in_a_fixed_order() -> None:
    sizes: dict[str, Value] = {"width": 512, "gamma": 0.8, "batch": 64}
    options: dict[str, Value] = {"linear_solver": "picard", "M": 60, "K": 60}
    cell = Cell("torch", "tanh", "ift", sizes, options)
    tail = "tanh(batch=64,gamma=0.8,width=512)/{}ift(K=60,M=60,linear_solver=picard)"
    assert cell.id == "torch/eager/cpu/float32/" + tail.format("")
    assert Cell("jax", "tanh", "ift", sizes, options, gradient="forward_gradient").id == (
        "jax/jit/cpu/float32/" + tail.format("forward_gradient×")
    )
    assert Cell("jax", "mlp", "forward_gradient", gradient="forward_gradient", seed=3).id == (
        "jax/jit/cpu/float32/mlp/forward_gradient/seed=3"
    )


@given(settings)
def test_settings_do_not_depend_on_order_and_are_hashable(items: dict) -> None:
    backwards = dict(reversed(items.items()))
    assert Settings(items) == Settings(backwards) == items
    assert hash(Settings(items)) == hash(Settings(backwards))
    assert str(Settings(items)) == str(Settings(backwards))


@given(built)
def test_a_cell_survives_json(cell: Cell) -> None:
    again = Cell(**json.loads(json.dumps(cell.as_json())))
    assert again == cell and again.id == cell.id and hash(again) == hash(cell)


@given(built, built)
def test_two_ids_are_equal_only_for_equal_cells(one: Cell, other: Cell) -> None:
    alike = one.as_json() == other.as_json()
    silent = one.gradient != other.gradient and "backprop" in (one.method, other.method)
    assert (one.id == other.id) == alike or silent


@given(built)
def test_an_id_reads_back_as_its_cell(cell: Cell) -> None:
    again = parse(cell.id)
    assert again.id == cell.id
    assert again == cell or (cell.gradient == cell.method and again.gradient == "backprop")


@given(st.text() | st.from_regex(r"torch/eager/cpu/float32/tanh(\([a-z0-9=,.()/×]*\))?/ift(\([a-z0-9=,.]*\))?"))
def test_what_reads_as_a_cell_is_written_so(text: str) -> None:
    try:
        cell = parse(text)
    except ValueError as error:
        assert str(error).startswith(f"{text!r} is no cell: write it as a line of `list`, such as torch/")
        return
    assert cell.id == text


def test_measures_keep_one_order_and_merge() -> None:
    cell = Cell("torch", "mlp", "backprop", measures=("exact",))
    (merged,) = unique([cell, Cell("torch", "mlp", "backprop", measures=("time",))])
    assert merged.measures == ("time", "exact")


def test_cells_on_a_gpu_are_placed_on_each_one_and_fall_away_without_any() -> None:
    both = (Cell("torch", "mlp", "backprop"), Cell("torch", "mlp", "backprop", device="cuda"))
    assert on_gpus(both, []) == both[:1]
    assert [cell.device for cell in on_gpus(both, [0, 1])] == ["cpu", "cuda:0", "cuda:1"]


def test_shapes_alone_take_no_time() -> None:
    assert Cell("jax", "mlp", "backprop", device="meta").measures == ("exact",)


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


def cell(K: int = 10, width: int = 8, method: str = "ift", solver: str = "picard", gamma: float = 0.8) -> Cell:
    return Cell("torch", "tanh", method, {"width": width, "gamma": gamma}, {"K": K, "linear_solver": solver})


@pytest.mark.parametrize("one", [cell(K=20), cell(width=9), cell(K=20, width=9)])
def test_larger(one: Cell) -> None:
    assert larger(one, cell())
    assert not larger(cell(), one)


@pytest.mark.parametrize(
    "one",
    [
        cell(),
        cell(K=20, width=7),
        cell(K=20, method="jfb"),
        cell(K=20, solver="gmres"),
        cell(K=20, gamma=0.9),
        Cell("torch", "tanh", "ift", {"width": 8, "gamma": 0.8}, {"K": 20}),
        Cell("jax", "tanh", "ift", {"width": 8, "gamma": 0.8}, {"K": 20, "linear_solver": "picard"}),
    ],
)
def test_not_of_the_same_series_or_not_larger_in_every_way(one: Cell) -> None:
    assert not larger(one, cell())


# Options that a cell does not name ------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["tanh", "newton"])
def test_a_method_with_one_solver_gets_it_and_its_steps(problem: str) -> None:
    assert with_defaults(Cell("jax", problem, "ift_reused")) == {"K": 6, "solver": "newton"}


@pytest.mark.parametrize(
    ("problem", "expected"), [("tanh", {"K": 60, "solver": "picard"}), ("newton", {"K": 6, "solver": "newton"})]
)
def test_the_others_get_the_problem_s_usual_one(problem: str, expected: dict[str, Any]) -> None:
    assert with_defaults(Cell("jax", problem, "jfb")) == expected


@pytest.mark.parametrize(
    ("linear_solver", "M"),
    [
        ("picard", 60),
        ("gmres", 20),
        ("normal_cg", 20),
        ("normal_cg_published", 20),
        ("bicgstab", 10),
        ("anderson", 20),
    ],
)
def test_steps_of_the_linear_solvers(linear_solver: str, M: int) -> None:
    found = with_defaults(Cell("jax", "tanh", "ift", options={"linear_solver": linear_solver}))
    assert found == {"K": 60, "solver": "picard", "linear_solver": linear_solver, "M": M}


def test_a_method_of_an_older_package_fits_both_solvers() -> None:
    assert solvers(object()) == ("picard", "newton")


def test_a_direct_solver_has_no_steps() -> None:
    found = with_defaults(Cell("jax", "tanh", "ift", options={"linear_solver": "dense"}))
    assert found == {"K": 60, "solver": "picard", "linear_solver": "dense"}


@pytest.mark.parametrize(("solver", "K"), [("picard", 60), ("newton", 6), ("anderson", 20)])
def test_steps_of_the_forward_solvers(solver: str, K: int) -> None:
    assert with_defaults(Cell("jax", "newton", "jfb", options={"solver": solver})) == {"K": K, "solver": solver}
    assert with_defaults(Cell("jax", "tanh", "jfb", options={"solver": solver, "K": 3}))["K"] == 3


@pytest.mark.parametrize(
    ("method", "solver", "words"),
    [
        ("unrolled", "anderson", "The solver 'anderson' does not fit 'unrolled': take picard or newton."),
        ("ift_reused", "anderson", "The solver 'anderson' does not fit 'ift_reused': take newton."),
        ("ift_reused", "picard", "The solver 'picard' does not fit 'ift_reused': take newton."),
    ],
)
def test_a_solver_that_does_not_fit_is_not_applicable(method: str, solver: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable) as caught:
        build(Cell("torch", "tanh", method, {"width": 4, "batch": 2}, {"solver": solver, "K": 3}), tmp_path)
    assert str(caught.value) == words
