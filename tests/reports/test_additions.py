"""Compiled code, devices and counted work: every runner keeps its own numbers, in every table and figure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports import Results, cells, read
from reports.errors_table import error_rows, runners
from reports.headline import groups
from reports.labels import STROKES, runner
from reports.markdown import table
from reports.page import build, html
from reports.parts import Sources
from reports.sweeps import sweeps
from tests.reports.additions import RATIO, RUNNERS
from tests.reports.reader import Reader, data
from tests.reports.suite import TANH
from tests.rows import exact, results, run, timed
from tests.rows import write as write_results


def tables(results: Results) -> str:
    """The tables of single problems on a page."""
    return html(build(Sources(results))).split('<section id="results">')[1].split('<h3 id="cells">')[0]


def of(more_cells: pd.DataFrame, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of the frame with these values."""
    return [row for row in more_cells.to_dict("records") if all(row[name] == value for name, value in wanted.items())]


@pytest.mark.long
def test_the_page_is_sound_and_has_no_figure_twice(more_source: str) -> None:
    reader = Reader(more_source)
    assert reader.stack == [] and len(reader.ids) == len(set(reader.ids))
    titles = re.findall(r"<h3[^>]*>([^<]*)</h3>", more_source.split('<section id="memory">')[1].split("</section>")[0])
    assert titles == [
        "Memory against K",
        "GPU memory against depth",
        "GPU memory against K",
        "GPU workspace",
        "Memory computed from shapes alone",
    ]


def test_every_runner_has_its_name_and_its_own_stroke() -> None:
    assert [runner(framework, mode) for framework, mode, _ in RUNNERS] == ["torch", "torch compiled", "jax"]
    assert len(set(STROKES.values())) == 3


@pytest.mark.parametrize(("framework", "mode", "shift"), RUNNERS)
def test_eager_and_compiled_keep_their_own_numbers(
    more_cells: pd.DataFrame, framework: str, mode: str, shift: float
) -> None:
    (row,) = of(more_cells, framework=framework, mode=mode, device="cpu", label="unrolled")
    assert row["R"] == pytest.approx(RATIO["unrolled"] * shift)
    assert row["compile_s"] == 12.5 or mode == "eager"


def test_a_mode_that_the_id_does_not_tell_is_a_cell_of_its_own() -> None:
    rows = [timed(2.0, noise=0), timed(3.0, noise=0) | {"mode": "compiled"}, exact(7) | {"mode": "compiled"}]
    found = {row["runner"]: row for row in cells(results(rows)).to_dict("records")}
    assert found["torch"]["R"] == pytest.approx(2) and found["torch compiled"]["R"] == pytest.approx(3)
    assert found["torch"]["exact_status"] == "" and found["torch compiled"]["peak_bytes"] == 7


def test_tables_and_figures_hold_every_runner(more: Results, more_cells: pd.DataFrame, more_source: str) -> None:
    names = ["torch", "torch compiled", "jax"]
    assert [[row["runner"] for row in rows] for _, _, rows in groups(more_cells)[0].methods] == [names] * 4
    assert runners(error_rows(more_cells)) == names
    assert all(list(row.of) == names for row in error_rows(more_cells)["tanh"])
    markdown = table(more)
    assert markdown.count("| tanh | unrolled | torch compiled | 2.10 ") == 1
    assert markdown.count("| tanh on cuda | unrolled | torch compiled | 1.05 ") == 1
    assert "torch compiled<small>error, cosine</small>" in more_source and ">torch compiled<" in more_source
    assert more_source.count('<td class="text framework">torch <small>compiled</small></td>') == 8
    lines = {line.runner for line in sweeps(more_cells, "K") if line.device == "cuda" and line.label == "JFB"}
    assert lines == set(names)


def test_devices_are_never_in_one_group(more_cells: pd.DataFrame, more_source: str) -> None:
    found = groups(more_cells)
    assert [(group.title, len(group.rows)) for group in found] == [("tanh", 12), ("tanh on cuda", 12)]
    assert all({row["device"] for row in group.rows} == {group.device} for group in found)
    assert ">tanh on cuda<" in more_source


def test_counted_work_stands_beside_the_one_by_hand(more_cells: pd.DataFrame, more_source: str) -> None:
    (row,) = of(more_cells, runner="torch", device="cpu", label="IFT, GMRES")
    assert row["counted_flop_ratio"] == 2 and pd.isna(row["flop_ratio"]) and row["flops"] == 8e9
    assert more_source.count("<td>3.00<small>3.00</small></td>") == 6
    assert more_source.count("<td>2.00</td>") == 6
    assert more_source.count("Flop ratio<small>by hand</small>") == 2 + 1  # of problems, and of all cells
    assert more_source.count("<td>12.5 s</td>") == 16


def test_the_distance_and_the_traffic_stand_beside_r(tmp_path: Path) -> None:
    work = {"flop_ratio": 2.0, "traffic": 90, "forward_traffic": 40}
    other = {"framework": "jax", "noise": 0}
    rows = [timed(3.0, noise=0), exact(10, values=work), timed(3.0, **other), exact(10, framework="jax")]
    some = read(write_results(tmp_path / "some.jsonl", [run(), *rows]))
    frame = cells(some)
    assert list(frame["distance"].dropna()) == [pytest.approx(1.5)]
    assert list(frame["traffic_ratio"].dropna()) == [2.25]
    assert tables(some).count("<td>1.50<small>2.25</small></td>") == 1
    head, _, line, unknown = table(some).splitlines()
    assert "| R [95 %] | flop ratio | R ÷ flop ratio | traffic ratio | forward |" in head
    assert "| 3.00 [one worker] | 2.00 | 1.50 | 2.25 |" in line and "| – | – | – |" in unknown
    work["traffic"] = work["forward_traffic"] = 0
    none = read(write_results(tmp_path / "none.jsonl", [run(), timed(3.0), exact(10, values=work)]))
    assert "traffic ratio" not in table(none) and "traffic ratio</small>" not in tables(none)


def test_work_that_was_not_counted_has_no_column(tmp_path: Path) -> None:
    some = read(write_results(tmp_path / "some.jsonl", [run(), timed(2.0), exact(10, values={"forward_flops": 0})]))
    assert "Flop ratio<small>" not in tables(some)


def test_held_bytes_and_contraction_are_shown(more_source: str) -> None:
    assert more_source.count("<td>4.19 MB<small>held 3.00 MB</small></td>") == 24
    sentence = "γ = 0.800 by construction; measured at the fixed point: ‖J(z*)‖₂ = 0.750, ρ(J(z*)) = 0.500."
    assert more_source.count(sentence) == 2


def test_contraction_without_a_gamma_and_as_a_range() -> None:
    rows = [timed(2.0, problem="linear", sizes={"width": 4}, framework=name) for name in ("torch", "jax")]
    rows += [
        exact(1, problem="linear", sizes={"width": 4}, framework=name, values={"jacobian_norm": norm})
        for name, norm in (("torch", 0.5), ("jax", 0.75))
    ]
    (group,) = groups(cells(results(rows)))
    assert group.contraction == "No γ is given; measured at the fixed point: ‖J(z*)‖₂ = 0.500 to 0.750, ρ(J(z*)) = –."


def test_the_csv_has_every_new_column(more_page: Path) -> None:
    new = (
        "flops forward_flops flop_ratio counted_flop_ratio held_bytes jacobian_norm spectral_radius device_peak_bytes "
    )
    new += "device_forward_peak_bytes workspace_bytes overhead_s overhead_share compile_s runner mode device"
    (row,) = (
        row
        for row in data(more_page, "cells")
        if (row["runner"], row["device"], row["label"], row["sizes"]) == ("jax", "cuda", "JFB", SIZES)
    )
    assert all(row[name] for name in new.split())


SIZES = ", ".join(f"{name} {TANH[name]}" for name in sorted(TANH))
