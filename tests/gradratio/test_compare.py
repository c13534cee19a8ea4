"""``gradratio.compare``, and the name that it had."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

import bench
import gradratio
from tests.bench.own.asked import BRIEF

IMPORT = "import json, sys; import gradratio; print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"


def test_importing_it_imports_no_framework_and_says_nothing() -> None:
    answer = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    assert not {"torch", "jax", "jaxlib", "impls", "reports", "pandas", "scipy"} & set(json.loads(answer.stdout))
    assert answer.stderr == ""


def test_the_old_name_gives_the_same_and_says_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    params, x = torch.ones(3, dtype=torch.float64), torch.arange(3.0, dtype=torch.float64)
    asked = BRIEF | {"loss": lambda p, x: (p * x).sum(), "params": params, "batch": x, "methods": ["backprop"]}
    found = [compare(**asked) for compare in (gradratio.compare, bench.compare)]
    assert [list(one["status"]) for one in found] == [["ok"], ["ok"]]
    said = capsys.readouterr().err.splitlines()
    assert said.count("bench.compare is gradratio.compare now: import gradratio, and call that.") == 1
