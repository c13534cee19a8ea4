"""The gate's error rates from its rows: what was seen, the bound that it gives, and a finer rate by resampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log

import numpy as np

from bench.gate.contest import PAIRS
from bench.gate.judge import FLOOR_S, MARGIN, TIMES
from bench.store import Row

DRAWS = 100_000
Pair = Mapping[str, float]
Change = Callable[[Pair], Pair]


def bound(alarms: int, gates: int, level: float = 0.95) -> float:
    """The largest rate that so few alarms leave possible (Clopper–Pearson, one-sided)."""
    from scipy.special import betaincinv

    return 1.0 if alarms >= gates else float(betaincinv(alarms + 1, gates - alarms, level))


def pairs_of_equals(rows: Sequence[Row]) -> list[Pair]:
    """Pairs of processes that ran the same sources: those of A/A gates, their controls among them."""
    return [pair for row in rows if row["name"] == "A/A" for pair in row["pairs"] if pair["status"] == "ok"]


def slower(gradient: float, forward: float = 1.0) -> Change:
    """A change that makes the gradient call and the forward slower by these factors."""

    def change(pair: Pair) -> Pair:
        return {
            "forward": pair["forward"] * forward,
            "gradient": pair["gradient"] * gradient,
            "R": pair["R"] * gradient / forward,
        }

    return change


def alarm_rate(pool: Sequence[Pair], change: Change | None = None, draws: int = DRAWS, seed: int = 0) -> float:
    """How often a one-cell gate says worse whose pairs are drawn from ``pool``, each turned round at random, since base
    and head were the same, and then changed.

    The rule is the gate's own: as many pairs again where the first are not clear, then a second run for what is worse.
    """
    chance = np.random.default_rng(seed)
    logs = np.log([[pair[name] for name in TIMES] for pair in pool])
    one = dict.fromkeys(TIMES, 1.0)
    shift = np.log([(change(one) if change else one)[name] for name in TIMES])
    forward, gradient = (float(np.median([pair[kind] for pair in pool])) for kind in ("forward_s", "gradient_s"))
    units = np.array([forward, gradient, gradient])

    def look() -> np.ndarray:
        """Log ratios of one look at each gate: (draws, pairs, 3)."""
        signs = chance.choice((1, -1), size=(draws, PAIRS, 1))
        return signs * logs[chance.integers(len(logs), size=(draws, PAIRS))] + shift

    first, more, again = look(), look(), look()
    worse, unclear = words(first, units)
    worse_of_all, _ = words(np.concatenate([first, more], axis=1), units)
    said = np.where(unclear.any(axis=1, keepdims=True), worse_of_all, worse)
    return float((said & words(again, units)[0]).any(axis=1).mean())


def words(logs: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``judge.verdict`` of many gates at once: which are worse, which not decided. logs: (…, pairs, quantities)."""
    from scipy.special import stdtrit

    pairs = logs.shape[-2]
    centre = logs.mean(axis=-2)
    reach = stdtrit(pairs - 1, 0.975) * logs.std(axis=-2, ddof=1) / np.sqrt(pairs)
    low, high, most = centre - reach, centre + reach, np.log1p(np.maximum(MARGIN, FLOOR_S / units))
    worse, better, same = low > most, high < -most, (low >= -most) & (high <= most)
    return worse, ~(worse | better | same)


def table(rows: Sequence[Row]) -> str:
    """What the rows show, in Markdown."""
    lines = ["| what | gates | alarms | rate, 95 % bound | longest |", "| --- | ---: | ---: | ---: | ---: |"]
    names = list(dict.fromkeys(row["name"] for row in rows))
    for name in names:
        mine = [row for row in rows if row["name"] == name]
        alarms = sum(row["status"] == 1 if name == "A/A" else row["caught"] for row in mine)
        limit = bound(alarms, len(mine)) if name == "A/A" else 1 - bound(len(mine) - alarms, len(mine))
        words = f"{'at most' if name == 'A/A' else 'at least'} {limit:.0%}"
        lines.append(f"| {name} | {len(mine)} | {alarms} | {words} | {max(row['seconds'] for row in mine):.0f} s |")
    pool = pairs_of_equals(rows)
    if pool:
        lines += ["", f"Resampled {DRAWS:,} times from {len(pool)} pairs of equal programs:".replace(",", " "), ""]
        lines += [
            "| pairs of | A/A | gradient 5 % slower | 10 % slower | both 10 % slower | sd of a pair's ratio: "
            "forward, gradient, R |",
            "| --- | ---: | ---: | ---: | ---: | --- |",
        ]
        for framework in dict.fromkeys(row["cell"].split("/")[0] for row in rows if row["name"] == "A/A"):
            own = pairs_of_equals([row for row in rows if row["cell"].startswith(f"{framework}/")])
            changes = (None, slower(1.05), slower(1.1), slower(1.1, 1.1))
            shown = " | ".join(_share(alarm_rate(own, change)) for change in changes)
            lines.append(f"| {framework} ({len(own)}) | {shown} | {', '.join(_sd(own, name) for name in TIMES)} |")
    return "\n".join(lines)


def _share(rate: float) -> str:
    return f"below {3 / DRAWS:.3%}" if rate == 0 else f"{rate:.2%}"


def _sd(pool: Sequence[Pair], name: str) -> str:
    return f"{(sum(log(pair[name]) ** 2 for pair in pool) / len(pool)) ** 0.5:.1%}"
