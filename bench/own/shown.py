"""The answer as a pandas frame that prints, plots and writes a page: the one place where ``bench`` meets ``reports``.

``reports`` and pandas are imported inside the functions, so that importing this module costs nothing.

A ``Comparison`` has one row a method, in the order in which they were asked for, with these columns (NaN: unknown, or
the method did not come out well):

    method              its name, with the options that tell two of one name apart
    R, R_low, R_high    time of one gradient call ÷ time of one forward, and its 95 % interval over worker processes
    forward_ms          milliseconds of one forward, median over workers
    gradient_ms         milliseconds of one gradient call, which includes a forward
    peak_bytes          bytes newly allocated at the peak of one gradient call
    held_bytes          bytes that stay alive between the forward and the backward pass; 0 for forward mode
    counted_flop_ratio  counted flops of the gradient call ÷ those of the forward
    gradient_error      ‖g − g_ref‖/‖g_ref‖ against the float64 gradient; of a forward gradient, of one draw
    cosine              cosine of the angle between g and g_ref
    status              ok, wrong, diverged, failed, oom, timeout or n/a
    reason              why the status is not ok, or why a value of an ok method is missing
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from bench.own import table
from bench.rows import RunRow, Visited, append, plain, read

Row = RunRow | Visited

COLUMNS = (
    "method",
    "R",
    "R_low",
    "R_high",
    "forward_ms",
    "gradient_ms",
    "peak_bytes",
    "held_bytes",
    "counted_flop_ratio",
    "gradient_error",
    "cosine",
    "status",
    "reason",
)


def comparison(rows: list[Row]) -> Any:
    """The ``Comparison`` of one run's rows."""
    from reports.frames import cells

    frame = cells(_results(rows))
    frame["method"] = _names(frame)
    for name in ("forward", "gradient"):
        frame[f"{name}_ms"] = 1e3 * frame[f"{name}_s"]
    found = _class()(frame[list(COLUMNS)])
    found.typed = rows
    return found


def __getattr__(name: str) -> Any:
    """``Comparison`` is made when it is first asked for, since it needs pandas."""
    if name == "Comparison":
        return _class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save(rows: list[Row], path: str | Path) -> Path:
    """Add the rows to a file of results, once; nothing that is in it is lost."""
    path = Path(path)
    if not {row.run for row in rows} & {row.run for row in read(path) if isinstance(row, RunRow)}:
        for row in rows:
            append(path, row)
    return path


def page(rows: list[Row], folder: str | Path) -> Path:
    """Write the offline page of the rows into a folder; the path of its ``index.html``."""
    from reports.page import write
    from reports.parts import Sources

    return Path(write(Sources(_results(rows)), Path(folder)))


def text(frame: Any) -> str:
    """The table as plain text, with the reasons under it."""
    from reports import numbers

    return table.text(frame, numbers)


def markup(frame: Any) -> str:
    """The table as HTML, every text escaped."""
    from reports import numbers

    return table.markup(frame, numbers)


def colours(names: list[str]) -> list[str]:
    """The project's colour of each method."""
    from reports.labels import colour

    return [colour(name.partition(" (")[0]) for name in names]


def look() -> Any:
    """The look of the project's figures, as a context."""
    from reports.svg import style

    return style("own")


def _results(rows: list[Row]) -> Any:
    """The rows as ``reports`` reads them, which checks every one."""
    from reports.load import read

    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder:
        return read(save(rows, Path(folder, "own.jsonl")))


def _names(frame: Any) -> list[str]:
    """Labels; two of one name are told apart by their options."""
    from reports.labels import settings

    labels = list(frame["label"])
    pairs = zip(labels, frame["options"], strict=True)
    return [f"{name} ({settings(options)})" if labels.count(name) > 1 else name for name, options in pairs]


@functools.cache
def _class() -> Any:
    import pandas as pd

    class Comparison(pd.DataFrame):
        """See the module's docstring for the columns. typed: the rows of the results file, in order."""

        _metadata = ["typed"]  # noqa: RUF012  (pandas adds lists to it)
        typed: list[Row]

        @property
        def rows(self) -> list[dict[str, Any]]:
            """The rows of the results file as plain mappings, as its lines hold them."""
            return [plain(row) for row in self.typed]

        @property
        def _constructor(self) -> Any:
            return Comparison

        def __repr__(self) -> str:
            return text(self) if set(COLUMNS) <= set(self.columns) else super().__repr__()

        def _repr_html_(self) -> str | None:
            return markup(self) if set(COLUMNS) <= set(self.columns) else super()._repr_html_()

        def save(self, path: str | Path) -> Path:
            """Add the raw rows, once, to a file of results that ``gradratio page --results`` reads."""
            return save(self.typed, path)

        def page(self, folder: str | Path) -> Path:
            """Write one offline HTML page of the comparison into a folder; the path of the page."""
            return page(self.typed, folder)

        def plot(self) -> Any:
            """A matplotlib figure: R with its interval by method, and the gradient error beside it."""
            from bench.own.figure import drawn

            return drawn(self)

    Comparison.__qualname__ = "Comparison"  # found again by its name when a frame is unpickled
    return Comparison
