"""What the asv suite tracks: it measures cells of one commit into one file, so that a killed ``asv run`` loses no row.
``python -m bench.tracked RANGE`` is asv from the commits to its site.

Rows of a commit's ``impls`` go to ``results/local/asv/<commit>-<preset>.jsonl``. What came after the last verdict over
the same cells counts: after a kill, measuring goes on from there; after a verdict it begins anew.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cells import Cell
from bench.flags import guarded
from bench.instruments import machine, sources
from bench.presets import PRESETS
from bench.rows import ROOT, Row, RunRow, VerdictRow, append, last_run, read
from bench.select import preset_cells

Found = dict[str, dict[str, Any]]


def tracked_cells(preset: str, framework: str, problem: str) -> list[Cell]:
    """The cells of a preset that one class of the suite tracks; those of GPUs it leaves to ``python -m bench run``."""
    if preset not in PRESETS:
        raise ValueError(f"GRADRATIO_PRESET names no preset ({preset}): set it to one of {', '.join(PRESETS)}.")
    found = [
        cell
        for cell in preset_cells(preset)
        if (cell.framework, cell.problem) == (framework, problem) and not cell.device.startswith("cuda")
    ]
    if not found:
        raise ValueError(
            f"asv cannot track {preset}, which has no cell of {framework} and {problem} on the CPU: "
            "set GRADRATIO_PRESET to another preset, such as track."
        )
    return found


def location(preset: str, commit: str | None, root: Path) -> Path:
    """The file for the rows of a commit, or of the working tree where asv names no commit."""
    return root / "results" / "local" / "asv" / f"{commit[:12] if commit else 'worktree'}-{preset}.jsonl"


def since(rows: Sequence[Row], cells: Sequence[Cell]) -> int:
    """How many rows there are up to the last verdict over these very cells: what follows is not finished yet."""
    ids = [cell.id for cell in cells]
    runs = {row.run for row in rows if isinstance(row, RunRow) and row.cells == ids}
    ends = [place for place, row in enumerate(rows, start=1) if isinstance(row, VerdictRow) and row.run in runs]
    return max(ends, default=0)


def measured(cells: Sequence[Cell], preset: str) -> Found:
    """What each cell came to, measured by the interpreter that asv runs this with.

    asv says in ASV_COMMIT which commit it has installed there. With ``-E existing`` it has installed none, and adds
    ASV_PYTHONPATH to its own import path alone; the workers need it too.
    """
    from contextlib import closing
    from dataclasses import asdict

    from bench.expected import surprises
    from bench.run import measure
    from bench.summary import summarise

    commit, asv = os.environ.get("ASV_COMMIT"), os.getppid()
    path = location(preset, commit, ROOT)
    start = since(read(path), cells)
    rows_to_come = measure(
        cells,
        workers=PRESETS[preset].workers,
        path=path,
        preset=preset,
        pythonpath=os.environ.get("ASV_PYTHONPATH"),
        since=start,
        commit=commit,
    )
    with closing(rows_to_come):
        for _ in rows_to_come:
            if os.getppid() != asv:  # it was killed; the next one would measure at the same time as this process
                raise RuntimeError("asv has ended before its suite: start it again, it goes on from here.")
    rows = read(path)[start:]
    found = summarise(rows, cells)
    append(path, VerdictRow(run=last_run(rows).run, surprises=surprises(cells, found)))
    return {one.cell: asdict(one) for one in found}


STOPPED = (
    "finished commits are in results/asv, and rows of the one under way in results/local/asv; the same command goes on "
    "from there."
)
WORDS = ("NEW", "ALL", "EXISTING", "TAGS")
"""What asv takes for a range besides git's own words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the commits of a range and publish asv's site: 1 where asv tells of an error, such as a cell that failed;
    2 for bad input, before anything is measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.tracked", description="Track a range of commits with asv, and publish its site."
    )
    parser.add_argument("range", metavar="RANGE", help="commits as git names a range, such as HEAD^! or main~5..main")
    parser.add_argument(
        "--machine", metavar="NAME", help="the machine's name in asv's results (default: its processor)"
    )
    given = parser.parse_args(arguments)
    return guarded(lambda: history(given.range, given.machine or machine.name()), STOPPED)


def history(commits: str, name: str) -> int:
    """asv's own commands, one after the other, with whatever can be wrong said before the first."""
    beside = require_commits(commits, ROOT)
    if beside:
        print(
            f"{beside} of the commits {commits} are not in the line of HEAD: they are measured and on the page, and "
            "asv's site, which draws that line, leaves them out.",
            file=sys.stderr,
        )
    importlib.import_module("bench.suite")  # refuses a preset that it cannot track
    asv("machine", "--yes", "--machine", name, stdout=subprocess.DEVNULL)
    failed = asv("run", "--machine", name, "--record-samples", "--show-stderr", commits)
    return 1 if asv("publish") or failed else 0


ASV = "import sys\nfrom asv.main import main\ntry:\n    main()\nexcept KeyboardInterrupt:\n    sys.exit(130)"
"""asv without the traceback that it prints where it is stopped."""


def asv(*arguments: str, **options: Any) -> int:
    """The exit status of one of asv's commands. Ctrl-C reaches it too: it is left to end what it has started. What a
    hook of git tells of its repository is kept from it: asv would check out old commits there, not in its own clone."""
    without = {name: value for name, value in os.environ.items() if name not in sources.REPOSITORY}
    with subprocess.Popen([sys.executable, "-c", ASV, *arguments], env=without, **options) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
    if status == 130:
        raise KeyboardInterrupt
    return status


def require_commits(commits: str, root: Path) -> int:
    """``ValueError`` where asv would find no commit of that name, ``GitError`` where git refuses to answer; how many of
    them are not on HEAD's line, which is the one that asv publishes."""
    if not sources.ask_git(root, "ls-files", "impls"):
        raise ValueError(
            "The repository here holds no impls: run this in a clone of gradratio, and unset GIT_DIR where it is set."
        )
    line = sources.ask_git(root, "rev-list", "--first-parent", "HEAD").split()
    if commits in WORDS or commits == "HASHFILE:-":
        return 0
    try:
        if not commits.strip():
            raise ValueError("it is empty")
        if commits.startswith("HASHFILE:"):
            return _require_hashes(Path(commits.partition(":")[2]), root, line)
        found = sources.ask_git(root, "rev-list", "--first-parent", *shlex.split(commits), "--").split()
    except (sources.GitError, ValueError) as error:
        words = "git takes it for options" if "usage:" in str(error) else error
        raise ValueError(
            f"RANGE {commits!r} names no commits here ({words}): give one as git does, such as HEAD^! or HEAD~5..HEAD; "
            "a shallow clone has few."
        ) from None
    if not found:
        raise ValueError(f"RANGE {commits!r} holds no commit: give one that does, such as HEAD^! or HEAD~5..HEAD.")
    return len({*found} - {*line})


def _require_hashes(path: Path, root: Path, line: list[bytes]) -> int:
    """As ``require_commits``, of a file with one commit a line."""
    if not path.is_file():
        raise ValueError("there is no such file")
    names = path.read_text(encoding="utf-8").split()
    if not names:
        raise ValueError("the file is empty")
    found = {sources.ask_git(root, "rev-parse", "--verify", f"{name}^{{commit}}").strip() for name in names}
    return len(found - {*line})


if __name__ == "__main__":
    sys.exit(main())
