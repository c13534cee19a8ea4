"""Where a number was measured: machine, versions, commit and sources, with no host name or path."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.instruments import gpu

DISTRIBUTIONS = ("torch", "jax", "jaxlib", "numpy")
MEASURED_PATHS = ("impls", "bench", "pyproject.toml", "constraints.txt")
"""A change in any of these makes the working tree dirty: a number measured from it is not the commit's."""


GIB = 1 << 30


def describe() -> dict[str, Any]:
    """The machine in words that identify its kind and not its owner."""
    import psutil

    release = ".".join(platform.release().split(".")[:2])
    return {
        "cpu": _cpu(),
        "cores": len(available_cores()),
        "memory_bytes": round(psutil.virtual_memory().total / GIB) * GIB,  # machines of one kind differ by some pages
        "system": f"{platform.system()} {release} {platform.machine()}",
        "gpu": gpu.describe(),
    }


def name() -> str:
    """A name of this kind of machine, such as ``amd-epyc-9b14-2-cores``, in small letters, digits and hyphens. It is
    made from the processor's model, never from the host's name, so machines of one kind share it."""
    model = re.sub(r"\((r|tm)\)|@.*|\b(cpu|processor)\b", " ", _cpu().lower())
    words = re.findall(r"[a-z0-9]+", f"{model} {len(available_cores())} cores")
    return "-".join(words)


def available_cores() -> list[int]:
    """The numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def memory_for(processes: int) -> int:
    """Bytes that each of so many worker processes may take: their even share of nine tenths of what is available."""
    import psutil

    found = psutil.virtual_memory().available
    most, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))  # of a container
    if most is not None:
        found = max(0, min(found, most - (used or 0)))
    return int(0.9 * found / processes)


def _number(path: Path) -> int | None:
    """The whole number in a file of the system; None where there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cpu() -> str:
    """The processor's model name."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str | None]:
    """Versions of Python and of the frameworks, read without importing; None for what is missing."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


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


def load() -> float | None:
    """The 1-minute load average, None where the system keeps none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
