"""What BASE and HEAD may be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.gate import sides
from bench.instruments import sources
from tests.bench.instruments.test_sources import DUBIOUS

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
    assert found.digest == sources.digest(found.folder / "impls") != sources.digest(repository / "impls")


def test_a_folder_is_taken_as_it_lies(repository: Path, tmp_path: Path) -> None:
    found = sides.side(str(repository), tmp_path / "base")
    assert (found.folder, found.commit, found.label) == (repository, None, f"impls-{found.digest}")
    assert found.digest == sources.digest(repository / "impls") and not (tmp_path / "base").exists()


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


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (DUBIOUS, "^git says: fatal: detected dubious ownership in repository at"),
        ({"GIT_DIR": "/no/such/.git"}, r"^git says: fatal: not a git repository: '/no/such/.git' \(GIT_DIR is set"),
        ({"PATH": ""}, "^There is no git here: install it.$"),
    ],
    ids=["somebody else's", "a hook's", "no git"],
)
def test_git_s_own_words_are_passed_on(
    environment: dict[str, str], words: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(sources.GitError, match=words):
        sides.side("HEAD", tmp_path / "base")


def test_a_hook_of_another_repository_is_named_and_not_a_lack_of_impls(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "other")], check=True)
    subprocess.run([*GIT, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "other", check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    with pytest.raises(
        sources.GitError, match=r"pathspec 'impls' did not match any files \(GIT_DIR is set, as in a hook"
    ):
        sides.side("HEAD", tmp_path / "base")


def test_where_there_is_no_repository_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(sources.GitError, match=r"^git says: fatal: not a git repository \(or any of the parent"):
        sides.side("HEAD", tmp_path / "base")
