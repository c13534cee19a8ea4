"""A small clone of this project with a history of its own, and asv run in it without a network."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import psutil

from bench.rows import VisitRow, read
from tests.bench.harness import gone

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("bench", "impls", ".gitignore", "asv.conf.json", "pyproject.toml", "README.md", "LICENSE")
MACHINE = "some-machine"
RUN = ("run", "--machine", MACHINE, "--record-samples", "--show-stderr", "--bench", "TorchNewton")
ENVIRONMENT = {
    "GRADRATIO_PRESET": "smoke",
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    **{f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}

PREPARED = """
import subprocess, sys
from pathlib import Path
from asv import config, environment
[found] = environment.get_environments(config.Config.load("asv.conf.json"), None)
place = found._path
command = [sys.executable, "-m", "virtualenv", "--quiet", "--no-download", "--setuptools=bundle", place]
subprocess.run(command, check=True)
[packages] = Path(place).glob("lib/python*/site-packages")
(packages / "outer.pth").write_text(sys.argv[1] + "\\n")
found.save_info_file(place)
"""
"""Makes the environment of asv.conf.json where asv looks for it, so that asv need not download it. Its packages are
those of the interpreter that runs the tests."""


class Project:
    """A git repository at ``folder``; its home, where asv keeps machines, lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._home = folder / "project", folder / "home"
        self._home.mkdir()
        for name in COPIED:
            source, target = ROOT / name, self.folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, target)
        self.run("git", "init", "--quiet", "--initial-branch=main")
        outer = folder / "packages"
        outer.mkdir()
        for one in Path(sysconfig.get_paths()["purelib"]).iterdir():
            if "gradratio" not in one.name.lower():  # asv uninstalls that from its environment
                (outer / one.name).symlink_to(one)
        self.run(sys.executable, "-c", PREPARED, str(outer))

    def environment(self) -> dict[str, str]:
        """The environment of all commands, without what a test's own has for the project."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FAKE_WORKER")}
        return {**kept, **ENVIRONMENT, "HOME": str(self._home)}

    def run(self, *command: str, status: int = 0) -> str:
        """What a command prints; it must end with ``status``."""
        found = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert found.returncode == status, found.stdout
        return found.stdout

    def asv(self, *arguments: str, status: int = 0) -> str:
        """What asv prints."""
        return self.run(sys.executable, "-m", "asv", *arguments, status=status)

    def commit(self, *changes: tuple[str, str, str]) -> str:
        """A new commit of all files after ``(file, old text, new text)``; its hash."""
        for name, old, new in changes:
            path = self.folder / name
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
            path.write_text(text.replace(old, new), encoding="utf-8")
        self.run("git", "add", "--all", *COPIED)
        self.run("git", "commit", "--quiet", "--allow-empty", "--message=change")
        return self.run("git", "rev-parse", "HEAD").strip()


def kill_at_the_first_row(project: Project, commit: str) -> list[VisitRow]:
    """Kill ``asv run`` alone as soon as there is a row, and see that what it started ends; the rows so far."""
    path = project.folder / "results" / "local" / "asv" / f"{commit[:12]}-smoke.jsonl"
    command = [sys.executable, "-m", "asv", *RUN, f"{commit}^!"]
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as asv:
        while not any(isinstance(row, VisitRow) for row in read(path)):
            try:
                raise AssertionError(f"asv ended with {asv.wait(timeout=0.05)} before it measured")
            except subprocess.TimeoutExpired:
                pass
        started = psutil.Process(asv.pid).children(recursive=True)
        asv.kill()
    for one in started:
        with contextlib.suppress(psutil.Error):
            if "run_server" in one.cmdline():  # asv's own, which waits for orders for ever when asv is killed
                one.kill()
    assert gone({one.pid for one in started})
    return [row for row in read(path) if isinstance(row, VisitRow)]
