"""``pytest bench/pytest_compare/test_peers.py``: each contender of one small cell beside the others.

There are tests only where the file is named, so that ``gradratio pytest`` is about methods alone. GRADRATIO_PEERS names
another cell of ``gradratio peers --list``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.cells import MODES
from bench.peers.cells import PRESETS, named
from bench.peers.contenders import contenders
from bench.peers.perform import PeerProblem, ready
from bench.peers.settings import of_cell

CELL = named(os.environ.get("GRADRATIO_PEERS", PRESETS["smoke"][0].name))
WHO = [(one.name, framework) for framework in MODES for one in contenders(CELL, framework)]

if any(Path(argument.partition("::")[0]).name == Path(__file__).name for argument in sys.argv):

    @pytest.mark.parametrize(("contender", "library"), WHO, ids=[f"{name}-{framework}" for name, framework in WHO])
    def test_contender(contender: str, library: str, benchmark: Any, tmp_path: Path) -> None:
        """Time one call up to the moment when the device has finished it, if its gradient is right enough. One that is
        not installed is skipped."""
        one = next(one for one in contenders(CELL, library) if one.name == contender)
        problem = PeerProblem(CELL, library, "cpu", tmp_path)
        record, call = ready(problem, one, of_cell(CELL, library).get(contender))
        benchmark.group = f"{CELL.name} {library} {one.method}"
        benchmark.extra_info.update(record | {"cell": f"peers/{library}/{CELL.name}/{contender}"})
        if call is None:
            pytest.skip(f"{record['status']}: {record['reason']}")
        benchmark(lambda: problem.sync(call()))
