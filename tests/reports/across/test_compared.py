"""Two results files side by side: known quotients, both directions, what is missing, and what warns."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from reports import Results
from reports.across.compared import Comparison, part
from reports.across.differences import differences
from reports.across.pairs import Pair, match
from reports.part import Part
from reports.template import render
from tests.reports.across.sides import METHODS, A, B, cell, results, workers
from tests.reports.reader import Reader
from tests.rows import BACKPROP, MLP, exact, run, visit

NAMES = ("before", "after")


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Results]:
    """Backprop is the same; gaussian costs 1.5 times as much, given half as much; B's numbers are known to be so."""
    folder = tmp_path_factory.mktemp("sides")
    slower = {"backprop": 1.0, "gaussian": 1.5, "given": 0.5}
    one = [cell(workers(3, 0.01), A, method=method) for method in METHODS.values()]
    other = [
        cell(
            workers(3 * slower[name], 0.01),
            B,
            peak=1000 + 24 * (name == "gaussian"),
            values={"flops": 10**9 // (1 + (name == "given")), "gradient_error": 3.21e-7 * (1 + (name == "given"))},
            method=method,
        )
        for name, method in METHODS.items()
    ]
    what: dict[str, Any] = {"method": BACKPROP, "sizes": MLP | {"depth": 9}}
    one.append([exact(100, run=A, **what)])
    other.append([exact(100, run=B, **what)])
    return results(folder / "a.jsonl", A, one), results(folder / "b.jsonl", B, other, commit="b" * 40, impls="2" * 12)


@pytest.fixture(scope="module")
def made(sides: tuple[Results, Results]) -> Part:
    """The part of the page on them."""
    return part(*sides, NAMES)


def by_label(pairs: list[Pair]) -> dict[str, Pair]:
    """The timed ones."""
    return {pair.b["label"]: pair for pair in pairs if pair.timed}


def test_quotients_and_classes_are_those_that_were_put_in(sides: tuple[Results, Results]) -> None:
    found = by_label(match(*sides).pairs)
    told = {name: (round(pair.ratio.value, 9), pair.verdict) for name, pair in found.items()}
    assert told == {
        "forward gradient": (1.5, "worse"),
        "forward gradient, tangents given": (0.5, "better"),
        "backprop": (1.0, "same"),
    }
    for pair in found.values():
        assert pair.ratio.low < pair.ratio.value < pair.ratio.high and pair.ratio.samples == 8
    assert [pair.verdict for pair in match(*sides).pairs] == ["worse", "better", "same", ""]


def test_the_other_way_round_everything_turns_over(sides: tuple[Results, Results]) -> None:
    there, back = (by_label(match(*both).pairs) for both in (sides, sides[::-1]))
    turned = {"worse": "better", "better": "worse", "same": "same"}
    for name, pair in there.items():
        assert back[name].verdict == turned[pair.verdict]
        assert back[name].ratio.value == pytest.approx(1 / pair.ratio.value)
        assert back[name].ratio.low == pytest.approx(1 / pair.ratio.high)
    assert there["forward gradient"].change("peak_bytes").told("bytes") == "24 B more"
    assert back["forward gradient"].change("peak_bytes").told("bytes") == "24 B fewer"


def test_the_summary_counts(made: Part) -> None:
    told: Comparison = made.content
    assert told.classes == [("worse", 1), ("better", 1), ("not decided", 0), ("same", 1)]
    assert told.mean == pytest.approx((1.5 * 0.5) ** (1 / 3)) and told.ends == pytest.approx((0.5, 1.5))
    counts = {name: dict(count) for name, count in told.exact}
    assert counts["Peak bytes"] == {"more": 1, "fewer": 0, "equal": 3}
    assert counts["Flops"] == {"more": 0, "fewer": 1, "equal": 2}
    assert counts["Gradient error"] == {"more": 1, "fewer": 0, "equal": 3}
    assert told.unmoved == 1 and told.untimed == [] and told.turned == [] and told.cautions == []


def test_the_page_says_it(made: Part) -> None:
    source = render(made)
    text = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", source, flags=re.DOTALL))
    assert made.name == "compared" and made.title == "before against after"
    assert "R of B ÷ R of A in 3 cells: 1 worse, 1 better, 0 not decided, 1 same." in text
    assert "Geometric mean 0.909 over these cells, from 0.500 to 1.50." in text
    assert "Peak bytes: more in 1, fewer in 0, equal in 3." in text and "24 B more 1.00 kB → 1.02 kB" in text
    assert "Status: changed in 0 of 4 cells." in text and "1 cell without times is the same" in text
    assert "A before: commit aaaaaaaaaaaa, methods 111111111111" in text
    reader = Reader(source)
    assert reader.stack == [] and len(reader.ids) == len(set(reader.ids))


def test_figure_and_data_hold_every_quotient(made: Part) -> None:
    (drawing,) = made.drawings
    assert drawing.name == "compared-ratios" and list(made.data) == ["compared-ratios", "compared"]
    assert drawing.data["quotient"].tolist() == pytest.approx([1.5, 1.0, 0.5])
    assert "mlp: forward gradient, torch: 1.50 [1.4" in drawing.svg and ", worse; " in drawing.svg
    table = made.data["compared"].set_index("label")
    assert len(table) == 4 and table.loc["forward gradient", "peak_bytes_change"] == "more"
    assert table.loc["forward gradient", "R_B"] == pytest.approx(4.5 * (1.01 + 1 / 1.01) / 2)


def test_what_stands_in_one_file_alone_is_named(tmp_path: Path) -> None:
    one = results(tmp_path / "a", A, [cell([2.0], A), cell([2.0], A, problem="old")])
    other = results(tmp_path / "b", B, [cell([2.0], B), cell([2.0], B, problem="new")])
    source = render(part(one, other, NAMES))
    assert re.search(r"In A alone: 1 cell \([^)]*/old\(", source) and re.search(
        r"In B alone: 1 cell \([^)]*/new", source
    )
    (pair,) = match(one, other).pairs
    assert pair.verdict == "not decided" and "[one worker]" in source


def test_a_changed_status_is_told_and_has_no_quotient(tmp_path: Path) -> None:
    one = results(tmp_path / "a", A, [cell(workers(2), A), cell(workers(2), A, problem="tanh")])
    lost = [visit(measure="time", status="oom", reason="too large", problem="tanh", run=B)]
    other = results(tmp_path / "b", B, [cell(workers(2), B), lost])
    (back,) = [pair for pair in match(other, one).pairs if pair.status]
    assert back.status == "oom → ok" and back.verdict == ""
    found = part(one, other, NAMES)
    (turned,) = found.content.turned
    assert turned.status == "ok → oom" and turned.verdict == "" and len(found.content.quotients) == 1
    source = render(found)
    assert "<strong>ok → oom</strong>" in source and "in A alone<small>1.00 kB → –</small>" in source


def test_a_wrong_gradient_has_no_quotient(tmp_path: Path) -> None:
    one = results(tmp_path / "a", A, [cell(workers(2), A)])
    off = exact(1, run=B) | {"status": "wrong", "reason": "off its oracle"}
    other = results(tmp_path / "b", B, [list(cell(workers(1), B))[:-1], [off]])
    found = part(one, other, NAMES)
    assert found.content.quotients == [] and found.drawings == ()
    assert "No cell has R on both sides." in render(found)


def test_exact_cells_that_changed_are_listed(tmp_path: Path) -> None:
    one, other = (
        results(tmp_path / of, of, [[exact(100, run=of), exact(peak, run=of, problem="far", device="meta")]])
        for of, peak in ((A, 100), (B, 4196))
    )
    found = part(one, other, NAMES)
    (pair,) = found.content.untimed
    assert pair.b["problem"] == "far" and found.content.unmoved == 1 and "4.10 kB more" in render(found)


def test_the_same_visits_are_not_compared_with_themselves(tmp_path: Path) -> None:
    mine = list(cell(workers(2), A))
    one = results(tmp_path / "a", A, [mine, cell(workers(2), A, problem="tanh")])
    other = results(tmp_path / "b", A, [mine, [run(B)], cell(workers(4), B, problem="tanh")])
    found = match(one, other)
    assert [pair.b["problem"] for pair in found.pairs] == ["tanh"] and len(found.shared) == 1
    assert differences(one, other, found)[0].startswith("Not compared: 1 cell (")


def test_other_sizes_under_the_same_name_are_not_compared(tmp_path: Path) -> None:
    one = results(tmp_path / "a", A, [cell(workers(2), A), cell(workers(2), A, problem="tanh")])
    grown = copy.deepcopy(list(cell(workers(2), B)))
    for row in grown:
        row["sizes"]["classes"] = 11  # a default of the problem changed; the id still names the old one
    other = results(tmp_path / "b", B, [grown, cell(workers(2), B, problem="tanh")])
    found = match(one, other)
    assert [pair.b["problem"] for pair in found.pairs] == ["tanh"] and len(found.resized) == 1
    assert "of other sizes or options in A than in B" in differences(one, other, found)[0]
