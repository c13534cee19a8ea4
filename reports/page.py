"""The page: parts → one self-contained HTML file, the data of each figure as CSV and the figure as SVG beside it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reports import draw
from reports.grid import Grid, grid
from reports.part import Part
from reports.parts import Sources, parts
from reports.template import environment

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{}'"
)
"""What the page may load: nothing; and of scripts the one that is known by its digest may run."""


@dataclass(frozen=True)
class Page:
    """All that the template needs."""

    grid: Grid
    parts: list[Part]
    notes: list[str]
    """What was left out of the results."""
    script: str
    site: bool
    """Whether asv's site lies beside the page."""

    @property
    def policy(self) -> str:
        """The content security policy."""
        return POLICY.format(base64.b64encode(hashlib.sha256(self.script.encode()).digest()).decode())


def build(sources: Sources, site: bool = False) -> Page:
    """The page's contents."""
    own = grid(sources.results)
    loader = environment().loader
    assert loader is not None
    script = loader.get_source(environment(), "sort.js")[0]
    return Page(own, parts(sources, own), [*sources.results.told, *sources.notes], script, site)


def html(page: Page) -> str:
    """The page as HTML."""
    return environment().get_template("page.html.j2").render(page=page, grid=page.grid)


def write(sources: Sources, folder: Path) -> Path:
    """Write ``index.html`` and ``data/*`` under ``folder``; the path of the page."""
    page = build(sources, (folder / "asv" / "index.html").is_file())
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for part in page.parts:
        for drawing in part.drawings:
            draw.write(drawing, data)
        for name, table in part.data.items():
            harmless(table).to_csv(data / f"{name}.csv", index=False)
    path = folder / "index.html"
    path.write_text(html(page), encoding="utf-8")
    return path


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, its texts marked as texts where a spreadsheet would take them for a formula and run it."""
    texts = [name for name in frame.columns if frame[name].dtype.kind not in "biuf" and name != "slope"]
    return frame.assign(**{name: _plain(frame[name]) for name in texts})


def _plain(column: pd.Series) -> Any:
    """The column, its formulas marked; of a categorical one each text is looked at once."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.rename_categories(_plain(column.cat.categories.to_series()))
    return [f"'{one}" if isinstance(one, str) and one.startswith(("=", "+", "-", "@")) else one for one in column]
