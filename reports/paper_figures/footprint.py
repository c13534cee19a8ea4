"""Memory of nets of equal layers in copies of their parameters: against batch ÷ width, and against depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reports.claims.select import Row, having, only, ran, rows
from reports.draw import Drawing
from reports.labels import COLOURS, place
from reports.numbers import number
from reports.paper_figures.cells import cells
from reports.paper_figures.cells import named as method
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

BACKPROP, GIVEN, SAMPLED, AGAIN = "backprop", "tangents given", "tangents sampled", "tangents drawn again"
NAMES = {"backprop": BACKPROP, "forward gradient, tangents given": GIVEN, "forward gradient": SAMPLED}
COLOUR = dict(zip((BACKPROP, GIVEN, SAMPLED, AGAIN), (*(COLOURS[name] for name in NAMES), COLOURS["JFB"]), strict=True))

BATCH = Look(
    "papers-depth-batch",
    "Memory of nets against batch",
    "Bytes at the peak of a gradient: the parameters, tangents that are given, and all that the call newly allocates; "
    "divided by the bytes of the parameters, both axes logarithmic. Forward gradient keeps its tangents (given), "
    "samples them in the call, or draws each layer’s again from its seed. Far to the left copies of the parameters are "
    "all there is to see; to the right the activations that backprop stores grow with the batch. Counted exactly.",
    Axis("batch ÷ width"),
    {"": Axis("bytes ÷ bytes of parameters", reach=(1,))},
    COLOUR,
)
DEPTH = replace(
    BATCH,
    name="papers-depth-memory",
    title="Memory of nets against depth",
    caption="The same bytes at one batch, from shapes alone: at many layers of large weights both modes are a few "
    "copies of the parameters.",
    x=Axis("depth (layers)", each=True),
)


def batch(papers: Papers) -> Drawing | None:
    """A panel a framework and net, a line a way of holding tangents, along the batch."""
    found = [
        Point(label, ran(row), batch_ / width, share, panel=f"{ran(row)}, {depth:g} layers, width {width:g}")
        for row, label, share in [*_cells(papers), *_again(papers)]
        for depth, width, batch_ in [_shape(row)]
        if width > 0
    ]
    return lines(BATCH, _swept(found))


def depth(papers: Papers) -> Drawing | None:
    """A panel a framework and width, along the depth."""
    found = [
        Point(label, ran(row), depth_, share, panel=f"{ran(row)}, width {width:g}, batch {batch_:g}")
        for row, label, share in _cells(papers)
        for depth_, width, batch_ in [_shape(row)]
        if row["device"] == "meta"
    ]
    return lines(DEPTH, _swept(found))


def _shape(row: Row) -> tuple[float, float, float]:
    """Depth, width and batch; of a cell or of a record."""
    values = row.get("sizes", row)
    depth_, width, batch_ = (number(values.get(name)) for name in ("depth", "width", "batch"))
    return depth_, width, batch_


def _cells(papers: Papers) -> Iterator[tuple[Row, str, float]]:
    """Each cell with its name, and its bytes ÷ those of its parameters."""
    for row in cells(papers, "depth", "peak_bytes"):
        parameters, label = number(row["parameter_bytes"]), NAMES.get(method(row))
        given = number(row["tangent_bytes"]) if label == GIVEN else 0.0
        if label and parameters > 0:
            yield row, label, (parameters + number(row["peak_bytes"]) + given) / parameters


def _again(papers: Papers) -> Iterator[tuple[Row, str, float]]:
    """Updates whose tangents are drawn again; one changes its parameters in place."""
    for row in rows(having(only(papers.records("depth"), what="replayed"), "peak_bytes")):
        parameters = number(row.get("parameter_bytes"))
        if parameters > 0:
            yield row, AGAIN, 1 + number(row["peak_bytes"]) / parameters


def _swept(points: Sequence[Point]) -> list[Point]:
    """The panels in which something varies, each point once."""
    places: dict[str, set[float]] = {}
    for point in points:
        places.setdefault(point.panel, set()).add(point.x)
    once = {(point.panel, point.label, point.x): point for point in points if len(places[point.panel]) > 1}
    return sorted(once.values(), key=lambda point: (point.panel.partition(", ")[2], place(point.runner)))
