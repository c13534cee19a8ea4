"""Arguments that make no question are refused in one sentence, before anything runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import gradratio
from bench.own.compare import cells
from bench.own.comparison import require_target
from bench.own.question import Question

P, LOSS = torch.ones(3), lambda p, b: (_ for _ in ()).throw(AssertionError("the loss was called"))
EXPLICIT_MODEL = Question("torch", LOSS, P)
IMPLICIT_MODEL = Question("torch", LOSS, P, step=lambda z, a: z, z0=P)
IMPLICIT: dict[str, Any] = {"step": lambda z, a: z, "z0": torch.zeros(2, 3), "args": P, "loss": LOSS}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"loss": LOSS}, "Nothing to differentiate was given"),
        ({"loss": 3, "params": P}, "loss must be a function, not int"),
        ({**IMPLICIT, "params": P}, "An explicit model is loss=, params= and batch=, an implicit one"),
        ({**IMPLICIT, "z0": None}, "z0 is missing"),
        ({**IMPLICIT, "step": 1}, "step must be a function"),
        ({**IMPLICIT, "z0": [torch.zeros(2), torch.zeros(2)]}, "z0 must be one floating tensor"),
        ({**IMPLICIT, "z0": torch.zeros(2, 3, dtype=torch.int64)}, "z0 must be one floating tensor"),
        ({**IMPLICIT, "z0": jnp.zeros((2, 3))}, "args holds torch tensors and z0 jax arrays"),
        ({**IMPLICIT, "z0": [1.0], "args": jnp.ones(3)}, "z0 must be one floating array"),
        ({"loss": LOSS, "params": [1.0, 2]}, "hold no torch tensor, no torch.nn.Module and no jax array"),
        (
            {"loss": LOSS, "params": torch.tensor([1, 2])},
            "params holds no floating array that gets a gradient: there is nothing",
        ),
        (
            {"loss": LOSS, "params": torch.nn.ReLU()},
            "params holds no floating array that gets a gradient: there is nothing",
        ),
        (
            {"loss": LOSS, "params": jnp.arange(3)},
            "params holds no floating array that gets a gradient: there is nothing",
        ),
        ({"loss": LOSS, "params": torch.ones(3, device="meta")}, "A tensor lies on meta: move the model"),
        ({"loss": LOSS, "params": P, "workers": -1}, "workers must be a whole number from 0 up, not -1"),
        ({"loss": LOSS, "params": P, "workers": True}, "workers must be a whole number"),
        ({"loss": LOSS, "params": P, "budget_s": 0}, "budget_s must be a number of seconds above 0"),
        ({"loss": LOSS, "params": P, "timeout_s": -1.0}, "timeout_s must be a number of seconds above 0"),
        ({"loss": LOSS, "params": P, "budget_s": "a"}, "budget_s must be a number of seconds above 0, not 'a'"),
        ({"loss": LOSS, "params": P, "timeout_s": float("inf")}, "timeout_s must be a number of seconds above 0"),
        ({"loss": LOSS, "params": P, "K": 3}, "an explicit model has none, so leave K out"),
        ({"loss": LOSS, "params": P, "methods": 3}, "methods must be a list of names and pairs, such as"),
        ({"loss": LOSS, "params": P, "methods": [None]}, "A method is a name or a pair such as"),
        ({"loss": LOSS, "params": P, "save_to": 3}, "save_to must be the path of a file, not 3"),
        ({"loss": LOSS, "params": P, "save_to": "/proc/x/y.jsonl"}, "No file can be made at save_to="),
        ({"loss": LOSS, "params": P, "save_to": "/"}, "save_to names the folder /"),
        ({**IMPLICIT, "residual_tol": "a"}, "residual_tol must be a number above 0, not 'a'"),
        ({"loss": LOSS, "params": P, "name": " "}, "name must be a text"),
        ({**IMPLICIT, "residual_tol": 0}, "residual_tol must be a number above 0"),
        ({**IMPLICIT, "K": 0}, "K must be a whole number from 1 up, not 0"),
        ({"loss": LOSS, "params": P, "methods": "backprop"}, "methods must be a list"),
        ({"loss": LOSS, "params": P, "methods": []}, "methods is an empty list"),
        ({"loss": LOSS, "params": P, "methods": [("backprop", 3)]}, "A method is a name or a pair such as"),
        ({"loss": LOSS, "params": P, "methods": ["jfb"]}, "jfb does not fit an explicit model: take backprop"),
        ({**IMPLICIT, "methods": ["backprop"]}, "backprop does not fit an implicit model: take unrolled"),
        ({**IMPLICIT, "methods": [("ift", {"M": 0})]}, "M of ift must be a whole number"),
        ({**IMPLICIT, "methods": [("ift", {"linear_solver": "dense", "M": 3})]}, "leave M out"),
        ({**IMPLICIT, "methods": [("unrolled", {"solver": "anderson"})]}, "does not fit 'unrolled': take picard"),
    ],
)
def test_arguments_that_make_no_question(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        gradratio.compare(**asked)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (["backprp"], "No method 'backprp': did you mean backprop?"),
        (
            [("forward_gradient", {"tangent": "given"})],
            "No option of forward_gradient 'tangent': did you mean",
        ),
        ([("forward_gradient", {"tangents": "gausian"})], "did you mean gaussian or"),
    ],
)
def test_unknown_methods_options_and_choices_are_refused_with_a_hint(methods: Any, words: str) -> None:
    with pytest.raises(LookupError) as caught:
        gradratio.compare(loss=LOSS, params=P, methods=methods)
    assert words in str(caught.value)


def test_a_file_that_holds_no_results_stays_as_it_is(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="save_to names a file that holds no results, and stays as it is"):
        gradratio.compare(loss=LOSS, params=P, save_to=notes)
    assert notes.read_text(encoding="utf-8") == "mine\n"
    require_target(tmp_path / "new" / "rows.jsonl")
    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == ["new"]


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'iterations'"):
        gradratio.compare(loss=LOSS, params=P, iterations=3)


@pytest.mark.parametrize(("part", "lock"), [("loss", True), ("batch", False)])
def test_what_cannot_be_sent_to_a_process_is_named(part: str, lock: bool) -> None:
    own = threading.Lock()
    asked = {"loss": (lambda p, b: p.sum() if own else p) if lock else (lambda p, b: p.sum()), "params": P}
    with pytest.raises(ValueError, match=rf"^{part} cannot be sent to a worker process .*set workers=0"):
        gradratio.compare(**asked, batch=None if lock else own)


def test_the_usual_methods_have_every_option() -> None:
    found = cells(None, IMPLICIT_MODEL, K=7)
    assert [(cell.method, dict(cell.options)) for cell in found] == [
        ("unrolled", {"K": 7}),
        ("ift", {"K": 7, "M": 7, "linear_solver": "picard"}),
        ("ift", {"K": 7, "M": 20, "linear_solver": "gmres"}),
        ("jfb", {"K": 7}),
    ]


NAMES = st.sampled_from(["backprop", "forward_gradient", "unrolled", "ift", "ift_reused", "jfb", "other", ""])
VALUES = st.one_of(st.integers(-2, 40), st.floats(), st.text(max_size=8), st.none(), st.booleans(), st.just("newton"))
OPTIONS = st.dictionaries(st.sampled_from(["K", "M", "solver", "linear_solver", "tangents", "count", "x"]), VALUES)


@given(st.lists(st.one_of(NAMES, st.tuples(NAMES, OPTIONS)), max_size=3), st.booleans())
@example([("unrolled", {"K": None})], True)
def test_any_methods_become_cells_or_are_refused_in_one_sentence(asked: Any, implicit: bool) -> None:
    try:
        found = cells(asked, IMPLICIT_MODEL if implicit else EXPLICIT_MODEL, K=None)
    except (ValueError, LookupError) as error:
        assert str(error).strip("'\"").endswith((".", "?")) and "\n" not in str(error)
        return
    assert found and all((cell.gradient == "backprop") or not implicit for cell in found)
    assert all(isinstance(cell.options.get("K"), int) is implicit for cell in found)
