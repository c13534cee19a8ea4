"""A claim on an experiment of whose plan rows are missing does not simply hold, and the page says so."""

from __future__ import annotations

from dataclasses import replace

from reports import paper_markdown, paper_page
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNKNOWN
from reports.papers import Papers
from tests.reports.claims import worlds
from tests.reports.claims.test_claims import became
from tests.rows import Row, exact, part, run, timed, typed

NEVER = [part("training", [], seed=seed) for seed in (7, 8)]


def unfinished(papers: Papers, *lost: Row) -> Papers:
    """The same rows under a plan that has more parts."""
    parts = papers.results.parts
    planned = {row.key: row.cell for row in (*parts, *map(typed, lost))}
    runs = [typed(run(parts=list(planned.values())))]
    return Papers(replace(papers.results, runs=runs))


def test_a_plan_that_was_not_finished_is_a_condition() -> None:
    told = "Unfinished: of training 2 planned cells or parts without a row."
    for losses, verdict in (([2.0, 1.0, 0.5], PARTLY), ([2.0, 1.9, 1.8], FAILS)):
        found = became("baydin-training-shared", unfinished(worlds.training({0.1: losses}), *NEVER))
        assert (found.verdict, found.detail) == (verdict, told)
        assert found.words == {PARTLY: "holds in 1 of 1 so far"}.get(verdict, verdict)


def test_too_few_workers_are_a_condition_of_times_and_not_of_bytes() -> None:
    rows: list[Row] = []
    for method, ratio in ((("unrolled", {}), 3.0), (("ift", {"linear_solver": "dense"}), 2.0)):
        what: Row = {"problem": "newton", "sizes": {"width": 8}, "method": (method[0], method[1] | {"K": 2})}
        rows += [timed(ratio + 0.01 * ratio * ratio * worker, worker, noise=0, **what) for worker in range(2)]
        rows.append(exact(1, values={"held_bytes": 1000 * ratio}, **what))
    papers = worlds.papers({"newton_layer": rows})
    found = became("lecture-newton-time", papers)
    told = "Unfinished: of newton_layer 2 planned cells or parts by fewer workers than planned."
    assert (found.verdict, found.detail) == (PARTLY, told)
    assert became("lecture-newton-memory", papers).verdict == HOLDS


def test_nothing_at_all_says_how_much_was_planned() -> None:
    begun = worlds.papers(parts=worlds.step_times("training", {"backprop": 1.0}))
    for papers in (worlds.papers(), begun):
        found = became("baydin-training-shared", unfinished(papers, *NEVER))
        assert found.verdict == UNKNOWN
        assert found.detail == "Unfinished: of training 2 planned cells or parts without a row."


def test_the_page_counts_what_is_not_there() -> None:
    section = paper_page.section(unfinished(worlds.layers(8), part("epochs", [], worker=1), *NEVER))
    one, two = "1 planned cell or part without a row", "2 planned cells or parts without a row"
    assert section.unfinished == [("epochs", one), ("training", two)]
    text = paper_markdown.page(section)
    assert f"## What is not there\n\n- epochs: {one}\n- training: {two}\n" in text
    assert "Not measured. Not run: ratios.\n" in text and ".." not in text
