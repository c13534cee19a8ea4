"""What a command line means, and every sentence that refuses one."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cells import Cell
from bench.select import select, setting
from tests.bench.conftest import METHODS

pytestmark = pytest.mark.usefixtures("facts")


def test_names_without_a_preset_make_every_combination_that_fits() -> None:
    found = select(problem=["mlp", "tanh"], method=["backprop", "jfb"])
    assert [(cell.framework, cell.problem, cell.method, cell.gradient) for cell in found] == [
        ("torch", "mlp", "backprop", "backprop"),
        ("torch", "tanh", "jfb", "backprop"),
        ("jax", "mlp", "backprop", "backprop"),
        ("jax", "tanh", "jfb", "backprop"),
    ]


def test_a_gradient_runs_through_adjoints_and_chooses_among_gradient_methods() -> None:
    found = select(framework=["jax"], problem=["mlp", "tanh"], gradient=["forward_gradient"])
    assert [cell.method for cell in found] == ["forward_gradient", "unrolled", "ift", "jfb"]
    assert {cell.gradient for cell in found} == {"forward_gradient"}


def test_settings_go_where_they_belong() -> None:
    found = select(framework=["torch"], problem=["tanh"], method=["ift", "jfb"], settings=["K=7", "M=3", "gamma=1"])
    assert [(dict(cell.sizes), dict(cell.options)) for cell in found] == [
        ({"gamma": 1.0}, {"K": 7, "M": 3}),
        ({"gamma": 1.0}, {"K": 7}),
    ]


def test_an_option_of_the_gradient_reaches_a_cell_through_an_adjoint() -> None:
    (cell,) = select(
        framework=["jax"],
        problem=["tanh"],
        method=["jfb"],
        gradient=["forward_gradient"],
        settings=["tangents=sphere"],
    )
    assert dict(cell.options) == {"tangents": "sphere"}


def test_names_filter_a_preset_and_settings_change_it() -> None:
    found = select("smoke", framework=["torch"], device=["cpu"], method=["jfb"], problem=["tanh"], settings=["K=9"])
    (cell,) = found  # three values of K become one
    assert cell.options["K"] == 9 and cell.sizes["width"] == 16 and cell.measures == ("time", "exact")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"preset": "smok"}, "No preset 'smok': did you mean smoke?"),
    ({"framework": ["troch"]}, "No framework 'troch': did you mean torch?"),
    ({"framework": ["mxnet"]}, "No framework 'mxnet': known: jax, torch."),
    ({"mode": ["compile"]}, "No mode 'compile': did you mean compiled?"),
    ({"device": ["xla"]}, "No device 'xla': known: cpu, cuda, meta."),
    ({"problem": ["than"]}, "No problem 'than': did you mean tanh?"),
    ({"method": ["jfbb"]}, "No method 'jfbb': did you mean jfb?"),
    (
        {"gradient": ["backprob"]},
        "No gradient 'backprob': did you mean backprop?",
    ),
    (
        {"problem": ["mlp"], "method": ["jfb"]},
        "The problem 'mlp' is explicit, which 'jfb' does not fit: methods that fit are backprop, forward_gradient.",
    ),
    (
        {"problem": ["tanh"], "method": ["backprop"]},
        "The problem 'tanh' is implicit, which 'backprop' does not fit: methods that fit are unrolled, ift, jfb.",
    ),
    (
        {"problem": ["mlp"], "method": ["jfb", "backprop"]},
        "The method 'jfb' is an adjoint method and does not fit 'mlp': problems that fit are linear, tanh.",
    ),
    (
        {"problem": ["tanh"], "method": ["jfb", "backprop"]},
        "The method 'backprop' is a gradient method and does not fit 'tanh': problems that fit are mlp.",
    ),
    (
        {"problem": ["tanh"], "method": ["jfb"], "settings": ["M=5"]},
        "The option 'M' is not one of 'jfb': methods that take it are ift.",
    ),
    (
        {"problem": ["tanh"], "settings": ["widht=5"]},
        "No size or option 'widht' for 'tanh': did you mean width?",
    ),
    (
        {"problem": ["mlp"], "settings": ["gamma=0.5"]},
        "No size or option 'gamma' for 'mlp': known: "
        "K, M, batch, count, depth, linear_solver, solver, tangents, width.",
    ),
    (
        {"problem": ["tanh"], "settings": ["width"]},
        "The setting 'width' is not of the form name=value: write it as width=2048.",
    ),
    (
        {"problem": ["tanh"], "settings": ["gamma=nan"]},
        "The setting 'gamma=nan' is not finite: give a finite number.",
    ),
    (
        {"problem": ["tanh"], "settings": ["width=0"]},
        "width=0 is too small: give a whole number of at least 1.",
    ),
    (
        {"problem": ["tanh"], "settings": ["width=a"]},
        "width=a is not a whole number: give one, such as width=16.",
    ),
    ({"problem": ["tanh"], "settings": ["gamma=a"]}, "gamma=a is not a number: give one, such as gamma=0.8."),
    ({"problem": ["tanh"], "settings": ["K=0.5"]}, "K=0.5 is not a whole number: give one, such as K=1."),
    (
        {"preset": "smoke", "problem": ["linear"]},
        "The preset 'smoke' has no cell for linear: leave one of these out.",
    ),
    (
        {"problem": ["mlp"], "method": ["backprop"], "gradient": ["forward_gradient"]},
        "There is no cell for mlp, backprop, forward_gradient: leave one of these out.",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_a_mistake_is_refused_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        select(**arguments)


chosen = {
    "framework": st.lists(st.sampled_from(["torch", "jax", "x"]), max_size=2),
    "problem": st.lists(st.sampled_from(["mlp", "linear", "tanh", "x"]), max_size=2),
    "method": st.lists(st.sampled_from(["backprop", "forward_gradient", "ift", "jfb", "x"]), max_size=2),
    "gradient": st.lists(st.sampled_from(["backprop", "forward_gradient", "ift"]), max_size=2),
    "settings": st.lists(
        st.sampled_from(["K=5", "M=2", "width=8", "gamma=0.5", "a=1", "K=x", "", "=", "K="]), max_size=2
    ),
    "preset": st.none() | st.sampled_from(["smoke", "quick", "x"]),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.fixed_dictionaries(chosen))
def test_any_command_line_gives_fitting_cells_or_one_sentence(arguments: dict[str, Any]) -> None:
    from bench.select import Facts

    if arguments["preset"] is not None:  # the stand-in lacks two problems of the presets
        arguments["problem"] = [name for name in arguments["problem"] if name != "linear"] or ["mlp", "tanh"]
    try:
        found = select(**arguments)
    except ValueError as error:
        assert re.fullmatch(r"[^\n]+[.?]", str(error))
        return
    facts = Facts()
    assert found and len({cell.id for cell in found}) == len(found)
    for cell in found:
        assert cell.method in facts.fitting(cell.problem)
        assert set(cell.options) <= facts.options(cell)
        assert set(cell.sizes) <= set(facts.sizes(cell.problem)) | {"inputs", "classes", "kind"}
        for kind in ("framework", "problem", "method", "gradient"):
            assert not arguments[kind] or getattr(cell, kind) in arguments[kind]


@given(st.text(max_size=12))
def test_a_setting_gives_a_pair_or_one_sentence(text: str) -> None:
    try:
        name, value = setting(text)
    except ValueError:
        return
    assert name and text.startswith(name + "=")
    assert value == value and isinstance(value, int | float | str)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_setting_reads_numbers_back(number: float) -> None:
    name, value = setting(f"width={number}")
    assert name == "width" and value == number and type(value) is type(number)


def test_a_cell_of_a_single_name_is_of_default_sizes() -> None:
    found = select(framework=["torch"], problem=["mlp"], method=["backprop"])
    assert found == (Cell("torch", "mlp", "backprop"),)


@pytest.mark.parametrize("text, hint", [("solver=newtn", "newton"), ("linear_solver=gmress", "gmres")])
def test_an_unknown_choice_is_refused_before_work_starts(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean {hint}"):
        select(framework=["torch"], problem=["tanh"], method=["ift"], settings=[text])


@pytest.fixture
def newton_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sixth method, which fits one solver alone."""
    row = SimpleNamespace(name="reused", interface="adjoint", options=("K", "solver"), solvers=("newton",))
    monkeypatch.setitem(METHODS, "reused", row)


def test_a_method_of_another_solver_is_for_who_names_it(newton_only: None) -> None:
    usual = select(framework=["jax"], problem=["tanh"])
    assert [cell.method for cell in usual] == ["unrolled", "ift", "jfb"]
    assert select(framework=["jax"], problem=["tanh"], method=["reused"]) == (Cell("jax", "tanh", "reused"),)


def test_a_solver_goes_to_the_methods_that_fit_it(newton_only: None) -> None:
    names = {"framework": ["jax"], "problem": ["tanh"]}
    found = select(**names, method=["jfb", "reused"], settings=["solver=picard", "K=7"])
    assert {cell.method: dict(cell.options) for cell in found} == {
        "jfb": {"solver": "picard", "K": 7},
        "reused": {"K": 7},
    }
    (taken,) = select(**names, method=["reused"], settings=["solver=newton"])
    assert dict(taken.options) == {"solver": "newton"}
    with pytest.raises(ValueError, match=r"^The solver 'picard' does not fit 'reused': leave it out, or name another"):
        select(**names, method=["reused"], settings=["solver=picard"])
