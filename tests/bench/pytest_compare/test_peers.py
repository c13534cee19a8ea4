"""``pytest bench/pytest_compare/test_peers.py``: there only where it is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.cells import MODES
from bench.peers.cells import NETS
from bench.peers.contenders import contenders
from bench.rows import ROOT


def collected(folder: Path, *named: str, **environment: str) -> str:
    """What pytest would run in ``bench/pytest_compare``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GRADRATIO_"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(ROOT / "bench" / "pytest_compare" / Path(*named)),
        "--collect-only",
        "-q",
    ]
    command += ["-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_one_test_a_contender_of_one_cell(tmp_path: Path) -> None:
    lines = [line for line in collected(tmp_path, "test_peers.py", GRADRATIO_PEERS=NETS[0].name).splitlines()]
    wanted = [f"[{one.name}-{framework}]" for framework in MODES for one in contenders(NETS[0], framework)]
    assert [line[line.index("[") :] for line in lines if "::" in line] == wanted


def test_none_where_the_folder_is_named(tmp_path: Path) -> None:
    assert "test_contender" not in collected(tmp_path)
