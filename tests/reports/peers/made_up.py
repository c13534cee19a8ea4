"""A made-up file of the peers' bench: part by part, with times that are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.peers.contenders import BASES, FIXED_POINT, NET, Contender
from reports.papers import Papers
from tests.rows import Row, part
from tests.rows import papers as papers_of

SMALL, WIDE = "tanh-128x64-symmetric-0.9-0.01", "tanh-512x64-orthogonal-0.95-0.0001"
CELLS = (SMALL, WIDE)
NETWORK = "mlp-3x1024x64"
FORWARD = 1e-3
"""Seconds of a forward."""

Times = Mapping[str, float | tuple[str, str]]
"""By contender: seconds, or a status with its reason."""


def known(framework: str) -> dict[str, Contender]:
    """Every contender of a framework, by name."""
    return {one.name: one for one in (*FIXED_POINT[framework], *NET)}


def records(framework: str, cell: str, times: Times, slower: float = 1.0, **more: Any) -> list[Row]:
    """The table of one part: seconds are ``slower`` than told, as in a slow minute, and ratios are not."""
    found = []
    for name, told in times.items():
        method = known(framework)[name].method
        row: Row = {"cell": cell, "contender": name, "method": method, "options": "M=5", "error": 1e-3}
        row |= {"package": None if name.startswith("ours") or name == "stock" else f"{name.split()[0]} 1.2.3"}
        row |= {"forward_seconds": FORWARD * slower, "seconds": None, "ratio": None, "flop_ratio": 2.0}
        if isinstance(told, tuple):
            row |= {"status": told[0], "reason": told[1]}
        else:
            base = times.get(BASES[method])
            ratio = base / told if isinstance(base, float) else None
            row |= {"status": "ok", "reason": "", "seconds": told * slower, "ratio": ratio}
        found.append(row | more)
    return found


def cell_parts(framework: str, cell: str, times: Times, workers: int = 3, **more: Any) -> list[Row]:
    """The parts of one cell: workers differ in speed by far more than in their ratios."""
    slow = (1.0, 1.7, 3.0, 1.3)
    return [
        part("peers", records(framework, cell, times, slow[worker % 4], **more), framework, cell=cell, worker=worker)
        for worker in range(workers)
    ]


def papers(rows: Iterable[Row], **changes: Any) -> Papers:
    """What is read from a file with these parts."""
    return papers_of(parts=rows, **{"preset": "peers-quick", "experiments": None} | changes)


def whole() -> list[Row]:
    """Both frameworks, every contender, two cells and a network; one failure and one library that is missing."""
    rows = []
    for framework, others in FIXED_POINT.items():
        for place, cell in enumerate(CELLS):
            times: dict[str, float | tuple[str, str]] = {
                one.name: 0.002 * (1 + 0.1 * place) * (1.0 if one.name.startswith("ours") else 1.25 + 0.05 * index)
                for index, one in enumerate(others)
            }
            if framework == "torch" and cell == WIDE:
                times["torchdeq ift broyden"] = ("failed", "its best error is 0.02")
            if framework == "jax":
                times["optimistix unrolled"] = ("n/a", "optimistix is not installed")
            work = {"flop_ratio": None} if framework == "jax" else {}
            rows += cell_parts(framework, cell, times, **work)
        rows += cell_parts(framework, NETWORK, {one.name: 0.004 + 0.001 * n for n, one in enumerate(NET)})
    return rows
