"""The files that docs/ci.md gives to other projects: they find what is worse, and call what there is."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import gradratio
from reports import cells, read
from tests.docs.markdown import ROOT, blocks
from tests.rows import BACKPROP, GIVEN, exact, run, timed, visit, write

FILES = {block.info["title"]: block.text for block in blocks(ROOT / "docs" / "ci.md") if "title" in block.info}


@pytest.fixture(scope="module")
def regressions() -> Callable[[str, str], list[str]]:
    """The function of the page."""
    found: dict[str, Any] = {"__name__": "regressions"}
    exec(compile(FILES["benchmarks/regressions.py"], "regressions.py", "exec"), found)
    return found["regressions"]


def rows(folder: Path, name: str, ratio: float = 2.0, peak: int = 1000, good: bool = True) -> str:
    """A file of two methods, the second as the arguments say."""
    found = [run(workers=4)]
    for method, of, bytes_ in ((BACKPROP, 2.0, 1000), (GIVEN, ratio, peak)):
        found += [timed(of, worker, method=method) for worker in range(4)]
        found.append(exact(bytes_, method=method))
    if not good:
        found.append(visit(method=GIVEN, worker=9, status="failed", reason="It raised."))
    return str(write(folder / f"{name}.jsonl", found))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"ratio": 1.5, "peak": 900}, None),
        ({"ratio": 2.4}, "takes 2.4"),
        ({"peak": 1001}, "takes 1001 B at its peak, before 1000 B"),
        ({"good": False}, "is failed: "),
    ],
    ids=["the same", "better", "slower", "one byte more", "failed"],
)
def test_regressions(regressions: Any, tmp_path: Path, change: dict[str, Any], said: str | None) -> None:
    found = regressions(rows(tmp_path, "base"), rows(tmp_path, "head", **change))
    assert len(found) == (said is not None)
    assert all(line.startswith("forward gradient, tangents given ") and (said or "") in line for line in found)


def test_what_is_no_longer_measured_is_told(regressions: Any, tmp_path: Path) -> None:
    base = rows(tmp_path, "base")
    other = write(tmp_path / "head.jsonl", [run(workers=4), timed(2.0, problem="other")])
    found = regressions(base, str(other))
    assert len(found) == 2 and all(" is not measured any more: there is no torch/" in line for line in found)
    assert {line.split(" is not")[0] for line in found} == {"backprop", "forward gradient, tangents given"}
    assert regressions(str(other), base) == [f"backprop is not measured any more: there is no {cell(other)}"]
    assert regressions(rows(tmp_path, "broken", good=False), str(other)) == found[:1]


def cell(path: Path) -> str:
    """The id of the only cell of a file."""
    (found,) = cells(read(path))["cell"]
    return str(found)


def test_the_file_ends_with_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for change, status, words in (({}, 0, "No method is worse.\n"), ({"ratio": 3.0}, 1, "takes 3")):
        pair = [rows(tmp_path, "base"), rows(tmp_path, "head", **change)]
        monkeypatch.setattr(sys, "argv", ["regressions.py", *pair])
        with pytest.raises(SystemExit) as end:
            exec(compile(FILES["benchmarks/regressions.py"], "regressions.py", "exec"), {"__name__": "__main__"})
        assert end.value.code == status
        assert words in capsys.readouterr().out


def test_own_models_are_measured_with_keywords_that_there_are() -> None:
    tree = ast.parse(FILES["benchmarks/gradients.py"])
    (call,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "gradratio.compare"
    ]
    assert {one.arg for one in call.keywords} <= set(inspect.signature(gradratio.compare).parameters)


def test_the_workflow_runs_these_files() -> None:
    workflow = yaml.safe_load(FILES[".github/workflows/gradients.yml"])
    (job,) = workflow["jobs"].values()
    text = "\n".join(step.get("run", "") for step in job["steps"])
    assert all(f"head/{name}" in text for name in FILES if name.endswith(".py"))
    assert "git -C head worktree add ../base HEAD^1" in text and job["steps"][0]["with"]["fetch-depth"] == 2
    assert "base.sha" not in str(job), "which is stale where others have merged since the last push"
    assert job["env"]["OMP_NUM_THREADS"] == "1" and job["timeout-minutes"] <= 60
