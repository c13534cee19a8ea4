"""The gate's command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import commands
from bench.gate import judge
from bench.gate.gate import Gate
from bench.rows import ROOT


def main(arguments: list[str]) -> int:
    """A gate of these words."""
    return commands.main(["gate", *arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-branch"], "neither a commit of this repository nor a folder"),
        ([str(ROOT), str(ROOT), "--preset", "tracks"], "No preset 'tracks': did you mean track?"),
        ([str(ROOT), str(ROOT), "--method", "jbf"], "No method 'jbf': did you mean jfb?"),
        ([str(ROOT), str(ROOT), "--pairs", "1"], "give --pairs 2 or more"),
        ([str(ROOT), str(ROOT), "--preset", "gpu"], "leave cells on cuda out"),
        ([str(ROOT), str(ROOT), "--slots", "4096"], "needs a core for itself"),
        ([str(ROOT), str(ROOT), "--table", "no/such/folder/table.md"], "no folder for the table"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


@pytest.mark.long
def test_a_gate_prints_its_table_and_adds_it_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(judge, "MARGIN", 1e9)  # two short pairs may say anything of time: let it pass, once is enough
    monkeypatch.setitem(Gate.__init__.__kwdefaults__, "control", False)  # more of the same processes: see test_times
    flags = ["--framework", "jax", "--problem", "tanh", "--method", "jfb", "--set", "width=4", "batch=2", "K=3"]
    flags += ["--pairs", "2", "--budget", "0.01", "--out", str(tmp_path / "rows"), "--table", str(tmp_path / "table")]
    assert main([str(ROOT), str(ROOT), *flags]) == 0
    shown, told = capsys.readouterr()
    assert shown.startswith("### gradratio gate: no regression\n")
    assert "Both sides are the same impls: this is an A/A run, which tells of the machine.\n" in told
    assert (tmp_path / "table").read_text() in shown and " of 1 cells measured" in shown
    counted = ("bytes", "flops", "float64 |")
    exact = [line for line in shown.splitlines() if line.startswith("| ") and any(word in line for word in counted)]
    assert len(exact) == 6 and all(line.startswith("| same |") for line in exact)
    assert "gradient error, float64" in shown and {path.name for path in (tmp_path / "rows").iterdir()} == {
        "base.jsonl",
        "head.jsonl",
        "turns.jsonl",
    }


def test_a_mistake_of_the_gate_itself_is_no_regression(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(given: object) -> int:
        raise AssertionError("not thought of")

    monkeypatch.setitem(commands.COMMANDS, "gate", replace(commands.COMMANDS["gate"], run=broken))
    assert main([str(ROOT)]) == 2 and "not thought of" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "keep_going", "ends"), [(0, True, 0), (1, True, 1), (2, True, 0), (2, False, 2)])
def test_undecided_is_told_and_not_failed_where_that_is_asked(
    status: int,
    keep_going: bool,
    ends: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Gate, "report", lambda self: type("Ended", (), {"status": status})())
    monkeypatch.setattr("bench.gate.report.table", lambda report: "the table\n")
    flags = ["--problem", "tanh", "--method", "jfb", *["--keep-going"][: int(keep_going)]]
    assert main([str(ROOT), str(ROOT), *flags]) == ends
    assert ("undecided (2): told and not failed" in capsys.readouterr().out) == (status == 2 and keep_going)
