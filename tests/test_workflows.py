"""The workflows of continuous integration: valid, and they call what there is; and what fails a run of the tests."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import shell

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def scheduled() -> dict[str, Any]:
    """The jobs that run each week."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "scheduled.yml").read_text(encoding="utf-8"))
    assert set(workflow[True]) == {"schedule", "workflow_dispatch"}
    jobs: dict[str, Any] = workflow["jobs"]
    for job in jobs.values():
        steps = [step for step in job["steps"] if "run" in step]
        assert all("!cancelled()" in step["if"] for step in steps[1:])  # one that fails hides no other
    return jobs


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
    lines = commands({"jobs": {"smoke": scheduled()["smoke"]}})
    runs = {line.split()[1]: line for line in lines if line.startswith("make ")}
    assert set(runs) == {"report", "experiments", "pytest", "peers", "gate", "history"}
    assert all("PRESET=smoke" in line for name, line in runs.items() if name != "gate")
    # What the methods can do is tried again and compared with the committed file, but for the lines of its versions.
    tried = lines.index(".venv/bin/gradratio capabilities --out results/catalog.json")
    assert lines[tried + 1] == "git diff --exit-code -I '^  \"' results/catalog.json"
    committed = (ROOT / "results" / "catalog.json").read_text(encoding="utf-8").splitlines()
    ignored = {line.split('"')[1] for line in committed if line.startswith('  "')}
    assert ignored == {"python", "torch", "jax", "jaxlib", "numpy"}


def test_a_gate_in_ci_fails_on_a_regression_and_tells_what_is_undecided() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*WORKFLOWS, ROOT / ".ci" / "run")]
    lines = [line for text in texts for line in text.splitlines() if re.search(r"\bmake gate\b", line)]
    assert len(lines) == 3 and all("--keep-going" in line for line in lines)


def test_the_two_commands_run_each_week_on_every_python_and_with_the_newest_versions() -> None:
    job = scheduled()["machines"]
    assert commands({"jobs": {"machines": job}}) == [
        "make report PRESET=smoke KEEP_GOING= PYTHON=python",
        "make test PYTHON=python",
    ]
    assert job["env"]["CONSTRAINTS"] == "${{ matrix.constraints }}"
    (setup,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"] == "${{ matrix.python }}"
    matrix = job["strategy"]["matrix"]
    assert matrix["constraints"] == ["constraints.txt"]
    assert [one["constraints"] for one in matrix["include"]] == [""]
    # Those that the package names, and the first is the least that it takes.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [one.split(" :: ")[-1] for one in project["classifiers"] if "Python :: 3." in one]
    assert matrix["python"] == named == ["3.11", "3.12", "3.13", "3.14"]
    assert project["requires-python"] == f">={named[0]}"


@pytest.mark.skipif(shutil.which("make") is None, reason="There is no make: install GNU make.")
def test_an_environment_is_made_again_for_other_versions_alone(tmp_path: Path) -> None:
    """And in a folder with a space in its name."""
    folder = tmp_path / "a folder"
    (folder / ".venv").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "Makefile"):  # the stamp below is newer than all of them
        shutil.copy2(ROOT / name, folder)

    def installs(*words: str) -> list[str]:
        command = ["make", "--dry-run", "lint", "PYTHON=python3", *words]
        without = {name: value for name, value in os.environ.items() if name not in ("CONSTRAINTS", "MAKEFLAGS")}
        told = subprocess.run(command, cwd=folder, env=without, capture_output=True, text=True, check=True)
        return [line.partition("-check ")[2].strip() for line in told.stdout.splitlines() if "pip install" in line]

    pinned, newest = '-c "constraints.txt" -e', "--upgrade --upgrade-strategy eager -e"
    for stamp, plain, other in (("", [pinned], [newest]), ("constraints.txt", [], [newest]), ("newest", [pinned], [])):
        (folder / ".venv" / "installed").write_text(stamp)
        assert [line.partition(" '")[0] for line in installs()] == plain
        assert [line.partition(" '")[0] for line in installs("CONSTRAINTS=")] == other


@pytest.mark.parametrize("category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning])
def test_what_a_framework_s_own_modules_call_fails_no_test_and_what_ours_call_does(category: type[Warning]) -> None:
    """A framework's newest version tells of its own use of what its next one drops."""
    for module in ("torch", "torch.jit._script", "jax._src.core", "functorch"):
        warnings.warn_explicit("old", category, "file.py", 1, module=module)
        with pytest.raises(RuntimeWarning):
            warnings.warn_explicit("odd", RuntimeWarning, "file.py", 1, module=module)
    for module in (
        "impls.torch.ops",
        "bench.frameworks.jax_jit",
        "reports.page",
        "tests.impls.frameworks",
        "torchlike",
    ):
        with pytest.raises(category):
            warnings.warn_explicit("old", category, "file.py", 1, module=module)
