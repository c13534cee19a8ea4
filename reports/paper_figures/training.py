"""Loss and test error of an MLP under backprop and forward gradient, against iterations and seconds."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.claims import runs, steps
from reports.claims.select import groups, having, named, numbers, only, value
from reports.draw import Drawing, render, style
from reports.labels import colour, label
from reports.numbers import sig
from reports.paper_figures.axes import WIDTH, dress, frame
from reports.paper_figures.legend import legend
from reports.paper_figures.points import Axis, pen
from reports.papers import Papers

METHODS = {name: label(name, {}) for name in ("backprop", "forward_gradient")}
X = {"iteration": Axis("iteration"), "seconds": Axis("seconds")}
Y = {"loss": Axis("training loss"), "error": Axis("test error, %")}
MOST_ROWS = 6
COLUMNS = ("data", "protocol", "framework", "method", "rate", "seed", *X, *Y, "diverged")


def training(papers: Papers) -> Drawing | None:
    """A row a data set, protocol and rate; loss, then test error, each against iterations and against seconds."""
    records = named(papers.records("training"))
    if "method" not in records.columns:
        return None
    panels = _sets(having(records, "iteration"))[-MOST_ROWS:]
    shown = [(title, _with_seconds(found, records)) for title, found in panels if len(found)]
    if not shown:
        return None
    every = pd.concat([found for _, found in shown], ignore_index=True)
    with style("papers-training"):
        figure = Figure(figsize=(WIDTH, 2.25 * len(shown) + 0.6), layout="constrained")
        grid = figure.subplots(len(shown), 4, squeeze=False)
        for line, (title, found) in zip(grid, shown, strict=True):
            keys = [(x, y) for y in Y for x in X]
            for place, (axes, (x, y)) in enumerate(zip(line, keys, strict=True)):
                _panel(axes, found, x, y)
                dress(axes, "x", X[x], numbers(every, x))
                dress(axes, "y", Y[y], numbers(found, y))
                frame(axes)
                axes.set(xlabel=X[x].label, ylabel=Y[y].label if place % 2 == 0 else "")
                axes.tick_params(labelleft=place % 2 == 0)
                axes.set_visible(bool(numbers(every, x) and numbers(found, y)))
            line[0].set_title(title)
        legend(figure, list(METHODS.values()), set(every["framework"]))
        svg = render(figure, "papers-training", _alt(shown))
    caption = (
        "Lines are means over seeds, bands reach from the least seed to the greatest; seconds are iterations times the "
        "median seconds of one step, without evaluations. Shared: one learning rate for both methods, as published. "
        "Tuned: each method at the rate of the grid whose final training loss is least. All axes are logarithmic."
    )
    data = every[[name for name in COLUMNS if name in every.columns]]
    return Drawing("papers-training", "Training by backprop and by forward gradient", svg, caption, data)


def _sets(records: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The panels of each data set, which names them where there are several."""
    sets = list(groups(records, "data")) if "data" in records.columns else [({}, records)]
    return [
        (f"{names.get('data', '')}: {title}" if len(sets) > 1 else title, found)
        for names, of_set in sets
        for title, found in _protocols(of_set)
    ]


def _protocols(records: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Shared: the runs at each rate. Tuned: of each framework and method the runs at its best rate."""
    found = [
        (f"shared rate {sig(float(runs_['rate'].iloc[0]), 1)}", runs_)
        for _, runs_ in groups(having(only(records, protocol="shared"), "rate"), "rate")
    ]
    tuned = [runs.best(of_one) for _, of_one in groups(only(records, protocol="tuned"), "framework", "method")]
    usable = [one for one in tuned if len(one)]
    return [*found, ("tuned rates", pd.concat(usable))] if usable else found


def _with_seconds(found: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Test error in percent, and seconds so far; both are missing where a step was not timed."""
    timed = having(records, "seconds")
    data = found.get("data", pd.Series(index=found.index, dtype=object))
    where = list(zip(found["framework"], data.map(value), found["method"], strict=True))
    each = {
        (framework, of_set, method): steps.seconds(_on(only(timed, framework=framework), of_set), str(method)).value
        for framework, of_set, method in dict.fromkeys(where)
    }
    iterations = pd.to_numeric(found["iteration"], errors="coerce")
    return found.assign(
        iteration=iterations,
        seconds=iterations * pd.Series([each[one] for one in where], index=found.index, dtype=float),
        loss=pd.to_numeric(found.get("loss"), errors="coerce"),
        error=100 * pd.to_numeric(found.get("test_error"), errors="coerce"),
    )


def _on(frame: pd.DataFrame, data: str) -> pd.DataFrame:
    """The records on one data set; all, where none is named."""
    return only(frame, data=data) if data else frame


def _panel(axes: Axes, found: pd.DataFrame, x: str, y: str) -> None:
    usable = found[(found[x] > 0) & (found[y] > 0)]
    for who, of_one in groups(usable, "framework", "method"):
        if who.get("method") in METHODS:
            shade, drawn = colour(METHODS[who["method"]]), pen(who["framework"], {})
            seeds = of_one.groupby(x)[y].agg(["mean", "min", "max"])
            axes.plot(seeds.index, seeds["mean"], color=shade, linestyle=drawn.line, linewidth=1.4)
            axes.fill_between(seeds.index, seeds["min"], seeds["max"], color=shade, alpha=0.2, linewidth=0)


def _alt(shown: list[tuple[str, pd.DataFrame]]) -> str:
    told = []
    for title, found in shown:
        for who, of_one in groups(found, "framework", "method"):
            curve = runs.curve(of_one)
            told.append(f"{title}, {', '.join(who.values())}: loss {sig(curve.loss)} after {curve.iterations:g} steps")
    return "Training loss and test error against iterations and seconds. " + "; ".join(told)
