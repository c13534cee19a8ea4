"""Claims never raise, whatever stands in the tables, and say why they have nothing to say."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.claims import CLAIMS, VERDICTS, judge, judged
from tests.reports.claims import worlds
from tests.rows import BACKPROP, GAUSSIAN, Row, exact, part, timed, visit
from tests.rows import papers as papers_of

EXPERIMENTS = sorted({name for claim in CLAIMS for name in claim.experiments})
NAMES = (
    *("method", "model", "data", "function", "protocol", "rate", "seed", "what", "k", "K", "problem", "gamma", "kind"),
    *(
        "iteration",
        "loss",
        "test_error",
        "seconds",
        "ratio",
        "value",
        "norm",
        "cosine",
        "worst",
        "covered",
        "framework",
    ),
    *("linear_solver", "total_lines", "peak_bytes", "parameter_bytes", "depth", "width", "batch", "solver", "worker"),
    *("failed", "unscored", "diverged", "tol"),
)
WORDS = ("jfb", "ift", "backprop", "forward_gradient", "affine", "model", "replayed", "beale", "shared", "tuned", "<b>")
NUMBERS = st.sampled_from((0, 1, -1, 2.5, 1e300, -1e300, 1e-300, 0.0))
ANY = st.none() | NUMBERS | st.sampled_from(WORDS)
SETTING = NUMBERS.filter(lambda one: abs(one) < 1e15) | st.sampled_from(WORDS)
TABLE = st.dictionaries(st.sampled_from(NAMES), ANY, max_size=8)
ABOUT = st.dictionaries(st.sampled_from(NAMES), SETTING, max_size=8)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(EXPERIMENTS), ABOUT, st.lists(TABLE, min_size=1, max_size=4)), min_size=1))
def test_any_table_gives_a_verdict(tables: list[tuple[str, Row, list[Row]]]) -> None:
    rows: list[Row] = []
    for experiment, about, records in tables:
        made = part(experiment, records)
        rows.append(made | {"settings": about, "cell": f"{experiment}/{len(rows)}"})
    papers = papers_of(parts=rows)
    for claim in CLAIMS:
        if claim.experiments[0] in papers.experiments:
            found = judge(claim, papers)
            assert found.verdict in VERDICTS and all(isinstance(case.measured, str) for case in found.cases)


@settings(max_examples=8, deadline=None)
@given(
    st.dictionaries(st.sampled_from(("K", "M", "width", "depth", "batch", "tangents", "solver")), SETTING, max_size=4)
)
def test_any_sizes_and_options_give_a_verdict(odd: Row) -> None:
    rows = [timed(2.0, method=(name, odd | {"linear_solver": "picard"})) for name in ("ift", "jfb", "unrolled")]
    rows += [exact(0, method=(name, odd), sizes=odd) for name in ("backprop", "forward_gradient", "unrolled")]
    assert len(judged(papers_of(dict.fromkeys(EXPERIMENTS, rows)))) == len(CLAIMS)


def of(name: str, papers: Any) -> tuple[str, str]:
    """Verdict and detail of one claim."""
    found = judge(next(claim for claim in CLAIMS if claim.name == name), papers)
    return found.verdict, found.detail


def test_failed_parts_are_told_with_their_reasons() -> None:
    lost = [part("training", [], seed=n, status="timeout", reason=f"Reason {n}.") for n in range(4)]
    verdict, detail = of("baydin-training-shared", worlds.papers(parts=lost))
    assert verdict == "not measured"
    assert detail == (
        "Of training 4 cells or parts have no numbers (timeout, Reason 0; timeout, Reason 1, and 2 more reasons)."
    )


def test_a_cell_without_its_partner_is_no_case() -> None:
    sizes = {"batch": 64}
    rows = [timed(2.0, worker, problem="mlp", method=GAUSSIAN, sizes=sizes) for worker in range(worlds.WORKERS)]
    rows.append(visit(problem="mlp", method=BACKPROP, sizes=sizes, status="oom", reason="Too large."))
    papers = worlds.papers({"ratios": rows})
    assert of("baydin-faster", papers) == ("not measured", "Of ratios 1 cell or part has no numbers (oom, Too large).")
    # The other one's R is known, but one worker gives no interval.
    assert of("baydin-forward-cost", worlds.papers({"ratios": rows[2:]})) == (
        "undecided",
        "Intervals are too wide to tell, or of one sample, which has none. "
        "Of ratios 1 cell or part has no numbers. "
        "Unfinished: of ratios 1 planned cell or part by fewer workers than planned.",
    )


def test_an_unfinished_experiment_says_so() -> None:
    papers = papers_of({"training": []})
    assert of("baydin-training-tuned", papers)[1] == "Without the rows that the claim needs: training."


def test_workers_that_disagree_leave_a_claim_undecided() -> None:
    rows = []
    for worker, ratio in enumerate((1.0, 3.0, 1.5)):
        rows.append(timed(ratio, worker, noise=0, problem="mlp", method=GAUSSIAN))
        rows.append(timed(2.0, worker, noise=0, problem="mlp", method=BACKPROP))
    assert of("baydin-faster", worlds.papers({"ratios": rows}))[0] == "undecided"
