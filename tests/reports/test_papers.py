"""The frames of the papers' experiments: what is in them, and what they leave out."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.papers import MOST_COLUMNS, Failure, Papers, read
from tests.rows import GIVEN, Row, exact, part, results, run, timed, visit, write

LOGISTIC = {"batch": 64, "inputs": 784}
VISITS = [timed(ratio, worker, noise=0) for worker, ratio in enumerate((2.0, 3.0))]
OTHER = exact(7, problem="logistic", method=GIVEN, sizes=LOGISTIC)
FAILED = visit(problem="cnn", status="oom", reason="Too large.")
PARTS = [
    part("training", [{"iteration": 1, "loss": 2.0}, {"iteration": 9, "loss": None}], method="backprop", seed=1),
    part("training", [], "jax", method="jfb", seed=1, status="failed", reason="No."),
    part("training", [{"iteration": 1, "loss": 3.0}], "jax", method="ift", worker=4, device="cuda:0"),
]
CELLS = {"ratios": [VISITS[0]["cell"], FAILED["cell"]], "depth": [OTHER["cell"], VISITS[0]["cell"]], "epochs": []}


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """From a file."""
    rows = [run(experiments=CELLS, preset="papers-quick"), *VISITS, OTHER, FAILED, *PARTS]
    return read(write(tmp_path_factory.mktemp("papers") / "papers-quick.jsonl", rows))


def of(*rows: Row) -> Papers:
    """Papers of parts."""
    return Papers(results(rows))


def test_a_cell_belongs_to_every_experiment_that_names_it(papers: Papers) -> None:
    assert list(papers.cells("ratios")["problem"]) == ["mlp", "cnn"]
    assert set(papers.cells("depth")["problem"]) == {"mlp", "logistic"}


def test_sizes_and_options_have_columns_of_their_own(papers: Papers) -> None:
    frame = papers.cells("depth").set_index("problem")
    assert frame.loc["logistic", "inputs"] == 784 and frame.loc["logistic", "tangents"] == "given"
    assert pd.isna(frame.loc["mlp", "tangents"])
    assert frame.loc["logistic", "peak_bytes"] == 7


def test_records_carry_the_part_and_its_settings(papers: Papers) -> None:
    frame = papers.records("training")
    assert list(frame.columns) == ["framework", "device", "dtype", "worker", "method", "seed", "iteration", "loss"]
    assert list(frame["framework"]) == ["torch", "torch", "jax"]
    assert list(frame["device"]) == ["cpu", "cpu", "cuda:0"] and list(frame["worker"]) == [0, 0, 4]
    assert frame["loss"].isna().sum() == 1


def test_a_record_may_name_another_framework_but_nothing_else_in_its_place() -> None:
    frame = of(part("code_lines", [{"framework": "jax", "worker": "x", "method": "jfb"}], "numpy", method="all"))
    assert frame.records("code_lines").iloc[0].to_dict() == {
        "framework": "jax",
        "device": "cpu",
        "dtype": "float32",
        "worker": 0,
        "method": "jfb",
    }


def test_what_was_not_run_is_empty(papers: Papers) -> None:
    assert papers.records("accuracy").empty and papers.cells("accuracy").empty and papers.failed("accuracy") == []
    assert "accuracy" not in papers.experiments
    assert papers.cells("epochs").empty and "epochs" in papers.experiments and "training" in papers.experiments


def test_failures_have_their_reasons(papers: Papers) -> None:
    assert papers.failed("training") == [Failure("training/jax/cpu/float32/(method=jfb,seed=1)", "failed", "No.")]
    assert papers.failed("ratios") == [Failure(FAILED["cell"], "oom", "Too large.")]


def test_each_worker_has_its_median(papers: Papers) -> None:
    cell = VISITS[0]["cell"]
    assert papers.by_worker(cell) == pytest.approx({0: 2.0, 1: 3.0})
    assert set(papers.by_worker(cell, "forward_s")) == {0, 1}
    assert papers.by_worker("no such cell") == {}


def test_a_cell_that_is_wrong_once_has_no_numbers() -> None:
    rows = [*VISITS, visit(status="wrong", reason="Off.")]
    found = Papers(results(rows, experiments=CELLS))
    assert found.by_worker(VISITS[0]["cell"]) == {}
    assert [one.status for one in found.failed("ratios")] == ["wrong"]


def test_of_a_part_the_last_that_is_ok_counts() -> None:
    first, failed, second = (
        part("training", [{"loss": loss}], method="jfb", status=status, reason="")
        for loss, status in ((1.0, "ok"), (None, "timeout"), (2.0, "ok"))
    )
    assert list(of(first, failed).records("training")["loss"]) == [1.0]
    assert list(of(first, failed, second).records("training")["loss"]) == [2.0]
    assert [one.status for one in of(failed).failed("training")] == ["timeout"]


def test_columns_are_bounded() -> None:
    rows = [part("training", [{f"{n}-{m}": m for m in range(60)}], seed=n) for n in range(4)]
    assert len(of(*rows).records("training").columns) == MOST_COLUMNS


def test_the_file_is_named_without_its_place(papers: Papers) -> None:
    assert papers.files == "papers-quick.jsonl" and papers.run.preset == "papers-quick"
