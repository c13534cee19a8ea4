"""Bytes against iterations or layers: exact slopes, and growth from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isfinite, nan

from bench.stats import Estimate, exactly
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.scope import Scope, of_cells
from reports.claims.select import Row, having, ran, rows, value
from reports.numbers import number, size
from reports.papers import Papers

SETTLED = 5
"""Evaluations of step from which on bytes are compared: XLA makes no loop of a single one, and plans it otherwise."""

DEEP = 3
"""Layers from which on bytes are compared: the net of a single one has no hidden layer."""

Line = list[tuple[float, float]]
"""Points of K, or depth, and bytes, in order; two or more."""


def _lines(papers: Papers, experiment: str, axis: str, column: str = "peak_bytes") -> Iterator[tuple[Row, Line, Scope]]:
    """For each framework, method and size but the axis: bytes along the axis, with the first cell and all in scope."""
    found: dict[tuple[str, ...], tuple[Row, Line, list[Row]]] = {}
    for row in rows(having(papers.cells(experiment), column)):
        settings = row["sizes"] | row["options"]
        other = sorted((name, str(one)) for name, one in settings.items() if name != axis)
        here = number(settings.get(axis))
        if isfinite(here):
            key = ran(row), row["label"], row["problem"], row["device"], str(other)
            _, line, cells = found.setdefault(key, (row, [], []))
            line.append((here, number(row[column])))
            cells.append(row)
    for row, line, cells in found.values():
        if len(line) > 1:
            yield row, sorted(line), of_cells(*cells)


def _slope(line: Line) -> Estimate:
    """Bytes a step from the first point to the last; its interval is the least and greatest between neighbours."""
    steps = [(after - before) / (there - here) for (here, before), (there, after) in pairwise(line) if there > here]
    if len(line) < 2:
        return Estimate(nan, nan, nan, len(line))
    (first, least), (last, most) = line[0], line[-1]
    overall = (most - least) / (last - first) if last > first else nan
    return Estimate(overall, min(steps, default=nan), max(steps, default=nan), len(line))


def slopes(papers: Papers) -> list[Case]:
    """Bytes a step of the implicit methods along K."""
    found = []
    for row, line, scope in _lines(papers, "memory_steps", "K"):
        settled = [point for point in line if point[0] >= SETTLED]
        if row["method"] in ("ift", "jfb") and len(settled) > 1:
            note = f"from K = {settled[0][0]:g} to {settled[-1][0]:g}"
            found.append(case(_named(row), _slope(settled), "B a step", note, scope=scope))
    return found


def layers(papers: Papers) -> list[Case]:
    """Bytes a layer that a net holds for backprop."""
    return [
        case({"framework": ran(row), "width": value(row["sizes"].get("width"))}, _slope(line), "B a layer", scope=scope)
        for row, line, scope in _lines(papers, "depth", "depth", "held_bytes")
        if row["method"] == "backprop"
    ]


def straightness(papers: Papers) -> list[Case]:
    """Unrolled: bytes a step between the last two K ÷ between the first two; 1 on a straight line."""
    unrolled = [found for found in _lines(papers, "memory_steps", "K") if found[0]["method"] == "unrolled"]
    return known([_bend({"framework": ran(row)}, line, SETTLED, "K", scope) for row, line, scope in unrolled])


def straight_layers(papers: Papers) -> list[Case]:
    """The same of bytes a layer that a net holds for backprop, along the depth."""
    found = []
    for row, line, scope in _lines(papers, "depth", "depth", "held_bytes"):
        if row["method"] == "backprop":
            where = {"framework": ran(row), "width": value(row["sizes"].get("width"))}
            found.append(_bend(where, line, DEEP, "depth", scope))
    return known(found)


def _bend(conditions: dict[str, str], line: Line, settled: float, axis: str, scope: Scope) -> Case:
    points = [point for point in line if point[0] >= settled]
    first, last = _slope(points[:2]).value if len(points) > 2 else nan, _slope(points[-2:]).value
    return case(conditions, exactly(last / first if first else nan), note=_ends(line, axis), scope=scope)


def growth(papers: Papers, method: str) -> list[Case]:
    """Peak bytes of a method at the largest K ÷ at the smallest."""
    found = []
    for row, line, scope in _lines(papers, "memory_steps", "K"):
        (_, least), (_, most) = line[0], line[-1]
        if row["method"] == method and least > 0:
            found.append(case(_named(row), exactly(most / least), note=_ends(line), scope=scope))
    return found


def _named(row: Row) -> dict[str, str]:
    return {"framework": ran(row), "method": row["label"]}


def _ends(line: Line, axis: str = "K") -> str:
    (first, least), (last, most) = line[0], line[-1]
    return f"{size(least)} at {axis} = {first:g}, {size(most)} at {last:g}"
