"""What must come out the same while the folders are rebuilt: ``python -m tests.same FOLDER``.

The first call with an empty folder keeps everything that the commands say of the committed rows and of a smoke run; a
later one makes it again and prints what differs. Kept are: the cells of each preset, contenders and experiments by
name, every Markdown table, the data of every figure and table of the page, and a smoke run's values but for its times.
Exit status: 0 where nothing differs, 1 where something does.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
QUICK = "results/6442a9bc0553/quick.jsonl"
OLDER = ("results/34747a83004b/quick.jsonl", "results/34747a83004b/standard.jsonl")
PAPERS = "results/de7d22a6924c/papers-quick.jsonl"
PEERS = "results/7136ac764a37/peers-quick.jsonl"
TIMES = ("compile_s", "overhead_s")
"""Values of a row that no two runs have in common."""

SAID = {
    "list": "bench list",
    **{f"list-{name}": f"bench list --preset {name}" for name in ("smoke", "track", "quick", "standard", "gpu")},
    "experiments": "bench experiments --list",
    **{f"peers-{name}": f"bench peers --list --preset {name}" for name in ("smoke", "quick", "full")},
    "rates": "bench.gate.calibration.rates --show",
    "headline": f"reports --markdown --results {QUICK}",
    **{f"headline-{index}": f"reports --markdown --results {path}" for index, path in enumerate(OLDER)},
    "answer": f"reports --answer-markdown --results {QUICK} --papers {PAPERS}",
    "papers": f"reports --papers-markdown --papers {PAPERS}",
    "targets": f"reports --peers-markdown --peers {PEERS}",
}
"""What a name is kept of: a command's output."""


def main() -> int:
    """Keep, or compare."""
    if len(sys.argv) != 2:
        print("Say which folder: python -m tests.same FOLDER", file=sys.stderr)
        return 2
    folder, differing = Path(sys.argv[1]).resolve(), 0
    known = folder.is_dir() and any(folder.iterdir())
    folder.mkdir(parents=True, exist_ok=True)
    found = dict(outputs())
    if not known:
        for name, text in found.items():
            (folder / name).write_text(text)
        print(f"{len(found)} outputs are kept.")
        return 0
    for name in sorted({*found, *(path.name for path in folder.iterdir())}):
        path = folder / name
        before, after = path.read_text() if path.exists() else "", found.get(name, "")
        if before != after:
            differing += 1
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "now", lineterm="", n=0)
            print(f"{name}:", *list(lines)[2:12], sep="\n  ")
    print(f"{differing} of {len(found)} outputs differ.")
    return 1 if differing else 0


def outputs() -> Iterator[tuple[str, str]]:
    """Every output with its name."""
    for name, command in SAID.items():
        yield f"{name}.txt", said(command)
    with tempfile.TemporaryDirectory() as scratch:
        for name, rows in {"quick": QUICK, "older": OLDER[0], "standard": OLDER[1]}.items():
            page = Path(scratch, name)
            said(f"reports --results {rows} --papers {PAPERS} --peers {PEERS} --out {page}")
            for path in sorted(page.glob("data/*.csv")):
                yield f"{name}-{path.name}", path.read_text()
        path = Path(scratch, "smoke.jsonl")
        said(f"bench run --preset smoke --workers 1 --budget 0.01 --keep-going --out {path}")
        yield "smoke.txt", "".join(sorted(line for line in map(unchanging, path.read_text().splitlines()) if line))


def said(command: str) -> str:
    """What a module's command prints; ``RuntimeError`` with its last words where it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NPROC": "1", "JAX_PLATFORMS": "cpu"}
    made = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise RuntimeError(f"{command} exited with {made.returncode}: {made.stderr.strip()[-400:]}")
    return made.stdout


def unchanging(line: str) -> str:
    """What of a visit's row two runs have in common; nothing of other rows."""
    row: dict[str, Any] = json.loads(line)
    if row["kind"] != "visit":
        return ""
    values = {name: value for name, value in row["values"].items() if name not in TIMES}
    kept = {name: row[name] for name in ("cell", "measure", "worker", "status", "reason", "sizes", "options")}
    return json.dumps(kept | {"values": values, "samples": sorted(row["samples"])}, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
