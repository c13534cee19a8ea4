"""The rows of the headline table: cells that were timed, by problem, method and framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.labels import order, settings

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
    timed = frame[frame["time_status"] != ""].to_dict("records")
    for row in sorted(timed, key=lambda row: -len(row["sizes"])):
        home = next((group for group in found if _belongs(row, group)), None)
        if home is None:
            home = Group(row["problem"], row["sizes"], row["dtype"], row["device"], row["seed"], [])
            found.append(home)
        home.rows.append(row)
    for group in found:
        group.rows.sort(key=lambda row: (order(row["label"]), options(row), _framework(row), row["mode"]))
    first = {row["problem"]: place for place, row in reversed(list(enumerate(timed)))}
    return sorted(found, key=lambda group: first[group.problem])


def options(row: Record) -> str:
    """The options that the method's name does not tell already."""
    return settings(row["options"], without=("linear_solver", "tangents"))


def _framework(row: Record) -> int:
    """torch, then jax, then others."""
    return {"torch": 0, "jax": 1}.get(row["framework"], 2)


def _belongs(row: Record, group: Group) -> bool:
    """Whether a cell is of the problem, the sizes and the place of a group."""
    same = all(row[name] == getattr(group, name) for name in ("problem", "dtype", "device", "seed"))
    return same and row["sizes"].items() <= group.sizes.items()
