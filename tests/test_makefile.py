"""The targets of the Makefile that measure for minutes: how they end where they are stopped, or go wrong."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("report", "experiments", "peers", "gate", "history", "compare", "gpu")


def made(folder: Path, target: str, script: str) -> subprocess.CompletedProcess[str]:
    """What make comes to where the environment's Python, and nvidia-smi, are a script of the shell."""
    (folder / "bin").mkdir()
    for name in ("python", "nvidia-smi"):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script if name == 'python' else 'exit 0'}\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "installed").touch()
    path = f"PATH={folder / 'bin'}:/usr/bin:/bin:/usr/local/bin"
    command = ["make", "-o", str(folder / "installed"), f"VENV={folder}", target]
    return subprocess.run(
        ["env", path, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever the tests were started by
    )


@pytest.mark.parametrize("target", TARGETS)
def test_a_command_that_was_stopped_has_the_last_word(target: str, tmp_path: Path) -> None:
    found = made(tmp_path, target, "echo 'stopped: so it is.' >&2; exit 130")
    assert (found.stderr, found.returncode) == ("stopped: so it is.\n", -signal.SIGINT)


@pytest.mark.parametrize("target", TARGETS)
def test_what_goes_wrong_is_still_an_error_of_make(target: str, tmp_path: Path) -> None:
    found = made(tmp_path, target, "exit 3")
    assert found.returncode == 2 and " Error " in found.stderr
