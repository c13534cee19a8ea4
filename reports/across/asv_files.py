"""asv's result files, version 2 of their layout, read without asv: one line of commits a machine and environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import isnan, prod
from pathlib import Path
from typing import Any

from bench.rows import printable, told_path
from reports.numbers import number, quoted

VERSION = 2
"""The version of asv's layout that is understood."""

MOST_BYTES = 16_000_000
MOST_LETTERS = 300
"""Of a name."""

MOST_CELLS = 10_000
"""Of one benchmark: the product of the lengths of its lists of parameters."""

LATEST = 4_102_444_800_000
"""The year 2100 in milliseconds; a later commit is damage."""

OK, FAILED, NONE = "ok", "failed", "n/a"


class Unusable(ValueError):
    """Why a file cannot be used: a clause that can follow "is skipped: "."""


Key = tuple[str, str]
"""Name of a benchmark, such as ``suite.TorchMlp.track_R``, and id of a cell."""


@dataclass(frozen=True)
class Entry:
    """What asv kept of one number of one commit. value: NaN unless status is ``ok``. status: ``failed`` where asv has a
    null, ``n/a`` where it has a NaN, which it also writes for what ``-b`` did not select. samples: one a worker
    process, empty for exact numbers. version: numbers of two versions of a benchmark must not be compared."""

    value: float
    status: str
    samples: tuple[float, ...]
    version: str


@dataclass(frozen=True)
class Commit:
    """hash: of the commit. date: of the commit, in milliseconds since 1970. entries: its numbers."""

    hash: str
    date: float
    entries: Mapping[Key, Entry]


@dataclass(frozen=True)
class Line:
    """All commits of one machine and one environment, the oldest first; numbers of two lines are never compared.
    machine: its processor, or its name in asv. environment: the versions that asv pinned."""

    machine: str
    environment: str
    commits: tuple[Commit, ...]


def read(folder: Path) -> tuple[list[Line], list[str]]:
    """The lines of all files ``folder/<machine>/<commit>-<environment>.json``, that of the newest commit first, and a
    sentence for each file that is left out."""
    found: dict[tuple[str, str], dict[str, Commit]] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    notes = []
    for path in sorted(folder.glob("*/*.json")):
        if path.name == "machine.json":
            continue
        try:
            document = _document(path)
            commit = _commit(document)
            pinned = _environment(document)
            # asv names an environment after all that is installed there: the same versions are the same line.
            key = path.parent.name, pinned if ", " in pinned else str(document.get("env_name"))
            found.setdefault(key, {})[commit.hash] = commit
            words[key] = _machine(document) or printable(path.parent.name, MOST_LETTERS), pinned
        except Unusable as reason:
            notes.append(f"asv's result file {told_path(path)} is skipped: {reason}.")
    lines = [
        Line(*words[key], tuple(sorted(commits.values(), key=lambda one: (one.date, one.hash))))
        for key, commits in found.items()
    ]
    return sorted(lines, key=lambda line: line.commits[-1].date, reverse=True), notes


def _document(path: Path) -> dict[str, Any]:
    """The JSON of a file, known to be asv's results."""
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise Unusable("it is larger than 16 MB")
        found = json.loads(content.decode("utf-8"))
    except OSError as error:
        raise Unusable("it cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Unusable) else Unusable("it is damaged, no JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        raise Unusable("it holds no results of asv")
    if isinstance(found.get("version"), bool) or found.get("version") != VERSION:
        raise Unusable(
            f"it is of version {quoted(found.get('version'))} of asv's layout, but this report reads version {VERSION}"
        )
    columns = found.get("result_columns")
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns) or "result" not in columns:
        raise Unusable("it does not say which columns its results have")
    return found


def _commit(document: Mapping[str, Any]) -> Commit:
    """The commit of a file with all its numbers."""
    name, date = document.get("commit_hash"), document.get("date")
    if not isinstance(name, str) or not name or not 0 <= number(date) <= LATEST:
        raise Unusable("it does not say which commit it is of, and when that was made")
    entries: dict[Key, Entry] = {}
    for benchmark, row in document["results"].items():
        if isinstance(row, list):
            columns = dict(zip(document["result_columns"], row, strict=False))  # asv drops nulls at the end of a row
            entries |= {(printable(benchmark, MOST_LETTERS), cell): entry for cell, entry in _entries(columns)}
    return Commit(printable(name, 40), number(date), entries)


def _entries(columns: Mapping[str, Any]) -> Iterable[tuple[str, Entry]]:
    """The numbers of one benchmark by cell; a column that is null as a whole stands for as many nulls."""
    params = columns.get("params") or []
    if not isinstance(params, list) or not all(isinstance(values, list) for values in params):
        raise Unusable("it has a benchmark whose parameters are no lists")
    count = prod(map(len, params))
    if count > MOST_CELLS:
        raise Unusable(f"it has a benchmark of more than {MOST_CELLS} cells")
    values, samples = (_column(columns.get(name), count) for name in ("result", "samples"))
    for choice, value, drawn in zip(product(*params), values, samples, strict=True):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        status = FAILED if not numeric else NONE if isnan(number(value)) else OK
        kept = tuple(found for found in map(number, drawn) if found > 0) if isinstance(drawn, list) else ()
        name = ", ".join(_bare(str(one)) for one in choice)
        yield (
            printable(name, MOST_LETTERS),
            Entry(number(value), status, kept, printable(str(columns.get("version")), MOST_LETTERS)),
        )


def _column(column: Any, count: int) -> list[Any]:
    if column is None:
        return [None] * count
    if not isinstance(column, list) or len(column) != count:
        raise Unusable("it has a benchmark with other numbers of results and of cells")
    return column


def _bare(written: str) -> str:
    """A parameter without the quotes that asv keeps of it."""
    return written[1:-1] if len(written) > 1 and written[0] == written[-1] and written[0] in "'\"" else written


def _machine(document: Mapping[str, Any]) -> str:
    """The processor, and how many cores; empty where asv was not told."""
    params = document.get("params")
    params = params if isinstance(params, dict) else {}
    cpu, cores = params.get("cpu"), params.get("num_cpu")
    if not isinstance(cpu, str) or not cpu.strip():
        return ""
    return printable(f"{cpu}, {cores} cores" if isinstance(cores, str) and cores else cpu, 80)


def _environment(document: Mapping[str, Any]) -> str:
    """Python and the versions that were pinned. asv's own name of an environment may be a path of the machine."""
    pinned = document.get("requirements")
    pinned = pinned if isinstance(pinned, dict) else {}
    words = [f"{name} {pinned[name]}" for name in sorted(pinned) if isinstance(pinned[name], str) and pinned[name]]
    python = document.get("python")
    first = [f"Python {python}"] if isinstance(python, str) and len(python) < 10 else []
    return printable(", ".join([*first, *words]), 200)
