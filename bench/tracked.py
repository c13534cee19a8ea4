"""What the asv suite tracks: it measures cells of one commit into one file, so that a killed ``asv run`` loses no row.

Rows of a commit's ``impls`` go to ``results/local/asv/<commit>-<preset>.jsonl``. What came after the last verdict over
the same cells counts: after a kill, measuring goes on from there; after a verdict it begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import grid, store
from bench.store import Row

Found = dict[str, dict[str, Any]]


def tracked_cells(preset: str, framework: str, problem: str) -> list[grid.Cell]:
    """The cells of a preset that one class of the suite tracks; those of GPUs it leaves to ``python -m bench run``."""
    if preset not in grid.PRESETS:
        raise ValueError(f"GRADRATIO_PRESET names no preset ({preset}): set it to one of {', '.join(grid.PRESETS)}.")
    found = [
        cell
        for cell in grid.cells(preset)
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


def since(rows: Sequence[Row], cells: Sequence[grid.Cell]) -> int:
    """How many rows there are up to the last verdict over these very cells: what follows is not finished yet."""
    ids = [cell.id for cell in cells]
    runs = {row["run"] for row in rows if row["kind"] == "run" and row.get("cells") == ids}
    ends = [place for place, row in enumerate(rows, start=1) if row["kind"] == "verdict" and row["run"] in runs]
    return max(ends, default=0)


def measured(cells: Sequence[grid.Cell], preset: str) -> Found:
    """What each cell came to, measured by the interpreter that asv runs this with.

    asv says in ASV_COMMIT which commit it has installed there. With ``-E existing`` it has installed none, and adds
    ASV_PYTHONPATH to its own import path alone; the workers need it too.
    """
    from contextlib import closing
    from dataclasses import asdict

    from bench.expected import surprises
    from bench.measure import measure
    from bench.rows import ROOT, verdict_row
    from bench.summary import summarise

    commit, asv = os.environ.get("ASV_COMMIT"), os.getppid()
    path = location(preset, commit, ROOT)
    start = since(store.read(path), cells)
    rows_to_come = measure(
        cells,
        workers=grid.PRESETS[preset].workers,
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
    rows = store.read(path)[start:]
    found = summarise(rows, cells)
    last = [row["run"] for row in rows if row["kind"] == "run"][-1]
    store.append(path, verdict_row(last, surprises(cells, found)))
    return {one.cell: asdict(one) for one in found}
