"""The lines of a results file: what each kind holds, written one by one, read back whole, and which need no second one.

This is the one list of the fields of a row: whoever writes makes a row here, whoever reads gets one. A row is one line
of JSON whose ``kind`` says which it is. Reading is strict: a line with a field that is not of its type, or beyond what
it can be, is no row. Fields that a later version adds are passed over. This module imports nothing of ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

ROOT = Path(__file__).resolve().parent.parent

# Values ---------------------------------------------------------------------------------------------------------------

UNPRINTABLE = (
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""What no text of a row holds: what terminals obey, what turns the direction of reading, and what prints nowhere."""

LONGEST = 2000
"""Characters of a text."""

Text = Annotated[str, Meta(max_length=LONGEST)]
Name = Annotated[str, Meta(max_length=64)]
Moment = Annotated[str, Meta(pattern=r"\A\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ\Z")]
Status = Literal["ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a"]
Count = Annotated[int, Meta(ge=0, lt=100_000)]
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[float, Meta(ge=-1e300, le=1e300)]
Amount = Annotated[int, Meta(ge=0, le=2**63 - 1)] | Annotated[float, Meta(ge=0, le=1e300)]
Bytes = Annotated[int, Meta(ge=0, le=10**18)] | Annotated[float, Meta(ge=0, le=1e18)]
Ratio = Annotated[float, Meta(gt=0, le=1e300)]
Seconds = Annotated[float, Meta(ge=0, le=1e7)]
Taken = Annotated[float, Meta(gt=0, le=1e7)]  # seconds that a call took, which are never none
Setting = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Annotated[float, Meta(ge=-1e15, le=1e15)] | Text
Settings = Annotated[dict[Name, Setting], Meta(max_length=32)]
Record = Annotated[dict[Name, Number | Text | None], Meta(max_length=64)]


class Gpu(Struct, kw_only=True, gc=False):
    """Kind, memory and number of the GPUs of a machine."""

    name: Text | None = None
    memory_bytes: Bytes | None = None
    count: Count | None = None


class Machine(Struct, kw_only=True, gc=False):
    """The kind of machine. cores: those that the run may use."""

    cpu: Text | None = None
    cores: Count | None = None
    memory_bytes: Bytes | None = None
    system: Text | None = None
    gpu: Gpu | Text | None = None


class Samples(Struct, kw_only=True, gc=False, omit_defaults=True):
    """Seconds of forwards and gradient calls by pair, or none: by the wall clock and, where read, by the cpu's."""

    forward_s: list[Taken] = []
    gradient_s: list[Taken] = []
    forward_cpu_s: list[Taken] = []
    gradient_cpu_s: list[Taken] = []

    def __post_init__(self) -> None:
        pairs, by_cpu = len(self.forward_s), (len(self.forward_cpu_s), len(self.gradient_cpu_s))
        if len(self.gradient_s) != pairs or by_cpu not in ((0, 0), (pairs, pairs)):
            raise ValueError("As many forwards as gradient calls are expected")


class Values(Struct, kw_only=True, gc=False, omit_defaults=True):
    """What a visit measured besides its samples; None is unknown. docs/results.md says what each means."""

    peak_bytes: Bytes | None = None
    held_bytes: Bytes | None = None
    parameter_bytes: Bytes | None = None
    tangent_bytes: Bytes | None = None
    result_bytes: Bytes | None = None
    forward_peak_bytes: Bytes | None = None
    device_peak_bytes: Bytes | None = None
    device_forward_peak_bytes: Bytes | None = None
    workspace_bytes: Number | None = None
    flops: Amount | None = None
    forward_flops: Amount | None = None
    flop_ratio: Amount | None = None
    traffic: Amount | None = None
    forward_traffic: Amount | None = None
    gradient_error: Amount | None = None
    cosine: Number | None = None
    oracle_deviation: Amount | None = None
    loss: Number | None = None
    forward_steps: Amount | None = None
    forward_residual: Amount | None = None
    backward_steps: Amount | None = None
    backward_residual: Amount | None = None
    jacobian_norm: Amount | None = None
    spectral_radius: Amount | None = None
    parameters: Amount | None = None
    checked_batch: Amount | None = None
    compile_s: Seconds | None = None
    overhead_s: Seconds | None = None


class Conditions(Struct, kw_only=True, gc=False, omit_defaults=True):
    """What psutil and the driver saw while calls were timed."""

    load: Amount | None = None
    affinity: list[Count] = []
    frequency_mhz: Amount | None = None
    slowest_mhz: Amount | None = None
    cpu_share: Amount | None = None
    steal_share: Amount | None = None
    gpu: dict[Name, Number | Text | list[Text] | None] | None = None
    warnings: list[Name] = []


class Surprise(Struct, kw_only=True, gc=False):
    """A cell that came out otherwise than the register of expected outcomes says."""

    cell: Text
    expected: Text
    found: Text
    why: Text = ""


class Side(Struct, kw_only=True, gc=False):
    """One of the two sources that a gate compares."""

    name: Text
    commit: Text | None
    impls: Text


class Pair(Struct, kw_only=True, gc=False, omit_defaults=True):
    """What one pair of processes of a gate said: head ÷ base of the forward, of the gradient call and of R, and the
    base's seconds. Where the pair failed there is none of them."""

    purpose: Text = msgspec.field(name="stage")
    status: Status
    forward_s: Taken | None = None
    gradient_s: Taken | None = None
    forward: Ratio | None = None
    gradient: Ratio | None = None
    R: Ratio | None = None

    def __post_init__(self) -> None:
        if self.status == "ok" and None in (self.forward_s, self.gradient_s, self.forward, self.gradient, self.R):
            raise ValueError("A pair that is ok has all its times")


# Rows -----------------------------------------------------------------------------------------------------------------


class Line(Struct, kw_only=True, gc=False, tag_field="kind"):
    """What every row has. schema: the version of this layout; a row that does not say it is of the first."""

    schema: Literal[1] = 1


class Keyed(Line, kw_only=True):
    """What two runs must have in common for the numbers of one to stand for the other's."""

    impls: Text
    bench: Text
    versions: dict[Name, Text | None]
    machine: Machine


class RunRow(Keyed, tag="run", kw_only=True):
    """What a run measures, where and with what; it comes before all of its rows.

    experiments: the ids of each experiment's cells. parts: the ids of their parts; None of both where the run is of the
    grid alone.
    """

    run: Text
    preset: Text | None = None
    started: Moment
    commit: Text | None = None
    dirty: bool | None = None
    gpu_driver: Text | None = None
    threads: Count | None = None
    workers: Count | None = None
    cells: list[Text]
    parts: list[Text] | None = None
    experiments: dict[Name, list[Text]] | None = None


class Visited(Line, kw_only=True):
    """What visits and parts have in common: what was measured where, by which process, and what came of it."""

    run: Text
    cell: Text
    framework: Name
    device: Name
    dtype: Name
    measure: str
    worker: Count
    status: Status
    reason: Text
    started: Moment | None = None
    seconds: Seconds | None = None
    load: Amount | None = None
    core: Count | None = None
    conditions: Conditions | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells visits, or parts, of one run apart."""
        return self.cell, self.measure, self.worker


class VisitRow(Visited, tag="visit", kw_only=True):
    """One worker process's measure of one cell; one that failed has a reason, no samples and no values."""

    mode: Name
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 0
    problem: Name
    sizes: Settings
    method: Name
    gradient: Name
    options: Settings
    measure: Literal["time", "exact"]
    samples: Samples
    values: Values

    def __post_init__(self) -> None:
        if self.measure == "time" and self.status == "ok" and not self.samples.forward_s:
            raise ValueError("A time visit that is ok has samples")


class PartRow(Visited, tag="part", kw_only=True):
    """One part of an experiment, or of the peers' bench; one that failed has a reason and no records.

    records: flat tables of numbers and texts. One that names a contender has its cell, its status and its ratio too.
    """

    measure: Literal["part"] = "part"
    experiment: Name
    settings: Settings
    records: list[Record]

    def __post_init__(self) -> None:
        for record in self.records:
            if "contender" in record:
                if not all(isinstance(record.get(name), str) for name in ("contender", "cell", "status")):
                    raise ValueError("A contender has a cell and a status")
                if (ratio := record.get("ratio")) is not None and not (isinstance(ratio, int | float) and ratio > 0):
                    raise ValueError("A contender's ratio is above 0")


class VerdictRow(Line, tag="verdict", kw_only=True):
    """Ends a run: what came out otherwise than expected; of a gate its exit status and what it found."""

    run: Text
    surprises: list[Surprise] = []
    status: int | None = None
    findings: list[dict[str, Any]] | None = None
    control: list[dict[str, Any]] | None = None


class GateRow(Line, tag="gate", kw_only=True):
    """What a gate compares, and by which rule."""

    run: Text
    started: Moment
    base: Side
    head: Side
    bench: Text
    versions: dict[Name, Text | None]
    machine: Machine
    pairs: Count
    budget_s: Seconds
    margin: Amount
    floor_s: Seconds
    cells: list[Text]


class TurnsRow(Line, tag="turns", kw_only=True):
    """One pair of a gate's processes, which took turns. samples: of both sides; none where ``side`` failed."""

    run: Text
    cell: Text
    purpose: Text = msgspec.field(name="stage")
    pair: Count
    core: Count | None = None
    started: Moment
    load: Amount | None = None
    status: Status
    side: Text | None = None
    reason: Text = ""
    samples: dict[Name, Samples] = {}
    seconds: Seconds = 0.0

    def __post_init__(self) -> None:
        if self.status == "ok" and not all(self.samples.get(name, Samples()).forward_s for name in ("base", "head")):
            raise ValueError("Turns that are ok have samples of both sides")


class RateRow(Keyed, tag="rate", kw_only=True):
    """What one gate came to that was run to learn how often gates are wrong. status: its exit status."""

    name: Text
    number: Count
    timed: bool
    cell: Text
    started: Moment
    seconds: Seconds
    status: Count
    worse: list[Name]
    caught: bool
    undecided: Count
    pairs: list[Pair]


Row = RunRow | VisitRow | PartRow | VerdictRow | GateRow | TurnsRow | RateRow
Kind = TypeVar("Kind", bound=Struct)

DEFINITIVE: frozenset[str] = frozenset({"ok", "wrong", "n/a"})
"""Statuses that measuring again would not change."""
SKIPPED = "skipped after"
"""How the reason of a visit begins that was not made, since a smaller one took too much: a later run may try it."""


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Making, writing and reading ------------------------------------------------------------------------------------------


def made(kind: type[Kind], fields: Mapping[str, Any]) -> Kind:
    """A row of these fields, as it will be read back; ``msgspec.ValidationError`` where it could not be."""
    return printable_only(msgspec.convert(plain(fields), kind))


def printable_only(row: Kind) -> Kind:
    """The row; ``ValidationError`` where one of its texts is ``UNPRINTABLE``: a pattern in the types costs far more."""
    left: list[Any] = [msgspec.to_builtins(row)]
    while left:
        one = left.pop()
        if isinstance(one, str) and re.search(UNPRINTABLE, one):
            raise msgspec.ValidationError(f"Expected a text that can be shown, got {printable(one, 60)!r}")
        left += [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
    return row


def plain(value: Any) -> Any:
    """The value in plain JSON types: NaN and infinities become None, array scalars Python numbers."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value.item()


def printable(text: str, most: int = LONGEST) -> str:
    """The text as a row may hold it: on one line, what would act instead of being read replaced by U+FFFD, cut."""
    found = re.sub(UNPRINTABLE, "\ufffd", re.sub("[\t\n\v\f\r\x85\u2028\u2029]+", " ", text))
    return found if len(found) <= most else found[: most - 1] + "…"


def append(path: Path, row: Line) -> None:
    """Add one row; when this returns it is on the disk.

    A line that a killed writer left unfinished is closed first, so that it spoils no other.
    """
    line = msgspec.json.encode(row, enc_hook=_plain) + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


UNFINISHED = "was left unfinished when its writer was stopped; it is passed over."
MARK = b"\xef\xbb\xbf"  # what an editor may put in front


def told_path(path: Path) -> str:
    """A path as it may be told: relative to the current folder, or the name alone if elsewhere."""
    try:
        found = path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        found = path.name or "."
    return printable(found, 120)


_decode: Callable[[bytes], Row] = msgspec.json.Decoder(Row).decode


def read(path: Path, notes: list[str] | None = None) -> list[Row]:
    """All rows of a file, none where there is no file.

    A line that is no row is skipped, and named in ``notes``: one that a killed writer left unfinished (no beginning of
    a row is a row), or a damaged one. A file that has lines and none of them a row is something else, and refused.
    """
    if not path.exists():
        return []
    found, told = list[Row](), list[str]()
    known: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    name, foreign, torn = told_path(path), False, ""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                row = _decode(line.removeprefix(MARK))
                if not line.isascii() or b"\\" in line or b"\x7f" in line:  # else JSON lets no text hold it
                    printable_only(row)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                told.append(f"Line {number} of {name} is skipped: {_why(line, error)}.")
                whole = not line.startswith(b"{") or line.rstrip().endswith(b"}")
                torn = "" if whole else f"Line {number} of {name} {UNFINISHED}"
                foreign = foreign or not line.startswith(b'{"kind"')
                continue
            if torn and isinstance(row, RunRow):  # what was killed there is gone on with here
                told[-1] = torn
            torn = ""
            if isinstance(row, VisitRow | PartRow):
                _share(row, known)
            found.append(row)
    if torn:
        told[-1] = torn
    if foreign and not found:
        raise ValueError(f"{name} holds no row of results: give a file that `gradratio run` wrote.")
    found = undoubted(found, told)
    if notes is not None:
        notes += told
    return found


def undoubted(rows: list[Row], notes: list[str]) -> list[Row]:
    """The rows but for those of a run that two lines describe differently; ``notes`` gets a sentence on each."""
    runs: dict[str, RunRow] = {}
    twice = sorted({row.run for row in rows if isinstance(row, RunRow) and runs.setdefault(row.run, row) != row})
    notes += [f"Run {printable(run, 40)!r} is described in two ways: none of its rows is used." for run in twice]
    return [row for row in rows if getattr(row, "run", None) not in twice] if twice else rows


def _why(line: bytes, error: Exception) -> str:
    """The reason that a line is no row."""
    try:
        msgspec.json.decode(line.removeprefix(MARK))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return "it is damaged, no line of JSON"
    return printable(f"it is no row of results ({error})", 200)


SHARED = {"run", "cell", "framework", "mode", "experiment", "device", "dtype", "problem", "sizes", "method", "gradient"}
SHARED |= {"options", "settings", "reason", "measure", "status"}
"""Fields that the rows of a cell have in common: they are kept once, which halves the memory of a large file."""
_SHARED_BY = {kind: [name for name in SHARED if name in kind.__struct_fields__] for kind in (VisitRow, PartRow)}
_OF = {kind: attrgetter(*names) for kind, names in _SHARED_BY.items()}


def _share(row: VisitRow | PartRow, known: dict[tuple[str, str, str], tuple[Any, ...]]) -> None:
    """Let a row hold the very objects that the first row of its cell, kept in ``known``, holds, where all are equal."""
    own = _OF[type(row)](row)
    first = known.setdefault((row.run, row.cell, row.measure), own)
    if first is not own and first == own:
        for name, kept in zip(_SHARED_BY[type(row)], first, strict=True):
            setattr(row, name, kept)


def same(rows: Iterable[Row], key: Keyed) -> list[Visited]:
    """The visits and parts of all runs that are ``alike`` with ``key``, in order."""
    rows = list(rows)
    runs = {row.run for row in rows if isinstance(row, RunRow) and alike(row, key)}
    return [row for row in rows if isinstance(row, Visited) and row.run in runs]


def alike(one: Keyed, other: Keyed) -> bool:
    """Whether numbers of the one may stand for the other's."""
    return all(getattr(one, name) == getattr(other, name) for name in Keyed.__struct_fields__)


def done(path: Path, key: Keyed, since: int = 0, notes: list[str] | None = None) -> set[tuple[str, str, int]]:
    """Which ``(cell, measure, worker)`` need no second visit under ``key``: measured, or failed for good, by a run
    that began with row ``since`` or later. ``notes``: see ``read``."""
    return {
        row.key
        for row in same(read(path, notes)[since:], key)
        if row.status in DEFINITIVE and not row.reason.startswith(SKIPPED)
    }
