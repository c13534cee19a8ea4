"""An R whose whole interval lies below 1 says nothing of the gradient: wherever it is shown it carries a caution."""

from __future__ import annotations

import html
from math import nan
from typing import Any

import pytest

from reports import cells
from reports.answer import part as answer
from reports.below_one import CAUSES, NO_UNIT, SLOW, causes, no_unit, note
from reports.cautions import cautions
from reports.conditions import below_one
from reports.figures import ratios
from reports.frame import samples
from reports.frameworks import pairs, scatter
from reports.headline import groups
from reports.heat import drawing as heat
from reports.load import Results
from reports.markdown import table
from reports.means import table as means
from reports.page import write
from reports.paper_figures.depth import depth
from reports.paper_figures.sizes import sizes
from reports.paper_markdown import page as claims_page
from reports.paper_page import section
from reports.parts import Sources
from tests.reports.claims import worlds
from tests.rows import BACKPROP, GIVEN, Method, Row, exact, timed
from tests.rows import results as results_of

FOUND = {"batch": 512, "classes": 10, "depth": 3, "inputs": 512, "width": 512}
"""The sizes at which R of 0.51 and 0.65 was measured in jax."""

EVERY = pytest.mark.parametrize("framework", ["torch", "jax"])


def visits(ratio: float, method: Method = BACKPROP, framework: str = "torch", **what: Any) -> list[Row]:
    """A cell that four workers visit, with a narrow interval."""
    rows = [timed(ratio, worker, noise=0.0, method=method, framework=framework, **what) for worker in range(4)]
    for worker, row in enumerate(rows):
        row["samples"]["gradient_s"] = [one * (1 + 0.01 * worker) for one in row["samples"]["gradient_s"]]
    return [*rows, exact(2_000_000, method=method, framework=framework, **what)]


def results(*rows: Row) -> Results:
    """A grid of visits."""
    return results_of(rows, workers=4)


def slow(framework: str) -> Results:
    """One cell whose forward is slow, beside one that is not."""
    return results(*visits(0.51, GIVEN, framework), *visits(2.5, BACKPROP, framework))


@pytest.mark.parametrize(
    ("row", "low"),
    [
        ({"R_high": 0.999}, True),
        ({"R_high": 1.0}, False),
        ({"R_high": nan}, False),
        ({"R_high": None}, False),
        ({}, False),
    ],
)
def test_the_whole_interval_has_to_lie_below_one(row: Row, low: bool) -> None:
    """One worker gives no interval, and an interval that reaches to 1 is no proof."""
    assert no_unit(row) is low


@EVERY
def test_the_tables_mark_it_and_the_page_warns(framework: str) -> None:
    made = slow(framework)
    frame = cells(made)
    assert [line.count(NO_UNIT) for line in table(made).splitlines()[2:]] == [0, 1]
    (told,) = below_one(frame)
    assert told in cautions(made, frame)
    assert told.startswith(
        f"R of 1 cell lies below 1 and decides nothing: mlp, forward gradient, tangents given, {framework}"
    )
    assert f"{SLOW[:1].upper()}{SLOW[1:]}." in told and "XLA" not in told
    assert below_one(frame[frame["method"] == "backprop"]) == []


@EVERY
def test_the_figures_mark_it(framework: str) -> None:
    found = groups(cells(slow(framework)))
    for drawn in (heat(found), ratios(found)):
        assert drawn is not None and f"R of 1 cell here is {NO_UNIT}. The forward runs slower" in drawn.caption
    drawn = heat(found)
    assert drawn is not None and ">0.518*<" in drawn.svg and f"* R {NO_UNIT}" in html.unescape(drawn.svg)
    fine = groups(cells(results(*visits(2.5))))
    for drawn in (heat(fine), ratios(fine)):
        assert drawn is not None and "no unit" not in drawn.caption and "*<" not in drawn.svg


def test_frameworks_are_not_compared_by_it() -> None:
    made = results(*visits(0.51, framework="jax"), *visits(2.5), *visits(2.5, GIVEN), *visits(5.0, GIVEN, "jax"))
    found, _ = pairs(groups(cells(made)))
    assert [pair.remark for pair in found] == [f"jax: R {NO_UNIT}", "R higher in jax"]
    drawn = scatter(found)
    assert drawn is not None and f"R of 1 cell here is {NO_UNIT}" in drawn.caption


@EVERY
def test_means_leave_it_out_and_count_it(framework: str) -> None:
    what: Row = {"framework": framework, "sizes": {"batch": 64, "width": 8}}
    made = results(*slow(framework).visits, *visits(4.0, GIVEN, **what), *visits(2.0, **what))
    (kind,) = means(groups(cells(made)))
    (entry,) = kind.methods["forward gradient, tangents given"]
    assert (entry.timed, entry.failures) == (1, f"1 R {NO_UNIT}") and entry.mean.value > 1


@EVERY
def test_the_answer_does_not_rest_on_it(framework: str) -> None:
    layer = {"batch": 16, "gamma": 0.95, "kind": "symmetric", "width": 64}
    what: Row = {"problem": "tanh", "sizes": layer, "framework": framework}
    rows = visits(0.6, ("unrolled", {"K": 9}), **what) + visits(
        2.0, ("ift", {"K": 9, "linear_solver": "gmres"}), **what
    )
    made = results(*rows, *visits(1.1, ("jfb", {"K": 9}), **what))
    content = answer(cells(made), samples(made), None, (), made.run).content
    (found,) = next(one for one in content.situations if one.rule.name == "near-one").answers
    assert "unrolled" not in found.decision.named
    assert any(one.startswith("Left out, R below 1: unrolled (K 9) 0.6") for one in found.told)


def test_the_cause_that_was_found_is_told_of_its_cell_alone() -> None:
    ((columns, its_sizes, words),) = CAUSES
    row = {**columns, "sizes": FOUND, "R_high": 0.5}
    assert its_sizes.items() <= FOUND.items() and words in causes([row])
    for other in ({"framework": "torch"}, {"sizes": FOUND | {"batch": 64}}, {"device": "cuda:0"}, {"problem": "cnn"}):
        assert causes([row | other]) == f"{SLOW[:1].upper()}{SLOW[1:]}."
    assert note([row | {"R_high": 1.5}]) == "" and note([]) == ""


@EVERY
def test_the_papers_figures_and_page_carry_it(framework: str) -> None:
    rows = [
        row for method, ratio in ((BACKPROP, 0.65), (GIVEN, 0.51)) for row in worlds.cell(ratio, "mlp", method, FOUND)
    ]
    rows = [row for row in rows if row["framework"] == framework]
    rows += [row | {"values": {"forward_flops": 1.7e9}} for row in worlds.bytes_of("mlp", BACKPROP, FOUND)]
    made = worlds.papers({"ratios": rows, "depth": rows})
    for drawn in (sizes(made), depth(made)):
        if drawn is not None:
            assert f"R {NO_UNIT}: " in drawn.caption and f"backprop, {framework} 0.65" in drawn.caption
            assert ("YNNPACK" in drawn.caption) == (framework == "jax")
    assert depth(made) is not None
    text = claims_page(section(made, drawn=False))
    assert "**Caution.** R of 2 cells lies below 1 and decides nothing: mlp, backprop" in text
    assert ("YNNPACK" in text) == (framework == "jax")


def test_the_whole_page_marks_every_table(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = results(*visits(0.51, framework="jax"), *visits(2.5))
    source = write(Sources(made), tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")
    assert source.count(f"<strong>{NO_UNIT}</strong>") == 3, "the headline, the table of all cells, torch against jax"
