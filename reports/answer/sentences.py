"""What holds in every framework that was measured: at most four sentences, each computed, none written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, sqrt

import pandas as pd

from reports.answer.memory_order import flat, grows
from reports.answer.names import both, listed
from reports.answer.rule import Decision, Rule
from reports.below_one import no_unit
from reports.headline import Record
from reports.labels import order, place
from reports.numbers import sig
from reports.sweeps import UNITS, Line

Decided = Sequence[tuple[Rule, Mapping[str, Decision]]]
"""The decision of each situation and runner."""


def sentences(frame: pd.DataFrame, swept: Sequence[Line], decided: Decided) -> list[str]:
    """Those that the data carry, in their order."""
    rows = frame[frame["status"] == "ok"].to_dict("records")
    found = [agreement(decided), memory(swept), jfb(rows), random(rows)]
    return [one for one in found if one]


def agreement(decided: Decided) -> str:
    """In how many situations all runners name the same methods, of those that two or more decide; a method that had no
    rival agrees with nobody."""
    shared = [(rule, [one.methods for one in of.values() if one.winners and not one.lone]) for rule, of in decided]
    shared = [(rule, methods) for rule, methods in shared if len(methods) > 1]
    if not shared:
        return ""
    apart = [rule.title for rule, methods in shared if len(set(methods)) > 1]
    runners = sorted({runner for _, of in decided for runner, one in of.items() if one.winners}, key=place)
    who = both(runners)
    if not apart:
        many = f"all {len(shared)} situations that they share" if len(shared) > 1 else "the one situation they share"
        return f"{who} name the same methods in {many}."
    same = f"in {len(shared) - len(apart)} of {len(shared)} situations that they share"
    return f"{who} name the same methods {same}; they differ in: {'; '.join(apart)}."


def memory(swept: Sequence[Line]) -> str:
    """Which methods' peaks are flat along an axis in every sweep of every runner, and which grow at every point."""
    told = [(one, _runners_of(swept, axis)) for axis in UNITS for one in _along(swept, axis)]
    runners = {where for _, where in told}
    if len(runners) == 1:  # said once, at the end
        told = [*((one, "") for one, _ in told[:-1]), told[-1]]
    clauses = [one + (f", in {where}" if where else "") for one, where in told]
    return f"Peak memory {both(clauses)}." if clauses else ""


def _along(swept: Sequence[Line], axis: str) -> list[str]:
    """``grows with depth for backprop``, ``stays the same to the byte as K grows for JFB``; those that hold."""
    ours = [line for line in swept if line.axis == axis]
    names = sorted({line.label for line in ours}, key=order)
    level = [name for name in names if all(flat(line) for line in ours if line.label == name)]
    up = [name for name in names if all(grows(line) for line in ours if line.label == name)]
    told = [f"grows with {axis} for {listed(up)}"] if up else []
    return [*told, f"stays the same to the byte as {axis} grows for {listed(level)}"] if level else told


def jfb(rows: Sequence[Record]) -> str:
    """Cost and error of JFB over all cells of backprop, and how the error moves where K alone does."""
    ours = [row for row in rows if row["label"] == "JFB"]
    errors = [row["gradient_error"] for row in ours if isfinite(row["gradient_error"])]
    if not errors:
        return ""
    costs = [row["R"] for row in ours if isfinite(row["R"]) and not no_unit(row)]
    cost = f"JFB takes {_range(costs)} forwards (R), and its" if costs else "JFB’s"
    return f"{cost} gradient error is {_range(errors)} in {both(_runners(ours))}{_along_steps(ours)}."


def random(rows: Sequence[Record]) -> str:
    """The error of one draw of tangents beside √n."""
    ours = [row for row in rows if row["gradient"] == "forward_gradient" and row["options"].get("count", 1) == 1]
    shares = [
        row["gradient_error"] / sqrt(row["parameters"])
        for row in ours
        if row["parameters"] > 0 and isfinite(row["gradient_error"])
    ]
    if not shares:
        return ""
    return (
        f"A forward gradient is unbiased, but the error of one draw is {_range(shares, 2)} times √n for n parameters "
        f"in {both(_runners(ours))}."
    )


def _along_steps(rows: Sequence[Record]) -> str:
    """The errors at the fewest and at the most steps, where cells differ in K alone; of several such, the longest."""
    apart: dict[str, dict[int, float]] = {}
    for row in rows:
        K = row["options"].get("K")
        if isinstance(K, int) and isfinite(row["gradient_error"]):
            others = {name: value for name, value in row["options"].items() if name != "K"}
            alike = [str(row[name]) for name in ("runner", "problem", "sizes", "dtype", "device", "seed")]
            apart.setdefault(" ".join([*alike, str(others)]), {})[K] = row["gradient_error"]
    longest = max(apart.values(), key=lambda errors: max(errors) / max(min(errors), 1), default={})
    if len(longest) < 2:
        return ""
    few, many = min(longest), max(longest)
    if sig(longest[few]) == sig(longest[many]):
        return f"; from K = {few} to {many} it stays at {sig(longest[few])}"
    return f"; from K = {few} to {many} it goes from {sig(longest[few])} to {sig(longest[many])}"


def _runners(rows: Sequence[Record]) -> list[str]:
    return sorted({row["runner"] for row in rows}, key=place)


def _runners_of(swept: Sequence[Line], axis: str) -> str:
    return both(sorted({line.runner for line in swept if line.axis == axis}, key=place))


def _range(values: Sequence[float], digits: int = 3) -> str:
    low, high = sig(min(values), digits), sig(max(values), digits)
    return low if low == high else f"{low} to {high}"
