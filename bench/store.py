"""Rows in a JSON lines file: appended one by one, safe against a kill at any byte, read back whole."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
STATUSES = frozenset({"ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a"})
DEFINITIVE = frozenset({"ok", "wrong", "n/a"})
"""Statuses that measuring again would not change."""

SKIPPED = "skipped after"
"""How the reason of a visit begins that was not made, since a smaller one took too much: a later run may try it."""

SCHEMA = 1
"""The version of the layout of rows."""

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
    a row is a row), or a damaged one, of which a field that is read here is not what it must be. A file that has lines
    and none of them a row is something else, and refused.
    """
    if not path.exists():
        return []
    rows, told = [], []
    lines = [(number, line) for number, line in enumerate(path.read_bytes().split(b"\n"), start=1) if line.strip()]
    for number, line in lines:
        try:
            row = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number)  # an editor may put a mark in front
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


def _no_number(constant: str) -> None:
    """NaN and the infinities, which ``append`` never writes."""
    raise ValueError(constant)


Check = Callable[[Any], bool]

LARGEST = 1e300
"""No number of a row comes near; larger ones overflow what is computed from them."""


def _text(value: Any) -> bool:
    """A text that can be printed: half of a surrogate pair cannot."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _status(value: Any) -> bool:
    return isinstance(value, str) and value in STATUSES


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _values(value: Any) -> bool:
    """Of the values that are read here: numbers, or nothing."""
    return isinstance(value, dict) and all(_number(value[name]) for name in VALUES if value.get(name) is not None)


def _samples(value: Any) -> bool:
    """Seconds of forwards and gradient calls, as many of these as of those; or none at all."""
    if not isinstance(value, dict) or not all(map(_list_of(_positive), value.values())):
        return False
    lengths = [len(value.get(name, ())) for name in ("forward_s", "gradient_s")]
    return not value or lengths[0] == lengths[1] > 0


def _record(value: Any) -> bool:
    """A flat table of numbers and texts; where it names a contender, with its cell, status and ratio."""
    if not isinstance(value, dict) or not all(one is None or _number(one) or _text(one) for one in value.values()):
        return False
    named = all(_text(value.get(name)) for name in ("contender", "cell", "status"))
    ratio = value.get("ratio")
    return "contender" not in value or (named and (ratio is None or _positive(ratio)))


def _pair(value: Any) -> bool:
    """What the gate's error rates keep of a pair of processes: its stage and status, and of a good one its times."""
    if not isinstance(value, dict) or not (_text(value.get("stage")) and _status(value.get("status"))):
        return False
    times = ("forward", "gradient", "R", "forward_s", "gradient_s")
    return value["status"] != "ok" or all(_positive(value.get(name)) for name in times)


VALUES = (
    *("peak_bytes", "forward_peak_bytes", "held_bytes", "flops", "forward_flops", "flop_ratio"),
    *("traffic", "forward_traffic", "gradient_error", "compile_s"),
)
"""Values of a visit that are computed with here."""

_MADE: Mapping[str, Check] = {"run": _text, "cell": _text, "measure": _text, "worker": _count, "status": _status}
NEEDED: Mapping[str, Mapping[str, Check]] = {
    "run": {"run": _text},
    "visit": _MADE,
    "part": {**_MADE, "reason": _text, "framework": _text, "records": _list_of(_record)},
    "verdict": {"run": _text},
    "gate": {"run": _text},
    "turns": {"run": _text, "stage": _text, "status": _status},
    "rate": {
        **{"name": _text, "number": _count, "cell": _text, "status": _count, "seconds": _number},
        **{"caught": lambda value: isinstance(value, bool), "pairs": _list_of(_pair)},
    },
}
"""What the kinds of rows must have to be of use here."""

WHOLE: Mapping[str, Mapping[str, Check]] = {
    "run": {"impls": _text},
    "visit": {"reason": _text, "samples": _samples, "values": _values},
}
"""What they must have besides where they say which schema they have, and be where they have it."""


def _is_row(row: Any) -> bool:
    kind = row.get("kind") if isinstance(row, dict) else None
    if (
        not isinstance(kind, str)
        or kind not in NEEDED
        or not all(fit(row.get(one)) for one, fit in NEEDED[kind].items())
    ):
        return False
    if "schema" in row and (type(row["schema"]) is not int or row["schema"] != SCHEMA):
        return False
    whole = WHOLE.get(kind, {})
    if not all(fit(row.get(name)) for name, fit in whole.items() if name in row or "schema" in row):
        return False
    timed = kind == "visit" and row["measure"] == "time" and row["status"] == "ok"
    return not timed or "schema" not in row or bool(row["samples"])


def same(rows: list[Row], key: Mapping[str, Any], kinds: Collection[str] = ("visit",)) -> list[Row]:
    """The visits, or rows of other ``kinds``, of all runs that have ``key`` (see ``KEY``), in order."""
    runs = {row["run"] for row in rows if row["kind"] == "run" and all(row.get(name) == key.get(name) for name in KEY)}
    return [row for row in rows if row["kind"] in kinds and row["run"] in runs]


def done(
    path: Path, key: Mapping[str, Any], since: int = 0, notes: list[str] | None = None
) -> set[tuple[str, str, int]]:
    """Which ``(cell, measure, worker)`` need no second visit under ``key``: measured, or failed for good, by a run
    that began with row ``since`` or later. ``notes``: see ``read``."""
    return {
        (row["cell"], row["measure"], row["worker"])
        for row in same(read(path, notes)[since:], key, ("visit", "part"))
        if row["status"] in DEFINITIVE and not row.get("reason", "").startswith(SKIPPED)
    }
