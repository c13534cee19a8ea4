"""The command ``gradratio``: the commands that measure, and the page beside them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench import commands
from gradratio.__main__ import main

ROOT = Path(commands.__file__).resolve().parents[1]


def called(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """``python -m module words``."""
    return subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    named = {line.split()[0] for line in said.splitlines() if line.startswith("    ") and line[4:5] != " "}
    assert ended.value.code == 0 and named == {*commands.COMMANDS, "page"}
    wanted = {"list", "run", "page", "pytest", "gate", "peers", "experiments", "profile", "capabilities"}
    assert wanted <= named and said.startswith("usage: gradratio ")


def test_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (*commands.COMMANDS, "page"):
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0 and capsys.readouterr().out.startswith(f"usage: gradratio {name} ")


def test_the_old_names_of_the_programs_do_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for module, words, new in (("bench", ("list", "--preset", "smoke"), ()), ("reports", ("--markdown",), ("page",))):
        old, status = called(module, *words), main([*new, *words])
        now = capsys.readouterr()
        assert (old.returncode, old.stdout, old.stderr) == (status, now.out, now.err)
        assert status == 0 and now.out


def test_the_script_is_installed_and_so_is_this_folder_on_the_path() -> None:
    """Else ``import gradratio`` beside a clone of that name would find the clone's folder, which is no package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"gradratio": "gradratio.__main__:main"}
    assert project["tool"]["setuptools"]["package-dir"] == {"": "."}
