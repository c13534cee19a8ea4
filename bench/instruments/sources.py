"""What code a number is of: the commit of a checkout, whether it was changed, and a digest of the sources."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MEASURED_PATHS = ("impls", "bench", "pyproject.toml", "constraints.txt")
"""A change in any of these makes the working tree dirty: a number measured from it is not the commit's."""

REPOSITORY = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
)
"""By which the environment, such as that of a hook, names a repository."""

NO_GIT = "There is no git here: install it."


class GitError(RuntimeError):
    """A git command that failed: a sentence with git's own words. words: those alone, empty where it said nothing.
    elsewhere: whether the environment names the repository, as that of a hook does."""

    def __init__(self, words: str) -> None:
        moved = " and ".join(name for name in ("GIT_DIR", "GIT_WORK_TREE") if name in os.environ)
        hint = f" ({moved} is set, as in a hook: unset it where it names another repository)" if moved else ""
        super().__init__(f"{words if words == NO_GIT else f'git says: {words}'}{hint}")
        self.words, self.elsewhere = words, bool(moved)


def ask_git(root: Path, *arguments: str) -> bytes:
    """What one git command prints at ``root``; ``GitError`` where it fails."""
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True, env=os.environ | {"LC_ALL": "C"}).stdout
    except subprocess.CalledProcessError as error:
        raise GitError(" ".join(error.stderr.decode("utf-8", "replace").split())) from None
    except OSError:
        raise GitError(NO_GIT) from None


def git(root: Path, paths: Sequence[str] = MEASURED_PATHS) -> tuple[str | None, bool]:
    """``(commit, dirty)`` of the working tree at ``root``, ``(None, True)`` where there is none; ``paths`` are what
    makes it dirty. A repository that does not hold ``impls`` is somebody else's, such as one with our package installed
    below it: its commit says nothing of what is measured. Where git does not answer for a checkout, its words are told
    once on stderr."""
    try:
        commit = (
            ask_git(root, "rev-parse", "--verify", "--quiet", "HEAD") if ask_git(root, "ls-files", "impls") else b""
        )
        changes = ask_git(root, "status", "--porcelain", "--", *paths)
    except GitError as error:
        if error.words and (error.elsewhere or (root / ".git").exists()):
            _tell(f"No commit is known, and rows go to results/local: {error}")
        return None, True
    if not commit and "GIT_DIR" in os.environ:
        _tell("No commit is known, and rows go to results/local: the repository that GIT_DIR names holds no impls.")
    return (commit.decode().strip(), changes.strip() != b"") if commit else (None, True)


@functools.cache
def _tell(words: str) -> None:
    print(words, file=sys.stderr)


def impls_digest() -> str:
    """12 hex digits of the sources of the ``impls`` that this interpreter would import; it is not imported.

    Only relative file names and contents count, so one source has one digest wherever it is installed.
    """
    spec = importlib.util.find_spec("impls")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("This interpreter finds no package impls: install the project into it or set PYTHONPATH.")
    return digest(Path(next(iter(spec.submodule_search_locations))))


def digest(folder: Path) -> str:
    """12 hex digits of SHA-256 over the sorted names and contents of a folder's Python files."""
    total = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py")):
        content = path.read_bytes()
        total.update(f"{len(name)} {name} {len(content)} ".encode() + content)
    return total.hexdigest()[:12]
