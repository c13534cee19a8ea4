"""docs/adding.md adds a method whole: it is measured, tested and on the page, and a wrong one is found out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main as reports
from tests.docs.adding import NAME, OFF, add, code_lines, copied, off, page

SIZES = ("width=4", "inputs=3", "batch=2", "K=4")
GENERIC = ("tests/impls/test_twins.py", "tests/impls/test_oracles.py", "tests/bench/test_work.py")
"""Tests that look at whatever the catalogue has. Of theirs one problem's are run, and none that starts a process."""

CHOSEN = (
    f"(linear-{NAME} and not {OFF}) or (reverse_mode and linear-{OFF}) or left_out or every_problem"
    " or (test_twins and not imports and not choices)"
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with the method, and the wrong one, added as the page says."""
    folder = copied(tmp_path_factory.mktemp("adding"))
    add(folder)
    add(folder, off)
    return folder


def python(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """An interpreter for which the copy is the project."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def rows(copy: Path) -> Path:
    """Rows of both methods in both frameworks, and of a neighbour."""
    path = copy / "rows.jsonl"
    methods = ("--problem", "linear", "--method", f"{NAME},{OFF}")
    done = python(
        copy, "-m", "bench", "run", *methods, "--set", *SIZES, "--workers", "1", "--budget", "0.01", "--out", str(path)
    )
    assert done.returncode == 1, done.stderr  # the wrong one is a surprise
    return path


@pytest.fixture(scope="module")
def tested(copy: Path) -> dict[str, str]:
    """The outcome of each generic test that was run on the copy."""
    done = python(copy, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider", *GENERIC, "-k", CHOSEN)
    lines = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    return {line[7:].split("/")[-1]: line[:6] for line in lines}


def test_the_page_shows_a_whole_method_in_forty_lines() -> None:
    counts = [code_lines(block.text) for block in page()]
    assert sum(counts) <= 40
    text = (Path(__file__).parents[2] / "docs" / "adding.md").read_text(encoding="utf-8")
    assert f"in {sum(counts)} lines of code" in text


def test_what_is_added_needs_four_files_in_good_style(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    touched = {path.relative_to(folder).as_posix() for path in add(folder)}
    twins = {f"impls/{framework}/adjoints/{NAME}.py" for framework in ("torch", "jax")}
    assert touched == twins | {"impls/catalog.py", "impls/oracles/methods.py"}
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *sorted(touched)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_measured_in_both_frameworks(rows: Path) -> None:
    found: list[dict[str, Any]] = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    visits = [row for row in found if row["kind"] == "visit"]
    right = {(row["framework"], row["measure"]): row for row in visits if row["method"] == NAME}
    assert set(right) == {(framework, measure) for framework in ("torch", "jax") for measure in ("time", "exact")}
    for row in right.values():
        assert (row["status"], row["reason"]) == ("ok", "")
        assert row["values"]["oracle_deviation"] < 1e-5
    # F = 9 + 4·16 products a sample here: (F + F₁ + 3 s)/F with F₁ = 12 and s = 16.
    assert {row["values"]["flop_ratio"] for key, row in right.items() if key[1] == "exact"} == {(76 + 12 + 48) / 76}


def test_a_wrong_one_gets_no_time(rows: Path) -> None:
    found = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    visits = [row for row in found if row["kind"] == "visit" and row["method"] == OFF]
    assert len(visits) == 4 and {row["status"] for row in visits} == {"wrong"}
    assert all(row["samples"] == {} and "away from its oracle" in row["reason"] for row in visits)


@pytest.mark.long
def test_it_is_tested_without_a_new_test(tested: dict[str, str]) -> None:
    expected = {
        f"test_oracles.py::test_reverse_mode[linear-{NAME}-4-picard]",
        f"test_oracles.py::test_forward_mode[linear-{NAME}-4-picard]",
        f"test_oracles.py::test_single_precision[linear-{NAME}]",
        "test_oracles.py::test_nothing_is_left_out",
        f"test_twins.py::test_same_signatures[adjoints/{NAME}.py]".split("/")[-1],
        "test_twins.py::test_every_method_has_its_file_and_every_file_its_row[torch]",
        "test_twins.py::test_rows_name_themselves_and_their_options",
        *(f"test_work.py::test_implicit_methods_do_the_work_of_theory[linear-{NAME}-{{'K': {K}}}-jax]" for K in (2, 5)),
        "test_work.py::test_every_problem_has_its_parts_and_every_method_a_ratio",
    }
    assert {name: tested.get(name) for name in expected} == dict.fromkeys(expected, "PASSED")


@pytest.mark.long
def test_the_same_tests_find_a_wrong_one(tested: dict[str, str]) -> None:
    assert tested.get(f"test_oracles.py::test_reverse_mode[linear-{OFF}-4-picard]") == "FAILED"
    assert {name for name, outcome in tested.items() if outcome == "FAILED" and OFF not in name} == set()


def test_it_is_on_the_page(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reports(["--results", str(rows), "--papers", "none", "--peers", "none", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r"\btwo step\b(?! off)", page)) >= 2  # a row of each framework
    assert "two step off" in page and "away from its oracle" in page
    assert "two_step" in (tmp_path / "data" / "cells.csv").read_text(encoding="utf-8")
