"""torch against jax: the interval of a quotient in closed form, and what is said of cells that have none."""

from __future__ import annotations

import html
import math
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import centre
from reports.frameworks import Pair, corrected, pairs, part, quotient, scatter
from reports.headline import Record
from reports.template import render
from tests.reports.reader import Reader
from tests.reports.test_means import T2, hostile, made, row
from tests.rows import GIVEN, Row, exact


def record(workers: list[float], framework: str = "torch") -> Record:
    """A row of the frame of cells, from R of each worker."""
    found = centre(workers)
    known = {"R": found.value, "R_low": found.low, "R_high": found.high, "sd_log_R": found.sd}
    return known | {"workers": len(workers), "framework": framework, "status": "ok", "peak_bytes": nan}


def both(torch: list[float], jax: list[float]) -> list[Row]:
    """Time visits without noise of one cell, one a worker."""
    found = [row(one, worker=worker) for worker, one in enumerate(torch)]
    return found + [row(one, worker=worker, framework="jax") for worker, one in enumerate(jax)]


def remark(torch: list[float], jax: list[float]) -> str:
    """What is said of one cell."""
    ((pair,), _) = pairs(made(both(torch, jax)))
    return pair.remark


def test_the_variances_of_both_add_up() -> None:
    # sd of each is 0.1·√2 over two workers: the variances of the means are 0.01 each, and Welch has 2 degrees.
    spread = [math.exp(-0.1), math.exp(0.1)]
    found = quotient(record([2 * one for one in spread]), record([5 * one for one in spread], "jax"))
    half = T2 * math.sqrt(0.02)
    assert found[:4] == pytest.approx((2.5, 2.5 * math.exp(-half), 2.5 * math.exp(half), 2))


def test_without_spread_the_interval_is_the_value() -> None:
    assert quotient(record([2.0, 2.0]), record([3.0, 3.0]))[:4] == pytest.approx((1.5, 1.5, 1.5, 2))


def test_one_worker_has_a_value_and_no_interval() -> None:
    found = quotient(record([2.0]), record([3.0, 3.0]))
    assert found.value == 1.5 and math.isnan(found.low) and math.isnan(found.high) and found.samples == 1
    assert quotient(record([]), record([3.0])).samples == 0


RATIOS = st.lists(st.floats(1e-16, 1e16), min_size=2, max_size=5)


@settings(max_examples=50, deadline=None)
@given(RATIOS, RATIOS)
def test_the_other_way_round_is_the_inverse(torch: list[float], jax: list[float]) -> None:
    one, other = quotient(record(torch), record(jax)), quotient(record(jax), record(torch))
    assert one.value * other.value == pytest.approx(1)
    assert one.low <= one.high and math.log(one.low) == pytest.approx(-math.log(other.high), abs=1e-9)


def test_remarks() -> None:
    assert remark([2.0, 2.1, 2.2], [4.0, 4.1, 4.2]) == "R higher in jax"
    assert remark([4.0, 4.1, 4.2], [2.0, 2.1, 2.2]) == "R higher in torch"
    assert remark([2.0, 3.0, 4.0], [2.1, 3.1, 4.1]) == "not told apart"
    assert remark([2.0], [3.0]) == "no interval"


def test_the_part_says_how_many_are_higher_where() -> None:
    rows = [*both([2.0, 2.1, 2.2], [4.0, 4.1, 4.2]), row(3.0, method=GIVEN), row("oom", method=GIVEN, framework="jax")]
    rows += [exact(1000, sizes={"width": 8}), exact(1500, sizes={"width": 8}, framework="jax"), row(2.0, 99)]
    built = part(made(rows))
    assert built is not None and (built.name, len(built.drawings)) == ("frameworks", 1)
    text = html.unescape(render(built))
    assert "Of 1 pair with an interval R is higher in jax in 1, higher in torch in 0, and not told apart in 0." in text
    assert "jax: oom" in text and "eager / jit" in text and "<td>1.50</td>" in text
    assert "Visited in one of the two alone: 1 cell." in text
    assert "mlp, backprop, eager / jit: 2.10 and 4.10" in text.replace("mlp, width 8", "mlp")
    data = built.drawings[0].data.set_index("label")
    assert data.loc["backprop", "jax_R"] == pytest.approx(4.1) and data.loc["backprop", "peak_quotient"] == 1.5
    assert data.loc["forward gradient, tangents given", "jax_status"] == "oom"


def test_each_mode_of_torch_is_compared() -> None:
    rows = [*both([2.0], [3.0]), row(1.5, mode="compiled")]
    found, alone = pairs(made(rows))
    assert {pair.modes: pair.quotient.value for pair in found} == pytest.approx(
        {"eager / jit": 1.5, "compiled / jit": 2}
    )
    drawn = scatter(found)
    assert alone == 0 and drawn is not None and "torch compiled" in drawn.svg


def test_one_framework_alone_is_no_comparison() -> None:
    assert part(made([row(2.0)])) is None and part([]) is None
    assert part(made([row(2.0), row(2.0, 9, framework="jax")])) is None
    other_options = row(2.0, method=("jfb", {"K": 5})), row(2.0, method=("jfb", {"K": 6}), framework="jax")
    assert pairs(made(list(other_options))) == ([], 2)


def test_where_all_failed_there_is_a_table_and_no_figure() -> None:
    built = part(made([row("timeout"), row("wrong", framework="jax")]))
    assert built is not None and built.drawings == () and set(built.data) == {"frameworks"}
    text = render(built)
    assert "torch: timeout, jax: wrong" in text and "No pair has an interval." in text and "frameworks.csv" in text


def test_the_first_of_many_are_shown_and_the_data_hold_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.frameworks.MOST", 2)
    rows = [row(2.0, width, framework=framework) for width in range(5) for framework in ("torch", "jax")]
    drawn = scatter(pairs(made(rows))[0])
    assert drawn is not None and "The first 2 of 5 cells are drawn." in drawn.caption
    assert len(drawn.data) == 5


def test_names_are_only_text() -> None:
    built = part(made(hostile()))
    assert built is not None
    reader = Reader(render(built))
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "image"}


def test_of_equal_cells_one_is_told_apart_in_at_most_five_of_a_hundred_draws() -> None:
    """Sixteen cells with one R in both frameworks; uncorrected, every second draw would tell one of them apart."""
    dice, draws, wrong, uncorrected = np.random.default_rng(3), 200, 0, 0
    for _ in range(draws):
        drawn = np.exp(0.05 * dice.standard_normal((2, 16, 8))).tolist()
        rows = [(record(one), record(other, "jax")) for one, other in zip(*drawn, strict=True)]
        told = corrected([Pair("mlp", "backprop", "", *both, quotient(*both)) for both in rows])
        wrong += any(pair.remark.startswith("R higher") for pair in told)
        uncorrected += any(not pair.quotient.low <= 1 <= pair.quotient.high for pair in told)
    assert wrong <= 0.05 * draws < 0.3 * draws < uncorrected
