"""``gradratio experiments``: what it refuses, what it keeps, and that it goes on where it stopped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.commands import main
from bench.context import require_memory
from bench.experiments.catalog import EXPERIMENTS, ON_CPU, SIZES, experiment, plan
from bench.plan import Visit, errands
from bench.rows import Kind, PartRow, RunRow, VerdictRow, VisitRow, read


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--preset", "quik"], "No preset 'quik' of experiments: did you mean quick?"),
        (["--only", "depht"], "No experiment 'depht': did you mean depth or"),
        (["--preset", "paper", "--data", "nowhere"], "nowhere"),
        (["--data", "nowhere"], "'quick' trains on digits that are carried: take --preset paper with --data"),
    ],
)
def test_bad_input_is_one_sentence_before_any_work(
    flags: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiments", *flags, "--out", str(tmp_path / "rows.jsonl")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and words in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_preset_that_does_not_fit_is_refused() -> None:
    require_memory(10**9, 10**9, "The preset 'paper'")
    with pytest.raises(ValueError, match=r"'paper' needs 2.0 GB in one worker process and this machine has 1.0 GB"):
        require_memory(2 * 10**9, 10**9, "The preset 'paper'")


@pytest.mark.parametrize("size", SIZES)
def test_every_experiment_plans_its_own_parts_and_cells_once(size: str) -> None:
    whole = plan(size)
    assert set(whole.cells_of) == set(EXPERIMENTS) and whole.memory_bytes > 0
    keys = [visit.key for tour in errands(whole.parts) for visit in tour]
    assert len(keys) == len(set(keys)) == len(whole.parts)
    for name in EXPERIMENTS:
        assert {part.experiment for part in experiment(name).parts(size, True)} <= {name}
        assert experiment(name).cells(size) or experiment(name).parts(size, False), f"{name} measures nothing"


def test_on_a_machine_with_a_gpu_all_that_can_goes_there() -> None:
    whole = plan("paper", gpus=[0, 1])
    assert {cell.device for cell in whole.cells} == {"cuda:0", "meta"}
    assert all(part.device == ("cpu" if part.experiment in ON_CPU else "cuda:0") for part in whole.parts)
    assert {part.framework for part in whole.parts if part.device != "cpu"} == {"torch", "jax"}


def test_an_errand_is_of_one_experiment_framework_and_worker() -> None:
    for tour in errands(plan("quick").parts):
        assert len({(one.cell.framework, one.cell.dtype, one.cell.id.split("/")[0], one.worker) for one in tour}) == 1
        assert all(isinstance(one, Visit) and one.measure == "part" for one in tour)


ONLY = ("test_functions", "code_lines", "chain", "newton_layer")
"""Cells and parts, with a framework and without; ``.ci/run`` runs all of the smallest preset."""

FLAGS = ["experiments", "--preset", "smoke", "--only", ",".join(ONLY), "--workers", "1", "--budget", "0.01", "--out"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """A few experiments, run whole through worker processes."""
    path = tmp_path_factory.mktemp("smoke") / "papers-smoke.jsonl"
    return main([*FLAGS, str(path)]), path


def by_kind(path: Path, kind: type[Kind]) -> list[Kind]:
    return [row for row in read(path) if isinstance(row, kind)]


@pytest.mark.long
def test_experiments_come_out_as_expected(smoke: tuple[int, Path]) -> None:
    status, path = smoke
    wrong = [(row.cell, row.reason) for row in by_kind(path, PartRow) if row.status != "ok"]
    assert (status, wrong) == (0, [])
    whole, (run,) = plan("smoke", ONLY), by_kind(path, RunRow)
    assert Counter(row.cell for row in by_kind(path, PartRow)) == Counter(part.id for part in whole.parts)
    assert {row.cell for row in by_kind(path, VisitRow)} == {cell.id for cell in whole.cells} == set(run.cells)
    assert set(run.experiments or ()) == set(ONLY)
    for row in by_kind(path, PartRow):
        assert row.records and all(isinstance(record, dict) for record in row.records)


@pytest.mark.long
def test_a_second_call_finds_nothing_left_and_a_lost_part_is_made_again(
    smoke: tuple[int, Path], tmp_path: Path
) -> None:
    path = tmp_path / "papers-smoke.jsonl"
    lines = smoke[1].read_text().splitlines(keepends=True)
    lost = next(line for line in lines if '"experiment":"code_lines"' in line and '"kind":"part"' in line)
    path.write_text("".join(line for line in lines if line != lost))
    before = len(read(path))
    assert main([*FLAGS, str(path)]) == 0
    new = read(path)[before:]
    assert [type(row) for row in new] == [RunRow, PartRow, VerdictRow] and new[1].experiment == "code_lines"
    assert main([*FLAGS, str(path)]) == 0
    assert [type(row) for row in read(path)[before + 3 :]] == [RunRow, VerdictRow]
