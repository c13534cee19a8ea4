"""Solves of several lengths in one unit of time, and whose cells answer: the grid's before the papers'."""

from __future__ import annotations

from typing import Any

import pytest

from reports.answer import markdown
from tests.reports.answer.made_up import fair, lengths, solves
from tests.reports.answer.worlds import JFB, UNROLLED, answer, answered, layer, papers, picard, situation
from tests.rows import MACHINE, VERSIONS, visit


def test_cells_of_other_lengths_are_not_compared_by_r() -> None:
    """R counts in each cell's own forward: a short solve with a large R may be the cheaper one."""
    rows = [*layer(UNROLLED, 3.0, 1e-6, K=10, forward=0.1), *layer(picard(9), 2.0, 1e-6, K=100)]
    found = answer("near-one", rows)
    assert found.decision.methods == ("unrolled",) and found.case.longest == 100
    assert found.winners[0].cost.value == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_with_every_method_at_every_length_the_cheapest_setting_is_known(framework: str) -> None:
    """Forwards of K = 40 take a quarter of the longest: IFT with 40 Picard steps costs 2 / 4 of it."""
    rows = fair(framework=framework)
    near = answer("near-one", rows)
    assert near.decision.named == "IFT, Picard (K 40, M 40)"
    assert near.winners[0].cost.value == pytest.approx(0.5, rel=0.02)
    assert near.told[0].startswith("Next, with an error of at most 0.01 too: unrolled (K 40) 0.750 [")
    assert near.told[-1].startswith("If an error of 0.600 is acceptable, JFB at K = 40 takes 0.275 [")
    critical = answer("accuracy", rows)
    assert critical.decision.named == "IFT, Picard (K 160, M 160)"
    assert critical.winners[0].cost.value == pytest.approx(2.0, rel=0.02)


def test_a_worker_without_the_longest_forward_has_no_time() -> None:
    """Each worker is its own unit: of three workers of a cell one did not visit the longest."""
    rows = [*layer(UNROLLED, 3.0, 1e-3, K=10, forward=0.1, workers=3), *layer(picard(9), 2.0, 1e-6, workers=2)]
    short = next(one for one in answer("near-one", rows).case.candidates if one.K == 10)
    assert short.cost.samples == 2 and short.ratio.samples == 3


def test_of_two_layers_of_one_gamma_that_with_more_lengths_stands() -> None:
    wide = layer(UNROLLED, 1.0, 1e-6, K=900)
    wider = [row | {"sizes": {**row["sizes"], "width": 512}, "cell": row["cell"] + "/wide"} for row in wide]
    assert answer("near-one", [*wider, *fair()]).case.sizes["width"] == 64


def test_the_papers_cells_stand_in_where_the_grid_has_none() -> None:
    found = answer("near-one", solves(0.5), papers(lengths()))
    (winner,) = found.winners
    assert found.case.source == "papers" and found.case.longest == 100
    assert winner.name == "unrolled (K 10)" and winner.cost.value == pytest.approx(0.3, rel=0.05)
    assert winner.ratio.value == pytest.approx(3.0, rel=0.05)


def test_the_grid_comes_before_the_papers() -> None:
    found = answer("near-one", solves(0.95), papers(lengths()))
    assert found.case.source == "layers" and found.decision.methods == ("IFT, Picard",)


def test_a_grid_that_compares_no_two_exact_methods_leaves_the_papers_to_answer() -> None:
    alone = list(layer(JFB, 1.1, 0.6, K=30))
    for rows in (alone, [*alone, *layer(picard(9), 2.0, 1e-6, K=30)]):
        found = answer("near-one", rows, papers(lengths()))
        assert found.case.source == "papers" and found.winners
    assert answer("near-one", alone).decision.why == "only JFB was measured"
    assert answer("near-one", alone, papers(layer(JFB, 1.2, 0.6))).case.source == "layers"


def test_each_runner_has_its_own_source() -> None:
    rows = [*solves(0.95), *layer(JFB, 1.1, 0.6, framework="jax")]
    found = situation("near-one", answered(rows, papers([*lengths(), *fair(framework="jax")]))).answers
    assert [(one.case.runner, one.case.source) for one in found] == [("torch", "layers"), ("jax", "papers")]
    assert all(one.winners for one in found)


@pytest.mark.parametrize(
    "other", [{"machine": {**MACHINE, "cpu": "Another CPU"}}, {"versions": {**VERSIONS, "torch": "2.14.0"}}]
)
def test_papers_of_another_machine_or_version_are_not_used(other: dict[str, Any]) -> None:
    """Times of one machine do not answer for another: undecided, with the reason and the command."""
    assert answer("near-one", [], papers(lengths())).winners
    content = answered([], papers(lengths(), **other))
    for name in ("contractive", "near-one", "accuracy"):
        found = situation(name, content)
        assert found.answers == () and found.rule.command == "make report"
        assert found.why == ("no cell fits, and the papers’ experiments ran on another machine or with other versions")
    assert situation("explicit", content).why == "no cell fits"
    assert "another machine" in markdown(content)


def test_what_has_no_cell_of_the_winners_length_is_told_and_so_is_the_winner_at_one_length() -> None:
    told = answer("near-one", [], papers(lengths())).told
    assert told[0].startswith("Next, with an error of at most 0.01 too: IFT, Picard (K 100, M 40) 2.00 [")
    assert told[1] == "Not measured at K = 10: IFT, Picard (only K = 100); JFB (only K = 100)."
    assert told[2].startswith(
        "Of the settings with K = 100 alone, the least costly is IFT, Picard (K 100, M 40): 2.00 ["
    )
    assert told[3].startswith("If an error of 0.600 is acceptable, JFB takes 1.10 [")


def test_papers_whose_cells_all_failed_leave_the_grid_to_answer() -> None:
    lost = [visit(problem="tanh", sizes={"gamma": 0.95}, method=UNROLLED, measure="time", status="oom", reason="")]
    found = answer("near-one", solves(0.95), papers(lost))
    assert found.case.source == "layers" and found.decision.methods == ("IFT, Picard",)
    assert answer("near-one", [], papers(lost)).decision.why == "nothing was measured"
