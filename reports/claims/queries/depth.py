"""Baydin, figure 6: R_f ÷ R_b and memory of nets of equal layers."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from reports.claims.claim import Case, case
from reports.claims.pairs import alike, known, method, pairs
from reports.claims.queries.models import TANGENTS
from reports.claims.select import Row, having, only, ran, rows, value
from reports.intervals import centre, exactly
from reports.papers import Papers
from reports.rows import number

Conditions = dict[str, str]


def _along_depth(papers: Papers) -> Iterator[tuple[Conditions, dict[float, dict[int, float]]]]:
    """For each framework and kind of tangents: by depth each worker's R_f ÷ R_b."""
    timed = having(papers.cells("depth"), "R")
    for tangents, words in TANGENTS.items():
        found: dict[str, dict[float, dict[int, float]]] = {}
        for cells in alike(timed):
            for pair in pairs(cells, method("forward_gradient", tangents=tangents), method("backprop")):
                one, other = papers.by_worker(pair.above["cell"]), papers.by_worker(pair.below["cell"])
                depth = number(pair.above["sizes"].get("depth"))
                of_depth = {worker: one[worker] / other[worker] for worker in one if worker in other}
                if isfinite(depth) and of_depth:
                    found.setdefault(pair.framework(), {})[depth] = of_depth
        for framework, ratios in found.items():
            yield {"framework": framework, "tangents": words}, dict(sorted(ratios.items()))


def faster_along_depth(papers: Papers) -> list[Case]:
    """R_f ÷ R_b at every depth."""
    return [
        case(conditions | {"depth": value(depth)}, centre(ratios.values()))
        for conditions, along in _along_depth(papers)
        for depth, ratios in along.items()
    ]


def rise(papers: Papers) -> list[Case]:
    """R_f ÷ R_b of the deepest net ÷ that of the shallowest, for each worker first."""
    found = []
    for conditions, along in _along_depth(papers):
        if len(along) > 1:
            first, last = next(iter(along)), list(along)[-1]
            ratios = {
                worker: along[last][worker] / one for worker, one in along[first].items() if worker in along[last]
            }
            ends = [value_ for value_ in (centre(along[first].values()).value, centre(along[last].values()).value)]
            note = f"{ends[0]:.3g} at depth {value(first)}, {ends[1]:.3g} at {value(last)}"
            found.append(case(conditions, centre(ratios.values()), note=note))
    return found


def memory(papers: Papers) -> list[Case]:
    """Bytes of forward gradient ÷ those of backprop: parameters, stored tangents, and what a call newly allocates."""
    found = []
    drawn_again = having(only(papers.records("depth"), what="replayed"), "peak_bytes")
    for cells in alike(having(papers.cells("depth"), "peak_bytes")):
        for base in filter(method("backprop"), cells):
            sizes = base["sizes"]
            depth, width, batch = (number(sizes.get(name)) for name in ("depth", "width", "batch"))
            below = number(base.get("parameter_bytes")) + number(base.get("peak_bytes"))
            others = [(_total(row), TANGENTS.get(row["options"].get("tangents"), "")) for row in cells]
            same = only(drawn_again, framework=base["framework"], depth=depth, width=width, batch=batch)
            others += [(_total(row | {"options": {}}), "tangents drawn again") for row in rows(same)]
            where = {
                "depth": value(depth),
                "width": value(width),
                "batch ÷ width": value(batch / width if width else 0.0),
            }
            found += [
                case({"framework": ran(base), "tangents": words} | where, exactly(total / below))
                for total, words in others
                if words and below > 0
            ]
    return known(found)


def _total(row: Row) -> float:
    """Tangents that are given are there beside the parameters; sampled ones are newly allocated."""
    given = number(row.get("tangent_bytes")) if row["options"].get("tangents") == "given" else 0.0
    return number(row.get("parameter_bytes")) + number(row.get("peak_bytes")) + given
