"""The frame of a comparison: its columns, as text and as HTML, as a file, a figure and a page."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from bench.own import comparison
from bench.rows import RunRow, VerdictRow, VisitRow, append, read
from reports.frame import cells
from reports.load import read as load
from tests.bench.own.asked import compared

HOSTILE = "<script>alert(1)</script> $x_1$ | \u202e"


@pytest.fixture(scope="module")
def found() -> Any:
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g

    twice = [("forward_gradient", {"count": 2, "tangents": "given"}), ("forward_gradient", {"tangents": "given"})]

    def loss(p: Any, b: Any) -> Any:
        return (Plain.apply(p) * b).sum()

    return compared(
        loss=loss, params=torch.ones(3), batch=torch.arange(3.0), methods=["backprop", *twice], name=HOSTILE
    )


def test_the_columns_are_the_documented_ones(found: Any) -> None:
    assert tuple(found.columns) == comparison.COLUMNS
    documented = comparison.__doc__.partition("unknown")[2] if comparison.__doc__ else ""
    assert all(name in documented for name in comparison.COLUMNS)
    assert list(found["method"]) == [
        "backprop",
        "forward gradient, tangents given (count 2, tangents given)",
        "forward gradient, tangents given (tangents given)",
    ]
    assert found["R"].iloc[0] == pytest.approx(found["gradient_ms"].iloc[0] / found["forward_ms"].iloc[0], rel=0.9)
    assert list(found["status"]) == ["ok", "n/a", "n/a"]


def test_it_is_a_frame_and_parts_of_it_print(found: Any) -> None:
    assert isinstance(found, pd.DataFrame) and isinstance(found, comparison.Comparison)
    assert isinstance(found[found["status"] == "ok"], comparison.Comparison)
    assert found.head(1).typed is found.typed
    assert "gradient_ms" in repr(found[["method", "gradient_ms"]]) and "<table" in found[["method"]]._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    assert repr(again) == repr(found) and again.rows == found.rows


def test_it_prints_as_a_table_with_the_reasons_under_it(found: Any) -> None:
    head, first, second, _, reason = str(found).splitlines()
    assert " ".join(head.split()) == "method R [95 %] forward gradient peak held flop ratio gradient error cosine"
    assert first.startswith("backprop ") and "[one worker]" in first and " ms " in first and " B " in first
    assert " n/a " in second and reason.count("tangents given)") == 2 and "jvp" in reason
    markup = found._repr_html_()
    assert markup.startswith("<table><tr><th>method</th>") and markup.count("<tr>") == 4 and "&#x27;" not in head


def test_its_rows_are_rows_of_the_results_layout(found: Any, tmp_path: Path) -> None:
    assert [type(row) for row in found.typed] == [RunRow, *[VisitRow] * 4]
    run, exact, timed, *_ = found.typed
    assert run.preset == "own" and run.impls and run.versions["torch"] and run.machine.cores
    assert exact.problem == HOSTILE.replace("\u202e", "\ufffd")
    assert list(exact.sizes) == ["model"] and exact.measure == "exact"
    assert timed.samples.forward_s and timed.gradient == "backprop"
    path = found.save(tmp_path / "alone.jsonl")
    assert found.rows == [json.loads(line) for line in path.read_text().splitlines()]
    assert found.rows[1]["values"]["parameters"] == exact.values.parameters
    path = tmp_path / "kept" / "rows.jsonl"
    append(path, VerdictRow(run="another"))
    assert found.save(path) == path and found.save(path) == path
    assert len(read(path)) == 1 + len(found.rows) and len(load(path).visits) == 4


def test_two_models_of_one_name_stay_apart_in_one_file(found: Any, tmp_path: Path) -> None:
    other = compared(
        loss=lambda p, b: (3 * p * b).sum(),
        params=torch.ones(3),
        batch=torch.arange(3.0),
        methods=["backprop"],
        name=HOSTILE,
    )
    path = other.save(found.save(tmp_path / "both.jsonl"))
    table = cells(load(path))
    assert list(table["label"]).count("backprop") == 2 and len(table) == 4
    assert len({str(sizes) for sizes in table["sizes"]}) == 2


def test_it_plots_itself(found: Any) -> None:
    figure = found.plot()
    left, right = figure.axes
    assert "R" in left.get_xlabel() and "error" in right.get_xlabel()
    assert [one.get_text() for one in left.get_yticklabels()] == list(found["method"])
    assert [one.get_text() for one in left.texts] == ["n/a", "n/a"]
    figure.savefig(io.BytesIO(), format="svg")


def test_it_writes_its_page(found: Any, tmp_path: Path) -> None:
    page = found.page(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "index.html" and "backprop" in text and "<script>alert" not in text


def test_only_what_is_there_is_an_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Comparisons'"):
        comparison.Comparisons  # noqa: B018
