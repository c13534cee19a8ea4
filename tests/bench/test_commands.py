"""The commands: what they print, what they refuse, and how they end."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench import commands
from bench import run as core
from bench.commands import main
from bench.pytest_compare.session import location
from bench.rows import RunRow, VerdictRow, read
from tests.bench.harness import FAKE
from tests.bench.pytest_compare.test_files import document, entry

pytestmark = pytest.mark.usefixtures("facts")
ONE = ["--framework", "torch", "--problem", "tanh"]


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Flags for a run with workers that measure nothing."""
    monkeypatch.setattr(core, "measure", functools.partial(core.measure, script=FAKE))
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"log": str(tmp_path / "log"), "ift": "n/a", "jfb": "wrong"}))
    return ["--out", str(tmp_path / "rows.jsonl"), "--workers", "2"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["run"],
            "Nothing says which cells to run: give --preset smoke or track or quick or standard or gpu, or --problem.",
        ),
        (["run", "--preset", "smok"], "No preset 'smok': did you mean smoke?"),
        (["list", "--framework", "pytorch"], "No framework 'pytorch': did you mean torch?"),
        (["run", "--problem", "tanh,mpl"], "No problem 'mpl': did you mean mlp?"),
        (
            ["run", *ONE, "--method", "jfb", "--set", "M=5"],
            "The option 'M' is not one of 'jfb': methods that take it are ift.",
        ),
        (
            ["run", *ONE, "--set", "width=2", "depth=3"],
            "No size or option 'depth' for 'tanh': did you mean width?",
        ),
        (
            ["list", "--set", "width"],
            "The setting 'width' is not of the form name=value: write it as width=2048.",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(f"error: {sentence}") and said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["run", "--workers", "0"], ["run", "--timeout", "-1"], ["walk"], []])
def test_flags_that_make_no_sense_end_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "Traceback" not in capsys.readouterr().err


def test_list_without_flags_prints_all_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for words in (
        "smoke",
        "torch             eager",
        "implicit: width=16 gamma=0.8 batch=8",
        "gradient: tangents count",
    ):
        assert words in said


def test_list_prints_the_cells_that_flags_mean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", *ONE, "--method", "ift,jfb", "--set", "K=5,gamma=1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "time+exact  torch/eager/cpu/float32/tanh(gamma=1.0)/ift(K=5)",
        "time+exact  torch/eager/cpu/float32/tanh(gamma=1.0)/jfb(K=5)",
    ]


def test_a_run_prints_a_table_and_its_file_and_ends_with_0(out: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *ONE, "--method", "unrolled,ift", *out]) == 0
    said = capsys.readouterr()
    good, absent = said.out.splitlines()[1:3]
    assert re.split(r"\s{2,}", good)[1:] == [
        "2.00",
        "[2.00, 2.00]",
        "1000.000",
        "2000.000",
        "100",
        "1.00e-07",
        "ok",
    ]
    assert absent.endswith("n/a")
    assert f"rows: {out[1]}" in said.out and "6/6 visits" in said.err


def test_a_failed_cell_ends_with_1_and_keep_going_with_0(out: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *ONE, *out]) == 1
    said = capsys.readouterr().out
    assert "wrong: torch/eager/cpu/float32/tanh/jfb: as told" in said
    assert "surprise: expected ok, found wrong: torch/eager/cpu/float32/tanh/jfb: as told" in said
    assert main(["run", *ONE, *out, "--keep-going"]) == 0
    assert "1 of 3 cells came out otherwise than expected; going on, as asked." in capsys.readouterr().out


def test_a_run_with_other_sizes_does_not_go_into_the_file_of_the_preset(
    out: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["run", "--preset", "smoke", *ONE, "--method", "unrolled", "--workers", "1"]
    main(flags)
    main([*flags, "--set", "width=8"])
    assert {path.name for path in (tmp_path / "results").rglob("*.jsonl")} == {"smoke.jsonl", "custom.jsonl"}


def test_impls_that_is_not_installed_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "impls.catalog", None)  # makes its import fail
    assert main(["list"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_is_out_of_time_has_no_verdict_and_goes_on(
    out: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["run", *ONE, "--method", "unrolled", *out]
    assert main([*flags, "--minutes", "0.000001"]) == 0
    assert "3 visits are not made yet: the same command goes on from here." in capsys.readouterr().out
    assert [type(row) for row in read(Path(out[1]))] == [RunRow]
    assert main(flags) == 0
    assert type(read(Path(out[1]))[-1]) is VerdictRow
    assert "not made yet" not in capsys.readouterr().out


def test_pytest_runs_once_a_framework_and_prints_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[list[str]] = []

    def called(command: list[str]) -> int:
        framework = command[-2].partition("=")[2]
        calls.append(command)
        location("smoke", [framework], ["mlp"]).parent.mkdir(parents=True, exist_ok=True)
        location("smoke", [framework], ["mlp"]).write_text(json.dumps(document(entry(framework))))
        return int(framework == "jax")

    monkeypatch.setattr(commands, "called", called)
    assert main(["pytest", "--problem", "mlp", "--workers", "3", "--", "--benchmark-min-rounds=7"]) == 1
    torch, jax = calls
    assert torch[1:3] == ["-m", "pytest"] and Path(torch[3]).name == "pytest_compare"
    assert torch[4:] == [
        *("-q", "--benchmark-quiet", "--preset=smoke", "--problem=mlp", "--workers=3", "--framework=torch"),
        "--benchmark-min-rounds=7",
    ]
    assert jax[-2:] == ["--framework=jax", "--benchmark-min-rounds=7"]
    said = capsys.readouterr().out
    assert said.count("median ms") == 2 and "torch" in said and "jax" in said
    files = [str(path) for path in tmp_path.rglob("*.json")]
    assert main(["pytest", "--table", *sorted(files, reverse=True)]) == 0 and capsys.readouterr().out == said
    assert main(["compare", *sorted(files, reverse=True)]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (said, "python -m bench compare is gradratio pytest --table now.\n")


def test_a_mistake_of_the_program_is_told_whole_and_is_no_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(given: object) -> int:
        raise AssertionError("not thought of")

    monkeypatch.setitem(commands.COMMANDS, "list", replace(commands.COMMANDS["list"], run=broken))
    assert main(["list"]) == 2 and "Traceback" in capsys.readouterr().err
