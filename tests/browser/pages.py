"""The pages that are looked at: a made-up suite with hostile names in it, and the repository's own results."""

from __future__ import annotations

import os
from pathlib import Path

from reports.__main__ import main
from reports.load import newest, newest_papers, newest_peers
from tests.reports.suite import suite
from tests.rows import Row, exact, run, timed, visit, write

ROOT = Path(__file__).parents[2]

NASTY = (
    "</title></style></svg><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "<svg onload=alert(3)>",
    "javascript:alert(4)",
    "{{ 7 * 7 }} $x^{$ ' onmouseover=alert(5) x='",
    "W" * 200,
)
"""Names that would act, or push the page out of shape."""


def hostile() -> list[Row]:
    """Cells, sizes, options and reasons of such names."""
    rows: list[Row] = []
    for name, other in zip(NASTY[::2], NASTY[1::2], strict=True):
        what: Row = {"problem": name, "sizes": {other[:50]: other, "depth": 2}, "method": (other, {name[:50]: name})}
        rows += [timed(2.0, worker, **what) for worker in range(2)]
        rows += [exact(100_000, **what), visit("jax", status="failed", reason=name, problem=other, measure="time")]
        rows += [exact(depth * 1000, **(what | {"sizes": {"depth": depth, other[:50]: 1}})) for depth in (2, 4, 8)]
    return rows


def made_up(folder: Path) -> Path:
    """The page of the made-up suite with hostile names in it, on a machine of such a name."""
    machine = {"cpu": NASTY[1], "cores": 2, "system": NASTY[5], "gpu": {"name": NASTY[2], "driver": NASTY[0]}}
    described = run(machine=machine, cells=list(NASTY), commit=NASTY[0], preset=NASTY[3], workers=2)
    path = write(folder / "quick.jsonl", [described, *suite(workers=2)[1:], *hostile()])
    return built(folder / "page", "--results", str(path), "--papers", "none", "--peers", "none")


def committed(folder: Path) -> Path:
    """The page of the repository's results; the papers' figures take half a minute and are drawn where
    ``GRADRATIO_LONG`` is set."""
    papers = newest_papers(ROOT / "results") if os.environ.get("GRADRATIO_LONG") else None
    peers = newest_peers(ROOT / "results")
    grid = newest(ROOT / "results")
    return built(folder, "--results", str(grid), "--papers", str(papers or "none"), "--peers", str(peers or "none"))


def built(folder: Path, *arguments: str) -> Path:
    """The page that the command line writes."""
    assert main([*arguments, "--out", str(folder)]) == 0
    return folder / "index.html"
