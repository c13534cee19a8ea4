"""Rows in a JSON lines file: appended one by one, safe against a kill at any byte, read back whole."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
DEFINITIVE = frozenset({"ok", "wrong", "n/a"})
"""Statuses that measuring again would not change."""

SKIPPED = "skipped after"
"""How the reason of a visit begins that was not made, since a smaller one took too much: a later run may try it."""

KEY = ("impls", "bench", "versions", "machine")
"""What two runs must have in common for the numbers of one to stand for the other's."""


def location(preset: str, commit: str | None, dirty: bool, root: Path = Path("results")) -> Path:
    """Where rows of a preset go: under their commit, or under ``local`` when they belong to none."""
    return root / ("local" if dirty or commit is None else commit[:12]) / f"{preset}.jsonl"


def plain(value: Any) -> Any:
    """The value in plain JSON types: NaN and infinities become None, array scalars Python numbers."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add one row; when this returns it is on the disk.

    A line that a killed writer left unfinished is closed first, so that it spoils no other.
    """
    line = json.dumps(plain(row), allow_nan=False).encode("ascii") + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, notes: list[str] | None = None) -> list[Row]:
    """All rows of a file, none where there is no file.

    A line that is no row is skipped, and named in ``notes``: one that a killed writer left unfinished (no beginning of
    a row is a row), or a damaged one. A file that has lines and none of them a row is something else, and refused.
    """
    if not path.exists():
        return []
    rows, told = [], []
    lines = [(number, line) for number, line in enumerate(path.read_bytes().split(b"\n"), start=1) if line.strip()]
    for number, line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if _is_row(row):
            rows.append(row)
        else:
            told.append(f"Line {number} of {path.name} is no row of results and is skipped.")
    if lines and not rows and not all(line.startswith(b'{"kind"') for _, line in lines):
        raise ValueError(f"{path.name} holds no row of results: give a file that `python -m bench run` wrote.")
    if notes is not None:
        notes += told
    return rows


NEEDED: Mapping[str, Mapping[str, type]] = {
    "run": {"run": str},
    "visit": {"run": str, "cell": str, "measure": str, "worker": int, "status": str},
    "part": {"run": str, "cell": str, "measure": str, "worker": int, "status": str},
    "verdict": {"run": str},
}
"""What the kinds of rows must have to be of use here."""


def _is_row(row: Any) -> bool:
    needed = NEEDED.get(str(row.get("kind"))) if isinstance(row, dict) else None
    return needed is not None and all(isinstance(row.get(name), kind) for name, kind in needed.items())


def same(rows: list[Row], key: Mapping[str, Any], kinds: Collection[str] = ("visit",)) -> list[Row]:
    """The visits, or rows of other ``kinds``, of all runs that have ``key`` (see ``KEY``), in order."""
    runs = {row["run"] for row in rows if row["kind"] == "run" and all(row.get(name) == key.get(name) for name in KEY)}
    return [row for row in rows if row["kind"] in kinds and row["run"] in runs]


def done(path: Path, key: Mapping[str, Any], since: int = 0) -> set[tuple[str, str, int]]:
    """Which ``(cell, measure, worker)`` need no second visit under ``key``: measured, or failed for good, by a run
    that began with row ``since`` or later."""
    return {
        (row["cell"], row["measure"], row["worker"])
        for row in same(read(path)[since:], key, ("visit", "part"))
        if row["status"] in DEFINITIVE and not row.get("reason", "").startswith(SKIPPED)
    }
