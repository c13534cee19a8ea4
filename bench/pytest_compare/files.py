"""The JSON files of a session: that they name neither this machine nor its owner, and their table in plain text.

A table has a line a method, with the frameworks side by side.
"""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from bench import rows, tables
from bench.rows import Amount, Name, Number, Text

COLUMNS = ("median ms", "R [95 %]", "peak bytes", "flops", "error", "status")
LEFT = ("R [95 %]", "status")
"""Columns that are flush left."""
NOTE = (
    "median: of the gradient call, by pytest-benchmark in one process. The rest: by the measuring core, R as the\n"
    "median over its worker processes."
)

# A file ---------------------------------------------------------------------------------------------------------

Word = Annotated[str, Meta(min_length=1, max_length=120)]


class Params(Struct, frozen=True):
    """What a benchmark is parametrised by."""

    problem: Word
    method: Word
    framework: Word


class Info(Struct):
    """What the measuring core found of a cell, as far as a table has it."""

    status: Text = "?"
    cell: Text = ""
    reason: Text = ""
    R: Number | None = None
    R_low: Number | None = None
    R_high: Number | None = None
    peak_bytes: Number | None = None
    flops: Number | None = None
    gradient_error: Number | None = None


class Stats(Struct):
    """Seconds of the gradient call."""

    median: Amount


class Benchmark(Struct):
    """One cell of a session; ``stats`` is None where it was not timed."""

    params: Params
    extra_info: Info
    stats: Stats | None = None


class Machine(rows.Machine):
    """The machine with the versions of what it measured with."""

    versions: dict[Name, Text | None] = msgspec.field(default_factory=dict)


class Commit(Struct):
    """The sources of a session."""

    id: Text = "unknown"
    dirty: bool = False
    impls: Text = ""


class Document(Struct):
    """A file of a session, as far as a table has it."""

    machine_info: Machine
    commit_info: Commit
    benchmarks: list[Benchmark]
    untimed: list[Benchmark]


def table(paths: Sequence[Path]) -> str:
    """The table of all files together. ``ValueError`` in one sentence where a file is none of a session, a cell
    comes twice, or the files are not of one machine and one state of the sources."""
    documents = [_read(path) for path in paths]
    first = documents[0]
    for path, document in zip(paths[1:], documents[1:], strict=True):
        words = "at another commit" if document.commit_info != first.commit_info else ""
        words = "on another machine or with other versions" if document.machine_info != first.machine_info else words
        if words:
            raise ValueError(
                f"{path.name} was measured {words} than {paths[0].name}: compare files of one machine and commit."
            )
    found: dict[Params, Benchmark] = {}
    for path, document in zip(paths, documents, strict=True):
        for one in [*document.benchmarks, *document.untimed]:
            if one.params in found:
                words = " ".join(msgspec.structs.astuple(one.params))
                raise ValueError(f"{path.name} has {words} a second time: give each cell in one file.")
            found[one.params] = one
    blocks = [_block(problem, found) for problem in dict.fromkeys(params.problem for params in found)]
    infos = [one.extra_info for one in found.values() if one.extra_info.status != "ok"]
    reasons = "\n".join(f"{info.status}: {info.cell}: {info.reason}" for info in infos)
    return "\n\n".join(block for block in (_where(first), *blocks, reasons, NOTE) if block)


def _read(path: Path) -> Document:
    try:
        return rows.printable_only(msgspec.json.decode(path.read_bytes(), type=Document))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no comparison ({error}): give files that `gradratio pytest` wrote.") from None


def _where(document: Document) -> str:
    """Machine, versions and commit in one line."""
    machine, commit = document.machine_info, document.commit_info
    versions = [f"{name} {version}" for name, version in machine.versions.items() if version]
    source = f"commit {commit.id[:12]}{' with changes' if commit.dirty else ''}"
    return ", ".join(one for one in (machine.cpu, machine.system, *versions, source) if one)


def _block(problem: str, found: Mapping[Params, Benchmark]) -> str:
    """The methods of one problem, under the frameworks of the whole table."""
    frameworks = list(dict.fromkeys(params.framework for params in found))
    lines = [["method", *COLUMNS * len(frameworks)]]
    for method in dict.fromkeys(params.method for params in found if params.problem == problem):
        cells = [_cells(found.get(Params(problem, method, framework))) for framework in frameworks]
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
    info = one.extra_info
    ratio = "" if info.R is None else f"{info.R:.2f}"
    if ratio and info.R_low is not None and info.R_high is not None:
        ratio += f" [{info.R_low:.2f}, {info.R_high:.2f}]"
    return (
        "" if one.stats is None else f"{1e3 * one.stats.median:.3f}",
        ratio,
        "" if info.peak_bytes is None else f"{info.peak_bytes:.0f}",
        "" if info.flops is None else f"{info.flops:.3g}",
        "" if info.gradient_error is None else f"{info.gradient_error:.2e}",
        info.status,
    )


# Names that no file holds -----------------------------------------------------------------------------------------


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
