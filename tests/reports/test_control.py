"""The A/A control: halves of visits in closed form, and how often chance alone misses 1."""

from __future__ import annotations

import html
import math
import random
from itertools import accumulate

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import samples
from reports.control import WORST, Control, drawing, part, quotients
from reports.template import render
from tests.reports.reader import Reader
from tests.reports.test_means import T2, hostile
from tests.rows import Row, results, visit


def timed(ratios: list[float], worker: int = 0, **more: object) -> Row:
    """A visit with these R, pair by pair."""
    times = {"forward_s": [1e-3] * len(ratios), "gradient_s": [1e-3 * one for one in ratios]}
    return visit(**more) | {"measure": "time", "worker": worker, "samples": times}


def frame(rows: list[Row]) -> pd.DataFrame:
    """The frame of samples."""
    return samples(results(rows))


def row_of(rows: list[Row], split: str) -> dict[str, float]:
    """The only row of the quotients, without what names it."""
    (found,) = quotients(frame(rows), split).to_dict("records")
    return {name: found[name] for name in ("quotient", "low", "high", "missed", "workers")}


def noise(cells: int, workers: int, pairs: int, later: float = 1.0) -> pd.DataFrame:
    """Cells whose pairs differ by chance alone, the odd ones times ``later``."""
    dice = random.Random(7)
    return frame(
        [
            timed(
                [math.exp(dice.gauss(0, 0.02)) * (later if pair % 2 else 1) for pair in range(pairs)],
                worker,
                cell=str(n),
            )
            for n in range(cells)
            for worker in range(workers)
        ]
    )


def test_an_order_of_calls_shows_in_the_one_split_and_cancels_in_the_other() -> None:
    # Of worker w the odd pairs are dearer by the factor exp(d): ln q has the mean 0.3 and the sd 0.1.
    rows = [timed([2.0, 2 * math.exp(d)] * 4, worker) for worker, d in enumerate((0.2, 0.3, 0.4))]
    half = T2 * 0.1 / math.sqrt(3)
    expected = {"quotient": math.exp(0.3), "low": math.exp(0.3 - half), "high": math.exp(0.3 + half)}
    assert row_of(rows, "order") == pytest.approx(expected | {"missed": True, "workers": 3})
    assert row_of(rows, "same") == pytest.approx(
        dict.fromkeys(("quotient", "low", "high"), 1) | {"missed": 0, "workers": 3}
    )


def test_a_steady_drift_cancels_in_the_same_split() -> None:
    rows = [timed([math.exp(0.01 * pair) for pair in range(8)], worker) for worker in range(2)]
    assert row_of(rows, "same")["quotient"] == pytest.approx(1)
    assert row_of(rows, "order")["quotient"] == pytest.approx(math.exp(0.01))


def test_only_whole_blocks_count() -> None:
    # The last pair of nine, and a pair whose partner has a time that no call takes, would tip the halves.
    rows = [timed([2.0] * 8 + [50.0], worker) for worker in range(2)]
    assert row_of(rows, "same")["quotient"] == row_of(rows, "order")["quotient"] == 1
    rows[0]["samples"]["gradient_s"][0] = 1e-12
    rows[0]["samples"]["gradient_s"][1] = 9.0
    assert row_of(rows, "order")["quotient"] == 1


def test_too_few_pairs_make_no_part() -> None:
    assert part(frame([])) is None and part(frame([timed([2.0])])) is None
    three = part(frame([timed([2.0, 2.0, 3.0], worker) for worker in range(2)]))
    assert three is not None and set(three.content) == {"order"}
    assert "Same against same" not in render(three) and "Cells furthest from 1, odd against even" in render(three)


def test_one_worker_has_no_interval_and_the_page_says_so() -> None:
    built = part(frame([timed([2.0, 2.2] * 4)]))
    assert built is not None and built.drawings == () and set(built.data) == {"control-same", "control-order"}
    text = render(built)
    assert text.count("No cell was timed by two workers, so there is no interval.") == 2
    assert "1.00 [one worker]" in text and "The median distance from 1 is 10.0 %." in text


def test_chance_alone_misses_as_often_as_it_may_and_an_order_effect_is_found() -> None:
    same, order = (Control(split, quotients(noise(120, 4, 8, 1.05), split)) for split in ("same", "order"))
    assert same.verdict == "what" and 0 < same.missed < 15
    assert order.verdict == "more than" and order.missed > 60 and order.middle == pytest.approx(1.05, abs=0.005)
    assert Control("same", quotients(noise(120, 4, 8), "order")).verdict == "what"


@pytest.mark.parametrize("cells", [1, 7, 34, 100])
def test_the_expected_misses_are_the_middle_of_the_binomial_distribution(cells: int) -> None:
    masses = [math.comb(cells, k) * 0.05**k * 0.95 ** (cells - k) for k in range(cells + 1)]
    below = list(accumulate(masses))
    low, high = (next(k for k in range(cells + 1) if below[k] >= end) for end in (0.025, 0.975))
    found = quotients(noise(cells, 2, 2), "order")
    assert Control("order", found).expected == (low, high)


def test_none_missed_of_very_many_is_fewer_than_chance() -> None:
    found = pd.DataFrame({"quotient": [1.0] * 200, "low": [0.9] * 200, "high": [1.1] * 200, "missed": [False] * 200})
    assert Control("same", found).verdict == "fewer than"


def test_the_worst_come_first_and_the_page_counts_them() -> None:
    rows = [
        timed([2.0, *[2.0 * (1 + 0.01 * n) ** (-1) ** (n + 1)] * 2, 2.0], worker, cell=str(n), problem=f"p{n}")
        for n in range(12)
        for worker in range(2)
    ]
    built = part(frame(rows))
    assert built is not None
    same = built.content["same"]
    assert list(same.frame["problem"]) == [f"p{n}" for n in range(11, -1, -1)] and same.missed == 11
    assert len(same.worst) == WORST
    text = html.unescape(render(built))
    assert "11 of 12 intervals (95 %) miss 1" in " ".join(text.split()).replace("</strong>", "")
    assert "about 5 % are expected, and between 0 and 2 in 95 % of all runs" in text
    assert "p10, backprop, torch 0.909 [0.909, 0.909]" in text
    assert "p11, backprop, torch 1.11 [1.11, 1.11]" in text and "; p2, backprop" in text
    assert "p1, backprop" not in text[: text.index("Pairs odd ÷ even")]
    reader = Reader(text)
    assert sum("misses 1" in cell for line in reader.rows for _, cell in line) == WORST


def test_of_very_many_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.control.MOST", 5)
    found = drawing([Control("same", quotients(noise(12, 2, 4), "same"))])
    assert "5 cells of more are drawn" in found.caption and len(found.data) == 12


RATIOS = st.lists(st.floats(1e-5, 1e9), max_size=9)


@settings(max_examples=20, deadline=None)
@given(st.lists(RATIOS, max_size=3))
def test_any_positive_ratios_have_quotients_or_none(visits: list[list[float]]) -> None:
    found = quotients(frame([timed(ratios, worker) for worker, ratios in enumerate(visits) if ratios]), "same")
    whole = sum(len(ratios) >= 4 for ratios in visits)
    assert len(found) == min(whole, 1)
    for row in found.to_dict("records"):
        assert row["workers"] == whole and (math.isnan(row["low"]) if whole == 1 else row["low"] <= row["high"])


def test_names_are_only_text() -> None:
    rows = hostile()
    built = part(frame([*rows, *(one | {"worker": 1} for one in rows)]))
    assert built is not None
    reader = Reader(render(built))
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "image"}
