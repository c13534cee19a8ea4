"""The workflows of continuous integration: valid, and they call what there is."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import shell

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def commands(workflow: dict[str, Any]) -> list[str]:
    """Each line that a job runs in a shell."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    return [line for step in steps for line in step.get("run", "").splitlines()]


def test_there_are_workflows_and_targets() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"tests", "gate", "history", "scheduled"}
    assert {"test", "report", "gate", "history", "clean"} <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid_and_calls_what_there_is(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key on as true.
    assert set(workflow) >= {"name", True, "permissions", "jobs"} and workflow["name"] == path.stem
    assert all(job["timeout-minutes"] <= 360 and job["runs-on"] for job in workflow["jobs"].values())
    lines = commands(workflow)
    called = [name for line in lines for name in re.findall(r"\bmake ([a-z]+)", line)]
    assert set(called) <= TARGETS
    for line in lines:
        if line.startswith("make "):
            shell.check(shlex.split(line))  # its variables, preset and flags too
    scripts = [line.split()[0] for line in lines if line.startswith((".ci/", "./"))]
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)
    assert called or scripts
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+", step.get("uses", "actions/checkout@v4"))


def test_the_long_commands_run_each_week_at_their_smallest() -> None:
    """Each target of README that measures for minutes, but for the one that needs a GPU."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "scheduled.yml").read_text(encoding="utf-8"))
    assert set(workflow[True]) == {"schedule", "workflow_dispatch"}
    lines = commands(workflow)
    runs = {line.split()[1]: line for line in lines if line.startswith("make ")}
    assert set(runs) == {"report", "experiments", "compare", "peers", "gate", "history"}
    assert all("PRESET=smoke" in line for name, line in runs.items() if name != "gate")
    (job,) = workflow["jobs"].values()
    steps = [step for step in job["steps"] if "run" in step]
    assert all("!cancelled()" in step["if"] for step in steps[1:])  # one that fails hides no other
    # What the methods can do is tried again and compared with the committed file, but for the lines of its versions.
    tried = lines.index(".venv/bin/python -m bench capabilities --out results/catalog.json")
    assert lines[tried + 1] == "git diff --exit-code -I '^  \"' results/catalog.json"
    committed = (ROOT / "results" / "catalog.json").read_text(encoding="utf-8").splitlines()
    ignored = {line.split('"')[1] for line in committed if line.startswith('  "')}
    assert ignored == {"python", "torch", "jax", "jaxlib", "numpy"}


def test_a_gate_in_ci_fails_on_a_regression_and_tells_what_is_undecided() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*WORKFLOWS, ROOT / ".ci" / "run")]
    lines = [line for text in texts for line in text.splitlines() if re.search(r"\bmake gate\b", line)]
    assert len(lines) == 3 and all("--keep-going" in line for line in lines)
