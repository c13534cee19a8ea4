"""One part of the page: heading, template and what it reads, and the figures and tables that lie beside the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from reports.draw import Drawing


@dataclass(frozen=True)
class Part:
    """name: id of its section, and what links lead to. title: its heading. template: a file of ``templates/``, which
    reads ``content``. drawings: its figures, each also an SVG file and a CSV of its data. tables: its other tables, by
    the name of their CSV. short: its name among the links at the head of the page (default: its title)."""

    name: str
    title: str
    template: str
    content: Any
    drawings: tuple[Drawing, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    short: str = ""

    @property
    def link(self) -> str:
        """The words of the link to it."""
        return self.short or self.title

    @property
    def data(self) -> dict[str, pd.DataFrame]:
        """Every table of the part by the name of its CSV file."""
        return {drawing.name: drawing.data for drawing in self.drawings} | dict(self.tables)
