"""The real worker process, as far as it goes without a framework."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.instruments.sources import digest
from bench.processes import WORKER


def start(folder: Path, pythonpath: str, jobs: str = "") -> subprocess.CompletedProcess[str]:
    """A worker with an import path of its own, in a folder of its own, given all its input at once."""
    environment = {**os.environ, "PYTHONPATH": pythonpath}
    command = [sys.executable, "-P", "-S", str(WORKER)]  # -S: nothing that is installed
    return subprocess.run(command, cwd=folder, env=environment, input=jobs, capture_output=True, text=True, check=True)


def test_impls_comes_from_the_import_path_and_never_from_the_folder_the_worker_lies_in(
    tmp_path: Path,
) -> None:
    answer = start(tmp_path, "")
    said = json.loads(answer.stdout)
    assert said["ready"] is False and "finds no package impls" in said["reason"]


def test_the_ready_line_names_the_sources_without_importing_them(tmp_path: Path) -> None:
    package = tmp_path / "elsewhere" / "impls"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    said = json.loads(start(tmp_path, str(package.parent)).stdout)
    assert said["ready"] is True and said["impls"] == digest(package)
    assert set(said) == {"ready", "impls", "versions"} and said["versions"]["torch"] is None
    assert str(tmp_path) not in json.dumps(said)
