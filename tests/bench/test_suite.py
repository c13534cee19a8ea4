"""The asv suite: what it tracks, its configuration, rows of a commit in one file, measuring that goes on after a kill
and begins anew after its end, and the command that runs asv."""

from __future__ import annotations

import functools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import VERSION, commands, suite
from bench import run as core
from bench.instruments import machine
from bench.presets import PRESETS
from bench.rows import ROOT, Kind, RunRow, VerdictRow, VisitRow, read
from bench.suite import Found
from tests.bench.harness import FAKE, Bench

CLASSES: list[Any] = [
    one for name, one in vars(suite).items() if isinstance(one, type) and name.startswith(("Torch", "Jax"))
]


SAMPLED = {"track_R": [2.0, 2.5], "track_gradient_s": [4.0, 6.0], "track_forward_s": [2.0, 2.4]}
PLAIN = ("compile_s", "peak_bytes", "held_bytes", "flops", "gradient_error")
TRACKED = {*SAMPLED, *(f"track_{name}" for name in PLAIN)}


def one(status: str = "ok", **more: object) -> Found:
    numbers = {"status": status, "reason": "why", "values": {name: 7 for name in PLAIN}}
    lists = {"ratios": [2.0, 2.5], "forwards": [2.0, 2.4], "gradients": [4.0, 6.0]}
    return {"cell": {**numbers, **lists, **more}}


def test_times_are_tracked_with_a_sample_a_worker_and_exact_numbers_are_plain() -> None:
    bench = suite.JaxTanh()
    for name, samples in SAMPLED.items():
        assert getattr(bench, name)(one(), "cell") == {"samples": samples, "number": 1}
        assert math.isnan(getattr(bench, name)(one(ratios=[], forwards=[], gradients=[]), "cell"))
    for name in PLAIN:
        track = getattr(bench, f"track_{name}")
        assert track(one(), "cell") == 7 and type(track(one(), "cell")) is int
        assert math.isnan(track(one(values={}), "cell")) and math.isnan(track(one(values={name: None}), "cell"))


def test_not_applicable_is_nan_and_a_failure_raises_its_reason() -> None:
    bench = suite.TorchTanh()
    for track in (getattr(bench, name) for name in TRACKED):
        assert math.isnan(track(one("n/a"), "cell"))
        with pytest.raises(RuntimeError, match=r"^oom: cell: why$"):
            track(one("oom"), "cell")


def test_each_class_has_its_cells_and_a_setup_cache_on_a_line_of_its_own() -> None:
    ids = [name for klass in CLASSES for name in klass.params]
    assert sorted(ids) == sorted(cell.id for cell in PRESETS[suite.PRESET].cells)
    lines = {klass.setup_cache.__code__.co_firstlineno for klass in CLASSES}
    assert len(lines) == len(CLASSES) == 8
    assert all(klass.setup_cache.timeout == suite.TIMEOUT_S for klass in CLASSES)
    assert all(klass.version.startswith(VERSION) for klass in CLASSES)


def test_a_preset_that_asv_cannot_track_is_refused_in_one_sentence() -> None:
    for name, words in (("gpu", "ValueError: asv cannot track gpu, which has no cell of"), ("x", "names no preset")):
        command = [sys.executable, "-c", "import bench.suite"]
        found = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "GRADRATIO_PRESET": name}, capture_output=True, text=True
        )
        assert found.returncode == 1 and words in found.stderr.splitlines()[-1]


def test_every_key_of_the_configuration_is_one_that_asv_knows() -> None:
    config = pytest.importorskip("asv.config")
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))
    known = set(vars(config.Config())) | {"version"}  # the format's version, which the loader itself takes
    assert set(given) <= known
    assert (given["project"], given["repo"], given["benchmark_dir"], given["branches"]) == (
        "gradratio",
        ".",
        "bench",
        ["HEAD"],  # in every clone, whatever its branch is called
    )


def test_the_versions_of_asv_s_environment_are_those_of_the_constraints() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    # A name and a version, without a marker: they hold on every Python.
    pinned = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"[;\s]", "".join(pinned.values()))
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["matrix"]["req"]
    assert set(machine.DISTRIBUTIONS) <= {name for name, versions in given.items() if versions != [""]}
    assert all(versions in ([""], [pinned[name]]) for name, versions in given.items())


def test_each_track_has_one_threshold() -> None:
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["regressions_thresholds"]
    cell = suite.JaxFpn.params[0]
    matched = {
        name: [regex for regex in given if re.match(regex, f"suite.JaxFpn.{name}('{cell}')@main")] for name in TRACKED
    }
    assert all(len(found) == 1 for found in matched.values())
    assert {regex for found in matched.values() for regex in found} == set(given)


def test_the_documentation_has_each_track_with_its_unit_and_threshold() -> None:
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["regressions_thresholds"]
    lines = (ROOT / "docs" / "history.md").read_text(encoding="utf-8").splitlines()
    told = {}
    for line in (line for line in lines if line.startswith("| `track_")):
        names, unit, _, step = (part.strip() for part in line.strip("|").split("|"))
        told |= {
            name: (unit, 0.0 if step == "any" else float(step.rstrip(" %")) / 100) for name in names.split("`")[1::2]
        }
    assert told == {
        name: (
            getattr(suite.JaxFpn, name).unit,
            *(step for regex, step in given.items() if re.match(regex, f"suite.JaxFpn.{name}(")),
        )
        for name in TRACKED
    }


def test_asv_discovers_exactly_the_suite(tmp_path: Path) -> None:
    pytest.importorskip("asv_runner")
    listing = tmp_path / "found.json"
    code = "import sys; from asv_runner.discovery import _discover; _discover(sys.argv[1:])"
    command = [sys.executable, "-c", code, str(ROOT / "bench"), str(listing)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = {one["name"]: one for one in json.loads(listing.read_text())}
    expected = {f"suite.{klass.__name__}.{name}" for klass in CLASSES for name in TRACKED}
    assert set(found) == expected
    assert len({one["setup_cache_key"] for one in found.values()}) == len(CLASSES)
    assert all(one["setup_cache_timeout"] == suite.TIMEOUT_S and one["version"] == "2.1" for one in found.values())
    assert all(one["pretty_name"] and one["unit"] != "unit" for one in found.values())
    assert all(one["type"] == "track" and one["params"] and one["param_names"] == ["cell"] for one in found.values())


COMMIT = "0123456789abcdef0123456789abcdef01234567"
TORCH = suite.tracked_cells("smoke", "torch", "newton")
JAX = suite.tracked_cells("smoke", "jax", "newton")
VISITS = 6
"""Of these two cells: an exact one and two timed ones for each."""


@pytest.fixture
def path(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where rows of COMMIT go, with workers that measure nothing."""
    monkeypatch.setattr(core, "measure", functools.partial(core.measure, script=FAKE))
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    monkeypatch.setenv("ASV_COMMIT", COMMIT)
    return tmp_path / "results" / "local" / "asv" / "0123456789ab-smoke.jsonl"


def kinds(path: Path, kind: type[Kind]) -> list[Kind]:
    return [row for row in read(path) if isinstance(row, kind)]


def test_the_cache_is_what_measuring_came_to_and_reasons_stay_in_the_rows(bench: Bench, path: Path) -> None:
    bench.orders(unrolled="failed")
    found = suite.measured(TORCH, "smoke")
    assert json.loads(json.dumps(found)) == found and list(found) == [cell.id for cell in TORCH]
    assert [(one["status"], one["ratios"], one["gradients"]) for one in found.values()] == [
        ("failed", [], []),
        ("ok", [2.0, 2.0], [2.0, 2.0]),
    ]
    assert {row.commit for row in kinds(path, RunRow)} == {COMMIT}
    assert {row.reason for row in kinds(path, VisitRow) if row.status == "failed"} == {"as told"}
    (verdict,) = kinds(path, VerdictRow)
    assert [one.found for one in verdict.surprises] == ["failed"]


def test_without_a_commit_of_asv_rows_are_those_of_the_working_tree(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASV_COMMIT")
    suite.measured(TORCH, "smoke")
    (run,) = kinds(path.with_name("worktree-smoke.jsonl"), RunRow)
    assert run.commit is None and run.dirty and not path.exists()


def test_classes_share_a_file_and_what_is_finished_is_measured_anew(bench: Bench, path: Path) -> None:
    first = [suite.measured(cells, "smoke") for cells in (TORCH, JAX)]
    assert len(bench.jobs()) == 2 * VISITS
    bench.orders(ift="failed")
    second = suite.measured(TORCH, "smoke")
    assert len(bench.jobs()) == 3 * VISITS
    assert [one["status"] for one in second.values()] == ["ok", "failed"]  # the good rows of last time do not hide it
    assert [one["status"] for found in first for one in found.values()] == ["ok"] * 4
    assert len(kinds(path, RunRow)) == len(kinds(path, VerdictRow)) == 3


@pytest.mark.parametrize("finished_before", [False, True])
def test_what_a_kill_interrupted_goes_on_though_another_class_ran_in_between(
    bench: Bench, path: Path, finished_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if finished_before:
        suite.measured(TORCH, "smoke")
    before = len(bench.jobs())
    killed = core.measure(TORCH, workers=2, path=path, preset="smoke", since=len(read(path)), commit=COMMIT)
    kept = [next(killed) for _ in range(3)]
    killed.close()
    made = len(bench.jobs()) - before
    suite.measured(JAX, "smoke")
    found = suite.measured(TORCH, "smoke")
    assert [one["status"] for one in found.values()] == ["ok", "ok"]
    rest = len(bench.jobs()) - before - made - VISITS
    assert VISITS - made <= rest <= VISITS - len(kept)  # a visit that the kill cut short is made again


def test_measuring_stops_when_asv_is_gone(bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    with pytest.raises(RuntimeError, match="asv has ended before its suite"):
        suite.measured(TORCH, "smoke")
    assert len(kinds(path, VisitRow)) < VISITS and not kinds(path, VerdictRow)


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | identity).stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without a branch, as CI makes it, of a line of three commits with another one beside it."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    (folder / "asv.conf.json").write_bytes((ROOT / "asv.conf.json").read_bytes())
    (folder / "impls").mkdir()
    (folder / "impls" / "one.py").touch()
    (folder / "hashes").write_text("no-commit\n")
    (folder / "empty").touch()
    git(folder, "add", ".")
    for message in ("one", "two", "beside"):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    git(folder, "tag", "beside")
    git(folder, "checkout", "--quiet", "--detach", "HEAD~1")
    git(folder, "branch", "--quiet", "-D", "trunk")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "three")
    return folder


@pytest.mark.parametrize(
    ("commits", "words"),
    [
        ("main~5..main", r"^RANGE 'main~5..main' names no commits here \(git says: fatal: bad revision"),
        ("HEAD~9..HEAD", "a shallow clone has few"),
        ("HEAD..HEAD", r"^RANGE 'HEAD..HEAD' holds no commit: give one that does"),
        ("", "names no commits here .it is empty"),
        ("HEAD'", "No closing quotation"),
        ("HASHFILE:no/such", "there is no such file"),
        ("HASHFILE:hashes", "git says: fatal: Needed a single revision"),
        ("HASHFILE:empty", "the file is empty"),
        ("-1", "git takes it for options"),
    ],
)
def test_a_wrong_range_is_said(commits: str, words: str, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clone)
    with pytest.raises(ValueError, match=words):
        suite.require_commits(commits, clone)


def test_commits_that_the_site_leaves_out_are_counted(clone: Path) -> None:
    given = {"HEAD^!": 0, "HEAD~2..HEAD": 0, "NEW": 0, "HASHFILE:-": 0, "HEAD~2..beside": 1}
    assert {commits: suite.require_commits(commits, clone) for commits in given} == given


def test_nothing_is_measured_before_the_range_is_known(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[tuple[str, ...]] = []

    def asv(*arguments: str, **options: Any) -> int:
        called.append(arguments)
        return 0

    monkeypatch.setattr(suite, "ROOT", clone)
    monkeypatch.setattr(suite, "asv", asv)
    assert commands.main(["history", "main~1..main"]) == 2 and called == []
    assert capsys.readouterr().err.count("\n") == 1
    assert commands.main(["history", "HEAD~2..beside", "--machine", "m"]) == 0
    assert [one[0] for one in called] == ["machine", "run", "publish"] and called[1][-1] == "HEAD~2..beside"
    assert "1 of the commits HEAD~2..beside are not in the line of HEAD" in capsys.readouterr().err


def test_the_repository_of_a_hook_is_looked_at_and_kept_from_asv(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "of another project")
    monkeypatch.setenv("GIT_DIR", str(clone / ".git"))
    assert suite.require_commits("HEAD^!", clone) == 0
    monkeypatch.setattr(suite, "ASV", "import os; raise SystemExit(3 * ('GIT_DIR' in os.environ))")
    assert suite.asv("run") == 0
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    with pytest.raises(ValueError, match="holds no impls"):
        suite.require_commits("HEAD^!", clone)


def test_ctrl_c_in_asv_is_one_sentence(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "ROOT", clone)
    monkeypatch.setattr(suite, "ASV", "raise SystemExit(130)")
    assert commands.main(["history", "HEAD^!", "--machine", "m"]) == 130
    said = capsys.readouterr().err.strip()
    assert said == f"stopped: {commands.COMMANDS['history'].stopped}"
    monkeypatch.setattr(suite, "ASV", "raise SystemExit(2)")
    assert commands.main(["history", "HEAD^!", "--machine", "m"]) == 1


def test_the_site_is_published_where_no_branch_is_called_main(clone: Path) -> None:
    pytest.importorskip("asv")
    commit = git(clone, "rev-parse", "HEAD")
    kept = clone / "results" / "asv"
    (kept / "m").mkdir(parents=True)
    described = {"arch": "x", "cpu": "c", "machine": "m", "num_cpu": "2", "os": "L", "ram": "8", "version": 1}
    (kept / "m" / "machine.json").write_text(json.dumps(described))
    (kept / "benchmarks.json").write_text('{"version": 2}')
    found = {"commit_hash": commit, "env_name": "e", "date": 1, "params": {"machine": "m"}, "python": "3.11"}
    found |= {"requirements": {}, "env_vars": {}, "result_columns": ["result"], "results": {}, "durations": {}}
    (kept / "m" / f"{commit[:8]}-e.json").write_text(json.dumps(found | {"version": 2}))
    subprocess.run([sys.executable, "-m", "asv", "publish"], cwd=clone, check=True, capture_output=True)
    index = json.loads((clone / "reports" / "html" / "asv" / "index.json").read_text())
    assert commit in index["revision_to_hash"].values() and index["params"]["branch"] == ["HEAD"]
