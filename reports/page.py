"""The page: frames and figures → one self-contained HTML file, the data of each figure as CSV beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import numbers, peers
from reports.cautions import cautions
from reports.device_memory import Workspace, device_memory, workspaces
from reports.errors_table import ErrorRow, error_rows, runners
from reports.facts import facts
from reports.figures import Drawing, ratios
from reports.frames import cells, missing, samples
from reports.headline import Group, groups
from reports.labels import colour, settings
from reports.load import Results
from reports.memory_figures import memory
from reports.paper_page import ANSWERS, MARKS, MOST_FAILED, Section, tables
from reports.sample_figure import raw
from reports.sweeps import UNITS, sweeps

MOST_MISSING = 100
"""Cells without a visit that are listed; the others are counted."""


@dataclass(frozen=True)
class Page:
    """All that the template needs, in the order of the page."""

    results: Results
    run: dict[str, Any]
    cautions: list[str]
    groups: list[Group]
    drawings: list[Drawing]
    raw: Drawing | None
    errors: dict[str, list[ErrorRow]]
    runners: list[str]
    workspaces: list[Workspace]
    shapes: list[dict[str, Any]]
    unswept: list[str]
    failed: list[dict[str, Any]]
    missing: list[str]
    planned: int
    """Cells that a run planned or that were visited."""
    facts: list[tuple[str, str]]


def build(results: Results) -> tuple[Page, pd.DataFrame]:
    """The page's contents, and the frame of cells behind them."""
    frame = cells(results)
    timed = groups(frame)
    lines = {axis: sweeps(frame, axis) for axis in UNITS}
    drawn = [ratios(timed)]
    drawn += [memory([line for line in found if not line.on_gpu], axis) for axis, found in lines.items()]
    drawn += [device_memory(found, axis) for axis, found in lines.items()]
    errors = error_rows(frame)
    lost = missing(results)
    swept = {cell for found in lines.values() for line in found for cell in line.cells}
    alone = frame[(frame["device"] == "meta") & frame["peak_bytes"].notna() & ~frame["cell"].isin(swept)]
    page = Page(
        results=results,
        run=results.run,
        cautions=cautions(results, frame),
        groups=timed,
        drawings=[drawing for drawing in drawn if drawing],
        raw=raw(samples(results), timed),
        errors=errors,
        runners=runners(errors),
        workspaces=workspaces(frame),
        shapes=alone.to_dict("records"),
        unswept=[axis for axis, found in lines.items() if not found],
        failed=frame[frame["status"] != "ok"].to_dict("records"),
        missing=lost,
        planned=len({*frame["cell"], *lost}),
        facts=facts(results, frame),
    )
    return page, frame


def html(page: Page, history: bool = False, papers: Section | None = None, beside: peers.Section | None = None) -> str:
    """The page as HTML; ``history``: asv's site lies beside it; ``papers``, ``beside``: the sections on the papers'
    experiments and on the peers."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(numbers, name) for name in ("sig", "milliseconds", "seconds", "size", "whole")
    }
    environment.globals |= {
        "bounds": numbers.bounds,
        "isnan": isnan,
        "colour": colour,
        "settings": settings,
        "MOST_MISSING": MOST_MISSING,
        "DASH": numbers.DASH,
        "MARKS": MARKS,
        "ANSWERS": ANSWERS,
        "MOST_FAILED": MOST_FAILED,
        "PEER_MARKS": peers.MARKS,
        "interval": numbers.interval,
    }
    told = [name.removeprefix("papers-") for name in tables(papers)] if papers else []
    own = list(peers.tables(beside)) if beside else []
    return environment.get_template("page.html.j2").render(
        page=page, history=history, papers=papers, tables=told, peers=beside, peer_tables=own
    )


def write(results: Results, folder: Path, papers: Section | None = None, beside: peers.Section | None = None) -> Path:
    """Write ``index.html`` and ``data/*.csv`` under ``folder``; the path of the page."""
    page, frame = build(results)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for drawing in filter(None, [*page.drawings, page.raw]):
        harmless(drawing.data).to_csv(data / f"{drawing.name}.csv", index=False)
    plain = frame.assign(sizes=frame["sizes"].map(settings), options=frame["options"].map(settings))
    harmless(plain).to_csv(data / "cells.csv", index=False)
    for name, table in ((tables(papers) if papers else {}) | (peers.tables(beside) if beside else {})).items():
        harmless(table).to_csv(data / f"{name}.csv", index=False)
    path = folder / "index.html"
    path.write_text(html(page, (folder / "asv" / "index.html").is_file(), papers, beside), encoding="utf-8")
    return path


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, its texts marked as texts where a spreadsheet would take them for a formula and run it."""
    texts = [name for name in frame.columns if frame[name].dtype.kind not in "biuf" and name != "slope"]
    return frame.assign(
        **{
            name: [
                f"'{one}" if isinstance(one, str) and one.startswith(("=", "+", "-", "@")) else one
                for one in frame[name]
            ]
            for name in texts
        }
    )
