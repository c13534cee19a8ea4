"""``python -m bench.gate.calibration.rates``: how often the gate cries wolf, and how often it catches what it should.

Runs one-cell gates of the working tree's ``impls`` against itself and against copies with a regression in them, and
adds one row a gate to a file; the ratios of its pairs of processes are in the row. A file that has rows already is gone
on with. ``--show`` prints the table of a file and measures nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from bench import VERSION
from bench.cells import Cell
from bench.context import count, guarded
from bench.gate.calibration.injections import IFT, INJECTIONS, SMALL, TRACKED, Injection, inject
from bench.gate.calibration.resampled import table
from bench.gate.gate import Gate
from bench.gate.sides import side
from bench.gate.turns import ratios
from bench.instruments import machine, sources
from bench.rows import ROOT, Keyed, RateRow, Row, TurnsRow, alike, append, made, now, read

OUT = ROOT / "results" / "gate" / "rates.jsonl"
TIMED, EXACT = 20, 3
"""Gates of each timed kind and of A/A, and of each exact kind."""

CONTROLS = (
    Cell("torch", "tanh", "ift", TRACKED, {"K": 20, **IFT}),
    Cell("jax", "tanh", "jfb", TRACKED, {"K": 20}),
    Cell("torch", "tanh", "unrolled", SMALL, {"K": 10}),
    Cell("jax", "mlp", "backprop", {"depth": 3, "width": 256, "batch": 64}, gradient="backprop"),
    Cell("torch", "tanh", "unrolled", TRACKED, {"K": 20}),
)
"""The cells of A/A gates, in turn."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gates that the file does not have yet, then print its table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gate.calibration.rates", description="Measure the gate's error rates."
    )
    parser.add_argument("--out", type=Path, default=OUT, help="the file that rows are added to")
    parser.add_argument("--timed", type=count, default=TIMED, help="gates of A/A and of each timed kind (default: 20)")
    parser.add_argument("--exact", type=count, default=EXACT, help="gates of each exact kind (default: 3)")
    parser.add_argument("--show", action="store_true", help="print the table of the file and measure nothing")
    given = parser.parse_args(arguments)

    def run() -> int:
        if not given.show:
            for row in gates(given.out, given.timed, given.exact):
                print(f"{row.number} {row.name}: {row.seconds:.0f} s, status {row.status}", file=sys.stderr)
        print(table(newest(rows(given.out))))
        return 0

    return guarded(run, "what was measured is in the file, and the same command goes on from there.")


def rows(path: Path) -> list[Row]:
    """The rows of a file, one a gate; a line that is none is skipped, and named on stderr."""
    if not path.exists():
        raise ValueError(f"There is no file {path.name}: measure first.")
    notes: list[str] = []
    found = read(path, notes)
    for note in notes:
        print(note, file=sys.stderr)
    return found


def newest(found: Sequence[Row]) -> list[RateRow]:
    """The rows of gates that belong with the last one: same sources, instruments, versions and machine."""
    gates = [row for row in found if isinstance(row, RateRow)]
    return [row for row in gates if alike(row, gates[-1])]


def gates(path: Path, timed: int, exact: int) -> Iterable[RateRow]:
    """One row a gate, on the disk before it is yielded: A/A and timed kinds in turn, then the exact kinds."""
    key = {"impls": sources.digest(ROOT / "impls"), "bench": VERSION, "versions": machine.versions()}
    key |= {"machine": machine.describe()}
    mine = made(Keyed, key)
    known = {
        (row.name, row.number)
        for row in (rows(path) if path.exists() else [])
        if isinstance(row, RateRow) and alike(row, mine)
    }
    plan: list[tuple[int, str, Injection | None]] = []
    for number in range(timed):
        plan += [(number, "A/A", None), *((number, one.name, one) for one in INJECTIONS if one.timed)]
    plan += [(number, one.name, one) for number in range(exact) for one in INJECTIONS if not one.timed]
    for number, name, injection in plan:
        if (name, number) not in known:
            row = made(RateRow, {"name": name, "number": number, **key, **one_gate(number, injection)})
            append(path, row)
            yield row


def one_gate(number: int, injection: Injection | None) -> dict[str, Any]:
    """What one gate on one cell came to."""
    cell = CONTROLS[number % len(CONTROLS)] if injection is None else injection.cell
    if injection is not None and not injection.timed:
        cell = replace(cell, measures=("exact",))
    with tempfile.TemporaryDirectory(prefix="gradratio-") as name:
        folder, started, began = Path(name), now(), time.monotonic()
        base = side(str(ROOT), folder)
        head = base if injection is None else side(str(inject(injection, folder / "head")), folder)
        report = Gate(base, head, [cell], folder=folder / "rows", control=injection is None, quiet=True).report()
        seconds = time.monotonic() - began
        turns = [row for row in rows(folder / "rows" / "turns.jsonl") if isinstance(row, TurnsRow)]
    worse = sorted({found.quantity for found in report.findings if found.verdict == "worse"})
    return {
        "timed": injection is None or injection.timed,
        "cell": cell.id,
        "started": started,
        "seconds": round(seconds, 1),
        "status": report.status,
        "worse": worse,
        "caught": injection is not None and injection.shows <= set(worse),
        "undecided": sum(found.verdict == "not decided" for found in report.findings),
        "pairs": [_pair(row) for row in turns],
    }


def _pair(row: TurnsRow) -> dict[str, Any]:
    """The ratios of one pair of processes, and the base's seconds."""
    if row.status != "ok":
        return {"stage": row.stage, "status": row.status}
    base = asdict(row.samples["base"])
    seconds = {kind: sorted(times)[len(times) // 2] for kind, times in base.items()}
    found = {name: round(value, 6) for name, value in ratios(row.samples).items()}
    return {"stage": row.stage, "status": "ok", **seconds, **found}


if __name__ == "__main__":
    sys.exit(main())
