"""Worker processes: an interval, and a method that takes its process with it costs its own row alone."""

from __future__ import annotations

import os
import queue
import subprocess
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as fwd

import gradratio
from bench.own import measured as processes
from bench.processes import Worker
from bench.rows import read


class Net(torch.nn.Module):
    """One whose process ends where it is differentiated in forward mode."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if fwd.unpack_dual(self.inner.weight).tangent is not None:
            os._exit(3)
        return torch.tanh(self.inner(x))


def test_processes_give_an_interval_and_take_a_crash(tmp_path: Path) -> None:
    found = gradratio.compare(
        loss=lambda net, x: (net(x) ** 2).sum(),
        params=Net(),
        batch=torch.linspace(-2, 2, 32).reshape(4, 8),
        methods=["backprop", ("forward_gradient", {"tangents": "given"})],
        workers=2,
        budget_s=0.05,
        save_to=tmp_path / "rows.jsonl",
    )
    first, second = found.to_dict("records")
    assert first["status"] == "ok" and first["gradient_error"] < 1e-5
    assert first["R_low"] < first["R"] < first["R_high"]
    assert second["status"] == "failed" and "the worker process ended with exit code 3" in second["reason"]
    assert read(tmp_path / "rows.jsonl") == found.typed and found.rows[0]["workers"] == 2
    assert sorted((row["measure"], row["worker"]) for row in found.rows[1:]) == [
        ("exact", 0),
        ("exact", 0),
        ("time", 0),
        ("time", 1),
    ]


class Rows(SimpleQueue[Any]):
    """A queue whose ``get`` can be replaced."""


def interrupted(*_: Any, **__: Any) -> Any:
    """Stands where Ctrl-C comes."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Worker, "_receive"),
        (Worker, "ask"),
        (processes, "run_row"),
        (processes, "append"),
        (Rows, "get"),
    ],
    ids=[
        "while one starts",
        "while the reference is computed",
        "after the start",
        "before the visits",
        "in the visits",
    ],
)
def test_ctrl_c_leaves_no_process(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(queue, "SimpleQueue", Rows)
    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        gradratio.compare(loss=lambda p, x: (p * x).sum(), params=torch.ones(4), batch=torch.ones(4), workers=1)
    workers = [one for one in started if "worker.py" in str(one.args)]
    assert workers and all(one.poll() is not None for one in workers)
