"""``python -m bench.gate.calibration.rates``: how often the gate cries wolf, and how often it catches what it should.

Runs one-cell gates of the working tree's ``impls`` against itself and against copies with a regression in them, and
adds one row a gate to a file; the ratios of its pairs of processes are in the row. A file that has rows already is gone
on with. ``--show`` prints the table of a file and measures nothing: what was seen, the bound that it gives, and a finer
rate, of gates drawn from the pairs of A/A gates.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from bench import VERSION, tables
from bench.cells import Cell
from bench.context import count, guarded
from bench.gate.calibration.injections import IFT, INJECTIONS, SMALL, TRACKED, Injection, inject
from bench.gate.gate import PAIRS, Gate
from bench.gate.judge import FLOOR_S, MARGIN, TIMES
from bench.gate.sides import side
from bench.gate.turns import by_one_clock, ratios
from bench.instruments import machine, sources
from bench.rows import ROOT, Keyed, Pair, RateRow, Row, TurnsRow, alike, append, made, now, read
from bench.stats import beyond, t_quantile

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

DRAWS = 100_000
Change = Callable[[Mapping[str, float]], Mapping[str, float]]


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
            for row in measured(given.out, given.timed, given.exact):
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


def measured(path: Path, timed: int, exact: int) -> Iterable[RateRow]:
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
        return {"stage": row.purpose, "status": row.status}
    forward_s, gradient_s = (sorted(taken)[len(taken) // 2] for taken in by_one_clock(row.samples)["base"])
    seconds = {"forward_s": forward_s, "gradient_s": gradient_s}
    found = {name: round(value, 6) for name, value in ratios(row.samples).items()}
    return {"stage": row.purpose, "status": "ok", **seconds, **found}


# What the rows show ------------------------------------------------------------------------------------------------


def bound(alarms: int, gates: int, level: float = 0.95) -> float:
    """The largest rate that so few alarms leave possible (Clopper–Pearson, one-sided)."""
    from scipy.special import betaincinv

    return 1.0 if alarms >= gates else float(betaincinv(alarms + 1, gates - alarms, level))


def gates_of_equals(rows: Sequence[RateRow]) -> list[list[Pair]]:
    """Of each A/A gate the pairs of processes that came through, its control's among them: all ran the same sources."""
    found = [[pair for pair in row.pairs if pair.status == "ok"] for row in rows if row.name == "A/A"]
    return [pairs for pairs in found if pairs]


def slower(gradient: float, forward: float = 1.0) -> Change:
    """A change that makes the gradient call and the forward slower by these factors."""

    def change(pair: Mapping[str, float]) -> Mapping[str, float]:
        return {
            "forward": pair["forward"] * forward,
            "gradient": pair["gradient"] * gradient,
            "R": pair["R"] * gradient / forward,
        }

    return change


def alarm_rate(
    gates: Sequence[Sequence[Pair]], change: Change | None = None, draws: int = DRAWS, seed: int = 0
) -> float:
    """How often a one-cell gate says worse, had its pairs come out as those of A/A gates did, and then changed.

    A draw takes one of ``gates``, since pairs of one gate share the machine's mood, turns it round or not as a whole,
    since base and head were the same, and draws all its comparisons from its pairs. The rule is the gate's own: as many
    pairs again where the first are not clear, then a second run for what is worse. What no gate of the sample met, such
    as a mood that changes between two comparisons, no draw can show.
    """
    chance = np.random.default_rng(seed)
    one = dict.fromkeys(TIMES, 1.0)
    shift = np.log([(change(one) if change else one)[name] for name in TIMES])
    alarms, made = 0, 0
    for pairs in gates:
        number = draws // len(gates)
        logs = np.log([[getattr(pair, name) for name in TIMES] for pair in pairs])
        forward, gradient = (
            float(np.median([getattr(pair, kind) for pair in pairs])) for kind in ("forward_s", "gradient_s")
        )
        units = np.array([forward, gradient, min(forward, gradient)])
        signs = chance.choice((1, -1), size=(number, 1, 1))
        drawn = [signs * logs[chance.integers(len(logs), size=(number, PAIRS))] + shift for _ in range(3)]
        worse, unclear = words(drawn[0], units)
        worse_of_all, _ = words(np.concatenate(drawn[:2], axis=1), units)
        said = np.where(unclear.any(axis=1, keepdims=True), worse_of_all, worse)
        alarms += int((said & words(drawn[2], units)[0]).any(axis=1).sum())
        made += number
    return alarms / made


def words(logs: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``judge.times`` of many gates at once: which quantities are worse, which not decided. logs: (…, pairs, 3)."""
    pairs = logs.shape[-2]
    centre = logs.mean(axis=-2)
    reach = t_quantile(pairs - 1) * logs.std(axis=-2, ddof=1) / np.sqrt(pairs)
    low, high = np.exp(centre - reach), np.exp(centre + reach)
    worse, better, same = beyond(low, high, np.maximum(MARGIN, FLOOR_S / units))
    unclear = ~(worse | better | same)
    worse[..., TIMES.index("R")] &= low[..., TIMES.index("gradient")] > 1
    return worse, unclear


def table(rows: Sequence[RateRow], draws: int = DRAWS) -> str:
    """What the rows show, in Markdown; so many gates are drawn from them."""
    counts = [["what", "gates", "alarms", "rate, 95 % bound", "longest"]]
    names = list(dict.fromkeys(row.name for row in rows))
    for name in names:
        mine = [row for row in rows if row.name == name]
        alarms = sum(row.status == 1 if name == "A/A" else row.caught for row in mine)
        limit = bound(alarms, len(mine)) if name == "A/A" else 1 - bound(len(mine) - alarms, len(mine))
        words = f"{'at most' if name == 'A/A' else 'at least'} {limit:.0%}"
        counts.append([name, f"{len(mine)}", f"{alarms}", words, f"{max(row.seconds for row in mine):.0f} s"])
    lines = tables.markdown(counts)
    gates = gates_of_equals(rows)
    if gates:
        number = sum(map(len, gates))
        lines += ["", f"{draws:,} gates drawn from the {number} pairs of A/A gates:".replace(",", " "), ""]
        spread = "sd of a pair: forward, gradient, R"
        drawn = [["cells of", "pairs", "A/A", "gradient 5 % slower", "10 % slower", "both 10 % slower", spread]]
        for framework in dict.fromkeys(row.cell.split("/")[0] for row in rows if row.name == "A/A"):
            own = gates_of_equals([row for row in rows if row.cell.startswith(f"{framework}/")])
            changes = (None, slower(1.05), slower(1.1), slower(1.1, 1.1))
            shares = [_share(alarm_rate(own, change, draws)) for change in changes]
            spread = ", ".join(_sd([pair for pairs in own for pair in pairs], name) for name in TIMES)
            drawn.append([framework, f"{sum(map(len, own))}", *shares, spread])
        lines += tables.markdown(drawn, left=(0, 6))
    return "\n".join(lines)


def _share(rate: float) -> str:
    return "none" if rate == 0 else "all" if rate == 1 else f"{rate:.2%}" if rate < 0.99 else f"{rate:.3%}"


def _sd(pool: Sequence[Pair], name: str) -> str:
    """The standard deviation of log ratios about 0, where those of equals lie."""
    return f"{(sum(log(getattr(pair, name)) ** 2 for pair in pool) / len(pool)) ** 0.5:.1%}"


if __name__ == "__main__":
    sys.exit(main())
