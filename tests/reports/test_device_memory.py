"""Memory on a GPU and from shapes alone: in figures and tables of memory, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reports import read
from reports.errors_table import error_rows
from reports.grid import grid
from reports.headline import groups
from reports.page import build, html
from reports.parts import Sources
from tests.reports.additions import BLOCK, ITEM, MB
from tests.reports.reader import data
from tests.rows import exact, run, timed
from tests.rows import write as write_results


def test_shapes_alone_stand_in_figures_and_tables_of_memory_alone(
    more_cells: pd.DataFrame, more_page: Path, more_source: str
) -> None:
    assert all(group.device != "meta" for group in groups(more_cells))
    assert all("on meta" not in row.sizes for rows in error_rows(more_cells).values() for row in rows)
    rows = data(more_page, "peak-by-k")
    assert {row["device"] for row in rows} == {"meta"} and len(rows) == 2 * 4 * 3
    assert more_source.count("torch, eager, shapes alone") == 4 and ">tanh from shapes alone, jax<" in more_source
    alone = more_source.split("<h3>Memory computed from shapes alone</h3>")[1].split("</table>")[0]
    assert alone.count("<td>7.00 TB<small>") == 2 and alone.count("<tr>") == 3


def test_a_time_from_shapes_alone_is_not_believed(tmp_path: Path) -> None:
    rows = [timed(2.0, device="meta"), exact(5, device="meta")]
    found = grid(read(write_results(tmp_path / "some.jsonl", [run(), *rows])))
    assert found.samples.empty and found.groups == [] and [row["peak_bytes"] for row in found.shapes] == [5]


def test_a_gpus_real_peaks_stand_beside_the_model(more_page: Path, more_source: str) -> None:
    rows = [row for row in data(more_page, "gpu-peak-by-k") if row["label"] == "unrolled" and row["mode"] == "compiled"]
    model = [(K + 5) * ITEM + 8 for K in (10, 20, 40)]
    real = [-(-one // BLOCK) * BLOCK + K * MB // 10 for one, K in zip(model, (10, 20, 40), strict=True)]
    assert [int(float(row["peak_bytes"])) for row in rows] == model
    assert [int(float(row["device_peak_bytes"])) for row in rows] == real
    assert len(data(more_page, "gpu-peak-by-depth")) == 3 * 2 * 3
    assert not (more_page.parent / "data" / "peak-by-depth.csv").exists()
    workspace = more_source.split("<h3>GPU workspace</h3>")[1].split("</table>")[0]
    assert workspace.count("<tr>") == 1 + 3 * (4 + 4 + 2)
    assert workspace.count("<td>5.24 MB</td><td>4.19 MB</td><td>1.05 MB</td>") == 12
    assert workspace.count("<td>1.05 MB to 4.19 MB</td>") == 12


def test_without_a_gpu_its_parts_are_absent(tmp_path: Path) -> None:
    some = html(build(Sources(read(write_results(tmp_path / "some.jsonl", [run(), timed(2.0), exact(10)])))))
    assert "GPU memory" not in some and "GPU workspace" not in some and "<dt>GPU</dt><dd>none</dd>" in some
