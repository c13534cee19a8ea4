"""``pytest bench/pytest_compare`` as a user runs it: in a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.cells import Cell
from bench.context import location_of
from bench.instruments import machine, sources
from bench.plan import Visit, visit_row
from bench.pytest_compare.files import leaks, secrets, table
from bench.pytest_compare.session import Session
from bench.rows import ROOT, VisitRow, append, now, read
from bench.run import run_row
from reports.load import read as load
from reports.load import unfinished

TWO = ["--problem", "newton", "--method", "unrolled,ift"]
JSON = "pytest-smoke-newton-unrolled+ift.json"


def command(*flags: str) -> list[str]:
    """What a user types."""
    found = [sys.executable, "-m", "pytest", str(ROOT / "bench" / "pytest_compare"), "-q", "-p", "no:cacheprovider"]
    return [*found, "--benchmark-quiet", "--benchmark-max-time=0.02", *flags]


def finished(folder: Path, words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that was run in ``folder``, with what this pytest put into its own environment taken out."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(words, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False)


def compare(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One run in ``folder``."""
    return finished(folder, command(*flags), **environment)


def written(folder: Path, name: str) -> dict[str, Any]:
    """The document that a run wrote."""
    (path,) = folder.glob(f"results/*/{name}")
    return json.loads(path.read_bytes())


def seed_rows(folder: Path, statuses: dict[tuple[str, str], tuple[str, str]]) -> Path:
    """Rows that the measuring core would take for its own: every forward takes 1 s and every gradient 2 s."""
    cells = Session.of("smoke", problem=["newton"], method=["unrolled", "ift"]).cells
    path = folder / location_of("smoke", *sources.git(ROOT))
    run = run_row(cells, {"impls": sources.impls_digest(), "versions": machine.versions()}, workers=2, preset="smoke")
    append(path, run)
    exact = {"peak_bytes": 1440, "held_bytes": None, "flops": 600, "forward_flops": 200, "flop_ratio": 3.0}
    for cell in cells:
        for measure, worker in (("exact", 0), ("time", 0), ("time", 1)):
            status, reason = statuses.get((cell.framework, cell.method), ("ok", ""))
            answer = {"status": status, "reason": reason, "started": now(), "load": None}
            answer["samples"] = {"forward_s": [1.0], "gradient_s": [2.0]} if measure == "time" else {}
            answer["values"] = {"compile_s": 0.5} if measure == "time" else exact | {"gradient_error": 1e-7}
            append(path, visit_row(run.run, Visit(cell, measure, worker), answer, 0, 1.0))
    return path


def test_a_cell_in_each_framework_is_measured_and_timed_and_nothing_names_this_machine(tmp_path: Path) -> None:
    done = compare(tmp_path, "--problem", "mlp", "--method", "backprop")
    assert done.returncode == 0, done.stdout + done.stderr
    found = written(tmp_path, "pytest-smoke-mlp-backprop.json")
    torch, jax = found["benchmarks"]
    assert [one["name"] for one in (torch, jax)] == [
        f"test_gradient[mlp-backprop-{framework}]" for framework in ("torch", "jax")
    ]
    for framework, one in (("torch", torch), ("jax", jax)):
        info, params = one["extra_info"], one["params"]
        cell = Cell(framework, "mlp", "backprop", {"depth": 2, "width": 32, "batch": 8})
        assert (info["cell"], info["status"], info["workers"]) == (cell.id, "ok", 2)
        assert one["group"] == params["problem"] == "mlp(batch=8,depth=2,width=32)"
        assert (params["method"], params["framework"]) == ("backprop", framework)
        assert 0 < info["R_low"] < info["R"] < info["R_high"]
        assert info["peak_bytes"] > 0 and 0 < info["gradient_error"] < 1e-4
        assert info["flops"] > info["forward_flops"] > 0
        assert one["stats"]["rounds"] >= 5 and one["stats"]["median"] > 0
    assert torch["extra_info"]["compile_s"] is None and jax["extra_info"]["compile_s"] > 0
    assert found["untimed"] == []

    assert set(found["commit_info"]) == {"id", "dirty", "impls"}
    assert set(found["machine_info"]) == {*machine.describe(), "versions"}
    text = json.dumps(found)
    assert not [str(path) for path in (tmp_path, ROOT, Path.home()) if f"{path}/" in text]
    public = [str(found["machine_info"]), *(str([one["fullname"], one["extra_info"]]) for one in (torch, jax))]
    assert leaks(found, secrets(), public) == []
    (rows,) = tmp_path.glob("results/*/smoke.jsonl")
    assert unfinished(load(rows)) == ""  # its run has a verdict, so that the page takes it
    assert table([rows.with_name("pytest-smoke-mlp-backprop.json")]).count("  ok") == 2


@pytest.mark.long
def test_rows_that_are_there_are_not_measured_again_and_a_failed_cell_leaves_its_neighbours_alone(
    tmp_path: Path,
) -> None:
    wrong, absent = ("wrong", "The gradient is 0.3 away."), ("n/a", "jax has no such thing.")
    statuses = {("torch", "ift"): wrong, ("jax", "unrolled"): absent, ("jax", "ift"): absent}
    rows = seed_rows(tmp_path, statuses)
    before = [row for row in read(rows) if isinstance(row, VisitRow)]
    done = compare(tmp_path, *TWO)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed, 2 skipped" in done.stdout
    assert re.search(r"^wrong: torch/.*/ift\(.*\): The gradient is 0\.3 away\.$", done.stdout, re.MULTILINE)
    assert "jax has no such thing." in done.stdout and "Traceback" not in done.stdout + done.stderr
    assert [row for row in read(rows) if isinstance(row, VisitRow)] == before

    found = written(tmp_path, JSON)
    (one,) = found["benchmarks"]
    info = one["extra_info"]
    assert [info[name] for name in ("R", "R_low", "R_high")] == pytest.approx([2.0, 2.0, 2.0])
    exact = {"peak_bytes": 1440, "held_bytes": None, "flops": 600, "forward_flops": 200, "flop_ratio": 3.0}
    assert exact.items() <= info.items() and (info["gradient_error"], info["compile_s"]) == (1e-7, 0.5)
    left = {tuple(one["params"].values())[1:]: one["extra_info"]["status"] for one in found["untimed"]}
    ift, unrolled = "ift(K=5,linear_solver=dense,solver=newton)", "unrolled(K=5,solver=newton)"
    assert left == {(ift, "torch"): "wrong", (unrolled, "jax"): "n/a", (ift, "jax"): "n/a"}


PAIRS = [(framework, method) for framework in ("torch", "jax") for method in ("unrolled", "ift")]


def test_the_reasons_are_written_where_no_cell_could_be_timed(tmp_path: Path) -> None:
    seed_rows(tmp_path, {pair: ("wrong", "as zebra says") for pair in PAIRS})
    done = compare(tmp_path, *TWO, LOGNAME="anna")
    assert done.returncode == 1 and "4 failed" in done.stdout, done.stdout + done.stderr
    found = written(tmp_path, JSON)
    assert found["benchmarks"] == []
    assert {one["extra_info"]["reason"] for one in found["untimed"]} == {"as zebra says"} and len(found["untimed"]) == 4


@pytest.mark.parametrize("bad", [PAIRS, PAIRS[1:]], ids=["none timed", "one timed"])
@pytest.mark.few(1)
def test_a_name_of_this_machine_stops_the_run_before_it_is_written(bad: list[tuple[str, str]], tmp_path: Path) -> None:
    seed_rows(tmp_path, {pair: ("wrong", "as zebra says") for pair in bad})
    done = compare(tmp_path, *TWO, LOGNAME="zebra")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "The JSON would hold the user name at untimed.0.extra_info.reason" in done.stderr
    assert not list(tmp_path.rglob("*.json"))


REFUSED = [
    (["--preset", "smok"], "No preset 'smok': did you mean smoke?"),
    (["--framework", "torch,jacks"], "No framework 'jacks': did you mean jax?"),
    (["--workers", "0"], "--workers 0 is too small: give a whole number of at least 1."),
    (["-n", "2"], "bench/pytest_compare times its calls one after another: run it without -n."),
]

IN_TURN = """
import json, sys
import pytest
for number, flags in enumerate(json.loads(sys.argv[1])):
    status = int(pytest.main(flags))
    for stream in (sys.stdout, sys.stderr):
        print(f"ended {number} with {status}", file=stream, flush=True)
"""
"""Runs one after another in one process: what begins and ends before a framework is imported leaves nothing behind."""


def test_nothing_is_measured_or_written_where_flags_make_no_sense_or_tests_are_listed(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    listing = [*TWO, "--collect-only"]
    runs = [[*command()[3:], *flags] for flags in (*(flags for flags, _ in REFUSED), listing)]
    done = finished(tmp_path, [sys.executable, "-c", IN_TURN, json.dumps(runs)])
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    said, errors = (re.split(r"ended \d with (\d)\n", stream) for stream in (done.stdout, done.stderr))
    for number, (flags, sentence) in enumerate(REFUSED):
        with subtests.test(" ".join(flags)):
            assert int(errors[2 * number + 1]) == pytest.ExitCode.USAGE_ERROR
            assert f"ERROR: {sentence}" in errors[2 * number]
    names = re.findall(r"test_gradient\[(.*)\]", said[2 * len(REFUSED)])
    assert names == [
        f"newton-{method}-{framework}" for framework in ("torch", "jax") for method in ("unrolled", "ift(dense)")
    ]
    assert not (tmp_path / "results").exists()
