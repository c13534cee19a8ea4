"""Cells: one normal form, one id, and presets that hold what they promise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.grid import PRESETS, Cell, Settings, Value, cells, on_gpus, unique
from bench.suite import JaxFpn, JaxMlp, JaxNewton, JaxTanh, TorchFpn, TorchMlp, TorchNewton, TorchTanh

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


def test_an_unknown_preset_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"^No preset 'quik': did you mean quick\?$"):
        cells("quik")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_each_cell_once_and_the_same_in_both_frameworks(preset: str) -> None:
    ids = [cell.id for cell in cells(preset)]
    assert len(ids) == len(set(ids))
    torch, jax = (
        {cell.id.split("/", 2)[2] for cell in cells(preset) if (cell.framework, cell.mode) == kind}
        for kind in (("torch", "eager"), ("jax", "jit"))
    )
    assert torch == jax
    compiled = {cell.id.split("/", 2)[2] for cell in cells(preset) if cell.mode == "compiled"}
    assert compiled <= torch


@pytest.mark.parametrize(("preset", "both", "exact"), [("quick", 33, 30), ("smoke", 13, 23)])
def test_a_preset_has_the_promised_number_of_cells(preset: str, both: int, exact: int) -> None:
    torch = [cell for cell in cells(preset) if cell.framework == "torch"]
    assert sum(cell.measures == ("time", "exact") for cell in torch) == both
    assert sum(cell.measures == ("exact",) for cell in torch) == exact


@pytest.mark.parametrize("preset", PRESETS)
def test_the_suite_covers_every_cell_of_a_preset(preset: str) -> None:
    classes = (TorchMlp, TorchTanh, TorchNewton, TorchFpn, JaxMlp, JaxTanh, JaxNewton, JaxFpn)
    covered = {one.__name__.lower() for one in classes}
    assert {cell.framework + cell.problem for cell in cells(preset) if cell.problem != "linear"} <= covered


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_of_a_preset_is_one_that_impls_knows(preset: str) -> None:
    from bench.facts import Facts

    facts = Facts()
    for cell in cells(preset):
        assert cell.method in facts.fitting(cell.problem), cell.id
        assert set(cell.options) <= facts.options(cell), cell.id
        assert set(cell.sizes) <= set(facts.sizes(cell.problem)), cell.id
        assert facts.methods[cell.gradient].interface == "gradient"
