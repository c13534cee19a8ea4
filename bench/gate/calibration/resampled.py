"""The gate's error rates from its rows: what was seen, the bound that it gives, and a finer rate by resampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log

import numpy as np

from bench import tables
from bench.gate.gate import PAIRS
from bench.gate.judge import FLOOR_S, MARGIN, TIMES
from bench.rows import Pair, RateRow
from bench.stats import beyond

DRAWS = 100_000
Change = Callable[[Mapping[str, float]], Mapping[str, float]]


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
    from scipy.special import stdtrit

    pairs = logs.shape[-2]
    centre = logs.mean(axis=-2)
    reach = stdtrit(pairs - 1, 0.975) * logs.std(axis=-2, ddof=1) / np.sqrt(pairs)
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
