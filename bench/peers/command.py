"""``python -m bench peers``: our methods beside other libraries', or the search for everyone's options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.cells import MODES, Value
from bench.flags import count, seconds
from bench.part import Part
from bench.peers.cells import PRESETS, PeerCell, cells, named
from bench.rows import ROOT, PartRow, last_run, location, read, same

WORKERS = 6
PART_S = 300.0
SEARCH_S = 3000.0
"""Seconds after which a part is given up, unless said otherwise."""


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    command.add_argument("--preset", default="quick", help=f"{', '.join(PRESETS)} (default: quick)")
    words = "a cell or a framework; repeatable or comma separated"
    command.add_argument("--only", action="append", default=[], metavar="NAME", help=words)
    command.add_argument("--workers", type=count, default=WORKERS, help=f"a framework (default: {WORKERS})")
    command.add_argument("--timeout", type=seconds, help="seconds after which a part is given up")
    command.add_argument("--minutes", type=seconds, help="stop in time; the same command then goes on from there")
    command.add_argument("--fresh", action="store_true", help="run again what the file already has")
    command.add_argument("--out", type=Path, help="the file that rows are added to")
    command.add_argument("--list", action="store_true", help="print cells and contenders, and run nothing")
    words = "find everyone's options again, into bench/peers/settings.jsonl"
    command.add_argument("--search", action="store_true", help=words)
    command.add_argument("--library", metavar="NAME", help="with --search: of this library's contenders alone")


def peers(given: argparse.Namespace) -> int:
    """Run what the flags mean, then print what came of it."""
    from bench.peers.perform import LIBRARY, SEARCH, parts_of

    chosen, frameworks = wanted(given.preset, [name for text in given.only for name in text.split(",") if name])
    if given.list:
        print("\n".join(listed(chosen, frameworks)))
        return 0
    parts = parts_of(chosen, range(1 if given.search else given.workers), frameworks)
    if not given.search:
        require_settings(chosen, frameworks, given.preset)
        return compare(given, parts)
    more: dict[str, Value] = {SEARCH: 1} | ({LIBRARY: given.library} if given.library else {})
    return look(given, [Part(**(one.as_json() | {"settings": {**one.settings, **more}})) for one in parts])


def require_settings(chosen: Sequence[PeerCell], frameworks: Sequence[str], preset: str) -> None:
    """``ValueError`` where the search has not been to all of the cells."""
    from bench.peers.settings import read

    known = {(line.cell, line.framework) for line in read().values()}
    missing = [(cell.name, name) for name in frameworks for cell in chosen if (cell.name, name) not in known]
    if missing:
        raise ValueError(
            f"{len(missing)} cells of {preset!r} have no settings, such as {missing[0][0]} in {missing[0][1]}: run "
            f"`python -m bench peers --search --preset {preset}` first."
        )


def wanted(preset: str, only: Sequence[str]) -> tuple[tuple[PeerCell, ...], tuple[str, ...]]:
    """The cells and frameworks meant; ``ValueError`` for a name that there is not."""
    among = cells(preset)
    frameworks = tuple(name for name in MODES if name in only) or tuple(MODES)
    chosen = [named(name, among) for name in only if name not in MODES]
    return tuple(chosen) or among, frameworks


def listed(chosen: Sequence[PeerCell], frameworks: Sequence[str]) -> list[str]:
    """One line a cell, then one a framework and kind of problem."""
    from bench.peers.contenders import contenders

    lines = [f"{cell.name:<40} {cell.dtype}" for cell in chosen]
    for framework in frameworks:
        for problem in dict.fromkeys(cell.problem for cell in chosen):
            cell = next(one for one in chosen if one.problem == problem)
            lines.append(f"{framework} {problem}: {', '.join(one.name for one in contenders(cell, framework))}")
    return lines


def compare(given: argparse.Namespace, parts: Sequence[Part]) -> int:
    """Time the contenders, and print the table; 1 where a part was lost."""
    from bench.instruments import sources
    from bench.peers.perform import table

    path = given.out or location(f"peers-{given.preset}", *sources.git(ROOT))
    rows = run(given, parts, path, f"peers-{given.preset}", given.timeout or PART_S)
    print(table(rows))
    return told(rows, parts, path)


def look(given: argparse.Namespace, parts: Sequence[Part]) -> int:
    """Search the options of every contender, and put them into the committed file; 1 where a part was lost."""
    from bench.peers.settings import PATH, Line, write

    path = given.out or location("peers-search", None, True)

    def keep(row: PartRow) -> None:
        if row.status == "ok":
            write(Line.of_record(record) for record in row.records)

    rows = run(given, parts, path, "peers-search", given.timeout or SEARCH_S, keep)
    for row in rows:  # those that the file had already
        keep(row)
    print(f"settings: {PATH.name}")
    return told(rows, parts, path)


def run(
    given: argparse.Namespace,
    parts: Sequence[Part],
    path: Path,
    preset: str,
    timeout_s: float,
    each: Callable[[PartRow], None] = lambda row: None,
) -> list[PartRow]:
    """Perform the parts that the file does not have, and hand each row to ``each`` as it comes; the newest row of each
    part that it has then."""
    from bench.instruments import machine
    from bench.peers.perform import memory_bytes
    from bench.progress import Progress
    from bench.run import measure

    slots = min(2, len(machine.available_cores()))
    needed, available = memory_bytes(given.preset), machine.memory_for(slots)
    if needed > available:
        raise ValueError(
            f"The peers' bench needs {needed / 1e9:.1f} GB in one worker process and this machine has "
            f"{available / 1e9:.1f} GB for it."
        )
    made = measure(
        (),
        parts=parts,
        experiments={},
        path=path,
        preset=preset,
        slots=slots,
        timeout_s=timeout_s,
        stop_after_s=60 * given.minutes if given.minutes else None,
        fresh=given.fresh,
        share_compiled=True,
        progress=Progress(),
    )
    for row in made:
        if isinstance(row, PartRow):
            each(row)
    kept = read(path)
    ids = {(part.id, part.worker) for part in parts}
    newest = {(row.cell, row.worker): row for row in same(kept, last_run(kept)) if isinstance(row, PartRow)}
    return [row for key, row in newest.items() if key in ids]


def told(rows: Sequence[PartRow], parts: Sequence[Part], path: Path) -> int:
    """Print what was lost, what is left and where the rows are; 1 where a part was lost."""
    lost = [row for row in rows if row.status != "ok"]
    for row in lost:
        print(f"{row.status}: {row.cell}: {row.reason}")
    if len(rows) < len(parts):
        print(f"{len(parts) - len(rows)} parts are not made yet: the same command goes on from here.")
    print(f"\nrows: {path}")
    return 1 if lost else 0
