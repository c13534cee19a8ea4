"""The JSON files of a session: that they name neither this machine nor its owner, and their table in plain text.

A table has a line a method, with the frameworks side by side.
"""

from __future__ import annotations

import getpass
import json
import math
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import tables

COLUMNS = ("median ms", "R [95 %]", "peak bytes", "flops", "error", "status")
LEFT = ("R [95 %]", "status")
"""Columns that are flush left."""
NOTE = (
    "median: of the gradient call, by pytest-benchmark in one process. The rest: by the measuring core, R as the\n"
    "median over its worker processes."
)
LONGEST = 120
"""Characters of a name that are shown."""


@dataclass(frozen=True)
class Benchmark:
    """One cell of a session; ``median_s`` is None where it was not timed."""

    problem: str
    method: str
    framework: str
    median_s: float | None
    info: Mapping[str, Any]

    @property
    def status(self) -> str:
        return _text(self.info.get("status")) or "?"


def table(paths: Sequence[Path]) -> str:
    """The table of all files together. ``ValueError`` in one sentence where a file is none of a session, a cell
    comes twice, or the files are not of one machine and one state of the sources."""
    documents = [_read(path) for path in paths]
    for path, document in zip(paths[1:], documents[1:], strict=True):
        for part, words in (
            ("machine_info", "on another machine or with other versions"),
            ("commit_info", "at another commit"),
        ):
            if document[part] != documents[0][part]:
                raise ValueError(
                    f"{path.name} was measured {words} than {paths[0].name}: compare files of one machine and commit."
                )
    benchmarks: dict[tuple[str, str, str], Benchmark] = {}
    for path, document in zip(paths, documents, strict=True):
        for one in _benchmarks(path, document):
            key = one.problem, one.method, one.framework
            if key in benchmarks:
                raise ValueError(f"{path.name} has {' '.join(key)} a second time: give each cell in one file.")
            benchmarks[key] = one
    blocks = [_block(problem, list(benchmarks.values())) for problem in dict.fromkeys(key[0] for key in benchmarks)]
    reasons = [
        f"{one.status}: {_text(one.info.get('cell'))}: {_text(one.info.get('reason'), 500)}"
        for one in benchmarks.values()
        if one.status != "ok"
    ]
    return "\n\n".join([_where(documents[0]), *blocks, *(["\n".join(reasons)] if reasons else []), NOTE])


def secrets() -> dict[str, tuple[str, ...]]:
    """What must not be written, by kind: names of this machine and its user, and folders that hold such names."""
    host = platform.node()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in some containers
        user = ""
    return {
        "host name": (host, host.partition(".")[0]),
        "user name": (user,),
        "home folder": (str(Path.home()),),
        "working folder": (str(Path.cwd()),),
    }


def leaks(document: Any, known: Mapping[str, Iterable[str]], public: Iterable[str] = ()) -> list[str]:
    """Where a document of JSON types holds a secret: ``user name at benchmarks.3.extra_info.reason``.

    A secret counts where it stands as a word or path of its own in a value, in whatever case; keys belong to the
    format. One that is also a word of the ``public`` texts, such as a machine that is called epyc after its processor,
    says nothing and is not looked for.
    """
    allowed = " ".join(public)
    sought = [
        (kind, pattern)
        for kind, names in known.items()
        for name in dict.fromkeys(names)
        if name not in ("", "/", ".") and not (pattern := _word(name)).search(allowed)
    ]
    found = [
        f"{kind} at {place or 'the top'}"
        for place, said in _texts(document, ())
        for kind, pattern in sought
        if pattern.search(said)
    ]
    return list(dict.fromkeys(found))


def _where(document: Mapping[str, Any]) -> str:
    """Machine, versions and commit in one line."""
    machine, commit = document["machine_info"], document["commit_info"]
    versions = machine.get("versions")
    named = [machine.get("cpu"), machine.get("system")]
    if isinstance(versions, dict):
        named += [f"{name} {version}" for name, version in versions.items() if isinstance(version, str)]
    changed = " with changes" if commit.get("dirty") else ""
    named.append(f"commit {_text(commit.get('id'))[:12] or 'unknown'}{changed}")
    return ", ".join(_text(one) for one in named if _text(one))


def _block(problem: str, benchmarks: Sequence[Benchmark]) -> str:
    """The methods of one problem, under the frameworks of the whole table."""
    frameworks = list(dict.fromkeys(one.framework for one in benchmarks))
    own = {(one.method, one.framework): one for one in benchmarks if one.problem == problem}
    methods = list(dict.fromkeys(method for method, _ in own))
    lines = [["method", *COLUMNS * len(frameworks)]]
    for method in methods:
        cells = [_cells(own.get((method, framework))) for framework in frameworks]
        lines.append([method, *(word for words in cells for word in words)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    above = " " * widths[0]
    for index, framework in enumerate(frameworks):
        first = 1 + index * len(COLUMNS)
        # A framework stands over its columns, which are two spaces apart.
        above += "  " + framework.ljust(sum(widths[first : first + len(COLUMNS)]) + 2 * (len(COLUMNS) - 1))
    left = [0, *(column for column in range(1, len(widths)) if COLUMNS[(column - 1) % len(COLUMNS)] in LEFT)]
    return "\n".join([problem, above.rstrip(), *tables.text(lines, left)])


def _cells(one: Benchmark | None) -> tuple[str, ...]:
    """One framework's part of a line."""
    if one is None:
        return ("",) * len(COLUMNS)
    found = {name: _number(one.info.get(name)) for name in ("R", "R_low", "R_high", "peak_bytes", "flops")}
    error = _number(one.info.get("gradient_error"))
    ratio = "" if found["R"] is None else f"{found['R']:.2f}"
    if ratio and found["R_low"] is not None and found["R_high"] is not None:
        ratio += f" [{found['R_low']:.2f}, {found['R_high']:.2f}]"
    return (
        "" if one.median_s is None else f"{1e3 * one.median_s:.3f}",
        ratio,
        "" if found["peak_bytes"] is None else f"{found['peak_bytes']:.0f}",
        "" if found["flops"] is None else f"{found['flops']:.3g}",
        "" if error is None else f"{error:.2e}",
        one.status,
    )


def _read(path: Path) -> dict[str, Any]:
    """A file's document, with what a session writes."""
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    parts = {"machine_info": dict, "commit_info": dict, "benchmarks": list, "untimed": list}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), kind) for name, kind in parts.items()):
        raise ValueError(f"{path.name} is no comparison: give files that `gradratio pytest` wrote.")
    return found


def _benchmarks(path: Path, document: Mapping[str, Any]) -> list[Benchmark]:
    """The cells of a document, timed or not."""
    found = []
    for place in ("benchmarks", "untimed"):
        for index, one in enumerate(document[place]):
            params, info = _mapping(one, "params"), _mapping(one, "extra_info")
            problem, method, framework = (_text(params.get(name)) for name in ("problem", "method", "framework"))
            if not (problem and method and framework):
                raise ValueError(
                    f"Entry {index} of {place} in {path.name} names no problem, method and framework: give files that "
                    "`gradratio pytest` wrote."
                )
            median_s = _number(_mapping(one, "stats").get("median"))
            found.append(Benchmark(problem, method, framework, median_s, info))
    return found


def _mapping(one: Any, name: str) -> Mapping[str, Any]:
    """A part of an entry, empty where there is none."""
    found = one.get(name) if isinstance(one, dict) else None
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    """A finite number, else None."""
    try:
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
        return None
    return float(value) if good else None


def _text(value: Any, longest: int = LONGEST) -> str:
    """A text fit for a terminal: one line, no control characters, not too long."""
    if not isinstance(value, str):
        return ""
    plain = "".join(one if one.isprintable() else "?" for one in value[: longest + 1])
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def _word(name: str) -> re.Pattern[str]:
    """The name with no letter or digit right before or after it."""
    return re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE)


def _texts(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every value that is a text, with its place."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _texts(one, (*place, str(index)))
    elif isinstance(value, str):
        yield ".".join(place), value
