"""The committed settings: of every contender and cell the options that the search found, or why there are none.

One JSON line each, sorted. There are no times in it: which of the options that are right enough is cheapest was timed,
and what they take is measured by the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bench.cells import Value
from bench.peers.cells import PeerCell
from bench.rows import PartRow, Visited

PATH = Path(__file__).with_name("settings.jsonl")

Amount = Annotated[float, Meta(ge=0, le=1e300)]


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """level: the error to be reached. error: the one reached, the best one where that is not enough. K: evaluations of
    step in the forward solve. package: the library with its version."""

    cell: str
    framework: str
    contender: str
    method: str
    level: Amount
    status: Literal["ok", "failed", "n/a"]
    reason: str = ""
    K: int | None = None
    options: dict[str, Value] = {}
    error: Amount | None = None
    package: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.cell, self.framework, self.contender

    @property
    def words(self) -> str:
        """The options as text, such as ``M=12 linear_solver=picard``."""
        return " ".join(f"{name}={value}" for name, value in sorted(self.options.items()))

    def as_record(self) -> dict[str, Any]:
        """Flat, as a row of an experiment's table has to be."""
        return {**msgspec.structs.asdict(self), "options": json.dumps(self.options, sort_keys=True)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Setting:
        """The line of ``as_record``; ``ValueError`` for a record that is none."""
        try:
            return msgspec.convert({**record, "options": json.loads(record["options"])}, cls)
        except (KeyError, TypeError, ValueError, RecursionError):
            raise ValueError(
                "A row of the search holds a record that is no setting of a contender: run it again with --fresh."
            ) from None


def read(path: Path = PATH) -> dict[tuple[str, str, str], Setting]:
    """All lines of a file by cell, framework and contender; none where there is no file. ``ValueError`` for a line that
    is no setting."""
    found = {}
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            one = msgspec.json.decode(line, type=Setting)
        except (msgspec.DecodeError, RecursionError):
            raise ValueError(
                f"Setting {number} of {path.name} is no setting of a contender: make the file again with "
                "`gradratio peers --search`."
            ) from None
        found[one.key] = one
    return found


def of_cell(cell: PeerCell, framework: str, path: Path = PATH) -> dict[str, Setting]:
    """The lines of one cell by contender. ``ValueError`` where the search has not been there."""
    found = {
        line.contender: line for line in read(path).values() if (line.cell, line.framework) == (cell.name, framework)
    }
    if not found:
        raise ValueError(
            f"{path.name} has no line for {cell.name} in {framework}: run `gradratio peers --search` with it."
        )
    return found


def write(lines: Iterable[Setting], path: Path = PATH) -> None:
    """Put lines into the file, each in the place of an older one of its cell, framework and contender."""
    kept = read(path) | {line.key: line for line in lines}
    texts = [json.dumps(msgspec.structs.asdict(kept[key]), sort_keys=True) for key in sorted(kept)]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def keep(row: Visited) -> None:
    """Put into the file what a part of the search has found, where it came out well."""
    if isinstance(row, PartRow) and row.status == "ok":
        write(Setting.of_record(record) for record in row.records)


def require_settings(chosen: Sequence[PeerCell], frameworks: Sequence[str], preset: str) -> None:
    """``ValueError`` where the search has not been to all of the cells."""
    known = {(line.cell, line.framework) for line in read().values()}
    missing = [(cell.name, name) for name in frameworks for cell in chosen if (cell.name, name) not in known]
    if missing:
        raise ValueError(
            f"{len(missing)} cells of {preset!r} have no settings, such as {missing[0][0]} in {missing[0][1]}: run "
            f"`gradratio peers --search --preset {preset}` first."
        )
