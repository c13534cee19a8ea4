"""The targets of the Makefile that measure for minutes: how they end where they are stopped, or go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLAIN = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
"""Runs a command that Ctrl-C ends, whatever the tests were started by."""

TARGETS = ("report", "experiments", "peers", "gate", "history", "pytest", "gpu")


def made(folder: Path, target: str, script: str) -> subprocess.CompletedProcess[str]:
    """What make comes to where the environment's Python, and nvidia-smi, are a script of the shell."""
    (folder / "bin").mkdir()
    for name in ("python", "nvidia-smi"):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script if name == 'python' else 'exit 0'}\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "installed").write_text("constraints.txt\n")  # what a make of its own asks for too
    command = ["make", "-o", str(folder / "installed"), f"VENV={folder}", target]
    outer = ("MAKE", "MFLAGS", "CONSTRAINTS")  # of the make that may have started these tests
    without = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    return subprocess.run(
        [sys.executable, "-c", PLAIN, *command],
        cwd=ROOT,
        env=without | {"PATH": f"{folder / 'bin'}:/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_a_command_that_was_stopped_has_the_last_word(target: str, tmp_path: Path) -> None:
    found = made(tmp_path, target, "echo 'stopped: so it is.' >&2; exit 130")
    assert (found.stderr, found.returncode) == ("stopped: so it is.\n", -signal.SIGINT)


@pytest.mark.parametrize("target", TARGETS)
def test_what_goes_wrong_is_still_an_error_of_make(target: str, tmp_path: Path) -> None:
    found = made(tmp_path, target, "exit 3")
    assert found.returncode == 2 and " Error " in found.stderr


def test_the_old_name_of_a_target_says_the_new_one_and_goes_on(tmp_path: Path) -> None:
    found = made(tmp_path, "compare", 'echo "$@"')
    assert (found.returncode, found.stderr) == (0, "make compare is make pytest now.\n")
    assert found.stdout == "-m gradratio pytest --preset smoke\n"
