"""Large results files, and what their pages cost: ``python -m tests.reports.large`` prints seconds and MB of 100 000
pairs, ``--rows 1000000`` of as many rows, each a worker's visit."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.rows import BACKPROP, GAUSSIAN, GIVEN, Method, Row, exact, run, timed

ROOT = Path(__file__).parents[2]
WORKERS, PAIRS = 8, 61
RUNNERS = (("torch", "eager", 1.0), ("torch", "compiled", 0.7), ("jax", "jit", 0.8))

IMPLICIT: tuple[tuple[Method, float], ...] = (
    (("unrolled", {"K": 60}), 2.9),
    (("ift", {"K": 60, "M": 60, "linear_solver": "picard"}), 2.1),
    (("ift", {"K": 60, "M": 20, "linear_solver": "gmres"}), 1.7),
    (("jfb", {"K": 60}), 1.05),
)
EXPLICIT: tuple[tuple[Method, float], ...] = ((BACKPROP, 2.7), (GAUSSIAN, 5.2), (GIVEN, 3.0))

BUILD = """
import resource, sys, time
from pathlib import Path
from reports.__main__ import main
status = main(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
told = Path("/proc/self/status")
if told.is_file():  # ru_maxrss may still hold the peak of the process that started this one
    peak = next(1024 * int(line.split()[1]) for line in told.read_text().splitlines() if line.startswith("VmHWM:"))
print(peak, time.process_time())
sys.exit(status)
"""
"""A process that builds a page and prints its own peak of resident memory in bytes, and its processor seconds."""


class Cost(NamedTuple):
    """What a page cost, and the pairs that it was made from."""

    seconds: float
    processor_s: float
    peak_bytes: int
    page_bytes: int
    pairs: int


def settings() -> Iterator[tuple[str, Row, tuple[tuple[Method, float], ...]]]:
    """Problems, their sizes and methods: 69 of them, each in three runners."""
    for width in (256, 512, 1024, 2048, 4096):
        yield "mlp", {"batch": 64, "depth": 3, "width": width}, EXPLICIT
    for problem, widths in (("tanh", (128, 256, 512, 1024)), ("newton", (32, 64)), ("fpn", (8, 16))):
        for width in widths:
            for gamma in (0.8, 0.95) if problem == "tanh" else (0.8,):
                yield problem, {"batch": 64, "gamma": gamma, "width": width}, IMPLICIT
    yield "linear", {"batch": 64, "gamma": 0.5, "width": 256}, IMPLICIT
    yield "linear", {"batch": 64, "gamma": 0.9, "width": 256}, IMPLICIT[:2]


def cells() -> list[tuple[float, Row]]:
    """R and what is measured of each cell."""
    return [
        (ratio * faster, {"framework": framework, "mode": mode, "problem": problem, "sizes": sizes, "method": method})
        for problem, sizes, methods in settings()
        for framework, mode, faster in RUNNERS
        for method, ratio in methods
    ]


def rows(workers: int = WORKERS, pairs: int = PAIRS) -> Iterator[Row]:
    """One run: one exact visit of each cell, and every cell timed by every worker."""
    exactly = [exact(int(1e6 * ratio), **what) for ratio, what in cells()]
    yield run(cells=[row["cell"] for row in exactly], workers=workers)
    yield from exactly
    for worker in range(workers):
        for ratio, what in cells():
            yield timed(ratio, worker, pairs, **what)


def measure(folder: Path, workers: int = WORKERS, pairs: int = PAIRS) -> Cost:
    """Build the page of ``rows`` under ``folder`` in a fresh process."""
    path = folder / "large.jsonl"
    with path.open("wb") as file:
        for row in rows(workers, pairs):
            file.write(json.dumps(row).encode() + b"\n")
    command = [sys.executable, "-c", BUILD, "--results", str(path), "--out", str(folder / "page")]
    begun = time.perf_counter()
    found = subprocess.run(
        [*command, "--papers", "none", "--peers", "none"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    taken = time.perf_counter() - begun
    peak, used = found.stdout.splitlines()[-1].split()
    page = folder / "page" / "index.html"
    return Cost(taken, float(used), int(peak), page.stat().st_size, workers * pairs * len(cells()))


def main() -> None:
    """Print the cost."""
    parser = argparse.ArgumentParser(prog="python -m tests.reports.large")
    parser.add_argument(
        "--rows", type=int, help="so many rows of one pair each, where 100 000 pairs in few rows are not meant"
    )
    chosen = parser.parse_args()
    shape = (max(2, chosen.rows // len(cells()) - 1), 1) if chosen.rows else (WORKERS, PAIRS)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), *shape)
    print(
        f"{found.pairs} pairs: {found.seconds:.1f} s, {found.processor_s:.1f} s of them on a processor, "
        f"{found.peak_bytes / 1e6:.0f} MB at the peak, "
        f"a page of {found.page_bytes / 1e6:.2f} MB."
    )


if __name__ == "__main__":
    main()
