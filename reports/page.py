"""The page: frames and figures → one self-contained HTML file, the data of each figure as CSV beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import numbers
from reports.cautions import cautions
from reports.errors_table import ErrorRow, error_rows
from reports.figures import Drawing, ratios
from reports.frames import cells, missing, samples
from reports.headline import Group, groups
from reports.labels import colour, settings
from reports.load import Results
from reports.memory_figures import memory
from reports.sample_figure import raw
from reports.sweeps import sweeps


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
    failed: list[dict[str, Any]]
    missing: list[str]
    planned: int
    facts: list[tuple[str, str]]


def build(results: Results) -> tuple[Page, pd.DataFrame]:
    """The page's contents, and the frame of cells behind them."""
    frame = cells(results)
    timed = groups(frame)
    drawn = [ratios(timed), *(memory(sweeps(frame, axis), axis) for axis in ("depth", "K"))]
    lost = missing(results)
    page = Page(
        results=results,
        run=results.run,
        cautions=cautions(results, frame),
        groups=timed,
        drawings=[drawing for drawing in drawn if drawing],
        raw=raw(samples(results), timed),
        errors=error_rows(frame),
        failed=frame[frame["status"] != "ok"].to_dict("records"),
        missing=lost,
        planned=len({*frame["cell"], *lost}),
        facts=facts(results),
    )
    return page, frame


def html(page: Page) -> str:
    """The page as HTML."""
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
    environment.globals |= {"bounds": numbers.bounds, "isnan": isnan, "colour": colour, "DASH": numbers.DASH}
    return environment.get_template("page.html.j2").render(page=page)


def write(results: Results, folder: Path) -> Path:
    """Write ``index.html`` and ``data/*.csv`` under ``folder``; the path of the page."""
    page, frame = build(results)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for drawing in filter(None, [*page.drawings, page.raw]):
        drawing.data.to_csv(data / f"{drawing.name}.csv", index=False)
    plain = frame.assign(sizes=frame["sizes"].map(settings), options=frame["options"].map(settings))
    plain.to_csv(data / "cells.csv", index=False)
    path = folder / "index.html"
    path.write_text(html(page), encoding="utf-8")
    return path


def facts(results: Results) -> list[tuple[str, str]]:
    """The machine and what ran on it, as pairs of a name and a text."""
    run, machine = results.run, results.run["machine"]
    memory_bytes = machine.get("memory_bytes")
    found = [
        ("processor", machine.get("cpu")),
        ("cores", machine.get("cores")),
        ("memory", numbers.size(float(memory_bytes)) if isinstance(memory_bytes, int | float) else None),
        ("system", machine.get("system")),
        ("GPU", machine.get("gpu") or "none"),
        ("threads", run.get("threads")),
        ("worker processes", run.get("workers")),
        *run["versions"].items(),
        ("commit", run.get("commit") or "none"),
        ("working tree", "clean" if run.get("dirty") is False else "dirty"),
        ("digest of the methods", run["impls"]),
        ("version of the instruments", run.get("bench")),
        ("preset", ", ".join(dict.fromkeys(str(each.get("preset")) for each in results.runs))),
        ("started", ", ".join(each["started"] for each in results.runs)),
        ("visits", len(results.visits)),
        ("read from", ", ".join(results.files)),
    ]
    return [(name, str(value)) for name, value in found if value is not None]
