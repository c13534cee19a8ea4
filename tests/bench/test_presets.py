"""Presets hold what they promise."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bench.cells import MEASURES
from bench.presets import PRESETS
from bench.select import Facts, preset_cells, select
from bench.suite import JaxFpn, JaxMlp, JaxNewton, JaxTanh, TorchFpn, TorchMlp, TorchNewton, TorchTanh


def test_an_unknown_preset_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"^No preset 'quik': did you mean quick\?$"):
        preset_cells("quik")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_each_cell_once_and_the_same_in_both_frameworks(preset: str) -> None:
    ids = [cell.id for cell in PRESETS[preset].cells]
    assert len(ids) == len(set(ids))
    torch, jax = (
        {cell.id.split("/", 2)[2] for cell in PRESETS[preset].cells if (cell.framework, cell.mode) == kind}
        for kind in (("torch", "eager"), ("jax", "jit"))
    )
    assert torch == jax
    compiled = {cell.id.split("/", 2)[2] for cell in PRESETS[preset].cells if cell.mode == "compiled"}
    assert compiled <= torch


@pytest.mark.parametrize(("preset", "both", "exact"), [("quick", 33, 30), ("smoke", 13, 23)])
def test_a_preset_has_the_promised_number_of_cells(preset: str, both: int, exact: int) -> None:
    torch = [cell for cell in PRESETS[preset].cells if cell.framework == "torch"]
    assert sum(cell.measures == ("time", "exact") for cell in torch) == both
    assert sum(cell.measures == ("exact",) for cell in torch) == exact


@pytest.mark.parametrize("preset", PRESETS)
def test_the_suite_covers_every_cell_of_a_preset(preset: str) -> None:
    classes = (TorchMlp, TorchTanh, TorchNewton, TorchFpn, JaxMlp, JaxTanh, JaxNewton, JaxFpn)
    covered = {one.__name__.lower() for one in classes}
    assert {cell.framework + cell.problem for cell in PRESETS[preset].cells if cell.problem != "linear"} <= covered


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_of_a_preset_is_one_that_impls_knows(preset: str) -> None:
    facts = Facts()
    for cell in PRESETS[preset].cells:
        assert cell.method in facts.fitting(cell.problem), cell.id
        assert set(cell.options) <= facts.options(cell), cell.id
        assert set(cell.sizes) <= set(facts.sizes(cell.problem)), cell.id
        assert facts.methods[cell.gradient].interface == "gradient"


@pytest.mark.parametrize("preset", PRESETS)
def test_the_ids_of_a_preset_mean_its_cells(preset: str) -> None:
    every = [replace(cell, measures=MEASURES) for cell in PRESETS[preset].cells]
    assert list(select(cells=[cell.id for cell in every])) == every


def test_names_filter_cells_named_by_id_and_settings_change_them() -> None:
    ids = [cell.id for cell in PRESETS["smoke"].cells]
    found = select("track", cells=ids, framework=["jax"], problem=["mlp"], method=["backprop"])
    assert {cell.framework for cell in found} == {"jax"} and len(found) > 1
    (wider,) = select(cells=ids[:1], settings=["width=64"])
    assert wider.sizes["width"] == 64 and wider.id != ids[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("torch/eager/cpu/float32/tanh", "'torch/eager/cpu/float32/tanh' is no cell: write it as a line of `list`"),
        ("torch/eager/cpu/float32/tanhh/jfb", "No problem 'tanhh': did you mean tanh?"),
        ("torch/eager/cpu/float32/tanh/backprop", "The problem 'tanh' is implicit, which 'backprop' does not fit"),
        ("torch/eager/cpu/float32/tanh(widht=8)/jfb", "No size or option 'widht' for 'tanh': did you mean width?"),
        ("torch/eager/cpu/float32/tanh/jfb(K=0)", "K=0 is too small: give a whole number of at least 1."),
        ("jax/eager/cpu/float32/tanh/jfb", "jax has no mode 'eager': known: jit."),
        ("torch/jt/cpu/float32/tanh/jfb", "No mode 'jt': did you mean jit?"),
    ],
)
def test_an_id_that_names_what_there_is_not_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        select(cells=[text])
