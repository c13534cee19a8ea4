"""What a plan says beyond the rows: what was never made, and what fewer workers made than planned."""

from __future__ import annotations

from reports.load import Results
from reports.papers import Failure, Papers
from reports.planned import NO_ROW, NOT_RUN, missing
from reports.rows import check
from tests.reports.synthetic import BACKPROP, GAUSSIAN, Row, exact, part, run, timed, visit

NEVER = "torch/eager/cpu/float32/cnn(batch=64)/backprop()"
TWICE = [timed(2.0, worker, method=BACKPROP) for worker in range(2)]
SHORT = timed(2.0, 0, method=GAUSSIAN)
LOST = visit(problem="logistic", measure="time", status="oom", reason="Too large.")
BYTES = exact(1, problem="tanh")
CELLS = [NEVER, *(row["cell"] for row in (TWICE[0], SHORT, LOST, BYTES))]
DONE, HALF, NONE = (part("training", [{"loss": 1.0}], seed=seed) for seed in range(3))


def of(*rows: Row, **planned: object) -> dict[str, list[Failure]]:
    """What is missing of rows and of one plan for two workers."""
    runs = [check(run(workers=2, **planned))]
    visits, parts = ([check(row) for row in rows if row["kind"] == kind] for kind in ("visit", "part"))
    return missing(Results(runs, visits, parts=parts))


def test_a_cell_without_rows_and_one_with_too_few_workers() -> None:
    # What has failed is told as failed, and bytes need no workers.
    found = of(*TWICE, SHORT, LOST, BYTES, experiments={"ratios": CELLS, "depth": [NEVER]})
    assert found["ratios"] == [
        Failure(NEVER, NOT_RUN, NO_ROW),
        Failure(SHORT["cell"], NOT_RUN, "timed by 1 of 2 workers"),
    ]
    assert found["depth"] == [Failure(NEVER, NOT_RUN, NO_ROW)]


def test_a_part_is_planned_once_for_each_worker() -> None:
    planned = [row["cell"] for row in (DONE, HALF, HALF, NONE, NONE)]
    assert of(DONE, HALF, HALF, parts=planned) == {
        "training": [
            Failure(HALF["cell"], NOT_RUN, "made by 1 of 2 workers"),
            Failure(NONE["cell"], NOT_RUN, NO_ROW),
        ]
    }
    assert of(DONE, HALF, HALF | {"worker": 1}, NONE | {"status": "failed"}, parts=planned[:4]) == {}


def test_a_run_that_goes_on_from_another_has_the_same_plan() -> None:
    runs = [check(run(name, parts=[DONE["cell"], HALF["cell"]])) for name in ("0" * 12, "1" * 12)]
    found = Papers(Results(runs, [], parts=[check(DONE), check(HALF | {"run": "1" * 12})]))
    assert found.missing("training") == [] and found.missing("no such experiment") == []


def test_the_last_plan_of_an_experiment_takes_the_place_of_earlier_ones() -> None:
    first = check(run("0" * 12, parts=[DONE["cell"], NONE["cell"]], experiments={"ratios": [NEVER], "training": []}))
    later = run("1" * 12, parts=[DONE["cell"]], experiments={"training": []}) | {"started": "2026-03-01T11:00:00Z"}
    old = part("training", [{"loss": 9.0}], seed=7)
    found = Papers(Results([check(later), first], [], parts=[check(DONE), check(old)]))
    assert found.records("training")["loss"].tolist() == [1.0]
    assert found.missing("training") == [] and found.missing("ratios") == [Failure(NEVER, NOT_RUN, NO_ROW)]
