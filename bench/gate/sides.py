"""The two sides of a gate: each a folder with an ``impls`` in it, taken from a commit or as it lies there."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from bench.instruments import sources
from bench.rows import ROOT


@dataclass(frozen=True)
class Side:
    """One ``impls``: the folder that it lies in, its commit (None for a plain folder), and its digest."""

    name: str
    folder: Path
    commit: str | None
    digest: str

    @property
    def label(self) -> str:
        """Twelve digits of the commit, else of the sources' digest."""
        return self.commit[:12] if self.commit else f"impls-{self.digest}"


def side(name: str, into: Path) -> Side:
    """The ``impls`` that ``name`` means: a folder that holds one, or else a revision of this repository, whose
    ``impls`` is unpacked into the folder ``into``.

    Raises ``ValueError`` for what is neither, and ``sources.GitError`` where git refuses to answer.
    """
    given = Path(name)
    if (given / "impls" / "__init__.py").is_file():
        return Side(name, given.resolve(), None, sources.digest(given / "impls"))
    commit = _commit(name)
    try:
        packed = sources.ask_git(ROOT, "archive", "--format=tar", commit, "impls")
    except sources.GitError as error:
        if error.elsewhere or "did not match any files" not in error.words:
            raise
        raise ValueError(f"The commit {name!r} has no impls: name a later one.") from None
    into.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(into, filter="data")
    except tarfile.TarError as error:
        raise ValueError(f"The impls of {name!r} cannot be unpacked: {error}.") from None
    return Side(name, into, commit, sources.digest(into / "impls"))


def _commit(name: str) -> str:
    """The hash of the commit that ``name`` means."""
    try:
        asked = "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        return sources.ask_git(ROOT, *asked).decode().strip()
    except sources.GitError as error:
        if error.words:
            raise
        raise ValueError(
            f"{name!r} is neither a commit of this repository nor a folder with impls in it: fetch it, or name another."
        ) from None
