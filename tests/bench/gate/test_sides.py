"""What BASE and HEAD may be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.gate import sides
from bench.instruments import machine

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits, the first without impls, and a change that is in none."""
    root = tmp_path / "repository"
    (root / "impls").mkdir(parents=True)
    monkeypatch.setattr(sides, "ROOT", root)
    (root / "README").write_text("first\n")
    for name, content in (("README", "first\n"), ("impls/__init__.py", "number = 2\n")):
        (root / name).write_text(content)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", name]):
            subprocess.run([*GIT, *command], cwd=root, check=True)
    (root / "impls" / "__init__.py").write_text("number = 3\n")
    return root


def test_a_revision_is_unpacked_as_it_was_committed(repository: Path, tmp_path: Path) -> None:
    found = sides.side("HEAD", tmp_path / "base")
    assert (found.folder / "impls" / "__init__.py").read_text() == "number = 2\n"
    assert found.commit is not None and found.label == found.commit[:12] and len(found.commit) == 40
    assert found.digest == machine.digest(found.folder / "impls") != machine.digest(repository / "impls")


def test_a_folder_is_taken_as_it_lies(repository: Path, tmp_path: Path) -> None:
    found = sides.side(str(repository), tmp_path / "base")
    assert (found.folder, found.commit, found.label) == (repository, None, f"impls-{found.digest}")
    assert found.digest == machine.digest(repository / "impls") and not (tmp_path / "base").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no-such-branch", "neither a commit of this repository nor a folder with impls"),
        ("--output=/x", "neither a commit"),
        ("HEAD~1", "has no impls"),
    ],
)
def test_what_is_neither_is_refused_in_one_sentence(name: str, words: str, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        sides.side(name, tmp_path / "base")
