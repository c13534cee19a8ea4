"""Every situation, from rows of results: which case stands for it, what is named, what is linked."""

from __future__ import annotations

import pytest

from bench.stats import centre
from reports.answer.answer import Answer
from reports.answer.situations import RULES
from reports.labels import COLOURS
from reports.numbers import interval
from tests.reports.answer.made_up import lengths, net, nets, solves, sweep
from tests.reports.answer.worlds import answer, answered, cell, papers, situation
from tests.rows import GAUSSIAN, GIVEN, Row, visit


def test_without_rows_nothing_is_decided_and_every_situation_says_what_to_run() -> None:
    content = answered([])
    assert [one.rule for one in content.situations] == list(RULES)
    assert all(one.answers == () and one.rule.command for one in content.situations)
    assert content.sentences == ()


def test_of_several_networks_the_deepest_stands_and_the_others_are_told() -> None:
    found = answer("explicit", [*nets(3, 2.5, 1.5), *nets(10, 3.0, 2.0)])
    assert found.decision.methods == ("backprop",) and found.case.sizes["depth"] == 10
    assert found.told[-1:] == ("The same at depth 3.",)


def test_a_forward_gradient_is_never_chosen_however_cheap_and_its_cost_is_told() -> None:
    found = answer("explicit", nets(3, 2.5, 1.5))
    assert found.decision.methods == ("backprop",)
    given, exact_one = (interval(*centre([one * side for side in (0.99, 1.01, 0.99, 1.01)])[:3]) for one in (1.5, 2.5))
    assert found.told[1] == (
        f"Forward gradients take {given} (tangents given) forwards, beside {exact_one} of backprop. They are unbiased, "
        "but the error of one draw is 1000; √n = 1000 for n parameters."
    )


def test_a_forward_gradient_alone_decides_nothing() -> None:
    rows = [*cell(GIVEN, 1.5, 1000.0, sizes=net()), *cell(GAUSSIAN, 1.6, 900.0, sizes=net())]
    assert situation("explicit", answered(rows)).answers == ()


@pytest.mark.parametrize(("gamma", "where"), [(0.5, "contractive"), (0.95, "near-one"), (0.99, "near-one")])
def test_gamma_says_which_situation_a_layer_belongs_to(gamma: float, where: str) -> None:
    content = answered(solves(gamma))
    decided = [one.rule.name for one in content.situations if one.answers]
    assert decided == [where, "accuracy"]
    assert answer(where, solves(gamma)).decision.methods == ("IFT, Picard",)


def test_a_step_that_need_not_contract_stands_for_no_situation() -> None:
    assert answered(solves(1.0), papers(solves(1.0))).sentences
    assert not any(one.answers for one in answered(solves(1.0), papers(solves(1.0))).situations)
    assert answer("accuracy", [*solves(0.5), *solves(1.0)]).case.sizes["gamma"] == 0.5


@pytest.mark.parametrize("source", ["grid", "papers"])
def test_float32_comes_first_and_another_dtype_is_named(source: str) -> None:
    def found(rows: list[Row]) -> Answer:
        return answer("accuracy", rows) if source == "grid" else answer("accuracy", [], papers(rows))

    double = solves(0.95, dtype="float64")
    assert found(double).case.place == "tanh, width 64, batch 16, float64"
    both = found([*solves(0.5), *double])
    assert both.case.dtype == "float32" and both.case.sizes["gamma"] == 0.5
    assert "float32" not in both.case.place and both.told[-1] == "The same at gamma 0.95, float64."


def test_between_the_two_gammas_only_accuracy_is_decided() -> None:
    assert [one.rule.name for one in answered(solves(0.8)).situations if one.answers] == ["accuracy"]


def test_the_greatest_gamma_stands_and_another_answer_elsewhere_is_told() -> None:
    found = answer("near-one", [*solves(0.95), *solves(0.99, times=(2.0, 3.0, 1.1))])
    assert found.case.sizes["gamma"] == 0.99 and found.decision.methods == ("unrolled",)
    assert found.told[-1:] == ("At gamma 0.95: IFT, Picard.",)


def test_of_many_other_cases_the_first_are_told_and_the_rest_counted() -> None:
    rows = [row for depth in range(2, 11) for row in nets(depth, 3.0, 2.0)]
    assert answer("explicit", rows).told[-1:] == (
        "The same at depth 2; depth 3; depth 4; depth 5; depth 6; depth 7; and 2 more.",
    )


def test_jfb_is_for_whom_its_error_will_do() -> None:
    told = answer("near-one", solves(0.95)).told[-1]
    assert told.startswith("If an error of 0.600 is acceptable, JFB takes 1.10 [") and told.endswith("forwards.")


def test_accuracy_has_the_stricter_limit() -> None:
    found = answer("accuracy", [], papers(lengths()))
    assert found.decision.methods == ("IFT, Picard",)


def test_failed_cells_are_told_and_not_chosen() -> None:
    lost = visit(
        problem="tanh", sizes={"batch": 16, "kind": "symmetric", "width": 64, "gamma": 0.95}, measure="time",
        method=("ift", {"K": 100, "linear_solver": "gmres", "M": 5}), status="wrong", reason="off",
    )  # fmt: skip
    found = answer("near-one", [*solves(0.95), lost])
    assert found.decision.methods == ("IFT, Picard",) and "Without numbers: IFT, GMRES (wrong)." in found.told


def test_memory_counts_bytes_beyond_the_forward_at_the_most_steps() -> None:
    found = answer("memory-steps", sweep())
    assert found.decision.methods == ("IFT, Picard",) and found.case.sizes["K"] == 20
    assert found.memory == ("constant in K (0 B a step)",)
    assert found.told == (
        "Next, with an error of at most 0.01 too: unrolled (K 20) 81.9 kB beyond the forward’s peak.",
        "Grows by one activation a step: unrolled. Constant in K (0 B a step): IFT (Picard) and JFB.",
        "If an error of 0.500 is acceptable, JFB takes 1.00 kB beyond the forward’s peak.",
    )


def test_a_sweep_tells_the_memory_order_of_a_timed_layer() -> None:
    assert answer("near-one", [*solves(0.95), *sweep()]).memory == ("constant in K (0 B a step)",)
    assert answer("near-one", solves(0.95)).memory == ("",)


def test_links_lead_only_to_what_the_page_has() -> None:
    assert answer("near-one", solves(0.95), evidence=("results", "memory")).links == (("results", "results"),)
    assert answer("near-one", solves(0.95)).links == ()
    precise = answer("near-one", [], papers(lengths()), ("papers", "precision")).links
    assert precise == (("papers", "papers"),)
    both = answer("near-one", solves(0.95), None, ("results", "precision")).links
    assert both == (("results", "results"), ("precision", "precision"))


def test_frameworks_answer_apart_and_the_sentence_says_where_they_differ() -> None:
    theirs = solves(0.95, times=(2.0, 3.0, 1.1), framework="jax")
    content = answered([*solves(0.95), *theirs])
    found = {one.case.runner: one.decision.methods for one in situation("near-one", content).answers}
    assert found == {"torch": ("IFT, Picard",), "jax": ("unrolled",)}
    assert content.sentences[0] == (
        "torch and jax name the same methods in 0 of 2 situations that they share; they differ in: Implicit layer, γ "
        "at least 0.95; Accuracy-critical, implicit layer."
    )


def test_names_in_the_answer_are_those_of_the_figures() -> None:
    content = answered([*solves(0.95), *nets(3, 2.0, 2.0), *sweep()])
    named = {one.label for situation in content.situations for answer in situation.answers for one in answer.winners}
    assert named and named <= set(COLOURS)
