"""asv over commits whose ``impls`` differ, in a repository made for it: what it records, keeps, compares, publishes."""

from __future__ import annotations

import json
import math
import platform
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.instruments import sources
from bench.rows import Kind, RunRow, VerdictRow, VisitRow, read
from tests.bench.asv_project import MACHINE, RUN, Project, kill_at_the_first_row

pytest.importorskip("asv")

ONE_MORE = (
    "impls/torch/adjoints/ift.py",
    "            return g if g is None",
    "            torch.autograd.grad(image, z, g, retain_graph=True)\n            return g if g is None",
)
RAISES = (
    "impls/torch/adjoints/unrolled.py",
    "    require_unrollable(solver)\n",
    '    require_unrollable(solver)\n    raise RuntimeError("it is broken here")\n',
)
UNROLLED, IFT = 0, 1
"""The cells of TorchNewton in the preset smoke."""


class History(NamedTuple):
    """Commits in order, and what became of a run that was killed at its first row."""

    project: Project
    commits: list[str]
    digests: list[str]
    killed: list[VisitRow]

    def rows(self, commit: str, kind: type[Kind]) -> list[Kind]:
        """Rows of one kind that the suite kept of a commit."""
        path = self.project.folder / "results" / "local" / "asv" / f"{commit[:12]}-smoke.jsonl"
        return [row for row in read(path) if isinstance(row, kind)]

    def file(self, commit: str) -> Path:
        """asv's results of a commit."""
        (found,) = (self.project.folder / "results" / "asv" / MACHINE).glob(f"{commit[:8]}-*.json")
        return found

    def result(self, commit: str, track: str, column: str = "result") -> Any:
        """One column of asv's results, a number or list for each cell."""
        found = json.loads(self.file(commit).read_text(encoding="utf-8"))
        return found["results"][f"suite.TorchNewton.{track}"][found["result_columns"].index(column)]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three commits: two alike, then one that costs more. asv runs on the second and the third."""
    folder = tmp_path_factory.mktemp("asv")
    project = Project(folder)
    commits = [project.commit(), project.commit()]
    digests = [sources.digest(project.folder / "impls")]
    commits += [project.commit(ONE_MORE, RAISES)]
    digests += [sources.digest(project.folder / "impls")]
    project.asv("machine", "--yes", "--machine", MACHINE)
    killed = kill_at_the_first_row(project, commits[1])
    (folder / "hashes").write_text("\n".join(commits[1:]), encoding="ascii")
    project.asv(*RUN, f"HASHFILE:{folder / 'hashes'}", status=2)  # 2: a cell failed
    return History(project, commits, digests, killed)


def each_commit_s_own_impls_are_measured_by_the_bench_of_the_tree(history: History) -> None:
    for commit, digest in zip(history.commits[1:], history.digests, strict=True):
        runs = history.rows(commit, RunRow)
        assert {(run.commit, run.impls, run.dirty) for run in runs} == {(commit, digest, False)}
    first, second = (history.result(commit, "track_flops")[IFT] for commit in history.commits[1:])
    assert second > first > 0
    errors = [history.result(commit, "track_gradient_error")[IFT] for commit in history.commits[1:]]
    assert errors[0] == errors[1]  # more work, same gradient


def a_failed_cell_is_null_for_asv_and_keeps_its_reason_in_the_rows(history: History) -> None:
    good, bad = history.commits[1:]
    for track in ("track_R", "track_flops", "track_gradient_error"):
        assert history.result(good, track)[UNROLLED] > 0 and history.result(bad, track)[UNROLLED] is None
    failed = [row for row in history.rows(bad, VisitRow) if row.status != "ok"]
    assert {(row.method, row.status) for row in failed} == {("unrolled", "failed")}
    assert all("it is broken here" in row.reason for row in failed)


def times_have_a_sample_a_worker_and_what_eager_mode_lacks_is_not_applicable(history: History) -> None:
    good = history.commits[1]
    for track in ("track_R", "track_forward_s", "track_gradient_s"):
        assert all(len(samples) == 2 for samples in history.result(good, track, "samples"))
    assert all(math.isnan(one) for one in history.result(good, "track_compile_s"))
    assert all(one == int(one) > 0 for one in history.result(good, "track_peak_bytes"))


def a_killed_run_goes_on_from_its_rows(history: History) -> None:
    rows = history.rows(history.commits[1], VisitRow)
    made = [(row.cell, row.measure, row.worker) for row in rows]
    assert history.killed and rows[: len(history.killed)] == history.killed
    assert len(made) == len(set(made)) == 2 * (1 + 2)  # nothing twice: two cells, an exact visit and two timed ones
    assert len(history.rows(history.commits[1], RunRow)) == 2 and len(history.rows(history.commits[1], VerdictRow)) == 1


def compare_shows_the_change(history: History) -> None:
    good, bad = history.commits[1:]
    told = history.project.asv("compare", "--machine", MACHINE, "--factor", "1.01", good, bad).splitlines()
    marks = {
        (track, method): line.split("|")[1].strip()
        for line in told
        for track in ("track_flops", "track_held_bytes")
        for method in ("unrolled", "ift")
        if track in line and f"/{method}(" in line
    }
    assert marks == {
        ("track_flops", "unrolled"): "!",
        ("track_held_bytes", "unrolled"): "!",
        ("track_flops", "ift"): "+",
        ("track_held_bytes", "ift"): "",
    }


def check_accepts_the_suite_and_asv_lists_exactly_its_tracks(history: History) -> None:
    assert "No problems found." in history.project.asv("check")
    listed = json.loads((history.project.folder / "results" / "asv" / "benchmarks.json").read_text(encoding="utf-8"))
    found = {name for name in listed if name != "version"}
    classes = {
        f"{framework}{problem}" for framework in ("Torch", "Jax") for problem in ("Mlp", "Tanh", "Newton", "Fpn")
    }
    values = ("compile_s", "flops", "forward_s", "gradient_error", "gradient_s", "held_bytes", "peak_bytes", "R")
    assert found == {f"suite.{name}.track_{value}" for name in classes for value in values}


def publish_finds_the_step_and_nothing_says_where_it_was_measured(history: History) -> None:
    before, good, bad = history.commits
    for like, commit in ((good, before), (bad, history.project.commit())):  # a step needs two commits on each side
        known = history.file(like)
        found = json.loads(known.read_text(encoding="utf-8")) | {"commit_hash": commit}
        name = known.name.replace(like[:8], commit[:8])
        known.with_name(name).write_text(json.dumps(found), encoding="utf-8")
    history.project.asv("publish")
    site = history.project.folder / "reports" / "html" / "asv"
    told = json.loads((site / "regressions.json").read_text(encoding="utf-8"))["regressions"]
    (step,) = [one for one in told if "track_flops" in one[0]]
    assert "/ift(" in step[0] and step[4] > step[5]  # its last value and its best one
    assert not any(exact in one[0] for one in told for exact in ("gradient_error", "held_bytes"))
    assert json.loads((site / "index.json").read_text(encoding="utf-8"))["project_url"] == "../index.html"
    secrets = (platform.node(), sys.executable, str(history.project.folder.parent), str(Path.home()))
    kept = [site, *(history.project.folder / "results" / name for name in ("asv", "local"))]
    files = [
        path for folder in kept for path in folder.rglob("*") if path.suffix in (".json", ".jsonl", ".xml", ".html")
    ]
    assert len(files) > 10
    for path in files:
        text = path.name + path.read_text(encoding="utf-8")
        assert not [secret for secret in secrets if secret in text], path.name


@pytest.mark.long
def test_asv_over_commits(history: History, subtests: pytest.Subtests) -> None:
    # One test, since processes that share the tests of a file would each make the history anew.
    for check in (
        each_commit_s_own_impls_are_measured_by_the_bench_of_the_tree,
        a_failed_cell_is_null_for_asv_and_keeps_its_reason_in_the_rows,
        times_have_a_sample_a_worker_and_what_eager_mode_lacks_is_not_applicable,
        a_killed_run_goes_on_from_its_rows,
        compare_shows_the_change,
        check_accepts_the_suite_and_asv_lists_exactly_its_tracks,
        publish_finds_the_step_and_nothing_says_where_it_was_measured,
    ):
        with subtests.test(check.__name__):
            check(history)
