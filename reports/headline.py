"""The rows of the headline table: cells that were timed, by problem, method and framework."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any

import pandas as pd

from reports.labels import order, place, settings
from reports.numbers import DASH, number, sig

Record = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """One problem at one size on one device, in one dtype, from one seed, and its timed cells in order."""

    problem: str
    sizes: dict[str, Any]
    dtype: str
    device: str
    seed: int
    rows: list[Record]
    apart: dict[str, Any] = field(default_factory=dict)
    """The sizes that tell this group from others of its problem."""

    @property
    def title(self) -> str:
        """The problem, with what tells it from others of its name, and the device where it is not the processor."""
        name = ", ".join(filter(None, (self.problem, settings(self.apart))))
        return name if self.device == "cpu" else f"{name} on {self.device}"

    @property
    def counted(self) -> bool:
        """Whether the work of any cell was counted, or derived by hand."""
        return any(not isnan(row[name]) for row in self.rows for name in ("counted_flop_ratio", "flop_ratio"))

    @property
    def moved(self) -> bool:
        """Whether the memory traffic of any cell was counted."""
        return any(not isnan(row["traffic_ratio"]) for row in self.rows)

    @property
    def contraction(self) -> str:
        """How strongly the step contracts at the fixed point, in one sentence; empty where nobody measured it."""
        norm, radius = (_range([row[name] for row in self.rows]) for name in ("jacobian_norm", "spectral_radius"))
        if not norm and not radius:
            return ""
        gamma = f"γ = {sig(number(self.sizes['gamma']))} by construction" if "gamma" in self.sizes else "No γ is given"
        return f"{gamma}; measured at the fixed point: ‖J(z*)‖₂ = {norm or DASH}, ρ(J(z*)) = {radius or DASH}."

    @property
    def about(self) -> str:
        """Sizes, dtype and device in one line."""
        place = f"{self.dtype} on {self.device}"
        text = ", ".join(filter(None, (settings(self.sizes), place)))
        return f"{text}, seed {self.seed}" if self.seed else text

    @property
    def methods(self) -> list[tuple[str, str, list[Record]]]:
        """Name, options and rows of each method; a method with two sets of options stands twice."""
        found: dict[tuple[str, str], list[Record]] = {}
        for row in self.rows:
            found.setdefault((row["label"], options(row)), []).append(row)
        return [(name, chosen, rows) for (name, chosen), rows in found.items()]


def groups(frame: pd.DataFrame) -> list[Group]:
    """All groups, in the order in which their problems were first measured.

    A cell that failed before its problem was built knows only the sizes it was given: it belongs to the group
    whose sizes agree with those.
    """
    found: list[Group] = []
    timed = frame[(frame["time_status"] != "") & (frame["device"] != "meta")].to_dict("records")
    for row in sorted(timed, key=lambda row: -len(row["sizes"])):
        home = next((group for group in found if _belongs(row, group)), None)
        if home is None:
            home = Group(row["problem"], row["sizes"], row["dtype"], row["device"], row["seed"], [])
            found.append(home)
        home.rows.append(row)
    for group in found:
        group.rows.sort(key=lambda row: (order(row["label"]), options(row), place(row["runner"])))
    first = {row["problem"]: place for place, row in reversed(list(enumerate(timed)))}
    return [_told_apart(group, found) for group in sorted(found, key=lambda group: first[group.problem])]


def by_steps(groups: list[Group]) -> list[Group]:
    """The groups, those with forward solves of several lengths K cut into one for each: R is in forwards of its own
    length, so methods compare at one K alone."""
    found = []
    for group in groups:
        lengths = sorted({row["options"].get("K", 0) for row in group.rows}, key=lambda K: (str(type(K)), K))
        for K in lengths:
            rows = [row for row in group.rows if row["options"].get("K", 0) == K]
            told = {"K": K} if len(lengths) > 1 else {}
            found.append(replace(group, rows=rows, apart=group.apart | told))
    return found


def options(row: Record) -> str:
    """The options that the method's name does not tell already."""
    return settings(row["options"], without=("linear_solver", "tangents"))


def _told_apart(group: Group, found: list[Group]) -> Group:
    """The group with the sizes in which others of its problem differ from it."""
    others = [one.sizes for one in found if one.problem == group.problem]
    apart = {name: value for name, value in group.sizes.items() if any(one.get(name, value) != value for one in others)}
    return replace(group, apart=apart)


def _range(values: list[float]) -> str:
    """One number where all that are known agree in three digits, else the smallest and the largest."""
    known = [value for value in values if not isnan(value)]
    if not known:
        return ""
    low, high = sig(min(known)), sig(max(known))
    return low if low == high else f"{low} to {high}"


def _belongs(row: Record, group: Group) -> bool:
    """Whether a cell is of the problem, the sizes and the place of a group."""
    same = all(row[name] == getattr(group, name) for name in ("problem", "dtype", "device", "seed"))
    return same and row["sizes"].items() <= group.sizes.items()
