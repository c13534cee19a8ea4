"""``gradratio page``, and that it needs no framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.__main__ import main
from tests.rows import exact, run, timed, visit, write

ROOT = Path(__file__).parents[2]
ROWS = [
    run(),
    timed(2.0),
    exact(1_500_000),
    visit("jax", measure="time", status="failed", reason="a|b <i>[x](y)"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_writes_the_page_of_the_newest_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here / "results" / "local" / "quick.jsonl", ROWS)
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "reports/html/index.html"
    source = (here / "reports" / "html" / "index.html").read_text(encoding="utf-8")
    assert "results/local/quick.jsonl" in source and str(here) not in source


def test_what_is_not_complete_is_drawn_where_nothing_else_is_there_and_says_how_much_is_missing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = [timed(2.0)["cell"], "torch/eager/cpu/float32/mlp/never"]
    write(here / "results" / "local" / "quick.jsonl", [run(cells=planned, workers=1), *ROWS[1:3]])
    assert main([]) == 0
    source = (here / "reports" / "html" / "index.html").read_text(encoding="utf-8")
    assert "The run did not finish: of 2 planned cells 1 has no row" in source
    finished = [run(cells=planned[:1], workers=1, started="2026-01-01T00:00:00Z"), *ROWS[1:3]]
    verdict = {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": []}
    write(here / "results" / "older" / "quick.jsonl", [*finished, verdict])
    capsys.readouterr()
    assert main([]) == 0
    source = (here / "reports" / "html" / "index.html").read_text(encoding="utf-8")
    told = "results/local/quick.jsonl is newer than results/older/quick.jsonl, which is shown, and left out: "
    assert told in source and told in capsys.readouterr().err


def test_markdown_is_a_table_and_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here / "some.jsonl", ROWS)
    assert main(["--results", str(path), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.replace("\\|", "").count("|") for line in lines] == [11] * 4
    assert "| mlp | backprop | torch | 1.99 [one worker] |" in lines[2] and "1.50 MB" in lines[2]
    assert r"failed: a\|b &lt;i&gt;\[x\](y)" in lines[3]
    assert [each.name for each in here.iterdir()] == ["some.jsonl"]


def test_ctrl_c_is_one_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(chosen: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.__main__.gather", stopped)
    assert main([]) == 130
    assert capsys.readouterr().err.strip().startswith("stopped: the page is not written; the rows are kept")


def test_errors_are_one_sentence_and_exit_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here / "some.jsonl", ROWS)
    (here / "file").touch()
    for arguments in ([], ["--results", "none.jsonl"], ["--results", str(path), "--out", "file"]):
        assert main(arguments) == 2
        told = capsys.readouterr()
        assert told.out == "" and len(told.err.splitlines()) == 1 and told.err.endswith(".\n")


def test_imports_no_framework_and_of_the_benchmark_what_rows_and_ratios_are() -> None:
    code = (
        "import sys, reports.__main__;"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "print(*loaded & {'torch', 'jax', 'jaxlib', 'impls'}, *(name for name in sys.modules if 'bench.' in name))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(found.stdout.split()) == ["bench.rows", "bench.stats"]
