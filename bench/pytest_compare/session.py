"""One session of pytest-benchmark on one machine: its cells, what the measuring core found of them, where it is kept.

Pure bookkeeping for ``bench/pytest_compare``, which is the shell that pytest runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import context
from bench.cells import Cell, Label, label
from bench.instruments import machine, sources
from bench.presets import PRESETS
from bench.progress import Progress
from bench.rows import ROOT, VerdictRow, append, plain, read
from bench.select import preset_cells, select
from bench.summary import Summary, last_run, summarise

EXACT = ("peak_bytes", "held_bytes", "flops", "forward_flops", "flop_ratio", "gradient_error", "compile_s")
"""Values of the measuring core that go into ``extra_info`` as they are, None where a cell has none."""


def location(
    preset: str, framework: Sequence[str] = (), problem: Sequence[str] = (), method: Sequence[str] = ()
) -> Path:
    """The JSON file of a session, beside the rows that it draws on; a part of a preset has a file of its own."""
    named = ["+".join(names) for names in (framework, problem, method) if names]
    return context.location(preset).with_name("-".join(["pytest", preset, *named]) + ".json")


@dataclass
class Session:
    """The cells of a preset that are timed on the CPU, and what is known of them."""

    preset: str
    cells: tuple[Cell, ...]
    workers: int
    json: Path
    rows: Path
    commit: dict[str, Any]
    machine: dict[str, Any]
    labels: dict[str, Label]
    summaries: dict[str, Summary] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        preset: str,
        *,
        framework: Sequence[str] = (),
        problem: Sequence[str] = (),
        method: Sequence[str] = (),
        workers: int | None = None,
    ) -> Session:
        """What the names mean; a mistake in them is a ``ValueError`` in one sentence."""
        chosen = select(preset, framework=framework, problem=problem, method=method)
        cells = tuple(cell for cell in chosen if _timed_here(cell))
        if not cells:
            raise ValueError(
                f"No chosen cell of the preset {preset!r} is timed on the CPU: measure it with "
                f"`gradratio run --preset {preset}`."
            )
        among = [cell for cell in preset_cells(preset) if _timed_here(cell)]
        commit, dirty = sources.git(ROOT)
        return cls(
            preset=preset,
            cells=cells,
            workers=workers or PRESETS[preset].workers,
            json=location(preset, framework, problem, method),
            rows=context.location_of(preset, commit, dirty),
            commit={"id": commit or "unversioned", "dirty": dirty, "impls": sources.impls_digest()},
            machine={**machine.describe(), "versions": machine.versions()},
            labels={cell.id: label(cell, among) for cell in cells},
        )

    def measure(self, cells: Iterable[Cell], progress: Progress | None = None) -> None:
        """Let the measuring core visit ``cells``, as ``gradratio run`` does and into the same file: what stands
        there already is not measured again."""
        from bench.expected import surprises
        from bench.run import measure

        cells = list(cells)
        rows = measure(cells, workers=self.workers, path=self.rows, preset=self.preset, progress=progress)
        deque(rows, maxlen=0)
        found = read(self.rows)
        if last_run(found).impls != self.commit["impls"]:
            raise RuntimeError(
                "The worker processes measure another impls than this process imports: install this one with "
                "`pip install -e .`."
            )
        summaries = summarise(found, cells)
        append(self.rows, VerdictRow(run=last_run(found).run, surprises=surprises(cells, summaries)))
        self.summaries = {one.cell: one for one in summaries}

    def extra_info(self, cell: Cell) -> dict[str, Any]:
        """What the measuring core found of a cell, in plain JSON types; R is in forwards, compile_s in seconds."""
        one = self.summaries[cell.id]
        ratio = one.interval
        found: dict[str, Any] = {"cell": cell.id, "status": one.status, "reason": one.reason}
        ends = (ratio.value, ratio.low, ratio.high) if ratio else (None, None, None)
        found |= dict(zip(("R", "R_low", "R_high"), ends, strict=True)) | {"workers": len(one.ratios)}
        return plain(found | {name: one.values.get(name) for name in EXACT})

    def untimed(self, timed: Iterable[str]) -> list[dict[str, Any]]:
        """The cells that the measuring core knows and that are not among those ``timed`` by pytest-benchmark, in the
        layout of its own entries: one that failed stays in the file with its reason."""
        done = set(timed)
        found = []
        for cell in self.cells:
            if cell.id in self.summaries and cell.id not in done:
                info = self.extra_info(cell)
                if info["status"] == "ok":
                    info |= {"status": "missing", "reason": "its benchmark did not finish"}
                found.append({"group": self.labels[cell.id].problem, "params": self.params(cell), "extra_info": info})
        return found

    def cell(self, **params: str) -> Cell:
        """The cell that a benchmark's parameters stand for."""
        return next(cell for cell in self.cells if self.params(cell) == params)

    def params(self, cell: Cell) -> dict[str, str]:
        """What a benchmark is parametrised by."""
        names = self.labels[cell.id]
        return {"problem": names.problem, "method": names.method, "framework": names.framework}


def _timed_here(cell: Cell) -> bool:
    return "time" in cell.measures and cell.device == "cpu"
