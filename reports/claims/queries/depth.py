"""Baydin, figure 6: R_f ÷ R_b and memory of nets of equal layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, log

from bench.stats import Estimate, centre, exactly
from reports.claims.claim import Case, case
from reports.claims.pairs import Pair, alike, doubt, known, method, pairs
from reports.claims.queries.models import TANGENTS
from reports.claims.scope import of_cells
from reports.claims.select import Row, having, only, ran, rows, value
from reports.claims.sizes import NET, noted, unlike
from reports.numbers import number
from reports.papers import Papers

Conditions = dict[str, str]

EVEN = 1e-9
"""Logarithm of a ratio that nobody can tell from 1."""


@dataclass(frozen=True)
class _Line:
    """Each worker's R_f ÷ R_b by depth, and what tells it from the others of its conditions."""

    conditions: Conditions
    note: str
    ratios: dict[float, dict[int, float]]
    pairs: dict[float, Pair]

    def case(self, conditions: Conditions, found: Estimate, note: str, *depths: float) -> Case:
        """A case of the nets of some depths."""
        cells = [row for depth in depths for row in (self.pairs[depth].above, self.pairs[depth].below)]
        scope = of_cells(*cells, workers=found.samples)
        return case(self.conditions | conditions, found, note=note, scope=scope, doubt=doubt(*cells))


def _along_depth(papers: Papers) -> list[_Line]:
    """For each framework, kind of tangents and width."""
    found: dict[tuple[str, ...], _Line] = {}
    timed = having(papers.cells("depth"), "R")
    for tangents, words in TANGENTS.items():
        for cells in alike(timed):
            for pair in pairs(cells, method("forward_gradient", tangents=tangents), method("backprop")):
                one, other = papers.by_worker(pair.above["cell"]), papers.by_worker(pair.below["cell"])
                sizes, note = pair.above["sizes"], unlike(pair.above, NET)
                depth, width = number(sizes.get("depth")), value(sizes.get("width"))
                of_depth = {worker: one[worker] / other[worker] for worker in one if worker in other}
                if isfinite(depth) and of_depth:
                    where = {"framework": pair.framework(), "tangents": words, "width": width}
                    line = found.setdefault((*where.values(), note), _Line(where, note, {}, {}))
                    line.ratios[depth], line.pairs[depth] = of_depth, pair
    return [replace(line, ratios=dict(sorted(line.ratios.items()))) for line in found.values()]


def faster_along_depth(papers: Papers) -> list[Case]:
    """R_f ÷ R_b at every depth."""
    return [
        line.case({"depth": value(depth)}, centre(ratios.values()), line.note, depth)
        for line in _along_depth(papers)
        for depth, ratios in line.ratios.items()
    ]


def rise(papers: Papers) -> list[Case]:
    """Of each net the lesser of two: R_f ÷ R_b of the deepest ÷ that of the shallowest, above 1 where it rises; and
    |log| of the shallowest ÷ |log| of the deepest, above 1 where it comes nearer to 1. For each worker first."""
    found = []
    for line in _along_depth(papers):
        if len(line.ratios) > 1:
            first, *_, last = line.ratios
            shallow, deep = line.ratios[first], line.ratios[last]
            both = [(one, deep[worker]) for worker, one in shallow.items() if worker in deep]
            ends = centre(shallow.values()).value, centre(deep.values()).value
            note = noted(f"{ends[0]:.3g} at depth {value(first)}, {ends[1]:.3g} at {value(last)}", line.note)
            lesser = [min(two / one, abs(log(one)) / max(abs(log(two)), EVEN)) for one, two in both]
            found.append(line.case({}, centre(lesser), note, first, last))
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
            others = [(_total(row), TANGENTS.get(row["options"].get("tangents"), ""), [row]) for row in cells]
            same = only(drawn_again, framework=base["framework"], depth=depth, width=width, batch=batch)
            others += [(_total(row | {"options": {}}), "tangents drawn again", []) for row in rows(same)]
            where = {
                "depth": value(depth),
                "width": value(width),
                "batch ÷ width": value(batch / width if width else 0.0),
            }
            found += [
                case(
                    {"framework": ran(base), "tangents": words} | where,
                    exactly(total / below),
                    scope=of_cells(base, *own),
                )
                for total, words, own in others
                if words and below > 0
            ]
    return known(found)


def _total(row: Row) -> float:
    """Tangents that are given are there beside the parameters; sampled ones are newly allocated."""
    given = number(row.get("tangent_bytes")) if row["options"].get("tangents") == "given" else 0.0
    return number(row.get("parameter_bytes")) + number(row.get("peak_bytes")) + given
