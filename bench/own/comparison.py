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
import os
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from bench import tables
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

HEAD = ("method", "R [95 %]", "forward", "gradient", "peak", "held", "flop ratio", "gradient error", "cosine")
"""Of the frame as a table."""


def comparison(rows: list[Row]) -> Any:
    """The ``Comparison`` of one run's rows."""
    from reports.frame import cells
    from reports.labels import settings

    frame = cells(_results(rows))
    labels = list(frame["label"])
    frame["method"] = [
        f"{name} ({settings(options)})" if labels.count(name) > 1 else name
        for name, options in zip(labels, frame["options"], strict=True)
    ]
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
            return _text(self) if set(COLUMNS) <= set(self.columns) else super().__repr__()

        def _repr_html_(self) -> str | None:
            return _markup(self) if set(COLUMNS) <= set(self.columns) else super()._repr_html_()

        def save(self, path: str | Path) -> Path:
            """Add the raw rows, once, to a file of results that ``gradratio page --results`` reads."""
            return _saved(self.typed, Path(path))

        def page(self, folder: str | Path) -> Path:
            """Write one offline HTML page of the comparison into a folder; the path of the page."""
            from reports.page import write
            from reports.parts import Sources

            return Path(write(Sources(_results(self.typed)), Path(folder)))

        def plot(self) -> Any:
            """A matplotlib figure: R with its interval by method, and the gradient error beside it."""
            return _figure(self)

    Comparison.__qualname__ = "Comparison"  # found again by its name when a frame is unpickled
    return Comparison


# Rows in a file -------------------------------------------------------------------------------------------------


def require_target(path: Any) -> None:
    """Make the folder of a file of results; ``ValueError`` in one sentence where rows cannot be added to that file."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"save_to must be the path of a file, not {path!r}.")
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder, writable = target.is_dir(), os.access(target if target.exists() else target.parent, os.W_OK)
        if not folder:
            read(target)
    except OSError as error:
        raise ValueError(f"No file can be made at save_to={str(target)!r}: {error.strerror or error}.") from None
    except ValueError:
        raise ValueError(f"save_to names a file that holds no results, and stays as it is: {target}.") from None
    if folder:
        raise ValueError(f"save_to names the folder {target}: give the path of a file in it.")
    if not writable:
        raise ValueError(f"save_to={str(target)!r} cannot be written to: give a path in a folder of your own.")


def _saved(rows: list[Row], path: Path) -> Path:
    """Add the rows to a file of results, once; nothing that is in it is lost."""
    if not {row.run for row in rows} & {row.run for row in read(path) if isinstance(row, RunRow)}:
        for row in rows:
            append(path, row)
    return path


def _results(rows: list[Row]) -> Any:
    """The rows as ``reports`` reads them, which checks every one."""
    from reports.load import read

    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder:
        return read(_saved(rows, Path(folder, "own.jsonl")))


# A table, and a figure ------------------------------------------------------------------------------------------


def _text(frame: Any) -> str:
    """As plain text, with the reasons under it."""
    return "\n".join([*tables.text([HEAD, *_cells(frame)]), *_reasons(frame)])


def _markup(frame: Any) -> str:
    """As HTML, every text escaped."""
    lines = [("th", HEAD), *(("td", row) for row in _cells(frame))]
    rows = ["".join(f"<{tag}>{escape(one)}</{tag}>" for one in row) for tag, row in lines]
    under = "".join(f"<p>{escape(one)}</p>" for one in _reasons(frame))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + f"</table>{under}"


def _cells(frame: Any) -> list[tuple[str, ...]]:
    """A method's line: at most three digits, units, a word for a failure."""
    from reports import numbers

    return [
        (
            row["method"],
            numbers.interval(row["R"], row["R_low"], row["R_high"]) if row["status"] == "ok" else row["status"],
            numbers.milliseconds(row["forward_ms"] / 1e3),
            numbers.milliseconds(row["gradient_ms"] / 1e3),
            numbers.size(row["peak_bytes"]),
            numbers.size(row["held_bytes"]),
            *(numbers.sig(row[name]) for name in ("counted_flop_ratio", "gradient_error", "cosine")),
        )
        for row in frame.to_dict("records")
    ]


def _reasons(frame: Any) -> list[str]:
    """One line for each reason, with the methods that share it."""
    shared: dict[str, list[str]] = {}
    for row in frame.to_dict("records"):
        if row["reason"]:
            shared.setdefault(row["reason"], []).append(row["method"])
    return [f"{', '.join(names)}: {reason}" for reason, names in shared.items()]


def _figure(frame: Any) -> Any:
    """R with its interval, and the gradient error on a logarithmic axis; one line a method, failures in words."""
    from matplotlib.figure import Figure

    from reports.draw import style
    from reports.labels import colour

    with style("own"):
        figure = Figure(figsize=(8.0, 0.9 + 0.34 * max(1, len(frame))), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for place, row in enumerate(frame.to_dict("records")):
            if row["status"] != "ok":
                left.text(0.02, place, row["status"], transform=left.get_yaxis_transform(), va="center")
                continue
            of_method = {"color": colour(row["method"].partition(" (")[0])}
            left.plot([row["R_low"], row["R_high"]], [place, place], **of_method)
            left.plot(row["R"], place, "o", **of_method)
            if row["gradient_error"] > 0:
                right.plot(row["gradient_error"], place, "o", **of_method)
        left.set_yticks(range(len(frame)), list(frame["method"]))
        left.set_ylim(len(frame) - 0.5, -0.5)  # the first method on top
        left.set_xlim(left=0)
        left.set_xlabel("R: gradient ÷ forward, with 95 % interval")
        if (frame["gradient_error"] > 0).any():
            right.set_xscale("log")
        right.set_xlabel("gradient error ‖g − g_ref‖/‖g_ref‖")
        for axes in (left, right):
            axes.grid(axis="x")
    return figure
