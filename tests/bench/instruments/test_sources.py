"""What code a number is of: a digest of the sources, and the commit where there is one, or why there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bench.instruments import sources


def test_the_digest_depends_on_names_and_contents_and_not_on_the_folder(tmp_path: Path) -> None:
    def package(name: str, files: dict[str, str]) -> str:
        folder = tmp_path / name
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        return sources.digest(folder)

    base = package("a", {"x.py": "1", "y/z.py": "2", "cache.pyc": "3"})
    assert len(base) == 12 and base == package("b", {"y/z.py": "2", "x.py": "1"})
    assert len({base, package("c", {"x.py": "2", "y/z.py": "1"}), package("d", {"x.py": "1", "yz.py": "2"})}) == 3


def git(folder: Path, *arguments: str) -> None:
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a",
    }
    command = ["git", "-C", str(folder), *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **identity})


def test_a_tree_is_dirty_from_its_first_change_to_what_is_measured(tmp_path: Path) -> None:
    assert sources.git(tmp_path) == (None, True)  # no repository
    git(tmp_path, "init")
    assert sources.git(tmp_path) == (None, True)  # no commit
    (tmp_path / "impls").mkdir()
    (tmp_path / "impls" / "a.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a")
    commit, dirty = sources.git(tmp_path)
    assert commit is not None and len(commit) == 40 and not dirty
    (tmp_path / "README.md").write_text("text")
    assert sources.git(tmp_path) == (commit, False)  # nothing that is measured
    (tmp_path / "impls" / "new.py").write_text("1")
    assert sources.git(tmp_path) == (commit, True)
    assert sources.git(tmp_path, ["bench"]) == (commit, False)


def test_the_commit_of_a_repository_that_ignores_the_package_is_not_ours(tmp_path: Path) -> None:
    installed = tmp_path / "venv" / "site-packages"
    (installed / "impls").mkdir(parents=True)
    (installed / "impls" / "a.py").write_text("1")
    (tmp_path / ".gitignore").write_text("venv/\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "theirs")
    assert sources.git(installed) == (None, True)


DUBIOUS = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
"""Makes git take every repository for somebody else's."""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (DUBIOUS, "git says: fatal: detected dubious ownership in repository at"),
        ({"GIT_DIR": "/no/such/.git"}, "git says: fatal: not a git repository: '/no/such/.git' (GIT_DIR is set, as in"),
        ({"PATH": ""}, "There is no git here: install it."),
    ],
    ids=["somebody else's", "a hook's", "no git"],
)
def test_why_git_does_not_answer_is_told_once(
    environment: dict[str, str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "impls").mkdir()
    (tmp_path / "impls" / "a.py").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a")
    assert sources.git(tmp_path)[0]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sources._tell.cache_clear()
    assert sources.git(tmp_path) == sources.git(tmp_path) == (None, True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("No commit is known, and rows go to results/local: ") and words in line


def test_a_folder_that_is_no_checkout_is_no_reason_for_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sources.git(tmp_path) == (None, True) and capsys.readouterr().err == ""
